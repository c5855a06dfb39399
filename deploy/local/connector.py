"""deploy/run-local as a child of another program: the demo, the benchmarks."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

from local.supervisor import die_with_parent

PROJECT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 10
STOP_SECONDS = 15


class Connector:
    """`url` is where devices connect (wss), `plain` the same without TLS, `log` what the services and the supervisor said."""

    def __init__(self, state, ca=None, ca_roots=None, http="127.0.0.1:0", executables=None, environment=None):
        self.state = state
        self.environment = environment or {}
        self.executables = executables or PROJECT / ".build/debug"
        self.log = state / "run-local.log"
        self.command = [PROJECT / "deploy/run-local", "--state", state, "--bin", self.executables]
        self.command += ["--http", http, "--gateway", "127.0.0.1:0", "--ws", "127.0.0.1:0"]
        if ca:
            self.set_authority(ca, ca_roots)

    def set_authority(self, directory, roots):
        """For a CA whose URL is not known before it runs."""
        self.command += ["--ca", directory, "--ca-roots", roots]

    def __enter__(self):
        self.state.mkdir(parents=True, exist_ok=True)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | self.environment,
                preexec_fn=die_with_parent,
                process_group=0,
            )
        overdue = threading.Timer(START_SECONDS, self.process.kill)
        overdue.start()
        told = {}
        for line in self.process.stdout:
            what, _, where = line.strip().partition(" ")
            told.setdefault(what, where)
            if what == "ready":
                break
        overdue.cancel()
        if "ready" not in told:
            self.process.wait()
            raise RuntimeError(f"run-local did not get ready: {self.log.read_text(errors='replace').strip()}")
        self.url, self.plain, self.challenges = told["ready"], told["loopback"], told["challenges"]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def executable(self, name):
        return self.executables / name

    def credential(self, name):
        return self.state / "credentials" / name

    def administer(self, *arguments):
        """What `acme-connector ARGUMENTS --json` answers."""
        command = [self.executable("acme-connector"), *arguments, "--json", "--runtime", self.state / "run"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"acme-connector {arguments[0]} failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def pin(self):
        """The SHA-256 of the gateway's public key, for devices that know nothing else of it."""
        return self.administer("logins", "describe")["pin"]
