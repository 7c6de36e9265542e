"""Clients that leave, or are too slow, at every point of a request: nothing
of them stays, no connection, no file, no claim, no memory."""

import os
import socket
import struct
import time

import pytest

from og import client, paths
from og.gate import gate                                    # noqa: F401
from og.paths import seconds
from og.peer import Peer, answering
from og.process import children_of, wait_until

RULES = """
    order_guard_strip price /items/*/cost;
    client_body_timeout 600ms;
    keepalive_timeout 500ms;
    order_guard_idempotency_response_limit 16k;
"""
BUFFERS = {
    "memory": "client_body_buffer_size 64k;",
    "parts": "client_body_buffer_size 1k;",
    "file": "client_body_in_file_only clean;",
}
STATUS = "location = /status { stub_status; access_log off; }"
BODY = (b'{"price":1,"items":[{"cost":1,"n":1}],"a":"' + b"x" * 3000
        + b'"}')
KEPT = b'{"items":[{"n":1}],"a":"' + b"x" * 3000 + b'"}'
HOW = ["length", "chunked", "http 1.0"]

# For 2000 clients: 64 bytes of each would be seen. A sanitizer's malloc() is
# not as steady, and keeps what was freed.
NOISE = 4 << 20 if paths.LD_PRELOAD else 128 << 10
KEEPS_LITTLE = ":quarantine_size_mb=1"


def order(how, key):
    """(head, body as it is framed)"""
    lines = ["POST /order HTTP/1.1", "Host: h", "Authorization: Bearer t",
             "Content-Type: application/json"]
    lines += [f"Idempotency-Key: {key}"] if key else []
    if how == "chunked":
        return (head(lines, "Transfer-Encoding: chunked"),
                client.chunked(BODY[i:i + 700]
                               for i in range(0, len(BODY), 700)))
    if how == "http 1.0":
        lines[0] = "POST /order HTTP/1.0"
    return head(lines, f"Content-Length: {len(BODY)}"), BODY


def head(lines, *more):
    return "\r\n".join([*lines, *more]).encode() + b"\r\n\r\n"


def connect(gate):                                          # noqa: F811
    sock = socket.create_connection(("127.0.0.1", gate.port), seconds(10))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def leave(sock, resets):
    if resets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    sock.close()


def connections(gate):                                      # noqa: F811
    """How many nginx has, without the one that asks."""
    answer = client.request(gate.port, "GET", "/status")
    return int(answer.body.split()[2]) - 1


def open_files(worker):
    """Sockets too, since what is closed may be opened again elsewhere."""
    folder = f"/proc/{worker}/fd"
    return sorted(kind_of(os.path.join(folder, name))
                  for name in os.listdir(folder))


def kind_of(name):
    try:
        return os.readlink(name).partition(":[")[0]
    except FileNotFoundError:
        return ""


def check_nothing_is_left(gate, files):                     # noqa: F811
    worker, = gate.nginx.worker_pids()
    wait_until(lambda: connections(gate) == 0, 5, "a client is left over")
    wait_until(lambda: open_files(worker) == files, 5,
               f"{files} became {open_files(worker)}")
    assert not [name for _, _, names in os.walk(gate.nginx.path("tmp"))
                for name in names]


def steady(gate):                                           # noqa: F811
    """What the worker has open between two orders."""
    whole = b"".join(order("length", "steady"))
    sock = client.leave(gate.port, whole)
    assert sock.recv(9) == b"HTTP/1.1 "
    sock.close()
    wait_until(lambda: connections(gate) == 0)
    worker, = wait_until(gate.nginx.worker_pids)
    seen = []

    def is_steady():
        seen.append(open_files(worker))
        return seen[-5:] == seen[-1:] * 5

    wait_until(is_steady)
    return seen[-1]


def check_order(gate, key):                                 # noqa: F811
    before = gate.arrived()
    start, body = order("length", key)
    with connect(gate) as sock:
        sock.sendall(start + body)
        assert sock.recv(13) == b"HTTP/1.1 200 "
    assert gate.arrived() == before + 1
    assert gate.upstream.last()["body"] == KEPT


@pytest.mark.parametrize("buffers", BUFFERS)
@pytest.mark.parametrize("how", HOW)
def test_client_leaves_within_its_body(gate, redis, how,
                                       buffers):            # noqa: F811
    gate = gate(RULES + BUFFERS[buffers], server=STATUS)
    files = steady(gate)
    start, body = order(how, "k")
    whole = start + body
    cuts = {0, 1, len(start) // 2, len(start), len(start) + 1, len(whole) - 1,
            *range(len(start), len(whole), 211)}
    for at in sorted(cuts):
        for resets in (False, True):
            sock = connect(gate)
            sock.sendall(whole[:at])
            leave(sock, resets)
    check_nothing_is_left(gate, files)
    assert gate.arrived() == 1
    assert len(redis.records()) == 1
    check_order(gate, "k")


@pytest.mark.parametrize("buffers", BUFFERS)
def test_client_leaves_in_two_steps(gate, redis, buffers):  # noqa: F811
    """The body had begun to be read when the client left."""
    gate = gate(RULES + BUFFERS[buffers], server=STATUS)
    files = steady(gate)
    for how in HOW:
        start, body = order(how, "k")
        for at in (0, 1, 1500, len(body) - 1):
            socks = [connect(gate) for _ in range(2)]
            for sock in socks:
                sock.sendall(start)
            wait_until(lambda: connections(gate) == 2)
            for sock in socks:
                sock.sendall(body[:at])
            wait_until(lambda: connections(gate) == 2)
            leave(socks[0], True)
            leave(socks[1], False)
        check_nothing_is_left(gate, files)
    assert gate.arrived() == 1
    assert len(redis.records()) == 1
    check_order(gate, "k")


def test_slow_body(gate, redis):                            # noqa: F811
    """One that trickles is waited for, one that stops is given up; others
    are served meanwhile."""
    gate = gate(RULES, server=STATUS + "".join(
        f"location /{name} {{ order_guard on; {RULES} {conf}\n"
        "order_guard_idempotency required; proxy_pass http://orders; }"
        for name, conf in BUFFERS.items()))
    files = steady(gate)
    trickling, stopped = {}, {}
    for how in HOW:
        for name in BUFFERS:
            start, body = order(how, f"{how}-{name}".replace(" ", ""))
            start = start.replace(b"/order", b"/" + name.encode())
            trickling[how, name] = connect(gate), start + body[:9], body[9:]
            stopped[how, name] = connect(gate), start + body[:-9]
    for sock, *data in (*trickling.values(), *stopped.values()):
        sock.sendall(data[0])
    for step in range(9):
        for sock, _, rest in trickling.values():
            sock.sendall(rest[step:step + 1])
        check_order(gate, f"step{step}")
        time.sleep(seconds(0.1))
    for name, (sock, _, rest) in trickling.items():
        sock.sendall(rest[9:])
        assert sock.recv(13) == b"HTTP/1.1 200 ", name
        sock.close()
    for name, (sock, _) in stopped.items():
        assert sock.recv(65536)[:13] in (b"", b"HTTP/1.1 408 "), name
        sock.close()
    check_nothing_is_left(gate, files)
    assert gate.arrived() == len(redis.records()) == 10 + len(trickling)


@pytest.mark.parametrize("how", HOW[:2])
@pytest.mark.parametrize("leaves", [False, True])
def test_order_behind_a_slow_body(gate, how, leaves):       # noqa: F811
    """The second one comes with the last byte of the first."""
    gate = gate(RULES, server=STATUS)
    files = steady(gate)
    for cut in (1, 5, 2000):
        first = b"".join(order(how, f"first-{cut}"))
        second = b"".join(order(how, f"second-{cut}"))
        sock = connect(gate)
        sock.sendall(first[:-cut])
        wait_until(lambda: connections(gate) == 1)
        sock.sendall(first[-cut:] + second)
        if not leaves:
            wait_for_answers(sock, 2)
        leave(sock, False)
        for key in (f"first-{cut}", f"second-{cut}"):
            wait_until(lambda: answer_to(gate, key) == 200, 5)
    check_nothing_is_left(gate, files)
    assert gate.arrived() == 7


def wait_for_answers(sock, count):
    received = b""
    while received.count(b"HTTP/1.1 200 OK\r\n") < count:
        part = sock.recv(65536)
        assert part, received
        received += part


def answer_to(gate, key):                                   # noqa: F811
    with connect(gate) as sock:
        sock.sendall(b"".join(order("length", key)))
        return int(sock.recv(13)[9:12])


# memory


def abort(gate, number):                                    # noqa: F811
    """A client that leaves, each time at another point."""
    how = HOW[number % 3]
    start, body = order(how, f"k{number}" if number % 5 else None)
    point = number % 7
    sock = connect(gate)
    if point == 0:
        sock.sendall(start)
    elif point == 1:
        sock.sendall(start + body[:len(body) // 2])
    elif point == 2:
        sock.sendall(start)
        sock.sendall(body[:-1])
    else:
        sock.sendall(start + body)
        if point > 3:
            sock.recv(point * 10)       # the answer has begun
    leave(sock, number % 2)


@pytest.mark.parametrize("buffers", ["memory", "file"])
def test_memory_does_not_grow(gate, redis, buffers,
                              monkeypatch):                 # noqa: F811
    options = os.environ.get("ASAN_OPTIONS", "detect_leaks=0")
    monkeypatch.setenv("ASAN_OPTIONS", options + KEEPS_LITTLE)
    with Peer(answering(b'{"a":"' + b"x" * 30000 + b'"}')) as peer:
        gate = gate(RULES + BUFFERS[buffers], server=STATUS,
                    address=peer.address)
        files = steady(gate)
        worker, = gate.nginx.worker_pids()
        for number in range(300):
            abort(gate, number)
        wait_until(lambda: connections(gate) == 0, 10)
        before = resident(worker)
        for number in range(300, 2300):
            abort(gate, number)
        check_nothing_is_left(gate, files)
        assert resident(worker) - before < NOISE
        gate.nginx.reload()
        wait_until(lambda: worker not in children_of(gate.nginx.pid), 5,
                   "a request keeps the old worker")


def resident(pid):
    with open(f"/proc/{pid}/statm") as text:
        return int(text.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
