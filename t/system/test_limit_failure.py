"""A store of limits that is away: it is counted here, or not at all, or
nobody passes (order_guard_limit_on_failure), and nobody waits for long."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, product

import pytest

from og import client
from og.faulty import (TIMEOUT, gate, killed, paused,       # noqa: F401
                       proxied)
from og.gate import replayed
from og.limits import TOLD, ask, order_of, told, told_of
from og.parallel import together
from og.problem import check_problem
from og.process import free_port, wait_until

AT_ONCE = TIMEOUT / 1000 / 2        # s: nothing was waited for
AT_MOST = TIMEOUT / 1000 + 1        # s: one timeout, on a busy machine
PASSED, LOCAL, BYPASSED = (200, "PASSED"), (200, "LOCAL"), (200, "BYPASSED")
REJECTED, UNAVAILABLE = (429, "REJECTED"), (503, "BYPASSED")

REQUIRED = "required ttl=1h lease=2s"
PASS = "order_guard_idempotency_on_failure pass;"

TEN = TOLD + "order_guard_limit 10r/h;"
KEYED = TOLD + """
    order_guard_limit 3r/h;
    add_header X-Idempotency $order_guard_idempotency always;
"""


@contextmanager
def unreachable(gate):                                      # noqa: F811
    """Bytes get lost, and nobody is told."""
    gate.proxy.blackhole()
    yield
    gate.proxy.pass_on()


AWAY = {"paused": paused, "killed": killed, "unreachable": unreachable}
MODES = {"local": LOCAL, "pass": BYPASSED, "reject": UNAVAILABLE}


def mode(name):
    return f"order_guard_limit_on_failure {name};"


def timed(gate, *arguments):                                # noqa: F811
    """(what one request is told, the seconds that took)"""
    began = time.monotonic()
    answer = ask(gate, *arguments)
    return told(answer), time.monotonic() - began


def nobody_waits(gate, caller="waits"):                     # noqa: F811
    """Each worker has given its store up."""
    def at_once():
        return all(timed(gate, caller)[1] < AT_ONCE for _ in range(10))
    wait_until(at_once, 1, "requests wait for a dead store")


def counts_again(gate):                                     # noqa: F811
    """In each worker, for a caller that asks for the first time."""
    names = count()
    wait_until(lambda: told_of(gate, 6, f"new{next(names)}") == [PASSED] * 6,
               10, gate.nginx.error_log())


@pytest.mark.parametrize("name,away", [
    *product(MODES, ("paused", "killed")), ("local", "unreachable")])
def test_nobody_waits_for_long(proxied, name, away):        # noqa: F811
    """And when the store is there again it is asked again."""
    gate = proxied(rule="off", workers=2,
                   location=TOLD + "order_guard_limit 900r/h;" + mode(name))
    assert told(ask(gate)) == PASSED
    with AWAY[away](gate):
        first = together(20, lambda _: timed(gate))
        assert {said for said, _ in first} == {MODES[name]}
        assert max(took for _, took in first) < AT_MOST
        nobody_waits(gate)
        later = [timed(gate) for _ in range(40)]
        assert {said for said, _ in later} == {MODES[name]}
        assert sorted(took for _, took in later)[-2] < AT_ONCE
    counts_again(gate)
    assert gate.redis.units() > 0


def test_a_refusal_says_when_to_come_again(proxied):        # noqa: F811
    gate = proxied(rule="off", location=TEN + mode("reject"))
    with paused(gate):
        answer = ask(gate)
        problem = check_problem(answer, 503, "STORE_UNAVAILABLE", "gateway")
        assert problem["retryable"] is True
        assert int(answer.header("Retry-After")) >= 1
        assert answer.header("RateLimit") is None


@pytest.mark.parametrize("away", AWAY)
def test_what_was_counted_before_counts_here(proxied,       # noqa: F811
                                             away):
    """7 of 10 are used when the store goes: 3 are left, for all workers."""
    gate = proxied(rule="off", location=TEN, workers=2)
    assert told_of(gate, 7) == [PASSED] * 7
    with AWAY[away](gate):
        answers = together(20, lambda _: told(ask(gate)))
        assert sorted(answers) == [LOCAL] * 3 + [REJECTED] * 17
        nobody_waits(gate)
        assert set(told_of(gate, 10)) == {REJECTED}
    gate.finished(37)
    assert len({line.split()[0] for line in gate.lines()}) == 2


def test_what_local_counting_tells(proxied):                # noqa: F811
    gate = proxied(rule="off", location=TEN)
    assert told_of(gate, 7) == [PASSED] * 7
    with killed(gate):
        answers = [ask(gate) for _ in range(4)]
    assert [told(a) for a in answers] == [LOCAL] * 3 + [REJECTED]
    for answer, left in zip(answers, (2, 1, 0, 0)):
        assert answer.header("RateLimit-Policy") == '"10r/h";q=10;w=3600'
        name, r, t = answer.header("RateLimit").split(";")
        assert (name, r) == ('"10r/h"', f"r={left}")
        assert 3590 <= int(t[2:]) <= 3781
    problem = check_problem(answers[3], 429, "RATE_LIMITED", "gateway")
    assert problem["retryable"] is True
    assert 3590 <= int(answers[3].header("Retry-After")) <= 3781 * 1.1


def test_a_store_that_was_never_there(gate, own_redis):     # noqa: F811
    """Each caller has a fresh quota, once for all workers."""
    port = free_port()
    gate = gate(store=f"redis://127.0.0.1:{port}/0 timeout={TIMEOUT}ms",
                location=TEN, rule="off", workers=2)
    nobody_waits(gate)
    for caller in ("a", "b"):
        answers = together(30, lambda _: told(ask(gate, caller)))
        assert sorted(answers) == [LOCAL] * 10 + [REJECTED] * 20
    own_redis(port=port)
    counts_again(gate)


def test_what_was_given_back_does_not_count_here(proxied):  # noqa: F811
    """Orders that were not sent."""
    gate = proxied(rule=REQUIRED, location=KEYED)
    gate.upstream.mode("closed")
    for n in range(5):
        assert told(order_of(gate, f"k{n}")) == (502, "PASSED")
        wait_until(lambda: gate.redis.units() == 0)
    gate.upstream.mode("open")
    with killed(gate):
        assert told_of(gate, 4) == [LOCAL] * 3 + [REJECTED]


def test_who_was_denied_stays_denied(proxied):              # noqa: F811
    """Also where others pass: no loss of the store opens the door."""
    gate = proxied(rule="off", location=TEN + mode("pass"), workers=2)
    assert told_of(gate, 12) == [PASSED] * 10 + [REJECTED] * 2
    with killed(gate):
        nobody_waits(gate, "b")
        assert set(told_of(gate, 10)) == {REJECTED}
        assert told(ask(gate, "b")) == BYPASSED


def test_a_window_slides_here_too(proxied):                 # noqa: F811
    """Never more than the limit in any window, and room when it has passed;
    times enclose the decision."""
    gate = proxied(rule="off", location=TOLD + "order_guard_limit 10r/s;",
                   workers=2)
    assert told(ask(gate)) == PASSED
    with killed(gate):
        nobody_waits(gate)
        admitted = []
        until = time.monotonic() + 1.8
        while time.monotonic() < until:
            began = time.monotonic()
            if told(ask(gate)) == LOCAL:
                admitted.append((began, time.monotonic()))
    assert len(admitted) >= 15
    assert min(later[1] - first[0] for first, later
               in zip(admitted, admitted[10:])) > 0.98


@dataclass(frozen=True)
class Order:
    """What the order is told that has a key, when `rule` is there."""
    rule: str
    said: tuple
    idempotency: str


# with the store of all away
ORDERS = {
    "local": Order(mode("local"), UNAVAILABLE, None),
    "pass": Order(mode("pass"), UNAVAILABLE, None),
    "reject": Order(mode("reject"), UNAVAILABLE, None),
    "both pass": Order(mode("pass") + PASS, BYPASSED, "BYPASSED"),
    "pass, local": Order(mode("local") + PASS, LOCAL, "BYPASSED"),
    "pass, reject": Order(mode("reject") + PASS, UNAVAILABLE, "BYPASSED"),
}


@pytest.mark.parametrize("case", ORDERS)
def test_an_order_with_a_key(proxied, case):                # noqa: F811
    """The key needs a store, whatever becomes of the limit."""
    row = ORDERS[case]
    gate = proxied(rule=REQUIRED, location=KEYED + row.rule)
    with killed(gate):
        for n in range(3):
            answer = order_of(gate, f"k{n}")
            assert told(answer) == row.said
            assert answer.header("X-Idempotency") == row.idempotency
            if row.said == UNAVAILABLE:
                check_problem(answer, 503, "STORE_UNAVAILABLE", "gateway")
        assert gate.orders() == (0 if row.said == UNAVAILABLE else 3)
    callers = (f"b{n}" for n in count())
    wait_until(lambda: told(order_of(gate, "again", next(callers)))
               == PASSED, 10)
    wait_until(lambda: len(gate.redis.records()) == 1)
    wait_until(lambda: gate.redis.units() == 1)


def test_orders_without_their_records_are_limited(proxied):  # noqa: F811
    gate = proxied(rule=REQUIRED, location=KEYED + PASS, workers=2)
    assert told(order_of(gate, "first")) == PASSED
    with killed(gate):
        answers = together(10, lambda n: told(order_of(gate, f"k{n}")))
        assert sorted(answers) == [LOCAL] * 2 + [REJECTED] * 8
        assert gate.orders() == 3


def test_methods_without_an_order(proxied):                 # noqa: F811
    """Where orders need the store of their keys, others do not."""
    gate = proxied(rule=REQUIRED, location=KEYED
                   + "order_guard_methods POST;")
    with killed(gate):
        for method in ("GET", "HEAD", "PROPFIND"):
            answers = [told(ask(gate, method, method=method))
                       for _ in range(4)]
            assert answers == [LOCAL] * 3 + [REJECTED]


def test_a_preflight_passes(proxied):                       # noqa: F811
    gate = proxied(rule=REQUIRED, location=KEYED + mode("reject"))
    with killed(gate):
        for _ in range(5):
            assert told(ask(gate, method="OPTIONS")) == (200, None)


def test_without_a_token_it_is_the_address(proxied):        # noqa: F811
    gate = proxied(rule="off", location=TEN)

    def page():
        return told(client.request(gate.port, "GET", "/page"))
    assert [page() for _ in range(4)] == [PASSED] * 4
    with killed(gate):
        assert [page() for _ in range(8)] == [LOCAL] * 6 + [REJECTED] * 2


# a store of its own


@pytest.fixture
def apart(proxied, own_redis):                              # noqa: F811
    """make(rules): a Gate whose `redis` has the records and one limit, and
    whose `counting` the other one."""
    def make(rules="", **more):
        counting = own_redis()
        made = proxied(
            rule=REQUIRED, http=f"order_guard_store counting "
            f"redis://127.0.0.1:{counting.port}/0 timeout={TIMEOUT}ms;",
            location=KEYED + "order_guard_limit 9r/h name=counted "
            "store=counting;" + rules, **more)
        made.counting = counting
        return made
    return make


@pytest.mark.parametrize("name,away", [
    ("local", "kill"), ("pass", "kill"), ("reject", "kill"),
    ("local", "pause"), ("reject", "pause")])
def test_its_own_store_is_away(apart, name, away):
    """The order runs, under its key, or leaves nothing behind."""
    gate = apart(mode(name))                                # noqa: F811
    getattr(gate.counting, away)()
    for n in range(2):
        answer = order_of(gate, f"k{n}")
        assert told(answer) == MODES[name]
        if name == "reject":
            check_problem(answer, 503, "STORE_UNAVAILABLE", "gateway")
            continue
        assert answer.header("X-Idempotency") == "CLAIMED"
        again = order_of(gate, f"k{n}")
        assert replayed(again) and again.body == answer.body
    made = 0 if name == "reject" else 2
    assert gate.orders() == made
    wait_until(lambda: len(gate.redis.records()) == made)
    wait_until(lambda: gate.redis.units() == made)


def test_its_own_store_is_away_from_who_has_no_key(apart):
    gate = apart(mode("reject"))                            # noqa: F811
    gate.counting.kill()
    assert told_of(gate, 3) == [UNAVAILABLE] * 3
    wait_until(lambda: gate.redis.units() == 0)


def test_its_own_store_is_back(apart):
    gate = apart(mode("reject"))                            # noqa: F811
    gate.counting.pause()
    assert told(order_of(gate, "k")) == UNAVAILABLE
    gate.counting.resume()
    wait_until(lambda: told(order_of(gate, "k")) == PASSED, 10)
    wait_until(lambda: gate.counting.units() == 1)
    assert gate.redis.units() == 1
    assert gate.orders() == 1


def test_counted_here_and_refused(apart):
    """The claim and the unit of the store that lives go back."""
    gate = apart("order_guard_limit 1r/h name=one "         # noqa: F811
                 "store=counting;")
    gate.counting.kill()
    assert told(order_of(gate, "k0")) == LOCAL
    for n in range(1, 4):
        answer = order_of(gate, f"k{n}")
        assert told(answer) == REJECTED
        assert '"one";r=0' in answer.header("RateLimit")
    wait_until(lambda: len(gate.redis.records()) == 1)
    wait_until(lambda: gate.redis.units() == 1)
    assert gate.orders() == 1


def test_counted_here_and_refused_without_a_key(apart):
    gate = apart("order_guard_limit 1r/h name=one "         # noqa: F811
                 "store=counting;")
    gate.counting.kill()
    assert told_of(gate, 4) == [LOCAL] + [REJECTED] * 3
    wait_until(lambda: gate.redis.units() == 1)


def test_counted_here_and_not_sent(apart):
    """The unit goes back in both."""
    gate = apart("order_guard_limit 1r/h name=one "         # noqa: F811
                 "store=counting;")
    gate.counting.kill()
    gate.upstream.mode("closed")
    for n in range(3):
        assert told(order_of(gate, f"k{n}")) == (502, "LOCAL")
        wait_until(lambda: gate.redis.units() == 0)
    gate.upstream.mode("open")
    assert told(order_of(gate, "k")) == LOCAL


def test_the_store_of_the_records_is_away(apart):
    """No order runs, and the limit that could be counted is not charged."""
    gate = apart()                                          # noqa: F811
    with paused(gate):
        for n in range(3):
            assert told(order_of(gate, f"k{n}")) == UNAVAILABLE
    wait_until(lambda: gate.counting.units() == 0)
    assert gate.orders() == 0


def test_neither_is_there(apart):
    gate = apart(PASS)                                      # noqa: F811
    gate.counting.kill()
    with killed(gate):
        answers = [told(order_of(gate, f"k{n}")) for n in range(4)]
        assert answers == [LOCAL] * 3 + [REJECTED]
        assert gate.orders() == 3
