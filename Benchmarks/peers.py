"""uacme, certbot and nginx, doing beside us what we do.

They answer challenges at 127.0.0.2, we at 127.0.0.1: so both work with the same Pebble at the same time.
"""

import os
import shlex
import subprocess
import time
import urllib.request

from local.pebble import openssl
from local.supervisor import die_with_parent

ADDRESS = "127.0.0.2"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class PeerFailed(Exception):
    pass


class Peers:
    NAMES = ("uacme", "certbot")

    def __init__(self, folder, pebble, port):
        self.folder, self.pebble, self.port = folder, pebble, port
        self.web = folder / "www"
        self.tokens = self.web / ".well-known/acme-challenge"

    def __enter__(self):
        self.tokens.mkdir(parents=True)
        for path in (self.folder, self.web, self.tokens.parent, self.tokens):
            path.chmod(0o755)
        self.bundle = self.folder / "bundle.pem"
        with open(BUNDLE) as system:
            self.bundle.write_text(system.read() + self.pebble.trust.read_text())
        self._write_hook()
        self._start_nginx()
        return self

    def __exit__(self, *_):
        self.nginx.terminate()
        self.nginx.wait()

    def register(self):
        """Makes the accounts, which is not measured."""
        self._run("uacme", "-a", self.pebble.directory, "-c", self.folder / "uacme", "-y", "new", "bench@bench.example")
        self._run("certbot", "register", *self._certbot(), "--agree-tos", "--register-unsafely-without-email")

    def obtain(self, peer, count, run):
        """Obtains a certificate for a new CSR; returns the seconds from the program's start to its end, None if it failed.

        certbot 2.1 ends with an error when Pebble refuses two nonces in a row, which happens with 100 names.
        """
        csr = self._csr(count, f"{peer}{run}")
        if peer == "uacme":
            command = ["uacme", "-a", self.pebble.directory, "-c", self.folder / "uacme", "-h", self.hook, "issue", csr]
        else:
            files = [part for name in ("cert", "chain", "fullchain") for part in (f"--{name}-path", csr.with_suffix(f".{name}.pem"))]
            command = ["certbot", "certonly", *self._certbot(), "--webroot", "-w", self.web, "--csr", csr, *files]
        started = time.monotonic()
        try:
            self._run(*command)
        except PeerFailed:
            return None
        return time.monotonic() - started

    def _certbot(self):
        places = [part for option in ("config", "work", "logs") for part in (f"--{option}-dir", self.folder / "certbot")]
        return ["--server", self.pebble.directory, *places, "-n"]

    def _csr(self, count, label):
        names = [f"n{number}.{label}.of{count}.peer.example" for number in range(count)]
        for name in names:
            self._resolve(name)
        csr = self.folder / f"{label}-{count}.csr"
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", csr.with_suffix(".key")]
        openssl("req", "-new", *key, "-out", csr, "-subj", "/", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names), folder=self.folder)
        return csr

    def _resolve(self, name):
        record = f'{{"host":"{name}.","addresses":["{ADDRESS}"]}}'.encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(f"{self.pebble.dns_management}/add-a", data=record).close()

    def _run(self, *command):
        """With a bundle of roots that has Pebble's in it, for this program alone."""
        mount = f"mount --bind {shlex.quote(str(self.bundle))} {BUNDLE} && exec " + shlex.join(map(str, command))
        trusting = os.environ | {"REQUESTS_CA_BUNDLE": str(self.bundle)}
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=trusting,
            timeout=300,
        )
        if done.returncode != 0:
            raise PeerFailed(f"{command[0]} failed: {(done.stderr + done.stdout)[-800:]}")

    def _write_hook(self):
        """What uacme calls: method, type, name, token, key authorization."""
        self.hook = self.folder / "hook"
        tokens = shlex.quote(str(self.tokens))
        self.hook.write_text(
            f"""#!/bin/sh
[ "$2" = http-01 ] || exit 1
case $1 in
  begin) printf %s "$5" >{tokens}/"$4" ;;
  *) rm -f {tokens}/"$4" ;;
esac
"""
        )
        self.hook.chmod(0o755)

    def _start_nginx(self):
        config = self.folder / "nginx.conf"
        config.write_text(
            f"""daemon off; user root; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; server {{ listen {ADDRESS}:{self.port}; root {self.web}; }} }}
"""
        )
        command = ["nginx", "-e", f"{self.folder}/nginx.log", "-c", str(config)]
        self.nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
