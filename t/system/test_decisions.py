"""Each decision of the guard, on each store, over each protocol, with and
without the length of the body: what the client is told, what the variables
say, what the upstream and the limit got of it."""

import re
from dataclasses import dataclass

import pytest

from og.client import Session
from og.decisions import CIRCUMSTANCES, FURTHER, LIMIT, further
from og.embedded import Embedded
from og.gate import gate, replayed                          # noqa: F401
from og.http2 import Http2Session
from og.problem import check_problem
from og.redis import Redis


@dataclass(frozen=True)
class Row:
    """`orders` that the upstream made and `units` of the limit that are spent
    afterwards; both with those of the orders that came before."""
    status: int
    code: str                   # of the problem
    idempotency: str            # $order_guard_idempotency
    limit: str                  # $order_guard_limit
    orders: int
    units: int
    replayed: bool = False      # Idempotent-Replayed: true
    retry_after: bool = False   # Retry-After, of a second at least
    kept: bool = True           # the connection serves another order


TABLE = {
    "won": Row(200, None, "CLAIMED", "PASSED", 1, 1),
    "replay": Row(200, None, "REPLAYED", "PASSED", 1, 1, replayed=True),
    "running": Row(409, "IDEMPOTENCY_IN_PROGRESS", "IN_PROGRESS", "PASSED",
                   1, 1, retry_after=True),
    "other payload": Row(422, "IDEMPOTENCY_KEY_REUSED", "REUSED", "PASSED",
                         1, 1),
    "unknown": Row(409, "IDEMPOTENCY_OUTCOME_UNKNOWN", "UNKNOWN", "PASSED",
                   1, 1),
    "limited": Row(429, "RATE_LIMITED", None, "REJECTED", 2, 2,
                   retry_after=True),
    "store paused": Row(503, "STORE_UNAVAILABLE", None, "BYPASSED", 0, 0,
                        retry_after=True),
    "store killed": Row(503, "STORE_UNAVAILABLE", None, "BYPASSED", 0, 0,
                        retry_after=True),
    "tombstone": Row(409, "IDEMPOTENCY_RESULT_UNAVAILABLE", "REPLAYED",
                     "PASSED", 1, 1),
    "bypassed": Row(200, None, "BYPASSED", "LOCAL", 1, 1),
}

# each row of the table, once for each of these
STORES = {"redis": Redis, "embedded": Embedded}
# but these, as a store that is a part of nginx is always there
OF_A_SERVER = {"store paused", "store killed", "bypassed"}
PROTOCOLS = {"HTTP/1.1": lambda made: Session(made.port),
             "HTTP/2": lambda made: Http2Session(made.h2)}
BODIES = {"length": lambda body: body, "no length": lambda body: [body]}

# differs from one answer to the next, or is looked at by itself
VARYING = ("date", "age", "ratelimit", "content-length",
           "transfer-encoding")


@pytest.fixture(scope="module", params=STORES)
def shared_store(request, tmp_path_factory):
    store = STORES[request.param](tmp_path_factory.mktemp("store")).start()
    yield store
    store.stop()


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return PROTOCOLS[request.param]


@pytest.fixture(params=BODIES)
def body(request):
    return BODIES[request.param]


@pytest.fixture
def decide(gate, shared_store, protocol, body):             # noqa: F811
    """make(decision, fault): (the answer, the Row that it makes)"""
    def make(decision, fault=None):
        if (isinstance(shared_store, Embedded)
                and decision in OF_A_SERVER):
            pytest.skip("the embedded store is no server")
        shared_store.empty()
        circumstance = CIRCUMSTANCES[decision]
        made = gate(circumstance.location, server=FURTHER,
                    store=shared_store.words)
        made.upstream.clear()
        if fault:
            made.upstream.script(fault, times=0)
        with protocol(made) as session:
            with circumstance.before(made, shared_store):
                answer = send(session, circumstance.order, body)
            kept = serves_on(session, body)
        return answer, seen(made, shared_store, answer, kept)
    return make


def send(session, seed, body):
    return session.request("POST", seed.path, body(seed.body), seed.headers)


def serves_on(session, body):
    """Whether the connection takes a further order."""
    try:
        return (session.alive()
                and send(session, further("further"), body).status == 200)
    except ConnectionError:
        return False


def seen(gate, store, answer, kept):                        # noqa: F811
    """Whoever waited for the further order waited for all that this one had
    asked of the store: a worker's commands keep their order."""
    orders = [made for made in gate.upstream.orders()
              if made["api"] == "leuwongrr"]
    return Row(answer.status, answer.code, answer.header("X-Idempotency"),
               answer.header("X-Limit"), len(orders),
               store.units(lambda: gate.order("one-more"), LIMIT),
               replayed(answer), int(answer.header("Retry-After") or 0) > 0,
               kept)


@pytest.mark.parametrize("decision", TABLE)
def test_decision(decide, decision):
    answer, row = decide(decision)
    assert row == TABLE[decision]
    if row.code:
        check_problem(answer, row.status, row.code, "gateway")


@pytest.mark.parametrize("decision", ["won", "replay"])
def test_answer_in_chunks_looks_the_same(decide, decision):
    (plain, _), (chunked, row) = decide(decision), decide(decision, "chunked")
    assert row == TABLE[decision]
    assert look(chunked) == look(plain)


def look(answer):
    """What a client sees, but for time, number of the order, and framing."""
    assert answer.header("Content-Length") in (None, str(len(answer.body)))
    headers = sorted((name.lower(), value) for name, value in answer.headers
                     if name.lower() not in VARYING)
    return answer.status, headers, re.sub(rb"INV\d+", b"", answer.body)
