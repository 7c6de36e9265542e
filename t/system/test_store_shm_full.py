"""The embedded store fills up: the oldest answers go first, a claim and what
says that an order has run never, and a full store refuses orders."""

import os
import random
from collections import Counter
from itertools import takewhile

import pytest

from og import client
from og.embedded import PATH, ask, made, maker, post        # noqa: F401
from og.flood import flood, page_of
from og.gate import gate, replayed                          # noqa: F401
from og.limits import named
from og.operator import PLACE, TOLD, look
from og.parallel import Later, together
from og.paths import seconds
from og.process import wait_until

UNAVAILABLE = "IDEMPOTENCY_RESULT_UNAVAILABLE"
FILLING = "is filled to 70%"
FULL = 'store "main" is full of records'
NO_ANSWERS = "order_guard_idempotency_response_limit 1;"
RECORDS = 5000              # more than a store of 1 MB has room for


def keys(count, prefix="k"):
    return [f"{prefix}{n}" for n in range(count)]


@pytest.fixture(params=["in clear", "sealed"])
def secret(request, tmp_path):
    """What the http block says of it."""
    if request.param == "in clear":
        return ""
    (tmp_path / "secret").write_bytes(os.urandom(32))
    return f"order_guard_secret {tmp_path}/secret;"


def test_the_oldest_answers_go_first(maker, secret):        # noqa: F811
    """Of 200 with 7 kB a store of 1 MB has room for some, the youngest; no
    order runs again, and each is still known."""
    gate = maker(7, http=secret, server=PLACE, location=TOLD,
                 workers=2)
    firsts = ask(gate, keys(200))
    assert {a.status for a in firsts} == {200}
    again = ask(gate, keys(200))

    gone = list(takewhile(lambda a: a.code == UNAVAILABLE, again))
    assert 50 < len(gone) < 150
    for first, answer in list(zip(firsts, again))[len(gone):]:
        assert replayed(answer) and answer.body == first.body

    assert sorted(made(gate)) == sorted(keys(200))
    assert gate.nginx.error_log().count(FILLING) == 1
    assert FULL not in gate.nginx.error_log()

    found = look(gate, record=firsts[0].header("X-Record"))
    assert (found["state"], found["status"], found["replayable"]) == (
        "finished", 200, False)


def test_another_request_under_a_key_without_its_answer(
        maker, secret):                                     # noqa: F811
    gate = maker(7, http=secret)
    ask(gate, keys(200))
    headers = {**named("t"), "Idempotency-Key": "k0",
               "Content-Type": "application/json"}
    answer = client.request(gate.port, "POST", "/o", b'{"a":2}', headers)
    assert answer.code == "IDEMPOTENCY_KEY_REUSED"


def test_an_answer_too_large_for_the_store_pushes_none_out(
        gate):                                              # noqa: F811
    gate = gate("order_guard_idempotency_response_limit 4m;",
                store="shm size=1m")
    small = gate.order("small")
    large = gate.order("large", "big=1000000")
    assert large.status == 200 and len(large.body) > 1000000
    assert gate.order("large").code == UNAVAILABLE
    gate.check_replays(small, "small")


def test_a_large_answer_takes_the_place_of_old_ones(maker):  # noqa: F811
    """A page of it follows another, whatever lay there."""
    gate = maker(1)
    ask(gate, keys(600))
    assert ask(gate, ["k0"])[0].code == UNAVAILABLE
    larger = maker(100)
    answers = ask(larger, keys(30))
    again = ask(larger, keys(30))
    assert [a.body for a in again[-5:]] == [a.body for a in answers[-5:]]
    assert {a.code for a in again} == {None, UNAVAILABLE}


def test_answers_of_all_sizes_come_and_go(maker):           # noqa: F811
    """Four clients at once, two workers: an answer that was kept is the one
    that was given, and no order runs twice."""
    gate = maker(location="order_guard_idempotency_response_limit 200k;",
                 text="$sized", workers=2, http="""
        map $http_idempotency_key $sized {
            ~0$ ""; ~1$ "$kb$kb"; ~2$ "$kb$kb$kb$kb$kb$kb$kb";
            ~[345]$ "$kb"; ~6$ "$ten$ten$ten$ten$ten"; ~7$ "$ten";
            ~8$ "$ten$ten$ten$ten$ten$ten$ten$ten$ten$ten"; default "-";
        }
        map $kb $ten { default "$kb$kb$kb$kb$kb$kb$kb$kb$kb$kb"; }""")

    def customer(number):
        chance = random.Random(number)
        firsts, kept = {}, 0
        for n in range(300):
            key = f"{number}-{n}"
            firsts[key], = ask(gate, [key])
            assert firsts[key].status == 200
            old = chance.choice(list(firsts)[-60:])
            again, = ask(gate, [old])
            if again.status == 200:
                assert replayed(again) and again.body == firsts[old].body
                kept += 1
            else:
                assert again.code == UNAVAILABLE
        return kept

    kept = together(4, customer)
    assert 100 < sum(kept) < 1200
    assert len(made(gate)) == len(set(made(gate))) == 1200


def fill(gate, prefix="k"):                                 # noqa: F811
    """Fills the store with records; how often each status came."""
    found = flood(gate.port, [post(key) for key in keys(RECORDS, prefix)])
    assert set(found) == {200, 503}
    return found


def test_a_full_store_refuses_orders_and_runs_none(maker):  # noqa: F811
    """Those that it knows it knows for ever; and it says so in the log, once
    a second."""
    gate = maker(location=NO_ANSWERS, workers=2)
    found = fill(gate)
    assert len(made(gate)) == len(set(made(gate))) == found[200] > 3000

    refused = next(a for a in ask(gate, keys(RECORDS)[::-1])
                   if a.status == 503)
    assert refused.code == "STORE_UNAVAILABLE"
    assert int(refused.header("Retry-After")) >= 1
    known = ask(gate, made(gate)[::40])
    assert {a.code for a in known} == {UNAVAILABLE}
    assert len(made(gate)) == found[200]

    told = gate.nginx.error_log().count(FULL)
    assert 1 <= told < 20


def test_a_claim_ends_in_a_full_store(maker, upstream):     # noqa: F811
    """An order that runs while the store fills up has its end there, without
    the answer."""
    gate = maker(location=NO_ANSWERS, server="""
        location = /api/v1/me/orders {
            order_guard on; order_guard_idempotency required;
            proxy_pass http://orders;
        }""")
    running = [Later(gate.order, key, f"hold={key}") for key in "abc"]
    upstream.wait_for_requests(3)
    fill(gate)
    for key in "abc":
        upstream.release(key)
    assert {order.value().status for order in running} == {200}
    assert {gate.order(key).code for key in "abc"} == {UNAVAILABLE}
    assert gate.orders() == 3


def test_a_full_store_still_counts(maker):                  # noqa: F811
    gate = maker(location=NO_ANSWERS, server="""
        location = /page { order_guard on; order_guard_limit 5r/h;
                           proxy_pass http://orders; }""")
    fill(gate)
    statuses = [client.request(gate.port, "GET", "/page", None,
                               named("a")).status for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3


def test_records_that_are_over_make_room(maker):            # noqa: F811
    """More orders than there is room for, but not at once. Each time it fills
    up again is told."""
    gate = maker(location=NO_ANSWERS, status=400,
                 rule=f"required error_ttl={seconds(2):.0f}s")
    for turn in range(3):
        some = keys(2700, f"{turn}-")
        assert flood(gate.port, [post(key) for key in some]) == {400: 2700}
        wait_until(lambda last=some[-1]: is_new(ask(gate, [last])[0]), 10)
    assert FULL not in gate.nginx.error_log()
    assert gate.nginx.error_log().count(FILLING) == 3


def is_new(answer):
    return answer.status == 400 and not replayed(answer)


def test_a_flood_of_callers_pushes_no_record_out(maker):    # noqa: F811
    """Counters are forgotten, the oldest first; a caller that comes again and
    again stays counted."""
    gate = maker(location="order_guard_limit 8r/h;",
                 http="order_guard_zone 32k;")
    first = ask(gate, keys(8), "first")
    assert ask(gate, ["k9"], "first")[0].status == 429
    statuses = Counter()
    for turn in range(8):
        statuses[ask(gate, [f"s{turn}"], "steady")[0].status] += 1
        found = flood(gate.port, [page_of(f"{turn}-{n}", PATH)
                                  for n in range(300)])
        assert found == {200: 300}
    assert statuses == {200: 8}
    assert ask(gate, ["s9"], "steady")[0].status == 429
    again = ask(gate, keys(8), "first")
    assert all(replayed(a) for a in again)
    assert [a.body for a in again] == [a.body for a in first]
    assert ask(gate, ["k9"], "first")[0].status == 200
