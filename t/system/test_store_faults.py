"""Memory is short while a master is looked for: each allocation of a worker
that finds its sentinel and its master by name fails in turn (t/lib/faults.c).
The worker lives, finds them in the end, and keeps nothing of the attempts."""

import pytest

from og.client import http_bytes
from og.dns import Dns
from og.fake_sentinel import FakeSentinel
from og.faults import (HEAP, LINK, REQUEST, FailingGate, exchange,
                       failing_module)                      # noqa: F401
from og.process import wait_until
from og.sentinel import SERVICE

LOCATION = """
    location = /orders {
        order_guard on;
        order_guard_idempotency required store=named;
        proxy_pass http://orders;
    }
"""


@pytest.fixture
def store(own_redis):
    return own_redis()


@pytest.fixture
def sentinel(store):
    with FakeSentinel(("master.test", store.port)) as made:
        yield made


@pytest.fixture
def gate(failing_module, redis, sentinel, tmp_path):        # noqa: F811
    with Dns() as dns:
        dns.names["sentinel.test"] = dns.names["master.test"] = ["127.0.0.1"]
        named = (f"order_guard_store named redis+sentinel://sentinel.test:"
                 f"{sentinel.port}/{SERVICE} timeout=500ms "
                 f"connect_timeout=500ms; {dns.directive}")
        stores = redis.address, redis.address + " prefix=other:"
        with FailingGate(tmp_path, failing_module, stores, LOCATION,
                         named) as made:
            yield made


def test_each_allocation_fails(gate, sentinel, store):
    works(gate, "before")
    gate.wait_until_idle()
    held = gate.faults.held()
    workers = gate.nginx.worker_pids()
    number = 1
    while one_fails(gate, sentinel, store, number):
        number += 1
    assert number > 40
    works(gate, "after")
    gate.wait_until_idle()
    wait_until(lambda: gate.faults.held() <= held, 5,
               f"more is held than {held}")
    assert gate.nginx.worker_pids() == workers


def one_fails(gate, sentinel, store, number):
    """Returns whether there was one of this number."""
    gate.faults.arm(number, 1, REQUEST | HEAP | LINK)
    asked, fenced = sentinel.asked, fences(store)
    sentinel.hang_up()
    store.command("CLIENT", "KILL", "TYPE", "normal")
    wait_until(lambda: sentinel.asked > asked and fences(store) > fenced, 10)
    failed = gate.faults.disarm()
    works(gate, f"k{number}")       # or it would still be about to connect
    return failed


def fences(store):
    """How many connections were greeted."""
    return store.calls()["set"]


def works(gate, key):
    answer = wait_until(lambda: order(gate, key), 10)
    assert answer.status == 200, answer


def order(gate, key):
    answer = exchange(gate.port, http_bytes("POST", "/orders", b"{}", {
        "Authorization": "Bearer t", "Content-Type": "application/json",
        "Idempotency-Key": key}))
    return None if answer.status == 503 else answer
