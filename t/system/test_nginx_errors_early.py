"""Errors of nginx's that come before a location is chosen: those of a
request line, of headers and of TLS. The guard has a say where it is on at
the level of the server that nginx has chosen by then."""

import os
import socket
import ssl
import subprocess
from dataclasses import dataclass

import pytest

from og import client
from og.http2 import Http2
from og.own_errors import (check_bare, check_own, converse, exchange,
                           strict)
from og.paths import seconds
from og.process import free_port

LINE = b"GET / HTTP/1.1\r\n"
HOST = b"Host: second\r\n"
LONG = b"x" * 9000


@dataclass(frozen=True)
class Early:
    data: bytes
    status: int
    code: str
    chosen: bool = True     # after Host has chosen a server

    @property
    def large(self):
        """Whether nginx calls it 494, though it sends 400."""
        return self.status == 400 and len(self.data) > 8000


def line(data, status=400, code="BAD_REQUEST"):
    """Of a request line: Host is not known."""
    return Early(data + b"\r\n" + HOST + b"\r\n", status, code, False)


def header(data, status=400, code="BAD_REQUEST", method=b"GET"):
    return Early(LINE.replace(b"GET", method) + HOST + data + b"\r\n\r\n",
                 status, code)


TABLE = {
    # the request line
    "no method": line(b" / HTTP/1.1"),
    "method in lower case": line(b"get / HTTP/1.1"),
    "no path": line(b"GET  HTTP/1.1"),
    "unknown protocol": line(b"GET / HTTX/1.1"),
    "broken version": line(b"GET / HTTP/1.x"),
    "more behind the version": line(b"GET / HTTP/1.1 x"),
    "no escape": line(b"GET /%zz HTTP/1.1"),
    "escaped NUL": line(b"GET /%00 HTTP/1.1"),
    "above the root": line(b"GET /../ HTTP/1.1"),
    "above the root, HTTP/1.0": line(b"GET /../ HTTP/1.0"),
    "TLS to a plain port": line(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"),
    "line too long": line(b"GET /" + LONG + b" HTTP/1.1", 414,
                          "URI_TOO_LONG"),
    "HTTP/2.0 in HTTP/1": line(b"GET / HTTP/2.0", 505,
                               "HTTP_VERSION_NOT_SUPPORTED"),

    # Host
    "no Host": Early(LINE + b"A: b\r\n\r\n", 400, "BAD_REQUEST", False),
    "no header": Early(LINE + b"\r\n", 400, "BAD_REQUEST", False),
    "bad Host": Early(LINE + b"Host: a/b\r\n\r\n", 400, "BAD_REQUEST",
                      False),
    "empty label": Early(LINE + b"Host: a..b\r\n\r\n", 400, "BAD_REQUEST",
                         False),
    "two Hosts": header(b"Host: second"),
    "two Hosts that differ": header(b"Host: first"),

    # other headers
    "NUL in a value": header(b"A: \0"),
    "bad length": header(b"Content-Length: 1x"),
    "negative length": header(b"Content-Length: -1"),
    "two lengths": header(b"Content-Length: 0\r\nContent-Length: 0"),
    "length and chunks": header(b"Content-Length: 5\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n0"),
    "unknown encoding": header(b"Transfer-Encoding: gzip", 501,
                               "NOT_IMPLEMENTED"),
    "two encodings": header(b"Transfer-Encoding: gzip, chunked", 501,
                            "NOT_IMPLEMENTED"),
    "line of a header too long": header(b"A: " + LONG),
    "headers too large": header(b"\r\n".join([b"A: " + b"x" * 4000] * 5)),
    "CONNECT": header(b"A: b", 405, "METHOD_NOT_ALLOWED", b"CONNECT"),
    "TRACE": header(b"A: b", 405, "METHOD_NOT_ALLOWED", b"TRACE"),
}

SERVER = """
    server {{
        listen 127.0.0.1:{port} {protocol};
        server_name {name};
        large_client_header_buffers 2 4k;
        {server}
        location / {{ {location} return 204; }}
        location = /page {{ return 200 "our own page"; }}
    }}
"""
ON, OFF = "order_guard on;", "order_guard off;"
RULES = ("order_guard_idempotency required; order_guard_limit 1r/h;"
         "order_guard_strip a;")
PAGE = "error_page 400 405 414 494 501 505 /page;"
PAGE_494 = "error_page 494 /page;"


@dataclass(frozen=True)
class Place:
    """Two servers of one port; nginx takes the first where it knows no Host.
    The guard is on at the level of http."""
    first: str = ""
    second: str = ""
    location: str = ""

    def asked(self, row):
        """Whether the guard has a say."""
        server = self.second if row.chosen else self.first
        return server in ("", ON, RULES, PAGE_494)


PLACES = {
    "http": Place(),
    "first server": Place(ON, OFF),
    "second server": Place(OFF, ON),
    "location": Place(OFF, OFF, ON),
    "errors off": Place(*["order_guard_errors off;"] * 2),
    "page": Place(*[PAGE] * 2),
    "page of 494": Place(*[PAGE_494] * 2),
    "rules": Place(*[RULES] * 2),
}


@pytest.fixture
def early(nginx, redis):
    """start(places, protocol): {place: port}"""
    def start(places=PLACES, protocol=""):
        ports = {name: free_port() for name in places}
        text = ON + f"order_guard_store main {redis.address};"
        for place, port in ports.items():
            row = PLACES[place]
            for host, server in (("first", row.first),
                                 ("second", row.second)):
                text += SERVER.format(port=port, protocol=protocol, name=host,
                                      server=server, location=row.location)
        nginx(text, ports.values())
        return ports
    return start


@pytest.mark.parametrize("name", TABLE)
def test_early(early, name):
    """Where it is on in a location alone, the guard is not asked: nginx has
    not looked for one yet."""
    row = TABLE[name]
    lives = set()
    for place, port in early().items():
        answer, alive = exchange(port, row.data)
        lives.add(alive)
        if place == "page" or place == "page of 494" and row.large:
            assert (answer.status, answer.body) == (
                row.status, b"our own page"), answer
        elif PLACES[place].asked(row):
            check_own(answer, row.status, row.code, retryable=False)
        else:
            check_bare(answer, row.status)
    assert len(lives) == 1, "a connection lives longer than another"


def test_http_0_9(early):
    """Has no status and no headers, and a body."""
    ports = early(("http", "location"))
    bodies = [client.raw(port, b"GET /%zz\r\n") for port in ports.values()]
    assert strict(bodies[0])["status"] == 400
    assert b"<center>nginx" in bodies[1]


# HTTP/2

HTTP2 = {
    "bad path": {"path": "/../"},
    "no escape": {"path": "/%zz"},
    "bad length": {"headers": {"content-length": "1x"}},
    "bad Host": {"headers": {"host": "b/c"}},
}
CALM = 11       # ENHANCE_YOUR_CALM

LARGE = {
    "header": {"headers": {"a": "x" * 9000}},
    "path": {"path": "/" + "x" * 9000},
}


def http2(port, path="/", headers=()):
    with Http2(port) as connection:
        stream = connection.open("GET", path, headers, end=True)
        try:
            answer, = connection.wait([stream])
            return answer
        except ConnectionError:
            return connection.goaway


@pytest.mark.parametrize("name", HTTP2)
def test_http2(early, name):
    ports = early(("http", "location"), "http2")
    check_own(http2(ports["http"], **HTTP2[name]), 400, "BAD_REQUEST")
    check_bare(http2(ports["location"], **HTTP2[name]), 400)


@pytest.mark.parametrize("name", LARGE)
def test_http2_too_large(early, name):
    """nginx ends the connection without an answer to the stream."""
    for port in early(("http", "location"), "http2").values():
        assert http2(port, **LARGE[name]) == CALM


# TLS

TLS = """
    {guard}
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name a;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_client_certificate {folder}/ca.pem;
        ssl_verify_client on;
        location / {{ return 204; }}
    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name b;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_client_certificate {folder}/ca.pem;
        ssl_verify_client on;
        location / {{ return 204; }}
    }}
"""


@dataclass(frozen=True)
class Handshake:
    status: int
    code: str
    certificate: str = None     # the client's
    host: str = "a"
    plain: bool = False


# nginx sends 400 for 495, 496 and 497
HANDSHAKES = {
    "495": Handshake(400, "BAD_REQUEST", "foreign"),
    "496": Handshake(400, "BAD_REQUEST"),
    "497": Handshake(400, "BAD_REQUEST", plain=True),
    "421": Handshake(421, "MISDIRECTED_REQUEST", "client", "b"),
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """server and client, signed by ca, and foreign, by itself."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ca", "foreign"):
        openssl("req", "-x509", *key(folder, name), "-out",
                folder / f"{name}.pem", "-days", "9")
    for name in ("server", "client"):
        openssl("req", *key(folder, name), "-out", folder / f"{name}.csr")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA",
                folder / "ca.pem", "-CAkey", folder / "ca.key", "-out",
                folder / f"{name}.pem", "-days", "9", "-CAcreateserial")
    return folder


def key(folder, name):
    return ("-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key")


def openssl(*argv):
    subprocess.run(["openssl", *map(os.fspath, argv)], check=True,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def handshake(port, row, folder):
    data = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % row.host.encode()
    with socket.create_connection(("127.0.0.1", port), seconds(15)) as sock:
        if row.plain:
            return converse(sock, data)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(folder / "ca.pem")
        context.check_hostname = False
        if row.certificate:
            context.load_cert_chain(folder / f"{row.certificate}.pem",
                                    folder / f"{row.certificate}.key")
        with context.wrap_socket(sock, server_hostname="a") as secure:
            return converse(secure, data)


@pytest.mark.parametrize("name", HANDSHAKES)
def test_tls(nginx, certificates, name):
    row = HANDSHAKES[name]
    alive = {}
    for guard in (ON, OFF):
        port = free_port()
        nginx(TLS.format(port=port, guard=guard, folder=certificates),
              [port])
        answer, alive[guard] = handshake(port, row, certificates)
        if guard == ON:
            check_own(answer, row.status, row.code, retryable=False)
        else:
            check_bare(answer, row.status)
    assert alive[ON] == alive[OFF]


# what an operator does about a request that came without TLS

PLAIN = {
    "error_page 497 =301 https://$host$request_uri;": (301, b"301 Moved"),
    "error_page 497 https://$host$request_uri;": (302, b"302 Found"),
    "error_page 497 =426 /page; location = /page { return 426 tls; }": (
        426, b"tls"),
    "error_page 497 /page; location = /page { return 200 tls; }": (
        400, b"tls"),
}


@pytest.mark.parametrize("page", PLAIN)
def test_page_of_497(nginx, certificates, page):
    status, text = PLAIN[page]
    for guard in (OFF, ON):
        port = free_port()
        nginx(TLS.format(port=port, guard=guard, folder=certificates)
              .replace("server_name", page + "server_name"), [port])
        answer, _ = handshake(port, HANDSHAKES["497"], certificates)
        assert (answer.status, text in answer.body) == (status, True), (
            guard, answer)
