"""Calls the test interface with the PyPI package varlink and says what came, one JSON line each. Usage: varlink-client.py SOCKET"""

import json
import sys

import varlink

address = "unix:" + sys.argv[1]


def say(what, value):
    print(json.dumps({what: value}, sort_keys=True), flush=True)


def error_of(call):
    try:
        call()
    except varlink.VarlinkError as error:
        return [error.error(), error.parameters()]
    return None


client = varlink.Client(address)
client.get_interfaces()
say("info", {"product": client.info["product"], "interfaces": client.info["interfaces"]})
with client.open("com.example.test") as connection:
    say("description", connection._interface.description)
    say("echo", connection.Echo("grüß dich"))
    say("stream", [reply["number"] for reply in connection.Count(3, _more=True)])
    say("expectedMore", error_of(lambda: connection.Count(3)))
    say("fault", error_of(lambda: connection.Fail("on purpose")))
    say("after", connection.Echo("still here"))
    connection.Note("from afar", _oneway=True)
    say("sync", connection.Echo("after a oneway"))
with client.open("com.example.test") as connection:
    say("unknown", error_of(connection.Missing))
