"""Memory is short (t/lib/faults.c) while an order goes on to another node of a
cluster, and while a worker learns who has which slot: as in test_faults.py,
no order runs twice, and nothing is left of what failed."""

import re
from collections import Counter

import pytest

from fault_proxy import DOWN, FaultProxy
from og.cluster import Cluster
from og.clustered import home_of
from og.fault_cases import KEYED, STRIP, Case
from og.faults import (REQUEST, FailingGate, exchange,      # noqa: F401
                       failing_module)
from og.paths import SLOW
from og.process import wait_until
from og.trial import Trial, let_each_fail, renew_worker

CALLER = "t"                            # of each Case
TIMEOUT = int(1000 * SLOW)              # ms
# each counts for itself, with memory that fails and with the connection, too
CASES = [Case(STRIP + f"order_guard_limit {rate}r/m;", rule=KEYED, waits=True,
              link=rate % 2000 > 0) for rate in (6000, 7000, 8000, 9000)]
KINDS = ["memory", "and the connection"]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """A cluster of two masters."""
    made = Cluster(tmp_path_factory.mktemp("nodes"), masters=2, replicas=0,
                   spares=0)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def gate(nodes, failing_module, tmp_path_factory):          # noqa: F811
    with FailingGate(tmp_path_factory.mktemp("gate"), failing_module,
                     (f"{nodes.address} timeout={TIMEOUT}ms", "shm size=1m"),
                     "".join(case.location() for case in CASES)) as made:
        made.nginx.expected.append(r"could not be recorded \(12: Cannot")
        wait_until(lambda: nodes.clients() == dict.fromkeys(nodes.nodes, 1),
                   10, "what led there is still open")
        yield made


class Moving(Trial):
    """The caller's slot has moved when the order comes."""

    def __init__(self, gate, case, nodes):
        super().__init__(gate, case, 1)
        self._nodes = nodes
        self._slot = home_of(nodes, CALLER)[0]

    def prepare(self, key):
        super().prepare(key)
        self._nodes.move_on([self._slot])


@pytest.mark.parametrize("case", CASES[:2], ids=KINDS)
def test_a_slot_has_moved(gate, nodes, case):
    let_each_fail(Moving(gate, case, nodes))


class OnItsWay(Trial):
    """The caller's slot is moving, until what failed must be settled: a WATCH
    does not go on to another node."""

    def __init__(self, gate, case, nodes):
        super().__init__(gate, case, 1)
        self.check_ordinary("counted")
        self._nodes = nodes
        self._slot, _, target = home_of(nodes, CALLER)
        nodes.begin_migration(self._slot, target)

    def must_be_free(self):
        return False

    def check_settled(self):
        self._nodes.move_on([self._slot])
        super().check_settled()


@pytest.mark.parametrize("case", CASES[2:], ids=KINDS)
def test_a_slot_is_moving(gate, nodes, case):
    """Its counters are asked for one by one."""
    trial = OnItsWay(gate, case, nodes)
    before = calls(nodes)
    let_each_fail(trial)
    assert all(calls(nodes)[name] > before[name] + 10
               for name in ("asking", "get"))


def calls(nodes):
    return sum((node.calls() for node in nodes.nodes), Counter())


def test_a_worker_learns_of_the_nodes(nodes, failing_module,  # noqa: F811
                                      tmp_path):
    """From where the seed has told who it is."""
    with FaultProxy(("127.0.0.1", nodes.nodes[0].port)) as seed:
        seed.hold(DOWN, new=True)
        store = f"redis+cluster://127.0.0.1:{seed.port} timeout={TIMEOUT}ms"
        with FailingGate(tmp_path, failing_module, (store, "shm size=1m"),
                         CASES[0].location()) as made:
            number, pools = 1, 1 + len(nodes.nodes)
            while learns(made, seed, nodes, number):
                number += 1
                wait_until(lambda: made.faults.held()[1] == pools)
                seed.hold(DOWN, new=True)
                renew_worker(made)
            assert number > 20


def learns(gate, seed, nodes, number):
    """Whether there was an allocation of this number; then it has failed."""
    wait_until(lambda: any(c.held(DOWN) for c in seed.live())
               and not any(ready(node) for node in nodes.nodes),
               what="no new worker, or the old one has not gone")
    gate.faults.arm(number, 1, REQUEST)
    seed.pass_on()
    wait_until(lambda: all(ready(node) for node in nodes.nodes), 10,
               f"number {number}")
    failed = gate.faults.disarm()
    answer = exchange(gate.port, *CASES[0].steps(f"learns-{number}"))
    assert answer.status == 200, (gate.faults.place(), answer)
    return failed


def ready(node):
    """Whether a gateway's connection to it is past its greeting, with or
    without a marker. The seed's goes on to ask for the slots."""
    return re.search(r" name=order-guard .* cmd=(pttl|client\|kill) ",
                     node.command("CLIENT", "LIST").decode())
