"""A gate whose store stands behind a proxy that misbehaves on demand."""

import re
from contextlib import contextmanager

import pytest

from fault_proxy import DOWN, UP, FaultProxy                # noqa: F401
from og.gate import gate                                    # noqa: F401
from og.paths import SLOW
from og.process import free_port, wait_until

TIMEOUT = int(200 * SLOW)       # ms, of the store


@pytest.fixture
def proxied(gate, own_redis):                               # noqa: F811
    """make(redis=[options], params, **gate's): a started Gate with `.redis`,
    its own, and `.proxy` before it; an order of each worker has passed."""
    yield from behind_a_proxy(gate, own_redis)


def behind_a_proxy(gate, make_redis, tls=""):               # noqa: F811
    """What the fixture yields; `tls` are the parameters of a store behind
    TLS, at `.tls_port` of what make_redis() makes."""
    proxies = []

    def make(redis=(), params="", user="", workers=1, timeout=TIMEOUT,
             **more):
        server = make_redis(*redis)
        port = server.tls_port if tls else server.port
        proxy = FaultProxy(("127.0.0.1", port), port=free_port()).start()
        proxy.asks = server if tls else None
        proxies.append(proxy)
        made = gate(store=f"redis{'s' if tls else ''}://{user}127.0.0.1:"
                          f"{proxy.port}/0 timeout={timeout}ms {params} {tls}",
                    workers=workers, **more)
        made.redis, made.proxy = server, proxy
        wait_until(lambda: ready(proxy) >= workers, 10,
                   made.nginx.error_log)
        return made

    yield make
    for proxy in proxies:
        proxy.stop()


def ready(proxy):
    """How many connections have passed their greeting and their fence."""
    live = proxy.live()
    if proxy.asks:
        return sum(known(proxy.asks, connection) for connection in live)
    return sum(fenced(connection) for connection in live)


def fenced(connection):
    return (b"KILL" in connection.sent(UP)
            and connection.pipes[DOWN].delivered
            and len(connection.chunks(DOWN)) >= 2)


# what comes before the last commands of a handshake
GREETING = re.compile(r" cmd=(client\|\w+|info|time|auth|select) ")


def known(redis, connection):
    """The server itself is asked: what is sent is encrypted."""
    down = connection.pipes[DOWN]
    if down.delivered < len(connection.sent(DOWN)):
        return False
    try:
        port = connection.server.getsockname()[1]
        clients = redis.command("CLIENT", "LIST").decode().splitlines()
    except OSError:
        return False
    return any(f"addr=127.0.0.1:{port} " in line
               and "name=order-guard " in line
               and not GREETING.search(line) for line in clients)


def reconnected(gate):                                      # noqa: F811
    """Waits for a new connection that is ready."""
    wait_until(lambda: ready(gate.proxy), 10, gate.nginx.error_log())


def held(gate, text, way=UP):                               # noqa: F811
    """Waits until `text`, or behind TLS anything, is among what is held."""
    if gate.proxy.asks:
        text = b""
    wait_until(lambda: any(c.held(way) and text in c.held(way) for c in
                           gate.proxy.connections),
               what=f"{text!r} is not held")


def delivered(gate):                                        # noqa: F811
    """Lets go of what is held, and waits until the server has refused it:
    it has killed that connection."""
    old = [c for c in gate.proxy.connections if c not in gate.proxy.live()]
    gate.proxy.deliver()
    wait_until(lambda: all(c.pipes[DOWN].ended for c in old),
               what="the server keeps a connection that was to be killed")


@contextmanager
def paused(gate):                                           # noqa: F811
    gate.redis.pause()
    yield
    gate.redis.resume()


@contextmanager
def killed(gate):                                           # noqa: F811
    """It comes again without its data."""
    gate.redis.kill()
    yield
    gate.redis.restart()
