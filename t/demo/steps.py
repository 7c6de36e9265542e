"""The steps. Each sends, shows what happened, and returns in one sentence
what it has proved, or fails with an AssertionError."""

import json
import re

import say
from og import seeds
from og.parallel import together
from og.problem import check_problem

RACERS = 20
LIMIT = 60


def run(stage, name, request, note=""):
    """Sends one request and shows all three sides of it."""
    say.request(name, request, note)
    answer = stage.send(name, request)
    say.received(stage.upstream.requests(), stage.upstream.orders())
    say.answer(answer)
    return answer


def claim(condition, text):
    if not condition:
        raise AssertionError(text)


def member(token, key):
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": key}


def fields_are_stripped(stage):
    """Fields: what the API does not accept never reaches it

    A client tries to set its own price and to pay its own order, in
    several spellings."""
    body = seeds.LEUWONGRR.body.replace(
        b'\n    "place_id"', b'\n    "price": 1, "PR\\u0049CE": 1,'
        b'\n    "paymentStatus": "paid", "user": {"balance": 9e9},'
        b'\n    "place_id"')
    request = seeds.LEUWONGRR.with_(body=body, headers=member("T1", "fields"))
    answer = run(stage, "leuwongrr", request)
    claim(answer.status == 200, "the order was refused")
    arrived = json.loads(stage.upstream.last()["body"])
    claim(arrived == json.loads(seeds.LEUWONGRR.body),
          "the upstream received other fields than the documented ones")
    return "only the documented fields arrived"


def bytes_are_kept(stage):
    """Fields: every byte that is not removed arrives as it was sent

    White space, escapes, a number of 20 digits and 19.99 would not survive
    a JSON library."""
    kept = (b'{ "code":"example",\n  "data": {"id": 12345678901234567890,'
            b' "sum":19.99, "n\\u00e4me": "\\/" }')
    request = seeds.CEKCEIR.with_(body=kept + b', "price":1 }',
                                  headers={"Authorization": "Bearer T1"})
    answer = run(stage, "cekceir", request)
    claim(answer.status == 200, "the order was refused")
    arrived = stage.upstream.last()["body"]
    claim(arrived.startswith(kept), "bytes were changed")
    claim(b"price" not in arrived, "price arrived")
    return "price is gone, every other byte is the same"


def unclear_bodies_are_refused(stage):
    """Fields: what two parsers could read in two ways is refused"""
    request = seeds.LEUWONGRR.with_(
        body='{"place_id": 1, "place_id": 2}', headers=member("T1", "twice"))
    answer = run(stage, "leuwongrr", request)
    check_problem(answer, 400, "BODY_MALFORMED", "gateway")
    claim(not stage.upstream.requests(), "the upstream was asked")
    return "refused with the place of the fault; the upstream was not asked"


def a_retry_is_replayed(stage):
    """Idempotency: a retry gets the first answer, the order is made once"""
    request = seeds.LEUWONGRR.with_(headers=member("T1", "retry"))
    first = run(stage, "leuwongrr", request, "first")
    again = stage.send("leuwongrr", request)
    say.answer(again, "(the same request again)")
    claim(again.header("Idempotent-Replayed") == "true", "not replayed")
    marked = re.sub(rb'("idempotent": *)false', rb"\1true", first.body)
    claim((again.status, again.body) == (first.status, marked),
          "another answer")
    claim(again.body != first.body, "no mark")
    claim(len(stage.upstream.orders()) == 1, "not one order")
    return "the same bytes, but for the mark of a replay; one order"


def a_race_is_one_order(stage):
    """Idempotency: 20 equal requests at one moment are one order

    The upstream takes half a second; nginx runs two workers."""
    request = seeds.GAMESO.with_(json={"reference_id": "race"},
                                 headers={"X-API-Key": "K1"})
    stage.upstream.script("delay=0.5")
    say.request("gameso", request, f"x {RACERS}")
    answers = together(RACERS, lambda _: stage.send("gameso", request))
    say.received(stage.upstream.requests(), stage.upstream.orders())
    statuses = sorted(answer.status for answer in answers)
    told = ", ".join(f"{statuses.count(s)} x {s}" for s in sorted(
        set(statuses)))
    say.note("client", told)
    claim(len(stage.upstream.orders()) == 1, "not one order")
    claim(200 in statuses and set(statuses) <= {200, 409},
          "other answers than 200 and 409")
    last = stage.send("gameso", request)
    claim(last.header("Idempotent-Replayed") == "true", "not replayed")
    return "one order; the others: 409 IDEMPOTENCY_IN_PROGRESS, or its answer"


def another_order_is_refused(stage):
    """Idempotency: the same key with another order is refused"""
    headers = member("T1", "reused")
    stage.send("leuwongrr", seeds.LEUWONGRR.with_(headers=headers))
    stage.upstream.clear()
    answer = run(stage, "leuwongrr", seeds.LEUWONGRR.with_(
        headers=headers, json={"roblox_pass_id": 5}))
    check_problem(answer, 422, "IDEMPOTENCY_KEY_REUSED", "gateway")
    claim(not stage.upstream.requests(), "the upstream was asked")
    return "422, the upstream was not asked"


def a_missing_key_is_refused(stage):
    """Idempotency: where a key is required, none is 400

    GameSO's key is reference_id of the body."""
    answer = run(stage, "gameso", seeds.GAMESO.with_(
        json={"reference_id": seeds.GONE}, headers={"X-API-Key": "K1"}))
    check_problem(answer, 400, "IDEMPOTENCY_KEY_REQUIRED", "gateway")
    claim(not stage.upstream.requests(), "the upstream was asked")
    return "400, the upstream was not asked"


def an_upstream_error_keeps_its_facts(stage):
    """Errors: an upstream's JSON error leaves in the one shape

    cekceir's 422 keeps its code, its errors and its traceId."""
    answer = run(stage, "cekceir", seeds.CEKCEIR.with_(
        json={"code": "cek_imei", "data": {"imeis": []}},
        headers={"Authorization": "Bearer T1"}))
    problem = check_problem(answer, 422, "ORDER_VALIDATION_ERROR", "upstream")
    claim(problem.get("errors") and problem.get("trace_id"),
          "errors or trace id are lost")
    return "a problem with code, errors and trace_id"


def a_page_never_leaves(stage):
    """Errors: an HTML page with a stack trace never leaves"""
    stage.upstream.script("html=500")
    request = seeds.LEUWONGRR.with_(headers=member("T1", "page"))
    answer = run(stage, "leuwongrr", request,
                 "the upstream answers with an HTML page")
    check_problem(answer, 500, "INTERNAL_SERVER_ERROR", "upstream")
    return "a problem, nothing of the page in it"


def an_upstream_that_is_down(stage):
    """Errors: nginx's own 502 has the same shape, and frees the key"""
    request = seeds.LEUWONGRR.with_(headers=member("T1", "down"))
    stage.upstream.mode("closed")
    try:
        answer = run(stage, "leuwongrr", request, "the upstream is down")
    finally:
        stage.upstream.mode("open")
    check_problem(answer, 502, "UPSTREAM_UNREACHABLE", "gateway")
    again = stage.send("leuwongrr", request)
    say.answer(again, "(the same key, the upstream is back)")
    claim(again.status == 200, "the retry was refused")
    claim(len(stage.upstream.orders()) == 1, "not one order")
    return "a problem; nothing was sent, so the same key orders anew"


def a_limit_ends_at_60(stage):
    """Limits: 60 orders a minute, the 61st is 429

    Counted in the store, for all workers and hosts; by the token."""
    request = seeds.LEUWONGRR.with_(headers=member("T-limit", seeds.GONE))
    for number in range(LIMIT):
        answer = stage.send("leuwongrr", request)
        claim(answer.status == 200, f"request {number + 1} was refused")
    say.answer(answer, f"(number {LIMIT})")
    answer = stage.send("leuwongrr", request)
    say.answer(answer, f"(number {LIMIT + 1})")
    check_problem(answer, 429, "RATE_LIMITED", "gateway")
    claim(int(answer.header("Retry-After") or 0) >= 1, "no Retry-After")
    claim(len(stage.upstream.orders()) == LIMIT, f"not {LIMIT} orders")
    return f"{LIMIT} orders, then 429 with Retry-After"


def another_caller_is_not_touched(stage):
    """Limits: another token is another caller"""
    answer = run(stage, "leuwongrr", seeds.LEUWONGRR.with_(
        headers=member("T-other", "other")))
    claim(answer.status == 200, "another caller was refused")
    return "200 while the first caller is over its limit"


STEPS = (
    fields_are_stripped,
    bytes_are_kept,
    unclear_bodies_are_refused,
    a_retry_is_replayed,
    a_race_is_one_order,
    another_order_is_refused,
    a_missing_key_is_refused,
    an_upstream_error_keeps_its_facts,
    a_page_never_leaves,
    an_upstream_that_is_down,
    a_limit_ends_at_60,
    another_caller_is_not_touched,
)
