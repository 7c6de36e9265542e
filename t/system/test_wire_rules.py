"""A request comes to a guarded location by another one: try_files, error_page,
rewrite. The rules of each location hold, and each of them once (T5)."""

import pytest

from og import client
from og.gate import gate, order                             # noqa: F401
from og.peer import Peer, closing
from og.problem import check_problem
from og.process import free_port
from og.refusals import REFUSALS, send

RULED = ("order_guard on; order_guard_strip client_reference;\n"
         "order_guard_idempotency required ttl=1h lease=2s;\n"
         "order_guard_limit 3r/h;")

WAYS = {
    "try_files @": "root /nowhere; try_files $uri @ruled;",
    "try_files /": "root /nowhere; try_files $uri /ruled;",
    "404 = @": "root /nowhere; error_page 404 = @ruled;",
    "403 = @": "deny all; error_page 403 = @ruled;",
    "502 = @": "proxy_pass http://127.0.0.1:%d; error_page 502 = @ruled;"
               % free_port(),
    "rewrite": "rewrite ^ /ruled last;",
    "twice": "root /nowhere; try_files $uri @between;",
}


@pytest.fixture
def ruled(gate):                                            # noqa: F811
    """make(way, first, rules): orders come to a location with the directives
    `first`, and go from there to one with `rules`."""
    def make(way, first, rules=RULED):
        return gate(server=f"""
            location /api/ {{ {first} {WAYS[way]} }}
            location @between {{ {first} {WAYS["404 = @"]} }}
            location @ruled {{ {rules} proxy_pass http://orders; }}
            location = /ruled {{ {rules} proxy_pass
                                 http://orders{order("k").path}; }}""")
    return make


FIRST = pytest.mark.parametrize("first", ["", "order_guard on;"],
                                ids=["unguarded", "guarded"])


@FIRST
@pytest.mark.parametrize("way", WAYS)
def test_rules_hold_behind_a_redirect(ruled, redis, way, first):
    gate = ruled(way, first)
    first = gate.order("k")
    assert first.status == 200, first
    body = gate.upstream.last()["body"]
    assert b"client_reference" not in body and b"place_id" in body
    for _ in range(5):
        gate.check_replays(first, "k")
    assert len(redis.records()) == 1

    # what the replays cost is given back
    assert [gate.order(f"k{n}").status for n in range(3)] == [200, 200, 429]
    assert gate.orders() == gate.arrived() == 3


@FIRST
@pytest.mark.parametrize("way", WAYS)
def test_refusals_hold_behind_a_redirect(ruled, redis, way, first):
    gate = ruled(way, first)
    for status, code, headers in REFUSALS:
        check_problem(send(gate, headers), status, code, "gateway")
    for body in (b'{"client_reference":1', b'{"a":1,"a":2}', b"\xff"):
        check_problem(send(gate, {}, body), 400, "BODY_MALFORMED", "gateway")
    assert gate.arrived() == 0 and redis.records() == []


@pytest.mark.parametrize("way", WAYS)
def test_a_request_is_claimed_and_counted_once(ruled, redis, way):
    gate = ruled(way, RULED)
    first = gate.order("k")
    assert first.status == 200, first
    gate.check_replays(first, "k")
    assert len(redis.records()) == 1
    assert [gate.order(f"k{n}").status for n in range(3)] == [200, 200, 429]
    assert gate.orders() == gate.arrived() == 3


@pytest.mark.parametrize("way", ["try_files @", "try_files /", "404 = @",
                                 "502 = @", "twice"])
@pytest.mark.parametrize("rules", [
    ("order_guard_strip place_id;", "order_guard_strip client_reference;"),
    ("order_guard_allow order_type roblox_username roblox_pass_id "
     "payment_method client_reference;",
     "order_guard_allow order_type roblox_username place_id roblox_pass_id "
     "payment_method;"),
    ("order_guard_strip place_id;", "order_guard_allow order_type "
     "roblox_username place_id roblox_pass_id payment_method;"),
], ids=["strip", "allow", "strip and allow"])
def test_fields_of_both_locations(ruled, way, rules):
    first, then = ("order_guard on; " + fields for fields in rules)
    gate = ruled(way, first, then)
    gate.order("k")
    body = gate.upstream.last()["body"]
    assert b"place_id" not in body and b"client_reference" not in body, body
    for kept in (b"roblox_username", b"roblox_pass_id", b"payment_method"):
        assert kept in body, body


@pytest.mark.parametrize("body", ["chunked", "file", "large"])
def test_rules_hold_behind_a_redirect_for_any_body(ruled, body):
    """A body that was read for the first location is policed again."""
    gate = ruled("try_files @", "order_guard on; order_guard_strip place_id;"
                 + "client_body_in_file_only clean;" * (body == "file"))
    seed = order("k", json={"padding": "x" * (100000 * (body == "large"))})
    headers = dict(seed.headers)
    data = seed.body
    if body == "chunked":
        headers["Transfer-Encoding"] = "chunked"
        data = client.chunked([data[:50], data[50:]])
    client.request(gate.port, "POST", seed.path, data, headers)
    arrived = gate.upstream.last()["body"]
    assert b"place_id" not in arrived and b"client_ref" not in arrived
    assert b"roblox_pass_id" in arrived


@pytest.mark.parametrize("page", ["404 /ruled", "404 =200 /ruled"])
@FIRST
def test_rules_hold_for_a_page_that_is_an_upstream(gate, first,
                                                   page):   # noqa: F811
    """nginx turns the method to GET there, and the body is still there."""
    gate = gate(server=f"""
        location /api/ {{ {first} root /nowhere; error_page {page}; }}
        location = /ruled {{ order_guard on;
            order_guard_strip client_reference; proxy_pass http://orders; }}
    """)
    gate.order("k")
    for arrived in gate.upstream.requests():
        assert b"client_reference" not in arrived["body"], arrived


def test_redirected_requests_have_their_own_fingerprint(ruled, redis):
    """What the rules remove is no part of it, wherever they stand."""
    gate = ruled("404 = @", "")
    first = gate.order("k")
    check_problem(gate.order("k", json={"place_id": 5}), 422,
                  "IDEMPOTENCY_KEY_REUSED")
    gate.check_replays(first, "k", json={"client_reference": "another"})
    assert len(redis.records()) == 1


@pytest.mark.parametrize("way", ["try_files @", "404 = @", "502 = @"])
def test_optional_rules_before_strict_ones(ruled, redis, way):
    """What one location lets pass is asked for by the next one."""
    gate = ruled(way, "order_guard on; order_guard_token $order_guard_bearer "
                 "optional; order_guard_idempotency optional ttl=1h lease=2s;"
                 " order_guard_limit 9r/h name=first;")
    check_problem(send(gate, {"Idempotency-Key": None}), 400,
                  "IDEMPOTENCY_KEY_REQUIRED", "gateway")
    check_problem(send(gate, {"Authorization": None}), 401, "TOKEN_REQUIRED",
                  "gateway")
    assert gate.arrived() == 0 and redis.records() == []
    first = gate.order("k")
    assert first.status == 200, first
    gate.check_replays(first, "k")


@FIRST
def test_unknown_outcomes_behind_a_redirect(ruled, first):
    gate = ruled("try_files @", first)
    check_problem(gate.order("k", "close"), 502, "UPSTREAM_RESET", "gateway")
    gate.check_held("k", orders=1)


def test_not_sent_twice_behind_a_redirect(gate):            # noqa: F811
    """A location that only takes over may not repeat an order either."""
    with Peer(closing) as one, Peer(closing) as two:
        gate = gate("root /nowhere; try_files $uri @app;", target="",
                    server="location @app { proxy_next_upstream error "
                           "timeout non_idempotent; "
                           "proxy_pass http://orders; }",
                    address=f"{one.address};\nserver {two.address}",
                    start=False)
        code, _ = gate.nginx.check_configuration()
        if code:
            return                      # refused: that will do
        gate.nginx.start()
        assert gate.order("k").status == 502
        assert len(one.requests) + len(two.requests) == 1
