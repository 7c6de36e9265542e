"""50 clients, 2000 orders, and everything that can break breaks: however it
goes, no order is made twice, none has two answers, none is never told.

    OG_SEED             the faults of a former run (what threads make of them
                        is never quite the same)
    OG_LEDGER_SECONDS   how long it may take, at most 90
    OG_LEDGER_ORDERS    how many orders
"""

import os
import random
import time

import pytest

from og import trouble, witness
from og.customer import Book, Customer, Order
from og.faulty import gate, proxied                         # noqa: F401
from og.parallel import Later
from og.paths import seconds
from og.process import free_port, wait_until
from og.secret import write
from og.shop import LEASE, READ_TIMEOUT, Shop

LIMIT = min(90, float(os.environ.get("OG_LEDGER_SECONDS", seconds(35))))
ORDERS = int(os.environ.get("OG_LEDGER_ORDERS", 2000))
CUSTOMERS = 50

QUIET = LEASE + 5               # s: by then nothing is in progress
TTL = 3600                      # s

# what follows order_guard_secret, and how many names a record has with it
SECRETS = [("", 1), ("%file", 1), ("%file none", 2)]

PENDING, FINAL = 1, (2, 3, 4)   # states, as in og_record.h

NEVER = ("double run", "has lost its data", "cannot be read under",
         "mixed up", "could not be recorded", "more to settle than fits")

pytestmark = pytest.mark.alone


def a_seed():
    return os.environ.get("OG_SEED") or str(random.randrange(10 ** 6))


def test_no_order_is_made_twice(proxied, capsys, tmp_path):  # noqa: F811
    def make(**more):
        return proxied(
            redis=["--appendonly", "yes", "--appendfsync", "always"], **more)
    check_ledger(make, capsys, a_seed(), tmp_path, LIMIT, ORDERS, trouble.ALL)


def test_nor_with_the_embedded_store(gate, capsys, tmp_path):  # noqa: F811
    def make(**more):
        return gate(store="shm size=8m", **more)
    check_ledger(make, capsys, a_seed(), tmp_path, LIMIT / 2, ORDERS // 2,
                 trouble.EMBEDDED)


def check_ledger(make, capsys, seed, folder, limit, orders, kinds):
    say(capsys, f"\nledger: OG_SEED={seed}")
    with Shop(seed) as shop:
        run = Run(make, shop, seed, folder, limit, orders, kinds)
        run.under_faults()
        run.settle()
    say(capsys, run.summary())
    run.check()


def say(capsys, text):
    """Also where the test passes."""
    with capsys.disabled():
        print(text)


class Run:
    """`make` a Gate, let `kinds` of trouble befall it while so many orders
    are made, within `limit` seconds."""

    def __init__(self, make, shop, seed, folder, limit, orders, kinds):
        self.began = time.monotonic()
        self.end = self.began + limit
        self.settling = min(seconds(20), limit / 2)     # without faults
        self.seed = seed
        self.secret, self.names = random.Random(seed).choice(SECRETS)
        self.shop = shop
        # the other peer never listens: what is refused there is sent here
        self.gate = make(
            workers=2, rule=f"required ttl={TTL}s lease={LEASE}s",
            address=f"127.0.0.1:{free_port()} max_fails=0;\n"
                    f"server {shop.address} max_fails=0",
            http=self._secret(folder) + witness.FORMAT,
            location=f"{witness.LOG} proxy_read_timeout {READ_TIMEOUT}s;")
        self.trouble = trouble.Trouble(self.gate, shop, seed, kinds)
        self.witness = witness.Witness(self.gate.nginx, self.trouble.killed)
        self.book = Book()
        self.customers = [Customer(self.gate.port, self.book, f"{seed} {n}")
                          for n in range(CUSTOMERS)]
        self.orders = [Order(f"customer{n % CUSTOMERS}-{n}")
                       for n in range(orders)]

    def _secret(self, folder):
        if not self.secret:
            return ""
        path = write(folder / "secret", b"a secret of as many as 32 bytes.")
        return f"order_guard_secret {self.secret.replace('%file', path)};\n"

    def under_faults(self):
        end = self.end - self.settling
        self._hand_out(end)
        running = [Later(customer.run, end) for customer in self.customers]
        self.trouble.run(end)
        self._join(running)

    def _hand_out(self, end):
        """Spread over the time; every eighth order is wanted by two."""
        now = time.monotonic()
        step = (end - now) * 0.9 / len(self.orders)
        for n, order in enumerate(self.orders):
            task = now + n * step, order
            self.customers[n % CUSTOMERS].orders.append(task)
            if n % 8 == 0:
                self.customers[(n + 1) % CUSTOMERS].orders.append(task)

    def settle(self):
        """The dust settles: all keys are asked for, until each is answered
        or unknown for good."""
        self.shop.calm = True
        quiet = time.monotonic() + seconds(QUIET)
        self._join([Later(customer.settle, self.orders[n::CUSTOMERS],
                          self._explained, quiet, self.end)
                    for n, customer in enumerate(self.customers)])
        wait_until(self.shop.idle, READ_TIMEOUT + 2, "the shop is at work")
        self.took = time.monotonic() - self.began

    def _explained(self, order):
        """Whether the outcome of an order may well be unknown: the upstream
        left it in doubt, or the worker died that had claimed it."""
        if order.replayed:
            return False
        if order.answer:
            return self.witness.died_with(order.key, order.owner)
        return (self.shop.left_in_doubt(order.key)
                or self._lost_on_the_way(order)
                or any(self.witness.died_with(order.key, attempt + 1)
                       for attempt in range(order.attempts)))

    def _lost_on_the_way(self, order):
        """A listener that ends resets what it has not accepted yet."""
        return (self.witness.sent(order.key)
                > len(self.shop.ways.get(order.key, ())))

    def _join(self, threads):
        for thread in threads:
            thread.value(self.end - time.monotonic())

    def summary(self):
        answered = sum(o.answer is not None for o in self.orders)
        unknown = sum(o.answer is None and o.unknown for o in self.orders)
        lost = sum(o.answer is not None and o.unknown for o in self.orders)
        lines = [f"secret: {self.secret or 'none'}",
                 f"{len(self.orders)} orders in {self.took:.1f} s: {answered} answered "
                 f"({lost} of them unknown later), {unknown} unknown, "
                 f"{len(self.shop.ledger)} made"]
        for name, counts in (("clients", self.book.counts),
                             ("faults", self.trouble.counts),
                             ("upstream", self.shop.counts())):
            lines.append(f"{name}: " + ", ".join(
                f"{what} {count}" for what, count in sorted(counts.items())))
        return "\n".join(lines)

    def check(self):
        wrong = (self._twice() + self.shop.wrong + self.book.wrong
                 + self._unfinished() + self._logged())
        assert not wrong, "\n".join([f"OG_SEED={self.seed}", *wrong[:20],
                                     self.summary()])

    def _twice(self):
        return [f"{key}: orders {self.shop.ledger.get(key)}, sent: {ways}"
                for key, ways in self.shop.ways.items()
                if len(self.shop.ledger.get(key, ())) > 1
                or len(self.shop.sent(key)) > 1]

    def _unfinished(self):
        """What is pending has an owner that died, and is known to be; it may
        have died when one of two names was claimed."""
        redis = getattr(self.gate, "redis", None)
        if redis is None:
            return []
        keys = redis.records()
        values = redis.command("MGET", *keys)
        wrong, pending = [], 0
        for key, value in zip(keys, values):
            if value[1] == PENDING:
                pending += 1
                silent = TTL - redis.command("PTTL", key) / 1000
                if silent <= LEASE:
                    wrong.append(f"{key}: pending, silent for {silent} s")
            elif value[1] not in FINAL:
                wrong.append(f"{key}: {value}")
        absent = len(self.orders) * self.names - len(keys)
        if not 0 <= absent <= (pending if self.names > 1 else 0):
            wrong.append(f"{len(keys)} records, {pending} pending")
        return wrong

    def _logged(self):
        nginx = self.gate.nginx
        return nginx.bad_lines() + [
            line for line in nginx.error_log().splitlines()
            if any(words in line for words in NEVER)]
