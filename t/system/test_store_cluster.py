"""Redis Cluster: a caller's keys are on one node, and are found wherever that
is, while slots move and nodes fail."""

import itertools
import time

import pytest

from og.busy import LIMIT, Busy, key_of
from og.cluster import (QUICK, WATCHFUL, cluster,           # noqa: F401
                        shared_cluster, slot_of)
from og.gate import gate, replayed                          # noqa: F401
from og.limits import TOLD, ask, order_of, told, told_of
from og.operator import (ANSWER, finish, look, release,     # noqa: F401
                         watched)
from og.parallel import Later, together
from og.paths import SLOW
from og.problem import check_problem
from og.process import free_port, wait_until
from og.secret import name, record, write
from og.seeds import LEUWONGRR
from og.shop import Shop

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")

TIMEOUT = int(500 * SLOW)       # ms, of the store
SHORT = int(200 * SLOW)         # ms, of one that is to fail
AT_ONCE = SHORT / 1000 / 2      # s: nothing was waited for

THREE = TOLD + "order_guard_limit 3r/h;"
SHOPS = TOLD + "order_guard_limit 3r/h key=$http_x_shop;"
OLD, NEW = b"the former secret".ljust(32), b"the new secret".ljust(32)


@pytest.fixture
def clustered(cluster, gate):                               # noqa: F811
    """make(location, timeout=, params=, seeds=, ...): a Gate whose store is
    the cluster, and is its `.redis`."""
    def make(location="", timeout=TIMEOUT, params="", seeds=None, **more):
        where = (cluster.address if seeds is None
                 else "redis+cluster://" + ",".join(seeds))
        made = gate(location, store=f"{where} timeout={timeout}ms {params}",
                    **more)
        made.redis = cluster
        return made
    return make


@pytest.fixture
def busy(clustered):
    """make(workers=, ...): a Busy before a gate of its own, `.gate`."""
    shops = []

    def make(may_fail=False, workers=2, **more):
        shops.append(Shop("calm"))
        shops[-1].calm = True
        made = clustered(f"order_guard_limit {LIMIT}r/h;", workers=workers,
                         address=shops[-1].address, **more)
        return Busy(made, shops[-1], may_fail)

    yield make
    for shop in shops:
        shop.close()


def callers_of(cluster, node, count=1):                     # noqa: F811
    """Names whose keys are on that node."""
    slots = set(node.slots())
    names = (f"caller{n}" for n in itertools.count())
    return list(itertools.islice((caller for caller in names if slot_of(
        key_of(caller)) in slots), count))


def caller_of(cluster, node):                               # noqa: F811
    return callers_of(cluster, node)[0]


def one_of_each(cluster):                                   # noqa: F811
    return [caller_of(cluster, node) for node in cluster.masters()]


def home_of(cluster, caller):                               # noqa: F811
    """(slot, its node, another node)"""
    slot = slot_of(key_of(caller))
    node = cluster.node_of(slot)
    other = next(n for n in cluster.masters() if n is not node)
    return slot, node, other


def made(gate, key, caller):                                # noqa: F811
    """An order that is made now, and replayed from now on."""
    before = gate.orders()
    first = order_of(gate, key, caller)
    assert first.status == 200 and not replayed(first), first
    assert gate.orders() == before + 1
    replays(gate, key, caller, first)
    return first


def replays(gate, key, caller, first):                      # noqa: F811
    again = order_of(gate, key, caller)
    assert replayed(again), again
    assert (again.status, again.body) == (first.status, first.body)


# where keys are

def test_callers_are_spread_over_all_nodes(clustered, cluster):  # noqa: F811
    gate = clustered(THREE, workers=2)                      # noqa: F811
    callers = [f"caller{n}" for n in range(24)]
    answers = together(len(callers), lambda n: order_of(gate, "k",
                                                        callers[n]))
    assert all(told(answer) == PASSED for answer in answers)
    for caller, answer in zip(callers, answers):
        replays(gate, "k", caller, answer)
    assert gate.orders() == len(callers) == len(cluster.records())
    assert all(node.records() for node in cluster.masters())


def test_one_order_of_many_at_once(clustered, cluster):     # noqa: F811
    gate = clustered(workers=2)                             # noqa: F811
    callers = one_of_each(cluster)

    def until_answered(number):
        while True:
            answer = order_of(gate, "k", callers[number % 3])
            if answer.status != 409:
                return answer.status, answer.body
    answers = together(18, until_answered)
    assert len(set(answers)) == gate.orders() == 3


def test_limits_are_exact_on_each_node(clustered, cluster):  # noqa: F811
    gate = clustered(THREE, workers=2)                      # noqa: F811
    for caller in one_of_each(cluster):
        assert told_of(gate, 5, caller) == [PASSED] * 3 + [REJECTED] * 2
    wait_until(lambda: cluster.units() == 9)


def test_keys_of_a_caller_are_in_one_slot(clustered, cluster):  # noqa: F811
    gate = clustered(THREE + "order_guard_limit 9r/m;")     # noqa: F811
    made(gate, "k", "a")
    made(gate, "l", "a")
    found = cluster.records() + cluster.counters()
    assert len(cluster.records()) == 2 and len(cluster.counters()) >= 2
    assert {cluster.nodes[0].command("CLUSTER", "KEYSLOT", key)
            for key in found} == {slot_of(key_of("a"))}


# limits and records that are on two nodes

def shop_of(cluster, node):                                 # noqa: F811
    """A value of the limit's key whose counters are on that node."""
    slots = set(node.slots())
    return next(shop for shop in map(str, itertools.count())
                if slot_of(counters_of(shop)) in slots)


def counters_of(shop):
    digest = name(None, b"key", b"$http_x_shop", shop.encode())
    return f"og:{{{digest[:16]}}}"


def order_at(gate, shop, key, caller="a", fault=None):      # noqa: F811
    headers = {"X-Shop": shop, "Authorization": f"Bearer {caller}"}
    return gate.order(key, fault, headers)


@pytest.fixture
def apart(cluster):                                         # noqa: F811
    """(node of the records of "a", node of the counters, a shop of those)"""
    _, node, other = home_of(cluster, "a")
    return node, other, shop_of(cluster, other)


def test_a_limit_on_another_node_than_the_record(clustered, apart):
    gate = clustered(SHOPS, workers=2)                      # noqa: F811
    node, other, shop = apart
    first = order_at(gate, shop, "k0")
    assert told(first) == PASSED
    assert len(node.records()) == 1 and node.counters() == []
    assert other.units() == 1 and other.records() == []
    assert [told(order_at(gate, shop, f"k{n}")) for n in range(1, 5)] == [
        PASSED, PASSED, REJECTED, REJECTED]
    again = order_at(gate, shop, "k0")
    assert replayed(again) and again.body == first.body
    wait_until(lambda: other.units() == 3)
    wait_until(lambda: len(node.records()) == 3, what="claims of refused "
               "orders are left")
    assert gate.orders() == 3


def test_a_replay_gives_a_unit_of_another_node_back(clustered, apart):
    gate = clustered(SHOPS)                                 # noqa: F811
    _, other, shop = apart
    order_at(gate, shop, "k")
    for _ in range(5):
        assert replayed(order_at(gate, shop, "k"))
    wait_until(lambda: other.units() == 1)


def test_what_was_not_sent_leaves_nothing_on_any_node(clustered, apart,
                                                      cluster):  # noqa: F811
    gate = clustered(SHOPS + "order_guard_limit 9r/h;",     # noqa: F811
                     address="127.0.0.1:1")
    for n in range(5):
        check_problem(order_at(gate, apart[2], f"k{n}"), 502,
                      "UPSTREAM_UNREACHABLE", "gateway")
    wait_until(lambda: cluster.units() == 0)
    wait_until(lambda: cluster.records() == [])


def test_a_refusal_of_one_node_costs_nothing_on_another(clustered, apart,
                                                        cluster):  # noqa: F811
    gate = clustered(SHOPS + "order_guard_limit 9r/h;")     # noqa: F811
    node, other, shop = apart
    for n in range(6):
        answer = order_at(gate, shop, f"k{n}")
        assert told(answer) == (PASSED if n < 3 else REJECTED)
    wait_until(lambda: (node.units(), other.units()) == (3, 3))
    wait_until(lambda: len(cluster.records()) == 3)


def test_many_at_once_on_two_nodes(clustered, apart, cluster):  # noqa: F811
    gate = clustered(SHOPS, workers=2)                      # noqa: F811
    answers = together(30, lambda n: told(order_at(gate, apart[2], f"k{n}")))
    passed = answers.count(PASSED)
    assert passed <= 3 and set(answers) <= {PASSED, REJECTED}
    wait_until(lambda: cluster.units() == passed)
    wait_until(lambda: len(cluster.records()) == passed)
    assert gate.orders() == passed


# two names while a secret changes

@pytest.fixture
def changing(clustered, cluster, tmp_path):                 # noqa: F811
    """(make(former secret too), caller, its records): a caller whose two
    names are on two nodes."""
    files = [write(tmp_path / "new", NEW), write(tmp_path / "old", OLD)]

    def make(count, *rest, **more):
        words = " ".join(files[:count])
        return clustered(*rest, http=f"order_guard_secret {words};", **more)

    caller = next(c for c in map(str, itertools.count())
                  if cluster.node_of(key_of(c, OLD))
                  is not cluster.node_of(key_of(c, NEW)))
    return make, caller, sorted(
        record(secret, caller, "", "POST", LEUWONGRR.path, "k")
        for secret in (OLD, NEW))


def test_two_names_on_two_nodes(changing, cluster):         # noqa: F811
    make, caller, records = changing
    gate = make(2, THREE)                                   # noqa: F811
    first = made(gate, "k", caller)
    assert cluster.records() == records
    for gone in records:
        node = cluster.node_of(gone)
        kept = node.command("GET", gone)
        node.command("DEL", gone)
        replays(gate, "k", caller, first)
        node.command("SET", gone, kept, "PX", 60000)
    replays(make(1), "k", caller, first)
    wait_until(lambda: cluster.units() == 1)


def test_two_names_are_claimed_by_one(changing, cluster):   # noqa: F811
    """By many at once, half of them of a host that is done with the former
    name."""
    make, caller, records = changing
    hosts = [make(2, workers=2), make(1)]

    def until_answered(number):
        while True:
            answer = order_of(hosts[number % 2], "k", caller)
            if answer.status != 409:
                return answer.status, answer.body
    answers = set(together(12, until_answered))
    assert len(answers) == 1 and {status for status, _ in answers} == {200}
    assert hosts[0].orders() == 1
    assert set(cluster.records()) <= set(records)


def test_nothing_is_left_of_two_claims(changing, cluster):  # noqa: F811
    make, caller, _ = changing
    gate = make(2, THREE, address="127.0.0.1:1")            # noqa: F811
    check_problem(order_of(gate, "k", caller), 502, "UPSTREAM_UNREACHABLE")
    wait_until(lambda: cluster.records() == [])
    wait_until(lambda: cluster.units() == 0)


# slots that have moved

def moved_answers(node):
    """How often it has answered MOVED."""
    lines = node.command("INFO", "errorstats").decode().splitlines()
    return sum(int(line.partition("=")[2]) for line in lines
               if line.startswith("errorstat_MOVED:"))


def test_a_moved_slot_is_followed(clustered, cluster):      # noqa: F811
    """By a replay and by an order; neither is told."""
    gate = clustered(THREE)                                 # noqa: F811
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


def test_a_record_that_has_moved_already(on_its_way, cluster):  # noqa: F811
    gate, slot, node, other = on_its_way()                  # noqa: F811
    cluster.move_keys(slot)
    assert node.records() == []
    replays(gate, "k", "a", gate.first)
    cluster.end_migration(slot)
    replays(gate, "k", "a", gate.first)


def test_a_record_that_is_new(on_its_way, cluster):         # noqa: F811
    gate, slot, node, other = on_its_way()                  # noqa: F811
    first = made(gate, "l", "a")
    assert len(node.records()) == len(other.records()) == 1
    cluster.move_keys(slot)
    cluster.end_migration(slot)
    replays(gate, "l", "a", first)
    replays(gate, "k", "a", gate.first)


def test_ask_is_no_moved(on_its_way, cluster):              # noqa: F811
    """What one key was answered holds for no other, and not for long."""
    gate, slot, node, other = on_its_way()                  # noqa: F811
    first = made(gate, "l", "a")
    replays(gate, "k", "a", gate.first)
    replays(gate, "l", "a", first)
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
        for _ in range(3):
            for slot in sorted({slot_of(key) for key in cluster.records()}):
                nodes = cluster.masters()
                here = nodes.index(cluster.node_of(slot))
                cluster.move(slot, nodes[(here + 1) % len(nodes)])
            load.progress()


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
    load = busy(may_fail=True)
    cluster.configure({**QUICK, "cluster-require-full-coverage": "no"})
    with load:
        load.progress()
        master, *others = cluster.masters()
        replica, slots = cluster.replica_of(master), master.slots()
        unlucky, lucky = (caller_of(cluster, node)
                          for node in (master, others[0]))
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
    assert time.monotonic() - began < TIMEOUT / 1000 + 1
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


# connections, and nodes that come and go

def connected(gate, cluster, count):                        # noqa: F811
    """Waits until each worker has one to each master, and no other."""
    keys = (f"k{n}" for n in itertools.count())

    def all_there():
        for caller in one_of_each(cluster):
            assert order_of(gate, next(keys), caller).status == 200
        return cluster.clients() == {node: count
                                     for node in cluster.masters()}
    wait_until(all_there, 10, f"{cluster.clients()} connections")


def test_one_connection_for_each_worker_and_node(clustered,
                                                 cluster):  # noqa: F811
    gate = clustered(workers=2)                             # noqa: F811
    connected(gate, cluster, 2)
    callers = [f"caller{n}" for n in range(40)]
    together(40, lambda n: order_of(gate, "k", callers[n]))
    assert cluster.clients() == {node: 2 for node in cluster.masters()}


def test_closed_by_one_node_while_idle(clustered, cluster):  # noqa: F811
    gate = clustered()                                      # noqa: F811
    connected(gate, cluster, 1)
    node = cluster.masters()[0]
    node.command("CLIENT", "KILL", "TYPE", "normal")
    connected(gate, cluster, 1)
    assert "[error]" not in gate.nginx.error_log()


def test_a_new_node_is_learnt_and_a_former_one_dropped(clustered,
                                                       cluster):  # noqa: F811
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
    cluster.remove_node(new)
    made(gate, "third", "a")
    connected(gate, cluster, 1)
    wait_until(lambda: new.clients() == 0, 10, "a connection is left")


def test_a_replica_serves_after_a_failover(clustered, cluster):  # noqa: F811
    gate = clustered()                                 # noqa: F811
    first = made(gate, "k", "a")
    _, node, _ = home_of(cluster, "a")
    cluster.failover(cluster.replica_of(node))
    wait_until(lambda: order_of(gate, "k", "a").status == 200, 5)
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
    for n, caller in enumerate(good * 5):
        began = time.monotonic()
        assert order_of(gate, f"while{n}", caller).status == 200
        assert time.monotonic() - began < AT_ONCE
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


def test_no_seed_answers(clustered):
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


def test_a_server_that_is_called_a_cluster(clustered, redis):
    gate = clustered(timeout=SHORT,                         # noqa: F811
                     seeds=[f"127.0.0.1:{redis.port}"])
    refused(gate, "a")
    gate.logged("cluster")
    gate.logged("redis://")
    assert gate.arrived() == 0 and redis.keys() == []


REFUSED = [
    ("127.0.0.1:1/1", 'database "1"'),
    ("127.0.0.1:1,127.0.0.1:2/3", 'database "3"'),
    ("127.0.0.1:1 db=1", 'database "1"'),
    ("", "no host"),
    ("127.0.0.1:1,,127.0.0.1:2", "no host"),
    ("127.0.0.1:1,", "no host"),
    ("127.0.0.1:1,127.0.0.1:99999", "invalid port"),
    ("127.0.0.1:1,no-such-host.invalid:1", "host not found"),
    ("u:s3cret@127.0.0.1:1", "holds a password"),
]


@pytest.mark.parametrize("where, words", REFUSED)
def test_refused_by_nginx_t(nginx, where, words):
    server = nginx(f"order_guard_store main redis+cluster://{where};",
                   start=False)
    code, text = server.check_configuration()
    assert code == 1 and words in text and "nginx.conf:" in text, text
    assert "s3cret" not in text


@pytest.mark.parametrize("where", ["127.0.0.1", "127.0.0.1:1/", "[::1]:1",
                                   "127.0.0.1:1,127.0.0.1:2/0",
                                   "127.0.0.1,localhost:1 prefix=x:"])
def test_accepted_by_nginx_t(nginx, where):
    server = nginx(f"order_guard_store main redis+cluster://{where};",
                   start=False)
    code, text = server.check_configuration()
    assert code == 0, text


# an operator

def unknown_of(gate, caller):                               # noqa: F811
    """What names the record of an order without an answer."""
    headers = {"Authorization": f"Bearer {caller}"}
    assert gate.order("k", "reset", headers).status == 502
    identity = gate.order("other", None, headers).header("X-Caller")
    return {"token_id": identity, "key": "k", "uri": LEUWONGRR.path}


def test_records_on_each_node(watched, clustered, cluster):  # noqa: F811
    gate = watched(make=clustered)                          # noqa: F811
    for caller in one_of_each(cluster):
        where = unknown_of(gate, caller)
        assert look(gate, **where)["state"] == "unknown"
        assert finish(gate, **where).status == 200
        assert look(gate, **where)["state"] == "finished"
        again = order_of(gate, "k", caller)
        assert replayed(again) and again.body == ANSWER


def test_a_record_that_has_moved_is_released(watched, clustered,
                                             cluster):      # noqa: F811
    gate = watched(make=clustered)                          # noqa: F811
    where = unknown_of(gate, "a")
    slot, node, other = home_of(cluster, "a")
    cluster.move(slot, other)
    assert look(gate, **where)["state"] == "unknown"
    cluster.move(slot, node)
    assert release(gate, **where).status == 200
    made(gate, "k", "a")
