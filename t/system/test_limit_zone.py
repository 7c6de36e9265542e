"""order_guard_zone: what a host keeps of limits is bounded, and who was seen
last is kept for longest."""

import time
from collections import Counter

import pytest

from og.flood import flood, page_of
from og.gate import gate                                    # noqa: F401
from og.limits import TOLD, ask, change, told, told_of, use_up
from og.process import wait_until

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")
TOKENS = 5000


@pytest.fixture
def small(gate):                                            # noqa: F811
    """make(limits): a Gate with the smallest zone."""
    def make(limits, **more):
        return gate(TOLD + limits, rule="off", http="order_guard_zone 32k; "
                    "keepalive_requests 10000;", **more)
    return make


def made_up(number):
    """A request for each of so many tokens that nobody has."""
    return [page_of(f"made-up-{n}") for n in range(number)]


def counted(redis):
    """How many units the store was asked for so far."""
    return redis.calls()["incr"]


def unasked(gate, redis, caller):                           # noqa: F811
    """Whether the gateway refuses the caller by itself."""
    before = counted(redis)
    assert told(ask(gate, caller)) == REJECTED
    return counted(redis) == before


def test_5000_tokens_fit_in_32k(small, redis):
    """The one that was seen long ago is forgotten, not forgiven: the store
    knows it. The one that comes again and again is known throughout."""
    gate = small("order_guard_limit 1r/h;")                 # noqa: F811
    pid = wait_until(gate.nginx.worker_pids)
    for caller in ("old", "kept"):
        use_up(gate, 1, caller)
        assert unasked(gate, redis, caller)
    before = counted(redis)
    began = time.monotonic()

    requests = made_up(TOKENS)
    for n in range(0, TOKENS, 10):
        requests.insert(n + n // 10, page_of("kept"))
    assert flood(gate.port, requests) == {200: TOKENS, 429: TOKENS // 10}
    # once a second, by who comes until it has answered
    again = counted(redis) - before - TOKENS
    assert again <= 20 * (time.monotonic() - began + 1)

    assert not unasked(gate, redis, "old")
    assert any(unasked(gate, redis, "kept") for _ in range(3))
    assert gate.nginx.worker_pids() == pid
    for level in ("[error]", "[crit]", "[alert]"):
        assert level not in gate.nginx.error_log()


def test_the_last_ones_are_kept(small, redis):
    """And none before them: it is the oldest that goes."""
    gate = small("order_guard_limit 1r/h;")                 # noqa: F811
    for n in range(300):
        use_up(gate, 1, f"c{n}")
    known = [unasked(gate, redis, f"c{n}") for n in range(299, -1, -1)]
    kept = known.index(False)
    assert 10 < kept < 300
    assert not any(known[kept:])


def test_a_name_that_is_long_has_room(small, redis):
    """It needs a place larger than those that it makes free."""
    name = "n" * 1500
    gate = small(f"order_guard_limit 1r/h name={name} "     # noqa: F811
                 "key=$arg_shop; order_guard_limit 9999r/h;")
    assert flood(gate.port, made_up(400)) == {200: 400}
    for shop in range(30):
        path = f"/page?shop={shop}"
        assert told_of(gate, 3, "a", path) == [PASSED] + [REJECTED] * 2
    before = counted(redis)
    assert told_of(gate, 5, "a", path) == [REJECTED] * 5
    assert counted(redis) == before


def test_made_up_tokens_and_a_limit_by_address(small, redis):
    """It holds for all of them, and they leave nothing in the store."""
    gate = small("order_guard_limit 1000r/h; "              # noqa: F811
                 "order_guard_limit 20r/h name=address key=$remote_addr;")
    assert flood(gate.port, made_up(400)) == {200: 20, 429: 380}
    wait_until(lambda: redis.units() == 40)
    assert len(redis.counters()) < 60


def test_another_size_after_a_reload(small, redis):
    """What was in the former zone is asked of the store."""
    gate = small("order_guard_limit 2r/h;", workers=2)      # noqa: F811
    use_up(gate, 2)
    change(gate, "order_guard_zone 32k", "order_guard_zone 1m")
    before = counted(redis)
    assert told_of(gate, 5) == [REJECTED] * 5
    assert counted(redis) == before + 2


def test_nobody_is_denied_by_another_worker_s_clock(gate):  # noqa: F811
    """Each worker's time is a few ms behind or ahead of the other's: who was
    let through here is not over the limit there."""
    gate = gate(f"order_guard_limit 100000r/s; {TOLD}",     # noqa: F811
                store="shm size=8m", workers=2, rule="off")
    found = Counter()
    for turn in range(4):
        found += flood(gate.port, [page_of(f"c{n % 50}")
                                   for n in range(4000)])
    assert found == {200: 16000}
