"""order_guard_idempotency_wait: a duplicate of a running order waits for its
answer, in whatever worker, and nobody is held up by it."""

import time

import pytest

from og import client
from og.faulty import gate, proxied                         # noqa: F401
from og.gate import order_bytes, replayed
from og.parallel import Later
from og.paths import seconds
from og.problem import check_problem
from og.process import wait_until

pytestmark = pytest.mark.both_stores

WAIT = "order_guard_idempotency_wait 10s;"
STATUS = "location = /status { stub_status; access_log off; }"


def running(gate, key="k", fault=""):                       # noqa: F811
    """An order that the upstream holds until it is told to go on."""
    before = gate.arrived()
    later = Later(gate.order, key, f"hold={key}{fault}")
    gate.upstream.wait_for_requests(before + 1)
    return later


def waiting(gate, count):                                   # noqa: F811
    """Until so many clients wait, with the first one and who asks."""
    wait_until(lambda: connections(gate) == count + 2, 5,
               lambda: f"{connections(gate)} connections")


def connections(gate):                                      # noqa: F811
    answer = client.request(gate.port, "GET", "/status")
    return int(answer.body.split()[2])


def test_duplicates_get_the_answer_of_the_first(gate):      # noqa: F811
    gate = gate(WAIT, server=STATUS, workers=2)
    first = running(gate)
    others = [Later(gate.order, "k") for _ in range(20)]
    waiting(gate, 20)
    gate.upstream.release("k")
    made = first.value()
    start = time.monotonic()
    for other in others:
        answer = other.value()
        assert (answer.status, answer.body) == (made.status, made.body)
        assert replayed(answer)
    assert time.monotonic() - start < seconds(1)
    assert gate.orders() == 1


@pytest.mark.parametrize("fault", ["", ",status=429"])
def test_they_are_woken_in_the_same_worker(gate, fault):    # noqa: F811
    """Not one of 16 waits for its next look, which is up to 100 ms away; a
    machine that is busy may need another try."""
    gate = gate(WAIT, server=STATUS)
    for attempt in range(8):
        keys = [f"{attempt}-{n}" for n in range(16)]
        firsts = [running(gate, key, fault) for key in keys]
        others = []
        for key in keys:
            others.append(Later(gate.order, key))
            time.sleep(0.006)       # so that their looks do not coincide
        wait_until(lambda: connections(gate) == 33)
        time.sleep(0.2)             # until they look every 100 ms
        start = time.monotonic()
        for key in keys:
            gate.upstream.release(key)
        answers = [other.value() for other in others]
        took = time.monotonic() - start
        assert {answer.status for answer in answers} == {200}
        for first in firsts:
            first.value()
        if took < seconds(0.06):
            return
    raise AssertionError(f"the last one took {took} s")


def test_others_are_served_meanwhile(gate):                 # noqa: F811
    gate = gate(WAIT, server=STATUS)
    first = running(gate)
    other = Later(gate.order, "k")
    waiting(gate, 1)
    start = time.monotonic()
    assert [gate.order(f"k{n}").status for n in range(20)] == [200] * 20
    assert time.monotonic() - start < seconds(2)
    gate.upstream.release("k")
    assert first.value().body == other.value().body


def test_who_has_waited_enough_is_told(gate):               # noqa: F811
    gate = gate("order_guard_idempotency_wait 300ms;")
    first = running(gate)
    start = time.monotonic()
    check_problem(gate.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS", "gateway")
    assert 0.29 < time.monotonic() - start < seconds(2)
    gate.upstream.release("k")
    gate.check_replays(first.value(), "k")


def test_key_that_is_freed_is_one_order(gate):              # noqa: F811
    """Those who wait do not all order then."""
    gate = gate(WAIT, server=STATUS, workers=2)
    first = running(gate, fault=",status=429")
    others = [Later(gate.order, "k") for _ in range(10)]
    waiting(gate, 10)
    gate.upstream.release("k")
    assert first.value().status == 429
    answers = [other.value() for other in others]
    assert {a.status for a in answers} == {200}
    assert len({a.body for a in answers}) == 1
    assert sum(not replayed(a) for a in answers) == 1


def test_unknown_outcome_ends_the_wait(gate):               # noqa: F811
    gate = gate(WAIT, server=STATUS)
    first = running(gate, fault=",close")
    other = Later(gate.order, "k")
    waiting(gate, 1)
    gate.upstream.release("k")
    assert first.value().status == 502
    check_problem(other.value(), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")


def test_another_payload_does_not_wait(gate):               # noqa: F811
    gate = gate(WAIT)
    first = running(gate)
    check_problem(gate.order("k", json={"place_id": 5}), 422,
                  "IDEMPOTENCY_KEY_REUSED")
    gate.upstream.release("k")
    assert first.value().status == 200


def test_client_that_leaves_is_forgotten(gate):             # noqa: F811
    gate = gate(WAIT, server=STATUS)
    first = running(gate)
    left = [client.leave(gate.port, order_bytes("k")) for _ in range(5)]
    waiting(gate, 5)
    for sock in left:
        sock.close()
    waiting(gate, 0)
    gate.upstream.release("k")
    gate.check_replays(first.value(), "k")


def test_waiting_costs_nothing_of_the_limit(gate):          # noqa: F811
    gate = gate(WAIT + "order_guard_limit 2r/h;", server=STATUS)
    first = running(gate)
    others = [Later(gate.order, "k") for _ in range(5)]
    waiting(gate, 5)
    gate.upstream.release("k")
    assert first.value().status == 200
    assert {other.value().status for other in others} == {200}
    assert gate.order("k2").status == 200
    assert gate.order("k3").status == 429


def test_no_more_than_64_wait_for_a_key(gate):              # noqa: F811
    """A connection does not wait yet: who comes before its request may wait
    in its place. So clients are added until one is refused at once."""
    gate = gate(WAIT, server=STATUS)
    first = running(gate)
    others = [Later(gate.order, "k") for _ in range(64)]
    waiting(gate, 64)
    while not any(other.done() for other in others):
        others.append(Later(gate.order, "k"))
        time.sleep(0.05)            # between two looks, as in wait_until()
    refused = next(other for other in others if other.done()).value()
    check_problem(refused, 409, "IDEMPOTENCY_IN_PROGRESS")
    wait_until(lambda: sum(not other.done() for other in others) == 64, 5)
    gate.upstream.release("k")
    made = first.value()
    answers = [other.value() for other in others]
    assert [answer.body for answer in answers].count(made.body) == 64
    assert {answer.status for answer in answers} == {200, 409}


def test_store_that_goes_ends_the_wait(proxied):            # noqa: F811
    gate = proxied(location=WAIT, server=STATUS)
    first = running(gate)
    other = Later(gate.order, "k")
    waiting(gate, 1)
    gate.proxy.blackhole()
    check_problem(other.value(), 503, "STORE_UNAVAILABLE")
    gate.proxy.pass_on()
    gate.upstream.release("k")
    assert first.value().status == 200


def test_worker_that_leaves_waits_for_nobody(gate):         # noqa: F811
    gate = gate(WAIT, server=STATUS)
    first = running(gate)
    other = Later(gate.order, "k")
    waiting(gate, 1)
    gate.nginx.reload()
    check_problem(other.value(), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("k")
    gate.check_replays(first.value(), "k")
