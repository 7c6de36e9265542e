"""Bodies over HTTP/2: with and without a length, in any frames (T11); aborts
at any frame."""

import pytest

from og import client
from og.gate import gate, order, replayed                   # noqa: F401
from og.http2 import DATA, END_STREAM, PADDED, Http2, frame
from og.process import wait_until
from og.upstream import header

HEADERS_OF = {"authorization": "Bearer t", "content-type": "application/json"}
STRIP = "order_guard_strip price;"
BUFFERS = ["client_body_buffer_size 300k;", "client_body_buffer_size 1k;",
           "client_body_in_file_only on;", "client_body_in_file_only clean;",
           "proxy_request_buffering off; proxy_http_version 1.1;"]


def cut(size):
    half = b"x" * (size // 2)
    return (b'{"a":"' + half + b'","price":1,"b":"' + half + b'"}',
            b'{"a":"' + half + b'","b":"' + half + b'"}')


def fields(key="k", length=None):
    named = {**HEADERS_OF, "idempotency-key": key}
    if length is not None:
        named["content-length"] = str(length)
    return named


def check_arrived(gate, kept):                              # noqa: F811
    request = gate.upstream.last()
    assert request["body"] == kept
    assert header(request, "Content-Length") == [str(len(kept))]


@pytest.mark.parametrize("buffers", BUFFERS)
def test_t11_body_over_http2(gate, buffers):                # noqa: F811
    gate = gate(STRIP + buffers)
    for size in (10, 3000, 60000):
        for with_length in (True, False):
            check_body(gate, size, with_length)


def check_body(gate, size, with_length):                    # noqa: F811
    sent, kept = cut(size)
    key = f"{size}{with_length}"
    before = gate.arrived()
    with Http2(gate.h2) as connection:
        stream = connection.request(
            "POST", "/order", sent,
            fields(key, len(sent) if with_length else None))
        first, = connection.wait([stream])
        assert first.status == 200, first
        check_arrived(gate, kept)
        stream = connection.request("POST", "/order", kept, fields(key))
        again, = connection.wait([stream])
    assert (again.status, again.body) == (200, first.body)
    assert gate.arrived() == before + 1


@pytest.mark.parametrize("buffers", BUFFERS)
def test_t11_body_beyond_the_window(gate, buffers):         # noqa: F811
    """curl obeys flow control; from a pipe it sends no length."""
    gate = gate(STRIP + buffers)
    sent, kept = cut(200000)
    for key, body in (("length", sent), ("pipe", [sent])):
        answer = client.http2(gate.h2, "POST", "/order", body, fields(key))
        assert answer.status == 200, answer
        check_arrived(gate, kept)


@pytest.mark.parametrize("with_length", [True, False])
def test_body_in_small_frames(gate, with_length):           # noqa: F811
    gate = gate(STRIP + "client_body_buffer_size 64;")
    sent, kept = cut(300)
    for part in (1, 10, 100):
        with Http2(gate.h2) as connection:
            stream = connection.open(
                "POST", "/order",
                fields(f"k{part}", len(sent) if with_length else None))
            for start in range(0, len(sent), part):
                connection.send(stream, sent[start:start + part], end=False)
            connection.send(stream, b"")
            answer, = connection.wait([stream])
        assert answer.status == 200, answer
        check_arrived(gate, kept)


def test_padded_frames(gate):                               # noqa: F811
    gate = gate(STRIP)
    sent, kept = cut(300)
    with Http2(gate.h2) as connection:
        for pad in (0, 1, 255):
            stream = connection.open("POST", "/order", fields(f"k{pad}"))
            connection.sock.sendall(frame(
                DATA, END_STREAM | PADDED, stream,
                bytes((pad,)) + sent + b"\0" * pad))
            answer, = connection.wait([stream])
            assert answer.status == 200, answer
            check_arrived(gate, kept)


@pytest.mark.parametrize("how", ["headers", "data"])
@pytest.mark.parametrize("length", [None, 0])
def test_empty_body_is_none(gate, how, length):             # noqa: F811
    gate = gate(STRIP)
    with Http2(gate.h2) as connection:
        stream = connection.open("POST", "/order", fields(length=length),
                                 end=how == "headers")
        if how == "data":
            connection.send(stream, b"")
        answer, = connection.wait([stream])
    assert answer.status == 200, answer
    assert gate.upstream.last()["body"] == b""


@pytest.mark.parametrize("length, body", [(10, b"{}"), (1, b"{}"), (0, b"{}"),
                                          (2, b"")])
def test_length_that_does_not_match(gate, redis, length, body):  # noqa: F811
    gate = gate(STRIP)
    with Http2(gate.h2) as connection:
        stream = connection.request("POST", "/order", body,
                                    fields(length=length))
        answer, = connection.wait([stream])
    assert answer.status in (None, 400), answer
    assert gate.arrived() == 0
    assert redis.records() == []


@pytest.mark.parametrize("kind", ["cut", "deep", "large"])
def test_refused_body(gate, kind):                          # noqa: F811
    """The connection lives on, and other streams with it."""
    body, status = {"cut": (b"{", 400), "deep": (b"[" * 100, 400),
                    "large": (b"x" * 300000, 413)}[kind]
    gate = gate(STRIP)
    with Http2(gate.h2) as connection:
        if len(body) < 60000:
            bad = connection.request("POST", "/order", body, fields())
        else:
            bad = connection.open("POST", "/order",
                                  fields(length=len(body)))
        good = connection.request("POST", "/order", b"{}", fields("k2"))
        refused, answer = connection.wait([bad, good])
    assert (refused.status, answer.status) == (status, 200)
    assert gate.arrived() == 1


def test_refused_before_its_body_comes(gate):               # noqa: F811
    gate = gate(STRIP)
    with Http2(gate.h2) as connection:
        named = {n: v for n, v in fields().items() if n != "idempotency-key"}
        bad = connection.open("POST", "/order", named)
        refused, = connection.wait([bad])
        assert refused.status == 400
        assert b"IDEMPOTENCY_KEY_REQUIRED" in refused.body
        connection.sock.sendall(frame(DATA, END_STREAM, bad, b"{}"))
        good = connection.request("POST", "/order", b"{}", fields("k2"))
        answer, = connection.wait([good])
    assert answer.status == 200


def test_many_streams_at_once(gate):                        # noqa: F811
    """One body is scanned at a time; none is mixed up with another."""
    gate = gate(STRIP)
    with Http2(gate.h2) as connection:
        streams = {}
        for n in range(50):
            stream = connection.open("POST", "/order", fields(f"k{n}"))
            streams[stream] = b'{"n":%d,"x":"%s"}' % (n, b"y" * n * 20)
        for end in (False, True):
            for stream, body in streams.items():
                half = len(body) // 2
                part = body[half:] if end else body[:half]
                connection.send(stream, part, end=end)
        answers = connection.wait(list(streams))
    for answer, body in zip(answers, streams.values()):
        assert answer.status == 200
        assert body.replace(b'"', b'\\"') in answer.body


@pytest.mark.parametrize("sent", [0, 1, 100, 299])
def test_stream_is_cancelled_within_its_body(gate, redis, sent):  # noqa: F811
    gate = gate(STRIP)
    with Http2(gate.h2) as connection:
        stream = connection.open("POST", "/order", fields())
        connection.send(stream, cut(300)[0][:sent], end=False)
        connection.cancel(stream)
        connection.ping()
        good = connection.request("POST", "/order", b"{}", fields("k2"))
        assert connection.wait([good])[0].status == 200
    assert gate.arrived() == 1
    assert len(redis.records()) == 1


def test_connection_ends_with_orders_in_flight(gate):       # noqa: F811
    """T7: all of them are made and can be replayed."""
    gate = gate()
    with Http2(gate.h2) as connection:
        for n in range(10):
            seed = order(f"k{n}", "hold=all")
            connection.request("POST", seed.path, seed.body, seed.headers)
        gate.upstream.wait_for_requests(10)
    gate.upstream.release("all")
    gate.finished(10)
    for n in range(10):
        answer = wait_until(lambda: finished(gate, f"k{n}"), 5)
        assert answer.status == 200 and replayed(answer)
    assert gate.orders() == 10


def finished(gate, key):                                    # noqa: F811
    answer = gate.order(key)
    return answer if answer.code != "IDEMPOTENCY_IN_PROGRESS" else None
