"""The scheduler with a hundred thousand certificates: how long its start, a look at what is to be done and the plan of all take, and its memory."""

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import large_fleet
from local.sockets import bind_unix
from local.supervisor import Service as Process
from varlink_calls import Service

CERTIFICATES = 100_000
STARTS, LOOKS, PLANS = 5, 500, 3


class Scheduler:
    """The real executable alone, on a state directory of its own."""

    def __init__(self, folder, executable):
        self.folder, self.executable = folder, executable
        self.database = folder / "scheduler.sqlite"
        folder.mkdir()

    def __enter__(self):
        """Starts it; `ready` is after how many seconds it said that it is."""
        bound = {name: bind_unix(self.folder / path, 0o600) for name, path in (("scheduler", "s"), ("scheduler-admin", "a"))}
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(str(self.folder / "n"))
        notify.settimeout(60)
        settings = {"ACME_CONNECTOR_AUTHORITY_DIRECTORY": large_fleet.AUTHORITY, "ACME_CONNECTOR_RUNTIME": str(self.folder)}
        environment = settings | {"STATE_DIRECTORY": str(self.folder), "NOTIFY_SOCKET": str(self.folder / "n")}
        self.process = Process("scheduler", self.executable, environment, list(bound.items()), self.folder / "pid")
        started = time.monotonic()
        with said_to(self.folder / "log"):
            self.process.start()
        while b"READY=1" not in notify.recv(4096):
            pass
        self.ready = time.monotonic() - started
        notify.close()
        self.admin = Service(self.folder / "a").__enter__()
        self.admin.call("org.acmeconnector.Admin.ListCampaigns")
        self.answered = time.monotonic() - started
        for listening in bound.values():
            listening.close()
        return self

    def __exit__(self, *_):
        self.admin.__exit__()
        self.process.signal(signal.SIGTERM)
        os.waitpid(self.process.pid, 0)
        for path in "san":
            (self.folder / path).unlink()

    def call(self, method, **parameters):
        return self.admin.call(f"org.acmeconnector.{method}", parameters)

    def megabytes(self, what):
        """VmRSS or VmHWM, the most it ever was (proc(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+)", status)[1]) / 1024

    def looks(self):
        """How often it has looked at what is to be done, and how many seconds that took in all."""
        told = self.call("Metrics.Read")["exposition"]
        return [float(re.search(rf"^scheduler_look_duration_seconds_{part} (\S+)", told, re.M)[1]) for part in ("count", "sum")]


@contextmanager
def said_to(log):
    """What is started meanwhile writes its log there."""
    ours = os.dup(2)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 2)
    yield
    os.dup2(ours, 2)
    os.close(ours)


def measure(report, folder, executable, certificates=CERTIFICATES):
    scheduler = Scheduler(folder, executable)
    with scheduler:
        pass
    large_fleet.fill(scheduler.database, certificates, folder)
    what = f"{certificates} certificates"
    starts = []
    for _ in range(STARTS):
        with scheduler:
            starts.append(scheduler.answered)
    report.add_times(f"{what}: scheduler's start, to its first answer", starts, "1 s or less")
    with scheduler:
        report.add(f"{what}: memory after the start", f"{scheduler.megabytes('VmRSS'):.0f} MiB", "80 MiB or less")
        report.add(f"{what}: a look at what is due next", f"{look(scheduler) * 1e6:.0f} µs", "microseconds", f"mean of {LOOKS}")
        report.add_times(f"{what}: status", [timed(scheduler, "Admin.Status") for _ in range(PLANS)])
        report.add_times(f"{what}: plan of the whole fleet", [timed(scheduler, "Admin.Plan") for _ in range(PLANS)], "5 s or less")
        rehearsed = [timed(scheduler, "Admin.Plan", lifetime=45 * 86_400) for _ in range(PLANS)]
        report.add_times(f"{what}: the same, rehearsed for 45 days", rehearsed, "5 s or less")
        report.add(f"{what}: most memory ever", f"{scheduler.megabytes('VmHWM'):.0f} MiB", "80 MiB or less")


def inquiries(report, simulation, certificates=CERTIFICATES):
    """All of them overdue at once, and then every six hours: by the scheduler's own rule, against a CA that takes 50 ms for an answer."""
    told = subprocess.run([simulation, "inquiries", str(certificates), "2"], capture_output=True, text=True, check=True).stdout
    busiest = re.search(r"(\d+) in the busiest second", told)[1]
    # https://letsencrypt.org/docs/rate-limits/
    report.add(f"{certificates} certificates: questions about renewal in the busiest second of two days", busiest, "1000 or less")


def look(scheduler):
    """Seconds. Each call about a certificate that is well makes it look, and gives it nothing to do."""
    request = next(one["request"] for one in scheduler.call("Admin.ListCertificates", all=False)["certificates"] if one["state"] == "installed")
    count, seconds = scheduler.looks()
    for _ in range(LOOKS):
        scheduler.call("Admin.Renew", request=request, force=False)
    later, more = scheduler.looks()
    return (more - seconds) / (later - count)


def timed(scheduler, method, **parameters):
    started = time.monotonic()
    scheduler.call(method, **parameters)
    return time.monotonic() - started
