"""Limits are counted by the store's clock, whatever that is and whenever it
is set: this host's own count goes with it."""

import pytest

from og.clock import ClockedRedis
from og.faulty import gate                                  # noqa: F401
from og.limits import TOLD, ask, told, told_of
from og.process import wait_until

PASSED, LOCAL = (200, "PASSED"), (200, "LOCAL")
REJECTED = (429, "REJECTED")
HOUR = 3600
SLOT = HOUR // 20


@pytest.fixture
def clocked(gate, tmp_path):                                # noqa: F811
    """make(ahead, limit): a started Gate with `.redis`."""
    made = []

    def make(ahead=0, limit="5r/h"):
        redis = ClockedRedis(tmp_path / f"clocked{len(made)}", ahead)
        made.append(redis)
        redis.start()
        guarded = gate(TOLD + f"order_guard_limit {limit};", rule="off",
                       store=redis.address + " timeout=500ms")
        guarded.redis = redis
        return guarded

    yield make
    for redis in made:
        redis.stop()


def others():
    """Callers that nobody has seen before."""
    return (f"other{n}" for n in range(1000))


def know_the_time(gate):                                    # noqa: F811
    """Waits until the gateway counts by the time that the store has now."""
    callers = others()
    slot = gate.redis.time() // SLOT

    def counted():
        gate.redis.command("FLUSHALL")
        assert ask(gate, next(callers)).status == 200
        return any(int(key.rsplit(":", 1)[1]) in (slot, slot + 1)
                   for key in gate.redis.counters())

    wait_until(counted, 10)


@pytest.mark.parametrize("ahead", [2 * HOUR, -2 * HOUR, 10, -10])
def test_what_this_host_counts_by_another_clock(clocked, ahead):
    """A caller that was not seen before the store went."""
    gate = clocked(ahead)                                   # noqa: F811
    assert told(ask(gate, "first")) == PASSED
    gate.redis.kill()
    assert told_of(gate, 4) == [LOCAL] * 4
    gate.redis.restart()
    callers = others()
    wait_until(lambda: told(ask(gate, next(callers))) == PASSED, 10)
    assert told_of(gate, 3) == [PASSED, REJECTED, REJECTED]


@pytest.mark.parametrize("ahead", [2 * HOUR, -2 * HOUR])
def test_a_clock_that_is_set(clocked, ahead):
    gate = clocked()                                        # noqa: F811
    assert told_of(gate, 4) == [PASSED] * 4
    gate.redis.set(ahead)
    know_the_time(gate)
    assert told_of(gate, 3) == [PASSED, REJECTED, REJECTED]


@pytest.mark.parametrize("ahead", [2 * HOUR, -2 * HOUR])
def test_nobody_is_locked_out_by_it(clocked, ahead):
    """The window passes as it does by any clock."""
    gate = clocked(limit="2r/2s")                           # noqa: F811
    assert told_of(gate, 2) == [PASSED] * 2
    gate.redis.set(ahead)
    wait_until(lambda: told(ask(gate)) == PASSED, 10)


def test_the_next_slot_counts(clocked):
    """Another gateway's clock is ahead."""
    gate = clocked()                                        # noqa: F811
    assert told(ask(gate)) == PASSED
    key, = gate.redis.counters()
    name, slot = key.rsplit(":", 1)
    gate.redis.command("SET", f"{name}:{int(slot) + 1}", "4")
    assert told(ask(gate)) == REJECTED
