"""Fixtures: private servers on free ports, everything below tmp_path."""

import inspect
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from og import nginx as og_nginx                            # noqa: E402
from og.cluster import cluster, shared_cluster              # noqa: E402,F401
from og.redis import Redis                                  # noqa: E402
from og.upstream import Upstream                            # noqa: E402


# a test with one of these looks into Redis, or has one that is unwell
REDIS = {"redis", "own_redis", "proxied"}


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: the machine is its own, as it "
                            "fills it, or tells how fast something is")
    config.addinivalue_line("markers", "both_stores: with each store")


def pytest_generate_tests(metafunc):
    """What is marked both_stores runs with Redis and with the embedded store,
    unless only Redis will do."""
    if (metafunc.definition.get_closest_marker("both_stores")
            and "gate_store" in metafunc.fixturenames
            and not REDIS & set(inspect.signature(
                metafunc.function).parameters)):
        metafunc.parametrize("gate_store", ["redis", "embedded"])


@pytest.fixture
def gate_store():
    """Which store a gate has unless a test says another."""
    return "redis"


@pytest.fixture(scope="session")
def shared_upstream(tmp_path_factory):
    upstream = Upstream(tmp_path_factory.mktemp("upstream")).start()
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(shared_upstream):
    """The seed upstream; one process for the session, clean for each test."""
    assert shared_upstream.process.running(), "a test ended the upstream"
    shared_upstream.mode("open")
    shared_upstream.clear()
    yield shared_upstream
    shared_upstream.mode("open")
    shared_upstream.clear()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture
def redis(shared_redis):
    """An empty redis for tests that leave it running."""
    shared_redis.command("FLUSHALL")
    return shared_redis


@pytest.fixture
def own_redis(tmp_path):
    """make(*options): a started redis that the test may pause or kill."""
    made = []

    def make(*options, port=None):
        redis = Redis(tmp_path / f"redis{len(made)}", *options, port=port)
        made.append(redis)
        return redis.start()

    yield make
    for redis in made:
        redis.stop()


@pytest.fixture
def nginx(tmp_path):
    """make(http, ports=[], workers=1, ...): a started nginx. Where the text
    has %PORT%, a free port takes its place and is in `.port`. At the end no
    log may hold an alert or a sanitizer's finding."""
    made = []

    def make(http, ports=(), start=True, **more):
        prefix = tmp_path / f"nginx{len(made)}"
        if "%PORT%" in http:
            server = og_nginx.server_port(prefix, http, **more)
            server.ports += ports
        else:
            server = og_nginx.Nginx(prefix, http, ports, **more)
        made.append(server)
        return server.start() if start else server

    yield make
    _end(made)


def _end(servers):
    wrong = []
    for server in servers:
        if server.process is None:
            continue
        if server.process.running() and not server.quit():
            wrong.append(f"{server.prefix}: does not quit within 15 s\n"
                         + server.error_log()[-2000:])
        wrong += server.bad_lines()
    assert not wrong, "\n".join(wrong)
