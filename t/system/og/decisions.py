"""What comes before a decision of the guard, so that it comes about."""

from contextlib import contextmanager

from og import seeds
from og.gate import order
from og.parallel import Later
from og.process import wait_until

# the order that is decided upon
KEY = "k"

LIMIT = 2
LOCATION = f"""
    order_guard_limit {LIMIT}r/h;
    order_guard_idempotency_response_limit 16k;
    proxy_http_version 1.1;
    add_header X-Idempotency $order_guard_idempotency always;
    add_header X-Limit $order_guard_limit always;
"""
PASS = "order_guard_idempotency_on_failure pass;"

# where further orders go: another API, whose callers have no limit
FURTHER = """
    location = /v1/orders {
        order_guard on;
        order_guard_token $http_x_api_key;
        order_guard_idempotency required;
        proxy_pass http://orders;
    }
"""


def further(key):
    return seeds.GAMESO.with_(headers={"Idempotency-Key": key})


@contextmanager
def nothing(*_):
    yield


@contextmanager
def ended(gate, _, fault=None, status=200):
    """The same order has been made."""
    assert gate.order(KEY, fault).status == status
    yield


def broken(gate, store):
    """The same order was sent, and nobody knows what became of it."""
    return ended(gate, store, "close", 502)


def large(gate, store):
    """The same order has an answer that is not kept."""
    return ended(gate, store, "big=20000")


@contextmanager
def running(gate, _):
    """The upstream is at the same order."""
    first = Later(gate.order, KEY, "hold=first")
    gate.upstream.wait_for_requests(1)
    yield
    gate.upstream.release("first")
    assert first.value().status == 200


@contextmanager
def spent(gate, _):
    """The caller has made as many orders as the limit admits."""
    assert [gate.order(f"k{n}").status for n in range(2)] == [200, 200]
    yield


@contextmanager
def paused(gate, store):
    """The store answers nothing; later, all that it was asked: the gateway
    has a connection."""
    assert gate.send(further("before")).status == 200
    for key in store.records():
        store.command("DEL", key)
    store.pause()
    try:
        yield
    finally:
        store.resume()
    settled(gate, store)


@contextmanager
def killed(gate, store):
    """The store is gone, and comes again without its data."""
    store.kill()
    try:
        yield
    finally:
        store.restart()
    settled(gate, store)


def settled(gate, store):
    """Orders are taken again, and no claim is left of the one before."""
    wait_until(lambda: gate.send(further("again")).status == 200, 10,
               "no order is taken again")
    wait_until(lambda: len(store.records()) == 1, 10,
               "a claim is left behind")


class Circumstance:
    """`before`: entered ahead of the order, left after its answer. `changes`
    of the order's body, and what the location says besides."""

    def __init__(self, before, changes=None, location=""):
        self.before = before
        self.order = order(KEY, json=changes)
        self.location = LOCATION + location


CIRCUMSTANCES = {
    "won": Circumstance(nothing),
    "replay": Circumstance(ended),
    "running": Circumstance(running),
    "other payload": Circumstance(ended, {"place_id": 5}),
    "unknown": Circumstance(broken),
    "limited": Circumstance(spent),
    "store paused": Circumstance(paused),
    "store killed": Circumstance(killed),
    "tombstone": Circumstance(large),
    "bypassed": Circumstance(paused, location=PASS),
}
