"""Many devices at once; prints what became of them as one JSON object.

fleet.py URL SECRET-FILE --devices N [--names K] [--times M] [--domain D] [--through-restarts]
"""

import argparse
import asyncio
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import websockets
from device import Device, Refused, gather_bounded, make_csr

CONNECTING = 50  # logins under way at once
PASSING = ("busy", "internalError")  # errors after which the same is asked again
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 3  # seconds before another connection: less than devices take, for more of them in a test


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("secret_file")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--names", type=int, default=1, help="names of each device")
    parser.add_argument("--times", type=int, default=1, help="each sends its CSR so many times without waiting for the answer")
    parser.add_argument("--domain", default="fleet.example")
    parser.add_argument("--through-restarts", action="store_true", help="connect and ask again whenever the connection ends")
    parser.add_argument("--seconds", type=float, default=120, help="how long the last one may take")
    return parser.parse_args()


async def main():
    given = options()
    with open(given.secret_file) as file:
        secret = file.readline().strip()
    names = [[f"n{n:03}.d{d:04}.{given.domain}" for n in range(given.names)] for d in range(given.devices)]
    with ThreadPoolExecutor(4) as pool:
        csrs = list(pool.map(make_csr, names))
    devices = [Device(given.url, secret, f"fleet-{number:04}") for number in range(given.devices)]
    if not given.through_restarts:
        await gather_bounded(CONNECTING, [connect(device) for device in devices])
    started = time.monotonic()
    async with asyncio.timeout(given.seconds):
        ways = endure if given.through_restarts else obtain
        results = await asyncio.gather(*(ways(device, csr, given.times) for device, csr in zip(devices, csrs)))
    elapsed = time.monotonic() - started
    await asyncio.gather(*(device.__aexit__() for device in devices))
    print(
        json.dumps(
            {
                "ready": sum("seconds" in result for result in results),
                "failures": [result["failure"] for result in results if "failure" in result],
                "requests": sorted({identifier for result in results for identifier in result.get("ids", [])}),
                "connections": sum(result.get("connections", 1) for result in results),
                "seconds": sorted(result["seconds"] for result in results if "seconds" in result),
                "elapsed": elapsed,
            }
        )
    )


async def connect(device):
    await device.__aenter__()
    await device.register()


async def endure(device, csr, times):
    """The same over as many connections as it takes. A failed attempt is not the end, for the connector makes another one."""
    started, connections, pause = time.monotonic(), 0, FIRST_PAUSE
    while True:
        connections += 1
        try:
            await connect(device)
            return await obtain(device, csr, times, is_patient=True) | {"seconds": time.monotonic() - started, "connections": connections}
        except Refused as failure:
            if failure.error not in PASSING:
                return {"failure": str(failure)}
        except (OSError, websockets.WebSocketException):
            pass
        if hasattr(device, "socket"):
            await device.__aexit__()
        await asyncio.sleep(pause * random.uniform(0.75, 1.25))
        pause = min(2 * pause, LONGEST_PAUSE)


async def obtain(device, csr, times, is_patient=False):
    """From RequestCertificate to CertificateReady, with the receipt after it."""
    started = time.monotonic()
    try:
        for _ in range(times):
            await device.send(mt="RequestCertificate", csr=csr)
        answers, ready = [], None
        while len(answers) < times or ready is None:
            message = await device.receive("RequestCertificateResult", "CertificateReady", "CertificateFailed")
            if message["mt"] == "RequestCertificateResult" and "error" not in message:
                answers.append(message["id"])
                if is_patient and message["state"] == "installed":  # the receipt got there, its answer did not get back
                    return {"ids": answers}
            elif message["mt"] == "CertificateReady":
                ready = message
            elif message["mt"] == "RequestCertificateResult" or message.get("final") or not is_patient:
                raise Refused(message)
        seconds = time.monotonic() - started
        await device.installed(ready)
        return {"seconds": seconds, "ids": answers}
    except (Refused, ConnectionError) as failure:
        if is_patient:
            raise
        return {"failure": str(failure)}


if __name__ == "__main__":
    asyncio.run(main())
