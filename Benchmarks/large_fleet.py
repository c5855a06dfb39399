"""The scheduler's database of a large fleet, written by SQL into the tables that the scheduler itself has made.

Each device has one certificate for one name, as long as real ones are. The certificates came over sixty days; of every other the CA has named a window. A
tenth of the devices has handed in the next CSR, which waits for a limit of the CA.
"""

import hashlib
import json
import secrets
import sqlite3
import time

from local.pebble import openssl

AUTHORITY = "https://acme-v02.api.letsencrypt.org/directory"
RULE = "30d 600s https://acme-v02.api.letsencrypt.org"  # as RenewalRule.mark has it: the schedules are reckoned by it already
DAY = 86_400_000
LIFETIME, LEAD = 90 * DAY, 30 * DAY
DEVICES_OF_DOMAIN = 50
WAITING = 10  # every so many devices


def fill(database, count, folder):
    """Writes the devices and all that is theirs."""
    der, leaf, issuer = sample(folder)
    now = int(time.time() * 1000)
    with sqlite3.connect(database) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        for number in range(count):
            for table, row in rows(number, now, der, leaf, leaf + issuer):
                columns, places = ", ".join(row), ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))
    connection.close()


def sample(folder):
    """A CSR, a certificate and its issuer's: what they say does not matter here, but how long it is."""
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", folder / "sample.key", "-subj", "/CN=gateway.example.com"]
    names = ["-addext", "subjectAltName=DNS:gateway.example.com"]
    openssl("req", "-new", *key, *names, "-outform", "DER", "-out", folder / "sample.csr", folder=folder)
    pem = []
    for name in ("leaf", "issuer"):
        openssl("req", "-x509", *key, *names, "-days", "90", "-out", folder / f"{name}.pem", folder=folder)
        pem.append((folder / f"{name}.pem").read_text())
    return (folder / "sample.csr").read_bytes(), *pem


def rows(number, now, der, leaf, chain):
    device, request = secrets.token_hex(16), secrets.token_hex(16)
    name = f"g{number}.d{number // DEVICES_OF_DOMAIN}.example.com"
    issued = now - number * 7_919_000 % (60 * DAY)
    end = issued + LIFETIME
    due = end - LEAD + number * 104_729 % DAY + 3_600_000
    told = {"kind": "GW", "product": "IP6010", "version": "14r2", "name": f"gateway {number}", "roles": ["pbx"], "dnsNames": [name]}
    yield "device", {
        "id": device, "scope": "instance", "key": f"00-90-33-{number:06x}", "isKnown": 1, "address": "192.0.2.7:51234",
        "description": json.dumps(told | {"certificates": [leaf], "challenge": "external"}), "firstSeen": issued, "lastSeen": now,
    }  # fmt: skip
    yield "name", {"name": name, "device": device, "since": issued}
    common = {
        "device": device, "slot": "default", "csr": der, "names": json.dumps([name]), "isForced": 0, "authority": AUTHORITY, "failures": 0, "outages": 0,
        "newOrders": 1, "isHeldByClient": 0, "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }  # fmt: skip
    yield "request", common | hashes(request) | {"id": request, "state": "installed", "requestedAt": issued, "changedAt": issued}
    yield "certificate", {
        "request": request, "chain": chain, "fingerprint": hashlib.sha256(request.encode()).hexdigest(), "serial": request, "issuer": "R12",
        "authority": AUTHORITY, "notBefore": issued, "notAfter": end, "installAt": issued, "issuedAt": issued, "installedAt": issued,
    }  # fmt: skip
    window = {"windowStart": due - DAY, "windowEnd": due + DAY, "chosenAt": due} if number % 2 else {}
    yield "renewal", window | {
        "request": request, "device": device, "slot": "default", "notBefore": issued, "notAfter": end, "issuedAt": issued, "isPressing": 0,
        "pollAt": now + 3_600_000 + number * 211 % 21_600_000, "pollFailures": 0, "dueAt": due, "rule": RULE, "state": "waiting",
    }  # fmt: skip
    text = f"The certificate for {name} was issued, valid until {end}."
    yield "event", {"at": issued, "severity": "information", "code": "certificateIssued", "text": text, "device": device, "request": request}
    if number % WAITING == 0:
        following = secrets.token_hex(16)
        yield "request", common | hashes(following) | {
            "id": following, "state": "queued", "requestedAt": now, "changedAt": now, "neededBy": end,
            "waitUntil": now + DAY + number, "waitFor": "orders",
        }  # fmt: skip


def hashes(request):
    return {"csrHash": hashlib.sha256(request.encode()).hexdigest(), "keyPin": hashlib.sha256(request.encode() + b"key").hexdigest()}
