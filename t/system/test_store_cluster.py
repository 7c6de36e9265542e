"""Redis Cluster as a store: a caller's keys are in one slot, those of a limit
or of a former secret may be in another, and all holds as with one server."""

import itertools

import pytest

from og.cluster import slot_of
from og.clustered import (clustered, home_of, key_of,       # noqa: F401
                          made, one_of_each, replays)
from og.gate import gate, replayed                          # noqa: F401
from og.limits import TOLD, order_of, told, told_of
from og.operator import (ANSWER, finish, look, release,     # noqa: F401
                         watched)
from og.parallel import Later, together
from og.problem import check_problem
from og.process import wait_until
from og.secret import name, record, write
from og.seeds import LEUWONGRR

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")

THREE = TOLD + "order_guard_limit 3r/h;"
SHOPS = TOLD + "order_guard_limit 3r/h key=$http_x_shop;"
OLD, NEW = b"the former secret".ljust(32), b"the new secret".ljust(32)


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

def shop_of(cluster, node):
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
def apart(cluster):
    """(node of the records of "a", node of the counters, a shop of those)"""
    _, node, other = home_of(cluster, "a")
    return node, other, shop_of(cluster, other)


def test_a_limit_on_another_node(clustered, apart):         # noqa: F811
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


def test_a_replay_gives_its_unit_back(clustered, apart):    # noqa: F811
    gate = clustered(SHOPS)                                 # noqa: F811
    _, other, shop = apart
    order_at(gate, shop, "k")
    for _ in range(5):
        assert replayed(order_at(gate, shop, "k"))
    wait_until(lambda: other.units() == 1)


def test_what_was_not_sent_leaves_nothing(clustered, apart,  # noqa: F811
                                          cluster):
    gate = clustered(SHOPS + "order_guard_limit 9r/h;",     # noqa: F811
                     address="127.0.0.1:1")
    for n in range(5):
        check_problem(order_at(gate, apart[2], f"k{n}"), 502,
                      "UPSTREAM_UNREACHABLE", "gateway")
    wait_until(lambda: cluster.units() == 0)
    wait_until(lambda: cluster.records() == [])


def test_a_refusal_of_one_node_gives_all_back(clustered,     # noqa: F811
                                              apart, cluster):
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
    """(make(how many secrets), caller, its records under a key): a caller
    whose two names are on two nodes."""
    files = [write(tmp_path / "new", NEW), write(tmp_path / "old", OLD)]

    def make(count, *rest, **more):
        words = " ".join(files[:count])
        return clustered(*rest, http=f"order_guard_secret {words};", **more)

    caller = next(c for c in map(str, itertools.count())
                  if cluster.node_of(key_of(c, OLD))
                  is not cluster.node_of(key_of(c, NEW)))

    def records(key):
        return [record(secret, caller, "", "POST", LEUWONGRR.path, key)
                for secret in (OLD, NEW)]
    return make, caller, records


def test_two_names_on_two_nodes(changing, cluster):
    make, caller, records = changing
    gate = make(2, THREE)                                   # noqa: F811
    first = made(gate, "k", caller)
    assert cluster.records() == sorted(records("k"))
    replays(make(1), "k", caller, first)
    wait_until(lambda: cluster.units() == 1)


@pytest.mark.parametrize("gone", [0, 1], ids=["former", "new"])
def test_one_of_two_names_is_enough(changing, cluster, gone):
    make, caller, records = changing
    gate = make(2)                                          # noqa: F811
    first = made(gate, "k", caller)
    lost = records("k")[gone]
    cluster.node_of(lost).command("DEL", lost)
    replays(gate, "k", caller, first)


def test_two_names_are_claimed_by_one(changing, cluster):
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
    assert set(cluster.records()) <= set(records("k"))


def test_nothing_is_left_of_two_claims(changing, cluster):
    make, caller, _ = changing
    gate = make(2, THREE, address="127.0.0.1:1")            # noqa: F811
    check_problem(order_of(gate, "k", caller), 502, "UPSTREAM_UNREACHABLE")
    wait_until(lambda: cluster.records() == [])
    wait_until(lambda: cluster.units() == 0)


@pytest.mark.parametrize("which", [0, 1], ids=["former", "new"])
def test_a_slot_of_one_name_moves(changing, cluster, which):
    """What is known, what runs and what is made meanwhile is one order for
    hosts of both steps."""
    make, caller, records = changing
    gate, done = make(2), make(1)                           # noqa: F811
    orders = {"k": made(gate, "k", caller)}
    running = Later(order_of, gate, "r", caller, "hold=r")
    gate.upstream.wait_for_requests(2)

    slot = slot_of(records("k")[which])
    node = cluster.node_of(slot)
    cluster.begin_migration(slot, next(to for to in cluster.masters()
                                       if to is not node))
    orders["l"] = made(gate, "l", caller)
    cluster.move_keys(slot)
    orders["m"] = made(gate, "m", caller)
    check_problem(order_of(done, "r", caller), 409, "IDEMPOTENCY_IN_PROGRESS")
    cluster.end_migration(slot)
    gate.upstream.release("r")
    orders["r"] = running.value()
    orders["n"] = made(gate, "n", caller)

    for host in (gate, done):
        for key, answer in orders.items():
            replays(host, key, caller, answer)
    assert cluster.records() == sorted(sum(map(records, orders), []))


# its configuration

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


def test_a_record_that_has_moved_is_released(watched, clustered,  # noqa: F811
                                             cluster):
    gate = watched(make=clustered)                          # noqa: F811
    where = unknown_of(gate, "a")
    slot, node, other = home_of(cluster, "a")
    cluster.move(slot, other)
    assert look(gate, **where)["state"] == "unknown"
    cluster.move(slot, node)
    assert release(gate, **where).status == 200
    made(gate, "k", "a")
