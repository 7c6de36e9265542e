"""Outcomes that free the key: no byte was sent, or the status says that the
order was not taken (interface, "what becomes of the key")."""

import socket

import pytest

from og import client
from og.gate import gate, order, replayed                   # noqa: F401
from og.peer import Peer, answering, closing
from og.problem import check_problem
from og.process import free_port, wait_until


def test_connect_refused_and_the_retry_runs(gate, redis):   # noqa: F811
    gate = gate()
    gate.upstream.mode("closed")
    problem = check_problem(gate.order("k"), 502, "UPSTREAM_UNREACHABLE",
                            "gateway")
    assert problem["retryable"] is True
    assert problem["safe_new_key"] is True
    wait_until(lambda: redis.records() == [])

    gate.upstream.mode("open")
    first = gate.order("k")
    assert first.status == 200 and not replayed(first)
    gate.check_replays(first, "k")
    assert gate.orders() == 1


def test_no_live_peer(gate, redis):                         # noqa: F811
    dead = f"127.0.0.1:{free_port()} max_fails=1 fail_timeout=60s"
    gate = gate(address=dead, http="", location="")
    for _ in range(3):
        check_problem(gate.order("k"), 502, "UPSTREAM_UNREACHABLE", "gateway")
        wait_until(lambda: redis.records() == [])


def test_no_live_peer_of_two(gate, redis):                  # noqa: F811
    dead = (f"127.0.0.1:{free_port()} max_fails=1 fail_timeout=60s;\n"
            f"server 127.0.0.1:{free_port()} max_fails=1 fail_timeout=60s")
    gate = gate(address=dead)
    for _ in range(3):
        check_problem(gate.order("k"), 502, "UPSTREAM_UNREACHABLE", "gateway")
        wait_until(lambda: redis.records() == [])
    gate.logged("no live upstreams")


def test_connect_times_out(gate, redis):                    # noqa: F811
    """A full backlog: the kernel answers no SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fill = [socket.socket() for _ in range(3)]
        for sock in fill:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        gate = gate("proxy_connect_timeout 300ms;",
                    address=f"127.0.0.1:{port}")
        problem = check_problem(gate.order("k"), 504, "UPSTREAM_TIMEOUT",
                                "gateway")
        assert problem["safe_new_key"] is True
        wait_until(lambda: redis.records() == [])
        for sock in fill:
            sock.close()


def test_tls_fails(gate, redis):                            # noqa: F811
    """The peer speaks no TLS: it got a handshake, not the order."""
    gate = gate(target="proxy_pass https://orders;")
    answer = gate.order("k")
    assert answer.status == 502, answer
    assert gate.orders() == 0
    wait_until(lambda: redis.records() == [])


def test_name_does_not_resolve(gate, redis):                # noqa: F811
    gate = gate("set $peer no-such-name.invalid;\n"
                "resolver 127.0.0.1:1; resolver_timeout 300ms;",
                target="proxy_pass http://$peer:80;")
    assert gate.order("k").status == 502
    wait_until(lambda: redis.records() == [])


def test_refused_by_the_first_peer_answered_by_the_second(gate):  # noqa: F811
    with Peer(answering(b'{"by":"second"}')) as second:
        gate = gate(address=f"127.0.0.1:{free_port()};\n"
                            f"server {second.address}")
        first = gate.order("k")
        assert (first.status, first.json()) == (200, {"by": "second"})
        again = gate.order("k")
        assert replayed(again) and again.body == first.body
        assert len(second.requests) == 1


def test_statuses_that_free_the_key(gate, redis):           # noqa: F811
    gate = gate()
    statuses = (401, 403, 404, 405, 408, 413, 415, 425, 429)
    for number, status in enumerate(statuses):
        answer = gate.order(f"k{status}", f"status={status}")
        assert answer.status == status, answer
        assert answer.json()["origin"] == "upstream"
        assert answer.json()["safe_new_key"] is True
        wait_until(lambda: len(redis.records()) == number)
        gate.check_free(f"k{status}")


def test_statuses_that_are_stored(gate):                    # noqa: F811
    gate = gate()
    for status in (400, 402, 409, 410, 422, 500, 501, 502, 503, 504, 507):
        first = gate.order(f"k{status}", f"status={status}")
        assert first.status == status, first
        assert first.json()["origin"] == "upstream"
        assert first.json()["safe_new_key"] is (status < 500)
        gate.check_replays(first, f"k{status}")


def test_release_of_a_configured_status(gate, redis):       # noqa: F811
    gate = gate("order_guard_idempotency_release 4xx 503;")
    for status in (400, 422, 451, 499, 503, 429, 425):
        assert gate.order("k", f"status={status}").status == status
        wait_until(lambda: redis.records() == [])
    first = gate.order("k", "status=500")
    gate.check_replays(first, "k")


def test_425_and_429_always_free_the_key(gate, redis):      # noqa: F811
    gate = gate("order_guard_idempotency_release 503;")
    for status in (425, 429, 503):
        assert gate.order("k", f"status={status}").status == status
        wait_until(lambda: redis.records() == [])
    first = gate.order("k", "status=401")
    gate.check_replays(first, "k")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PROPFIND"])
def test_not_sent_to_another_peer(gate, method):            # noqa: F811
    """review A2: nginx itself repeats what it takes for idempotent."""
    with Peer(closing) as first, \
            Peer(answering(b"{}", b"429 Too Many Requests")) as second:
        gate = gate("proxy_next_upstream error timeout;",
                    address=f"{first.address};\nserver {second.address} "
                            "backup")
        seed = order("k")
        for status, code in ((502, "UPSTREAM_RESET"),
                             (409, "IDEMPOTENCY_OUTCOME_UNKNOWN")):
            answer = client.request(gate.port, method, seed.path, seed.body,
                                    seed.headers)
            check_problem(answer, status, code)
        assert (len(first.requests), len(second.requests)) == (1, 0)


def test_client_leaves_in_the_middle_of_its_body(gate, redis):  # noqa: F811
    gate = gate()
    seed = order("k")
    data = client.http_bytes("POST", seed.path, seed.body, seed.headers)
    client.leave(gate.port, data[:-10]).close()
    gate.finished(1)
    assert redis.records() == []
    gate.check_free("k")


def test_limit_req_of_nginx_claims_nothing(gate, redis):    # noqa: F811
    gate = gate("limit_req zone=one;",
                http="limit_req_zone $server_port zone=one:1m rate=1r/m;")
    assert gate.order("k1").status == 200
    check_problem(gate.order("k2"), 503, "SERVICE_UNAVAILABLE")
    assert len(redis.records()) == 1
    assert gate.orders() == 1
