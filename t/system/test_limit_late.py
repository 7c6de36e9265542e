"""Limits whose store answers late, or not at all beside one that does."""

import os
import signal
import time

from og.faulty import UP, gate, proxied                     # noqa: F401
from og.gate import replayed
from og.limits import TOLD, ask, told
from og.parallel import Later
from og.problem import check_problem
from og.process import wait_until

PASSED = (200, "PASSED")


def test_a_store_that_answers_late_admits_no_more(gate, own_redis):  # noqa: F811,E501
    """What it has counted in a slot that is over by then is asked again."""
    redis = own_redis()
    gate = gate(TOLD + "order_guard_limit 10r/s;", rule="off",
                store=redis.address + " timeout=3s")
    assert told(ask(gate, "other")) == PASSED
    os.kill(redis.process.pid, signal.SIGSTOP)
    first = [Later(ask, gate) for _ in range(12)]
    time.sleep(1.1)                 # the first slots are over
    second = [Later(ask, gate) for _ in range(12)]
    time.sleep(0.1)
    os.kill(redis.process.pid, signal.SIGCONT)
    answers = [told(later.value()) for later in first + second]
    assert answers.count(PASSED) <= 10, answers


def two_stores(gate, own_redis, failure, limit="3r/h"):     # noqa: F811
    """Records in one, the limit in another."""
    records, counts = own_redis(), own_redis()
    made = gate(TOLD + f"order_guard_limit {limit} store=two;"
                f"order_guard_idempotency_on_failure {failure};",
                http=f"order_guard_store two {counts.address} timeout=500ms;",
                store=records.address + " timeout=500ms")
    return made, records, counts


def test_a_limit_holds_while_the_records_are_away(gate, own_redis):  # noqa: F811,E501
    gate, records, counts = two_stores(gate, own_redis, "pass")
    assert gate.order("first").status == 200
    records.kill()
    answers = [gate.order(f"k{n}").status for n in range(8)]
    assert answers.count(200) == 2, answers
    assert counts.units() == 3


def test_a_replay_is_not_limited_while_the_records_are_away(  # noqa: F811
        gate, own_redis):
    gate, records, counts = two_stores(gate, own_redis, "reject", "2r/h")
    for key in "ab":
        assert gate.order(key).status == 200
    records.kill()
    for _ in range(3):
        check_problem(gate.order("a"), 503, "STORE_UNAVAILABLE", "gateway")
    wait_until(lambda: counts.units() == 2, 5)


def test_replays_of_who_has_little_left_are_not_counted(proxied):  # noqa: F811
    """Not even for a moment, in which they could refuse an order."""
    gate = proxied(location=TOLD + "order_guard_limit 4r/h;")
    for key in "abcd":
        assert gate.order(key).status == 200
    wait_until(lambda: b"EXPIRE" in gate.proxy.connections[0].sent(UP), 5)
    before = gate.redis.calls()["incr"]
    for _ in range(5):
        assert replayed(gate.order("a"))
    assert gate.redis.calls()["incr"] == before
