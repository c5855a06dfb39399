"""Challenge answers per second, under wrk: challenge-http next to nginx with the same file."""

import re
import statistics
import subprocess
import time

from peers import ADDRESS
from varlink_calls import Service

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
KEY_AUTHORIZATION = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
PATH = f"/.well-known/acme-challenge/{TOKEN}"
SECONDS, CONNECTIONS, RUNS = 5, 64, 3


def measure(report, connector, peers, port):
    (peers.tokens / TOKEN).write_text(KEY_AUTHORIZATION)
    (peers.tokens / TOKEN).chmod(0o644)
    lease = {"order": "bench", "name": "bench.example", "token": TOKEN, "keyAuthorization": KEY_AUTHORIZATION}
    responder(connector, "Publish", lease | {"expires": int(time.time() * 1000) + 3_600_000})
    servers = {"challenge-http": f"http://127.0.0.1:{port}{PATH}", "nginx, 1 worker": f"http://{ADDRESS}:{port}{PATH}"}
    for how, header in (("Connection: close", ["-H", "Connection: close"]), ("keep-alive", [])):
        rates = {server: [] for server in servers}
        for _ in range(RUNS):
            for server, url in servers.items():
                rates[server].append(requests_per_second(url, header))
        for server, measured in rates.items():
            spread = f"{min(measured):.0f} to {max(measured):.0f}, {RUNS} runs of {SECONDS} s"
            report.add(f"challenge answers per second, {how}: {server}", f"{statistics.median(measured):.0f}", spread=spread)
    responder(connector, "Withdraw", {"order": "bench", "token": TOKEN})


def responder(connector, method, parameters):
    with Service(connector.state / "run/responders/challenge-http.sock") as service:
        service.call(f"org.acmeconnector.Responder.{method}", parameters)


def requests_per_second(url, header):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *header, url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise RuntimeError(f"{url} was not answered by the key authorization: {output}")
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output)[1])
