"""The rights that lua-free-docs/stores.md prints for a cluster: enough while
slots move, none is there for nothing, and what is missing is told."""

import pytest

from og.acl import CLUSTER, RIGHTS, USER, denied, used
from og.clustered import (clustered, home_of, made,         # noqa: F401
                          replays)
from og.gate import gate                                    # noqa: F401
from og.limits import order_of
from og.problem import check_problem
from og.process import wait_until


@pytest.fixture
def restricted(clustered, cluster, tmp_path):               # noqa: F811
    """make(rights): a Gate that is the user of the document, with these
    besides, in all nodes."""
    def make(rights):
        (tmp_path / "password").write_text("password\n")
        for node in cluster.nodes:
            node.command("ACL", "SETUSER", *USER.split()[1:], *rights)
            node.command("ACL", "LOG", "RESET")
            node.command("CONFIG", "RESETSTAT")
        return clustered("order_guard_limit 9r/m;",
                         seeds=[f"gateway@{cluster.nodes[0].seed}"],
                         params=f"password_file={tmp_path}/password",
                         rule="required ttl=1h lease=1s")
    yield make
    for node in cluster.nodes:
        node.command("ACL", "DELUSER", "gateway")


def test_as_printed(restricted, cluster):
    """Claims, replays, releases and renewals before, while and after a slot
    moves, and a failover."""
    gate = restricted(CLUSTER)                              # noqa: F811
    slot, node, other = home_of(cluster, "a")
    first = made(gate, "k", "a")
    cluster.begin_migration(slot, other)
    second = made(gate, "l", "a")
    assert order_of(gate, "freed", "a", "status=429").status == 429
    cluster.move_keys(slot)
    cluster.end_migration(slot)
    replays(gate, "k", "a", first)
    cluster.failover(cluster.replica_of(other))
    replays(gate, "l", "a", second)
    assert order_of(gate, "slow", "a", "delay=0.8").status == 200
    assert not [denied(node) for node in cluster.nodes if denied(node)]
    assert set(RIGHTS + CLUSTER) <= used(*cluster.nodes)
    text = gate.nginx.error_log()
    assert "NOPERM" not in text and "must allow" not in text
    assert "password" not in text


def test_asking_is_missing(restricted, cluster):
    """It is told when a connection is made, and when it is needed."""
    gate = restricted([right for right in CLUSTER           # noqa: F811
                       if right != "+asking"])
    gate.logged("its ACL must allow +asking on")
    slot, _, other = home_of(cluster, "a")
    first = made(gate, "k", "a")
    cluster.begin_migration(slot, other)
    check_problem(order_of(gate, "l", "a"), 503, "STORE_UNAVAILABLE")
    wait_until(lambda: order_of(gate, "l", "a").status == 503
               and 'with NOPERM for "asking"' in gate.nginx.error_log(), 5,
               gate.nginx.error_log)
    replays(gate, "k", "a", first)
    cluster.move_keys(slot)
    cluster.end_migration(slot)
    wait_until(lambda: order_of(gate, "l", "a").status == 200, 5)


def test_cluster_slots_is_missing(restricted):
    gate = restricted([right for right in CLUSTER           # noqa: F811
                       if right != "+cluster|slots"])
    gate.logged('answered CLUSTER SLOTS with NOPERM for "cluster|slots"')
