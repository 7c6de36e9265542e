"""A private redis-server and as much of a client as tests need."""

import io
import os
import re
import signal
import socket
from collections import Counter
from contextlib import contextmanager

from og import paths
from og.process import Process, free_port, wait_until


class RedisError(Exception):
    pass


def options_of(settings):
    """{name: value} as words of a command line."""
    return [word for name, value in settings.items()
            for word in (f"--{name}", value)]


class Redis:
    tls_port = None                 # of one that speaks TLS there

    def __init__(self, folder, *options, port=None):
        self.folder = str(folder)
        self.port = port or free_port()
        self.process = None
        self.env = {}               # more of it
        self._options = [str(option) for option in options]
        os.makedirs(self.folder, exist_ok=True)

    @property
    def address(self):
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def peers_port(self):
        """Where other servers, and gateways, speak to it."""
        return self.tls_port or self.port

    @property
    def words(self):
        """Of order_guard_store, behind the name."""
        return self.address + " timeout=500ms"

    @property
    def log(self):
        return os.path.join(self.folder, "redis.log")

    def start(self):
        self.process = Process(
            [paths.REDIS, "--port", str(self.port), "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "no", "--dir", self.folder,
             "--daemonize", "no", "--enable-debug-command", "local",
             *self._options], self.log, env={**os.environ, **self.env})
        self.process.wait_for_port(self.port)
        wait_until(self._answers, 10)
        return self

    def _answers(self):
        try:
            return self.command("PING") == "PONG"
        except (OSError, RedisError):
            return False            # it closes what came before it was ready

    def pause(self):
        """Connections stay, nothing is answered (SIGSTOP)."""
        self.process.send(signal.SIGSTOP)

    def resume(self):
        self.process.send(signal.SIGCONT)

    def kill(self):
        self.process.child.kill()
        self.process.child.wait()

    def restart(self):
        """Starts anew on the same port, without the data."""
        if self.process.running():
            self.kill()
        return self.start()

    def stop(self):
        if self.process and self.process.running():
            self.process.stop(signal.SIGTERM)

    def command(self, *arguments):
        """One command on a connection of its own. Bulk strings as bytes,
        simple strings as text; RedisError for an error reply."""
        with socket.create_connection(("127.0.0.1", self.port),
                                      paths.seconds(10)) as sock:
            sock.sendall(_encode(arguments))
            with sock.makefile("rb") as stream:
                return _read(stream)

    @contextmanager
    def session(self):
        """A connection that stays; it has command(), too."""
        with socket.create_connection(("127.0.0.1", self.port),
                                      paths.seconds(10)) as sock:
            with sock.makefile("rb") as stream:
                yield _Session(sock, stream)

    def keys(self, pattern="*"):
        return sorted(key.decode() for key in self.command("KEYS", pattern))

    def records(self):
        """The keys of idempotency records."""
        return [key for key in self.keys() if "}:i:" in key]

    def counters(self):
        """The keys of limits."""
        return [key for key in self.keys() if "}:l:" in key]

    def empty(self):
        self.command("FLUSHALL")

    def units(self, *_):
        """How many units of all limits are spent."""
        return sum(int(self.command("GET", key) or 0)
                   for key in self.counters())

    def calls(self):
        """How often each command was called, by everybody."""
        found = re.findall(r"cmdstat_(\S+):calls=(\d+)",
                           self.command("INFO", "commandstats").decode())
        return Counter({name: int(calls) for name, calls in found})


def commands(data):
    """The commands in what a client has sent, as lists of words."""
    stream, found = io.BytesIO(data), []
    while stream.tell() < len(data):
        found.append([word.decode("latin-1") for word in _read(stream)])
    return found


class _Session:
    def __init__(self, sock, stream):
        self._sock = sock
        self._stream = stream

    def command(self, *arguments):
        self._sock.sendall(_encode(arguments))
        return _read(self._stream)


def _encode(arguments):
    out = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if not isinstance(argument, bytes):
            argument = str(argument).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(out)


def _read(stream):
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return _read_bulk(stream, int(rest))
    if kind == b"*":
        return None if rest == b"-1" else [_read(stream)
                                           for _ in range(int(rest))]
    raise RedisError(f"no reply: {line!r}")


def _read_bulk(stream, size):
    return None if size < 0 else stream.read(size + 2)[:-2]
