"""Callers who are busy while something happens to the gateway's store: each
uses up its limit, asks again for what it has, and makes room for the next."""

import itertools
import random
import threading
import time

import pytest

from og.cluster import slot_of
from og.clustered import clustered, key_of                 # noqa: F401
from og.gate import order, replayed
from og.limits import named
from og.parallel import Later
from og.paths import seconds
from og.process import wait_until
from og.shop import Shop

PATIENCE = 20                   # s, until an order that got 503 is made
LIMIT = 25                      # orders of each caller


class Busy:
    """To be used in a `with` before a gate with `order_guard_limit 25r/h` and
    the shop of og.shop. Nobody may be told anything but 200 and 429, and 503
    where `may_fail`."""

    def __init__(self, gate, shop, may_fail=False, threads=6):
        self.refused = 0                # answers of 503
        self.made = []                  # keys
        self.gate = gate
        self._shop = shop
        self._may_fail = may_fail
        self._threads = threads
        self._excused = (), 0
        self._stop = threading.Event()

    def __enter__(self):
        self._running = [Later(self._work, number)
                         for number in range(self._threads)]
        return self

    def __exit__(self, failed, *_):
        self._stop.set()
        wait_until(lambda: all(thread.done() for thread in self._running),
                   2 * PATIENCE, "callers do not leave off")
        if not failed:
            self._raise_errors()
            self._check()

    def progress(self, count=20):
        """Waits until so many orders more are made."""
        until = len(self.made) + count
        wait_until(lambda: len(self.made) >= until or self._raise_errors(),
                   PATIENCE, "no more orders are made")

    def excuse(self, slots, since):
        """What a node with these slots may have lost: answers after `since`
        are not asked for again."""
        self._excused = set(slots), since

    def _raise_errors(self):
        for thread in self._running:
            if thread.done():
                thread.value()

    def _work(self, number):
        for turn in itertools.count():
            caller = f"busy{number}-{turn}"
            if not self._use_up(caller, random.Random(caller)):
                return

    def _use_up(self, caller, chance):
        """False: it was told to stop."""
        answers = {}
        while not self._stop.is_set():
            key = f"{caller}-{len(answers)}"
            answer = self._insist(caller, key)
            if answer.status == 429:
                assert answer.code == "RATE_LIMITED", answer
                self._check_limit(caller, len(answers))
                return True
            assert answer.status == 200, answer
            answers[key] = answer.body, time.monotonic()
            self.made.append(key)
            if chance.random() < 0.5:
                self._again(caller, *chance.choice(list(answers.items())))
        return False

    def _check_limit(self, caller, made):
        assert made <= LIMIT, f"{caller}: {made} orders"
        assert made == LIMIT or self._may_fail, f"{caller}: {made} orders"

    def _again(self, caller, key, told):
        body, when = told
        slots, since = self._excused
        if when >= since and slot_of(key_of(caller)) in slots:
            return
        answer = self._insist(caller, key)
        assert replayed(answer), f"{key}: {answer}"
        assert answer.body == body, f"{key}: {answer}, not {body}"

    def _insist(self, caller, key):
        """Anything but 503, and but 409 where an attempt that got 503 is not
        settled yet."""
        end = time.monotonic() + seconds(PATIENCE)
        failed = False
        while True:
            answer = self.gate.send(order(key, None, named(caller), json={
                "client_reference": key}))
            if answer.code == "STORE_UNAVAILABLE":
                failed = True
                self.refused += 1
                assert self._may_fail, f"{key}: {answer}"
            elif not (failed and answer.code == "IDEMPOTENCY_IN_PROGRESS"):
                return answer
            assert time.monotonic() < end, f"{key}: {answer}"
            time.sleep(0.02)

    def _check(self):
        assert self._shop.wrong == []
        twice = {key: numbers for key, numbers in self._shop.ledger.items()
                 if len(numbers) > 1}
        assert not twice, twice
        assert set(self.made) <= set(self._shop.ledger)


@pytest.fixture
def busy(clustered):                                        # noqa: F811
    """make(workers=, ...): a Busy before a gate of its own, `.gate`."""
    shops = []

    def make(may_fail=False, workers=2, **more):
        shops.append(Shop("calm"))
        shops[-1].calm = True
        made = clustered(f"order_guard_limit {LIMIT}r/h;", workers=workers,
                         address=shops[-1].address, **more)
        return Busy(made, shops[-1], may_fail)

    yield make
    for shop in shops:
        shop.close()
