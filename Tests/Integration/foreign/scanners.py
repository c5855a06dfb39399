"""Noise at port 80 as scanners make it, all of it at once: unknown paths without end, heads that drip, connections that say nothing, and SYNs that
nobody follows up.

Usage: scanners.py ADDRESS   of a host on the same link, in a network where the addresses that end in 100 to 250 are nobody's; as root. Prints
`ready yes` when as many connections are held as a server lets live that gives each five seconds; runs until SIGTERM.
"""

import random
import select
import socket
import struct
import sys
import time

STEPS = 100  # a second
REQUESTS, DRIPPING, SILENT, SYNS = 5, 5, 5, 10  # in each
PATHS = ["/", "/wp-login.php", "/.env", "/.git/config", "/.well-known/acme-challenge/nobody-published-this"]


class Scan:
    """Connections by their descriptors. The held ones end when the server has enough of them."""

    def __init__(self, address):
        self.address, self.events = address, select.epoll()
        self.open, self.dripping = {}, set()

    def connect(self, say=b""):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((self.address, 80))
        self.open[connection.fileno()] = (connection, say)
        self.events.register(connection, select.EPOLLOUT)
        return connection.fileno()

    def serve(self, number, event):
        connection, say = self.open[number]
        try:
            if event == select.EPOLLOUT:
                connection.send(say)
                self.events.modify(number, select.EPOLLIN)
            elif not connection.recv(4096):
                self.close(number)
        except OSError:
            self.close(number)

    def close(self, number):
        self.dripping.discard(number)
        self.open.pop(number)[0].close()

    def step(self, turn):
        for _ in range(REQUESTS):
            self.connect(f"GET {random.choice(PATHS)} HTTP/1.1\r\nHost: scanned.example\r\nConnection: close\r\n\r\n".encode())
        for _ in range(SILENT):
            self.connect()
        for _ in range(DRIPPING):
            self.dripping.add(self.connect(b"G"))
        # A byte a second, each of them.
        for number in [number for number in self.dripping if number % STEPS == turn % STEPS]:
            self.serve(number, select.EPOLLOUT)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(source, target):
    """An IPv4 packet that opens a connection (RFC 9293, section 3.1), from any port."""

    def segment(check):
        return struct.pack("!HHIIBBHHH", port, 80, number, 0, 5 << 4, 2, 65535, check, 0)

    port, number = random.randrange(1024, 65536), random.getrandbits(32)
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    check = checksum(ends + struct.pack("!BBH", 0, socket.IPPROTO_TCP, 20) + segment(0))
    # The kernel fills in length, id and checksum of the header (raw(7)).
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_TCP, 0) + ends + segment(check)


def main(address):
    scan, link = Scan(address), address.rpartition(".")[0]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    start, turn = time.monotonic(), 0
    while True:
        for number, event in scan.events.poll(0.5 / STEPS):
            scan.serve(number, event)
        if time.monotonic() < start + turn / STEPS:
            continue
        turn += 1
        scan.step(turn)
        for _ in range(SYNS):
            raw.sendto(syn(f"{link}.{random.randrange(100, 251)}", address), (address, 0))
        if turn == 5 * STEPS:
            print("ready yes", flush=True)


main(*sys.argv[1:])
