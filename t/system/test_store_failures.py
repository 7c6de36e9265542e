"""Each way in which a store can fail, by name: nobody waits for longer than
its timeout, soon nobody waits at all, no order runs twice, and the service
comes back by itself."""

import re
import socket
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from og import client
from og.faulty import (DOWN, TIMEOUT, UP, gate, killed,     # noqa: F401
                       paused, proxied)
from og.gate import order_bytes
from og.limits import TOLD, ask, told
from og.parallel import together
from og.paths import LD_PRELOAD, SLOW
from og.process import wait_until
from og.upstream import header

AT_ONCE = TIMEOUT / 1000 / 2        # s: nothing was waited for
SLACK = 0.5 * SLOW                  # s, of a busy machine


# what befalls it

@contextmanager
def refused(gate):                                          # noqa: F811
    gate.proxy.refuse()
    gate.proxy.cut()
    yield
    gate.proxy.accept()


@contextmanager
def black_hole(gate):                                       # noqa: F811
    """Its queue of connections is full: no SYN is answered."""
    gate.proxy.refuse()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", gate.proxy.port))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for sock in fillers:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", gate.proxy.port))
        gate.proxy.cut()
        yield
        gate.logged("connecting timed out")
        for sock in fillers:
            sock.close()
    gate.proxy.accept()


@contextmanager
def silent(gate):                                           # noqa: F811
    """It takes connections, and says nothing."""
    gate.proxy.blackhole()
    yield
    gate.proxy.pass_on()


def mangled(act):
    @contextmanager
    def fault(gate):                                        # noqa: F811
        gate.proxy.mangle(act)
        yield
        gate.proxy.pass_on()
    return fault


@contextmanager
def cut_short(gate):                                        # noqa: F811
    gate.proxy.cut_short(2, new=True)
    yield
    gate.proxy.pass_on()


@contextmanager
def slow(gate):                                             # noqa: F811
    """Each answer comes, later than anybody waits; no connection ends."""
    connections = len(gate.proxy.connections)
    gate.proxy.delay(1.5 * TIMEOUT)
    yield
    gate.proxy.delay(0)
    assert len(gate.proxy.connections) == connections


@contextmanager
def dripping(gate):                                         # noqa: F811
    """Bytes come all the time, and no answer: that is no life."""
    gate.proxy.drip(TIMEOUT / 2)
    yield
    gate.logged("it has gone silent", 10 * TIMEOUT / 1000 + 5)
    gate.proxy.pass_on()


FAILURES = {
    "refused": refused,
    "black hole": black_hole,
    "silent": silent,
    "garbled": mangled(lambda data: b"\x00" * len(data)),
    "too long": mangled(lambda data: data + b"$1\r\nx\r\n" * 20),
    "without an end": mangled(lambda data: b"$9999999\r\n" + data),
    "cut short": cut_short,
    "slow": slow,
    "dripping": dripping,
    "paused": paused,
    "gone and restarted": killed,
}


class Orders:
    """Orders with keys of their own, and how long each has waited."""

    def __init__(self, gate):                               # noqa: F811
        self.gate = gate
        self.keys = []

    def __call__(self, *_):
        key = f"k{len(self.keys)}"
        self.keys.append(key)
        began = time.monotonic()
        answer = self.gate.order(key)
        took = time.monotonic() - began
        assert answer.status in (200, 503), answer
        assert took < TIMEOUT / 1000 + SLACK, f"{key} waited for {took} s"
        return took

    def wait_for_nothing(self):
        return all(self() < AT_ONCE for _ in range(10))

    def check_ledger(self):
        """Each key is an order by now, and was never two."""
        for key in self.keys:
            wait_until(lambda: self.gate.order(key).status == 200, 10,
                       f"{key} stays blocked")
        made = Counter(header(request, "Idempotency-Key")[0] for request
                       in self.gate.upstream.requests())
        assert set(made.values()) == {1}, made
        assert set(made) >= set(self.keys)


@pytest.mark.parametrize("name", FAILURES)
def test_failure(proxied, name):                            # noqa: F811
    gate = proxied(params=f"connect_timeout={TIMEOUT}ms")
    orders = Orders(gate)
    with FAILURES[name](gate):
        together(5, orders)
        wait_until(orders.wait_for_nothing, 10, "orders wait")
        assert orders.wait_for_nothing()
    wait_until(lambda: gate.order("again").status == 200, 10,
               gate.nginx.error_log())
    orders.check_ledger()


def test_flushed(proxied):                                  # noqa: F811
    """It answers as before; the loss is told, and nobody waits for it."""
    gate = proxied()
    orders = Orders(gate)
    together(5, orders)
    gate.redis.command("FLUSHALL")
    wait_until(lambda: orders() < AT_ONCE
               and "has lost its data" in gate.nginx.error_log())
    assert gate.orders() == len(orders.keys)


def test_lateness_is_forgiven_by_an_answer_in_time(         # noqa: F811
        proxied):
    """Not by one that comes too late, although the server lives."""
    gate = proxied(rule="off", location=TOLD + "order_guard_limit 900r/m;")
    gate.proxy.delay(1.5 * TIMEOUT)
    wait_until(lambda: told(ask(gate)) == (200, "LOCAL")
               and "nothing waits for it until it does"
               in gate.nginx.error_log())
    answers = gate.proxy.connections[0].pipes[DOWN]
    for _ in range(3):
        before = answers.delivered
        wait_until(lambda: answers.delivered > before)
        assert told(ask(gate)) == (200, "LOCAL")
    began = time.monotonic()
    assert [told(ask(gate)) for _ in range(20)] == [(200, "LOCAL")] * 20
    assert time.monotonic() - began < TIMEOUT / 1000
    gate.proxy.delay(0)
    wait_until(lambda: told(ask(gate)) == (200, "PASSED"))
    gate.logged("can be reached again")


def test_log_of_a_store_that_flaps(proxied):                # noqa: F811
    """One line a second of all workers, and one of what became of orders."""
    gate = proxied(workers=4)
    began = time.monotonic()
    while time.monotonic() - began < 4:
        gate.proxy.refuse()
        gate.proxy.cut()
        together(8, lambda n: gate.order(f"k{n}"))
        gate.proxy.accept()
        together(8, lambda n: gate.order(f"k{n}"))
    took = time.monotonic() - began
    lines = re.findall(r'\[(?:error|warn|notice)\] \S+ store "main" (.*)',
                       gate.nginx.error_log())
    told = [line for line in lines if "lost its data" not in line]
    assert 2 <= len(told) <= took + 1, lines
    assert any("more since the last such line" in line for line in told)


BATCHES = 8192      # that a worker has on their way, at most
UNSETTLED = 4096    # claims that it looks after, at most


def test_queues_are_bounded(proxied):                       # noqa: F811
    """Orders whose clients have left fill the connection's queue, and then the
    list of what is to be settled; others are refused at once."""
    gate = proxied(timeout=60000)
    gate.proxy.hold(UP)
    sent = 0
    while not turned_away(gate):
        for _ in range(500):
            client.leave(gate.port, order_bytes(f"k{sent}")).close()
            sent += 1
        assert sent <= BATCHES + 500
    assert sent >= BATCHES - 500
    grown = memory_of(gate.nginx.worker_pids()[0])
    assert all(turned_away(gate) for _ in range(300))
    grown = memory_of(gate.nginx.worker_pids()[0]) - grown
    assert grown < 1000 or LD_PRELOAD   # sanitizers keep what is freed

    gate.proxy.cut()
    gate.logged("has more to settle than fits", 10)
    gate.proxy.discard()
    wait_until(lambda: gate.order("again").status == 200, 20)
    wait_until(lambda: gate.redis.calls()["get"] >= UNSETTLED, 20,
               "not all is settled")
    assert (gate.orders(), len(gate.redis.records())) == (1, 1)


def turned_away(gate):                                      # noqa: F811
    """Whether an order is answered while nothing comes from the store."""
    with client.leave(gate.port, order_bytes("z")) as sock:
        sock.settimeout(0.3 * SLOW)
        try:
            return sock.recv(65536).startswith(b"HTTP/1.1 503")
        except socket.timeout:
            return False


def memory_of(pid):
    """kB"""
    with open(f"/proc/{pid}/status") as text:
        return int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1))
