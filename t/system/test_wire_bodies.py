"""Bodies as they come in and as they arrive upstream (T4, T9, T10, T11)."""

import os
import re
import socket
import time

import pytest

from og import client
from og.fastcgi import FastCgi
from og.gate import gate, order, order_bytes, replayed      # noqa: F401
from og.paths import seconds
from og.peer import Peer, answering, closing
from og.problem import check_problem
from og.process import wait_until
from og.upstream import header

HEADERS = {"Authorization": "Bearer t", "Content-Type": "application/json"}
STRIP = "order_guard_strip price;"
WAYS = {
    "memory": "client_body_buffer_size 300k;",
    "several buffers": "client_body_buffer_size 1k;",
    "file": "client_body_in_file_only on;",
    "file, cleaned": "client_body_in_file_only clean;",
    "single buffer": "client_body_in_single_buffer on; "
                     "client_body_buffer_size 300k;",
    "unbuffered": "proxy_request_buffering off; proxy_http_version 1.1;",
    "aio": "aio threads; client_body_in_file_only clean;",
}


def long_body(size, price=True):
    """(as sent, as it must arrive); `price` in the middle and at the end"""
    half = b"x" * (size // 2)
    kept = b'{ "a" : "' + half + b'", "n": 1.50, "b":"' + half + b'"}'
    if not price:
        return kept, kept
    return (b'{ "a" : "' + half + b'", "price":17, "n": 1.50, "b":"' + half
            + b'","PRICE":{"x":[1]}}', kept)


def post(gate, body, headers=(), how="length", path="/order",
         key="k"):                                          # noqa: F811
    named = {**HEADERS, "Idempotency-Key": key, **dict(headers)}
    if how == "chunked":
        named["Transfer-Encoding"] = "chunked"
        body = client.chunked(body[i:i + 1000]
                              for i in range(0, len(body), 1000))
    return client.request(gate.port, "POST", path, body, named)


def check_arrived(gate, kept):                              # noqa: F811
    request = gate.upstream.last()
    assert request["body"] == kept
    assert request["complete"]
    assert header(request, "Content-Length") == [str(len(kept))]
    assert header(request, "Transfer-Encoding") == []


@pytest.mark.parametrize("way", WAYS)
def test_t11_cut_body(gate, way):                           # noqa: F811
    gate = gate(STRIP + WAYS[way])
    for size in (10, 900, 3000, 100000, 250000):
        sent, kept = long_body(size)
        for how in ("length", "chunked"):
            first = post(gate, sent, how=how, key=f"{how}{size}")
            assert first.status == 200, first
            check_arrived(gate, kept)
            again = post(gate, kept, key=f"{how}{size}")
            assert replayed(again) and again.body == first.body


@pytest.mark.parametrize("way", WAYS)
def test_t11_body_with_nothing_to_cut(gate, way):           # noqa: F811
    gate = gate(STRIP + WAYS[way])
    for size in (10, 100000):
        sent, kept = long_body(size, price=False)
        for how in ("length", "chunked"):
            answer = post(gate, sent, how=how, key=f"{how}{size}")
            assert answer.status == 200, answer
            assert gate.upstream.last()["body"] == kept
            assert gate.upstream.last()["complete"]


@pytest.mark.parametrize("part", [1, 7, 100])
@pytest.mark.parametrize("how", ["length", "chunked"])
def test_body_in_small_pieces(gate, part, how):             # noqa: F811
    gate = gate(STRIP + "client_body_buffer_size 64;")
    sent, kept = long_body(400)
    headers = {**HEADERS, "Idempotency-Key": "k", "Connection": "close"}
    if how == "chunked":
        data = (b"POST /order HTTP/1.1\r\nHost: h\r\n" + b"".join(
            f"{n}: {v}\r\n".encode() for n, v in headers.items())
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + client.chunked(sent[i:i + 11]
                             for i in range(0, len(sent), 11)))
    else:
        data = client.http_bytes("POST", "/order", sent, headers)
    with socket.create_connection(("127.0.0.1", gate.port),
                                  seconds(10)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), part):
            sock.sendall(data[start:start + part])
            if start % (50 * part) == 0:
                time.sleep(0.001)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n"), received
    check_arrived(gate, kept)


def test_body_file_of_the_client_is_removed(gate):          # noqa: F811
    gate = gate(STRIP + "client_body_in_file_only clean;")
    post(gate, long_body(3000)[0])

    def is_gone():                      # nginx removes it behind its answer
        return not [f for _, _, files in os.walk(gate.nginx.path("tmp/body"))
                    for f in files]

    wait_until(is_gone, 5)


def test_digests_of_a_changed_body_are_removed(gate):       # noqa: F811
    gate = gate(STRIP)
    digests = {"Content-MD5": "x", "Digest": "sha-256=x",
               "Content-Digest": "sha-256=:x:", "Repr-Digest": "sha-256=:x:",
               "X-Other": "stays"}
    post(gate, b'{"a":1,"price":1}', digests)
    for name in list(digests)[:-1]:
        assert header(gate.upstream.last(), name) == [], name
    assert header(gate.upstream.last(), "X-Other") == ["stays"]
    post(gate, b'{"a":1}', digests, key="k2")
    for name, value in digests.items():
        assert header(gate.upstream.last(), name) == [value]


# T10: another attempt gets the cut body, from its beginning


@pytest.mark.parametrize("way", WAYS)
def test_t10_second_peer_gets_the_body_whole(gate, way):    # noqa: F811
    sent, kept = long_body(100000)
    with Peer(closing) as first, Peer(answering()) as second:
        gate = gate(STRIP + WAYS[way] + "proxy_next_upstream error;",
                    rule="required on_unknown=retry",
                    address=f"{first.address};\nserver {second.address} "
                            "backup")
        answer = client.request(gate.port, "PUT", "/order", sent,
                                {**HEADERS, "Idempotency-Key": "k"})
        assert answer.status == 200, answer
        assert first.requests[0][1] == kept
        assert second.requests[0][1] == kept


def test_t10_second_peer_gets_an_uncut_body_whole(gate):    # noqa: F811
    sent, kept = long_body(50000, price=False)
    with Peer(closing) as first, Peer(answering()) as second:
        gate = gate(STRIP + "proxy_next_upstream error;"
                    "client_body_buffer_size 8k;",
                    rule="required on_unknown=retry",
                    address=f"{first.address};\nserver {second.address} "
                            "backup")
        answer = client.request(gate.port, "PUT", "/order", sent,
                                {**HEADERS, "Idempotency-Key": "k"})
        assert answer.status == 200, answer
        assert second.requests[0][1] == kept


# FastCGI


PARAMS = """
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param CONTENT_TYPE   $content_type;
    fastcgi_param REQUEST_URI    $request_uri;
"""


@pytest.mark.parametrize("seen_before", [
    "", "if ($content_length = 1) { return 411; }",
    "set $length $content_length;",
    "if ($http_content_length = 1) { return 411; }"])
@pytest.mark.parametrize("how", ["length", "chunked"])
def test_fastcgi_gets_the_right_length(gate, how,
                                       seen_before):        # noqa: F811
    sent, kept = long_body(100000)
    with FastCgi() as responder:
        gate = gate(STRIP + seen_before + PARAMS,
                    target=f"fastcgi_pass {responder.address};")
        first = post(gate, sent, how=how)
        assert (first.status, first.json()) == (200, {"made": "by fastcgi"})
        params, body = responder.requests[0]
        assert body == kept
        assert params["CONTENT_LENGTH"] == str(len(kept))
        assert params.get("HTTP_CONTENT_LENGTH", str(len(kept))) == str(
            len(kept))
        assert params["CONTENT_TYPE"] == "application/json"
        again = post(gate, kept)
        assert replayed(again) and again.body == first.body
        assert len(responder.requests) == 1


def test_fastcgi_breaks(gate):                              # noqa: F811
    with Peer(closing) as peer:
        gate = gate(PARAMS, target=f"fastcgi_pass {peer.address};"
                    "fastcgi_read_timeout 500ms;")
        answer = post(gate, b"{}")
        assert answer.status in (502, 504), answer
        check_problem(post(gate, b"{}"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")


# Expect: 100-continue


def talk(port, *steps):
    """Sends each step once the answer to the one before has begun."""
    received = []
    with socket.create_connection(("127.0.0.1", port), seconds(10)) as sock:
        for step in steps:
            sock.sendall(step)
            received.append(sock.recv(65536))
        sock.settimeout(seconds(2))
        try:
            received.append(b"".join(iter(lambda: sock.recv(65536), b"")))
        except socket.timeout:
            pass
    return received


def expecting(key, body, **more):
    headers = {**HEADERS, "Expect": "100-continue", "Connection": "close",
               **more}
    if key:
        headers["Idempotency-Key"] = key
    data = client.http_bytes("POST", "/order", body, headers)
    return data[:-len(body)], body


def test_expect_100_continue(gate):                         # noqa: F811
    gate = gate(STRIP)
    sent, kept = long_body(5000)
    begin, answer, *rest = talk(gate.port, *expecting("k", sent))
    assert begin == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    check_arrived(gate, kept)


@pytest.mark.parametrize("key, more, status", [
    (None, {}, b"400"), ("a b", {}, b"400"),
    ("k", {"Content-Type": "text/plain"}, b"415"),
    ("k", {"Authorization": "x"}, b"401")])
def test_refused_without_asking_for_the_body(gate, key, more,
                                             status):       # noqa: F811
    """No 100: the client need not send what nobody will read."""
    gate = gate(STRIP)
    head, body = expecting(key, b"{}" + b" " * 4000, **more)
    received = client.raw(gate.port, head, limit=1)
    assert received.startswith(b"HTTP/1.1 " + status), received
    assert gate.arrived() == 0


# T9: a refusal ends where it ends; the next request is the next request


INNER = order_bytes("inner", headers={"Connection": "close"})


@pytest.mark.parametrize("headers, body, status", [
    ({"Idempotency-Key": None}, b"{}", 400),
    ({"Idempotency-Key": "a b"}, b"{}", 400),
    ({"Authorization": None}, b"{}", 401),
    ({"Content-Type": "text/plain"}, b"{}", 415),
    ({}, b"{", 400), ({}, b'{"a":1}x', 400), ({}, b"\xff", 400),
    ({}, b"[" * 100 + b"]" * 100, 400),
    ({"Content-Encoding": "gzip"}, b"{}", 415),
])
def test_t9_connection_after_a_refusal(gate, headers, body,
                                       status):             # noqa: F811
    """Kept, where the body was read or discarded whole (review C1)."""
    gate = gate(STRIP)
    named = {**order("k").headers, **headers}
    named = {n: v for n, v in named.items() if v is not None}
    with client.Session(gate.port) as session:
        path = order("k").path
        for _ in range(3):
            answer = session.request("POST", path, body, named)
            assert answer.status == status, answer
            assert session.alive(), answer
        seed = order("next")
        assert session.request("POST", seed.path, seed.body,
                               seed.headers).status == 200
    assert gate.arrived() == 1
    gate.finished(4)


@pytest.mark.parametrize("headers, body", [
    ({"Idempotency-Key": None}, b"{}"),
    ({"Content-Type": "text/plain"}, b"{}"),
    ({}, b"{"), ({}, b'{"a":"' + b"x" * 3000 + b'"}'),
], ids=["key", "type", "cut", "large"])
@pytest.mark.parametrize("how", ["length", "chunked"])
def test_t9_pipelined_after_a_refusal(gate, headers, body,
                                      how):                 # noqa: F811
    gate = gate(STRIP + "order_guard_body_limit 2k;")
    named = {**order("k").headers, **headers}
    named = {n: v for n, v in named.items() if v is not None}
    received = client.raw(gate.port, framed(how, body, named) + INNER,
                          limit=2)
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", received)
    assert statuses[0][:1] == b"4", received
    assert statuses[1:] in ([b"200"], []), received
    assert gate.arrived() == len(statuses) - 1


def framed(how, body, headers):
    if how == "length":
        return client.http_bytes("POST", order("k").path, body, headers)
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
    return (f"POST {order('k').path} HTTP/1.1\r\nHost: h\r\n{lines}"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
            + client.chunked([body]))


@pytest.mark.parametrize("headers, head", [
    ({"Idempotency-Key": None}, b""),
    ({"Content-Type": "text/plain"}, b""),
    ({}, b"["), ({}, b""),
])
@pytest.mark.parametrize("how", ["length", "chunked"])
def test_request_within_a_refused_body_is_no_request(
        gate, headers, head, how):                          # noqa: F811
    gate = gate(STRIP + "order_guard_body_limit 2k;")
    named = {**order("k").headers, **headers}
    named = {n: v for n, v in named.items() if v is not None}
    body = head + INNER + b" " * 3000 + INNER
    received = client.raw(gate.port, framed(how, body, named), limit=1)
    assert received.count(b"HTTP/1.1 ") == 1, received
    assert gate.arrived() == 0


@pytest.mark.parametrize("cut", [0, 1, 500, 2500])
def test_refused_body_that_comes_later(gate, cut):          # noqa: F811
    """The refusal is there before the body is: the rest is discarded, or
    the connection ends, and nothing of it is a request."""
    gate = gate(STRIP)
    named = {n: v for n, v in order("k").headers.items()
             if n != "Idempotency-Key"}
    body = b"[" + INNER + b" " * 3000
    data = client.http_bytes("POST", order("k").path, body, named)
    head = len(data) - len(body)
    with socket.create_connection(("127.0.0.1", gate.port),
                                  seconds(5)) as sock:
        sock.sendall(data[:head + cut])
        received = sock.recv(65536)
        try:
            sock.sendall(data[head + cut:] + INNER)
            received += b"".join(iter(lambda: sock.recv(65536), b""))
        except OSError:
            pass
    assert received.startswith(b"HTTP/1.1 400 "), received
    statuses = received.count(b"HTTP/1.1 ")
    assert gate.arrived() == statuses - 1 <= 1, received
