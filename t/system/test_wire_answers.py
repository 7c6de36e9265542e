"""What is stored of an answer, and what a replay gives back."""

import gzip
import json
import os

import pytest

from og import client
from og.fastcgi import FastCgi
from og.gate import gate, order, replayed                   # noqa: F401
from og.peer import Peer, answering, in_turn, message, sending
from og.problem import check_problem
from og.upstream import header


def names(answer):
    return {name.lower() for name, _ in answer.headers}


# size: below, at and beyond the limit


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_answer_up_to_the_limit_is_replayed(gate, how):     # noqa: F811
    sizes = (0, 1, 2, 4095, 4096, 4097, 65535, 65536)
    bodies = [os.urandom(size) for size in sizes]
    with Peer(in_turn(*[framed(how, body) for body in bodies])) as peer:
        gate = gate("proxy_http_version 1.1;\n"
                    "order_guard_idempotency_response_limit 64k;",
                    address=peer.address)
        for number, body in enumerate(bodies, 1):
            first = gate.order(f"k{number}")
            assert (first.status, first.body) == (200, body)
            again = gate.order(f"k{number}")
            assert replayed(again) and again.body == body
            assert again.header("Content-Length") == str(len(body))
            assert len(peer.requests) == number


@pytest.mark.parametrize("size", [65537, 300000, 3000000])
@pytest.mark.parametrize("how", ["length", "chunked"])
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_answer_beyond_the_limit_reaches_its_caller(gate, size, how,
                                                    buffering):  # noqa: F811
    body = os.urandom(size)
    with Peer(framed(how, body)) as peer:
        gate = gate(f"proxy_http_version 1.1; proxy_buffering {buffering};\n"
                    "order_guard_idempotency_response_limit 64k;",
                    address=peer.address)
        first = gate.order("k")
        assert first.status == 200
        assert first.body == body
        for _ in range(2):
            problem = check_problem(gate.order("k"), 409,
                                    "IDEMPOTENCY_RESULT_UNAVAILABLE")
            assert problem["safe_new_key"] is False
        check_problem(gate.order("k", json={"place_id": 5}), 422,
                      "IDEMPOTENCY_KEY_REUSED")
        assert len(peer.requests) == 1


def test_answer_beyond_the_limit_over_http2(gate):          # noqa: F811
    body = os.urandom(400000)
    with Peer(answering(body, media_type=b"application/octet-stream")) as peer:
        gate = gate(address=peer.address)
        first = gate.order_http2("k")
        assert (first.status, first.body) == (200, body)
        assert gate.order_http2("k").code == "IDEMPOTENCY_RESULT_UNAVAILABLE"


def test_large_error_beyond_the_limit_stays_an_error(gate):  # noqa: F811
    body = json.dumps({"message": "no", "x": "y" * 100000}).encode()
    with Peer(answering(body, b"422 Unprocessable Entity")) as peer:
        gate = gate("order_guard_idempotency_response_limit 16k;",
                    address=peer.address)
        first = gate.order("k")
        check_problem(first, 422, "UNPROCESSABLE_CONTENT", "upstream")
        again = gate.order("k")
        assert again.status in (409, 422), again
        assert len(peer.requests) == 1


@pytest.mark.parametrize("buffering", [
    "proxy_buffers 4 4k; proxy_busy_buffers_size 8k;",
    "proxy_buffers 2 4k; proxy_busy_buffers_size 4k; proxy_buffer_size 4k;"
    "proxy_temp_file_write_size 8k;",
    "proxy_max_temp_file_size 0;",
    "proxy_buffering off;",
    "proxy_buffering off; proxy_buffer_size 1k;",
    "sendfile on; output_buffers 1 1k; proxy_buffers 2 4k;"
    "proxy_busy_buffers_size 4k;",
    "aio threads; sendfile on; proxy_buffers 2 4k;"
    "proxy_busy_buffers_size 4k;",
])
def test_large_answer_in_any_buffers(gate, buffering):      # noqa: F811
    """Memory, temp files, unbuffered: what is replayed is what came."""
    body = os.urandom(900000)
    with Peer(answering(body, media_type=b"image/png")) as peer:
        gate = gate("order_guard_idempotency_response_limit 1m;\n"
                    + buffering, address=peer.address)
        first = gate.order("k")
        assert (first.status, first.body) == (200, body)
        again = gate.order("k")
        assert replayed(again) and again.body == body
        assert again.header("Content-Type") == "image/png"
        assert len(peer.requests) == 1


def framed(how, body):
    if how == "length":
        return answering(body, media_type=b"application/octet-stream")

    def act(sock, head, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                     b"Content-Type: application/octet-stream\r\n\r\n"
                     + client.chunked([body[:1], body[1:5000], body[5000:]]))
        return True
    return act


@pytest.mark.parametrize("size", [200000, 400000])
@pytest.mark.parametrize("rules", [
    "limit_rate 1m;", "limit_rate 1m; limit_rate_after 64k; sendfile on;",
    "chunked_transfer_encoding off;", "postpone_output 0; tcp_nodelay off;",
    "limit_rate 1m; proxy_buffering off;"])
def test_how_the_client_gets_it_does_not_matter(gate, rules,
                                                size):      # noqa: F811
    body = os.urandom(size)
    with Peer(framed("chunked", body)) as peer:
        gate = gate("proxy_http_version 1.1;\n"
                    "order_guard_idempotency_response_limit 256k;\n" + rules,
                    address=peer.address)
        assert gate.order("k").body == body
        again = gate.order("k")
        assert again.status == (200 if size < 256 * 1024 else 409)
        assert again.status == 409 or again.body == body
        assert len(peer.requests) == 1


def test_answer_in_many_small_writes(gate):                 # noqa: F811
    """T14: a gatherer consumes, or proxy stalls."""
    body = b'{"a":"' + b"x" * 3000 + b'"}'

    def act(sock, head, request):
        data = message(body)
        for start in range(0, len(data), 7):
            sock.sendall(data[start:start + 7])
        return True

    with Peer(act) as peer:
        gate = gate("proxy_buffering off;", address=peer.address)
        first = gate.order("k")
        assert first.body == body
        assert gate.order("k").body == body


# status and headers


def test_201_with_location(gate):                           # noqa: F811
    headers = (b"Location: https://shop.example/orders/17", b"ETag: \"e17\"",
               b"Content-Language: id", b"Link: </a>; rel=self",
               b"Link: </b>; rel=next", b"Vary: Accept-Language",
               b"Cache-Control: private", b"Retry-After: 17",
               b"Content-Disposition: inline",
               b"Content-Location: /orders/17",
               b"Access-Control-Allow-Origin: https://a.example",
               b"Access-Control-Allow-Credentials: true",
               b"Access-Control-Expose-Headers: ETag")
    with Peer(answering(b'{"id":17}', b"201 Created", headers)) as peer:
        gate = gate(address=peer.address)
        first, again = gate.order("k"), gate.order("k")
        assert first.status == again.status == 201
        assert first.body == again.body == b'{"id":17}'
        assert replayed(again)
        for line in headers:
            name = line.split(b":")[0].decode()
            assert again.values(name) == first.values(name) != [], name
        assert again.reason == "Created"


def test_what_a_replay_does_not_repeat(gate):               # noqa: F811
    headers = (b"Set-Cookie: session=secret", b"Date: Thu, 01 Jan 1970 "
               b"00:00:00 GMT", b"Server: db-internal-7",
               b"X-Powered-By: db-internal-7", b"Connection: keep-alive",
               b"Keep-Alive: timeout=5", b"X-Accel-Expires: 0",
               b"Trailer: X", b"Upgrade: h2c")
    with Peer(answering(b"{}", headers=headers)) as peer:
        gate = gate("proxy_http_version 1.1;", address=peer.address)
        first, again = gate.order("k"), gate.order("k")
        assert first.header("Set-Cookie") == "session=secret"
        assert replayed(again)
        assert "set-cookie" not in names(again)
        assert "x-powered-by" not in names(again)
        assert again.header("Date") != "Thu, 01 Jan 1970 00:00:00 GMT"
        assert "db-internal-7" not in str(again.headers)


def test_204_is_stored(gate):                               # noqa: F811
    """T16: it has no body to wait for."""
    gate = gate()
    first = gate.order("k", "empty=204")
    assert (first.status, first.body) == (204, b"")
    again = gate.check_replays(first, "k")
    assert "content-length" not in names(again)
    assert "transfer-encoding" not in names(again)


def test_204_over_http2(gate):                              # noqa: F811
    gate = gate()
    assert gate.order_http2("k", "empty=204").status == 204
    again = gate.order_http2("k")
    assert again.status == 204 and replayed(again)


def test_empty_200_is_stored(gate):                         # noqa: F811
    gate = gate()
    first = gate.order("k", "empty=200")
    assert (first.status, first.body) == (200, b"")
    gate.check_replays(first, "k")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize("length", [(), (b"Content-Length: 0",),
                                    (b"Content-Length: 17",)])
def test_a_replay_without_content_has_no_length(gate, status,
                                                length):    # noqa: F811
    """RFC 9110, section 8.6: a 204 has none, and that of a 304 would be the
    length of a 200."""
    lines = [b"HTTP/1.1 " + status, b'ETag: "e17"', *length]
    with Peer(sending(b"\r\n".join(lines) + b"\r\n\r\n")) as peer:
        gate = gate("proxy_http_version 1.1;", address=peer.address)
        assert gate.order("k").status == int(status[:3])
        for ask in (gate.order, gate.order_http2):
            again = ask("k")
            assert again.status == int(status[:3]) and replayed(again)
            assert not names(again) & {"content-length", "transfer-encoding"}
            assert again.body == b""
        assert len(peer.requests) == 1


def test_interim_response_of_the_upstream(gate):                   # noqa: F811
    """nginx 1.22 takes an interim response for the last one. It is not: what
    follows it, header and all, is no body."""
    gate = gate("proxy_http_version 1.1;")
    first = gate.order("k", "interim=103")
    assert b"HTTP/1.1" not in first.body, first
    if first.status == 200:
        gate.check_replays(first, "k")
    else:
        check_problem(first, 502, "UPSTREAM_RESET")
        gate.check_held("k")


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found",
                                    b"303 See Other", b"307 Temporary",
                                    b"308 Permanent"])
def test_redirect_is_stored(gate, status):                  # noqa: F811
    with Peer(answering(b"", status, (b"Location: /orders/1",))) as peer:
        gate = gate("proxy_redirect off;", address=peer.address)
        first, again = gate.order("k"), gate.order("k")
        assert first.status == again.status == int(status[:3])
        assert replayed(again)
        assert again.header("Location") == first.header("Location")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_get_and_head_are_not_guarded(gate, redis, method):  # noqa: F811
    """T16, and a GET with the key of an order meets no record."""
    gate = gate()
    first = gate.order("k")
    headers = {"Authorization": "Bearer USER_API_TOKEN",
               "Idempotency-Key": "k"}
    path = order("k").path
    for _ in range(2):
        answer = client.request(gate.port, method, path, None, headers)
        assert answer.status == 405
        assert not replayed(answer)
    ok = client.request(gate.port, method, "/other", None, headers)
    assert ok.status == 200 and ok.media_type == "application/json"
    assert len(redis.records()) == 1
    gate.check_replays(first, "k")


def test_head_with_a_body_is_guarded(gate):                 # noqa: F811
    """A body on another method makes the request a guarded one; its answer
    is no problem because of that."""
    gate = gate()
    headers = {"Authorization": "Bearer t", "Idempotency-Key": "k",
               "Content-Type": "application/json"}
    first = client.request(gate.port, "HEAD", "/other", b"{}", headers)
    assert (first.status, first.media_type) == (200, "application/json")
    again = client.request(gate.port, "HEAD", "/other", b"{}", headers)
    assert (again.status, again.media_type) == (200, "application/json")
    assert replayed(again)
    assert gate.arrived() == 1


# T28: conditions and ranges of a retry


CONDITIONS = [
    {"If-None-Match": '"e1"'}, {"If-None-Match": "*"}, {"If-Match": '"x"'},
    {"If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT"},
    {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"Range": "bytes=0-1"}, {"Range": "bytes=5000-"},
    {"Range": "bytes=0-1", "If-Range": '"e1"'},
    {"Range": "bytes=0-0,2-3"},
]
VALIDATORS = (b'ETag: "e1"', b"Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT",
              b"Accept-Ranges: bytes")


@pytest.mark.parametrize("rules", ["", "proxy_force_ranges on;"])
def test_t28_conditions_on_a_replay(gate, rules):           # noqa: F811
    with Peer(answering(b'{"id":17}', headers=VALIDATORS)) as peer:
        gate = gate(rules, address=peer.address)
        gate.order("k")
        for condition in CONDITIONS:
            again = gate.order("k", headers=condition)
            assert (again.status, again.body) == (200, b'{"id":17}'), (
                condition, again)
            assert replayed(again)
            assert not names(again) & {"content-range", "accept-ranges"}
        assert len(peer.requests) == 1


@pytest.mark.parametrize("rules", ["", "proxy_force_ranges on;"])
def test_t28_conditions_on_the_first_request(gate, rules):  # noqa: F811
    """The first answer too is whole: what leaves is what is stored."""
    with Peer(answering(b'{"id":17}', headers=VALIDATORS)) as peer:
        gate = gate(rules, address=peer.address)
        for number, condition in enumerate(CONDITIONS):
            first = gate.order(f"k{number}", headers=condition)
            assert (first.status, first.body) == (200, b'{"id":17}'), (
                condition, first)
            assert "content-range" not in names(first)
            again = gate.order(f"k{number}")
            assert (again.status, again.body) == (200, b'{"id":17}'), again


# encodings (review B7)


def test_accept_encoding_does_not_reach_the_upstream(gate):  # noqa: F811
    gate = gate()
    gate.order("k", headers={"Accept-Encoding": "gzip, br"})
    assert header(gate.upstream.last(), "Accept-Encoding") == []


def test_accept_encoding_set_by_the_operator(gate):         # noqa: F811
    gate = gate("proxy_set_header Accept-Encoding $http_accept_encoding;")
    gate.order("k", headers={"Accept-Encoding": "gzip"})
    assert header(gate.upstream.last(), "Accept-Encoding") == []


@pytest.mark.parametrize("cached", ["if ($http_accept_encoding = x) "
                                    "{ return 406; }"])
def test_accept_encoding_seen_before(gate, cached):         # noqa: F811
    """A variable that was looked at before is not a way around."""
    gate = gate(cached + "proxy_set_header Accept-Encoding "
                         "$http_accept_encoding;")
    gate.order("k", headers={"Accept-Encoding": "gzip"})
    assert header(gate.upstream.last(), "Accept-Encoding") == []


def test_encoded_answer_is_replayed_with_its_encoding(gate):  # noqa: F811
    gate = gate()
    first = gate.order("k", "gzip")
    assert first.header("Content-Encoding") == "gzip"
    assert json.loads(gzip.decompress(first.body))["success"] is True
    again = gate.check_replays(first, "k")
    assert again.header("Content-Encoding") == "gzip"


def test_encoded_error_is_never_misread(gate):              # noqa: F811
    gate = gate()
    first = gate.order("k", "gzip", json={"place_id": "no number"})
    check_problem(first, 422, "UNPROCESSABLE_CONTENT", "upstream")
    assert "content-encoding" not in names(first)
    again = gate.check_replays(first, "k", json={"place_id": "no number"})
    assert "content-encoding" not in names(again)


def test_nginx_gzip_still_works_towards_the_client(gate):   # noqa: F811
    gate = gate("gzip on; gzip_min_length 1; gzip_types application/json; "
                "gzip_proxied any;")
    coded = {"Accept-Encoding": "gzip"}
    first = gate.order("k", headers=coded)
    plain = gate.order("k")
    again = gate.order("k", headers=coded)
    assert first.header("Content-Encoding") == "gzip"
    assert "content-encoding" not in names(plain)
    assert again.header("Content-Encoding") == "gzip"
    assert (gzip.decompress(first.body) == plain.body
            == gzip.decompress(again.body))


def test_gunzip_for_a_client_without_gzip(gate):            # noqa: F811
    gate = gate("gunzip on;")
    first = gate.order("k", "gzip")
    again = gate.order("k")
    assert first.json()["success"] is True
    assert again.body == first.body and replayed(again)


# connections and versions


def test_replay_over_http2(gate):                           # noqa: F811
    gate = gate()
    first = gate.order("k")
    again = gate.order_http2("k")
    assert (again.status, again.body) == (200, first.body)
    assert replayed(again)
    once = gate.order_http2("k2")
    assert not replayed(once)
    assert gate.order("k2").body == once.body
    assert gate.orders() == 2


def test_keepalive_to_the_upstream(gate):                   # noqa: F811
    gate = gate("proxy_http_version 1.1; proxy_set_header Connection '';",
                keepalive="keepalive 4;")
    for n in range(5):
        first = gate.order(f"k{n}", "chunked" if n % 2 else None)
        assert first.status == 200
        gate.check_replays(first, f"k{n}")
    assert len({r["connection"] for r in gate.upstream.requests()}) == 1


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_kept_connection_survives_a_large_answer(gate,
                                                 buffering):  # noqa: F811
    gate = gate("proxy_http_version 1.1; proxy_set_header Connection '';\n"
                "order_guard_idempotency_response_limit 16k;\n"
                f"proxy_buffering {buffering};", keepalive="keepalive 4;")
    for n in range(4):
        answer = gate.order(f"k{n}", "big=200000" if n % 2 == 0 else None)
        assert answer.json()["success"] is True
    assert len({r["connection"] for r in gate.upstream.requests()}) == 1


def test_http_1_0_client(gate):                             # noqa: F811
    gate = gate("proxy_http_version 1.1;")
    seed = order("k", "chunked")
    data = client.http_bytes("POST", seed.path, seed.body, seed.headers)
    received = [client.raw(gate.port, data.replace(b"HTTP/1.1", b"HTTP/1.0",
                                                   1)) for _ in range(2)]
    heads, bodies = zip(*(r.split(b"\r\n\r\n", 1) for r in received))
    assert bodies[0] == bodies[1] and json.loads(bodies[0])["success"] is True
    assert b"Idempotent-Replayed: true" in heads[1]
    assert b"chunked" not in heads[0]
    assert gate.orders() == 1


def test_add_header_works_anew_on_a_replay(gate):           # noqa: F811
    gate = gate("add_header X-At $request_id always;")
    first, again = gate.order("k"), gate.order("k")
    assert len(first.values("X-At")) == len(again.values("X-At")) == 1
    assert first.header("X-At") != again.header("X-At")


def test_charset_of_nginx(gate):                            # noqa: F811
    gate = gate("charset utf-8; charset_types application/json;")
    first, again = gate.order("k"), gate.order("k")
    assert (first.header("Content-Type") == again.header("Content-Type")
            == "application/json; charset=utf-8")


# answers without a length, which are whole although no strict JSON


ODD = {
    "empty": b"",
    "no JSON type": b"done",
    "repeated names": b'{"id":1,"id":1}',
    "byte order mark": b'\xef\xbb\xbf{"id":1}',
    "newline": b'{"id":1}\n',
    "white space": b' \r\n\t{"id":1} \r\n\t ',
    "latin-1": b'{"name":"caf\xe9"}',
    "brackets in a string": b'{"a":"[{","b":"\\"{"}',
    "backslash": b'{"a":"\\\\"}',
    "several values": b'{"id":1}\n{"id":2}\n',
    "scalar": b"17",
    "deep": b"[" * 3000 + b"]" * 3000,
    "large": b'{"id":1,"id":"' + b"x" * 100000 + b'"}',
}


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("body", [name for name in ODD
                                  if name != "no JSON type"])
def test_whole_answer_that_ends_with_its_stream(gate, body,
                                                buffering):  # noqa: F811
    head = (b"HTTP/1.1 201 Created\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\n\r\n")
    with Peer(sending(head + ODD[body])) as peer:
        gate = gate("proxy_http_version 1.1;\n"
                    f"proxy_buffering {buffering};", address=peer.address)
        first, again = gate.order("k"), gate.order("k")
        assert (first.status, first.body) == (201, ODD[body]), first
        assert (again.status, again.body) == (201, ODD[body]), again
        assert replayed(again)
        assert len(peer.requests) == 1


FASTCGI = """
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_LENGTH $content_length;
"""

@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("body", ODD)
def test_whole_fastcgi_answer(gate, body, buffering):       # noqa: F811
    """Those of PHP have no length."""
    body = ODD[body]
    with FastCgi(body, b"201 Created") as responder:
        gate = gate(FASTCGI + f"fastcgi_buffering {buffering};",
                    target=f"fastcgi_pass {responder.address};")
        first, again = gate.order("k"), gate.order("k")
        assert (first.status, first.body) == (201, body), first
        assert (again.status, again.body) == (201, body), again
        assert replayed(again)
        assert len(responder.requests) == 1


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("body", [b'{"id":', b'{"id":"1', b"[1,"])
@pytest.mark.parametrize("status", [b"201 Created", b"401 Unauthorized"])
def test_fastcgi_cut_short(gate, status, body, buffering):  # noqa: F811
    """nginx does not miss the end record, but the JSON tells."""
    with FastCgi(body, status, cut=True) as responder:
        gate = gate(FASTCGI + f"fastcgi_buffering {buffering};",
                    target=f"fastcgi_pass {responder.address};")
        check_problem(gate.order("k"), 502, "UPSTREAM_RESET", "gateway")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(responder.requests) == 1


@pytest.mark.parametrize("rules, length, body", [
    ("fastcgi_keep_conn on;", b"", b'{"id":1}'),
    ("fastcgi_keep_conn on;", b"", b""),
    ("", b"\r\nContent-Length: 40", b'{"id":1}'),
    ("fastcgi_buffering off;", b"\r\nContent-Length: 40", b'{"id":1}'),
], ids=["kept", "kept and empty", "length", "length, unbuffered"])
def test_fastcgi_cut_short_in_whole_json(gate, rules, length,
                                         body):             # noqa: F811
    """It is an end of its own that is missing, or bytes."""
    with FastCgi(body, b"201 Created" + length, cut=True) as responder:
        gate = gate(FASTCGI + rules,
                    target=f"fastcgi_pass {responder.address};")
        check_problem(gate.order("k"), 502, "UPSTREAM_RESET", "gateway")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(responder.requests) == 1
