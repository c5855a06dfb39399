"""A reverse proxy that serves what it is told beforehand, by the PyPI package websockets and the protocol page alone.

Usage: pushed_proxy.py URL SECRET-FILE ADDRESS PORT NAME…   Prints `ready yes`; runs until SIGTERM.
"""

import asyncio
import json
import sys
from pathlib import Path

from device import Device


async def main(url, secret, address, port, names):
    answers = {}

    async def serve(reader, writer):
        path = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
        status, body = ("200 OK", answers[path]) if path in answers else ("404 Not Found", "")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    async with Device(url, Path(secret).read_text(), "pushed-proxy") as device:
        await device.register(roles=["reverseProxy"], challenge="push", dnsNames=names)
        async with await asyncio.start_server(serve, address, int(port)):
            print("ready yes", flush=True)
            async for text in device.socket:
                message = json.loads(text)
                if message["mt"] == "ChallengeAdded":
                    answers[message["path"]] = message["keyAuth"]
                    await device.send(mt="ChallengeAddedResult", token=message["token"])


asyncio.run(main(*sys.argv[1:5], sys.argv[5:]))
