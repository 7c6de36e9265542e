"""Many at once: equal requests make one order, distinct keys lose none."""

import pytest

from og import client
from og.gate import gate, order, replayed                   # noqa: F401
from og.http2 import Http2
from og.parallel import Later, together
from og.problem import check_problem

pytestmark = pytest.mark.both_stores

COUNT = 60


def pids(gate):                                             # noqa: F811
    return {line.split()[0] for line in gate.lines()}


def check_race(gate, answers):                              # noqa: F811
    """One order; everybody heard of it or was told to wait."""
    assert gate.orders() == 1
    told = [a for a in answers if a.status == 200]
    assert len({a.body for a in told}) == 1
    assert sum(not replayed(a) for a in told) == 1
    for answer in answers:
        if answer.status != 200:
            check_problem(answer, 409, "IDEMPOTENCY_IN_PROGRESS", "gateway")
            assert int(answer.header("Retry-After")) >= 1


def test_60_equal_requests_over_two_workers(gate):          # noqa: F811
    gate = gate(workers=2)
    answers = together(COUNT, lambda _: gate.order("race"))
    check_race(gate, answers)
    gate.finished(COUNT)
    assert len(pids(gate)) == 2


def test_60_equal_requests_while_the_first_is_running(gate):  # noqa: F811
    gate = gate(workers=2)
    first = Later(gate.order, "race", "hold=first")
    gate.upstream.wait_for_requests(1)

    refused = together(COUNT, lambda _: gate.order("race"))
    assert {a.status for a in refused} == {409}

    gate.upstream.release("first")
    made = first.value()
    assert made.status == 200
    replays = together(COUNT, lambda _: gate.order("race"))
    assert all(replayed(a) and a.body == made.body for a in replays)
    check_race(gate, [made, *refused, *replays])


def test_60_equal_requests_with_ten_keys(gate):             # noqa: F811
    gate = gate(workers=2)
    answers = together(COUNT, lambda n: gate.order(f"race-{n % 10}"))
    assert gate.orders() == 10
    for key in range(10):
        bodies = {a.body for n, a in enumerate(answers)
                  if n % 10 == key and a.status == 200}
        assert len(bodies) == 1


def test_1000_distinct_keys_through_one_worker(gate, redis):  # noqa: F811
    gate = gate()

    def orders(thread):
        with client.Session(gate.port) as session:
            seeds = [order(f"key-{thread}-{n}") for n in range(50)]
            return [session.request("POST", seed.path, seed.body,
                                    seed.headers) for seed in seeds]

    answers = sum(together(20, orders), [])
    assert {a.status for a in answers} == {200}
    assert not any(replayed(a) for a in answers)
    assert len({a.body for a in answers}) == 1000
    assert gate.orders() == 1000
    assert len(redis.records()) == 1000


def http2_orders(port, keys):
    """All on one connection, each on a stream of its own."""
    seeds = [order(key) for key in keys]
    with Http2(port) as connection:
        streams = [connection.request("POST", seed.path, seed.body,
                                      seed.headers) for seed in seeds]
        return connection.wait(streams)


def check_http2_race(gate, answers):                        # noqa: F811
    assert gate.orders() == 1
    assert {a.status for a in answers} <= {200, 409}
    assert len({a.body for a in answers if a.status == 200}) == 1
    for answer in answers:
        assert answer.status == 200 or b"IN_PROGRESS" in answer.body


def test_60_equal_requests_on_one_http2_connection(gate):   # noqa: F811
    gate = gate()
    check_http2_race(gate, http2_orders(gate.h2, ["race"] * COUNT))


def test_60_equal_requests_over_http2_and_two_workers(gate):  # noqa: F811
    gate = gate(workers=2)
    answers = sum(together(20, lambda _: http2_orders(gate.h2, ["race"] * 3)),
                  [])
    check_http2_race(gate, answers)
    gate.finished(COUNT)
    assert len(pids(gate)) == 2


def test_1000_distinct_keys_over_http2(gate, redis):        # noqa: F811
    gate = gate()
    answers = sum(together(10, lambda n: http2_orders(
        gate.h2, [f"key-{n}-{m}" for m in range(100)])), [])
    assert {a.status for a in answers} == {200}
    assert gate.orders() == 1000
    assert len(redis.records()) == 1000
