#!/usr/bin/python3
"""A person at a terminal: type.py PROMPT ANSWER [PROMPT ANSWER ...] -- COMMAND [ARGUMENT ...]

Runs the command at a terminal of its own and types each answer when its prompt has appeared. Prints all that the terminal has shown, and ends as the
command does.
"""

import os
import pty
import select
import sys
import time

SECONDS = 90


def main():
    end = sys.argv.index("--")
    words, command = sys.argv[1:end], sys.argv[end + 1 :]
    dialogue = list(zip(words[::2], words[1::2]))
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    shown, seen = b"", 0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the command has ended (pty(7): EIO)
            part = b""
        if not part:
            break
        shown += part
        if dialogue and dialogue[0][0].encode() in shown[seen:]:
            seen = len(shown)
            os.write(terminal, dialogue.pop(0)[1].encode() + b"\n")
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    sys.stdout.flush()
    if time.monotonic() >= deadline:
        os.kill(child, 9)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if dialogue:
        sys.exit(f"never asked: {dialogue[0][0]}")
    sys.exit(status if status >= 0 else 128 - status)


main()
