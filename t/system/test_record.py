"""What a record tells of itself to gateways that are configured otherwise."""

import time

import pytest

from og import client
from og.gate import gate, order_bytes, replayed             # noqa: F401
from og.parallel import Later
from og.problem import check_problem
from og.process import wait_until


def test_age_of_a_replay(gate):                             # noqa: F811
    gate = gate()
    start = time.monotonic()
    assert gate.order("k").header("Age") is None
    made = time.monotonic()
    wait_until(lambda: age(gate) == 2, 5)
    assert 1.9 < time.monotonic() - start
    assert age(gate) <= time.monotonic() - made + 1


def age(gate):                                              # noqa: F811
    answer = gate.order("k")
    assert replayed(answer)
    return int(answer.header("Age"))


@pytest.mark.parametrize("fault, low, high", [
    ("status=400", 590, 600), ("status=499", 590, 600),
    ("status=500", 3590, 3600), (None, 3590, 3600)])
def test_errors_of_the_client_live_for_error_ttl(gate, redis,  # noqa: F811
                                                 fault, low, high):
    gate = gate(rule="required ttl=1h error_ttl=10m")
    answer = gate.order("k", fault)
    gate.check_replays(answer, "k")
    life, = [redis.command("PTTL", key) for key in redis.records()]
    assert low * 1000 < life <= high * 1000


def test_a_reload_with_another_ttl(gate):                   # noqa: F811
    """An order that runs is neither silent nor alive by another's rules."""
    owner = gate(rule="required ttl=1h lease=30s")
    order = Later(owner.order, "k", "hold=k")
    owner.upstream.wait_for_requests(1)
    for ttl in ("10m", "1h", "24h"):
        other = gate(rule=f"required ttl={ttl} lease=1s")
        check_problem(other.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS",
                      "gateway")
    owner.upstream.release("k")
    assert order.value().status == 200
    assert other.orders() == 1


def test_a_dead_owner_with_another_lease(gate):             # noqa: F811
    """Its own lease counts, whatever the lease of who finds it."""
    owner = gate(rule="required ttl=10m lease=1s")
    other = gate(rule="required ttl=24h lease=6h")
    dying = client.leave(owner.port, order_bytes("k", "hold=dead"))
    owner.upstream.wait_for_requests(1)
    check_problem(other.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS",
                  "gateway")
    owner.nginx.kill_worker()
    dying.close()
    wait_until(lambda: other.order("k").code == "IDEMPOTENCY_OUTCOME_UNKNOWN",
               10)
    assert other.arrived() == 1
