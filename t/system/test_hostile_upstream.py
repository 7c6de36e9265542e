"""Hostile upstreams: whatever one answers, the order is not run again, the
worker lives, and the caller gets HTTP."""

import pytest

from og import client
from og.crafted import ANSWERS
from og.gate import gate, order_bytes                       # noqa: F401
from og.hostile import hostile, send                        # noqa: F401
from og.peer import Peer, message


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_hostile_upstream(hostile, buffering):              # noqa: F811
    """The order is not run again, and the same key gets the same answer or
    is told that there is none."""
    now = []

    def act(sock, head, body):
        sock.sendall(ANSWERS[now[-1]])
        return False

    with Peer(act) as peer:
        gate = hostile("proxy_http_version 1.1; proxy_read_timeout 1s;\n"
                       "proxy_buffer_size 16k; proxy_buffers 8 16k;\n"
                       f"proxy_buffering {buffering};", address=peer.address)
        wrong = [name for name in ANSWERS
                 if not one_order(gate, peer, now, name)]
        assert wrong == []


def one_order(gate, peer, now, name):                       # noqa: F811
    now.append(name)
    before = len(peer.requests)
    data = order_bytes(name.replace(" ", "-"),
                       headers={"Connection": "close"})
    received = [send(gate.port, data, 4, False) for _ in range(3)]
    first, second, third = (r.split(b" ")[1:2] for r in received)
    statuses = {b"%d" % status for status in range(200, 600)}
    return (len(peer.requests) == before + 1 and second == third
            and second in (first, [b"409"])
            and set(first + second) <= statuses)


def test_upstream_that_never_ends(hostile):                 # noqa: F811
    """Memory is bounded by the limit; the caller gets what comes."""
    stop = []

    def act(sock, head, body):
        sock.sendall(message(b"")[:-4].replace(
            b"Content-Length: 0", b"Content-Length: 90000000000")
            + b"\r\n\r\n")
        while not stop:
            sock.sendall(b"x" * 65536)
        return False

    with Peer(act) as peer:
        gate = hostile("order_guard_idempotency_response_limit 64k;\n"
                       "proxy_max_temp_file_size 0;", address=peer.address)
        sock = client.leave(gate.port, order_bytes("k"))
        taken = 0
        while taken < 20_000_000:
            taken += len(sock.recv(1 << 20))
        pid, = gate.nginx.worker_pids()
        assert resident(pid) < 200_000
        stop.append(True)
        sock.close()
        gate.finished(1)


def resident(pid):
    with open(f"/proc/{pid}/status") as text:
        for line in text:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0
