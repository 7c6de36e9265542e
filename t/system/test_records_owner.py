"""An operator frees the key of an order whose owner is not dead but asleep or
cut off: when it comes back it must not free the next order's claim."""

import os
import signal

import pytest

from og.faulty import UP, held, proxied, reconnected        # noqa: F401
from og.gate import gate                                    # noqa: F401
from og.operator import (finish, look, named, release,      # noqa: F401
                         watched)
from og.parallel import Later
from og.process import wait_until

LEASE = "required ttl=1h lease=3s"


def silent(gate, name):                                     # noqa: F811
    wait_until(lambda: look(gate, **name)["state"] == "unknown", 12)


def freed_and_run(gate, name):                              # noqa: F811
    """The operator was asked, and the client's retry is on its way."""
    before = gate.arrived()
    answer = release(gate, **name)
    assert answer.status == 200, answer
    order = Later(gate.order, "k", "hold=second")
    gate.upstream.wait_for_requests(before + 1)
    return order


def check_second_is_the_only_one(gate, second):             # noqa: F811
    assert gate.order("k").code == "IDEMPOTENCY_IN_PROGRESS"
    gate.upstream.release("second")
    gate.check_replays(second.value(), "k")


def test_a_worker_that_slept(watched):
    """A virtual machine that was paused, say; its upstream freed the key."""
    owner, other = watched(rule=LEASE), watched(rule=LEASE)
    name = named(other)
    first = Later(owner.order, "k", "hold=first,status=429")
    owner.upstream.wait_for_requests(2)
    pid, = owner.nginx.worker_pids()
    os.kill(pid, signal.SIGSTOP)
    silent(other, name)
    second = freed_and_run(other, name)
    owner.upstream.release("first")
    os.kill(pid, signal.SIGCONT)
    assert first.value().status == 429
    assert owner.order("l").status == 200   # behind what it had to settle
    check_second_is_the_only_one(other, second)


def two(watched, proxied, **more):                          # noqa: F811
    owner = watched(make=proxied, rule=LEASE, **more)
    other = watched(rule=LEASE,
                    store=f"redis://127.0.0.1:{owner.redis.port}/0")
    return owner, other, named(other)


@pytest.mark.parametrize("answer", ["status=429", "status=200"])
def test_an_owner_that_was_cut_off(watched, proxied, answer):  # noqa: F811
    """Its renewals meet another's claim when it is back."""
    owner, other, name = two(watched, proxied)
    first = Later(owner.order, "k", f"hold=first,{answer}")
    owner.upstream.wait_for_requests(2)
    owner.proxy.refuse()
    owner.proxy.cut()
    silent(other, name)
    second = freed_and_run(other, name)
    owner.proxy.accept()
    owner.logged("double run: another's record is under the claimed key")
    owner.upstream.release("first")
    first.value()
    check_second_is_the_only_one(other, second)


def test_a_release_that_is_late(watched, proxied):          # noqa: F811
    """It was sent while the key was the owner's, on a connection that lives
    longer than the lease."""
    owner, other, name = two(watched, proxied, timeout=2000)
    first = Later(owner.order, "k", "hold=first,status=429")
    owner.upstream.wait_for_requests(2)
    owner.proxy.hold(UP)
    owner.upstream.release("first")
    held(owner, b"DEL")
    assert first.value().status == 429
    silent(other, name)
    second = freed_and_run(other, name)
    owner.proxy.deliver()
    reconnected(owner)
    assert owner.order("l").status == 200
    check_second_is_the_only_one(other, second)


def test_a_late_unknown_does_not_undo_it(watched, proxied):  # noqa: F811
    """The owner could not tell that the outcome is unknown, and tells it when
    the key is free again."""
    owner, other, name = two(watched, proxied)
    first = Later(owner.order, "k", "hold=first,reset")
    owner.upstream.wait_for_requests(2)
    owner.proxy.refuse()
    owner.proxy.cut()
    owner.upstream.release("first")
    first.value()
    silent(other, name)
    assert release(other, **name).status == 200
    owner.proxy.accept()
    wait_until(lambda: owner.order("l").status == 200, 10)
    assert look(other, **name)["state"] == "free"
    other.check_free("k")


def test_other_clients_of_the_store_stay(watched, proxied):  # noqa: F811
    """Only gateways' connections are closed."""
    owner, other, name = two(watched, proxied)
    with owner.redis.session() as client:
        client.command("CLIENT", "SETNAME", "somebody")
        Later(owner.order, "k", "hold=first")
        owner.upstream.wait_for_requests(2)
        owner.proxy.refuse()
        owner.proxy.cut()
        silent(other, name)
        assert release(other, **name).status == 200
        assert client.command("PING") == "PONG"
    owner.upstream.release("first")


def test_finished_after_a_silence(watched, proxied):        # noqa: F811
    owner, other, name = two(watched, proxied)
    first = Later(owner.order, "k", "hold=first,status=429")
    owner.upstream.wait_for_requests(2)
    owner.proxy.refuse()
    owner.proxy.cut()
    silent(other, name)
    assert finish(other, **name).status == 200
    owner.proxy.accept()
    reconnected(owner)
    owner.upstream.release("first")
    assert first.value().status == 429
    wait_until(lambda: owner.order("l").status == 200, 10)
    again = other.order("k")
    assert (again.status, again.body) == (201, b'{"order":17}')


def test_a_record_that_never_ends(watched, redis):
    """Others made it so; it is silent as no gateway renews it."""
    gate = watched(rule=LEASE)                              # noqa: F811
    name = named(gate)
    order = Later(gate.order, "k", "hold=k")
    gate.upstream.wait_for_requests(2)
    key, = {"og:" + look(gate, **name)["record"]}
    redis.command("PERSIST", key)
    assert gate.order("k").code == "IDEMPOTENCY_OUTCOME_UNKNOWN"
    assert look(gate, **name)["state"] == "unknown"
    gate.upstream.release("k")
    order.value()


def test_many_keys_to_free_after_an_outage(proxied):        # noqa: F811
    """One is watched at a time, and the next one follows at once."""
    gate = proxied(rule="required ttl=1h lease=1s")         # noqa: F811
    keys = [f"k{n}" for n in range(100)]
    orders = [Later(gate.order, key, "hold=all,status=429") for key in keys]
    gate.upstream.wait_for_requests(100)
    gate.proxy.refuse()
    gate.proxy.cut()
    gate.upstream.release("all")
    assert {order.value().status for order in orders} == {429}
    assert len(gate.redis.records()) == 100
    gate.proxy.accept()
    reconnected(gate)
    wait_until(lambda: gate.redis.records() == [], 5)
