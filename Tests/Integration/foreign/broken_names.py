"""Names that cannot be validated, each for a reason of its own, for real: a DNS server, and web servers on loopback.

broken_names.py FOLDER HTTP-PORT HTTPS-PORT [--site]

A name's first label, up to a hyphen, is the code that the doctor has for it. Whatever answers rightly asks the connector's own listener at
127.0.0.1. Prints `dns ADDRESS:PORT`, `https PORT`, `names NAME,…` and `ready COUNT`, and runs until it is killed.

With --site this network, which has to be a namespace of its own, is that of a small site: behind a router, which translates addresses and does not
do so for those inside, and with a DNS server of its own at 127.0.0.1:53. `names` has more then.
"""

import asyncio
import contextlib
import ipaddress
import os
import socket
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path

ZONE = "doctor.example"
WEB, CLOSED, FULL, RESET, BANNER, STRANGER, PROXY = (f"127.77.0.{n}" for n in range(1, 8))
CONNECTOR = "127.0.0.1"
# Of the site: its router's public address, a host that the router knows to be gone, and one to which there is no way.
ROUTER, GONE, FAR = "198.51.101.1", "198.51.101.66", "2a00:1::1"
A, CNAME, AAAA, CAA = 1, 5, 28, 257
SERVFAIL, REFUSED, SILENT, BARE = 2, 5, "silent", "refused without the question"
FORM = '<html><form action="/login"><input name="user"><input type="password" name="password"></form></html>'


def name(label):
    return f"{label}.{ZONE}"


def caa(value, tag="issue", flags=0):
    return bytes([flags, len(tag)]) + tag.encode() + value.encode()


def own_account():
    """CAA for the account of which somebody has written the URL down."""
    return caa(f"model.example; accounturi={(Path(sys.argv[1]) / 'account').read_text().strip()}")


# What the DNS says. A code instead of records is the server's answer to every question about the name.
DNS = {
    "answered": {A: [CONNECTOR]},
    "answered-alias": {CNAME: "answered"},
    "answered-caa": {A: [CONNECTOR], CAA: [caa("model.example; validationmethods=http-01")]},
    "noaddress-empty": {CAA: []},
    "noaddress-dangling": {CNAME: "noaddress"},
    "nodnsanswer": SERVFAIL,
    "nodnsanswer-refused": REFUSED,
    "nodnsanswer-silent": SILENT,
    "nodnsanswer-bare": BARE,
    "cnameloop": {CNAME: "cnameloop-back"},
    "cnameloop-back": {CNAME: "cnameloop"},
    "privateaddress": {A: ["10.9.8.7"]},
    "addressnotallowed": {A: ["169.254.1.1"]},
    "addressnotallowed-loopback": {A: ["127.88.0.1"]},
    "addressnotallowed-mapped": {AAAA: ["::ffff:127.0.0.1"]},
    "brokenipv6": {A: [CONNECTOR], AAAA: ["::1"]},
    "portclosed": {A: [CLOSED]},
    "filtered": {A: [FULL]},
    "connectioncut-reset": {A: [RESET]},
    "nothttp": {A: [BANNER]},
    "wrongserver": {A: [STRANGER]},
    "caaforbids": {A: [CONNECTOR], CAA: [caa("other.example")]},
    "caaforbids-nobody": {A: [CONNECTOR], CAA: [caa(";")]},
    "caaforbids-method": {A: [CONNECTOR], CAA: [caa("model.example; validationmethods=dns-01")]},
    "caaforbids-list": {A: [CONNECTOR], CAA: [caa("model.example; validationmethods=dns-01, http-01")]},
    "caaforbids-semicolons": {A: [CONNECTOR], CAA: [caa("model.example;;")]},
    "caaforbids-capitals": {A: [CONNECTOR], CAA: [caa("Model.example")]},
    "caaforbids-critical": {A: [CONNECTOR], CAA: [caa("x", "future", 128)]},
    "caaforbids-misread": {A: [CONNECTOR], CAA: [caa("x", "future", 1), caa("model.example")]},
    "caaforbids-contact": {A: [CONNECTOR], CAA: [caa("a@b.example", "contactemail", 128), caa("model.example")]},
    "caaforbids-account": {A: [CONNECTOR], CAA: [caa("model.example; accounturi=https://model.example/account/of-others")]},
    "caaforbids-above.parent": {A: [CONNECTOR]},
    "parent": {CAA: [caa("other.example")]},
    "caaunreadable": {A: [CONNECTOR], CAA: SERVFAIL},
}


def text(status, body="", **headers):
    fields = {"Content-Length": str(len(body.encode()))} | {key.replace("_", "-"): value for key, value in headers.items()}
    return f"HTTP/1.1 {status}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields.items()) + f"Connection: close\r\n\r\n{body}"


def redirect(location, status="301 Moved Permanently"):
    return text(status, Location=location, Server="redirector/1.0")


async def slow(path):
    await asyncio.sleep(2.5)
    return text("200 OK", await right(path))


async def hang(path):
    await asyncio.sleep(60)
    return ""


async def right(path):
    """What the connector answers."""
    reader, writer = await asyncio.open_connection(CONNECTOR, HTTP)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return body.decode() if b" 200 " in head.split(b"\r\n")[0] else ""


async def wrapped(path):
    return text("200 OK", f"<html><body>{await right(path)}</body></html>", Content_Type="text/html")


async def marked(path):
    return text("200 OK", "\ufeff" + await right(path))


async def padded(path):
    return text("200 OK", await right(path) + "\n" * 100)


async def cached(path):
    return text("200 OK", await right(path), Server="cloudflare", CF_RAY="8f00-FRA")


async def login(path):
    return text("200 OK", FORM) if path == "/login" else redirect("/login", "302 Found")


async def counting(path):
    count = int(path.rpartition("=")[2]) if "=" in path else 0
    return redirect(f"/again?count={count + 1}")


async def turning(path):
    return redirect("/there" if path != "/there" else "/here")


async def good(path):
    return text("200 OK", await right(path))


# What the web server answers by the name in the request; without one of these it has the answer, as a proxy for other names has.
WEB_SERVER = {
    "wrongserver-page": text("200 OK", "<html>It works!</html>", Server="Apache/2.4"),
    "namemissingonproxy": text("404 Not Found", "no such site", Server="proxy/3"),
    "serverfailed": text("502 Bad Gateway", Server="haproxy"),
    "loginpage": login,
    "loginpage-status": text("401 Unauthorized", WWW_Authenticate="Basic"),
    "tokenwrapped": wrapped,
    "tokenwrapped-mark": marked,
    "bodytoolong": padded,
    "contentdelivery": cached,
    "connectioncut": "HTTP/1.1 200 OK\r\nContent-Length: 87\r\n\r\nhalf",
    "noanswer": hang,
    "slow": slow,
    "redirectloop": turning,
    "toomanyredirects": counting,
    "redirecttootherport": lambda path: redirect(f"http://{name('redirecttootherport')}:8080{path}"),
    "redirectnotfollowed": lambda path: redirect("/elsewhere", "303 See Other"),
    "redirectnotfollowed-scheme": lambda path: redirect(f"ftp://{name('answered')}{path}"),
    "redirecttoaddress": lambda path: redirect(f"http://{CONNECTOR}{path}"),
    "redirectelsewhere": lambda path: redirect(f"http://{name('wrongserver')}{path}"),
    "redirectelsewhere-nowhere": lambda path: redirect(f"http://{name('noaddress')}{path}"),
    "redirectelsewhere-silent": lambda path: redirect(f"http://{name('nodnsanswer-silent')}{path}"),
    "privateaddress-redirect": lambda path: redirect(f"http://{name('privateaddress')}{path}"),
    "addressnotallowed-redirect": lambda path: redirect(f"http://169.254.1.1{path}"),
    "httpsredirectbroken": lambda path: redirect(f"https://{name('portclosed')}{path}"),
    "httpsredirectbroken-old": lambda path: redirect(f"https://{name('nothttp')}{path}"),
    "answered-redirect": lambda path: redirect(f"http://{name('answered')}{path}"),
    "answered-https": lambda path: redirect(f"https://{name('answered-https')}{path}"),
}
DNS |= {label: {A: [WEB]} for label in WEB_SERVER}
# Of which others see something else than this machine.
SITE = {
    "nathairpin": {A: [ROUTER]},
    "splithorizon": {A: [ROUTER]},
    "unreachable": {A: [GONE]},
    "unreachable-far": {AAAA: [FAR]},
}
INSIDE = {"splithorizon": {A: ["10.9.8.7"]}}
# For those who see to it themselves: an account, a CA that is away or whose clock is wrong, a device that is not connected.
OTHERS = {
    "answered-account": {A: [CONNECTOR], CAA: [own_account]},
    "authorityunread": {A: [CONNECTOR], CAA: [caa("model.example")]},
    "clockwrong": {A: [CONNECTOR]},
    "answered-pushed": {A: [PROXY]},
    "proxynotconnected": {A: [PROXY]},
}
NAMES = [name(label) for label in [*DNS, "noaddress"] if label not in ("parent", "cnameloop-back")]
DNS |= OTHERS


class Resolver(asyncio.DatagramProtocol):
    def __init__(self, zone):
        self.zone = zone

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, peer):
        if (answer := self.answer(query)) is not None:
            self.transport.sendto(answer, peer)

    def answer(self, query):
        labels, place = [], 12
        while length := query[place]:
            labels.append(query[place + 1 : place + 1 + length].decode().lower())
            place += 1 + length
        (kind,) = struct.unpack_from("!H", query, place + 1)
        asked = ".".join(labels)
        question = query[12 : place + 5]
        records = self.zone.get(asked.removesuffix(f".{ZONE}")) if asked.endswith(ZONE) else None
        if asked == ZONE:
            records = {}
        if isinstance(records, dict) and isinstance(records.get(kind), int):
            records = records[kind]
        if records == SILENT:
            return None
        if records == BARE:
            return query[:2] + struct.pack("!HHHHH", 0x8180 | REFUSED, 0, 0, 0, 0)
        code = 3 if records is None else records if isinstance(records, int) else 0
        found = []
        # The whole chain in one answer, as a server that recurses has it.
        while isinstance(records, dict) and (target := records.get(CNAME)) and len(found) < 8:
            found.append((asked, CNAME, self.wire(name(target))))
            asked, records = name(target), self.zone.get(target)
            code = 3 if records is None else 0
        if isinstance(records, dict) and CNAME not in records:
            found += [(asked, kind, self.data(kind, each)) for each in records.get(kind, [])]
        answers = b"".join(self.wire(owner) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for owner, kind, data in found)
        return query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0) + question + answers

    @staticmethod
    def wire(text):
        return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"

    @staticmethod
    def data(kind, value):
        value = value() if callable(value) else value
        return value if kind == CAA else ipaddress.ip_address(value).packed


async def web(reader, writer):
    try:
        line, _, rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").partition("\r\n")
        host = next((field[5:].strip().partition(":")[0] for field in rest.split("\r\n") if field.lower().startswith("host:")), "")
        path = line.split()[1]
        # Over TLS the name has the answer that it redirects for.
        behaviour = good if writer.get_extra_info("ssl_object") else WEB_SERVER.get(host.removesuffix(f".{ZONE}"), good)
        answer = behaviour(path) if callable(behaviour) else behaviour
        answer = await answer if asyncio.iscoroutine(answer) else answer
        writer.write(answer.encode())
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def stranger(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(text("404 Not Found", "nothing here", Server="nginx/1.27.0").encode())
    await writer.drain()
    writer.close()


async def reset(reader, writer):
    await reader.read(1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def banner(reader, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()
    await reader.read()
    writer.close()


def full(port):
    """A listener whose queue is full: the kernel answers no further connection."""
    listener = socket.create_server((FULL, port), backlog=0)
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex((FULL, port))
        waiting.append(one)
    return listener, waiting


def site():
    """Puts this network behind a router, which is another one."""
    mine = os.stat("/proc/self/ns/net").st_ino
    router = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
    while True:
        with contextlib.suppress(FileNotFoundError):
            if os.stat(f"/proc/{router.pid}/ns/net").st_ino != mine:
                break
        time.sleep(0.01)

    def there(*command, **given):
        subprocess.run(["nsenter", "--target", str(router.pid), "--net", *command], check=True, **given)

    def ip(commands):
        return {"input": "\n".join(commands), "text": True}

    inside = [f"link add lan type veth peer name lan netns {router.pid}", "address add 192.168.80.2/24 dev lan", "link set lan up"]
    subprocess.run(["ip", "-batch", "-"], check=True, **ip([*inside, "route add default via 192.168.80.1"]))
    outside = ["link set lo up", f"address add {ROUTER}/32 dev lo", "address add 192.168.80.1/24 dev lan", "link set lan up"]
    there("ip", "-batch", "-", **ip([*outside, f"route add unreachable {GONE}"]))
    there("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")


async def main(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=self-signed",
         "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    secure = await asyncio.start_server(web, WEB, int(sys.argv[3]), ssl=tls)
    https = secure.sockets[0].getsockname()[1]
    servers = [
        secure,
        await asyncio.start_server(web, WEB, HTTP),
        await asyncio.start_server(stranger, STRANGER, HTTP),
        await asyncio.start_server(reset, RESET, HTTP),
        await asyncio.start_server(banner, BANNER, HTTP),
        await asyncio.start_server(banner, BANNER, https),
    ]
    kept = full(HTTP)
    loop = asyncio.get_running_loop()
    if AT_SITE:
        site()
        DNS.update(SITE)
        await loop.create_datagram_endpoint(lambda: Resolver(INSIDE), ("127.0.0.1", 53))
        NAMES.extend(map(name, SITE))
    dns, _ = await loop.create_datagram_endpoint(lambda: Resolver(DNS), ("127.0.0.1", 0))
    print("dns 127.0.0.1:%d" % dns.get_extra_info("sockname")[1])
    print("https", https)
    print("names", ",".join(NAMES))
    print("ready", len(NAMES), flush=True)
    await asyncio.Event().wait()
    del servers, kept


if __name__ == "__main__":
    HTTP, AT_SITE = int(sys.argv[2]), "--site" in sys.argv
    asyncio.run(main(sys.argv[1]))
