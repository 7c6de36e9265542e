"""Servers side by side that differ in the guard alone, what they are asked
byte by byte, and what an error of nginx's own must look like."""

import json
import re
import socket
from dataclasses import dataclass, field

import pytest

from og.client import Response
from og.http2 import Http2Session
from og.paths import seconds
from og.peer import Peer
from og.problem import check_problem
from og.process import free_port

SERVER = """
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{h2} http2;
        {guard}
        set $guard {name};
        root {root};
        {server}

        location / {{
            {rules}
        }}

        location = /then {{
            order_guard off;
            return 204;
        }}
    }}
"""

GUARDS = {
    "on": "order_guard on;",
    "bare": "order_guard off;",
    "alone": "order_guard on; order_guard_errors off;",
}

# HTTP/1 by hand, so that what came behind an answer is seen
THEN = b"GET /then HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Row:
    """One error: `rules` of a location, with PEER, DEAD and BARE for
    addresses, and the request that provokes it."""
    status: int
    code: str
    rules: str = ""
    method: str = "GET"
    path: str = "/"
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    chunked: bool = False       # the body, over HTTP/1.1
    server: str = ""
    http: str = ""
    act: object = None          # of a Peer
    kept: dict = field(default_factory=dict)    # headers that stay
    retryable: bool = False
    before: int = 0             # requests that use up what there is
    bare: bool = True           # whether nginx alone finds it an error


class Servers:
    """`ports` and `h2` are by the names of GUARDS."""

    def __init__(self, nginx, ports, h2):
        self.nginx = nginx
        self.ports = ports
        self.h2 = h2

    def ask(self, guard, row, version, method=None):
        """The answer, and whether the connection has outlived it."""
        method = method or row.method
        if version == "2":
            with Http2Session(self.h2[guard]) as session:
                body = [row.body] if row.chunked else row.body
                answer = session.request(method, row.path, body, row.headers)
                return answer, session.alive()
        return exchange(self.ports[guard], request(row, version, method),
                        method)


@pytest.fixture
def servers(nginx, tmp_path):
    """make(row): Servers, started."""
    peers = []

    def make(row):
        root = files(tmp_path / "root")
        ports = {name: free_port() for name in GUARDS}
        h2 = {name: free_port() for name in GUARDS}
        peer = Peer(row.act) if row.act else None
        peers.append(peer)

        def placed(text):
            return (text.replace("PEER", peer.address if peer else "")
                    .replace("DEAD", f"127.0.0.1:{free_port()}")
                    .replace("BARE", f"127.0.0.1:{ports['bare']}")
                    .replace("ROOT", str(root)))
        text = placed(row.http) + "".join(
            SERVER.format(port=ports[name], h2=h2[name], guard=guard,
                          name=name, root=root, rules=placed(row.rules),
                          server=placed(row.server))
            for name, guard in GUARDS.items())
        made = Servers(nginx(text, [*ports.values(), *h2.values()]), ports,
                       h2)
        for _ in range(row.before):
            for guard in GUARDS:
                made.ask(guard, row, "1.1")
        return made

    yield make
    for peer in filter(None, peers):
        with peer:
            pass


def files(root):
    """A page, one that includes others, a folder without an index, and a
    password."""
    (root / "folder").mkdir(parents=True)
    (root / "page.txt").write_text("our own page\n")
    (root / "includes.html").write_text(
        '<!--# include virtual="/none" --> and '
        '<!--# include virtual="/dead" -->\n')
    (root / "users").write_text("a:{PLAIN}b\n")
    return root


def request(row, version, method):
    headers = {"Host": "a", **row.headers}
    body = row.body
    if version == "1.0":
        headers["Connection"] = "keep-alive"
    if row.chunked and version == "1.1":
        headers["Transfer-Encoding"] = "chunked"
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif body:
        headers["Content-Length"] = len(body)
    lines = [f"{method} {row.path} HTTP/{version}",
             *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def exchange(port, data, method="GET", limit=15):
    """One answer over HTTP/1, and whether the connection serves another
    request; nothing else may come over it."""
    with socket.create_connection(("127.0.0.1", port),
                                  seconds(limit)) as sock:
        return converse(sock, data, method)


def converse(sock, data, method="GET"):
    sock.sendall(data)
    with sock.makefile("rb") as stream:
        answer = read_answer(stream, method)
        if answer.header("Connection") == "close":
            assert rest(stream) == b""
            return answer, False
        sock.sendall(THEN)
        after = rest(stream)
        assert after == b"" or after.startswith(b"HTTP/1.1 204 "), after
        return answer, after != b""


def read_answer(stream, method):
    line = stream.readline()
    assert line.startswith(b"HTTP/1.1 "), line
    headers = []
    for header in iter(stream.readline, b"\r\n"):
        name, colon, value = header.decode("latin-1").partition(": ")
        assert colon, header
        headers.append((name, value.rstrip("\r\n")))
    answer = Response(int(line[9:12]), headers, b"",
                      line[13:].decode("latin-1").strip())
    if method != "HEAD" and answer.status not in (204, 304):
        answer.body = read_body(stream, answer)
    return answer


def read_body(stream, answer):
    if answer.header("Transfer-Encoding") != "chunked":
        length = answer.header("Content-Length")
        return stream.read() if length is None else stream.read(int(length))
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        assert stream.readline() == b"\r\n", body
    assert stream.readline() == b"\r\n", body
    return body


def rest(stream):
    """What still comes; a server that closes with the client's bytes unread
    resets the connection."""
    try:
        return stream.read()
    except ConnectionResetError:
        return b""


# what must hold


def strict(body):
    """The JSON object of `body`; no name twice, no NaN, valid UTF-8."""
    def unique(pairs):
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), names
        return dict(pairs)

    def constant(text):
        raise AssertionError(text)
    return json.loads(body.decode("utf-8"), object_pairs_hook=unique,
                      parse_constant=constant)


def check_own(answer, status, code, kept=(), retryable=None):
    """A problem that the gateway has made, and its headers."""
    problem = check_problem(answer, status, code, "gateway")
    assert strict(answer.body) == problem
    assert re.fullmatch("[0-9a-f]{32}", problem["trace_id"]), problem
    assert retryable in (None, problem["retryable"]), problem
    check_headers(answer, len(answer.body), kept)
    return problem


def check_headers(answer, length, kept=()):
    assert answer.values("Content-Length") == [str(length)], answer
    assert answer.values("Content-Type") == ["application/problem+json"]
    assert answer.values("Cache-Control") == ["no-store"], answer
    for name in ("Transfer-Encoding", "ETag", "Last-Modified",
                 "Accept-Ranges", "Content-Encoding"):
        assert answer.values(name) == [], answer
    for name, value in dict(kept).items():
        assert answer.values(name) == [value], answer


def lasting(answer):
    """The headers but for the date."""
    return [(name, value) for name, value in answer.headers
            if name.lower() != "date"]


def check_same(made, row, version, method=None, guard="on"):
    """The guard changes nothing about an answer; returns it."""
    (bare, lived), (answer, lives) = [
        made.ask(name, row, version, method) for name in ("bare", guard)]
    assert (answer.status, lasting(answer), answer.body, lives) == (
        bare.status, lasting(bare), bare.body, lived), (
            version, bare, answer)
    return answer


def check_bare(answer, status):
    """nginx's own page."""
    assert answer.status == status, answer
    assert answer.media_type == "text/html", answer
    assert b"<center>nginx" in answer.body, answer
