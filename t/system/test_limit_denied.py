"""Who is known to be over a limit is not asked about again: without a key
nothing is asked of the store, with one whether the order is finished."""

import time
from collections import Counter
from contextlib import contextmanager

import pytest

from og import client
from og.faulty import DOWN, UP, gate, proxied               # noqa: F401
from og.gate import order, replayed
from og.limits import (TO_SLOW_PEER, TOLD, ask, change, named, order_of,
                       slow_peer, told, told_of, use_up)
from og.parallel import Later, together
from og.paths import SLOW
from og.problem import check_problem
from og.process import wait_until
from og.redis import commands
from og.secret import record

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")


@pytest.fixture
def limited(proxied):                                       # noqa: F811
    """make(limits): a Gate whose asked() tells what its store is asked."""
    def make(limits="order_guard_limit 2r/h;", rule="optional", **more):
        made = proxied(location=TOLD + limits, rule=rule, **more)
        made.seen = Counter()       # commands, by connection
        return made
    return make


def asked(gate):                                            # noqa: F811
    """The commands since it was called last."""
    new = []
    for connection in gate.proxy.connections:
        every = asked_on(connection)
        new += every[gate.seen[connection.number]:]
        gate.seen[connection.number] = len(every)
    return new


def asked_on(connection):
    """Without those that look whether the store is well."""
    return [command for command in commands(connection.sent(UP))
            if command[0] != "TIME" and "og:epoch" not in command]


def settled(gate):                                          # noqa: F811
    """Waits until the store has the refused unit back: it was given back
    twice, since a refusal is asked for once more."""
    wait_until(lambda: sum(
        command[0] == "DECR" for connection in gate.proxy.connections
        for command in asked_on(connection)) == 2)
    asked(gate)


def body_of(method):
    return b"{}" if method in ("POST", "PUT") else None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE",
                                    "OPTIONS"])
def test_without_a_key_nothing_is_asked(limited, method):
    """OPTIONS is counted where it stands for an order."""
    gate = limited()                                        # noqa: F811
    use_up(gate, 2)
    settled(gate)
    headers = {**named("a"), "Content-Type": "application/json"}
    if method == "OPTIONS":
        headers["X-HTTP-Method-Override"] = "POST"
    for _ in range(20):
        answer = client.request(gate.port, method, "/page", body_of(method),
                                headers)
        assert told(answer) == REJECTED
        assert int(answer.header("Retry-After")) >= 3600 - 1
    assert asked(gate) == []


# what an order with a key is told whose caller is over the limit; `changes`
# of its body
KEYED = {
    "a free key": ("free", None, 429),
    "finished": ("finished", None, 200),
    "finished, another payload": ("finished", {"place_id": 5}, 422),
    "finished, too large to be kept": ("large", None, 409),
    "unknown": ("unknown", None, 409),
    "running": ("running", None, 409),
}


@pytest.mark.parametrize("case", KEYED)
def test_with_a_key_it_is_looked_up(limited, case):
    """By one GET of its record, and nothing else. A second later the limit
    itself is asked about again, which may fall into one of the tries."""
    key, changes, status = KEYED[case]
    gate = limited("order_guard_limit 4r/h; "               # noqa: F811
                   "order_guard_idempotency_response_limit 16k;")
    with orders_made(gate):
        settled(gate)
        looks = [["GET", name_of(key)]]
        if case == "running":
            looks.append(["PTTL", name_of(key)])    # whether its owner lives
        seen = []
        for _ in range(5):
            answer = order_of(gate, key, json=changes)
            assert answer.status == status
            seen.append(asked(gate))
        assert seen.count(looks) >= 3, seen
        assert gate.orders() == 4


@contextmanager
def orders_made(gate):                                      # noqa: F811
    """The caller has spent the limit on orders in every state."""
    assert order_of(gate, "finished").status == 200
    assert order_of(gate, "large", fault="big=20000").status == 200
    assert order_of(gate, "unknown", fault="close").status == 502
    running = Later(order_of, gate, "running", fault="hold=running")
    gate.upstream.wait_for_requests(4)
    assert told(ask(gate)) == REJECTED
    yield
    gate.upstream.release("running")
    assert running.value().status == 200


def name_of(key, caller="a"):
    return record(None, caller, "", "POST", order(key).path, key)


def test_a_finished_order_is_never_refused(limited):
    gate = limited("order_guard_limit 1r/h;", workers=2)    # noqa: F811
    first = order_of(gate, "k")
    assert told(first) == PASSED
    for _ in range(20):
        assert told(ask(gate)) == REJECTED
        again = order_of(gate, "k")
        assert replayed(again) and again.body == first.body
    assert gate.orders() == 1
    assert gate.redis.units() == 1


def test_a_refused_order_leaves_no_claim(limited):
    gate = limited(rule="required")                         # noqa: F811
    use_up(gate, 2)
    for n in range(5):
        check_problem(order_of(gate, f"k{n}"), 429, "RATE_LIMITED", "gateway")
    assert gate.redis.records() == []
    assert gate.redis.units() == 2
    assert gate.orders() == 0


# who else is there; each may ask once while "a" may not
OTHERS = """
    location /other {
        order_guard on;
        order_guard_limit 1r/h name=other;
        %s
        proxy_pass http://orders;
    }
    location /key {
        order_guard on;
        order_guard_limit 1r/h name=key key=$arg_shop;
        %s
        proxy_pass http://orders;
    }
    location /store {
        order_guard on;
        order_guard_limit 2r/h store=second;
        %s
        proxy_pass http://orders;
    }
""".replace("%s", TOLD)


@pytest.mark.parametrize("caller,path", [
    ("b", "/page"), ("a", "/other"), ("a", "/key?shop=1"), ("a", "/store"),
])
def test_nobody_else_is_denied(limited, redis, caller, path):
    gate = limited(server=OTHERS,                           # noqa: F811
                   http=f"order_guard_store second {redis.address};")
    use_up(gate, 2)
    assert told(ask(gate, caller, path)) == PASSED
    assert told(ask(gate)) == REJECTED


def test_one_of_several_limits_denies(limited):
    """What it refuses is asked of no other one, nor counted there."""
    gate = limited("order_guard_limit 100r/h; "             # noqa: F811
                   "order_guard_limit 1r/h name=shop key=$arg_shop;")
    use_up(gate, 1, path="/page?shop=1")
    wait_until(lambda: gate.redis.units() == 2)
    asked(gate)
    assert told_of(gate, 5, path="/page?shop=1") == [REJECTED] * 5
    assert asked(gate) == []
    assert gate.redis.units() == 2
    assert told(ask(gate, path="/page?shop=2")) == PASSED


def test_all_workers_know_it(limited):
    gate = limited(workers=2)                               # noqa: F811
    use_up(gate, 2)
    settled(gate)
    answers = together(40, lambda _: told(ask(gate)))
    assert set(answers) == {REJECTED}
    gate.finished(43)
    assert len({line.split()[0] for line in gate.lines()[3:]}) == 2
    assert asked(gate) == []


def test_it_survives_a_reload(limited):
    gate = limited(workers=2)                               # noqa: F811
    use_up(gate, 2)
    gate.nginx.reload()
    asked(gate)
    assert told_of(gate, 20) == [REJECTED] * 20
    assert not [command for command in asked(gate)
                if command[0] in ("INCR", "MGET")]


def test_another_rate_after_a_reload_is_another_limit(limited):
    """The name, and what was counted under it, are the same."""
    gate = limited("order_guard_limit 2r/h name=n;")        # noqa: F811
    use_up(gate, 2)
    change(gate, "2r/h name=n", "4r/h name=n")
    assert told_of(gate, 3) == [PASSED] * 2 + [REJECTED]


def test_it_ends_when_the_window_has_room(limited):
    """A window after the first unit, not after the refusal."""
    gate = limited("order_guard_limit 5r/s;")               # noqa: F811
    began = time.monotonic()
    assert told(ask(gate)) == PASSED
    time.sleep(0.5)
    assert told_of(gate, 6) == [PASSED] * 4 + [REJECTED] * 2
    wait_until(lambda: told(ask(gate)) == PASSED, 2)
    took = time.monotonic() - began
    assert 0.98 < took < 1.05 + 0.3 * SLOW


def test_it_ends_when_a_unit_is_given_back(limited):
    """By any worker of the host."""
    with slow_peer() as (address, accept):
        gate = limited("order_guard_limit 1r/h;",           # noqa: F811
                       address=address, target=TO_SLOW_PEER, workers=2)
        first = Later(order_of, gate, "k")
        peer = accept()
        assert told_of(gate, 20) == [REJECTED] * 20
        peer.close()
    assert told(first.value()) == (502, "PASSED")
    wait_until(lambda: gate.redis.units() == 0, what="the unit was kept")
    assert told(ask(gate)) == (502, "PASSED")


# what a refusal may not be held against

def test_a_burst_of_one_denies_no_other(limited):
    """Of 40 requests of one caller 2 count, and 38 go back: its neighbours
    at the address have 18 units left."""
    gate = limited("order_guard_limit 2r/h; "               # noqa: F811
                   "order_guard_limit 20r/h name=address key=$remote_addr;",
                   timeout=5000)
    gate.proxy.hold(DOWN)
    burst = [Later(ask, gate) for _ in range(40)]
    wait_until(lambda: gate.redis.units() == 80)
    gate.proxy.deliver()
    answers = [told(one.value()) for one in burst]
    assert answers.count(PASSED) == 2
    wait_until(lambda: gate.redis.units() == 4)
    wait_until(lambda: told(ask(gate, "b")) == PASSED, 3, "all are denied")


def test_who_waits_for_an_answer_gets_it(limited):
    """Also when its caller comes to be denied meanwhile."""
    gate = limited("order_guard_limit 1r/h; "               # noqa: F811
                   "order_guard_idempotency_wait 10s;")
    first = Later(order_of, gate, "k", fault="hold=k")
    gate.upstream.wait_for_requests(1)
    other = Later(order_of, gate, "k")
    wait_until(lambda: b"PTTL" in gate.proxy.connections[0].sent(UP))
    assert told(ask(gate)) == REJECTED
    asked(gate)
    wait_until(lambda: other.done() or "GET" in [c[0] for c in asked(gate)])
    gate.upstream.release("k")
    assert first.value().status == 200
    assert replayed(other.value())


def test_who_is_refused_together_does_not_come_back_together(gate):  # noqa: F811,E501
    """Up to a tenth of an hour lies between them."""
    gate = gate(TOLD + "order_guard_limit 1r/h;", rule="off")
    use_up(gate, 1)
    waits = [int(ask(gate).header("Retry-After")) for _ in range(30)]
    assert max(waits) - min(waits) > 36
