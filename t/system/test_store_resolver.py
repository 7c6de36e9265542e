"""A store that is named: by nginx's resolver at run time where there is one,
else when the configuration is read."""

import time

import pytest

from fault_proxy import FaultProxy
from og.dns import Dns
from og.gate import gate                                    # noqa: F401
from og.paths import seconds
from og.process import free_port, wait_until
from og.problem import check_problem

NAME = "store.test"


@pytest.fixture
def dns():
    with Dns() as server:
        yield server


@pytest.fixture
def named(gate, dns):                                       # noqa: F811
    """make(port, params, **gate's): a Gate whose store is NAME:port."""
    def make(port, params="", **more):
        return gate(store=f"redis://{NAME}:{port}/0 timeout=300ms {params}",
                    http=dns.directive, **more)
    return make


def works(gate, key):                                       # noqa: F811
    wait_until(lambda: gate.order(key).status == 200, 10,
               gate.nginx.error_log())


def refused(gate):                                          # noqa: F811
    """503, and how long that took."""
    began = time.monotonic()
    check_problem(gate.order("z"), 503, "STORE_UNAVAILABLE", "gateway")
    return time.monotonic() - began


def clients(redis):
    """The addresses of the gateway's connections there."""
    lines = redis.command("CLIENT", "LIST").decode().splitlines()
    return [line for line in lines if "name=order-guard" in line]


def test_name_is_resolved_at_run_time(named, dns, redis):
    dns.names[NAME] = ["127.0.0.1"]
    gate = named(redis.port)
    works(gate, "k")
    assert NAME in dns.asked
    assert "[error]" not in gate.nginx.error_log()


def test_resolver_that_stands_behind_the_store(gate, dns,   # noqa: F811
                                               redis):
    """The directive is read before the resolver is known."""
    dns.names[NAME] = ["127.0.0.1"]
    made = gate(store=f"redis://{NAME}:{redis.port}; "
                      f"resolver 127.0.0.1:{dns.port}")
    works(made, "k")


def test_starts_with_a_name_that_is_not_known_yet(named, dns, redis):
    gate = named(redis.port)
    gate.logged(f'cannot be found: "{NAME}" could not be resolved: '
                "Host not found")
    refused(gate)
    dns.names[NAME] = ["127.0.0.1"]
    works(gate, "k")


def test_unresolved_name_does_not_flood_the_log(named, redis):
    gate = named(redis.port)
    gate.logged("cannot be reached", 10)
    time.sleep(1)
    assert gate.nginx.error_log().count("could not be resolved") <= 4


def test_other_address_is_followed_when_it_reconnects(named, dns, redis):
    port = free_port()
    target = ("127.0.0.1", redis.port)
    with FaultProxy(target, "127.0.0.2", port) as first, \
            FaultProxy(target, "127.0.0.3", port) as second:
        dns.names[NAME] = ["127.0.0.2"]
        gate = named(port)
        works(gate, "k")
        assert len(first.connections) == 1 and not second.connections

        dns.names[NAME] = ["127.0.0.3"]
        asked = len(dns.asked)
        works(gate, "l")
        assert len(dns.asked) == asked, "what works is not looked up again"

        time.sleep(1)               # the resolver keeps it for that second
        first.cut()
        wait_until(lambda: second.live(), 10, gate.nginx.error_log())
        works(gate, "m")
        assert len(first.connections) == 1


def test_first_of_two_addresses_is_dead(named, dns, redis):
    """nginx gives them in any order; each connection ends at the one that
    lives."""
    dns.names[NAME] = ["127.0.0.9", "127.0.0.1"]
    gate = named(redis.port, workers=4)
    wait_until(lambda: len(clients(redis)) == 4, 10, gate.nginx.error_log())
    assert "cannot be reached" not in gate.nginx.error_log()


@pytest.mark.parametrize("timeout", [200, 600])
def test_silent_resolver_costs_no_more_than_the_timeout(named, dns, redis,
                                                        timeout):
    dns.names[NAME] = ["127.0.0.1"]
    dns.silent = True
    gate = named(redis.port, f"connect_timeout={timeout}ms")
    assert refused(gate) < seconds(0.3) + 0.3
    gate.logged("could not be resolved: Operation timed out")
    gate.logged("cannot be reached", 10)
    assert max(refused(gate) for _ in range(5)) < 0.15
    dns.silent = False
    works(gate, "k")


def test_silent_resolver_keeps_no_worker(named, dns, redis):
    dns.silent = True
    gate = named(redis.port, "connect_timeout=30s")
    wait_until(lambda: dns.asked)
    began = time.monotonic()
    assert gate.nginx.quit()
    assert time.monotonic() - began < seconds(2)


def test_reload_while_the_resolver_is_silent(named, dns, redis):
    dns.names[NAME] = ["127.0.0.1"]
    dns.silent = True
    gate = named(redis.port, "connect_timeout=30s", workers=2)
    wait_until(lambda: dns.asked)
    for _ in range(3):
        gate.nginx.reload()
    dns.silent = False
    gate.nginx.reload()
    works(gate, "k")


def test_address_needs_no_resolver(gate, dns, redis):       # noqa: F811
    dns.silent = True
    made = gate(http=dns.directive)
    works(made, "k")
    assert dns.asked == []


@pytest.mark.parametrize("resolver", ["", "resolver_timeout 1s;"])
def test_without_a_resolver_it_is_resolved_at_once(gate,    # noqa: F811
                                                   resolver):
    made = gate(store="redis://no-such-host.invalid:1/0", start=False,
                http=resolver)
    code, text = made.nginx.check_configuration()
    assert code == 1
    assert 'host not found in "no-such-host.invalid:1"' in text
    with open(made.nginx.path("conf/nginx.conf")) as conf:
        line = next(n for n, line in enumerate(conf, 1)
                    if "order_guard_store" in line)
    assert f"nginx.conf:{line}" in text


def test_resolver_of_a_server_is_not_the_stores(gate, dns):  # noqa: F811
    """A store belongs to http: so does its resolver."""
    made = gate(store="redis://no-such-host.invalid:1/0", start=False,
                server=dns.directive)
    code, text = made.nginx.check_configuration()
    assert code == 1 and "host not found" in text
