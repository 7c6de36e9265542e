"""safe_new_key and retryable say what is true: whether an order under another
key would be a second one, and whether the same one can succeed."""

import pytest

from og.faulty import gate, proxied                         # noqa: F401
from og.gate import replayed
from og.limits import TOLD
from og.peer import Peer, answering, closing, in_turn
from og.process import free_port

pytestmark = pytest.mark.both_stores

HOLD = "required ttl=1h lease=2s"
RETRY = HOLD + " on_unknown=retry"


def said(answer):
    """(status, retryable, safe_new_key)"""
    problem = answer.json()
    return answer.status, problem["retryable"], problem.get("safe_new_key")


def after_a_lost_answer(gate, act, rule, rules=""):         # noqa: F811
    """What the second request with one key is told; the first one was sent,
    and nobody knows what became of it."""
    with Peer(in_turn(closing, act)) as peer:
        made = gate(rules, rule=rule, address=peer.address)
        assert said(made.order("k"))[2] is False
        return said(made.order("k"))


def error(status):
    return answering(b'{"message":"no"}', status)


REFUSED = {
    # an upstream that knows the key says what became of it
    "it refuses it": (error(b"422 Unprocessable"), (422, False, True)),
    # who answers this may have looked at no order at all
    "it does not know the caller": (error(b"401 Unauthorized"),
                                    (401, False, False)),
    "it is busy": (error(b"429 Too Many Requests"), (429, True, False)),
    "it fails": (error(b"500 Internal Server Error"), (500, False, False)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_second_try_that_may_run(gate, case):             # noqa: F811
    act, expected = REFUSED[case]
    assert after_a_lost_answer(gate, act, RETRY) == expected


def test_a_second_try_that_is_not_sent(gate):               # noqa: F811
    port = free_port()
    with Peer(closing, port=port) as peer:
        made = gate(rule=RETRY, address=peer.address)
        assert said(made.order("k")) == (502, True, False)
    assert said(made.order("k")) == (502, True, False)


def test_a_second_try_over_the_limit(gate):                 # noqa: F811
    with Peer(closing) as peer:
        made = gate(TOLD + "order_guard_limit 1r/h;", rule=RETRY,
                    address=peer.address)
        assert said(made.order("k"))[2] is False
        assert said(made.order("k")) == (429, True, False)


FIRST = {
    "not sent": (None, (502, True, True)),
    "refused": (error(b"422 Unprocessable"), (422, False, True)),
    "refused for now": (error(b"429 Too Many Requests"), (429, True, True)),
    "not for this caller": (error(b"401 Unauthorized"), (401, False, True)),
    "failed": (error(b"500 Internal Server Error"), (500, False, False)),
    "lost": (closing, (502, False, False)),
}


@pytest.mark.parametrize("case", FIRST)
def test_a_first_try(gate, case):                           # noqa: F811
    act, expected = FIRST[case]
    if act is None:
        made = gate(rule=HOLD, address=f"127.0.0.1:{free_port()}")
        assert said(made.order("k")) == expected
        return
    with Peer(act) as peer:
        made = gate(rule=HOLD, address=peer.address)
        assert said(made.order("k")) == expected


@pytest.mark.parametrize("freed", [True, False])
def test_a_timeout_that_is_an_answer(gate, freed):          # noqa: F811
    """Where it is stored a retry gets it again."""
    with Peer(error(b"408 Request Timeout")) as peer:
        made = gate("" if freed else "order_guard_idempotency_release 401;",
                    rule=HOLD, address=peer.address)
        assert said(made.order("k")) == (408, freed, True)
        assert replayed(made.order("k")) != freed


def test_without_a_key(gate):                               # noqa: F811
    with Peer(error(b"408 Request Timeout")) as peer:
        made = gate(rule="off", address=peer.address)
        assert said(made.order("k")) == (408, True, None)


def test_a_freed_failure(gate):                             # noqa: F811
    with Peer(error(b"503 Service Unavailable")) as peer:
        made = gate("order_guard_idempotency_release 503;", rule=HOLD,
                    address=peer.address)
        assert said(made.order("k")) == (503, True, True)


def test_while_nobody_knows_the_key(proxied):               # noqa: F811
    """The store is away, and orders pass without it."""
    with Peer(in_turn(closing, error(b"422 Unprocessable"))) as peer:
        made = proxied(
            rule=HOLD, address=peer.address,
            location=TOLD + "order_guard_limit 3r/h;"
            "order_guard_idempotency_on_failure pass;")
        made.redis.kill()
        answers = [said(made.order("k")) for _ in range(4)]
        assert [answer[0] for answer in answers] == [502, 422, 422, 429]
        assert [answer[2] for answer in answers] == [False] * 4


def test_an_error_of_nginx_before_it_was_sent(gate):        # noqa: F811
    """A claimed order in a location that has no content."""
    made = gate(rule=HOLD, target="root /nonexistent;")
    assert said(made.order("k")) in ((404, False, True), (405, False, True))
