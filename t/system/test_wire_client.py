"""A client that leaves, is slow, or speaks before it is asked. What it has
ordered is ordered (interface: "the client went away"; T6, T7)."""

import socket
import struct
import time

import pytest

from fault_proxy import DOWN, FaultProxy
from og import client
from og.gate import gate, order, order_bytes, replayed      # noqa: F401
from og.http2 import Http2
from og.paths import seconds
from og.peer import Peer, message
from og.problem import check_problem
from og.process import free_port, wait_until


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def shut(sock):
    sock.close()


# T7: the upstream call goes on


@pytest.mark.both_stores
@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("leave", [shut, reset])
def test_t7_client_leaves_while_the_upstream_works(gate, leave,
                                                   buffering):  # noqa: F811
    gate = gate(f"proxy_buffering {buffering};")
    sock = client.leave(gate.port, order_bytes("k", "hold=slow"))
    gate.upstream.wait_for_requests(1)
    leave(sock)
    check_problem(gate.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("slow")
    answer = wait_until(lambda: replayed_or_none(gate), 5)
    assert answer.status == 200
    assert answer.json()["success"] is True
    assert gate.orders() == gate.arrived() == 1


def replayed_or_none(gate):                                 # noqa: F811
    answer = gate.order("k")
    return answer if replayed(answer) else None


@pytest.mark.both_stores
def test_t7_client_leaves_over_http2(gate):                 # noqa: F811
    gate = gate()
    seed = order("k", "hold=slow")
    with Http2(gate.h2) as connection:
        stream = connection.request("POST", seed.path, seed.body,
                                    seed.headers)
        gate.upstream.wait_for_requests(1)
        connection.cancel(stream)
        connection.ping()
    gate.upstream.release("slow")
    assert wait_until(lambda: replayed_or_none(gate), 5).status == 200
    assert gate.orders() == gate.arrived() == 1


def test_t7_client_leaves_within_the_answer(gate):          # noqa: F811
    gate = gate("proxy_http_version 1.1;")
    sock = client.leave(gate.port, order_bytes("k", "dribble=0.3"))
    gate.upstream.wait_for_requests(1)
    time.sleep(0.4)             # the header and a quarter of the body are in
    reset(sock)
    answer = wait_until(lambda: replayed_or_none(gate), 5)
    assert answer.json()["success"] is True
    assert gate.orders() == 1


def test_t7_client_that_leaves_gets_a_broken_answer(gate):  # noqa: F811
    gate = gate()
    sock = client.leave(gate.port, order_bytes("k", "hold=slow,close"))
    gate.upstream.wait_for_requests(1)
    reset(sock)
    gate.upstream.release("slow")
    gate.finished(1)
    gate.check_held("k", orders=1)


@pytest.mark.both_stores
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_t7_client_leaves_within_an_answer_beyond_the_limit(
        gate, buffering):                                   # noqa: F811
    """The caller did not get it whole; the order ran all the same."""
    gate = gate("order_guard_idempotency_response_limit 4k;\n"
                f"proxy_buffering {buffering};")
    sock = client.leave(gate.port, order_bytes("k", "big=8000000"))
    sock.recv(1000)
    reset(sock)
    gate.finished(1)
    wait_until(lambda: gate.order("k").code
               == "IDEMPOTENCY_RESULT_UNAVAILABLE", 5)
    assert gate.orders() == gate.arrived() == 1


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_t7_client_that_reads_nothing_leaves(gate, buffering):  # noqa: F811
    """What waits for its socket goes with it, or the upstream's part would
    wait for ever."""
    gate = gate("order_guard_idempotency_response_limit 4k;\n"
                "proxy_max_temp_file_size 0;\n"
                f"proxy_buffering {buffering};")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", gate.port))
    sock.sendall(order_bytes("k", "big=16000000"))
    gate.upstream.wait_for_requests(1)
    time.sleep(0.5)                 # until the gateway's socket is full
    reset(sock)
    gate.finished(1)
    wait_until(lambda: gate.order("k").code
               == "IDEMPOTENCY_RESULT_UNAVAILABLE", 5)
    assert gate.orders() == gate.arrived() == 1


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_t7_client_that_reads_nothing_is_given_up(gate,
                                                  buffering):  # noqa: F811
    """send_timeout ends the client, not the order."""
    gate = gate("order_guard_idempotency_response_limit 4k;\n"
                "send_timeout 500ms; proxy_max_temp_file_size 0;\n"
                f"proxy_buffering {buffering};")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", gate.port))
    sock.sendall(order_bytes("k", "big=16000000"))
    gate.finished(1)
    sock.close()
    answer = wait_until(lambda: not_running(gate), 5)
    check_problem(answer, 409, "IDEMPOTENCY_RESULT_UNAVAILABLE")
    assert gate.orders() == gate.arrived() == 1


def not_running(gate):                                      # noqa: F811
    answer = gate.order("k")
    return answer if answer.code != "IDEMPOTENCY_IN_PROGRESS" else None


def test_t7_is_for_guarded_locations_only(gate):            # noqa: F811
    """Elsewhere a client abort stays nginx's: the upstream is let go."""
    gone = []

    def act(sock, head, body):
        sock.settimeout(5)
        gone.append(sock.recv(1))
        return False

    with Peer(act) as peer:
        gate = gate(server="location /plain { proxy_pass http://orders; }",
                    address=peer.address)
        sock = client.leave(gate.port, client.http_bytes("POST", "/plain"))
        peer.wait_for(1)
        sock.close()
        wait_until(lambda: gone == [b""], 5)


# the same where another location makes the call


SENT_ON = {
    "try_files @": ("root /nowhere; try_files $uri @app;",
                    "location @app { %s proxy_pass http://orders; }"),
    "try_files /": ("root /nowhere; try_files $uri /app$uri;",
                    "location /app/ { %s proxy_pass http://orders/; }"),
    "404 = @": ("root /nowhere; error_page 404 = @app;",
                "location @app { %s proxy_pass http://orders; }"),
    "502 = @": (f"proxy_pass http://127.0.0.1:{free_port()}; "
                "error_page 502 504 = @app;",
                "location @app { %s proxy_pass http://orders; }"),
}

RULED = ("order_guard on; order_guard_idempotency required ttl=1h lease=2s;")


@pytest.fixture(params=SENT_ON)
def sent_on(gate, request):                                 # noqa: F811
    """make(rules): the claim is of one location, the call of another, which
    has `rules`."""
    first, other = SENT_ON[request.param]

    def make(rules=""):
        return gate(first, target="", server=other % rules)
    return make


@pytest.mark.parametrize("rules", [
    "", RULED, "proxy_ignore_client_abort off;", "proxy_buffering off;"],
    ids=["plain", "guarded", "explicit", "unbuffered"])
@pytest.mark.parametrize("leave", [shut, reset])
def test_t7_client_leaves_behind_a_redirect(sent_on, leave, rules):
    gate = sent_on(rules)
    sock = client.leave(gate.port, order_bytes("k", "hold=slow"))
    gate.upstream.wait_for_requests(1)
    leave(sock)
    check_problem(gate.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("slow")
    assert wait_until(lambda: replayed_or_none(gate), 5).status == 200
    assert gate.orders() == gate.arrived() == 1


def test_t7_stream_is_cancelled_behind_a_redirect(sent_on):
    gate = sent_on()
    seed = order("k", "hold=slow")
    with Http2(gate.h2) as connection:
        stream = connection.request("POST", seed.path, seed.body,
                                    seed.headers)
        gate.upstream.wait_for_requests(1)
        connection.cancel(stream)
        connection.ping()
    gate.upstream.release("slow")
    assert wait_until(lambda: replayed_or_none(gate), 5).status == 200
    assert gate.orders() == gate.arrived() == 1


@pytest.mark.both_stores
def test_t7_client_leaves_where_the_second_location_claims(gate):  # noqa: F811
    gate = gate(server="location /api/ { root /nowhere; try_files $uri @app; }"
                f"location @app {{ {RULED} proxy_pass http://orders; }}")
    sock = client.leave(gate.port, order_bytes("k", "hold=slow"))
    gate.upstream.wait_for_requests(1)
    sock.close()
    gate.upstream.release("slow")
    assert wait_until(lambda: replayed_or_none(gate), 5).status == 200
    assert gate.orders() == gate.arrived() == 1


def test_t7_an_unguarded_request_to_the_same_location(gate):  # noqa: F811
    """What is done for an order is not done for everybody."""
    gone = []

    def act(sock, head, body):
        sock.settimeout(5)
        gone.append(sock.recv(1))
        return False

    with Peer(act) as peer:
        gate = gate("root /nowhere; try_files $uri @app;", target="",
                    server="location @app { proxy_pass http://orders; }"
                           "location /plain { root /nowhere; "
                           "try_files $uri @app; }", address=peer.address)
        sock = client.leave(gate.port, client.http_bytes("POST", "/plain"))
        peer.wait_for(1)
        sock.close()
        wait_until(lambda: gone == [b""], 5)


# T6: before the order


@pytest.fixture
def proxied(redis):
    with FaultProxy(("127.0.0.1", redis.port)) as proxy:
        yield proxy


def slow_store(gate, proxied):                              # noqa: F811
    made = gate(store=f"redis://127.0.0.1:{proxied.port}/0 timeout=2s")
    assert made.order("warm").status == 200
    return made


@pytest.mark.parametrize("leave", [shut, reset])
def test_t6_client_leaves_while_the_store_is_asked(gate, redis, proxied,
                                                   leave):  # noqa: F811
    gate = slow_store(gate, proxied)
    proxied.hold(DOWN)
    sock = client.leave(gate.port, order_bytes("k"))
    wait_until(lambda: len(redis.records()) == 2)
    leave(sock)
    gate.finished(2)
    proxied.deliver()
    wait_until(lambda: len(redis.records()) == 1)
    assert gate.orders() == 1
    gate.check_free("k")


def test_t6_stream_is_cancelled_while_the_store_is_asked(
        gate, redis, proxied):                              # noqa: F811
    gate = slow_store(gate, proxied)
    proxied.hold(DOWN)
    seed = order("k")
    with Http2(gate.h2) as connection:
        stream = connection.request("POST", seed.path, seed.body,
                                    seed.headers)
        wait_until(lambda: len(redis.records()) == 2)
        connection.cancel(stream)
        connection.ping()
        gate.finished(2)
        proxied.deliver()
        wait_until(lambda: len(redis.records()) == 1)
    assert gate.orders() == 1
    gate.check_free("k")


def test_t6_replay_for_a_client_that_left(gate, redis, proxied):  # noqa: F811
    """The reply is a finished record: it must not be released."""
    gate = slow_store(gate, proxied)
    first = gate.order("k")
    proxied.hold(DOWN)
    sock = client.leave(gate.port, order_bytes("k"))
    proxied.wait_for(b"SET", count=1)
    time.sleep(0.1)
    reset(sock)
    gate.finished(3)
    proxied.deliver()
    gate.check_replays(first, "k")
    assert len(redis.records()) == 2


def test_client_leaves_while_its_answer_is_stored(gate, redis,
                                                  proxied):  # noqa: F811
    gate = slow_store(gate, proxied)
    before = set(redis.records())
    sock = client.leave(gate.port, order_bytes("k", "hold=answer"))
    gate.upstream.wait_for_requests(2)
    key, = set(redis.records()) - before
    pending = redis.command("GET", key)
    proxied.hold(DOWN)
    gate.upstream.release("answer")
    wait_until(lambda: redis.command("GET", key) != pending)
    reset(sock)
    gate.finished(2)
    proxied.deliver()
    answer = wait_until(lambda: replayed_or_none(gate), 5)
    assert answer.status == 200
    assert gate.orders() == 2


def test_client_sends_more_while_the_store_is_asked(gate, redis,
                                                    proxied):  # noqa: F811
    """T6: bytes of a second request are no sign that the client has left."""
    gate = slow_store(gate, proxied)
    proxied.hold(DOWN)
    with socket.create_connection(("127.0.0.1", gate.port),
                                  seconds(10)) as sock:
        sock.sendall(order_bytes("k1"))
        wait_until(lambda: len(redis.records()) == 2)
        sock.sendall(order_bytes("k2", headers={"Connection": "close"}))
        proxied.deliver()
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert gate.orders() == 3


# several on one connection


@pytest.mark.both_stores
def test_pipelined_orders_and_replays(gate):                # noqa: F811
    gate = gate()
    keys = ["a", "b", "a", "c", "b", "a", "c", "a"]
    last = {"Connection": "close"}
    data = b"".join(order_bytes(key) for key in keys)
    received = client.raw(gate.port, data + order_bytes("a", headers=last))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 9
    assert received.count(b"Idempotent-Replayed: true\r\n") == 6
    assert gate.orders() == 3


@pytest.mark.both_stores
def test_pipelined_answers_of_every_kind(gate):             # noqa: F811
    """Refused, large, broken, empty and replayed ones: each ends where its
    length says, and the next one follows."""
    gate = gate("order_guard_idempotency_response_limit 16k;")
    faults = [("a", None), ("b", "big=100000"), ("c", "close"), ("a", None),
              ("d", "empty=204"), ("b", None), ("c", None),
              ("e", "status=401"), ("d", None), ("e", None),
              ("a", "status=500")]
    with client.Session(gate.port) as session:
        seen = []
        for key, fault in faults:
            seed = order(key, fault)
            answer = session.request("POST", seed.path, seed.body,
                                     seed.headers)
            seen.append((answer.status, answer.code or
                         "replayed" * replayed(answer)))
    assert seen == [
        (200, ""), (200, ""), (502, "UPSTREAM_RESET"), (200, "replayed"),
        (204, ""), (409, "IDEMPOTENCY_RESULT_UNAVAILABLE"),
        (409, "IDEMPOTENCY_OUTCOME_UNKNOWN"), (401, "UNAUTHORIZED"),
        (204, "replayed"), (200, ""), (200, "replayed")]


def test_slow_client_gets_an_answer_beyond_the_limit_whole(gate):  # noqa: F811
    body = b'{"padding":"' + bytes(range(97, 123)) * 40000 + b'"}'

    def act(sock, head, request):
        sock.sendall(message(body))
        return True

    with Peer(act) as peer:
        gate = gate("order_guard_idempotency_response_limit 64k;",
                    address=peer.address)
        received = read_slowly(gate.port, order_bytes(
            "k", headers={"Connection": "close"}))
        head, _, got = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert got == body
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_RESULT_UNAVAILABLE")
        assert len(peer.requests) == 1


def read_slowly(port, data):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(seconds(10))
    sock.connect(("127.0.0.1", port))
    sock.sendall(data)
    parts = []
    while True:
        part = sock.recv(32768)
        if not part:
            break
        parts.append(part)
        time.sleep(0.002)
    sock.close()
    return b"".join(parts)
