"""The nodes of a Redis Cluster: one connection to each, and none of their
failures is more than it must be."""

import itertools
import time

from og.busy import busy                                    # noqa: F401
from og.cluster import QUICK, SLOTS, WATCHFUL, Cluster
from og.clustered import (caller_of, clustered, home_of,    # noqa: F401
                          key_of, made, one_of_each, replays)
from og.gate import gate                                    # noqa: F401
from og.limits import order_of
from og.parallel import Later, together
from og.paths import SLOW, seconds
from og.problem import check_problem
from og.process import free_port, wait_until

SHORT = int(200 * SLOW)         # ms, timeout of a store that is to fail
AT_ONCE = SHORT / 1000 / 2      # s: nothing was waited for


# connections, and nodes that come and go

def connected(gate, cluster, count):                        # noqa: F811
    """Waits until each worker has one to each master, and no other."""
    keys = (f"k{n}" for n in itertools.count())

    def all_there():
        answers = [order_of(gate, next(keys), caller)
                   for caller in one_of_each(cluster)]
        return (all(answer.status == 200 for answer in answers)
                and cluster.clients() == {node: count for node in
                                          cluster.masters()})
    wait_until(all_there, 10, f"not {count} connections to each master")


def test_one_connection_for_each_worker_and_node(clustered,  # noqa: F811
                                                 cluster):
    gate = clustered(workers=2)                             # noqa: F811
    connected(gate, cluster, 2)
    callers = [f"caller{n}" for n in range(40)]
    together(40, lambda n: order_of(gate, "k", callers[n]))
    assert cluster.clients() == {node: 2 for node in cluster.masters()}


def test_closed_by_one_node_while_idle(clustered, cluster):  # noqa: F811
    """It is connected again, and that is no error."""
    gate = clustered()                                      # noqa: F811
    connected(gate, cluster, 1)
    node = cluster.masters()[0]
    node.command("CLIENT", "KILL", "TYPE", "normal")
    connected(gate, cluster, 1)
    assert "[error]" not in gate.nginx.error_log()


def test_a_new_node_is_learnt_and_a_former_one_dropped(clustered,  # noqa: F811
                                                       cluster):
    gate = clustered()                                      # noqa: F811
    connected(gate, cluster, 1)
    first = made(gate, "first", "a")
    slot, node, _ = home_of(cluster, "a")
    new = cluster.add_node()
    cluster.move(slot, new)
    replays(gate, "first", "a", first)
    made(gate, "second", "a")
    assert new.clients() == 1

    cluster.move(slot, node)
    made(gate, "third", "a")
    cluster.remove_node(new)
    connected(gate, cluster, 1)
    wait_until(lambda: new.clients() == 0, 10, "a connection is left")


def test_a_node_leaves_unseen(clustered, cluster):          # noqa: F811
    """It cannot tell any more where its slot went."""
    new = cluster.add_node()
    slot, node, _ = home_of(cluster, "a")
    cluster.move(slot, new)
    gate = clustered()                                      # noqa: F811
    first = made(gate, "k", "a")
    cluster.move(slot, node)
    cluster.remove_node(new)
    wait_until(lambda: order_of(gate, "k", "a").status == 200, 5)
    replays(gate, "k", "a", first)
    made(gate, "l", "a")
    connected(gate, cluster, 1)
    wait_until(lambda: new.clients() == 0, 10, "a connection is left")


def test_a_node_that_has_lost_all_slots(gate, tmp_path):    # noqa: F811
    """A map without nodes is none: what was known is good until there is
    another."""
    lone = Cluster(tmp_path / "lone", masters=1, replicas=0, spares=0)
    node, = lone.nodes
    try:
        lone.start()
        gate = gate(store=f"{lone.address} timeout={SHORT}ms")
        first = made(gate, "k", "a")
        node.command("CLUSTER", "DELSLOTSRANGE", 0, SLOTS - 1)
        refused(gate, "a")
        asked = node.calls()["cluster|slots"]
        wait_until(lambda: node.calls()["cluster|slots"] > asked + 2, 10)
        node.command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
        works_again(gate, "a")
        replays(gate, "k", "a", first)
    finally:
        lone.stop()


def test_a_replica_serves_after_a_failover(clustered, cluster):  # noqa: F811
    gate = clustered()                                      # noqa: F811
    first = made(gate, "k", "a")
    _, node, _ = home_of(cluster, "a")
    cluster.failover(cluster.replica_of(node))
    replays(gate, "k", "a", first)
    made(gate, "l", "a")
    connected(gate, cluster, 1)


# nodes that do not answer

def refused(gate, caller):                                  # noqa: F811
    """503, and how long that took."""
    began = time.monotonic()
    problem = check_problem(order_of(gate, "z", caller), 503,
                            "STORE_UNAVAILABLE", "gateway")
    assert problem["retryable"] is True
    return time.monotonic() - began


def refused_at_once(gate, caller):                          # noqa: F811
    assert refused(gate, caller) < SHORT / 1000 + 1
    wait_until(lambda: refused(gate, caller) < AT_ONCE, 4,
               "every order waits for a dead node")


def works_again(gate, *callers):                            # noqa: F811
    for caller in callers:
        wait_until(lambda: order_of(gate, "z", caller).status == 200, 10,
                   gate.nginx.error_log())


def test_a_paused_node_fails_its_callers_only(clustered, cluster):  # noqa: F811,E501
    gate = clustered(timeout=SHORT)                         # noqa: F811
    connected(gate, cluster, 1)
    bad, *good = one_of_each(cluster)
    node = cluster.node_of(key_of(bad))
    node.pause()
    refused_at_once(gate, bad)
    began = time.monotonic()
    for n, caller in enumerate(good * 5):
        assert order_of(gate, f"while{n}", caller).status == 200
    assert time.monotonic() - began < 10 * AT_ONCE
    node.resume()
    works_again(gate, bad)
    connected(gate, cluster, 1)


def test_all_nodes_are_paused(clustered, cluster):          # noqa: F811
    """The breaker opens, and closes by itself."""
    gate = clustered(timeout=SHORT)                         # noqa: F811
    connected(gate, cluster, 1)
    before, callers = gate.orders(), one_of_each(cluster)
    for node in cluster.nodes:
        node.pause()
    for caller in callers:
        refused_at_once(gate, caller)
    assert gate.orders() == before
    for node in cluster.nodes:
        node.resume()
    works_again(gate, *callers)
    assert gate.orders() == before + 3


def test_who_is_silent_is_not_asked_for_slots(clustered, cluster):  # noqa: F811,E501
    """But the next node at the next time: all had their turn when one is
    asked twice."""
    gate = clustered(timeout=int(500 * SLOW))               # noqa: F811
    connected(gate, cluster, 1)
    node, *silent = cluster.masters()
    caller = caller_of(silent[0])
    asked = node.calls()["cluster|slots"]
    for each in silent:
        each.pause()
    wait_until(lambda: refused(gate, caller)
               and node.calls()["cluster|slots"] > asked + 1, 6)


def test_a_seed_that_is_dead(clustered, cluster):           # noqa: F811
    """The others are learnt from the one that is not."""
    gate = clustered(seeds=[f"127.0.0.1:{free_port()}",     # noqa: F811
                            cluster.masters()[2].seed])
    for caller in one_of_each(cluster):
        made(gate, "k", caller)


def test_a_seed_that_is_a_replica(clustered, cluster):      # noqa: F811
    gate = clustered(seeds=[cluster.replicas()[0].seed])    # noqa: F811
    for caller in one_of_each(cluster):
        made(gate, "k", caller)
    connected(gate, cluster, 1)


def test_no_seed_answers(clustered):                        # noqa: F811
    gate = clustered(timeout=SHORT,                         # noqa: F811
                     seeds=[f"127.0.0.1:{free_port()}" for _ in range(2)])
    refused_at_once(gate, "a")
    gate.logged("cannot be reached")
    assert gate.arrived() == 0


def test_a_shard_is_lost(clustered, cluster):               # noqa: F811
    """The nodes say CLUSTERDOWN, to everybody or to its callers only."""
    gate = clustered(timeout=SHORT)                         # noqa: F811
    connected(gate, cluster, 1)
    bad, good, _ = one_of_each(cluster)
    cluster.configure(WATCHFUL)
    node = cluster.node_of(key_of(bad))
    node.pause()
    wait_until(lambda: not any(n.healthy() for n in cluster.running()), 10)
    refused(gate, good)
    cluster.configure({"cluster-require-full-coverage": "no"})
    works_again(gate, good)
    refused(gate, bad)
    node.resume()
    works_again(gate, bad)


def test_one_node_has_lost_its_data(clustered, cluster):    # noqa: F811
    """Its running orders are claimed again; those of others go on."""
    gate = clustered(rule="required ttl=1h lease=60s")      # noqa: F811
    connected(gate, cluster, 1)
    unlucky, lucky, _ = one_of_each(cluster)
    node = cluster.node_of(key_of(unlucky))
    orders = [Later(order_of, gate, "running", caller, "hold=r")
              for caller in (unlucky, lucky)]
    wait_until(lambda: len([r for r in gate.upstream.requests()
                            if ("Idempotency-Key", "running")
                            in r["headers"]]) == 2)
    node.command("FLUSHALL")
    keys = (f"other{n}" for n in itertools.count())
    wait_until(lambda: order_of(gate, next(keys), unlucky).status == 200
               and "lost its data" in gate.nginx.error_log(), 5)
    for caller in (unlucky, lucky):
        wait_until(lambda: order_of(gate, "running", caller).code
                   == "IDEMPOTENCY_IN_PROGRESS", 5)
    gate.upstream.release("r")
    for caller, order in zip((unlucky, lucky), orders):
        replays(gate, "running", caller, order.value())


# what is no cluster, and what is one

def test_a_cluster_that_is_called_a_server(gate, cluster):  # noqa: F811
    gate = gate(store=cluster.nodes[0].address + f" timeout={SHORT}ms")
    refused(gate, "a")
    gate.logged("redis+cluster://")
    assert gate.arrived() == 0 and cluster.keys() == []


def test_a_server_that_is_called_a_cluster(clustered, redis):  # noqa: F811
    gate = clustered(timeout=SHORT,                         # noqa: F811
                     seeds=[f"127.0.0.1:{redis.port}"])
    refused(gate, "a")
    gate.logged("cluster")
    gate.logged("redis://")
    assert gate.arrived() == 0 and redis.keys() == []


# under load

def test_failover_under_load(busy, cluster):                # noqa: F811
    """Each master gives way to its replica; nothing runs twice."""
    load = busy(may_fail=True)
    with load:
        for master in cluster.masters():
            load.progress()
            cluster.failover(cluster.replica_of(master))
        load.progress()


def test_a_master_is_killed_under_load(busy, cluster):      # noqa: F811
    """Its callers are told 503 until the replica serves, others never."""
    load = busy(may_fail=True, timeout=SHORT)
    cluster.configure({**QUICK, "cluster-require-full-coverage": "no"})
    with load:
        load.progress()
        master, *others = cluster.masters()
        replica, slots = cluster.replica_of(master), master.slots()
        unlucky, lucky = caller_of(master), caller_of(others[0])
        # the replica has not got what came at the last moment
        load.excuse(slots, time.monotonic() - 0.5)
        master.kill()
        assert status_of(load, unlucky) == 503
        while status_of(load, unlucky) == 503:
            assert status_of(load, lucky) != 503
        cluster.replaced(master, replica)
        load.progress(50)


def status_of(load, caller):
    """Of one order with a key of its own, answered in time."""
    key = f"{caller}-{time.monotonic()}"
    began = time.monotonic()
    answer = load.gate.order(key, None, {"Authorization": f"Bearer {caller}"},
                             json={"client_reference": key})
    assert time.monotonic() - began < SHORT / 1000 + 1
    assert answer.status in (200, 429, 503), answer
    return answer.status


def test_reload_under_load(busy, cluster):                  # noqa: F811
    load = busy()
    with load:
        for _ in range(8):
            load.progress(10)
            load.gate.nginx.reload()
        load.progress()
    wait_until(lambda: set(cluster.clients().values()) <= {2}, 10,
               f"connections are left: {cluster.clients()}")


def test_a_frozen_master_frees_nothing_at_its_successor(clustered,  # noqa: F811,E501
                                                        cluster):
    """It answers a claim, when it wakes, that nobody waits for any more; the
    key is the retry's by then, at the replica that was elected."""
    gate = clustered(timeout=int(700 * SLOW))               # noqa: F811
    connected(gate, cluster, 1)
    cluster.configure(QUICK)
    master = cluster.masters()[0]
    replica, caller = cluster.replica_of(master), caller_of(master)
    master.pause()
    check_problem(order_of(gate, "k", caller), 503, "STORE_UNAVAILABLE")
    cluster.replaced(master, replica)
    wait_until(lambda: order_of(gate, "k", caller).status == 200, 10)
    orders, records = gate.orders(), replica.records()
    master.resume()
    wait_until(lambda: not master.is_master(), 20)
    wait_until(lambda: order_of(gate, "other", caller).status == 200, 10)
    time.sleep(seconds(0.3))            # longer than a look at what is unsettled
    assert set(records) <= set(replica.records())
    assert order_of(gate, "k", caller).header("Idempotent-Replayed") == "true"
    assert gate.orders() == orders + 1


def test_a_frozen_master_does_not_keep_an_answer(clustered, cluster):  # noqa: F811,E501
    """It says that it has stored it, when it wakes, and loses it then."""
    gate = clustered(timeout=int(700 * SLOW),               # noqa: F811
                     rule="required ttl=1h lease=30s")
    connected(gate, cluster, 1)
    cluster.configure(QUICK)
    master = cluster.masters()[0]
    replica, caller = cluster.replica_of(master), caller_of(master)
    before = gate.arrived()
    running = Later(order_of, gate, "k", caller, "hold=k")
    gate.upstream.wait_for_requests(before + 1)
    wait_until(lambda: len(replica.records()) == len(master.records()))
    master.pause()
    gate.upstream.release("k")
    first = running.value()
    assert first.status == 200
    cluster.replaced(master, replica)
    master.resume()
    wait_until(lambda: not master.is_master(), 20)
    wait_until(lambda: order_of(gate, "k", caller).status == 200, 10)
    replays(gate, "k", caller, first)
