"""Hostile input: no byte a client or an upstream can send ends a worker, is
taken for an order that it is not, or brings a secret into a log or an answer.

Bounded and repeatable: OG_SEED chooses other random bytes."""

import os
import random
import socket
import struct
import time

import pytest

from og import client
from og.crafted import BASE, BODY, CRAFTED, LINE, http2_requests
from og.gate import gate, order, order_bytes                # noqa: F401
from og.hostile import RULES, hostile, send                 # noqa: F401
from og.http2 import (DATA, HEADERS, PREFACE, SETTINGS, Http2, frame,
                      header_block)
from og.paths import seconds
from og.process import wait_until

SEED = int(os.environ.get("OG_SEED", "1"))
TOKEN = "Bearer tok-5ecr3t-a1"
KEY = "key-5ecr3t-b2"
VALUE = "val-5ecr3t-c3"


def secret(key=KEY, value=VALUE, headers=None):
    named = {"Authorization": TOKEN, "Idempotency-Key": key,
             "Content-Type": "application/json", **(headers or {})}
    body = b'{"a":"%s","price":"%s"}' % (value.encode(), value.encode())
    return client.http_bytes("POST", "/order", body,
                             {n: v for n, v in named.items()
                              if v is not None})


def check_no_secret(gate, *answers):                        # noqa: F811
    """The caller's own stand nowhere; the upstream's where its operator is to
    find what was hidden."""
    log = gate.nginx.error_log().encode()
    others = b"\n".join(line for line in log.split(b"\n")
                       if b"order guard hid " not in line)
    assert b"5ecr3t" not in log
    for text in (b"5ecr3t", b"hunter2", b"db-internal-7", b"Traceback"):
        assert text not in others, text
        for answer in answers:
            assert text not in answer, (text, answer)
    for answer in answers:
        assert gate.upstream.address.encode() not in answer
        assert str(gate.upstream.port).encode() not in answer


# random bytes


def test_random_bytes(hostile):                             # noqa: F811
    gate = hostile()
    random_ = random.Random(SEED)
    for _ in range(150):
        send(gate.port, random_.randbytes(random_.randrange(1, 400)), 1)
    assert gate.arrived() == 0


def test_random_bytes_over_http2(hostile):                  # noqa: F811
    gate = hostile()
    random_ = random.Random(SEED)
    for n in range(150):
        junk = random_.randbytes(random_.randrange(1, 400))
        send(gate.h2, (PREFACE if n % 2 else b"") + junk, 1)
    assert gate.arrived() == 0


def test_a_request_with_one_byte_changed(hostile):          # noqa: F811
    """Whatever becomes of it: upstream it is whole, and has no price."""
    gate = hostile()
    whole = bytearray(secret(headers={"Connection": "close"}))
    random_ = random.Random(SEED)
    for n in range(400):
        data = bytearray(whole)
        data[n % len(data)] = random_.randrange(256)
        send(gate.port, bytes(data), 1)
    for request in gate.upstream.requests():
        assert request["complete"]
        assert b'"price"' not in request["body"].lower()


def test_random_bodies(hostile):                            # noqa: F811
    """JSON with things moved about: refused, or without the price."""
    gate = hostile("order_guard_strip price; order_guard_limit 9999r/s;")
    random_ = random.Random(SEED)
    whole = (b'{"a":[1,2.5e3,{"b":null}],"price":17,"c":"\\u0041\\ud83d'
             b'\\ude00x","items":[{"price":1},{}],"":true,"p\\u0072ice":2}')
    with client.Session(gate.port) as session:
        for n in range(600):
            body = mutated(random_, whole)
            answer = session.request("POST", "/order", body, {
                "Authorization": TOKEN, "Idempotency-Key": f"k{n}",
                "Content-Type": "application/json"})
            assert answer.status in (200, 400), (body, answer)
    for request in gate.upstream.requests():
        assert b'price"' not in request["body"], request["body"]


def mutated(random_, data):
    out = bytearray(data)
    for _ in range(random_.randrange(1, 4)):
        at = random_.randrange(len(out))
        what = random_.randrange(4)
        if what == 0:
            out[at] = random_.randrange(256)
        elif what == 1:
            del out[at:at + random_.randrange(1, 9)]
        elif what == 2:
            out[at:at] = random_.choice((b'"', b"{", b"}", b"[", b"]", b",",
                                         b":", b"\\", b"\0", b"\xef\xbb\xbf",
                                         b"1e9", b"//", b"\\u0000", b"\xff"))
        else:
            other = random_.randrange(len(out))
            out[at:at] = out[other:other + random_.randrange(1, 20)]
    return bytes(out) or b" "


# crafted requests


def test_crafted_requests(hostile):                         # noqa: F811
    gate = hostile()
    for name, data in CRAFTED.items():
        gate.upstream.clear()
        received = [send(gate.port, data, 0.5, half_close)
                    for half_close in (True, False)]
        assert gate.arrived() <= 2, name
        for request in gate.upstream.requests():
            assert request["complete"], name
            assert request["body"] in (b"", BODY), (name, request)
        check_no_secret(gate, *received)


# headers: long, many, odd


ODD = (bytes(range(1, 32)).replace(b"\n", b"").replace(b"\r", b"")
       + b'"\\%s%n%x\'`$(){}<>&;|\x7f' + bytes(range(128, 256)))


@pytest.mark.parametrize("header", ["Authorization", "Idempotency-Key",
                                    "Content-Type", "Content-Encoding",
                                    "X-HTTP-Method-Override", "Signature-"
                                    "Input", "Cookie", "Accept-Encoding"])
def test_long_header(hostile, header):                      # noqa: F811
    gate = hostile()
    for size in (255, 256, 4096, 65536, 100000):
        for filler in (b"x", ODD, b'"', b"\\", b";=", b" a"):
            value = (filler * (size // len(filler) + 1))[:size]
            for prefix in (b"", b"Bearer ", b'"', b"application/json;"):
                send_header(gate, header, prefix + value)


def send_header(gate, header, value):                       # noqa: F811
    data = (LINE + headers_without(header) + header.encode() + b": " + value
            + b"\r\nConnection: close\r\nContent-Length: 7\r\n\r\n" + BODY)
    received = send(gate.port, data, 3, False)
    assert received.startswith((b"HTTP/1.1 200", b"HTTP/1.1 4")), (
        header, value[:50], received[:300])
    assert value not in received


def headers_without(name):
    return b"".join(line + b"\r\n" for line in BASE.split(b"\r\n")[:-1]
                    if not line.lower().startswith(name.lower().encode()))


def test_many_headers(hostile):                             # noqa: F811
    gate = hostile()
    for name in (b"X", b"Idempotency-Key", b"Content-Type", b"Authorization",
                 b"Content-Encoding", b"Digest"):
        data = (LINE + BASE + (name + b": v\r\n") * 2000
                + b"Connection: close\r\nContent-Length: 7\r\n\r\n" + BODY)
        received = send(gate.port, data, 3, False)
        assert received.startswith(b"HTTP/1.1 "), received[:200]


@pytest.mark.parametrize("size", [255, 256, 65000])
def test_long_and_odd_keys_from_the_body(hostile, size):    # noqa: F811
    gate = hostile("order_guard_idempotency_key $order_guard_body_k;")
    random_ = random.Random(SEED)
    pieces = ["x", "\u0e01", "\U0001f600", "\\u0000", "\\ud800", "\\n", "\"",
              "\x7f", "\u2028"]
    for n in range(60):
        key = "".join(random_.choices(pieces, k=size))[:size]
        body = b'{"k":"' + key.encode("utf-8", "surrogatepass") + b'"}'
        answer = client.request(gate.port, "POST", "/order", body, {
            "Authorization": TOKEN, "Content-Type": "application/json"})
        assert answer.status in (200, 400), answer
    check_no_secret(gate)


# slow, cut, aborted


def test_abort_at_every_offset(hostile, redis):             # noqa: F811
    gate = hostile()
    whole = secret()
    for end in range(len(whole)):
        sock = client.leave(gate.port, whole[:end])
        if end % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        sock.close()
    assert gate.arrived() == 0
    assert redis.records() == []
    check_no_secret(gate)


def test_abort_right_after_the_request(hostile):            # noqa: F811
    """Whether the order was made depends on who is first; it is made once,
    and the key tells the truth."""
    gate = hostile()
    for n in range(100):
        sock = client.leave(gate.port, order_bytes(f"k{n}"))
        if n % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        if n % 3 == 0:
            time.sleep(0.0005 * (n % 7))
        sock.close()
    gate.finished(100)
    for n in range(100):
        answer = wait_until(lambda: settled(gate, f"k{n}"), 5)
        assert answer.status == 200, answer
    assert gate.orders() == 100


def settled(gate, key):                                     # noqa: F811
    answer = gate.order(key)
    return answer if answer.code != "IDEMPOTENCY_IN_PROGRESS" else None


def test_abort_at_every_frame_of_http2(hostile, redis):     # noqa: F811
    gate = hostile()
    seed = order("k")
    frames = [frame(HEADERS, 4, 1, header_block("POST", seed.path,
                                                seed.headers))]
    frames += [frame(DATA, 0, 1, seed.body[i:i + 40])
               for i in range(0, len(seed.body), 40)]
    data = PREFACE + frame(SETTINGS, 0, 0, b"") + b"".join(frames)
    for end in range(0, len(data), 3):
        client.leave(gate.h2, data[:end]).close()
    assert gate.arrived() == 0
    assert redis.records() == []


def test_slow_body_is_ended_by_its_timeout(hostile, redis): # noqa: F811
    gate = hostile()
    whole = secret()
    socks = [client.leave(gate.port, whole[:-end]) for end in (1, 5, 20, 40)]
    for sock in socks:
        sock.settimeout(seconds(10))
        received = b"".join(iter(lambda: sock.recv(65536), b""))
        assert received == b"" or received.startswith(b"HTTP/1.1 408")
        sock.close()
    assert gate.arrived() == 0
    assert redis.records() == []


def test_many_idle_and_slow_clients(hostile):               # noqa: F811
    """They wait; others are served."""
    gate = hostile()
    whole = secret()
    socks = [client.leave(gate.port, whole[:n % len(whole)])
             for n in range(200)]
    for n in range(20):
        assert gate.order(f"k{n}").status == 200
    for sock in socks:
        sock.close()


# HTTP/2, frame by frame


def test_http2_frames(hostile):                             # noqa: F811
    gate = hostile()
    for name, data in http2_requests().items():
        gate.upstream.clear()
        send(gate.h2, PREFACE + frame(SETTINGS, 0, 0, b"") + data, 0.3,
             half_close=False)
        assert gate.arrived() <= 1, name
        for request in gate.upstream.requests():
            assert request["body"] in (b"", BODY), (name, request)


def test_http2_rapid_reset(hostile):                        # noqa: F811
    """Hundreds of orders that are cancelled at once: claims are released,
    or the order is made once."""
    gate = hostile("order_guard_strip price;")
    with Http2(gate.h2) as connection:
        for n in range(300):
            seed = order(f"k{n}")
            stream = connection.request("POST", seed.path, seed.body,
                                        seed.headers)
            connection.cancel(stream)
        try:
            connection.ping()
        except ConnectionError:
            pass
    wait_until(lambda: all_over(gate), 10)
    made = gate.orders()
    for n in range(300):
        answer = wait_until(lambda: settled(gate, f"k{n}"), 5)
        assert answer.status == 200, answer
    assert gate.orders() == 300 >= made


def all_over(gate):                                         # noqa: F811
    before = len(gate.lines())
    time.sleep(0.1)
    return len(gate.lines()) == before


# what is told


def test_nothing_secret_in_logs_and_answers(hostile):       # noqa: F811
    """Every way a request can end, at log level info."""
    gate = hostile("order_guard_strip price; order_guard_limit 30r/m;\n"
                   "order_guard_body_limit 2k; proxy_read_timeout 500ms;")
    received = [client.raw(gate.port, data, 3) for data in (
        secret(headers=close()), secret(headers=close()),
        secret(value="val-5ecr3t-other", headers=close()),
        secret(headers=close({"Content-Type": "text/plain"})),
        secret(headers=close({"Content-Type": "x-5ecr3t/json"})),
        secret(headers=close({"Content-Encoding": "5ecr3t"})),
        secret(headers=close({"Idempotency-Key": None})),
        secret(key="key 5ecr3t", headers=close()),
        secret(key="key-5ecr3t" * 60, headers=close()),
        secret(headers=close({"Authorization": "Basic 5ecr3t"})),
        secret(value='val-5ecr3t"x', headers=close()),
        secret(value="val-5ecr3t\\x", headers=close()),
        secret(value="5ecr3t" * 1000, headers=close()),
        *[secret(key="key-5ecr3t-lost", headers=close(
            {"X-Fault": "close"}))] * 2,
        *(secret(key=f"key-5ecr3t-{fault}", headers=close(
            {"X-Fault": fault})) for fault in (
            "close", "reset", "truncate", "html=500", "html=404", "text=502",
            "html=503", "hold=never", "status=401")),
    )]
    gate.upstream.mode("closed")
    received.append(client.raw(gate.port, secret(key="key-5ecr3t-refused",
                                                 headers=close()), 3))
    gate.upstream.mode("open")
    received += [client.raw(gate.port, secret(key=f"key-5ecr3t-{n}",
                                              headers=close()), 3)
                 for n in range(30)]
    statuses = {r.split(b" ")[1] for r in received}
    assert {b"200", b"400", b"401", b"404", b"409", b"413", b"415", b"422",
            b"429", b"500", b"502", b"503", b"504"} <= statuses, statuses
    check_no_secret(gate, *without_echo(received))


def close(headers=None):
    return {"Connection": "close", **(headers or {})}


def without_echo(received):
    """The seed upstream echoes the body in its 200: the caller's own."""
    return [r for r in received if b'"echo"' not in r]


def test_nothing_secret_when_the_store_is_away(gate):       # noqa: F811
    gate = gate(RULES, store="redis://127.0.0.1:1/0")
    answer = client.raw(gate.port, secret(headers=close()), 5)
    assert b"STORE_UNAVAILABLE" in answer
    check_no_secret(gate, answer)


def test_member_names_cannot_write_the_log(hostile):        # noqa: F811
    """A name of a stripped member is the client's text."""
    gate = hostile("order_guard_allow a;")
    lines = len(gate.nginx.error_log().splitlines())
    for name in (b"x\\n2026/01/01 00:00:00 [warn] 1#1: forged",
                 b"x\\r\\nforged", b"\\u001b[31mforged", b"\\u2028forged",
                 "x\u0085forged".encode(), b"x\x7fforged", b"%s%n%x"):
        body = b'{"a":1,"' + name + b'":"v"}'
        client.request(gate.port, "POST", "/order", body, {
            "Authorization": TOKEN, "Content-Type": "application/json",
            "Idempotency-Key": f"k{lines}{len(name)}"})
    log = gate.nginx.error_log()
    assert not any(line.startswith("forged") or " 1#1: forged" in line
                   for line in log.splitlines()), log
    assert "\x1b" not in log and "\r" not in log


def test_long_member_names_do_not_flood_the_log(hostile):   # noqa: F811
    gate = hostile("order_guard_allow a;")
    before = len(gate.nginx.error_log())
    body = b'{"a":1' + b"".join(b',"%d%s":1' % (n, b"n" * 60)
                                for n in range(900)) + b"}"
    answer = client.request(gate.port, "POST", "/order", body, {
        "Authorization": TOKEN, "Content-Type": "application/json",
        "Idempotency-Key": "k"})
    assert answer.status == 200
    assert len(gate.nginx.error_log()) - before < 8192
