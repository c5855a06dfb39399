"""A device that stays connected over TLS: stay.py URL PASSWORD-FILE

Prints `ready` when it has logged in; then says something ten times a second and notes each answer on standard error, and the end of the connection.
"""

import asyncio
import hashlib
import json
import ssl
import sys
from pathlib import Path

import websockets


async def main(url, password):
    context = ssl.create_default_context()
    context.check_hostname = False  # the pin is another test's
    context.verify_mode = ssl.CERT_NONE
    async with websockets.connect(url, ssl=context) as connection:
        await connection.send(json.dumps({"mt": "AppChallenge"}))
        challenge = json.loads(await connection.recv())["challenge"]
        digest = hashlib.sha256(f"stay::stays:::{challenge}:{password}".encode()).hexdigest()
        await connection.send(json.dumps({"mt": "AppLogin", "app": "stay", "sip": "stays", "digest": digest}))
        if json.loads(await connection.recv()).get("ok") is not True:
            sys.exit("the login was refused")
        print("ready", url, flush=True)
        try:
            while True:
                await connection.send(json.dumps({"mt": "KeepAlive"}))
                await connection.recv()
                print("answered", file=sys.stderr, flush=True)
                await asyncio.sleep(0.1)
        except websockets.ConnectionClosed as closed:
            print("closed", closed, file=sys.stderr, flush=True)


asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_text().strip()))
