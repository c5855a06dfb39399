"""Asks for a challenge answer as a CA does, a new connection each time, and tells how long it took.

Usage: validations.py ADDRESS TOKEN ANSWER COUNT   Prints {"median": …, "most": …, "worst": …} in milliseconds; 19 of 20 take no longer than `most`.
"""

import http.client
import json
import sys
import time


def validate(address, token, answer):
    start = time.monotonic()
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    connection.request("GET", f"/.well-known/acme-challenge/{token}", headers={"Connection": "close"})
    body = connection.getresponse().read().decode()
    connection.close()
    if body != answer:
        sys.exit(f"the answer was {body!r}")
    return (time.monotonic() - start) * 1000


def main(address, token, answer, count):
    times = []
    for _ in range(int(count)):
        times.append(validate(address, token, answer))
        time.sleep(0.01)
    times.sort()
    print(json.dumps({"median": times[len(times) // 2], "most": times[len(times) * 19 // 20], "worst": times[-1]}))


main(*sys.argv[1:])
