"""Orders that flow through gateways while something befalls these."""

import time

from og.customer import Book, Customer, Order
from og.parallel import Later
from og.process import wait_until
from og.shop import Shop

SEED = 7
CUSTOMERS = 16              # of each gateway
QUIET = 8                   # s: by then nothing is in progress

# of 100 requests: none leaves its client in doubt
CHANCES = {"well": 50, "slowly": 40, "sold out": 5, "busy": 5}


class Market:
    """A shop that never fails, and customers who buy `count` orders through
    each port within `lasts` seconds, ask for them again, and leave."""

    def __init__(self, count, lasts):
        self.shop = Shop(SEED, CHANCES)
        self.book = Book()
        self.orders = []
        self._count = count
        self._lasts = lasts
        self._customers = []
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shop.close()

    def open(self, *ports):
        end = time.monotonic() + self._lasts
        for port in ports:
            self._open(port, end)
        self._running = [Later(customer.run, end + QUIET)
                         for customer in self._customers]

    def _open(self, port, end):
        customers = [Customer(port, self.book, f"{SEED} {port} {n}")
                     for n in range(CUSTOMERS)]
        orders = [Order(f"customer{port}-{n}") for n in range(self._count)]
        begin = time.monotonic()
        step = (end - begin) / self._count
        for n, order in enumerate(orders):
            customers[n % CUSTOMERS].orders.append((begin + n * step, order))
        self._customers += customers
        self.orders += orders

    def open_still(self):
        return not all(running.done() for running in self._running)

    def close(self, may_be_unknown=lambda order: False):
        """Waits for all customers; then each asks for its orders once more,
        until they are answered, or unknown where they may be."""
        for running in self._running:
            running.value(self._lasts + 2 * QUIET)
        self.shop.calm = True
        quiet = time.monotonic() + QUIET
        for settling in [
                Later(customer.settle, [order for _, order in customer.orders],
                      may_be_unknown, quiet, quiet)
                for customer in self._customers]:
            settling.value(2 * QUIET)
        wait_until(self.shop.idle, what="the shop is at work")

    def check(self, *heard):
        """No order was made twice, none has two answers, and the clients
        have heard nothing but `heard`."""
        wrong = self.shop.wrong + self.book.wrong + [
            f"{key}: sent {ways}" for key, ways in self.shop.ways.items()
            if len(self.shop.sent(key)) > 1]
        assert not wrong, "\n".join(wrong[:20])
        others = set(self.book.counts) - {"answered", "replays", "running",
                                          "freed", "left", *heard}
        assert not others, self.book.counts
        assert all(order.answer for order in self.orders) or heard
