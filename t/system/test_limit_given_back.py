"""What a request that was not sent gets back, wherever it was counted, and
what one that was served does not."""

import socket

import pytest

from og import client
from og.faulty import gate, proxied                         # noqa: F401
from og.gate import replayed
from og.limits import (PAGE, TO_SLOW_PEER, TOLD, ask, named, order_of,
                       slow_peer, told, told_of)
from og.parallel import Later
from og.process import free_port, wait_until

PASSED, REJECTED = (200, "PASSED"), (429, "REJECTED")
LIMIT = TOLD + "order_guard_limit 3r/h;"

# two locations that count, each of its own
TWO = TOLD + "order_guard_limit 3r/h name=first; try_files /none @second;"


def second(rules, target="proxy_pass http://orders;"):
    return ("location @second { order_guard on; "
            + TOLD + "order_guard_limit 5r/h name=second;"
            + rules + target + "}")


def units(gate, count):                                     # noqa: F811
    wait_until(lambda: gate.redis.units() == count, 5,
               f"{gate.redis.units()} units, not {count}")


def test_what_no_upstream_took(proxied):                    # noqa: F811
    gate = proxied(location=LIMIT, address=f"127.0.0.1:{free_port()}")
    for _ in range(5):
        assert ask(gate).status == 502
    units(gate, 0)
    assert ask(gate).status == 502


def test_what_an_upstream_has_cut_off_is_spent(proxied):    # noqa: F811
    gate = proxied(location=LIMIT, rule="off")
    for key in "abc":
        assert order_of(gate, key, fault="reset").status == 502
    assert order_of(gate, "d").status == 429
    units(gate, 3)


def test_what_was_served_without_an_upstream_is_spent(proxied):  # noqa: F811
    gate = proxied(location=LIMIT, target="empty_gif;")
    assert told_of(gate, 4) == [PASSED] * 3 + [(429, "REJECTED")]
    units(gate, 3)


def test_what_a_cache_has_served_is_spent(proxied, tmp_path):  # noqa: F811
    gate = proxied(
        http=f"proxy_cache_path {tmp_path} keys_zone=pages:1m;",
        location=LIMIT + "order_guard_methods POST;"
        "proxy_cache pages; proxy_cache_valid 200 1h;"
        "add_header X-Cache $upstream_cache_status always;")
    answers = [ask(gate) for _ in range(4)]
    assert [told(answer) for answer in answers] == [PASSED] * 3 + [REJECTED]
    assert [answer.header("X-Cache") for answer in answers] == [
        "MISS", "HIT", "HIT", None]
    units(gate, 3)


REFUSED = {
    "a body": (second("order_guard_reject cost;"), 422),
    "a token": (second("order_guard_token $http_x_none;"), 401),
    "a limit": (second("order_guard_limit 1r/h key=$host;"), None),
}


@pytest.mark.parametrize("case", ["a body", "a token"])
def test_what_a_second_location_refuses(proxied, case):     # noqa: F811
    server, status = REFUSED[case]
    gate = proxied(location=TWO, server=server, rule="off")
    for key in "abcd":
        answer = order_of(gate, key, body=b'{"cost":1}')
        assert answer.status == status
        assert answer.header("RateLimit-Policy") == '"first";q=3;w=3600'
    units(gate, 0)


def test_what_a_second_location_limits(proxied):            # noqa: F811
    gate = proxied(location=TWO, server=REFUSED["a limit"][0], rule="off")
    assert order_of(gate, "a").status == 200
    units(gate, 3)
    for key in "bcd":
        assert told(order_of(gate, key)) == REJECTED
    units(gate, 3)


def test_a_page_about_a_refusal_is_no_order(proxied):       # noqa: F811
    """Though its upstream was sent a request."""
    gate = proxied(location=TWO, rule="off", server=second(
        "order_guard_reject cost; error_page 422 = @page;")
        + "location @page { proxy_method GET; proxy_pass http://orders; }")
    order_of(gate, "a", body=b'{"cost":1}')
    units(gate, 0)


def test_what_the_first_location_has_sent_is_spent(proxied):  # noqa: F811
    """X-Accel-Redirect leads on from an answer."""
    gate = proxied(location=LIMIT + "error_page 500 = @second;"
                   "proxy_intercept_errors on;", rule="off",
                   server=second("order_guard_reject cost;"))
    answer = order_of(gate, "a", fault="status=500", body=b'{"cost":1}')
    assert answer.status == 422
    units(gate, 1)


def test_a_replay_behind_a_location_that_counts(proxied):   # noqa: F811
    gate = proxied(location=TWO, rule="off",
                   server=second("order_guard_idempotency required;"))
    assert order_of(gate, "a").status == 200
    units(gate, 2)
    for _ in range(4):
        answer = order_of(gate, "a")
        assert replayed(answer)
        assert answer.header("RateLimit") is None
    units(gate, 2)


def test_all_locations_are_told(proxied):                   # noqa: F811
    gate = proxied(location=TWO + "order_guard_limit 9r/h name=shared;",
                   server=second("order_guard_limit 9r/h name=shared;"
                                 "order_guard_limit_headers both;"))
    answer = ask(gate)
    assert answer.header("RateLimit-Policy") == (
        '"first";q=3;w=3600, "shared";q=9;w=3600, "second";q=5;w=3600')
    names = [member.split(";t=")[0]
             for member in answer.header("RateLimit").split(", ")]
    assert names == ['"first";r=2', '"shared";r=8', '"second";r=4']
    assert answer.header("X-RateLimit-Limit") == "3"


def test_the_same_limit_is_told_behind_a_redirect(proxied):  # noqa: F811
    gate = proxied(location=LIMIT + "try_files /none @again;",
                   server="location @again { order_guard on; " + LIMIT
                   + "proxy_pass http://orders; }")
    answer = ask(gate)
    assert told(answer) == PASSED
    assert answer.header("RateLimit-Policy") == '"3r/h";q=3;w=3600'
    assert answer.header("RateLimit").startswith('"3r/h";r=2;t=')
    units(gate, 1)


def test_other_policies_of_a_429_have_not_counted_it(proxied):  # noqa: F811
    gate = proxied(location=TOLD + "order_guard_limit 5r/h name=wide;"
                   "order_guard_limit 2r/h name=tight;")
    left = []
    for _ in range(4):
        answer = ask(gate)
        left.append([member.split(";t=")[0] for member in
                     answer.header("RateLimit").split(", ")])
    assert left[:3] == [['"wide";r=4', '"tight";r=1'],
                        ['"wide";r=3', '"tight";r=0'],
                        ['"wide";r=3', '"tight";r=0']]
    units(gate, 4)


def test_a_client_that_left_in_between(proxied):            # noqa: F811
    """While the store of the second location is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gate = proxied(
            location=TWO, rule="off",
            server=second("order_guard_limit 7r/h store=silent;"),
            http="order_guard_store silent redis://127.0.0.1:"
                 f"{silent.getsockname()[1]}/0 timeout=30s;")
        with client.leave(gate.port, client.http_bytes(
                "GET", PAGE, headers=named("a"))):
            units(gate, 2)
        units(gate, 0)


def test_a_window_that_is_over(proxied):                    # noqa: F811
    """Its counter has expired: DECR would make one that is negative."""
    with slow_peer() as (address, accept):
        gate = proxied(location=TOLD + "order_guard_limit 5r/s;",
                       address=address, target=TO_SLOW_PEER)
        later = Later(ask, gate)
        peer = accept()
        units(gate, 1)
        wait_until(lambda: not gate.redis.counters(), 5)
        peer.close()
        assert later.value().status == 502
        other = Later(ask, gate, "other")   # behind whatever was given back
        peer = accept()
        units(gate, 1)
        peer.close()
        assert other.value().status == 502
