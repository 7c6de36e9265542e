"""Errors of an upstream on the wire: which headers stay, and what becomes of
an answer that ends too early."""

import gzip
import socket

import pytest

from og import client
from og.gate import gate                                    # noqa: F401
from og.http2 import Http2
from og.own_errors import (Row, check_own, check_same,      # noqa: F401
                           rest, servers, strict)
from og.paths import seconds
from og.peer import Peer, closing, in_turn, resetting, sending
from og.problem import check_problem

VERSIONS = ("1.0", "1.1", "2")
PROXY = "proxy_http_version 1.1; proxy_pass http://PEER;"

KEPT = (
    ("WWW-Authenticate", 'Bearer realm="orders", error="invalid_token"'),
    ("WWW-Authenticate", 'Basic realm="orders"'),
    ("Retry-After", "17"),
    ("Allow", "GET, HEAD"),
    ("RateLimit", '"default";r=0;t=17'),
    ("RateLimit-Policy", '"default";q=9;w=60'),
    ("X-RateLimit-Remaining", "0"),
    ("Location", "https://help.example/full"),
    ("Link", "<https://help.example>; rel=help"),
    ("Link", "<https://terms.example>; rel=terms"),
    ("Access-Control-Allow-Origin", "https://shop.example"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Methods", "POST"),
    ("Access-Control-Allow-Headers", "Idempotency-Key"),
    ("Access-Control-Expose-Headers", "Retry-After"),
    ("Access-Control-Max-Age", "60"),
    ("X-Request-Id", "7f1c"),
    ("X-Correlation-Id", "7f1d"),
    ("Vary", "Origin"),
)
DROPPED = (
    ("Content-Encoding", "gzip"),
    ("ETag", '"e17"'),
    ("Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT"),
    ("Accept-Ranges", "bytes"),
    ("Content-Range", "bytes 0-9/10"),
    ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ("Digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ("Content-Digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3h=:"),
    ("Repr-Digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=:"),
    ("Trailer", "X-Sum"),
)
STATUSES = {401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            416: "Range Not Satisfiable", 422: "Unprocessable Content",
            429: "Too Many Requests", 500: "Internal Server Error",
            503: "Service Unavailable"}
BODY = b'{"code":"FULL","message":"no"}' + b" " * 9


def failing(status, framing, headers=KEPT + DROPPED, body=BODY,
            media_type="application/json"):
    """An upstream's error with all of these headers."""
    lines = [f"HTTP/1.1 {status} {STATUSES[status]}",
             f"Content-Type: {media_type}",
             *(f"{name}: {value}" for name, value in headers)]
    content = body
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        content = client.chunked([body[:5], body[5:]])
        content = content[:-2] + b"X-Sum: 1\r\n\r\n"
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"

    def act(sock, request, _):
        is_head = request.startswith(b"HEAD")
        sock.sendall(head if is_head else head + content)
        return framing != "close"
    return act


def values(headers, name):
    return [value for other, value in headers if other == name]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_headers(servers, status, framing):                 # noqa: F811
    made = servers(Row(status, "", PROXY, act=failing(status, framing)))
    for version in VERSIONS:
        for method in ("GET", "POST", "HEAD"):
            answer, alive = made.ask("on", Row(status, ""), version, method)
            check_answer(answer, status, method)
            assert alive, (version, method)


def check_answer(answer, status, method):
    assert answer.status == status, answer
    assert answer.media_type == "application/problem+json", answer
    for name, _ in KEPT:
        assert answer.values(name) == values(KEPT, name), answer
    for name, _ in DROPPED:
        assert answer.values(name) == [], answer
    assert answer.values("Transfer-Encoding") == [], answer
    if method == "HEAD":
        assert answer.body == b""
        assert str(len(BODY)) not in answer.values("Content-Length")
        return
    assert answer.values("Content-Length") == [str(len(answer.body))]
    assert strict(answer.body)["origin"] == "upstream"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_headers_of_a_body_that_was_taken(servers, framing):  # noqa: F811
    """Without Content-Encoding the code of the body is the problem's."""
    row = Row(503, "FULL", PROXY, act=failing(503, framing, [
        ("ETag", '"1"'), ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")]))
    made = servers(row)
    for version in VERSIONS:
        answer, _ = made.ask("on", row, version)
        check_problem(answer, row.status, row.code, "upstream")
        assert answer.values("ETag") + answer.values("Content-MD5") == []


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_errors_off(servers, framing):                      # noqa: F811
    row = Row(503, "", PROXY, act=failing(503, framing))
    made = servers(row)
    for version in VERSIONS:
        answer = check_same(made, row, version, guard="alone")
        assert (answer.status, answer.body) == (503, BODY)


@pytest.mark.parametrize("answer", [
    b"SSH-2.0-OpenSSH_9.2p1\r\n", b"HTTP/1.1 999 X\r\n\r\n"])
def test_errors_off_of_what_is_no_answer(servers, answer):  # noqa: F811
    made = servers(Row(200, "", PROXY, act=sending(answer)))
    ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert b"problem" in client.raw(made.ports["on"], ask)
    assert b"problem" not in client.raw(made.ports["alone"], ask)


def test_errors_off_of_a_part_with_a_key(gate):             # noqa: F811
    """What was held back has no other end than the guard's own document;
    nginx's own page says that the outcome is not known."""
    with Peer(cut(b"200 OK", "length", closing)) as peer:
        made = gate("order_guard_errors off;", address=peer.address)
        check_problem(made.order("k"), 502, "UPSTREAM_RESET", "gateway")
        answer = made.order("k")
        assert (answer.status, answer.media_type) == (409, "text/html")


def test_gzip_of_the_gateway(servers):                      # noqa: F811
    """nginx's own is another's affair; it compresses no other errors than
    403 and 404."""
    row = Row(404, "FULL", PROXY + "gzip on; gzip_min_length 1; gzip_types "
              "application/problem+json;", act=failing(404, "length", ()),
              headers={"Accept-Encoding": "gzip"})
    made = servers(row)
    for version in ("1.1", "2"):
        answer, alive = made.ask("on", row, version)
        assert answer.values("Content-Encoding") == ["gzip"], answer
        assert strict(gzip.decompress(answer.body))["code"] == "FULL"
        assert alive


# answers that end too early

WHOLE = b'{"code":"FULL","message":"' + b"x" * 3000 + b'"}'
PART = WHOLE[:2000]


def cut(status, framing, end, part=PART):
    """An act that sends a part of the answer, and then does `end`."""
    frame = (b"Content-Length: %d\r\n\r\n%s" % (len(WHOLE), part)
             if framing == "length" else
             b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(WHOLE),
                                                              part))

    def act(sock, head, body):
        sock.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Type: "
                     b"application/json\r\nETag: \"1\"\r\n" + frame)
        return end(sock, head, body)
    return act


def stalling(sock, head, body):
    sock.recv(1)
    return False


CUTS = [(framing, end) for framing in ("length", "chunked")
        for end in (closing, stalling)]
ENDS = pytest.mark.parametrize("framing, end", CUTS, ids=[
    f"{framing}-{end.__name__}" for framing, end in CUTS])
SHORT = PROXY + "proxy_read_timeout 200ms;"


@ENDS
def test_part_of_a_streamed_answer(servers, framing, end):  # noqa: F811
    """Only a connection that breaks off can tell of it, and what nginx has
    kept back is lost."""
    made = servers(Row(200, "", SHORT, act=cut(b"200 OK", framing, end)))
    taken = {guard: take(made, guard) for guard in made.ports}
    assert taken["on"] == taken["alone"] == taken["bare"]
    head, body, http2_body, reset = taken["on"]
    assert head[0].startswith(b"HTTP/1.1 200 "), head
    assert body in b"%x\r\n%s\r\n" % (len(PART), PART), body
    assert PART.startswith(http2_body) and reset is not None


def take(made, guard):
    """What comes over HTTP/1.1, and over HTTP/2."""
    with socket.create_connection(("127.0.0.1", made.ports[guard]),
                                  seconds(10)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with sock.makefile("rb") as stream:
            head = [line for line in iter(stream.readline, b"\r\n")
                    if not line.startswith(b"Date:")]
            body = rest(stream)
    with Http2(made.h2[guard]) as connection:
        answer, = connection.wait([connection.open("GET", "/", end=True)])
        assert answer.status == 200
        return head, body, answer.body, answer.reset


@ENDS
@pytest.mark.parametrize("status", [b"200 OK", b"422 U", b"500 I"])
def test_part_of_an_answer_with_a_key(gate, framing, end,
                                      status):              # noqa: F811
    """Nothing has left yet."""
    with Peer(cut(status, framing, end)) as peer:
        made = gate("proxy_http_version 1.1; proxy_read_timeout 200ms;",
                    address=peer.address)
        for number, ask in enumerate((made.order, made.order_http2), 1):
            answer = ask(f"k{number}")
            check_own(answer, 502, "UPSTREAM_RESET", retryable=False)
            assert answer.json()["safe_new_key"] is False
            assert ask(f"k{number}").code == "IDEMPOTENCY_OUTCOME_UNKNOWN"
            assert len(peer.requests) == number


@ENDS
@pytest.mark.parametrize("status", [b"404 N", b"422 U", b"500 I", b"503 S"])
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_part_of_an_error(servers, framing, end, status,
                          buffering):                       # noqa: F811
    """It was gathered: one whole document, and nothing of the part."""
    row = Row(502, "UPSTREAM_RESET", SHORT
              + f"proxy_buffering {buffering};",
              act=cut(status, framing, end))
    made = servers(row)
    for version in VERSIONS:
        answer, alive = made.ask("on", row, version)
        check_own(answer, row.status, row.code)
        assert b"xxx" not in answer.body
        assert alive


@pytest.mark.parametrize("size", [0, 1, 60000])
def test_part_of_any_size(servers, size):                   # noqa: F811
    def act(sock, head, body):
        sock.sendall(b"HTTP/1.1 500 I\r\nContent-Type: text/html\r\n"
                     b"Content-Length: 900000\r\n\r\n" + b"x" * size)
        return False
    row = Row(502, "UPSTREAM_RESET", SHORT, act=act)
    made = servers(row)
    for version in VERSIONS:
        answer, alive = made.ask("on", row, version)
        check_own(answer, row.status, row.code)
        assert alive


def test_end_that_cannot_be_told(servers):                  # noqa: F811
    """Without a length the end of the connection is that of the answer."""
    row = Row(503, "SERVICE_UNAVAILABLE", SHORT, act=sending(
        b"HTTP/1.1 503 S\r\nContent-Type: application/json\r\n\r\n" + PART))
    made = servers(row)
    for version in VERSIONS:
        answer, alive = made.ask("on", row, version)
        check_problem(answer, row.status, row.code, "upstream")
        assert alive


def test_whole_after_a_part(servers):                       # noqa: F811
    """What was cut short leaves nothing behind for the next request."""
    row = Row(503, "FULL", PROXY, act=in_turn(
        cut(b"503 S", "length", resetting), failing(503, "chunked", ())))
    made = servers(row)
    with client.Session(made.ports["on"]) as session:
        check_own(session.request("GET", "/"), 502, "UPSTREAM_RESET")
        check_problem(session.request("GET", "/"), 503, "FULL", "upstream")
        assert session.alive()
