"""Clients that want an answer: each order is sent again until there is one,
or the gateway says that nobody can know, and sometimes once more."""

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from enum import Enum

from og import client
from og.gate import order as seed_order, replayed
from og.paths import seconds

ANSWER_LIMIT = 10           # s: whoever waits longer has been forgotten

Outcome = Enum("Outcome", "ANSWERED UNKNOWN RUNNING FREED REFUSED BROKEN")
ENDS = (Outcome.ANSWERED, Outcome.UNKNOWN)
OUTAGES = (Outcome.REFUSED, Outcome.BROKEN)


class Order:
    """One key, and what its clients have heard of it."""

    def __init__(self, key):
        self.key = key
        self.answer = None              # (status, body)
        self.fresh = 0                  # answers that are no replays
        self.replayed = False           # the store had the answer
        self.owner = None               # the attempt that had it
        self.unknown = False            # is what was heard last
        self.attempts = 0               # while there were faults
        self.mark = f'"key": "{key}"'.encode()
        headers = {"Authorization": "Bearer " + key.rpartition("-")[0]}
        changes = {"json": {"client_reference": key}}
        self.seed = seed_order(key, None, headers, **changes)


class Book:
    """What all have heard; `wrong` has what must not have been."""

    def __init__(self):
        self.wrong = []
        self.counts = Counter()
        self._lock = threading.Lock()

    def attempt(self, order):
        """Counts from 1."""
        with self._lock:
            order.attempts += 1
            return order.attempts

    def note(self, order, attempt, answer, had_answer):
        """`had_answer`: somebody had, before this request was sent."""
        outcome, found = judge(answer)
        with self._lock:
            if found:
                self.wrong.append(f"{order.key}: {found}: {answer}")
            self.counts[outcome.name.lower()] += 1
            order.unknown = outcome == Outcome.UNKNOWN
            if outcome == Outcome.ANSWERED:
                self._note_answer(order, attempt, answer)
            elif outcome == Outcome.FREED and had_answer:
                self.wrong.append(f"{order.key}: sent again after its "
                                  f"answer: {answer}")
        return outcome

    def _note_answer(self, order, attempt, answer):
        told = (answer.status, answer.body)
        order.answer = order.answer or told
        if replayed(answer):
            self.counts["replays"] += 1
            order.replayed = True
        else:
            order.fresh += 1
            order.owner = attempt
        if told != order.answer:
            self.wrong.append(f"{order.key}: {told}, and before "
                              f"{order.answer}")
        if order.fresh > 1:
            self.wrong.append(f"{order.key}: ran twice: {answer}")
        if answer.status == 200 and order.mark not in answer.body:
            self.wrong.append(f"{order.key}: not its answer: {answer}")

    def broken(self, order, error):
        with self._lock:
            if isinstance(error, TimeoutError):
                self.wrong.append(f"{order.key}: no answer within "
                                  f"{seconds(ANSWER_LIMIT)} s")
            self.counts["broken"] += 1
        return Outcome.BROKEN

    def left(self):
        with self._lock:
            self.counts["left"] += 1


def judge(answer):
    """(what the answer means, what is wrong with it)"""
    problem = {"origin": "upstream"}
    if answer.media_type == "application/problem+json":
        try:
            problem = answer.json()
        except ValueError:
            return Outcome.BROKEN, "no JSON"
    if problem["origin"] == "upstream":
        if answer.status == 429:
            return Outcome.FREED, None
        known = answer.status in (200, 422, 500)
        return Outcome.ANSWERED, None if known else "not the shop's answer"
    return _judge_gateway(answer.status, problem)


def _judge_gateway(status, problem):
    code, safe = problem["code"], problem.get("safe_new_key")
    if code == "IDEMPOTENCY_IN_PROGRESS":
        return Outcome.RUNNING, None
    if code == "STORE_UNAVAILABLE":
        return Outcome.REFUSED, None
    if code == "IDEMPOTENCY_OUTCOME_UNKNOWN":
        return Outcome.UNKNOWN, "a new key is safe" if safe else None
    if status in (502, 504) and safe is not None:
        return (Outcome.FREED if safe else Outcome.UNKNOWN), None
    return Outcome.BROKEN, "not an answer of this gateway"


class Customer:
    """Works at its orders, each at its time, and leaves off at the end."""

    def __init__(self, port, book, seed):
        self.orders = []                # (when, order)
        self._port = port
        self._book = book
        self._chance = random.Random(seed)
        self._done = []

    def run(self, end):
        for due, order in self.orders:
            self._pause(due - time.monotonic())
            if not self._buy(order, end):
                break
            if self._chance.random() < 0.5:
                self._send_once(self._chance.choice(self._done))

    def settle(self, orders, explained, quiet, end):
        """Asks until each has an answer, or is unknown for a reason. After
        `quiet` no order is running, and none is still to be stored."""
        for order in orders:
            while ((outcome := self._send(order, "settling"))
                   != Outcome.ANSWERED):
                if outcome == Outcome.UNKNOWN and explained(order):
                    break
                if time.monotonic() > (end if outcome in OUTAGES else quiet):
                    self._book.wrong.append(f"{order.key}: stays {outcome}")
                    break
                self._pause(0.1)

    def _buy(self, order, end):
        while time.monotonic() < end:
            if self._attempt(order) in ENDS:
                self._done.append(order)
                return True
            self._pause(self._chance.uniform(0.02, 0.15))
        return False

    def _attempt(self, order):
        if self._chance.random() < 0.1:
            self._leave(order)
        return self._send_once(order)

    def _send_once(self, order):
        return self._send(order, self._book.attempt(order))

    def _send(self, order, attempt):
        had_answer = order.answer is not None
        seed = _numbered(order, attempt)
        try:
            answer = client.request(self._port, "POST", seed.path, seed.body,
                                    seed.headers, ANSWER_LIMIT)
        except (OSError, http.client.HTTPException) as error:
            return self._book.broken(order, error)
        return self._book.note(order, attempt, answer, had_answer)

    def _leave(self, order):
        """Goes away before the answer, at any point of the request."""
        seed = _numbered(order, self._book.attempt(order))
        data = client.http_bytes("POST", seed.path, seed.body, seed.headers)
        try:
            sock = client.leave(self._port, data)
        except OSError:
            return
        self._pause(self._chance.choice((0, 0.001, 0.01, 0.05)))
        if self._chance.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        sock.close()
        self._book.left()

    def _pause(self, duration):
        if duration > 0:
            time.sleep(duration)


def _numbered(order, attempt):
    return order.seed.with_(headers={"X-Attempt": str(attempt)})
