"""stripe-node makes its own keys and retries by itself. Through the gateway
each of its calls is one charge, whatever answers are lost, and who is told
of a charge is told of that one."""

from collections import Counter

import pytest

from og.bank import Bank
from og.gate import gate                                    # noqa: F401
from og.line import CLOSING, Line
from og.losses import Losses
from og.stripe_node import charge

CALLS = 30
LOST = CALLS // 2               # first answers, see og/losses.py
RETRIES = 2                     # of each call, see stripe/charge.js

WITHIN_HEAD = 20
WITHIN_BODY = -5

# To stripe-node a body without "error" is a charge, whatever the status.
FORMAT = """{"error": {"type": "api_error", "code": "$code",
                       "message": "$message"}}"""
LOCATION = """order_guard_strip application_fee_amount;
              order_guard_errors stripe;"""

PASSED = {"amount", "currency", "source", "metadata[call]"}


@pytest.fixture
def gate_to(gate, tmp_path):                                # noqa: F811
    """make(bank, server, on_unknown): a started Gate."""
    file = tmp_path / "stripe.json"
    file.write_text(FORMAT)

    def make(bank, server="", on_unknown="hold"):
        return gate(LOCATION, server, address=bank.address,
                    http=f"order_guard_error_format stripe {file};",
                    rule=f"required ttl=1h on_unknown={on_unknown}",
                    workers=2)
    return make


def failed(call):
    return "error" in call


def check_charges(bank, calls):
    """One for each call and for each key, of fields that may pass, and no
    call was told of another's."""
    made = {one["fields"]["metadata[call]"]: one for one in bank.ledger}
    keys = {one["key"] for one in bank.ledger}
    assert len(calls) == CALLS
    assert len(bank.ledger) == len(keys) == len(made) == CALLS
    for call in calls:
        one = made[str(call["call"])]
        assert set(one["fields"]) == PASSED, one
        assert failed(call) or call.get("charge") == one["id"], (call, one)


def check_outcomes(gateway, **expected):
    """How many requests ended with each outcome and status."""
    gateway.finished(sum(expected.values()))
    seen = [line.split() for line in gateway.lines()]
    assert Counter(f"{outcome}_{status}"
                   for _, status, outcome, _ in seen) == expected


def test_without_the_gateway():
    """This client charges twice, which the others could see."""
    losses = Losses(WITHIN_HEAD)
    with Bank(losses) as bank:
        calls = charge(bank.port, CALLS)
    assert not any(map(failed, calls)), calls
    assert len(losses.keys) == LOST
    assert len(bank.ledger) == CALLS + LOST


def test_upstream_drops_every_second_answer(gate_to):
    """Nobody knows its outcome: no retry runs, and the call fails."""
    losses = Losses(WITHIN_BODY)
    with Bank(losses) as bank:
        gateway = gate_to(bank)
        calls = charge(gateway.port, CALLS)
    check_charges(bank, calls)
    assert set(bank.runs.values()) == {1}
    assert sum(map(failed, calls)) == len(losses.keys) == LOST
    for call in filter(failed, calls):
        assert (call["status"], call["code"]) == (
            409, "IDEMPOTENCY_OUTCOME_UNKNOWN"), call
    check_outcomes(gateway, CLAIMED_200=CALLS - LOST, CLAIMED_502=LOST,
                   UNKNOWN_409=LOST * RETRIES)


def test_idempotent_upstream_drops_every_second_answer(gate_to):
    """Under `retry` it meets the key again, and repeats its charge."""
    losses = Losses(WITHIN_BODY)
    with Bank(losses, idempotent=True) as bank:
        gateway = gate_to(bank, on_unknown="retry")
        calls = charge(gateway.port, CALLS)
    check_charges(bank, calls)
    assert not any(map(failed, calls)), calls
    assert len(losses.keys) == LOST
    check_outcomes(gateway, CLAIMED_200=CALLS, CLAIMED_502=LOST)


def test_every_second_answer_is_lost_before_the_client(gate_to):
    """The retries are replays, and every call succeeds."""
    losses = Losses(WITHIN_HEAD)
    with Bank() as bank:
        gateway = gate_to(bank, CLOSING)
        with Line(gateway.port, losses) as line:
            calls = charge(line.port, CALLS)
    check_charges(bank, calls)
    assert not any(map(failed, calls)), calls
    assert sum(call["replayed"] for call in calls) == len(losses.keys) == LOST
    check_outcomes(gateway, CLAIMED_200=CALLS, REPLAYED_200=LOST)


def test_answers_cut_in_their_bodies(gate_to):
    """stripe-node does not retry these: the shop asks again with its key."""
    losses = Losses(WITHIN_BODY)
    with Bank() as bank:
        gateway = gate_to(bank, CLOSING)
        with Line(gateway.port, losses) as line:
            calls = charge(line.port, CALLS, key="order")
        again = charge(gateway.port, CALLS, key="order")
    check_charges(bank, calls)
    check_charges(bank, again)
    assert sum(map(failed, calls)) == LOST // 2
    assert all(call.get("replayed") for call in again), again


def test_a_stripped_field_never_reaches_the_ledger(gate_to):
    with Bank() as bank:
        gateway = gate_to(bank, CLOSING)
        with Line(gateway.port) as line:
            calls = charge(line.port, CALLS)
    assert len(line.requests) == CALLS
    for _, body in line.requests:
        assert b"application_fee_amount=500" in body
    check_charges(bank, calls)
