"""The PyPI package varlink against one service's socket: info, introspection, a call, a stream, errors. Prints what it saw as JSON.

every_method.py SOCKET INTERFACE METHOD [PARAMETERS [--more]]
"""

import json
import sys

import varlink


def main():
    path, interface, method, *rest = sys.argv[1:]
    parameters = json.loads(rest[0]) if rest else {}
    seen = {}
    with varlink.Client.new_with_address(f"unix:{path}") as client:
        with client.open("org.varlink.service", namespaced=False) as service:
            info = service.GetInfo()
            seen["product"], seen["interfaces"] = info["product"], info["interfaces"]
            # The package parses the text itself: an interface that it cannot read fails here.
            seen["described"] = [service.GetInterfaceDescription(name)["description"].count("method ") for name in info["interfaces"]]
        with client.open(interface, namespaced=False) as opened:
            call = getattr(opened, method)
            if "--more" in rest:
                seen["replies"] = [next(iter(call(**parameters, _more=True)))]
            else:
                seen["replies"] = [call(**parameters)]
        with client.open("org.varlink.service", namespaced=False) as service:
            try:
                service.GetInterfaceDescription("org.example.Nothing")
            except varlink.VarlinkError as error:
                seen["error"] = error.error()
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
