"""A reverse proxy that looks each challenge up with the connector, by the PyPI package websockets and the protocol page alone.

Usage: reverse_proxy.py URL SECRET-FILE ADDRESS PORT NAME…   What the connector does not know gets the proxy's own answer, 200 and
`own rules`. Prints `ready yes`; runs until SIGTERM.
"""

import asyncio
import itertools
import json
import sys
from pathlib import Path

from device import Device

FOLDER = "/.well-known/acme-challenge/"


class Proxy:
    def __init__(self, device):
        self.device, self.numbers, self.waiting = device, itertools.count(), {}

    async def read(self):
        """Everything that the connector says belongs to a question, by its src."""
        async for text in self.device.socket:
            message = json.loads(text)
            if message["mt"] == "GetChallengeResult":
                self.waiting.pop(message["src"]).set_result(message)

    async def look_up(self, host, token):
        src = str(next(self.numbers))
        self.waiting[src] = asyncio.get_running_loop().create_future()
        await self.device.send(mt="GetChallenge", host=host, token=token, src=src)
        answer = await self.waiting[src]
        return answer["keyAuth"] if answer.get("found") else None

    async def serve(self, reader, writer):
        request, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = request.split(" ")[1]
        host = next((field.split(":", 1)[1].strip() for field in fields if field.lower().startswith("host:")), None)
        body = await self.look_up(host, path[len(FOLDER) :]) if path.startswith(FOLDER) else None
        body = body or "own rules"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()


async def main(url, secret, address, port, names):
    async with Device(url, Path(secret).read_text(), "python-proxy") as device:
        await device.register(roles=["reverseProxy"], challenge="lookup", dnsNames=names)
        proxy = Proxy(device)
        async with await asyncio.start_server(proxy.serve, address, int(port)):
            print("ready yes", flush=True)
            await proxy.read()


asyncio.run(main(*sys.argv[1:5], sys.argv[5:]))
