"""Memory: of each service when idle, and of an idle connection at the gateway. Resident, as /proc tells it."""

import asyncio
import re
from pathlib import Path

from device import Device, gather_bounded
from varlink_calls import Service

CONNECTIONS, AT_ONCE = 5000, 100
SOCKETS = {
    "challenge-http": "challenge-http.sock",
    "acme-client": "acme-client.sock",
    "scheduler": "scheduler.sock",
    "device-gateway": "logins.sock",
}
SETTLE_SECONDS = 2


def resident(connector, service):
    """Bytes."""
    process = (connector.state / f"run/{service}.pid").read_text().strip()
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[1]) * 1024


async def idle_services(report, connector):
    for socket in SOCKETS.values():
        with Service(connector.state / "run" / socket) as service:
            service.call("org.varlink.service.GetInfo")
    await asyncio.sleep(SETTLE_SECONDS)
    for service in SOCKETS:
        report.add(f"idle memory: {service}", f"{resident(connector, service) / 1e6:.1f} MB")


async def idle_connections(report, connector):
    secret = connector.credential("device").read_text()
    before = resident(connector, "device-gateway")
    devices = [Device(connector.plain, secret, f"idle-{number:05}") for number in range(CONNECTIONS)]
    await gather_bounded(AT_ONCE, [device.__aenter__() for device in devices])
    await asyncio.sleep(SETTLE_SECONDS)
    each = (resident(connector, "device-gateway") - before) / CONNECTIONS
    report.add(f"memory per idle connection at {CONNECTIONS} (ws, logged in)", f"{each / 1000:.1f} kB", "10 kB or less")
    await gather_bounded(AT_ONCE, [device.__aexit__() for device in devices])
