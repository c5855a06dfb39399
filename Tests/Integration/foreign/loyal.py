"""Devices that come again until they have their certificate, whatever becomes of the connector meanwhile; prints what became of them as one JSON object.

loyal.py URL SECRET-FILE --devices N [--domain D]
"""

import argparse
import asyncio
import base64
import hashlib
import json
import random
from concurrent.futures import ThreadPoolExecutor

import websockets

from device import Device, Refused, make_csr

FIRST_PAUSE, LONGEST_PAUSE = 1, 60  # seconds: as docs/device-protocol.md wants it
PASSING = {"busy"}  # says that the connector restarts


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("secret_file")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--domain", default="loyal.example")
    return parser.parse_args()


async def main():
    given = options()
    with open(given.secret_file) as file:
        secret = file.readline().strip()
    names = [[f"d{number:04}.{given.domain}"] for number in range(given.devices)]
    with ThreadPoolExecutor(4) as pool:
        csrs = list(pool.map(make_csr, names))
    devices = [Loyal(given.url, secret, f"loyal-{number:04}", csr) for number, csr in enumerate(csrs)]
    await asyncio.gather(*(device.persist() for device in devices))
    print(
        json.dumps(
            {
                "ready": sum(device.is_served for device in devices),
                "failures": [device.failure for device in devices if device.failure],
                "requests": sorted({device.ready["id"] for device in devices if device.ready}),
                "connections": sum(device.connections for device in devices),
            }
        )
    )


class Loyal:
    """What a device knows from one connection to the next."""

    def __init__(self, url, secret, hardware_id, csr):
        self.identity = url, secret, hardware_id
        self.csr = csr
        self.ready = None
        self.is_served = False
        self.failure = None
        self.connections = 0
        self.pause = FIRST_PAUSE

    async def persist(self):
        while not self.is_served and not self.failure:
            try:
                async with Device(*self.identity) as device:
                    self.connections += 1
                    self.pause = FIRST_PAUSE
                    await device.register()
                    self.ready = self.ready or await self.obtain(device)
                    await device.installed(self.ready)
                    self.is_served = True
            except (OSError, websockets.WebSocketException):
                await self.rest()
            except Refused as refused:
                if refused.error not in PASSING:
                    self.failure = str(refused)
                await self.rest()

    async def rest(self):
        await asyncio.sleep(self.pause * random.uniform(0.5, 1))
        self.pause = min(2 * self.pause, LONGEST_PAUSE)

    async def obtain(self, device):
        """Asks again on each connection: an equal CSR joins the request that is there."""
        await device.send(mt="RequestCertificate", csr=self.csr)
        while True:
            message = await device.receive("RequestCertificateResult", "CertificateReady", "CertificateFailed")
            if message["mt"] == "CertificateReady":
                der = base64.b64decode("".join(message["certificate"].split("-----")[2].split()))
                if hashlib.sha256(der).hexdigest() != message["fingerprint"]:
                    raise Refused({"mt": message["mt"], "error": "fingerprint", "errorText": f"{message['id']}: not that of the leaf"})
                return message
            # CertificateFailed is a report; the connector tries again, unless it says that it will not.
            if message["mt"] == "CertificateFailed" and not message.get("final"):
                continue
            if "error" in message:
                raise Refused(message)


if __name__ == "__main__":
    asyncio.run(main())
