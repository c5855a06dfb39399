"""How long one certificate takes, and how many there are in a minute."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from device import Device, make_csr
from local.connector import Connector

FLEET = Path(__file__).resolve().parent.parent / "Tests/Integration/foreign/fleet.py"
RUNS = {1: 11, 100: 5}
TARGETS = {1: "0.10 s or less", 100: "1.0 s or less"}
WAITING, FLEET_RUNS = 100, 3
ADVISED = {1: 4, 100: 2}
TURNS = 4


async def measure(report, connector, peers):
    secret = connector.credential("device").read_text()
    peers.register()
    for count, runs in RUNS.items():
        ours, others = [], {peer: [] for peer in peers.NAMES}
        await obtain(connector, secret, count, "warm-up")
        for run in range(runs):
            # In turn, so that what else the machine does hits all alike.
            ours.append(await obtain(connector, secret, count, f"r{run}"))
            for peer, seconds in others.items():
                seconds.append(await asyncio.to_thread(peers.obtain, peer, count, run))
        names = "1 name" if count == 1 else f"{count} names"
        report.add_times(f"certificate for {names}: RequestCertificate to CertificateReady", ours, TARGETS[count])
        for peer, seconds in others.items():
            report.add_times(f"certificate for {names}: {peer}, from its start to its end", seconds)
    await crowd(report, connector)


async def obtain(connector, secret, count, run):
    names = [f"n{number}.{run}.of{count}.bench.example" for number in range(count)]
    csr = await asyncio.to_thread(make_csr, names)
    async with Device(connector.plain, secret, "bench") as device:
        await device.register()
        started = time.monotonic()
        await device.request(csr)
        ready = await device.certificate()
        seconds = time.monotonic() - started
        await device.installed(ready)
    return seconds


async def advice(report, connector, pebble):
    """What the doctor's look beside a first order costs: the same with it and without, in turn. It asks the DNS server that Pebble asks."""
    port = connector.challenges.rpartition(":")[2]
    vantage = {"RESOLVER": pebble.dns, "PRIVATE_ADDRESSES": "127.0.0.1", "HTTP_PORT": port}
    measured = {(mode, count): [] for mode in ("off", "advise") for count in ADVISED}
    for turn in range(TURNS):
        for mode in ("off", "advise"):
            environment = {f"ACME_CONNECTOR_DOCTOR_{key}": value for key, value in (vantage | {"MODE": mode}).items()}
            state = connector.state.with_name("advised")
            other = Connector(state, pebble.directory, pebble.trust, f"127.0.0.1:{port}", connector.executables, environment)
            with other:
                secret = other.credential("device").read_text()
                await obtain(other, secret, 1, f"warm-up-{mode}{turn}")
                for count, runs in ADVISED.items():
                    measured[mode, count] += [await obtain(other, secret, count, f"{mode}{turn}-{run}") for run in range(runs)]
    for (mode, count), seconds in measured.items():
        report.add_times(f"first certificate for {count} name{'s' if count > 1 else ''}, doctor.mode {mode}", seconds)


async def crowd(report, connector):
    rates = []
    for run in range(FLEET_RUNS):
        command = [sys.executable, "-B", FLEET, connector.plain, connector.credential("device")]
        command += ["--devices", str(WAITING), "--domain", f"crowd{run}.example"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        fleet = json.loads(done.stdout)
        if fleet["ready"] != WAITING:
            raise RuntimeError(f"of {WAITING} devices {fleet['ready']} got a certificate: {fleet['failures'][:3]}")
        rates.append(WAITING / fleet["elapsed"] * 60)
    rates.sort()
    spread = f"{rates[0]:.0f} to {rates[-1]:.0f}, {FLEET_RUNS} runs"
    report.add(f"certificates per minute, {WAITING} devices waiting", f"{rates[len(rates) // 2]:.0f}", "1200 or more", spread)
