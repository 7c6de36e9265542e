"""Bytes that come late: a claim, a release or an answer that was on its way
when its connection broke must neither run an order twice, nor lose an answer,
nor block a key (design, "The record protocol": fence and settle list)."""

import os

from og import client
from og.faulty import (DOWN, UP, delivered, gate, held,     # noqa: F401
                       proxied, reconnected)
from og.gate import order_bytes, replayed
from og.parallel import Later
from og.paths import SLOW
from og.peer import Peer, answering
from og.problem import check_problem
from og.process import wait_until


TOMBSTONE = 4       # the second byte of a record (og_record.h)


def running(gate, key, name, fault=""):                     # noqa: F811
    """An order that the upstream holds until it is told to go on."""
    before = gate.arrived()
    later = Later(gate.order, key, f"hold={name}{fault}")
    gate.upstream.wait_for_requests(before + 1)
    return later


def test_late_release_frees_nobody_elses_claim(proxied):    # noqa: F811
    gate = proxied()
    first = running(gate, "k", "a", ",status=429")
    gate.proxy.hold(UP)
    gate.upstream.release("a")
    assert first.value().status == 429
    held(gate, b"DEL")

    gate.proxy.cut()
    wait_until(lambda: gate.redis.records() == [], what="not released")

    second = running(gate, "k", "b")
    delivered(gate)
    check_problem(gate.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS", "gateway")

    gate.upstream.release("b")
    gate.check_replays(second.value(), "k")
    assert gate.orders() == 1


def test_late_claim_blocks_no_key(proxied):                 # noqa: F811
    gate = proxied()
    gate.proxy.hold(UP)
    check_problem(gate.order("k"), 503, "STORE_UNAVAILABLE", "gateway")
    held(gate, b"NX")

    gate.proxy.cut()
    reconnected(gate)
    delivered(gate)
    assert gate.redis.records() == []
    gate.check_free("k")


def test_late_renewal_takes_no_answers_place(proxied):      # noqa: F811
    gate = proxied(rule="required ttl=1h lease=1s")
    first = running(gate, "k", "a")
    gate.proxy.hold(UP)
    held(gate, b"PEXPIRE")

    gate.proxy.cut()
    reconnected(gate)
    gate.upstream.release("a")
    gate.check_replays(first.value(), "k")
    delivered(gate)
    gate.check_replays(first.value(), "k")


def test_answer_whose_reply_is_lost(proxied):               # noqa: F811
    gate = proxied()
    first = running(gate, "k", "a")
    gate.proxy.hold(DOWN)
    gate.upstream.release("a")
    assert first.value().status == 200

    gate.proxy.cut()
    gate.proxy.discard()
    reconnected(gate)
    gate.check_replays(first.value(), "k")


def test_answer_that_never_left_the_gateway(proxied):       # noqa: F811
    gate = proxied()
    first = running(gate, "k", "a")
    gate.proxy.hold(UP)
    gate.upstream.release("a")
    assert first.value().status == 200
    held(gate, b"XX")

    gate.proxy.cut()
    reconnected(gate)
    wait_until(lambda: replayed(gate.order("k")), what="not settled")
    delivered(gate)
    gate.check_replays(first.value(), "k")


def test_late_reply_is_settled_on_the_same_connection(proxied):  # noqa: F811
    gate = proxied()
    connections = len(gate.proxy.connections)
    gate.proxy.hold(DOWN)
    check_problem(gate.order("k"), 503, "STORE_UNAVAILABLE", "gateway")
    wait_until(gate.redis.records, what="the claim did not run")

    gate.proxy.deliver()
    wait_until(lambda: gate.redis.records() == [], what="not released")
    gate.check_free("k")
    assert len(gate.proxy.connections) == connections


def test_client_leaves_while_the_store_is_asked(proxied):   # noqa: F811
    gate = proxied(location="order_guard_limit 5r/m;")
    gate.proxy.hold(DOWN)
    client.leave(gate.port, order_bytes("k")).close()
    wait_until(gate.redis.records, what="the claim did not run")

    gate.proxy.deliver()
    wait_until(lambda: gate.redis.records() == [], what="not released")
    wait_until(lambda: units(gate) == 0, what="the unit was kept")
    gate.check_free("k")


def units(gate):                                            # noqa: F811
    return sum(int(gate.redis.command("GET", key) or 0)
               for key in gate.redis.counters())


ACL = ("user gw on >s3cret ~og:* -@all +set +get +del +incr +decr +mget "
       "+pexpire +pttl +time +info +client|id\n")


def restricted(proxied, folder):                            # noqa: F811
    """The store refuses CLIENT KILL."""
    (folder / "password").write_text("s3cret\n")
    (folder / "users.acl").write_text("user default on nopass ~* &* +@all\n"
                                      + ACL)
    return proxied(redis=["--aclfile", folder / "users.acl"], user="gw@",
                   params=f"password_file={folder}/password")


def test_release_is_not_repeated_without_client_kill(proxied,  # noqa: F811
                                                     tmp_path):
    """The fence is told to be missing; a key is rather blocked than freed
    for two."""
    gate = restricted(proxied, tmp_path)
    gate.logged("+client|kill")

    first = running(gate, "k", "a", ",status=429")
    gate.proxy.hold(UP)
    gate.upstream.release("a")
    assert first.value().status == 429
    held(gate, b"DEL")
    gate.proxy.cut()
    reconnected(gate)
    gate.logged("a release cannot be repeated without CLIENT KILL")
    assert len(gate.redis.records()) == 1
    gate.proxy.discard()
    assert gate.orders() == 0


def test_answer_is_repeated_without_client_kill(proxied,    # noqa: F811
                                                tmp_path):
    gate = restricted(proxied, tmp_path)
    first = running(gate, "k", "a")
    gate.proxy.hold(UP)
    gate.upstream.release("a")
    assert first.value().status == 200
    gate.proxy.cut()
    gate.proxy.discard()
    reconnected(gate)
    wait_until(lambda: replayed(gate.order("k")), what="not settled")
    gate.check_replays(first.value(), "k")
    assert "s3cret" not in gate.nginx.error_log()


def test_large_answer_ends_behind_its_record(proxied):      # noqa: F811
    """Who has all of it can send the key again: it is not running any more,
    neither for another gateway."""
    body = os.urandom(300000)
    with Peer(answering(body)) as peer:
        gate = proxied(timeout=3000, address=peer.address,
                       location="order_guard_idempotency_response_limit 64k;")
        gate.proxy.delay(200, UP)
        for number in range(3):
            answer = gate.order(f"k{number}")
            assert (answer.status, answer.body) == (200, body)
            records = [gate.redis.command("GET", name)
                       for name in gate.redis.records()]
            assert [record[1] for record in records] == \
                [TOMBSTONE] * (number + 1)


def test_large_answer_ends_without_its_store(proxied):      # noqa: F811
    body = os.urandom(300000)
    gates = []

    def act(sock, head, text):
        gates[0].proxy.hold(UP)
        return answering(body)(sock, head, text)

    with Peer(act) as peer:
        gates.append(proxied(
            address=peer.address,
            location="order_guard_idempotency_response_limit 64k;"))
        answer = gates[0].order("k")
        assert (answer.status, answer.body) == (200, body)
        gates[0].proxy.deliver()


def test_late_claim_frees_no_record_of_the_next(proxied, gate):  # noqa: F811
    """Its lease was over when it was answered, and the key was another's."""
    rule = "required ttl=1h lease=1s on_unknown=retry"
    timeout = int(300 * SLOW)
    first = proxied(timeout=timeout, rule=rule)             # noqa: F811
    other = gate(store=f"redis://127.0.0.1:{first.redis.port}", rule=rule)
    first.proxy.hold(DOWN)
    check_problem(first.order("k"), 503, "STORE_UNAVAILABLE")
    wait_until(lambda: other.order("k").status == 200)
    first.proxy.deliver()
    wait_until(lambda: first.order("again").status == 200)
    made = other.orders()
    for _ in range(5):
        assert replayed(other.order("k"))
    assert other.orders() == made
