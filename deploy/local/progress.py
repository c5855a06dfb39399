"""Says what goes on: one line that changes on a terminal, plain lines elsewhere."""

import collections
import subprocess
import sys
import threading
import time

TAIL = 30  # lines of a failed step that are shown, and as many again of those that say what failed
QUIET_SECONDS = 20  # between two signs of life, where there is no terminal
REDRAW_SECONDS = 0.2
WIDTH = 100


class Failed(Exception):
    """A step did not work out; the message is for a person."""


def run(title, command, log, **how):
    """Runs a command with its output in the file `log`. Returns the last line it wrote; raises Failed with what failed and the end of the output."""
    started = time.monotonic()
    tail = collections.deque(maxlen=TAIL)
    told = []
    with open(log, "w") as kept, Ticker(title, started, tail):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **how)
        try:
            for line in process.stdout:
                kept.write(line)
                if line.strip():
                    if len(tail) == TAIL and is_failure(tail[0]) and len(told) < TAIL:
                        told.append(tail[0])
                    tail.append(line.rstrip())
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
    if process.returncode != 0:
        raise Failed("\n".join([*told, *tail, f"{title}: failed with status {process.returncode}; the whole output is in {log}"]))
    return tail[-1] if tail else ""


def is_failure(line):
    """Whether a line names a test that failed, or an error: hundreds of tests may end after it, so that the end of the output has lost it."""
    return line.startswith(("✘", "error:")) or ": error: " in line


class Ticker:
    """Shows the newest line of a running step."""

    def __init__(self, title, started, tail):
        self.title, self.started, self.tail = title, started, tail
        self.terminal = sys.stdout.isatty()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        if not self.terminal:
            print(f"{self.title} …", flush=True)
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        if self.terminal:
            print("\r\033[K", end="", flush=True)

    def _tick(self):
        while not self.done.wait(REDRAW_SECONDS if self.terminal else QUIET_SECONDS):
            newest = self.tail[-1] if self.tail else ""
            text = f"{self.title} … {time.monotonic() - self.started:.0f} s  {newest}"[:WIDTH]
            print(f"\r\033[K{text}" if self.terminal else f"  {text}", end="" if self.terminal else "\n", flush=True)
