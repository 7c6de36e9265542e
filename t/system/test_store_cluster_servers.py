"""The cluster that other tests use does what they ask for."""

import random

from og.cluster import QUICK, SLOTS, slot_of


def put(cluster, *keys):
    for key in keys:
        cluster.node_of(key).command("SET", key, f"value of {key}")


def has(node, key):
    return node.value(key) == f"value of {key}".encode()


def test_slots_of_keys(cluster):
    node = cluster.nodes[0]
    for key in ("a", "foo{bar}baz", "{}x", "x{", "{a}{b}", "og:{0123}:i:4",
                "a}b{c}", "{a{b}c}"):
        assert slot_of(key) == node.command("CLUSTER", "KEYSLOT", key), key


def test_three_shards_have_all_slots(cluster):
    assert len(cluster.masters()) == len(cluster.replicas()) == 3
    assert sorted(sum((node.slots() for node in cluster.masters()),
                      [])) == list(range(SLOTS))
    for number in range(30):
        put(cluster, f"k{number}")
    assert len(cluster.keys()) == 30


def test_a_slot_moves_with_its_keys(cluster):
    keys = [f"{{a}}{number}" for number in range(250)]
    put(cluster, *keys)
    source = cluster.node_of("{a}")
    to = next(node for node in cluster.masters() if node is not source)
    cluster.move(slot_of("{a}"), to)
    assert cluster.node_of("{a}") is to
    assert source.keys() == [] and to.keys() == sorted(keys)


def test_a_slot_in_migration(cluster):
    put(cluster, "{a}1", "{a}2")
    source, slot = cluster.node_of("{a}"), slot_of("{a}")
    to = next(node for node in cluster.masters() if node is not source)
    cluster.begin_migration(slot, to)
    cluster.move_keys(slot, "{a}2")
    assert source.keys() == ["{a}1"] and to.keys() == ["{a}2"]
    assert cluster.node_of(slot) is source
    assert has(source, "{a}1") and has(to, "{a}2")


def test_a_failover(cluster):
    master = cluster.masters()[0]
    replica = cluster.replica_of(master)
    slots = master.slots()
    cluster.failover(replica)
    assert replica.slots() == slots
    assert cluster.node_of(slots[0]) is replica
    assert not master.is_master()


def test_a_master_is_killed(cluster):
    cluster.configure(QUICK)
    master = cluster.masters()[0]
    replica = cluster.replica_of(master)
    slots = master.slots()
    master.kill()
    cluster.replaced(master, replica)
    assert cluster.node_of(slots[0]) is replica


def test_a_node_comes_and_goes(cluster):
    node = cluster.add_node()
    slots = random.sample(range(SLOTS), 50)
    for slot in slots:
        cluster.move(slot, node)
    assert sorted(slots) == node.slots()
    cluster.restore()
    assert len(cluster.nodes) == 6
    assert cluster.add_node() is node


def test_a_pause_is_no_failure(cluster):
    node = cluster.masters()[0]
    node.pause()
    assert len(cluster.masters()) == 2
    node.resume()
    assert len(cluster.masters()) == 3
