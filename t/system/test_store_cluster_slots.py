"""Slots of a Redis Cluster that move: whoever asks for a key finds it where
it is, and is not told that it moved."""

import time

import pytest

from og.busy import busy                                    # noqa: F401
from og.cluster import slot_of
from og.clustered import (clustered, home_of, made,         # noqa: F401
                          replays)
from og.gate import gate, replayed                          # noqa: F401
from og.limits import TOLD, ask, order_of, told, told_of
from og.parallel import Later, together
from og.problem import check_problem
from og.process import wait_until

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")


# slots that have moved

def moved_answers(node):
    """How often it has answered MOVED."""
    lines = node.command("INFO", "errorstats").decode().splitlines()
    return sum(int(line.partition("=")[2]) for line in lines
               if line.startswith("errorstat_MOVED:"))


def test_a_moved_slot_is_followed(clustered, cluster):      # noqa: F811
    """By a replay and by an order; neither is told."""
    gate = clustered(TOLD + "order_guard_limit 3r/h;")      # noqa: F811
    first = made(gate, "k", "a")
    slot, node, other = home_of(cluster, "a")
    cluster.move(slot, other)
    replays(gate, "k", "a", first)
    cluster.move(slot, node)
    made(gate, "l", "a")
    assert told_of(gate, 2, "a") == [PASSED, REJECTED]


def test_a_moved_slot_is_learnt(clustered, cluster):        # noqa: F811
    gate = clustered()                                      # noqa: F811
    made(gate, "k", "a")
    slot, node, other = home_of(cluster, "a")
    cluster.move(slot, other)
    made(gate, "l", "a")

    def goes_straight_there():
        before = moved_answers(node)
        assert replayed(order_of(gate, "k", "a"))
        return moved_answers(node) == before
    wait_until(goes_straight_there)


def test_many_at_once_meet_a_moved_slot(clustered, cluster):  # noqa: F811
    gate = clustered(workers=2)                             # noqa: F811
    first = made(gate, "k", "a")
    slot, _, other = home_of(cluster, "a")
    cluster.move(slot, other)
    answers = together(20, lambda n: order_of(gate, "k" if n % 2 else f"k{n}",
                                              "a"))
    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers[1::2]} == {first.body}
    assert gate.orders() == 11


def test_a_slot_moves_while_an_order_runs(clustered, cluster):  # noqa: F811
    gate = clustered(rule="required ttl=1h lease=1s")       # noqa: F811
    running = Later(order_of, gate, "k", "a", "hold=k")
    gate.upstream.wait_for_requests(1)
    slot, _, other = home_of(cluster, "a")
    cluster.move(slot, other)
    end = time.monotonic() + 2
    while time.monotonic() < end:       # it is renewed over there
        check_problem(order_of(gate, "k", "a"), 409,
                      "IDEMPOTENCY_IN_PROGRESS")
        time.sleep(0.1)
    gate.upstream.release("k")
    replays(gate, "k", "a", running.value())
    assert len(other.records()) == 1


# a slot on its way

@pytest.fixture
def on_its_way(clustered, cluster):                         # noqa: F811
    """make(...): (gate, slot, from, to) where the slot of "a" migrates; the
    order "k" was made before, and its record is still there."""
    def make(*rest, **more):
        gate = clustered(*rest, **more)                     # noqa: F811
        gate.first = made(gate, "k", "a")
        slot, node, other = home_of(cluster, "a")
        cluster.begin_migration(slot, other)
        return gate, slot, node, other
    return make


def test_a_record_that_has_not_moved_yet(on_its_way):
    gate, _, node, _ = on_its_way()                         # noqa: F811
    replays(gate, "k", "a", gate.first)
    assert len(node.records()) == 1


def test_a_record_that_has_moved_already(on_its_way, cluster):
    gate, slot, node, other = on_its_way()                  # noqa: F811
    cluster.move_keys(slot)
    assert node.records() == []
    replays(gate, "k", "a", gate.first)
    cluster.end_migration(slot)
    replays(gate, "k", "a", gate.first)


def test_a_record_that_is_new(on_its_way, cluster):
    gate, slot, node, other = on_its_way()                  # noqa: F811
    first = made(gate, "l", "a")
    assert len(node.records()) == len(other.records()) == 1
    cluster.move_keys(slot)
    cluster.end_migration(slot)
    replays(gate, "l", "a", first)
    replays(gate, "k", "a", gate.first)


def test_ask_is_no_moved(on_its_way, cluster):
    """What one key was answered holds for no other, and not for long."""
    gate, slot, node, other = on_its_way()                  # noqa: F811
    before = moved_answers(other)
    first = made(gate, "l", "a")
    replays(gate, "k", "a", gate.first)
    replays(gate, "l", "a", first)
    assert moved_answers(other) == before
    cluster.move_keys(slot, *node.records())
    replays(gate, "k", "a", gate.first)


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("status", [200, 429])
def test_a_running_order_moves(clustered, cluster, status, ended):  # noqa: F811,E501
    """It is answered or given up where its claim is by then."""
    gate = clustered()                                      # noqa: F811
    running = Later(order_of, gate, "k", "a", f"hold=r,status={status}")
    gate.upstream.wait_for_requests(1)
    slot, node, other = home_of(cluster, "a")
    cluster.begin_migration(slot, other)
    cluster.move_keys(slot)
    if ended:
        cluster.end_migration(slot)
    gate.upstream.release("r")
    answer = running.value()
    assert answer.status == status, answer
    if status == 200:
        replays(gate, "k", "a", answer)
    else:
        wait_until(lambda: cluster.records() == [])
        made(gate, "k", "a")
    assert node.records() == [] and len(other.records()) == 1


@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_counters_that_are_on_two_nodes(clustered, cluster, which):  # noqa: F811,E501
    """No reply to one command has them all."""
    window = TOLD + "order_guard_limit 3r/20s;"             # slots of a second
    gate = clustered(window)                                # noqa: F811
    assert told(ask(gate)) == PASSED
    began = int(time.time())
    wait_until(lambda: int(time.time()) > began)
    assert told(ask(gate)) == PASSED
    counters = sorted(cluster.counters(),
                      key=lambda key: int(key.rsplit(":", 1)[1]))
    assert len(counters) == 2
    slot, node, other = home_of(cluster, "a")
    cluster.begin_migration(slot, other)
    cluster.move_keys(slot, counters[which])
    fresh = clustered(window)           # it has read no counter yet
    assert told_of(fresh, 2) == [PASSED, REJECTED]
    assert told(ask(gate)) == REJECTED
    cluster.move_keys(slot)
    cluster.end_migration(slot)
    wait_until(lambda: cluster.units() == 3)


def test_no_unit_is_lost_on_the_way(clustered, cluster):    # noqa: F811
    """Each step of a migration between two requests."""
    gate = clustered(TOLD + "order_guard_limit 6r/h;")      # noqa: F811
    slot, node, other = home_of(cluster, "a")
    steps = [lambda: None, lambda: cluster.begin_migration(slot, other),
             lambda: None, lambda: cluster.move_keys(slot),
             lambda: None, lambda: cluster.end_migration(slot)]
    for step in steps:
        step()
        assert told(ask(gate)) == PASSED
    assert told_of(gate, 3) == [REJECTED] * 3
    wait_until(lambda: cluster.units() == 6)


# under load

def test_resharding_under_load(busy, cluster):              # noqa: F811
    """Every slot that has a key moves on to the next node, and on."""
    load = busy()
    with load:
        load.progress()
        for _ in range(4):
            cluster.move_on(sorted({slot_of(key)
                                    for key in cluster.records()}))
            load.progress()
