"""What is left as it is: pages of the operator's, answers that are no
errors, and subrequests."""

import socket

import pytest

from og.own_errors import (Row, check_own, check_same,      # noqa: F401
                           converse, exchange, servers)
from og.paths import seconds
from og.peer import answering, sending
from og.problem import check_problem

VERSIONS = ("1.0", "1.1", "2")
DEAD = "proxy_pass http://DEAD;"
PEER = "proxy_pass http://PEER;"
INTERCEPT = PEER + "proxy_intercept_errors on;"
FILE = "location = /page.txt { }"
NAMED = "location @page { %s }"
PAGE = b"our own page\n"
UPSTREAM = answering(b'{"code":"FULL"}', b"503 Service Unavailable",
                     [b"Retry-After: 17"])
BASIC = "auth_basic orders; auth_basic_user_file ROOT/users;"
ASKS = {"WWW-Authenticate": 'Basic realm="orders"'}


def page(status, rules, server=FILE, text=PAGE, **more):
    """A row, and the body that it gets, if that is known."""
    return Row(status, "", rules, server=server, **more), text


PAGES = {
    "file": page(403, "deny all;", FILE + "error_page 403 /page.txt;"),
    "file as 200": page(200, "deny all; error_page 403 =200 /page.txt;"),
    "file as what it is": page(200, "deny all; error_page 403 = /page.txt;"),
    "of a file that is not there": page(
        404, "error_page 404 /page.txt;", path="/none"),
    "of a post": page(405, "error_page 405 /page.txt;", method="POST",
                      path="/includes.html", body=b"{}"),
    "of a large body": page(
        413, "client_max_body_size 1;", FILE + "error_page 413 /page.txt;",
        method="POST", body=b"{}"),
    "of auth_basic": page(401, BASIC, FILE + "error_page 401 /page.txt;",
                          kept=ASKS),
    "of a dead upstream": page(502, DEAD + "error_page 502 /page.txt;"),
    "of the server": page(502, DEAD, FILE + "error_page 502 /page.txt;"),
    "unguarded": page(502, DEAD + "error_page 502 /page.txt;",
                      "location = /page.txt { order_guard off; }"),
    "text": page(503, DEAD + "error_page 502 = @page;",
                 NAMED % 'return 503 "full";', b"full"),
    "text with the status": page(502, DEAD + "error_page 502 @page;",
                                 NAMED % 'return 200 "full";', b"full"),
    "proxied": page(200, DEAD + "error_page 502 = @page;", NAMED % PEER,
                    b"proxied", act=answering(b"proxied")),
    "proxied with the status": page(
        502, DEAD + "error_page 502 @page;", NAMED % PEER, b"proxied",
        act=answering(b"proxied")),
    "proxied as 200": page(200, DEAD + "error_page 502 =200 @page;",
                           NAMED % PEER, b"proxied",
                           act=answering(b"proxied")),
    "a redirect": page(302, "deny all; error_page 403 http://help/;",
                       text=None, kept={"Location": "http://help/"}),
    "intercepted": page(503, INTERCEPT + "error_page 503 /page.txt;",
                        act=UPSTREAM),
    "intercepted as 200": page(
        200, INTERCEPT + "error_page 503 =200 /page.txt;", act=UPSTREAM),
    "intercepted 401": page(
        401, INTERCEPT + "error_page 401 /page.txt;", kept=ASKS,
        act=answering(b"{}", b"401 U", [b'WWW-Authenticate: Basic '
                                        b'realm="orders"'])),
    "intercepted and proxied": page(
        200, INTERCEPT + "error_page 502 503 = @page;",
        NAMED % "rewrite ^ /page.txt break; proxy_pass http://BARE;" + FILE,
        act=UPSTREAM),
}

# errors that come up before the guard is asked, in a location with a page
SELF = "error_page 401 403 413 429 503 /page.txt;"
ZONE = "limit_req_zone $guard zone=asks:64k rate=1r/m;"
AUTH = "location = /auth { return %d; }" + FILE
PAGES.update({
    "in place: deny": page(403, "deny all;" + SELF),
    "in place: auth_basic": page(401, BASIC + SELF, kept=ASKS),
    "in place: auth_request": page(403, "auth_request /auth;" + SELF,
                                   AUTH % 403),
    "in place: a large body": page(413, "client_max_body_size 1;" + SELF,
                                   method="POST", body=b"{}"),
    "in place: limit_req": page(
        503, "limit_req zone=asks;" + SELF, http=ZONE, before=1,
        path="/includes.html"),
    "in place: text": page(401, BASIC + "error_page 401 = @page;",
                           NAMED % 'return 401 "log in";', b"log in"),
    "in place: proxied": page(
        403, "deny all; error_page 403 @page;", NAMED % PEER, b"proxied",
        act=answering(b"proxied")),
    "in place: as 200": page(200, "deny all; error_page 403 =200 @page;",
                             NAMED % 'return 403 "none";', b"none"),
    "in place: return": page(403, SELF + "return 403;"),
    "in place: unguarded": page(
        403, "order_guard off; deny all;" + SELF),
    "of another status": page(503, "deny all;",
                              FILE + "error_page 403 =503 /page.txt;"),
    "of a dead upstream, of another status": page(
        503, DEAD + "error_page 502 =503 /page.txt;"),
})


@pytest.mark.parametrize("name", PAGES)
def test_page_of_the_operator(servers, name):               # noqa: F811
    row, text = PAGES[name]
    made = servers(row)
    for version in VERSIONS:
        answer = check_same(made, row, version)
        assert answer.status == row.status, answer
        assert text in (None, answer.body), answer
        for header, value in row.kept.items():
            assert answer.values(header) == [value], answer
        if row.method == "GET":
            assert check_same(made, row, version, "HEAD").body == b""


# what an error_page does not cover

UNCOVERED = {
    "another status": Row(
        403, "FORBIDDEN", "deny all; error_page 404 /page.txt;"),
    "page that is not there": Row(
        404, "NOT_FOUND", DEAD + "error_page 502 /none;",
        server="location = /none { }"),
    "page of a dead upstream": Row(
        502, "UPSTREAM_UNREACHABLE", DEAD + "error_page 502 = @page;",
        server=NAMED % DEAD),
    "page that is denied": Row(
        403, "FORBIDDEN", DEAD + "error_page 502 = @page;",
        server=NAMED % "deny all;"),
    "intercepted, without a page": Row(
        503, "FULL", INTERCEPT + "error_page 500 /page.txt;", act=UPSTREAM),
    "not intercepted": Row(
        503, "FULL", PEER + "error_page 503 /page.txt;", act=UPSTREAM),
    "fallback": Row(503, "FULL", DEAD + "error_page 502 = @page;",
                    server=NAMED % PEER, act=UPSTREAM),
}


@pytest.mark.parametrize("name", UNCOVERED)
def test_no_page_of_the_operator(servers, name):            # noqa: F811
    row = UNCOVERED[name]
    made = servers(row)
    for version in VERSIONS:
        answer, _ = made.ask("on", row, version)
        if row.act:
            check_problem(answer, row.status, row.code, "upstream")
            assert answer.values("Retry-After") == ["17"]
        else:
            check_own(answer, row.status, row.code)


# no errors

DATED = answering(b"part", b"206 Partial Content",
                  [b"Content-Range: bytes 0-3/9", b'ETag: "1"'])
SUBREQUESTS = "location = /dead { proxy_pass http://DEAD; }"
UNTOUCHED = {
    "file": page(200, "", path="/page.txt"),
    "part of a file": page(206, "", text=b"ur", path="/page.txt",
                           headers={"Range": "bytes=1-2"}),
    "file that is known": page(
        304, "if_modified_since before;", "", b"", path="/page.txt",
        headers={"If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT"}),
    "folder": page(301, "absolute_redirect off;", text=None, path="/folder"),
    "return 204": page(204, "return 204;", text=b""),
    "return 302": page(302, "return 302 http://help/;", text=None),
    "proxied 204": page(204, PEER, text=b"", act=sending(
        b"HTTP/1.1 204 No Content\r\nETag: \"1\"\r\n\r\n")),
    "proxied 206": page(206, PEER, text=b"part", act=DATED),
    "proxied 304": page(304, PEER, text=b"", act=sending(
        b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n")),
    "SSI": page(200, "ssi on;", SUBREQUESTS, None, path="/includes.html"),
    "addition": page(200, "add_after_body /none; addition_types *;", "",
                     None, path="/page.txt"),
    "addition of an upstream": page(
        200, "add_before_body /dead; addition_types *;", SUBREQUESTS, None,
        path="/page.txt"),
    "mirror": page(200, "mirror /dead;", SUBREQUESTS, path="/page.txt"),
    "auth_request": page(200, "auth_request /auth;",
                         "location = /auth { return 204; }",
                         path="/page.txt"),
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_untouched(servers, name):                          # noqa: F811
    row, text = UNTOUCHED[name]
    made = servers(row)
    for version in VERSIONS:
        answer = check_same(made, row, version)
        assert answer.status == row.status, answer
        assert text in (None, answer.body), answer
        assert b"about:blank" not in answer.body, answer
        if "ssi" in row.rules or "dead" in row.rules and text is None:
            assert b"502 Bad Gateway" in answer.body, answer
        assert check_same(made, row, version, "HEAD").body == b""


def switching(sock, head, body):
    """Echoes what comes afterwards."""
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n"
                 b"Connection: upgrade\r\n\r\n")
    while data := sock.recv(100):
        sock.sendall(data)
    return False


UPGRADE = ("proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
           "proxy_set_header Connection upgrade;" + PEER)
ASKED = (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
         b"Upgrade: echo\r\n\r\n")


def test_upgrade(servers):                                  # noqa: F811
    made = servers(Row(101, "", UPGRADE, act=switching))
    with socket.create_connection(("127.0.0.1", made.ports["on"]),
                                  seconds(10)) as sock:
        sock.sendall(ASKED)
        stream = sock.makefile("rb")
        head = b"".join(iter(stream.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert b"upgrade: echo" in head.lower()
        for word in (b"one", b"{\"status\":500}"):
            sock.sendall(word)
            assert stream.read(len(word)) == word


def test_upgrade_that_is_refused(servers):                  # noqa: F811
    made = servers(Row(503, "", UPGRADE, act=UPSTREAM))
    answer, _ = exchange(made.ports["on"], ASKED)
    check_problem(answer, 503, "FULL", "upstream")


# 100 Continue

EXPECTS = (b"POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
           b"Content-Length: 2\r\n\r\n")
CONTINUED = {
    "taken": (PEER, 200, None),
    "dead": (DEAD, 502, "UPSTREAM_UNREACHABLE"),
}


@pytest.mark.parametrize("name", CONTINUED)
def test_continue(servers, name):                           # noqa: F811
    rules, status, code = CONTINUED[name]
    made = servers(Row(status, code, rules, act=answering(b"{}")))
    with socket.create_connection(("127.0.0.1", made.ports["on"]),
                                  seconds(10)) as sock:
        sock.sendall(EXPECTS % b"/")
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert sock.recv(len(interim), socket.MSG_WAITALL) == interim
        answer, alive = converse(sock, b"{}")
        assert alive and answer.status == status, answer
        if code:
            check_own(answer, status, code)


def test_no_continue_before_an_error(servers):              # noqa: F811
    made = servers(Row(413, "", "client_max_body_size 1;"
                       "lingering_timeout 100ms;" + DEAD))
    answer, alive = exchange(made.ports["on"], EXPECTS % b"/")
    check_own(answer, 413, "BODY_TOO_LARGE")
    assert not alive
