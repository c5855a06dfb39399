"""A device that asks for a certificate, goes away, and gets one when it comes back. Usage: device-certificate.py URL SECRET"""

import asyncio
import hashlib
import json
import sys

import websockets

url, secret = sys.argv[1:3]


async def receive(socket, name):
    while True:
        message = json.loads(await socket.recv())
        if message["mt"] == name:
            return message


async def log_in(socket):
    # A message may come in any number of fragments.
    await socket.send(['{"mt":', '"AppChal', 'lenge"}'])
    challenge = (await receive(socket, "AppChallengeResult"))["challenge"]
    digest = hashlib.sha256(f"le::009033460af2:::{challenge}:{secret}".encode()).hexdigest()
    await socket.send(json.dumps({"mt": "AppLogin", "app": "le", "sip": "009033460af2", "digest": digest}))
    assert (await receive(socket, "AppLoginResult"))["ok"] is True


async def main():
    async with websockets.connect(url) as socket:
        await log_in(socket)
        await socket.send(json.dumps({"mt": "RequestCertificate", "src": "c", "csr": "a CSR"}))
        asked = await receive(socket, "RequestCertificateResult")
        assert asked["src"] == "c" and asked["state"] == "queued", asked
    async with websockets.connect(url) as socket:
        await log_in(socket)
        ready = await receive(socket, "CertificateReady")
        await socket.send(json.dumps({"mt": "CertificateInstalled", "id": ready["id"], "fingerprint": ready["fingerprint"]}))
        await receive(socket, "CertificateInstalledResult")
        await socket.send('{"mt":"KeepAlive"}')
        await receive(socket, "KeepAlive")
    print(asked["id"], ready["id"])


asyncio.run(main())
