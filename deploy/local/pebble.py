#!/usr/bin/python3
"""Starts Debian's Pebble, a real ACME server for tests, with the DNS server that it validates by. Everything on loopback, unless told otherwise.

As a program it runs until SIGTERM, and prints what a test needs to know of it, at last `ready URL`.
"""

import argparse
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local.supervisor import die_with_parent  # noqa: E402

START_SECONDS = 10
ATTEMPTS = 3  # a free port can be taken by somebody else before Pebble has it

# The one external account that Pebble knows when it wants external account binding.
EXTERNAL_ACCOUNT = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}


def free_port():
    """None of those that the kernel hands out by itself: another program may be given one of them meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Pebble:
    """`directory` is its URL, `trust` the PEM file for the TLS of its API, `root` the PEM file of the root that it issues under, `dns` where it asks."""

    def __init__(self, folder, http_port, port=None, blocked=(), external_account=False, address=None, hosts=None, resolver=None, environment=None):
        self.folder = folder
        self.http_port = http_port
        self.port = port
        self.blocked = list(blocked)
        self.external_account = external_account
        self.address = address
        self.hosts = hosts
        self.environment = environment or {}
        self.resolver = resolver
        self.trust = folder / "api-ca.pem"
        self.root = folder / "root.pem"
        self.log = folder / "pebble.log"
        self.processes = []

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_api_certificate()
        for _ in range(ATTEMPTS):
            if self._start():
                return self
            self.stop()
        raise RuntimeError(f"Pebble did not start; see {self.log}")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()
        self.processes = []

    def _start(self):
        api = self.port or free_port()
        management, dns, dns_management = (free_port() for _ in range(3))
        self.directory = f"https://{self.address or 'localhost'}:{api}/dir"
        self.management = f"https://localhost:{management}"
        self.dns_management = f"http://127.0.0.1:{dns_management}"
        config = {
            "listenAddress": f"{self.address or '127.0.0.1'}:{api}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(self.folder / "api.pem"),
            "privateKey": str(self.folder / "api.key"),
            "httpPort": self.http_port,
            "tlsPort": 5001,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": self.external_account,
            "externalAccountMACKeys": EXTERNAL_ACCOUNT,
            "domainBlocklist": self.blocked,
        }
        (self.folder / "config.json").write_text(json.dumps({"pebble": config}))
        if self.resolver is None:
            self._spawn(self._dns_server(dns, dns_management), self.folder / "dns.log")
        self.dns = self.resolver or f"127.0.0.1:{dns}"
        self._spawn(["pebble", "-config", self.folder / "config.json", "-dnsserver", self.dns, "-strict"], self.log)
        return self._wait_for_root()

    def _dns_server(self, port, management):
        if self.hosts:  # the names of that file, and no others
            where = ["--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}"]
            names = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--addn-hosts={self.hosts}", "--local=/#/"]
            return ["dnsmasq", "--keep-in-foreground", "--log-facility=-", "--pid-file=", "--user=root", *where, *names]
        # Every name is 127.0.0.1, and none has an IPv6 address.
        command = ["pebble-challtestsrv", "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
        return command + ["-dns01", f"127.0.0.1:{port}", "-management", f"127.0.0.1:{management}"]

    def _spawn(self, command, log):
        with open(log, "w") as output:
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=os.environ | self.environment,
                    preexec_fn=die_with_parent,
                    process_group=0,
                )
            )

    def _wait_for_root(self):
        """Pebble makes its root at each start; when it hands it out, it is ready."""
        context = ssl.create_default_context(cafile=str(self.trust))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            try:
                self.root.write_bytes(opener.open(f"{self.management}/roots/0", timeout=2).read())
                return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        return False

    def _make_api_certificate(self):
        """Debian's package has none for the API: a CA of its own and a certificate for localhost and the address."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *key, "-keyout", "api-ca.key", "-out", "api-ca.pem", "-subj", "/CN=Pebble API CA", "-days", "30", folder=self.folder)
        openssl("req", *key, "-keyout", "api.key", "-out", "api.csr", "-subj", "/CN=localhost", folder=self.folder)
        (self.folder / "api.ext").write_text(f"subjectAltName=DNS:localhost,IP:{self.address or '127.0.0.1'}\n")
        signer = ["-CA", "api-ca.pem", "-CAkey", "api-ca.key", "-CAcreateserial", "-days", "30", "-extfile", "api.ext"]
        openssl("x509", "-req", "-in", "api.csr", *signer, "-out", "api.pem", folder=self.folder)


def openssl(*arguments, folder):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(prog="pebble.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for its configuration, certificates and logs")
    parser.add_argument("--http", type=int, required=True, metavar="PORT", help="where it looks for challenge answers")
    parser.add_argument("--port", type=int, help="of its API; any free one if not given")
    parser.add_argument("--block", action="append", default=[], metavar="NAME", help="a name that it refuses")
    parser.add_argument("--external-account", action="store_true", help="accounts need external account binding")
    parser.add_argument("--address", help="where its API is; loopback if not given")
    parser.add_argument("--hosts", type=Path, metavar="FILE", help="the names that there are, as in hosts(5); any is 127.0.0.1 if not given")
    given = parser.parse_args()
    end = socket.socketpair()
    signal.signal(signal.SIGTERM, lambda *_: end[1].send(b"."))
    with Pebble(given.folder, given.http, given.port, given.block, given.external_account, given.address, given.hosts) as pebble:
        print(f"trust {pebble.trust}\nroot {pebble.root}\nlog {pebble.log}")
        print(f"management {pebble.management}\ndns {pebble.dns_management}\nready {pebble.directory}", flush=True)
        end[0].recv(1)


if __name__ == "__main__":
    main()
