"""wait=N in a cluster: who has claimed is told when N replicas of that node
have the claim, wherever it was sent on to."""

import pytest

from og.clustered import (clustered, home_of, key_of,       # noqa: F401
                          made, one_of_each, replays)
from og.gate import gate                                    # noqa: F401
from og.limits import order_of
from og.parallel import Later
from og.problem import check_problem
from og.process import wait_until


@pytest.fixture
def waiting(clustered):                                     # noqa: F811
    def make(**more):
        # a claim that is not old when it goes back: nobody looks at it first
        more.setdefault("rule", "required ttl=1h lease=60s")
        return clustered(params="wait=1", **more)
    return make


def refused(gate, key, caller):                             # noqa: F811
    before = gate.arrived()
    check_problem(order_of(gate, key, caller), 503, "STORE_UNAVAILABLE",
                  "gateway")
    assert gate.arrived() == before


def test_a_replica_has_the_claim(waiting, cluster):
    gate = waiting()                                        # noqa: F811
    _, node, _ = home_of(cluster, "a")
    running = Later(order_of, gate, "k", "a", "hold=k")
    gate.upstream.wait_for_requests(1)
    assert len(cluster.replica_of(node).records()) == 1
    gate.upstream.release("k")
    replays(gate, "k", "a", running.value())


def test_a_replica_is_stopped(waiting, cluster):
    """No order of its master's callers runs, and no key is kept; others'
    do."""
    gate = waiting()                                        # noqa: F811
    unlucky, lucky, _ = one_of_each(cluster)
    first = made(gate, "k", unlucky)
    node = cluster.node_of(key_of(unlucky))
    replica = cluster.replica_of(node)
    replica.pause()
    refused(gate, "l", unlucky)
    wait_until(lambda: len(node.records()) == 1, what="a key is not free")
    replays(gate, "k", unlucky, first)
    made(gate, "l", lucky)
    wait_until(lambda: order_of(gate, "l", unlucky).status == 503 and
               "has claims that 0 of 1 replicas know"
               in gate.nginx.error_log(), 5)
    replica.resume()
    wait_until(lambda: order_of(gate, "l", unlucky).status == 200, 10)


@pytest.mark.parametrize("moved", [False, True], ids=["ASK", "MOVED"])
def test_a_claim_that_is_sent_on_waits_there(waiting, cluster, moved):
    gate = waiting()                                        # noqa: F811
    first = made(gate, "k", "a")
    slot, _, other = home_of(cluster, "a")
    replica = cluster.replica_of(other)
    if moved:
        cluster.move(slot, other)
    else:
        cluster.begin_migration(slot, other)
    replica.pause()
    refused(gate, "l", "a")
    wait_until(lambda: len(cluster.records()) == 1, what="a key is not free")
    replays(gate, "k", "a", first)
    replica.resume()
    wait_until(lambda: order_of(gate, "l", "a").status == 200, 10)
    assert len(other.records()) == 1 + moved
