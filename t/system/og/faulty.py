"""A gate whose store stands behind a proxy that misbehaves on demand."""

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
    proxies = []

    def make(redis=(), params="", user="", workers=1, timeout=TIMEOUT,
             **more):
        server = own_redis(*redis)
        proxy = FaultProxy(("127.0.0.1", server.port),
                           port=free_port()).start()
        proxies.append(proxy)
        made = gate(store=f"redis://{user}127.0.0.1:{proxy.port}/0 "
                          f"timeout={timeout}ms {params}",
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
    return sum(fenced(connection) for connection in proxy.live())


def fenced(connection):
    return (b"KILL" in connection.sent(UP)
            and connection.pipes[DOWN].delivered
            and len(connection.chunks(DOWN)) >= 2)


def reconnected(gate):                                      # noqa: F811
    """Waits for a new connection that is ready."""
    wait_until(lambda: ready(gate.proxy), 10, gate.nginx.error_log())


def held(gate, text, way=UP):                               # noqa: F811
    """Waits until `text` is among what is held."""
    wait_until(lambda: any(text in c.held(way) for c in
                           gate.proxy.connections),
               what=f"{text!r} is not held")


def delivered(gate):                                        # noqa: F811
    """Lets go of what is held, and waits until the server has refused it:
    it has killed that connection."""
    old = [c for c in gate.proxy.connections if c not in gate.proxy.live()]
    gate.proxy.deliver()
    wait_until(lambda: all(c.pipes[DOWN].ended for c in old),
               what="the server keeps a connection that was to be killed")
