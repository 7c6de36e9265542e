"""Callers of a location with limits, and what they are told."""

import socket
from contextlib import contextmanager

from og import client
from og.gate import order
from og.paths import seconds

TOLD = "add_header X-Limit $order_guard_limit always;"
PAGE = "/page"                  # the upstream has it for everybody


def named(caller):
    return {"Authorization": f"Bearer {caller}"}


def ask(gate, caller="a", path=PAGE, method="GET"):
    """One request without a key."""
    return client.request(gate.port, method, path, None, named(caller))


def order_of(gate, key, caller="a", fault=None, **changes):
    """One order, under its key."""
    return gate.send(order(key, fault, named(caller), **changes))


def told(answer):
    """(status, $order_guard_limit)"""
    return answer.status, answer.header("X-Limit")


def told_of(gate, count, caller="a", path=PAGE):
    """What `count` requests are told, one after the other."""
    return [told(ask(gate, caller, path)) for _ in range(count)]


def use_up(gate, limit, caller="a", path=PAGE):
    """Leaves the caller over its limit, and known to be."""
    assert told_of(gate, limit + 1, caller, path) == (
        [(200, "PASSED")] * limit + [(429, "REJECTED")])


def change(gate, old, new):
    """Reloads with other words in the configuration."""
    path = gate.nginx.path("conf/nginx.conf")
    with open(path) as text:
        conf = text.read()
    assert old in conf
    with open(path, "w") as out:
        out.write(conf.replace(old, new))
    gate.nginx.reload()


@contextmanager
def slow_peer():
    """(address, accept) of an upstream that speaks no TLS and is slow to say
    so: to whom an order is not sent after all, when what accept() returns is
    closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(seconds(10))
        yield (f"127.0.0.1:{listener.getsockname()[1]}",
               lambda: listener.accept()[0])


TO_SLOW_PEER = "proxy_pass https://orders;"
