"""A case for which memory gets short, tried once for each allocation."""

import os
import signal
import time

from og.fault_cases import CLEAN, FORBIDDEN
from og.faults import HEAP, LINK, REQUEST, exchange
from og.http2 import Http2
from og.process import wait_until


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


def let_each_fail(trial, step=1):
    gate = trial.gate
    workers = gate.nginx.worker_pids()
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


def renew_worker(gate):
    old, = gate.nginx.worker_pids()
    os.kill(old, signal.SIGQUIT)
    wait_until(lambda: gate.nginx.worker_pids() not in ([], [old]))
