"""Serves the test interface with the PyPI package varlink until its input ends. Usage: varlink-server.py SOCKET FOLDER-OF-INTERFACES"""

import sys
import threading

import varlink

service = varlink.Service(vendor="Varlink", product="python", version="31", url="https://varlink.org", interface_dir=sys.argv[2])


class RequestHandler(varlink.RequestHandler):
    service = service


class Refusal(varlink.VarlinkError):
    def __init__(self, reason):
        varlink.VarlinkError.__init__(self, {"error": "com.example.test.Refusal", "parameters": {"reason": reason}})


@service.interface("com.example.test")
class Test:
    def Echo(self, text, trace=None):
        return {"text": text}

    def Count(self, to, trace=None, _more=True):
        for number in range(1, to):
            yield {"number": number, "_continues": True}
        yield {"number": to, "_continues": False}

    def Fail(self, reason, trace=None):
        raise Refusal(reason)


with varlink.ThreadingServer("unix:" + sys.argv[1], RequestHandler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    server.shutdown()
