"""A server as a direct child, and waiting for what must become true."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time

from og.paths import seconds

PR_SET_PDEATHSIG = 1
PORTS = range(10000, 32000)     # the kernel gives others to connections
_libc = ctypes.CDLL(None, use_errno=True)
_given = set()


def free_port():
    """A port nobody listens on, and never the same twice in one run: where
    several processes share the tests, each gives ports of its own."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        port = random.choice(PORTS[number::count])
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_until(condition, limit=5, what=None):
    """Asks again until `condition()` is true and returns its value; fails
    with `what` when `limit` seconds have passed."""
    end = time.monotonic() + seconds(limit)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(what or f"not true within {limit} s: "
                                 f"{getattr(condition, '__name__', '')}")
        time.sleep(0.01)


class Process:
    """Output goes to the file `log`. The child is told to end when the
    thread that started it does."""

    def __init__(self, argv, log, env=None):
        self.argv = argv
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=env, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def wait(self, limit=10):
        return self.child.wait(seconds(limit))

    def stop(self, number=signal.SIGTERM, limit=5):
        """Asks to end, then kills; says whether asking was enough."""
        if self.running():
            self.send(number)
            self.send(signal.SIGCONT)
        try:
            self.wait(limit)
            return True
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return False

    def output(self):
        with open(self.log, errors="replace") as text:
            return text.read()

    def wait_for_port(self, port, limit=10):
        def ready():
            if not self.running():
                raise AssertionError(
                    f"{self.argv[0]} ended with {self.child.returncode}:\n"
                    + self.output()[-4000:])
            return listening(port)
        wait_until(ready, limit, f"{self.argv[0]} does not take connections "
                                 f"on {port}:\n" + self.output()[-2000:])


def children_of(pid):
    path = f"/proc/{pid}/task/{pid}/children"
    try:
        with open(path) as text:
            return [int(child) for child in text.read().split()]
    except OSError:
        return []


def title_of(pid):
    """The command line; '' once the process is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return text.read().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def cpu_of(pid):
    """Seconds on a CPU so far."""
    with open(f"/proc/{pid}/schedstat") as text:
        return int(text.read().split()[0]) / 1e9


def as_root():
    return os.geteuid() == 0


def _die_with_parent():
    # TERM, as nginx's workers would outlive a killed master
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
