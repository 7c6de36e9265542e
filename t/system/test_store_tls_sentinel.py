"""A store behind sentinels and TLS: these, and the master that they name, are
verified by the address that they are reached at, or by server_name=."""

from functools import partial

import pytest

from og.gate import gate                                    # noqa: F401
from og.paths import SLOW
from og.problem import check_problem
from og.process import wait_until
from og.sentinel import Sentinels
from og.tls import (certificate_options, certificates,      # noqa: F401
                    tls_options)

TIMEOUT = int(300 * SLOW)           # ms, of the store


@pytest.fixture
def secured(gate, tmp_path, certificates):                  # noqa: F811
    """make(certificate, params): a Gate whose store is behind `.sentinels`
    that all show that certificate, as their servers do."""
    made = []

    def make(certificate="server", params=""):
        sentinels = Sentinels(tmp_path / "sentinels", tls=partial(
            tls_options, certificates, certificate=certificate))
        made.append(sentinels)
        sentinels.start()
        guarded = gate(store=f"{sentinels.address} timeout={TIMEOUT}ms "
                             f"connect_timeout={TIMEOUT}ms "
                             f"ca={certificates['ca']} {params}")
        guarded.sentinels = sentinels
        return guarded

    yield make
    for sentinels in made:
        sentinels.stop()


def works(gate, key):                                       # noqa: F811
    wait_until(lambda: gate.order(key).status == 200, 15,
               gate.nginx.error_log)


@pytest.mark.parametrize("certificate, params", [
    ("server", ""), ("named", "server_name=redis.example")])
def test_orders_and_a_failover(secured, certificate, params):
    gate = secured(certificate, params)                     # noqa: F811
    first = gate.order("k")
    assert first.status == 200 and "[error]" not in gate.nginx.error_log()
    wait_until(lambda: len(gate.sentinels.replica.records()) == 1)
    new = gate.sentinels.fail_over()
    works(gate, "l")
    gate.check_replays(first, "k")
    assert len(new.records()) == gate.orders() == 2


def test_a_master_that_is_another(secured, certificates):   # noqa: F811
    """The sentinels are believed, and who it is not."""
    gate = secured()                                        # noqa: F811
    works(gate, "k")
    master = gate.sentinels.master
    master.command("CONFIG", "SET", *sum(certificate_options(
        certificates, "elsewhere").items(), ()))
    master.command("CLIENT", "KILL", "TYPE", "normal")
    gate.logged('IP address mismatch), see "server_name="', 10)
    check_problem(gate.order("l"), 503, "STORE_UNAVAILABLE")
    assert 'sentinel of store "main"' not in gate.nginx.error_log()
    master.command("CONFIG", "SET", *sum(certificate_options(
        certificates, "server").items(), ()))
    works(gate, "l")
