"""Many requests, as fast as one client can send them."""

import re
import socket
from collections import Counter

from og.limits import PAGE, named
from og.parallel import together
from og.paths import seconds

CONNECTIONS = 4
PIPELINED = 100                 # requests that are on their way at once

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def page_of(caller, path=PAGE):
    """The bytes of one request."""
    token = named(caller)["Authorization"]
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: {token}\r\n\r\n").encode()


def flood(port, requests):
    """Sends them over a few kept connections, which the server must not
    close; returns how often each status came."""
    return sum(together(CONNECTIONS, lambda n: _on_one(
        port, requests[n::CONNECTIONS])), Counter())


def _on_one(port, requests):
    statuses = Counter()
    with socket.create_connection(("127.0.0.1", port),
                                  seconds(10)) as sock:
        for n in range(0, len(requests), PIPELINED):
            some = requests[n:n + PIPELINED]
            sock.sendall(b"".join(some))
            statuses.update(_read(sock, len(some)))
    return statuses


def _read(sock, count):
    """The statuses of so many answers. What is left of the last one is read
    with the next ones, and has none."""
    data = b""
    while True:
        found = STATUS.findall(data)
        if len(found) == count:
            return [int(status) for status in found]
        part = sock.recv(1 << 20)
        assert part, f"closed after {len(found)} answers of {count}"
        data += part
