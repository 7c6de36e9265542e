"""Gateways that are reloaded, upgraded, killed and forced to leave while
orders flow: none is lost, none is made twice, and nothing stays open."""

import os
import signal
import time

import pytest

from og import client
from og.daemon import daemon, upgrade                       # noqa: F401
from og.gate import gate, order_bytes                       # noqa: F401
from og.market import Market
from og.parallel import Later
from og.paths import seconds
from og.process import children_of, wait_until
from og.stores import STORES

WORKERS = 2
TIMEOUT = 1000                  # ms, of the store
RULE = "required ttl=1h lease=2s"
RELOADS = 100                   # of each gateway: nginx takes 0.1 s for one


@pytest.fixture(params=STORES)
def store(request, own_redis):
    return STORES[request.param](own_redis)


@pytest.fixture
def redis_store(own_redis):
    return STORES["redis"](own_redis)


@pytest.fixture
def guarded(gate):                                          # noqa: F811
    """make(store, address of the upstream, ...): a started gate."""
    def make(store, address, timeout=TIMEOUT, workers=WORKERS, **more):
        return gate(store=store.address(timeout), address=address, rule=RULE,
                    workers=workers, **more)
    return make


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def settled(gate):                                          # noqa: F811
    """Its workers, once no old one is left."""
    wait_until(lambda: sorted(children_of(gate.nginx.pid))
               == sorted(gate.nginx.worker_pids())
               and len(gate.nginx.worker_pids()) == WORKERS, 10,
               "an old worker does not leave")
    return gate.nginx.worker_pids()


def files(gates):                                           # noqa: F811
    """How many each master has open, and each worker; these are alike once
    the connections of clients are gone."""
    def alike():
        workers = [open_files(pid) for made in gates
                   for pid in settled(made)]
        return workers if len(set(workers)) == 1 else None

    workers = wait_until(alike, 10, "what clients left stays open")
    return [open_files(made.nginx.pid) for made in gates], workers


def reload_often(gate):                                     # noqa: F811
    for _ in range(RELOADS):
        gate.nginx.reload()


def test_reloads_under_load(guarded, store):
    """Two hundred, half of them on each of two gateways."""
    with Market(count=500, lasts=RELOADS * 0.13) as market:
        gates = [guarded(store, market.shop.address) for _ in range(2)]
        wait_until(lambda: store.connections() in (None, 2 * WORKERS))
        before = files(gates)
        market.open(*(made.port for made in gates))
        for reloading in [Later(reload_often, made) for made in gates]:
            reloading.value(seconds(60))
        market.close()
        market.check()
    assert files(gates) == before
    wait_until(lambda: store.connections() in (None, 2 * WORKERS), 5,
               f"{store.connections()} connections")
    for made in gates:
        assert "unsettled" not in made.nginx.error_log()


# binary upgrade


def test_binary_upgrade(guarded, redis_store, daemon):      # noqa: F811
    with Market(count=300, lasts=3) as market:
        gate = guarded(redis_store, market.shop.address,
                       start=False)
        old = daemon(gate.nginx)
        market.open(gate.port)
        new = upgrade(gate.nginx, old, WORKERS)
        wait_until(lambda: redis_store.connections() == 2 * WORKERS)
        old.send(signal.SIGWINCH)
        old.wait_for_workers(0)
        assert redis_store.connections() == WORKERS
        old.send(signal.SIGQUIT)
        old.wait()
        assert market.open_still()
        market.close()
        market.check()
    assert new.workers() and redis_store.connections() == WORKERS


def test_binary_upgrade_rolled_back(guarded, redis_store,
                                    daemon):                # noqa: F811
    with Market(count=300, lasts=3) as market:
        gate = guarded(redis_store, market.shop.address,
                       start=False)
        old = daemon(gate.nginx)
        market.open(gate.port)
        new = upgrade(gate.nginx, old, WORKERS)
        old.send(signal.SIGWINCH)
        old.wait_for_workers(0)
        old.send(signal.SIGHUP)
        old.wait_for_workers(WORKERS)
        new.send(signal.SIGQUIT)
        new.wait()
        assert market.open_still()
        market.close()
        market.check()
    assert len(old.workers()) == redis_store.connections() == WORKERS


# worker_shutdown_timeout


FORCED = "worker_shutdown_timeout 300ms;"


@pytest.mark.parametrize("fault", ["hold=a", "hold=a,truncate"])
def test_forced_out_of_a_request(guarded, store, upstream, fault):
    """Its key is never free again, and the answer goes nowhere."""
    gate = guarded(store, upstream.address, main=FORCED)
    wait_until(lambda: store.connections() in (None, WORKERS))
    sock = client.leave(gate.port, order_bytes("k", fault))
    upstream.wait_for_requests(1)
    gate.nginx.reload()
    settled(gate)
    assert b" 200 " not in received(sock)
    sock.close()
    upstream.release("a")
    in_progress = wait_until(
        lambda: (again := gate.order("k")).code
        == "IDEMPOTENCY_OUTCOME_UNKNOWN" and again, 10, "no lease ends")
    assert in_progress.status == 409
    gate.check_held("k", orders=1)
    gate.check_free("another")
    wait_until(lambda: store.connections() in (None, WORKERS))


def received(sock):
    try:
        return sock.recv(65536)
    except ConnectionResetError:
        return b""


def test_forced_out_of_a_wait_for_the_store(guarded, redis_store, upstream):
    """Orders that no store has answered yet were never sent."""
    gate = guarded(redis_store, upstream.address, timeout=500, main=FORCED)
    wait_until(lambda: redis_store.connections() == WORKERS)
    redis_store.pause()
    socks = [client.leave(gate.port, order_bytes(f"k{n}"))
             for n in range(10)]
    wait_until(lambda: redis_store.unread() > 0, what="no claim has left")
    gate.nginx.reload()
    settled(gate)
    redis_store.resume()
    for sock in socks:
        assert b" 200 " not in received(sock)
        sock.close()
    assert gate.arrived() == 0
    wait_until(lambda: redis_store.connections() == WORKERS)
    gate.check_free("another")


# killed


def kill_workers(gate, number, times):                      # noqa: F811
    for _ in range(times):
        gate.nginx.kill_worker(number)
        time.sleep(0.1)         # the new one takes orders


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV],
                         ids=["SIGKILL", "SIGSEGV"])
def test_killed_under_load(guarded, store, number, monkeypatch):
    """What a client was told stays; what nobody was told may be unknown."""
    # a sanitizer would take the signal for a finding
    options = os.environ.get("ASAN_OPTIONS", "detect_leaks=0")
    monkeypatch.setenv("ASAN_OPTIONS", options + ":handle_segv=0")
    with Market(count=400, lasts=3) as market:
        gate = guarded(store, market.shop.address)
        market.open(gate.port)
        kill_workers(gate, number, 15)
        market.close(may_be_unknown=lambda order: order.answer is None)
        market.check("broken", "unknown")
        assert market.book.counts["broken"] > 0
    settled(gate)
    wait_until(lambda: store.connections() in (None, WORKERS))


# a paused store


def test_quits_with_much_unsettled(guarded, redis_store, upstream):
    """However many releases wait: silence is borne for two timeouts, and
    settling tried for two."""
    gate = guarded(redis_store, upstream.address)
    socks = [client.leave(gate.port, order_bytes(f"k{n}",
                                                 "hold=a,status=429"))
             for n in range(60)]
    upstream.wait_for_requests(60)
    redis_store.pause()
    gate.nginx.process.send(signal.SIGQUIT)
    upstream.release("a")
    for sock in socks:
        assert sock.recv(65536).startswith(b"HTTP/1.1 429 ")
        sock.close()
    began = time.monotonic()
    gate.nginx.process.wait()
    took = time.monotonic() - began
    assert took < 4 * TIMEOUT / 1000 + seconds(0.9), took
    assert "left unsettled" in gate.nginx.error_log()
    redis_store.resume()
