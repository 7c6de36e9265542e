"""A gate whose store is a cluster, and callers whose keys are on a node of
one's choice."""

import itertools

import pytest

from og.cluster import slot_of
from og.gate import gate, replayed                          # noqa: F401
from og.limits import order_of
from og.paths import SLOW
from og.secret import name

TIMEOUT = int(1000 * SLOW)       # ms, of the store


@pytest.fixture
def clustered(cluster, gate):                               # noqa: F811
    """make(location, timeout=, params=, seeds=, ...): a Gate whose store is
    the cluster, and is its `.redis`."""
    def make(location="", timeout=TIMEOUT, params="", seeds=None, **more):
        where = (cluster.address if seeds is None
                 else cluster.scheme + ",".join(seeds))
        made = gate(location, store=f"{where} timeout={timeout}ms {params}",
                    **more)
        made.redis = cluster
        return made
    return make


def key_of(caller, secret=None):
    """What all keys of a caller begin with: they are in its slot."""
    return f"og:{{{name(secret, b'token', caller.encode())[:16]}}}"


def caller_of(node):
    """Whose keys are there."""
    slots = set(node.slots())
    return next(caller for caller in map("caller{}".format,
                                         itertools.count())
                if slot_of(key_of(caller)) in slots)


def one_of_each(cluster):
    """A caller of each master."""
    return [caller_of(node) for node in cluster.masters()]


def home_of(cluster, caller):
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
