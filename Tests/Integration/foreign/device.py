"""A device, written from docs/device-protocol.md alone with the PyPI package websockets: nothing of ours is in it."""

import asyncio
import hashlib
import json
import subprocess

import websockets


class Refused(Exception):
    """The connector's answer was an error of the protocol: `error` is its token."""

    def __init__(self, message):
        super().__init__(f"{message['mt']}: {message['error']}: {message.get('errorText', '')}")
        self.error = message["error"]


def make_csr(names):
    """A CSR (PEM) with a fresh P-256 key for the names."""
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"]
    command += ["-subj", "/", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Device:
    """One connection of one device: `async with Device(url, secret, hardware_id) as device`."""

    def __init__(self, url, secret, hardware_id, tls=None):
        self.url, self.secret, self.hardware_id, self.tls = url, secret, hardware_id, tls

    async def __aenter__(self):
        options = {"ssl": self.tls} if self.url.startswith("wss:") else {}
        self.socket = await websockets.connect(self.url, max_size=65536, compression=None, open_timeout=60, **options)
        await self._log_in()
        return self

    async def __aexit__(self, *_):
        await self.socket.close()

    async def send(self, **message):
        await self.socket.send(json.dumps(message))

    async def receive(self, *kinds):
        """The next message of one of these kinds; others are passed over."""
        async for text in self.socket:
            message = json.loads(text)
            if message.get("mt") in kinds:
                return message
        raise ConnectionError("the gateway closed the connection")

    async def ask(self, **message):
        await self.send(**message)
        answer = await self.receive(message["mt"] + "Result")
        if "error" in answer:
            raise Refused(answer)
        return answer

    async def register(self, **description):
        return await self.ask(mt="RegisterDevice", protocol=1, hwId=self.hardware_id, type="OTHER", **description)

    async def request(self, csr):
        return await self.ask(mt="RequestCertificate", csr=csr)

    async def certificate(self):
        """Waits until the certificate is there; gives the receipt for it."""
        answer = await self.receive("CertificateReady", "CertificateFailed")
        if answer["mt"] == "CertificateFailed":
            raise Refused(answer)
        return answer

    async def installed(self, ready):
        await self.ask(mt="CertificateInstalled", id=ready["id"], fingerprint=ready["fingerprint"])

    async def _log_in(self):
        challenge = (await self.ask(mt="AppChallenge"))["challenge"]
        app, domain, sip, guid, dn = "acme-fleet", "", self.hardware_id, "", ""
        digest = hashlib.sha256(f"{app}:{domain}:{sip}:{guid}:{dn}:{challenge}:{self.secret}".encode()).hexdigest()
        answer = await self.ask(mt="AppLogin", app=app, domain=domain, sip=sip, guid=guid, dn=dn, digest=digest)
        if not answer.get("ok"):
            raise Refused({"error": "loginRefused"} | answer)


async def gather_bounded(limit, tasks):
    """Runs the coroutines, at most `limit` at once."""
    gate = asyncio.Semaphore(limit)

    async def passed(task):
        async with gate:
            return await task

    return await asyncio.gather(*map(passed, tasks))
