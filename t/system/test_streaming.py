"""A success leaves as it comes, unless something is to be known of the whole
of it first."""

import socket
import threading

import pytest

from og import client
from og.gate import gate, order_bytes                       # noqa: F401
from og.paths import seconds
from og.peer import Peer

WHEN = "order_guard_error_when /ok false 422;"
KEYED, OFF = "required ttl=1h", "off"
FIRST, LAST = b'{"ok":true,"first":1,', b'"last":2}'


def halves(go_on, media_type="application/json", length=True):
    """act() of a Peer that sends the second half when it is told to."""
    size = len(FIRST) + len(LAST)
    head = (f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n"
            + (f"Content-Length: {size}\r\n" if length else "")
            + "\r\n").encode()

    def act(sock, *_):
        sock.sendall(head + FIRST)
        assert go_on.wait(seconds(10))
        sock.sendall(LAST)
        return False

    return act


# rules, idempotency, media type, whether the first half is held
CASES = {
    "nothing asked": ("", OFF, "application/json", False),
    "fields": ("order_guard_strip price;", OFF, "application/json", False),
    "a limit": ("order_guard_limit 9r/h;", OFF, "application/json", False),
    "a key": ("", KEYED, "application/json", True),
    "a condition": (WHEN, OFF, "application/json", True),
    "a condition on other types": (WHEN, OFF, "text/plain", False),
    "a condition where errors are off": (
        WHEN + "order_guard_errors off;", OFF, "application/json", False),
}


@pytest.mark.parametrize("length", [True, False], ids=["length", "none"])
@pytest.mark.parametrize("case", CASES)
def test_first_half(gate, case, length):                    # noqa: F811
    rules, rule, media_type, held = CASES[case]
    go_on = threading.Event()
    with Peer(halves(go_on, media_type, length)) as peer:
        made = gate(rules + "proxy_buffering off;", rule=rule,
                    address=peer.address)
        with client.leave(made.port, order_bytes("k")) as sock:
            peer.wait_for(1)
            sock.settimeout(seconds(0.3 if held else 5))
            received = b""
            try:
                while FIRST not in received:
                    received += sock.recv(1 << 16)
            except socket.timeout:
                pass
            assert (received == b"") == held
            go_on.set()
            sock.settimeout(seconds(5))
            while LAST not in received:
                part = sock.recv(1 << 16)
                assert part
                received += part
            assert b"HTTP/1.1 200" in received
