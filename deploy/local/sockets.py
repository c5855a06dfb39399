"""Listening sockets, bound before any service runs."""

import argparse
import socket

BACKLOG = 4096


def address(text):
    """ADDR:PORT, as 127.0.0.1:80 or [::1]:80. Port 0 takes any free one."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no ADDR:PORT, such as 127.0.0.1:5002 or [::1]:5002")
    return host, int(port)


def authority(bound):
    """The address that a TCP socket really has, as it stands in a URL."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bind_tcp(where):
    host, port = where
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if bound.family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        raise SystemExit(f"run-local: cannot listen on {host}:{port}: {error.strerror}") from None
    bound.listen(BACKLOG)
    return bound


def bind_unix(path, mode):
    path.unlink(missing_ok=True)  # left over from a supervisor that was killed: its lock is free, so nobody listens there
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
    except OSError as error:
        raise SystemExit(f"run-local: cannot listen on {path}: {error}") from None
    path.chmod(mode)
    bound.listen(BACKLOG)
    return bound
