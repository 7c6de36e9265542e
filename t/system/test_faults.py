"""Memory is short: each allocation that the module makes for a request fails
in turn, in a real nginx with AddressSanitizer (t/lib/faults.c). The request
ends, the worker lives, no order runs twice, and nothing forbidden passes."""

import os
import signal
import time
from contextlib import ExitStack

import pytest

from og.fault_cases import CASES, CLEAN, FIRST, FORBIDDEN, FORMAT
from og.faults import (HEAP, LINK, REQUEST, FailingGate, exchange,
                       failing_module)                      # noqa: F401
from og.http2 import Http2
from og.process import wait_until
from og.secret import write

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


class Trial:
    """A case on a gate, once for each allocation. `wrong` tells of all."""

    def __init__(self, gate, case, calls):
        self.gate = gate
        self.case = case
        self.calls = calls      # that fail
        self.kinds = case.kinds if calls == 1 else REQUEST | HEAP
        self.before = 0         # requests that the upstream had then
        self.orders = 0         # that it gets when nothing fails
        self.forwarded = []     # their bodies
        self.body = b""         # of the answer then
        self.held = None
        self.running = []       # keys that nobody has ended yet
        self.wrong = []

    def key(self, what):
        return f"{self.case.path}-{self.calls}-{what}"

    def send(self, key):
        if self.case.how == "http2":
            return self.send_http2(key)
        return exchange(self.gate.port, *self.case.steps(key),
                        between=self.gate.turn)

    def send_http2(self, key):
        headers = self.case.named(key)
        headers.pop("Host")
        with Http2(self.gate.h2, 5) as connection:
            try:
                stream = connection.request("POST", self.case.path,
                                            self.case.body, headers)
                answer, = connection.wait([stream])
            except ConnectionError:
                return None
        return None if answer.reset else answer

    def send_ordinary(self, key, **more):
        return exchange(self.gate.port, self.case.ordinary(key, **more))

    def prepare(self, key):
        if self.case.first:
            self.send_ordinary(key, answer=self.case.first)
        self.before = self.gate.arrived()

    def requests(self):
        """What the upstream got since prepare()."""
        return self.gate.upstream.requests[self.before:]

    def arrived(self):
        return len(self.requests())

    def warm_up(self):
        """Nothing fails. What is held from then on stays held."""
        for what in ("first", "second"):
            self.prepare(self.key(what))
            answer = self.send(self.key(what))
            self.forwarded += [body for _, body in self.requests()]
        assert answer and answer.status == self.case.status, answer
        self.orders = self.arrived()
        if self.case.may_pass:
            self.orders = 1
            self.forwarded = [self.case.may_pass]
        self.body = answer.body
        self.check_ordinary("before")
        self.gate.wait_until_idle()
        self.held = self.gate.faults.held()

    def one_fails(self, number):
        """Returns whether there was one of this number."""
        key = self.key(number)
        self.prepare(key)
        self.gate.faults.arm(number, self.calls, self.kinds)
        try:
            answer = self.send(key)
        except OSError as error:
            answer = None
            self.wrong.append(str(error))
        self.gate.turn()
        if not self.gate.faults.disarm():
            assert answer and answer.status == self.case.status, answer
            return False
        self.wrong += [f"{self.gate.faults.place()}: {what}" for what in
                       (*self.wrong_with(answer), *self.wrong_again(key))]
        return True

    def wrong_with(self, answer):
        if self.arrived() > self.orders:
            yield f"{self.arrived()} orders"
        found = [name for request in self.requests() for name in FORBIDDEN
                 if name in b"".join(request)]
        if found:
            yield f"the upstream gets {found}"
        if not all(body in self.forwarded for _, body in self.requests()):
            yield "the upstream gets another body"
        if answer and b"Traceback" in answer.body:
            yield "the upstream's page leaves"
        if (answer and answer.status == self.case.status < 300
                and answer.body != self.body):
            yield "half an answer leaves"

    def wrong_again(self, key):
        again = self.send(key)
        if again is None or again.status not in (self.case.status, 409):
            yield f"the retry gets {again and (again.status, again.code)}"
        elif again.status != self.case.status and self.must_be_free():
            yield f"what was not sent blocks its key: {again.code}"
        if (self.case.keyed and self.case.answer != "freed"
                and self.arrived() > self.orders):
            yield "the retry is another order"
        if again and again.code == "IDEMPOTENCY_IN_PROGRESS":
            self.running.append(key)

    def must_be_free(self):
        """Nothing was sent, and there was memory to give the key back."""
        if self.calls > 1 or self.case.kinds & LINK or not self.orders:
            return False
        end = time.monotonic() + 0.3
        while time.monotonic() < end and not self.arrived():
            time.sleep(0.01)
        return not self.arrived()

    def check_ordinary(self, what):
        """Another caller's order runs."""
        key = self.key(what)
        answer = self.send_ordinary(key, token=key, body=CLEAN)
        assert answer and answer.status == 200, answer

    def check_settled(self):
        """Nothing is left of what failed."""
        for key in self.running[-2:] if self.case.waits else []:
            wait_until(lambda: self.send(key).code
                       != "IDEMPOTENCY_IN_PROGRESS", 5, key)
            name = f"Idempotency-Key: {key}\r\n".encode()
            assert len([head for head, _ in self.gate.upstream.requests
                        if name in head]) <= self.orders, key
        self.check_ordinary("after")
        self.gate.wait_until_idle()

    def check_given_back(self):
        wait_until(lambda: self.gate.faults.held() == self.held, 5,
                   f"{self.held} blocks and pools became "
                   f"{self.gate.faults.held()}")


@pytest.mark.parametrize("calls, step", [(1, 1), (MANY, 3)],
                         ids=["one", "all that follow"])
@pytest.mark.parametrize("name", CASES)
def test_each_allocation_fails(gate, name, calls, step):
    let_each_fail(gate, name, calls, step)


@pytest.mark.parametrize("name", CHANGING)
def test_while_a_secret_changes(changing, name):
    let_each_fail(changing, name, 1, 1)


@pytest.mark.parametrize("name", EMBEDDED)
def test_with_the_embedded_store(embedded, name):
    let_each_fail(embedded, name, 1, 1)


def let_each_fail(gate, name, calls, step):
    workers = gate.nginx.worker_pids()
    trial = Trial(gate, CASES[name], calls)
    trial.warm_up()
    number = 1
    while trial.one_fails(number):
        number += step
    assert not trial.wrong, "\n".join(trial.wrong)
    trial.check_settled()
    trial.check_given_back()
    assert gate.nginx.worker_pids() == workers
    assert not gate.nginx.bad_lines()
    assert number > 4


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


def renew_worker(gate):
    old, = gate.nginx.worker_pids()
    os.kill(old, signal.SIGQUIT)
    wait_until(lambda: gate.nginx.worker_pids() not in ([], [old]))


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
