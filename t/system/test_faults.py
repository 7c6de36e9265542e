"""Memory is short: each allocation that the module makes for a request fails
in turn, in a real nginx with AddressSanitizer (t/lib/faults.c). The request
ends, the worker lives, no order runs twice, and nothing forbidden passes."""

import time
from contextlib import ExitStack

import pytest

from og.fault_cases import CASES, FIRST, FORMAT
from og.faults import HEAP, LINK, FailingGate, failing_module  # noqa: F401
from og.secret import write
from og.trial import Trial, let_each_fail, renew_worker

MANY = 10**9


# those that ask the store with a key
CHANGING = [name for name in CASES if CASES[name].rule.startswith("required")]

# those whose store does more than others' (the rest of a request is the same)
EMBEDDED = [name for name in CASES if "limit" in name or "replay" in name
            or "claim" in name or name == "counted"]


@pytest.fixture(scope="module")
def make_gate(failing_module, shared_redis, tmp_path_factory):  # noqa: F811
    """make(more of http, stores): a started gate with all cases."""
    file = tmp_path_factory.mktemp("formats") / "shop.json"
    file.write_text(FORMAT)
    with ExitStack() as stack:
        def make(http="", stores=None):
            shared_redis.command("FLUSHALL")
            address = shared_redis.address + " timeout=500ms"
            made = stack.enter_context(
                FailingGate(tmp_path_factory.mktemp("faults"),
                            failing_module,
                            stores or (address, address + " prefix=other:"),
                            "".join(case.location() for case in
                                    (*CASES.values(), *FIRST.values())),
                            f"order_guard_error_format shop {file};" + http))
            made.nginx.expected.append(r"could not be recorded \(12: Cannot")
            return made
        yield make


@pytest.fixture(scope="module")
def gate(make_gate):
    return make_gate()


@pytest.fixture(scope="module")
def changing(make_gate, tmp_path_factory):
    """A gate whose secret changes: sealed records, and two names for each."""
    folder = tmp_path_factory.mktemp("secrets")
    words = [write(folder / text, text.encode() * 8)
             for text in ("new!", "old!")]
    return make_gate(f"order_guard_secret {' '.join(words)};")


@pytest.fixture(scope="module")
def embedded(make_gate, tmp_path_factory):
    """A gate with embedded stores, and sealed records."""
    file = write(tmp_path_factory.mktemp("secret") / "file", b"s" * 32)
    return make_gate(f"order_guard_secret {file};",
                     ("shm size=8m", "shm size=1m"))


@pytest.mark.parametrize("calls, step", [(1, 1), (MANY, 3)],
                         ids=["one", "all that follow"])
@pytest.mark.parametrize("name", CASES)
def test_each_allocation_fails(gate, name, calls, step):
    let_each_fail(Trial(gate, CASES[name], calls), step)


@pytest.mark.parametrize("name", CHANGING)
def test_while_a_secret_changes(changing, name):
    let_each_fail(Trial(changing, CASES[name], 1))


@pytest.mark.parametrize("name", EMBEDDED)
def test_with_the_embedded_store(embedded, name):
    let_each_fail(Trial(embedded, CASES[name], 1))


@pytest.mark.parametrize("name", FIRST)
def test_first_request_of_a_worker(gate, name):
    trial = Trial(gate, FIRST[name], 1)
    trial.kinds = HEAP
    trial.warm_up()
    renew_worker(gate)
    number = 1
    while trial.one_fails(number):
        number += 1
        renew_worker(gate)
    assert not trial.wrong, "\n".join(trial.wrong)
    trial.check_settled()
    assert not gate.nginx.bad_lines()
    assert number > 4


def test_connection_to_the_store(gate, shared_redis):
    """Each allocation of a worker that connects anew."""
    trial = Trial(gate, CASES["claim"], 0)
    number = 1
    while connection_fails(trial, shared_redis, number):
        number += 1
    assert not gate.nginx.bad_lines()
    assert number > 4


def connection_fails(trial, redis, number):
    faults = trial.gate.faults
    faults.arm(number, 1, LINK)
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    for step in range(200):
        answer = trial.send(trial.key(f"{number}-{step}"))
        if answer.status == 200:
            return faults.disarm()
        time.sleep(0.01)
    raise AssertionError(f"{faults.place()}: {answer}")
