"""Outcomes that nobody knows: bytes were sent and no whole answer came. The
order is never run again under `hold`, and run again under `retry`."""

import signal

import pytest

from og import client
from og.gate import gate, order, order_bytes, replayed      # noqa: F401
from og.parallel import Later
from og.peer import Peer, answering, closing, in_turn, resetting, sending
from og.problem import check_problem
from og.process import free_port, wait_until

BROKEN = ["close", "reset", "headers-reset", "truncate", "truncate-chunked",
          "truncate-delimited"]


def put(gate, key):                                         # noqa: F811
    seed = order(key)
    return client.request(gate.port, "PUT", seed.path, seed.body,
                          seed.headers)


@pytest.mark.both_stores
@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_answer(gate, fault, buffering):             # noqa: F811
    """A cut answer leaves as a 502 problem, not as a cut 200."""
    gate = gate("proxy_http_version 1.1;\n"
                f"proxy_buffering {buffering};")
    problem = check_problem(gate.order("k", fault), 502, "UPSTREAM_RESET",
                            "gateway")
    assert problem["retryable"] is False
    assert problem["safe_new_key"] is False
    gate.check_held("k", orders=1)
    gate.check_held("k", orders=1)


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_answer_over_http_1_0(gate, fault):          # noqa: F811
    gate = gate()
    check_problem(gate.order("k", fault), 502, "UPSTREAM_RESET", "gateway")
    gate.check_held("k", orders=1)


@pytest.mark.parametrize("fault", ["close", "truncate", "truncate-chunked"])
def test_on_unknown_retry_runs_again(gate, redis, fault):   # noqa: F811
    gate = gate("proxy_http_version 1.1;",
                rule="required ttl=1h lease=2s on_unknown=retry")
    problem = check_problem(gate.order("k", fault), 502, "UPSTREAM_RESET")
    assert problem["retryable"] is True
    again = gate.order("k")
    assert again.status == 200 and not replayed(again)
    assert gate.orders() == 2
    gate.check_replays(again, "k")


@pytest.mark.both_stores
def test_read_timeout(gate):                                # noqa: F811
    gate = gate("proxy_read_timeout 300ms;")
    problem = check_problem(gate.order("k", "hold=late"), 504,
                            "UPSTREAM_TIMEOUT", "gateway")
    assert problem["retryable"] is False
    assert problem["safe_new_key"] is False
    gate.upstream.release("late")
    gate.check_held("k", orders=1)


def test_read_timeout_within_the_body(gate):                # noqa: F811
    gate = gate("proxy_read_timeout 300ms;")
    answer = gate.order("k", "dribble=2")
    assert answer.status in (502, 504), answer
    assert answer.media_type == "application/problem+json"
    gate.check_held("k", orders=1)


def test_read_timeout_of_a_peer_that_reads_nothing(gate):   # noqa: F811
    """Connected, and the kernel has taken the bytes: they count as sent."""
    gate = gate("proxy_read_timeout 300ms;")
    gate.upstream.mode("blackhole")
    check_problem(gate.order("k"), 504, "UPSTREAM_TIMEOUT", "gateway")
    gate.upstream.mode("open")
    gate.check_held("k", orders=0)


@pytest.mark.both_stores
def test_unknown_ttl(gate):                                 # noqa: F811
    """After unknown_ttl the key is free: the operator's bargain."""
    gate = gate(rule="required ttl=1h lease=2s unknown_ttl=1s")
    check_problem(gate.order("k", "close"), 502, "UPSTREAM_RESET")
    gate.check_held("k")
    wait_until(lambda: gate.order("k").status == 200, 5)
    assert gate.orders() == 2


# T8, T14: without a length the end of the stream is the end of the answer


def test_close_delimited_json_that_is_whole(gate):          # noqa: F811
    gate = gate()
    first = gate.order("k", "close-delimited")
    assert first.status == 200, first
    gate.check_replays(first, "k")


def test_close_delimited_json_cut_short(gate):              # noqa: F811
    gate = gate()
    check_problem(gate.order("k", "truncate-delimited"), 502,
                  "UPSTREAM_RESET")
    gate.check_held("k", orders=1)


@pytest.mark.parametrize("body", [
    b"{", b'{"a":1', b'{"a":1,', b'{"a', b"[1,", b"[", b'"half', b'{"a":"}',
    b'{"a":"\\"}', b'[{"a":[1]}', b'{"a":[1}', b'\xef\xbb\xbf{"a":1',
    b'{"a":1,"a":2', b'{"a":"caf\xe9', b'{"id":1}\n{"id":2'])
def test_close_delimited_that_ends_within(gate, body):      # noqa: F811
    head = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with Peer(sending(head + body)) as peer:
        gate = gate(address=peer.address)
        check_problem(gate.order("k"), 502, "UPSTREAM_RESET")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 1


def test_close_delimited_error_cut_short(gate):             # noqa: F811
    """A cut 4xx is no proof that the order was refused."""
    head = (b"HTTP/1.0 401 Unauthorized\r\n"
            b"Content-Type: application/json\r\n\r\n")
    with Peer(sending(head + b'{"code":"X","mess')) as peer:
        gate = gate(address=peer.address)
        assert gate.order("k").status == 502
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 1


@pytest.mark.parametrize("length", [b"Content-Length: 40",
                                    b"Transfer-Encoding: chunked"])
def test_status_that_frees_the_key_cut_short(gate, length):  # noqa: F811
    head = (b"HTTP/1.1 429 Too Many Requests\r\n"
            b"Content-Type: application/json\r\n" + length + b"\r\n\r\n")
    body = b'12\r\n{"code"' if b"chunked" in length else b'{"code"'
    with Peer(sending(head + body)) as peer:
        gate = gate("proxy_http_version 1.1;", address=peer.address)
        assert gate.order("k").status == 502
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 1


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n",
                                     b"SSH-2.0-x\r\n", b"HTTP/1.1 200",
                                     b"HTTP/1.1 200 OK\r\n",
                                     b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n",
                                     b"HTTP/1.1 200 OK\r\nX: "
                                     + b"x" * 70000 + b"\r\n\r\n{}"])
def test_answer_that_is_no_http(gate, garbage):             # noqa: F811
    with Peer(sending(garbage)) as peer:
        gate = gate("proxy_http_version 1.1;", address=peer.address)
        answer = gate.order("k")
        assert answer.status in (200, 502), answer
        again = gate.order("k")
        assert again.status == 409 or replayed(again), again
        assert len(peer.requests) == 1


# several attempts (review A1, A2)


def test_put_that_ran_on_the_first_peer_and_was_refused_by_the_second(
        gate):                                              # noqa: F811
    with Peer(closing) as first:
        gate = gate("proxy_next_upstream error timeout;",
                    address=f"{first.address};\n"
                            f"server 127.0.0.1:{free_port()} backup")
        answer = put(gate, "k")
        check_problem(answer, 502, "UPSTREAM_RESET", "gateway")
        check_problem(put(gate, "k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(first.requests) == 1


@pytest.mark.parametrize("act", [closing, resetting])
def test_post_is_not_sent_to_a_second_peer(gate, act):      # noqa: F811
    with Peer(act) as first, Peer(answering()) as second:
        gate = gate("proxy_next_upstream error timeout;",
                    address=f"{first.address};\n"
                            f"server {second.address} backup")
        check_problem(gate.order("k"), 502, "UPSTREAM_RESET")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(first.requests) == 1
        assert second.requests == []


def test_nginx_refuses_next_upstream_non_idempotent(gate):  # noqa: F811
    gate = gate("proxy_next_upstream error non_idempotent;", start=False)
    code, said = gate.nginx.check_configuration()
    assert code != 0 and '"non_idempotent"' in said, said


# a worker that dies


@pytest.mark.both_stores
def test_worker_killed_while_the_upstream_works(gate):      # noqa: F811
    gate = gate(rule="required ttl=1h lease=1s")
    dying = client.leave(gate.port, order_bytes("k", "hold=dead"))
    gate.upstream.wait_for_requests(1)
    gate.nginx.kill_worker(signal.SIGKILL)
    dying.close()

    answer = gate.order("k")
    assert answer.status == 409, answer
    wait_until(lambda: gate.order("k").code == "IDEMPOTENCY_OUTCOME_UNKNOWN",
               6)
    gate.upstream.release("dead")
    gate.check_held("k", orders=1)


@pytest.mark.both_stores
def test_worker_killed_under_retry(gate):                   # noqa: F811
    """The claim lapses with its lease, and the next request runs."""
    gate = gate(rule="required ttl=1h lease=1s on_unknown=retry")
    dying = client.leave(gate.port, order_bytes("k", "hold=dead"))
    gate.upstream.wait_for_requests(1)
    gate.nginx.kill_worker(signal.SIGKILL)
    dying.close()
    gate.upstream.release("dead")

    wait_until(lambda: gate.order("k").status == 200, 6)
    assert gate.orders() == 2


def test_a_slow_upstream_keeps_its_claim(gate):             # noqa: F811
    """Renewed for as long as the request lives, beyond the lease."""
    gate = gate(rule="required ttl=1h lease=1s")
    slow = Later(gate.order, "k", "delay=3.5")
    gate.upstream.wait_for_requests(1)
    seen = set()
    while not slow.done():
        answer = gate.order("k")
        if answer.status != 200:
            seen.add(answer.code)
    assert seen == {"IDEMPOTENCY_IN_PROGRESS"}
    gate.check_replays(slow.value(), "k")
    assert gate.orders() == 1


@pytest.mark.both_stores
def test_the_same_under_retry(gate):                        # noqa: F811
    gate = gate(rule="required ttl=1h lease=1s on_unknown=retry")
    slow = Later(gate.order, "k", "delay=3.5")
    gate.upstream.wait_for_requests(1)
    seen = set()
    while not slow.done():
        answer = gate.order("k")
        if answer.status != 200:
            seen.add(answer.code)
    assert seen == {"IDEMPOTENCY_IN_PROGRESS"}
    gate.check_replays(slow.value(), "k")
    assert gate.orders() == 1


@pytest.mark.both_stores
def test_reload_while_the_upstream_works(gate):             # noqa: F811
    """T21: the old worker ends its order, the new one replays it."""
    gate = gate()
    slow = Later(gate.order, "k", "hold=reload")
    gate.upstream.wait_for_requests(1)
    gate.nginx.reload()
    check_problem(gate.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("reload")
    gate.check_replays(slow.value(), "k")


@pytest.mark.both_stores
def test_old_worker_that_must_leave(gate):                  # noqa: F811
    """worker_shutdown_timeout cuts the order off: nobody knows."""
    gate = gate(main="worker_shutdown_timeout 500ms;",
                rule="required ttl=1h lease=1s")
    cut = client.leave(gate.port, order_bytes("k", "hold=reload"))
    gate.upstream.wait_for_requests(1)
    gate.nginx.reload()
    wait_until(lambda: gate.order("k").code == "IDEMPOTENCY_OUTCOME_UNKNOWN",
               8)
    gate.upstream.release("reload")
    cut.close()
    gate.check_held("k", orders=1)


def test_upstream_that_switches_protocols(gate):            # noqa: F811
    """T16: a tunnel has no answer that could be stored."""
    tunnel = (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n"
              b"Connection: upgrade\r\n\r\nhello")
    with Peer(sending(tunnel)) as peer:
        gate = gate("proxy_http_version 1.1; proxy_set_header Upgrade "
                    "$http_upgrade; proxy_set_header Connection upgrade;",
                    address=peer.address)
        received = client.raw(gate.port, order_bytes("k", headers={
            "Upgrade": "x", "Connection": "upgrade"}), limit=3)
        assert received.startswith(b"HTTP/1.1 101 "), received
        assert received.endswith(b"hello")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 1


# the keepalive race of an upstream (review B17): unknown, not run again


def test_kept_upstream_connection_that_was_just_closed(gate):  # noqa: F811
    with Peer(in_turn(answering(b'{"n":1}'), closing)) as peer:
        gate = gate("proxy_http_version 1.1; proxy_set_header Connection '';",
                    keepalive="keepalive 4;", address=peer.address)
        assert gate.order("k1").status == 200
        check_problem(gate.order("k2"), 502, "UPSTREAM_RESET")
        check_problem(gate.order("k2"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 2
