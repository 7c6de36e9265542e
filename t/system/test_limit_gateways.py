"""Two gateways, of two workers each, on one store: together they never admit
more than the limit, and a steady caller gets what is its due."""

import random
import time

import pytest

from og import client
from og.gate import gate                                    # noqa: F401
from og.limits import TOLD, ask, named, told, told_of
from og.parallel import together

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")

LIMIT = 20                      # in a second
CLOCK_ERROR = 0.02              # s, between a gateway and its store
SLOT = 1 / 20                   # s
PATIENCE = 2.2                  # s, of each pattern
CLIENTS = 8


@pytest.fixture
def gates(gate):                                            # noqa: F811
    """Two of them, with the quickest upstream there is."""
    def make():
        return gate(TOLD + f"order_guard_limit {LIMIT}r/s;", rule="off",
                    workers=2, address=quick.address)
    quick = gate(rule="off", target="return 200 made;")
    quick.address = f"127.0.0.1:{quick.port}"
    return [make(), make()]


def at_once(chance):
    """No pause at all."""
    return 0


def at_edges(chance):
    """Together at the end of a slot, and at the beginning of the next one."""
    now = time.time()
    edge = (now // SLOT + chance.randrange(1, 4)) * SLOT
    return edge - now + chance.uniform(-0.004, 0.004)


def in_bursts(chance):
    """Silent for up to a window, then without a pause for a while."""
    return chance.uniform(0.3, 1) if chance.random() < 0.02 else 0


PATTERNS = {"at once": at_once, "at edges": at_edges, "in bursts": in_bursts}


def flat_out(gates, pattern, seed):
    """What several clients of one caller got through: [(began, ended)]"""
    until = time.monotonic() + PATIENCE

    def client_of(number):
        chance = random.Random(f"{seed}/{number}")
        admitted = []
        while time.monotonic() < until:
            admitted += visit(gates[number % 2], pattern, chance)
        return admitted
    return sorted(sum(together(CLIENTS, client_of), []))


def visit(gate, pattern, chance):                           # noqa: F811
    """Some requests over one connection, and so by one worker."""
    admitted = []
    with client.Session(gate.port) as session:
        for _ in range(10):
            time.sleep(max(0, pattern(chance)))
            began = time.monotonic()
            answer = session.request("GET", "/page", None, named("a"))
            if told(answer) == PASSED:
                admitted.append((began, time.monotonic()))
            else:
                assert told(answer) == REJECTED
    return admitted


def most_in_a_window(admitted):
    """The decision was made between the two times: so many were made within
    one window for certain, and a clock error is none."""
    return max(sum(began >= first and ended <= first + 1 - CLOCK_ERROR
                   for began, ended in admitted) for first, _ in admitted)


@pytest.mark.parametrize("name", PATTERNS)
def test_never_more_than_the_limit(gates, name, redis):
    seed = random.randrange(10 ** 6)
    admitted = flat_out(gates, PATTERNS[name], seed)
    assert most_in_a_window(admitted) <= LIMIT, f"seed {seed}"
    assert len(admitted) >= LIMIT * (PATIENCE - 1) / 1.05, f"seed {seed}"
    assert all(spread(one) for one in gates)


def spread(gate):                                           # noqa: F811
    """Whether both workers had a part in it."""
    return len({line.split()[0] for line in gate.lines()}) == 2


def steady(gates, caller, count):
    """In the middle of each slot, so that no delay of the machine moves one
    into another; from one gateway and the other in turn."""
    with client.Session(gates[0].port) as one, \
            client.Session(gates[1].port) as other:
        answers = []
        start = (time.time() // SLOT + 2.5) * SLOT
        for n in range(count):
            time.sleep(max(0, start + n * SLOT - time.time()))
            answers.append(told((one, other)[n % 2].request(
                "GET", "/page", None, named(caller))))
    assert set(answers) <= {PASSED, REJECTED}
    return answers.count(PASSED) / count


def test_a_steady_caller_gets_its_due(gates, redis, capsys):
    """20 in a second, for five seconds; a busy machine may need another
    try."""
    shares = []
    for caller in "abc":
        shares.append(steady(gates, caller, 104))
        if shares[-1] >= 0.95:
            break
    with capsys.disabled():
        print(f"\nat the limit: {shares[-1]:.1%} of the requests pass")
    assert max(shares) >= 0.95


def test_what_one_admits_the_other_knows(gates, redis):
    for n in range(LIMIT):
        assert told(ask(gates[n % 2])) == PASSED
        time.sleep(0.005)
    assert set(told_of(gates[0], 2) + told_of(gates[1], 2)) == {REJECTED}
