"""What befalls a gateway, its store and its upstream while orders run: one
fault after the other, and now and then one within the other."""

import os
import random
import signal
import time
from collections import Counter

from fault_proxy import BOTH, DOWN, UP
from og.process import children_of, title_of, wait_until

SUDDEN = ("kill", "reload", "cut")
LASTING = ("pause", "restart", "unreachable", "cut_late", "refuse")
ALL = (*SUDDEN, *LASTING, "kill", "cut_late")

# where the store is a part of the gateway
EMBEDDED = ("kill", "reload", "refuse", "kill")


class Trouble:
    """To be used by the thread that the servers were started in: they end
    with it. `gate` is one of og.faulty, if any of `kinds` befalls the
    store."""

    def __init__(self, gate, shop, seed, kinds=ALL):
        self.counts = Counter()
        self.killed = set()             # workers
        self._kinds = kinds
        self._gate = gate
        self._nginx = gate.nginx
        self._redis = getattr(gate, "redis", None)
        self._proxy = getattr(gate, "proxy", None)
        self._shop = shop
        self._chance = random.Random(seed)

    def run(self, end):
        """Every kind before one comes again, until `end` or a little later;
        afterwards all is as it was."""
        kinds = []
        while time.monotonic() < end:
            if not kinds:
                kinds = list(self._kinds)
                self._chance.shuffle(kinds)
            self._make(kinds.pop())
            self._wait(0.05, 0.4)

    def _make(self, kind):
        self.counts[kind] += 1
        getattr(self, "_" + kind)()

    def _wait(self, shortest, longest):
        time.sleep(self._chance.uniform(shortest, longest))

    def _last(self, shortest, longest):
        """As long as a fault lasts, and something else may happen, too."""
        self._wait(shortest, longest / 2)
        if self._chance.random() < 0.5:
            self._make(self._chance.choice(
                [kind for kind in SUDDEN if kind in self._kinds]))
        self._wait(shortest, longest / 2)

    # sudden

    def _kill(self):
        """Any worker, also one that is about to leave."""
        victim = self._chance.choice(wait_until(self._workers))
        self._nginx.expected.append(rf" {victim} exited on signal 9$")
        self.killed.add(victim)
        os.kill(victim, signal.SIGKILL)

    def _workers(self):
        return [pid for pid in children_of(self._nginx.pid)
                if "worker process" in title_of(pid)]

    def _reload(self):
        self._nginx.reload()

    def _cut(self):
        self._proxy.cut()

    # lasting

    def _pause(self):
        self._redis.pause()
        self._last(0.05, 1.5)
        self._redis.resume()

    def _restart(self):
        self._redis.kill()
        self._last(0.01, 0.3)
        self._redis.start()

    def _unreachable(self):
        self._proxy.refuse()
        self._proxy.cut()
        self._last(0.05, 0.8)
        self._proxy.accept()

    def _cut_late(self):
        """What was on its way when the connection broke comes later."""
        self._proxy.hold(self._chance.choice((UP, UP, DOWN, BOTH)))
        self._wait(0.05, 0.3)
        self._proxy.cut()
        self._last(0.1, 0.8)
        self._proxy.deliver()

    def _refuse(self):
        self._shop.close()
        self._last(0.05, 0.5)
        self._shop.open()
