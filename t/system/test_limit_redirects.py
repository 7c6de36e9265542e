"""What counts where a redirect leads on: a counter once, whatever its limit
is called where it is asked for."""

import pytest

from og import client
from og.faulty import UP, gate, proxied                     # noqa: F401
from og.gate import replayed
from og.limits import PAGE, TOLD, named, order_of, told
from og.parallel import Later
from og.process import wait_until

PASSED, LOCAL = (200, "PASSED"), (200, "LOCAL")
REJECTED = (429, "REJECTED")

BY_USER = TOLD + """
    order_guard_limit 100r/h name=address key=$binary_remote_addr;
    order_guard_limit 3r/h name=user key=$user;
"""


def asked_by(gate, user, count):                            # noqa: F811
    """Who says so in another header than its token."""
    return [told(client.request(gate.port, "GET", PAGE, None,
                                {**named("t"), "X-User": user}))
            for _ in range(count)]


def test_a_key_that_is_empty_at_first(proxied):             # noqa: F811
    gate = proxied(
        location="set $user ''; try_files /none @api;" + BY_USER, rule="off",
        server="location @api { order_guard on; set $user $http_x_user;"
               + BY_USER + "proxy_pass http://orders; }")
    assert asked_by(gate, "u", 5) == [PASSED] * 3 + [REJECTED] * 2
    assert asked_by(gate, "v", 1) == [PASSED]


def test_another_caller_behind_it(proxied):                 # noqa: F811
    """Each location has a token of its own, and both are limited."""
    gate = proxied(
        location=TOLD + "order_guard_limit 6r/h; try_files /none @api;",
        rule="off",
        server="location @api { order_guard on; order_guard_limit 6r/h;"
               + TOLD + "order_guard_token $http_x_user;"
               "proxy_pass http://orders; }")
    assert asked_by(gate, "u", 4) == [PASSED] * 4
    assert asked_by(gate, "v", 3) == [PASSED] * 2 + [REJECTED]
    wait_until(lambda: gate.redis.units() == 12)


def test_what_access_control_refuses_behind_it(proxied):    # noqa: F811
    """Nobody was served: it costs nothing."""
    gate = proxied(
        location=TOLD + "order_guard_limit 3r/h; try_files /none @api;",
        rule="off",
        server="location @api { deny all; proxy_pass http://orders; }")
    assert [asked_by(gate, "u", 1)[0][0] for _ in range(5)] == [403] * 5
    wait_until(lambda: gate.redis.units() == 0)


def test_one_location_counts_by_itself(proxied, own_redis):  # noqa: F811
    """And so says $order_guard_limit, though the other one's store is well."""
    gone = own_redis()
    gate = proxied(
        location=TOLD + "order_guard_limit 3r/h name=first store=gone;"
        "try_files /none @api;", rule="off",
        http=f"order_guard_store gone {gone.address};",
        server="location @api { order_guard on; " + TOLD
               + "order_guard_limit 9r/h; proxy_pass http://orders; }")
    gone.kill()
    assert asked_by(gate, "u", 4) == [LOCAL] * 3 + [REJECTED]


FAILURES = {"pass": LOCAL, "reject": (503, "BYPASSED")}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_claim_that_is_lost_behind_its_count(proxied, failure):  # noqa: F811,E501
    """Who has little left is counted first. Who goes on is counted by this
    host, too; who does not gets the unit back."""
    gate = proxied(
        timeout=3000, location=TOLD + "order_guard_limit 4r/h;"
        f"order_guard_idempotency_on_failure {failure};")
    assert order_of(gate, "a").status == 200
    assert replayed(order_of(gate, "a"))
    wait_until(lambda: gate.redis.units() == 1)
    claims = gate.redis.calls()["set"]
    gate.proxy.delay(150)
    later = Later(order_of, gate, "b")
    wait_until(lambda: gate.redis.calls()["set"] == claims + 1)
    gate.proxy.refuse()
    gate.proxy.cut()
    answer = later.value()
    passed = failure == "pass"
    assert answer.status == (200 if passed else 503)
    assert (answer.header("RateLimit") is not None) == passed
    gate.proxy.delay(0)
    gate.proxy.accept()
    callers = (f"other{n}" for n in range(1000))
    wait_until(lambda: told(order_of(gate, "x", next(callers))) == PASSED, 10)
    answers = [told(order_of(gate, f"n{n}")) for n in range(4)]
    assert answers == ([PASSED] * (2 if passed else 3)
                       + [REJECTED] * (2 if passed else 1))
