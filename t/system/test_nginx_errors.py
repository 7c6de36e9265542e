"""Every error that nginx makes by itself, provoked: one problem document, by
each protocol, on a connection that lives as long as nginx lets it."""

import socket

import pytest

from og import client
from og.own_errors import (Row, check_bare, check_headers,  # noqa: F401
                           check_own, check_same, servers)
from og.peer import answering, closing, sending
from og.process import wait_until

VERSIONS = ("1.0", "1.1", "2")
BASIC = 'auth_basic orders; auth_basic_user_file ROOT/users;'
ASKS = {"WWW-Authenticate": 'Basic realm="orders"'}
WRONG = {"Authorization": "Basic YTpj"}
AUTH = "location = /auth { internal; order_guard off; %s }"
PROXY = "proxy_pass http://PEER;"


def silent(sock, head, body):
    sock.recv(1)


TABLE = {
    # access
    "auth_basic": Row(401, "UNAUTHORIZED", BASIC, kept=ASKS),
    "auth_basic, wrong": Row(401, "UNAUTHORIZED", BASIC, headers=WRONG,
                             kept=ASKS),
    "auth_basic, no file": Row(
        403, "FORBIDDEN", BASIC.replace("users", "none"), headers=WRONG),
    "deny": Row(403, "FORBIDDEN", "deny all;"),
    "deny an order": Row(403, "FORBIDDEN", "deny all;", "POST", body=b"{}"),
    "limit_except": Row(403, "FORBIDDEN", "limit_except GET { deny all; }",
                        "POST", body=b"{}"),
    "folder": Row(403, "FORBIDDEN", path="/folder/"),
    "internal": Row(404, "NOT_FOUND", "internal;"),
    "auth_request 401": Row(
        401, "UNAUTHORIZED", "auth_request /auth;",
        server=AUTH % PROXY, kept=ASKS, act=answering(
            b"", b"401 Unauthorized", [b'WWW-Authenticate: Basic '
                                       b'realm="orders"'])),
    "auth_request 403": Row(403, "FORBIDDEN", "auth_request /auth;",
                            server=AUTH % "return 403;"),
    "auth_request 404": Row(500, "INTERNAL_SERVER_ERROR",
                            "auth_request /auth;", server=AUTH % ""),
    "auth_request 502": Row(
        500, "INTERNAL_SERVER_ERROR", "auth_request /auth;",
        server=AUTH % "proxy_pass http://DEAD;"),
    "auth_request guarded": Row(
        403, "FORBIDDEN", "auth_request /auth;",
        server="location = /auth { return 403; }"),
    "satisfy any": Row(401, "UNAUTHORIZED", "satisfy any; deny all;" + BASIC,
                       kept=ASKS),
    "satisfy any, auth_request": Row(
        403, "FORBIDDEN", "satisfy any; deny all; auth_request /auth;",
        server=AUTH % "return 403;"),
    "satisfy all": Row(403, "FORBIDDEN", "satisfy all; deny all;" + BASIC),

    # files and methods
    "no file": Row(404, "NOT_FOUND", path="/none"),
    "post to a file": Row(405, "METHOD_NOT_ALLOWED", "", "POST", "/page.txt",
                          body=b"{}"),
    "post to a gif": Row(405, "METHOD_NOT_ALLOWED", "empty_gif;", "POST",
                         body=b"{}"),
    "precondition": Row(412, "PRECONDITION_FAILED", path="/page.txt",
                        headers={"If-Match": '"none"'}),
    "range": Row(416, "RANGE_NOT_SATISFIABLE", path="/page.txt",
                 headers={"Range": "bytes=100-"}),
    "dav: a folder that is there": Row(
        405, "METHOD_NOT_ALLOWED", "dav_methods MKCOL;", "MKCOL", "/folder/"),
    "dav: a folder without a parent": Row(
        409, "CONFLICT", "dav_methods MKCOL;", "MKCOL", "/none/a/"),
    "dav: a folder with a body": Row(
        415, "UNSUPPORTED_MEDIA_TYPE", "dav_methods MKCOL;", "MKCOL", "/a/",
        body=b"{}"),
    "dav: part of a file": Row(
        501, "NOT_IMPLEMENTED", "dav_methods PUT;", "PUT", "/a", body=b"{}",
        headers={"Content-Range": "bytes 0-1/9"}),

    # bodies
    "too large": Row(413, "BODY_TOO_LARGE",
                     "client_max_body_size 1k; proxy_pass http://DEAD;",
                     "POST", body=b"x" * 1025),
    "too large, to a file": Row(413, "BODY_TOO_LARGE",
                                "client_max_body_size 1k;", "POST",
                                body=b"x" * 1025),
    "too large, chunked": Row(
        413, "BODY_TOO_LARGE",
        "client_max_body_size 1k; proxy_pass http://DEAD;", "POST",
        body=b"x" * 1025, chunked=True),

    # configuration
    "rewrite in circles": Row(500, "INTERNAL_SERVER_ERROR",
                              "rewrite ^ /again last;"),
    "try_files in circles": Row(500, "INTERNAL_SERVER_ERROR",
                                "try_files /none /again;"),
    "no variable": Row(500, "INTERNAL_SERVER_ERROR",
                       "proxy_pass $arg_none;"),
    "return 411": Row(411, "LENGTH_REQUIRED", "return 411;"),
    "return 404": Row(404, "NOT_FOUND", "return 404;"),
    "return 503": Row(503, "SERVICE_UNAVAILABLE", "return 503;",
                      retryable=True),
    "try_files 410": Row(410, "GONE", "try_files /none =410;"),

    # limits
    "limit_req": Row(
        503, "SERVICE_UNAVAILABLE", "limit_req zone=asks;", before=1,
        http="limit_req_zone $guard zone=asks:64k rate=1r/m;",
        path="/page.txt", retryable=True),
    "limit_req 429": Row(
        429, "TOO_MANY_REQUESTS",
        "limit_req zone=asks; limit_req_status 429;", before=1,
        http="limit_req_zone $guard zone=asks:64k rate=1r/m;",
        path="/page.txt", retryable=True),

    # upstreams
    "dead": Row(502, "UPSTREAM_UNREACHABLE", "proxy_pass http://DEAD;",
                retryable=True),
    "dead, an order": Row(502, "UPSTREAM_UNREACHABLE",
                          "proxy_pass http://DEAD;", "POST", body=b"{}",
                          retryable=True),
    "dead FastCGI": Row(502, "UPSTREAM_UNREACHABLE", "fastcgi_pass DEAD;",
                        retryable=True),
    "dead uwsgi": Row(502, "UPSTREAM_UNREACHABLE", "uwsgi_pass DEAD;",
                      retryable=True),
    "dead gRPC": Row(502, "UPSTREAM_UNREACHABLE", "grpc_pass grpc://DEAD;",
                     retryable=True),
    "no TLS": Row(502, "UPSTREAM_UNREACHABLE", "proxy_pass https://BARE;",
                  retryable=True),
    "no name": Row(
        502, "UPSTREAM_UNREACHABLE",
        "set $a a.invalid; resolver 127.0.0.1:1; resolver_timeout 100ms;"
        "proxy_pass http://$a:80;", retryable=True),
    "hangs up": Row(502, "UPSTREAM_RESET", PROXY, act=closing),
    "no HTTP": Row(502, "UPSTREAM_RESET", PROXY, bare=False,
                   act=sending(b"SSH-2.0-OpenSSH_9.2p1\r\n")),
    "no header": Row(502, "UPSTREAM_RESET", PROXY,
                     act=sending(b"HTTP/1.1 200 OK\r\n\0: a\r\n\r\n")),
    "half a header": Row(502, "UPSTREAM_RESET", PROXY,
                         act=sending(b"HTTP/1.1 200 OK\r\nETag: ")),
    "large header": Row(502, "UPSTREAM_RESET", PROXY, act=sending(
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n")),
    "silent": Row(504, "UPSTREAM_TIMEOUT",
                  PROXY + "proxy_read_timeout 100ms;", act=silent),
}


@pytest.mark.parametrize("name", TABLE)
def test_error(servers, name):                              # noqa: F811
    row = TABLE[name]
    made = servers(row)
    for version in VERSIONS:
        answer, alive = made.ask("on", row, version)
        check_own(answer, row.status, row.code, row.kept, row.retryable)
        if row.method == "GET":
            check_head(made, row, version, answer)
        if row.bare:
            bare, bare_alive = made.ask("bare", row, version)
            check_bare(bare, row.status)
            assert alive == bare_alive, (version, answer)


def check_head(made, row, version, answer):
    """As to GET, less the body."""
    head, alive = made.ask("on", row, version, "HEAD")
    assert (head.status, head.body) == (row.status, b""), (version, head)
    check_headers(head, len(answer.body), row.kept)
    if row.bare:
        assert alive == made.ask("bare", row, version, "HEAD")[1]


@pytest.mark.parametrize("name", [n for n in TABLE if TABLE[n].bare])
def test_errors_off(servers, name):                         # noqa: F811
    """The body is nginx's, and so are the headers."""
    row = TABLE[name]
    made = servers(row)
    for version in VERSIONS:
        check_bare(check_same(made, row, version, guard="alone"), row.status)


def test_range_tells_the_length(servers):                   # noqa: F811
    """RFC 9110, section 15.5.17: of what could have been asked for, and not
    of the problem."""
    row = TABLE["range"]
    made = servers(row)
    for version in VERSIONS:
        answer, _ = made.ask("on", row, version)
        assert answer.values("Content-Range") == ["bytes */13"], version


def test_limit_conn(servers):                               # noqa: F811
    """While another request is on its way."""
    row = Row(503, "SERVICE_UNAVAILABLE",
              "limit_conn asks 1; proxy_pass http://DEAD;",
              http="limit_conn_zone $guard zone=asks:64k;")
    made = servers(row)
    begun = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
    with client.leave(made.ports["on"], begun):
        wait_until(lambda: made.ask("on", row, "1.1")[0].status == 503)
        for version in VERSIONS:
            answer, alive = made.ask("on", row, version)
            check_own(answer, row.status, row.code, retryable=True)
            assert alive
            check_head(made, row, version, answer)


def test_connect_times_out(servers):                        # noqa: F811
    """A full backlog: the kernel answers no SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fill = [socket.socket() for _ in range(3)]
        for sock in fill:
            sock.setblocking(False)
            sock.connect_ex(address)
        row = Row(504, "UPSTREAM_TIMEOUT", "proxy_connect_timeout 100ms;"
                  f"proxy_pass http://127.0.0.1:{address[1]};")
        made = servers(row)
        for version in VERSIONS:
            answer, alive = made.ask("on", row, version)
            check_own(answer, row.status, row.code, retryable=True)
            assert alive
            check_head(made, row, version, answer)
        for sock in fill:
            sock.close()


# what gets no answer

UNANSWERED = {
    "no line": (b"GET / HT", "408"),
    "no header": (b"GET / HTTP/1.1\r\nHost: a\r\n", "408"),
    "no body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
                "408"),
    "half a chunk": (b"POST / HTTP/1.1\r\nHost: a\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n9\r\n{", "408"),
    "return 408": (b"GET /408 HTTP/1.1\r\nHost: a\r\n\r\n", "408"),
    "return 444": (b"GET /444 HTTP/1.1\r\nHost: a\r\n\r\n", "444"),
}


@pytest.mark.parametrize("name", UNANSWERED)
@pytest.mark.parametrize("guard", ["on", "bare"])
def test_closed_without_an_answer(servers, name, guard):    # noqa: F811
    """nginx sends no 408 for what does not come; nor is one made up."""
    data, status = UNANSWERED[name]
    made = servers(Row(
        0, "", "proxy_pass http://DEAD;", http="client_header_timeout 200ms;"
        "client_body_timeout 200ms; log_format at '$server_port $status ';"
        "access_log logs/at.log at;",
        server="location = /408 { return 408; }"
        "location = /444 { return 444; }"))
    port = made.ports[guard]
    assert client.raw(port, data) == b""
    wait_until(lambda: f"{port} {status} " in log(made))


def log(made):
    with open(made.nginx.path("logs/at.log")) as text:
        return text.read()
