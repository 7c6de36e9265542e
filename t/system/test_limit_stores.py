"""Limits in two stores, and records in a third: what one of them refuses
costs nothing in the others."""

import pytest

from og.faulty import gate                                  # noqa: F401
from og.gate import replayed
from og.limits import TOLD, ask, order_of, told, told_of
from og.parallel import Later, together
from og.problem import check_problem
from og.process import wait_until
from og.redis import Redis
from og.secret import write

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")

LIMITS = """
    order_guard_limit 3r/h store=one;
    order_guard_limit 2r/h store=two;
"""


class Stores:
    def __init__(self, records, one, two):
        self.records, self.one, self.two = records, one, two

    def left(self):
        """(records, units of one, units of two), each in its own store."""
        assert self.records.counters() == []
        assert self.one.records() == self.two.records() == []
        return (len(self.records.records()), self.one.units(),
                self.two.units())

    def wait(self, *left):
        wait_until(lambda: self.left() == left,
                   what=f"{self.left()} is left, not {left}")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    started = [Redis(tmp_path_factory.mktemp(name)).start()
               for name in ("records", "one", "two")]
    yield started
    for server in started:
        server.stop()


@pytest.fixture
def stores(servers):
    for server in servers:
        server.command("FLUSHALL")
    return Stores(*servers)


@pytest.fixture
def apart(gate, stores):                                    # noqa: F811
    """make(limits): a Gate with all three."""
    def make(limits=LIMITS, http="", rule="required ttl=1h", **more):
        return gate(TOLD + limits, rule=rule,
                    store=stores.records.address + " timeout=1s",
                    http=f"order_guard_store one {stores.one.address} "
                         "timeout=1s;"
                         f"order_guard_store two {stores.two.address} "
                         "timeout=1s;" + http, **more)
    return make


def test_each_counts_in_its_own(apart, stores):
    gate = apart()                                          # noqa: F811
    answer = order_of(gate, "k")
    assert told(answer) == PASSED
    assert answer.header("RateLimit-Policy") == (
        '"3r/h";q=3;w=3600, "2r/h";q=2;w=3600')
    assert [member.split(";")[1] for member in
            answer.header("RateLimit").split(", ")] == ["r=2", "r=1"]
    assert stores.left() == (1, 1, 1)


def test_a_refusal_gives_all_back(apart, stores):
    gate = apart()                                          # noqa: F811
    for n in range(2):
        assert told(order_of(gate, f"k{n}")) == PASSED
    for n in range(2, 6):
        check_problem(order_of(gate, f"k{n}"), 429, "RATE_LIMITED", "gateway")
    stores.wait(2, 2, 2)
    assert gate.orders() == 2


@pytest.mark.parametrize("limits", [
    LIMITS, "\n".join(reversed(LIMITS.strip().split("\n")))])
def test_many_at_once(apart, stores, limits):
    gate = apart(limits, workers=2)                         # noqa: F811
    answers = together(40, lambda n: told(order_of(gate, f"k{n}")))
    assert answers.count(PASSED) <= 2
    assert set(answers) <= {PASSED, REJECTED}
    made = answers.count(PASSED)
    stores.wait(made, made, made)
    assert gate.orders() == made


def test_a_replay_costs_in_none(apart, stores):
    gate = apart(workers=2)                                 # noqa: F811
    first = order_of(gate, "k")
    for _ in range(10):
        again = order_of(gate, "k")
        assert replayed(again) and again.body == first.body
    stores.wait(1, 1, 1)
    assert told(order_of(gate, "l")) == PASSED
    assert told(order_of(gate, "m")) == REJECTED
    assert replayed(order_of(gate, "k"))
    stores.wait(2, 2, 2)


def test_nor_does_a_conflict(apart, stores):
    gate = apart()                                          # noqa: F811
    first = Later(order_of, gate, "k", fault="hold=k")
    gate.upstream.wait_for_requests(1)
    for _ in range(4):
        check_problem(order_of(gate, "k"), 409, "IDEMPOTENCY_IN_PROGRESS")
        check_problem(order_of(gate, "k", json={"place_id": 5}), 422,
                      "IDEMPOTENCY_KEY_REUSED")
    gate.upstream.release("k")
    assert told(first.value()) == PASSED
    stores.wait(1, 1, 1)


def test_an_order_that_was_not_sent_costs_in_none(apart, stores):
    gate = apart()                                          # noqa: F811
    gate.upstream.mode("closed")
    for n in range(4):
        assert order_of(gate, f"k{n}").status == 502
        stores.wait(0, 0, 0)
    gate.upstream.mode("open")
    assert told(order_of(gate, "k")) == PASSED


def test_while_secrets_change(apart, stores, tmp_path):
    """A record has two names then, and each unit one."""
    new = write(tmp_path / "new", b"n" * 32)
    old = write(tmp_path / "old", b"o" * 32)
    gate = apart(http=f"order_guard_secret {new} {old};")   # noqa: F811
    first = order_of(gate, "k")
    assert told(first) == PASSED
    assert replayed(order_of(gate, "k"))
    assert told(order_of(gate, "l")) == PASSED
    assert told(order_of(gate, "m")) == REJECTED
    assert replayed(order_of(gate, "k"))
    stores.wait(4, 2, 2)


def test_without_idempotency(apart, stores):
    gate = apart(rule="off", workers=2)                     # noqa: F811
    answers = together(20, lambda _: told(ask(gate)))
    assert answers.count(PASSED) <= 2
    stores.wait(0, answers.count(PASSED), answers.count(PASSED))
    assert told_of(gate, 3)[-1] == REJECTED


def test_one_name_in_two_stores(apart, stores):
    """Two counters, of a rate each."""
    gate = apart("order_guard_limit 5r/h name=n store=one; "  # noqa: F811
                 "order_guard_limit 3r/d name=n store=two;", rule="off")
    assert told_of(gate, 4) == [PASSED] * 3 + [REJECTED]
    stores.wait(0, 3, 3)
    assert told(ask(gate, "b")) == PASSED


def test_a_limit_of_the_location_beside_one_of_its_own(apart, stores):
    """The former is in the store of the records."""
    gate = apart("order_guard_limit 2r/h; "                 # noqa: F811
                 "order_guard_limit 9r/h store=one;")
    assert told(order_of(gate, "k0")) == PASSED
    assert told(order_of(gate, "k1")) == PASSED
    assert told(order_of(gate, "k2")) == REJECTED
    wait_until(lambda: stores.records.units() == 2)
    wait_until(lambda: stores.one.units() == 2)
    assert len(stores.records.records()) == 2


def test_both_say_how_much_is_left(apart, stores):
    gate = apart("order_guard_limit 9r/h name=n store=one; "  # noqa: F811
                 "order_guard_limit 9r/h name=n key=$arg_a store=two;",
                 rule="off")
    answers = [ask(gate, path=path) for path in
               ("/page?a=1", "/page?a=2", "/page?a=1", "/page")]
    assert [answer.header("RateLimit").count('"n"') for answer in answers] \
        == [2, 2, 2, 1]
    stores.wait(0, 4, 3)


@pytest.mark.parametrize("other,units", [("store=two", (1, 1)),
                                         ("store=one key=$arg_a", (2, 0))])
def test_a_redirect_to_another_counter_of_that_name(apart, stores, other,
                                                    units):
    """Only what was counted already is not counted again."""
    gate = apart("order_guard_limit 5r/h name=n store=one; "  # noqa: F811
                 "try_files /none @second;", rule="off", target="", server="""
        location @second {
            order_guard on;
            order_guard_limit 5r/h name=n %s;
            proxy_pass http://orders;
        }""" % other)
    assert ask(gate, path="/page?a=1").status == 200
    assert stores.left() == (0, *units)
