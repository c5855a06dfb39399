"""The round trip of a Varlink call, on a connection that stays open, by a blocking client."""

import json
import socket
import statistics
import time

CALLS, WARM_UP = 5000, 500


class Service:
    """A connection to a Varlink socket, without any library."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(self.path))
        return self

    def __exit__(self, *_):
        self.socket.close()

    def call(self, method, parameters=None):
        self.socket.sendall(json.dumps({"method": method, "parameters": parameters or {}}).encode() + b"\0")
        answer = bytearray()
        while not answer.endswith(b"\0"):
            part = self.socket.recv(65536)
            if not part:
                raise RuntimeError(f"{self.path} closed the connection")
            answer += part
        reply = json.loads(answer[:-1])
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply}")
        return reply["parameters"]


def measure(report, connector):
    lookup = {"token": "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX1"}
    with Service(connector.state / "run/challenge-http.sock") as service:
        microseconds = []
        for _ in range(WARM_UP + CALLS):
            started = time.perf_counter_ns()
            service.call("org.acmeconnector.Challenges.Lookup", lookup)
            microseconds.append((time.perf_counter_ns() - started) / 1000)
    measured = sorted(microseconds[WARM_UP:])
    spread = f"p90 {measured[int(CALLS * 0.9)]:.0f} µs, p99 {measured[int(CALLS * 0.99)]:.0f} µs, {CALLS} calls"
    report.add("Varlink round trip, one connection", f"{statistics.median(measured):.0f} µs", spread=spread)
