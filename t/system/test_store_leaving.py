"""Workers that leave: reload, quit, term; nothing is lost, nothing is left
open, and a dead store keeps nobody (design, T18)."""

import signal
import time

from og import client
from og.faulty import (TIMEOUT, UP, gate, held, proxied,    # noqa: F401
                       reconnected)
from og.gate import order_bytes
from og.parallel import Later
from og.paths import seconds
from og.process import wait_until


def quit_took(gate):                                        # noqa: F811
    began = time.monotonic()
    assert gate.nginx.quit()
    return time.monotonic() - began


def test_idle(proxied):                                     # noqa: F811
    gate = proxied(workers=2)
    assert gate.order("k").status == 200
    assert quit_took(gate) < seconds(1)


def test_running_order_is_stored_first(proxied):            # noqa: F811
    gate = proxied()
    first = Later(gate.order, "k", "hold=a")
    gate.upstream.wait_for_requests(1)
    gate.nginx.process.send(signal.SIGQUIT)
    wait_until(lambda: gate.nginx.worker_pids() == [], what="does not leave")
    gate.upstream.release("a")
    assert first.value().status == 200
    gate.nginx.process.wait()
    record = gate.redis.command("GET", gate.redis.records()[0])
    assert record[1] == 3               # done


def test_reloads_with_running_orders(proxied):              # noqa: F811
    gate = proxied(workers=2)
    running = []
    for name in "abcd":
        running.append(Later(gate.order, name, f"hold={name}"))
        gate.upstream.wait_for_requests(len(running))
        gate.nginx.reload()
    for name, order in zip("abcd", running):
        gate.upstream.release(name)
        assert order.value().status == 200
    for name, order in zip("abcd", running):
        gate.check_replays(order.value(), name)
    assert gate.orders() == 4


def test_leaving_worker_settles(proxied):                   # noqa: F811
    gate = proxied()
    first = Later(gate.order, "k", "hold=a,status=429")
    gate.upstream.wait_for_requests(1)
    gate.proxy.hold(UP)
    gate.nginx.process.send(signal.SIGQUIT)
    gate.upstream.release("a")
    assert first.value().status == 429
    held(gate, b"DEL")
    gate.proxy.cut()
    gate.nginx.process.wait()
    assert gate.redis.records() == []


def test_dead_store_keeps_no_worker(proxied):               # noqa: F811
    gate = proxied()
    first = Later(gate.order, "k", "hold=a,status=429")
    gate.upstream.wait_for_requests(1)
    gate.redis.pause()
    gate.upstream.release("a")
    assert first.value().status == 429
    assert quit_took(gate) < 8 * TIMEOUT / 1000
    gate.redis.resume()


def test_store_gone_keeps_no_worker(proxied):               # noqa: F811
    gate = proxied()
    assert gate.order("k").status == 200
    gate.proxy.refuse()
    gate.proxy.cut()
    gate.logged("cannot be reached", 10)
    assert quit_took(gate) < seconds(2)


def test_term_with_claims(proxied):                         # noqa: F811
    gate = proxied()
    sockets = [client.leave(gate.port, order_bytes(f"k{n}", "hold=a"))
               for n in range(10)]
    gate.upstream.wait_for_requests(10)
    gate.nginx.stop()
    for sock in sockets:
        sock.close()
    gate.upstream.release("a")


def test_forced_to_leave(gate, redis):                      # noqa: F811
    """worker_shutdown_timeout closes the store's connection, too."""
    gate = gate(start=False)
    with open(gate.nginx.path("conf/nginx.conf")) as conf:
        text = "worker_shutdown_timeout 500ms;\n" + conf.read()
    with open(gate.nginx.path("conf/nginx.conf"), "w") as conf:
        conf.write(text)
    gate.nginx.start()
    sock = client.leave(gate.port, order_bytes("k", "hold=a"))
    gate.upstream.wait_for_requests(1)
    assert quit_took(gate) < seconds(4)
    sock.close()
    gate.upstream.release("a")
