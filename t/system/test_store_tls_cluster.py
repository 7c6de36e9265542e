"""A cluster behind TLS: each node that another one tells of is verified by the
address that it is reached at, or by server_name=."""

from functools import partial

import pytest

from og.cluster import Cluster
from og.clustered import (clustered, home_of, key_of,       # noqa: F401
                          made, one_of_each, replays)
from og.gate import gate                                    # noqa: F401
from og.limits import order_of
from og.paths import SLOW
from og.problem import check_problem
from og.process import wait_until
from og.tls import (certificate_options, certificates,      # noqa: F401
                    tls_options)

SHORT = int(200 * SLOW)         # ms, timeout of a store that is to fail


@pytest.fixture(scope="module")
def secure(tmp_path_factory, certificates):                 # noqa: F811
    made = Cluster(tmp_path_factory.mktemp("secure"), masters=2, replicas=1,
                   spares=0, tls=partial(tls_options, certificates))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def cluster(secure, certificates):                          # noqa: F811
    yield secure
    show("server", secure.nodes, certificates)
    secure.restore()


@pytest.fixture
def secured(clustered, cluster, certificates):              # noqa: F811
    """make(params, ...): a Gate whose store is the cluster, verified."""
    def make(params="", **more):
        return clustered(params=f"ca={certificates['ca']} {params}", **more)
    return make


def show(certificate, nodes, certificates):                 # noqa: F811
    """From now on, to whoever connects."""
    for node in nodes:
        node.configure(certificate_options(certificates, certificate))


def test_orders_and_replays(secured, cluster):
    """One connection to each master, and none in clear."""
    gate = secured(workers=2)                               # noqa: F811
    for caller in one_of_each(cluster):
        made(gate, "k", caller)
    wait_until(lambda: cluster.clients() == {node: 2 for node in
                                             cluster.masters()}, 10)
    assert "[warn]" not in gate.nginx.error_log()
    assert "[error]" not in gate.nginx.error_log()


def test_a_slot_moves(secured, cluster):
    """By ASK, and then by MOVED."""
    gate = secured()                                        # noqa: F811
    first = made(gate, "k", "a")
    slot, _, other = home_of(cluster, "a")
    cluster.begin_migration(slot, other)
    second = made(gate, "l", "a")
    cluster.move_keys(slot)
    cluster.end_migration(slot)
    replays(gate, "k", "a", first)
    replays(gate, "l", "a", second)
    made(gate, "m", "a")


def test_a_replica_serves_after_a_failover(secured, cluster):
    gate = secured()                                        # noqa: F811
    first = made(gate, "k", "a")
    _, node, _ = home_of(cluster, "a")
    cluster.failover(cluster.replica_of(node))
    replays(gate, "k", "a", first)
    made(gate, "l", "a")


def test_a_node_that_is_another(secured, cluster, certificates):  # noqa: F811
    """It is refused in words, and its callers alone with it."""
    bad, good = one_of_each(cluster)
    node = cluster.node_of(key_of(bad))
    show("elsewhere", [node], certificates)
    gate = secured(timeout=SHORT)                           # noqa: F811
    gate.logged('IP address mismatch), see "server_name="')
    made(gate, "k", good)
    check_problem(order_of(gate, "k", bad), 503, "STORE_UNAVAILABLE")
    assert len(cluster.records()) == 1
    show("server", [node], certificates)
    wait_until(lambda: order_of(gate, "k", bad).status == 200, 10,
               gate.nginx.error_log())


def test_one_name_for_all_nodes(secured, cluster, certificates):  # noqa: F811
    show("named", cluster.nodes, certificates)
    gate = secured("server_name=redis.example")             # noqa: F811
    for caller in one_of_each(cluster):
        made(gate, "k", caller)
    assert "[error]" not in gate.nginx.error_log()
