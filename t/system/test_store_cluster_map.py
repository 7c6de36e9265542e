"""What a node tells of its cluster's slots is believed, or it says nothing."""

import time

import pytest

from og.cluster import SLOTS, Cluster
from og.clustered import TIMEOUT, made
from og.gate import gate                                    # noqa: F401
from og.limits import order_of
from og.process import wait_until


@pytest.fixture
def lone(tmp_path):
    """A cluster of one node."""
    cluster = Cluster(tmp_path, masters=1, replicas=0, spares=0)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


def gateways(node):
    """The ids of their connections."""
    lines = node.command("CLIENT", "LIST").decode().splitlines()
    return {line.split()[0] for line in lines if " name=order-guard " in line}


def test_a_map_of_no_slots_says_nothing(gate, lone):        # noqa: F811
    """What was known stays so: no node is dropped that slots lead to."""
    gate = gate(store=f"{lone.address} timeout={TIMEOUT}ms",  # noqa: F811
                workers=1)
    node, = lone.nodes
    made(gate, "first", "a")
    wait_until(lambda: len(gateways(node)) == 1, 5, "it connects twice")
    connections = gateways(node)

    def maps():
        return int(node.command("INFO", "commandstats").decode()
                   .partition("cluster|slots:calls=")[2].partition(",")[0])
    node.command("CLUSTER", "DELSLOTSRANGE", 0, SLOTS - 1)
    known = maps()
    assert order_of(gate, "second", "a").status == 503
    wait_until(lambda: maps() > known, 5, "the map is not asked for")
    time.sleep(4)               # a node without slots is dropped in this time
    node.command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
    wait_until(node.healthy, 10)

    made(gate, "third", "a")
    assert gateways(node) == connections
