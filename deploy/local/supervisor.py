"""Keeps services running as systemd does with socket units: started at the first connection, and again after a failure."""

import ctypes
import fcntl
import os
import selectors
import signal
import socket
import sys
import time

STOP_SECONDS = 5  # TimeoutStopSec=
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # RestartSec=, doubling from failure to failure
STEADY_SECONDS = 10  # who lived so long fails for the first time again
HASTY_SECONDS = 1  # nobody is idle after so short a time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """For a child between fork and exec: it gets SIGTERM when its parent is gone, however that ended."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def complain(text):
    print(f"run-local: {text}", file=sys.stderr, flush=True)


class Service:
    """One service: its sockets as (FileDescriptorName, socket) pairs, and its process while there is one."""

    def __init__(self, name, executable, environment, sockets, pid_file, at_start=False, longest_pause=LONGEST_PAUSE):
        self.name = name
        self.executable = executable
        self.environment = environment
        self.sockets = sockets
        self.pid_file = pid_file
        self.longest_pause = longest_pause
        self.pid = None
        self.wanted = at_start  # is to be started, as soon as `not_before` has come
        self.not_before = self.started = time.monotonic()
        self.failures = 0

    def start(self):
        self.wanted = False
        self.started = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            self._become()
        self.pid_file.write_text(f"{self.pid}\n")

    def _become(self):
        """In the child: a process group of its own (Ctrl-C is for the supervisor alone), the sockets from descriptor 3 on, exec."""
        try:
            os.setpgid(0, 0)
            die_with_parent()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            count = len(self.sockets)
            copies = [fcntl.fcntl(bound, fcntl.F_DUPFD_CLOEXEC, 3 + count) for _, bound in self.sockets]
            for number, copy in enumerate(copies, start=3):
                os.dup2(copy, number)
            passed = {
                "LISTEN_FDS": str(count),
                "LISTEN_FDNAMES": ":".join(name for name, _ in self.sockets),
                "LISTEN_PID": str(os.getpid()),
            }
            os.execve(self.executable, [self.name], self.environment | passed)
        except BaseException as error:  # nothing of the supervisor may go on in the child
            os.write(2, f"run-local: cannot start {self.executable}: {error}\n".encode())
        os._exit(203)  # EXIT_EXEC of systemd.exec(5)

    def signal(self, number):
        if self.pid is not None:
            os.kill(self.pid, number)

    def ended(self):
        self.pid = None
        self.pid_file.unlink(missing_ok=True)

    def plan_restart(self, code):
        """After exit 0 it waits for the next connection (idle exit); after a failure it is started again by itself.

        One that ends at once, however it ends, would otherwise be started for the same connection for ever.
        """
        now = time.monotonic()
        lived = now - self.started
        if code == 0 and lived > HASTY_SECONDS:
            self.failures = 0
            return
        self.failures = 1 if lived > STEADY_SECONDS else self.failures + 1
        pause = min(FIRST_PAUSE * 2 ** min(self.failures - 1, 10), self.longest_pause)  # 2 ** 1024 is no float any more
        self.wanted, self.not_before = True, now + pause
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code} after {lived:.1f} s"
        complain(f"{self.name} {how}; it is started again after {pause:g} s")


class Supervisor:
    """Waits in one place for connections, for the end of processes and for signals."""

    def __init__(self, services):
        self.services = services
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        # Python writes the number of each signal to this socket, so that select() wakes up for them too.
        self.signals, self._signals_in = socket.socketpair()
        self.signals.setblocking(False)
        self._signals_in.setblocking(False)
        signal.set_wakeup_fd(self._signals_in.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self.selector.register(self.signals, selectors.EVENT_READ)

    def run(self):
        """Until SIGTERM or Ctrl-C; then all services are ended."""
        while not self.stopping:
            self._start_wanted()
            self._wait(self._pause())
        self._stop()

    def _start_wanted(self):
        now = time.monotonic()
        for service in self.services:
            if service.pid is None and service.wanted and service.not_before <= now:
                service.start()
            self._watch(service, service.pid is None and not service.wanted)

    def _watch(self, service, watched):
        """While a service is down, its sockets are ours to look at."""
        for _, bound in service.sockets:
            if watched == (bound in self.selector.get_map()):
                continue
            if watched:
                self.selector.register(bound, selectors.EVENT_READ, service)
            else:
                self.selector.unregister(bound)

    def _pause(self):
        """Seconds until the next start that is due; None if only an event can bring one."""
        due = [service.not_before for service in self.services if service.pid is None and service.wanted]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _wait(self, seconds):
        for key, _ in self.selector.select(seconds):
            if key.fileobj is self.signals:
                for number in self.signals.recv(4096):
                    self._received(number)
            else:
                key.data.wanted = True

    def _received(self, number):
        if number == signal.SIGCHLD:
            self._reap()
        elif number == signal.SIGHUP:
            self._signal_all(signal.SIGHUP)
        else:
            self.stopping = True

    def _reap(self):
        for service in self.services:
            if service.pid is None:
                continue
            pid, status = os.waitpid(service.pid, os.WNOHANG)
            if pid:
                service.ended()
                if not self.stopping:
                    service.plan_restart(os.waitstatus_to_exitcode(status))

    def _signal_all(self, number):
        for service in self.services:
            service.signal(number)

    def _stop(self):
        for service in self.services:
            self._watch(service, False)
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(service.pid for service in self.services) and time.monotonic() < deadline:
            self._wait(max(0.0, deadline - time.monotonic()))
        for service in self.services:
            if service.pid is not None:
                complain(f"{service.name} did not end within {STOP_SECONDS} s and is killed")
                service.signal(signal.SIGKILL)
                os.waitpid(service.pid, 0)
                service.ended()
