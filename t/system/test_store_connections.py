"""Two thousand open requests: one connection for a worker and node, and many
commands in one write."""

import os
import re
import signal
from contextlib import contextmanager

import pytest

from og.crowd import Holding, allow_files, crowd
from og.gate import gate, order_bytes                       # noqa: F401
from og.paths import seconds
from og.process import wait_until
from og.stores import STORES

WORKERS = 2
OPEN = 2000
RULE = "required ttl=1h lease=60s"          # nothing is renewed meanwhile
MAIN = "worker_rlimit_nofile 10000;"

pytestmark = pytest.mark.alone


class Traffic:
    """What has come to a redis; those who ask do not count."""

    def __init__(self, redis):
        self._redis = redis
        self._asked = 0
        self._before = self._stats()

    def _stats(self):
        self._asked += 1
        text = self._redis.command("INFO", "stats").decode()
        return [int(re.search(rf"{name}:(\d+)", text)[1]) - self._asked
                for name in ("total_commands_processed",
                             "total_reads_processed")]

    def since(self):
        """(commands, reads) since this was asked last."""
        before, self._before = self._before, self._stats()
        return [now - then for now, then in zip(self._before, before)]


@contextmanager
def stopped(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_2000_open_requests(gate, own_redis, capsys):       # noqa: F811
    allow_files(3 * OPEN)
    store = STORES["redis"](own_redis)
    with Holding() as upstream:
        gate = gate(store=store.address(int(seconds(5000))), main=MAIN,
                    address=upstream.address, rule=RULE, workers=WORKERS)
        wait_until(lambda: store.connections() == WORKERS)
        workers = gate.nginx.worker_pids()
        traffic = Traffic(store.redis)

        clients = crowd(gate.port, [order_bytes(f"k{n}")
                                    for n in range(OPEN)])
        wait_until(lambda: upstream.held == OPEN, 20, "not all are held")
        assert store.connections() == WORKERS
        claims = traffic.since()

        # all answers are there at once
        with stopped(workers):
            upstream.release()
        assert clients.value(seconds(20)) == [b"HTTP/1.1 200"] * OPEN
        assert store.connections() == WORKERS
        answers = traffic.since()

    with capsys.disabled():
        for what, (commands, reads) in (("claims", claims),
                                        ("answers", answers)):
            print(f"\n{OPEN} {what}: {commands} commands in {reads} reads "
                  f"of the store, {commands / reads:.1f} in one", end="")
    assert len(store.redis.records()) == OPEN
    assert claims[0] >= OPEN and answers[0] >= OPEN
    assert answers[0] / answers[1] > 10
