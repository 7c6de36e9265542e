"""Seeds of a cluster that are names: resolved when the cluster is to be found,
and again when nothing is where it was."""

import pytest

from fault_proxy import FaultProxy
from og.cluster import Cluster
from og.clustered import clustered, made, one_of_each       # noqa: F401
from og.dns import Dns
from og.gate import gate                                    # noqa: F401
from og.limits import order_of
from og.problem import check_problem
from og.process import wait_until

NAME = "store.test"


@pytest.fixture
def dns():
    with Dns() as server:
        yield server


@pytest.fixture
def named(clustered, dns):                                  # noqa: F811
    """make(port, ...): a Gate whose only seed is NAME:port."""
    def make(port, **more):
        return clustered(seeds=[f"{NAME}:{port}"], http=dns.directive, **more)
    return make


def works(gate, key, caller):                               # noqa: F811
    wait_until(lambda: order_of(gate, key, caller).status == 200, 10,
               gate.nginx.error_log)


def test_starts_with_a_name_that_is_not_known_yet(named, dns, cluster):
    gate = named(cluster.nodes[0].port)                     # noqa: F811
    gate.logged(f'"{NAME}" could not be resolved: Host not found')
    check_problem(order_of(gate, "k"), 503, "STORE_UNAVAILABLE", "gateway")
    dns.names[NAME] = ["127.0.0.1"]
    for caller in one_of_each(cluster):
        works(gate, "k", caller)


def test_first_of_two_addresses_is_dead(named, dns, cluster):
    """nginx gives them in any order; each worker finds the one that lives."""
    dns.names[NAME] = ["127.0.0.9", "127.0.0.1"]
    gate = named(cluster.nodes[0].port, workers=4)          # noqa: F811
    wait_until(lambda: cluster.clients() == {node: 4 for node in
                                             cluster.masters()}, 10,
               gate.nginx.error_log)
    for caller in one_of_each(cluster):
        made(gate, "k", caller)
    assert "cannot be reached" not in gate.nginx.error_log()


def test_all_nodes_have_moved_elsewhere(named, dns, cluster, tmp_path):
    """The name is asked for again, and leads to where they are now."""
    former = Cluster(tmp_path / "former", masters=1, replicas=0, spares=0)
    port = former.nodes[0].port
    try:
        former.start()
        dns.names[NAME] = ["127.0.0.1"]
        gate = named(port)                                  # noqa: F811
        made(gate, "k", "a")
        wait_until(lambda: former.nodes[0].clients() == 1,
                   what="what led there is still open")
        asked = len(dns.asked)
        dns.names[NAME] = ["127.0.0.2"]
    finally:
        former.stop()
    with FaultProxy(("127.0.0.1", cluster.nodes[0].port), "127.0.0.2", port):
        for caller in one_of_each(cluster):
            works(gate, "l", caller)
        assert NAME in dns.asked[asked:]
        assert len(cluster.records()) == 3


def test_without_a_resolver(clustered, cluster):            # noqa: F811
    """Resolved when the configuration is read."""
    gate = clustered(seeds=[f"localhost:{cluster.nodes[1].port}"])  # noqa: F811,E501
    for caller in one_of_each(cluster):
        made(gate, "k", caller)
