"""Counting on Redis: a sliding window of slots, and units that go back."""

import time

from og.faulty import UP, gate, proxied                     # noqa: F401
from og.gate import replayed
from og.parallel import Later, together
from og.problem import check_problem
from og.process import wait_until


def test_replays_in_flight_refuse_no_order(proxied):        # noqa: F811
    """Ten replays are counted before the fresh order, and given back."""
    gate = proxied(location="order_guard_limit 2r/m;", timeout=5000)
    assert gate.order("k").status == 200
    gate.proxy.hold(UP)
    replays = [Later(gate.order, "k") for _ in range(10)]
    counted(gate, 10)
    fresh = Later(gate.order, "fresh")
    counted(gate, 11)
    gate.proxy.deliver()
    assert all(replayed(answer.value()) for answer in replays)
    assert fresh.value().status == 200

    check_problem(gate.order("one-too-many"), 429, "RATE_LIMITED")
    wait_until(lambda: gate.redis.units() == 2)
    assert len(gate.redis.records()) == 2
    assert gate.orders() == 2


def counted(gate, number):                                  # noqa: F811
    wait_until(lambda: sum(c.held().count(b"INCR") for c in
                           gate.proxy.connections) == number)


def test_equal_requests_cost_one_unit(gate, redis):         # noqa: F811
    gate = gate("order_guard_limit 5r/m;", workers=2)
    answers = together(40, lambda _: gate.order("k"))
    assert {answer.status for answer in answers} <= {200, 409}
    wait_until(lambda: redis.units() == 1, what=f"{redis.units()} units")


def test_unit_goes_back_with_a_key_that_was_not_sent(gate, redis):  # noqa: F811,E501
    gate = gate("order_guard_limit 2r/m;")
    gate.upstream.mode("closed")
    for n in range(5):
        assert gate.order(f"k{n}").status == 502
    wait_until(lambda: redis.units() == 0, what=f"{redis.units()} units")
    gate.upstream.mode("open")
    assert gate.order("k").status == 200


def test_unit_is_spent_with_an_answer_that_frees(gate, redis):  # noqa: F811
    gate = gate("order_guard_limit 2r/m;")
    for n in range(2):
        assert gate.order("k", "status=403").status == 403
        wait_until(lambda: redis.records() == [])
    check_problem(gate.order("k"), 429, "RATE_LIMITED")


def test_never_more_than_the_limit_in_a_window(gate, redis):  # noqa: F811
    """Two workers, one caller in a hurry; times enclose the decision."""
    gate = gate("order_guard_limit 10r/s;", workers=2)
    admitted = []
    until = time.monotonic() + 3.5
    number = 0
    while time.monotonic() < until:
        began = time.monotonic()
        number += 1
        if gate.order(f"k{number}").status == 200:
            admitted.append((began, time.monotonic()))
    assert len(admitted) >= 25
    shortest = min(later[1] - first[0] for first, later
                   in zip(admitted, admitted[10:]))
    assert shortest > 0.98


def test_no_counter_lives_for_ever(gate, redis):            # noqa: F811
    gate = gate("order_guard_limit 3r/s; order_guard_limit 100r/m;",
                workers=2)
    for n in range(3):
        together(20, lambda m: gate.order(f"k{n}-{m % 5}"))
    keys = redis.counters()
    assert keys
    for key in keys:
        life = redis.command("PTTL", key)
        assert life == -2 or 0 < life <= 66000, (key, life)
    wait_until(lambda: not any(":l:3r/s" in key for key in redis.counters()),
               5, "counters of a window of 1 s")
