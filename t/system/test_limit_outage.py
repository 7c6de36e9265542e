"""Limits across an outage of their store: what was admitted without it counts
when it is there again, and nobody waits for it twice."""

import time

from og import client
from og.faulty import TIMEOUT, UP, gate, held, proxied, reconnected  # noqa: F401,E501
from og.gate import replayed
from og.limits import PAGE, TOLD, ask, order_of, told, told_of
from og.parallel import Later, together
from og.process import wait_until

PASSED, LOCAL = (200, "PASSED"), (200, "LOCAL")
REJECTED = (429, "REJECTED")
FIVE = TOLD + "order_guard_limit 5r/h;"


def back(gate):                                             # noqa: F811
    """Waits until the store counts again, for others."""
    callers = (f"other{n}" for n in range(1000))
    wait_until(lambda: told(ask(gate, next(callers))) == PASSED, 10)


def test_what_was_admitted_while_it_was_gone(proxied):      # noqa: F811
    gate = proxied(location=FIVE)
    assert told_of(gate, 2) == [PASSED] * 2
    gate.redis.kill()
    assert told_of(gate, 2) == [LOCAL] * 2
    gate.redis.restart()
    back(gate)
    assert told_of(gate, 3) == [PASSED, REJECTED, REJECTED]
    wait_until(lambda: gate.redis.units() - others(gate) == 1, 5)


def others(gate):                                           # noqa: F811
    """How many callers beside the first have a counter."""
    return len(gate.redis.counters()) - 1


def test_what_it_has_lost(proxied):                         # noqa: F811
    gate = proxied(location=FIVE, workers=2)
    assert told_of(gate, 4) == [PASSED] * 4
    gate.redis.command("FLUSHALL")
    answer = ask(gate)
    assert told(answer) == PASSED
    assert answer.header("RateLimit").startswith('"5r/h";r=0;t=')
    assert told_of(gate, 2) == [REJECTED] * 2


def test_what_it_has_lost_of_two_limits(proxied):           # noqa: F811
    """What one has no room for is not counted by the other."""
    gate = proxied(location=TOLD + "order_guard_limit 9r/h name=wide;"
                   "order_guard_limit 2r/h name=tight;")
    assert told_of(gate, 2) == [PASSED] * 2
    gate.redis.command("FLUSHALL")
    answer = ask(gate)
    assert told(answer) == REJECTED
    assert answer.header("RateLimit").startswith('"wide";r=7;t=')


def test_an_order_that_this_host_does_not_admit(proxied):   # noqa: F811
    """Its claim is given up: the key is free."""
    gate = proxied(location=TOLD + "order_guard_limit 2r/2s;")
    assert order_of(gate, "a").status == order_of(gate, "b").status == 200
    gate.redis.command("FLUSHALL")
    answer = order_of(gate, "c")
    assert told(answer) == REJECTED
    assert 1 <= int(answer.header("Retry-After")) <= 3
    assert gate.orders() == 2
    wait_until(lambda: not gate.redis.records())
    wait_until(lambda: order_of(gate, "c").status == 200, 5)
    assert replayed(order_of(gate, "c"))


def test_what_it_answers_when_nobody_waits_any_more(proxied):  # noqa: F811
    """Who went on without it has spent a unit there, too."""
    gate = proxied(location=FIVE)
    assert told(ask(gate)) == PASSED
    gate.proxy.hold(UP)
    assert told(ask(gate)) == LOCAL
    gate.proxy.deliver()
    wait_until(lambda: gate.redis.units() == 2, 5)
    gate.proxy.pass_on()
    back(gate)
    assert gate.redis.units() - others(gate) == 2


def test_what_it_answers_to_who_was_refused_meanwhile(proxied):  # noqa: F811
    gate = proxied(location=FIVE + "order_guard_limit_on_failure reject;")
    assert told(ask(gate)) == PASSED
    gate.proxy.hold(UP)
    assert ask(gate).status == 503
    before = gate.redis.calls()["decr"]
    gate.proxy.deliver()
    wait_until(lambda: gate.redis.calls()["decr"] == before + 1, 5)
    assert gate.redis.units() == 1


def test_nobody_waits_twice(proxied):                       # noqa: F811
    """However many locations a redirect leads through."""
    locations = "".join(
        f"location @{n} {{ order_guard on; {TOLD}"
        f"order_guard_limit 5r/h name=n{n}; try_files /none @{n + 1}; }}"
        for n in range(1, 5))
    gate = proxied(
        location=FIVE + "try_files /none @1;", timeout=4 * TIMEOUT,
        server=locations + f"location @5 {{ {TOLD} proxy_pass http://orders; }}")
    assert told(ask(gate)) == PASSED
    gate.proxy.blackhole()
    began = time.monotonic()
    assert told(ask(gate, "b")) == LOCAL
    assert time.monotonic() - began < 1.5 * 4 * TIMEOUT / 1000


def test_replays_are_looked_up_before_they_are_counted(proxied):  # noqa: F811
    """When one was seen, also where much is left: a storm of them refuses no
    order, and costs one command each."""
    gate = proxied(location=TOLD + "order_guard_limit 40r/h;")
    assert order_of(gate, "a").status == 200
    assert replayed(order_of(gate, "a"))
    wait_until(lambda: gate.redis.calls()["decr"] == 1, 5)
    before = gate.redis.calls()
    for _ in range(5):
        assert replayed(order_of(gate, "a"))
    after = gate.redis.calls()
    assert after["get"] == before["get"] + 5
    for name in ("incr", "decr", "mget", "set"):
        assert after[name] == before[name]


def test_a_storm_of_replays_refuses_no_order(proxied):      # noqa: F811
    gate = proxied(location=TOLD + "order_guard_limit 30r/h;", workers=2)
    assert order_of(gate, "a").status == 200
    for n in range(20):
        storm = [Later(order_of, gate, "a") for _ in range(20)]
        assert told(order_of(gate, f"k{n}")) == PASSED
        assert all(replayed(later.value()) for later in storm)
    wait_until(lambda: gate.redis.units() == 21, 5)


def test_who_was_over_the_limit_when_it_went(proxied):      # noqa: F811
    """Denied by this host alone, which the store has not judged."""
    gate = proxied(location=TOLD + "order_guard_limit 2r/h;"
                   "order_guard_idempotency_on_failure pass;")
    assert [told(order_of(gate, f"k{n}")) for n in range(3)] == [
        PASSED, PASSED, REJECTED]
    gate.redis.kill()
    assert told(order_of(gate, "k3")) == REJECTED
    gate.redis.restart()
    back(gate)
    assert told(order_of(gate, "k4")) == REJECTED
