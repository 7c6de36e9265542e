"""nginx as a daemon, since no other takes USR2, and its masters."""

import os
import signal
import subprocess

import pytest

from og.nginx import environment
from og.process import children_of, title_of, wait_until

# a new binary gets no other variables: what a run with sanitizers needs
PASSED_ON = "env LD_PRELOAD; env ASAN_OPTIONS; env UBSAN_OPTIONS;\n"


class Master:
    """Not a child of this process: it is known by its id alone."""

    def __init__(self, pid):
        self.pid = pid

    def send(self, number):
        os.kill(self.pid, number)

    def running(self):
        return "master process" in title_of(self.pid)

    def workers(self):
        """All of them, also those that are about to leave."""
        return [pid for pid in children_of(self.pid)
                if "worker process" in title_of(pid)]

    def wait_for_workers(self, count):
        wait_until(lambda: len(self.workers()) == count, 10,
                   f"{self.workers()} are not {count} workers")

    def wait(self):
        wait_until(lambda: not self.running(), 10, "a master does not leave")


def upgrade(nginx, old, workers):
    """USR2 to a master: the new one, once its workers are there."""
    old.send(signal.SIGUSR2)
    new = wait_until(lambda: _new_master(nginx, old), 10, "no new master")
    nginx.masters.append(new)
    new.wait_for_workers(workers)
    return new


def _new_master(nginx, old):
    pid = _pid(nginx)
    return pid not in (None, old.pid) and Master(pid)


def _pid(nginx):
    try:
        with open(nginx.path("nginx.pid")) as text:
            return int(text.read())
    except (FileNotFoundError, ValueError):
        return None             # it is being written


@pytest.fixture
def daemon():
    """start(nginx): the master of an og.nginx.Nginx that was not started.
    At the end all masters quit, and no log may hold an alert."""
    made = []

    def start(nginx):
        nginx.masters = []
        made.append(nginx)
        conf = nginx.path("conf/nginx.conf")
        with open(conf) as text:
            changed = text.read().replace("daemon off;", "daemon on;")
        with open(conf, "w") as out:
            out.write(PASSED_ON + changed)
        subprocess.run(nginx.argv(), check=True, timeout=60,
                       stdin=subprocess.DEVNULL, env=environment())
        master = Master(wait_until(lambda: _pid(nginx)))
        nginx.masters.append(master)
        master.wait_for_workers(nginx.workers)
        return master

    yield start
    for nginx in made:
        _end(nginx)
        assert not nginx.bad_lines()


def _end(nginx):
    for master in nginx.masters:
        if master.running():
            master.send(signal.SIGQUIT)
    for master in nginx.masters:
        master.wait()
