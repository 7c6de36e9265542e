"""order_guard_records: an operator looks at a key."""

import signal

import pytest

from og import client
from og.gate import gate, order_bytes                       # noqa: F401
from og.operator import (ANSWER, JSON, PLACE, finish, look,  # noqa: F401
                         named, operate, unknown, watched)
from og.parallel import Later
from og.problem import check_problem
from og.process import wait_until

pytestmark = pytest.mark.both_stores


def test_a_free_key(watched):
    gate = watched()                                        # noqa: F811
    name = named(gate)
    found = look(gate, **name)
    assert found == {"record": found["record"], "state": "free"}
    assert found["record"] == gate.order("k").header("X-Record")


def test_a_running_order(watched):
    gate = watched()                                        # noqa: F811
    name = named(gate)
    order = Later(gate.order, "k", "hold=k")
    gate.upstream.wait_for_requests(2)
    found = look(gate, **name)
    assert found["state"] == "running"
    assert found["silent"] == 0 and found["age"] <= 1
    assert 3590 <= found["expires_in"] <= 3600
    gate.upstream.release("k")
    order.value()


def test_a_finished_order(watched):
    gate = watched()                                        # noqa: F811
    answer = gate.order("k")
    found = look(gate, **named(gate))
    assert found["state"] == "finished"
    assert found["status"] == answer.status == 200
    assert found["replayable"] is True
    assert found["record"] == answer.header("X-Record")


def test_a_large_answer(watched):
    gate = watched(                                         # noqa: F811
        server="order_guard_idempotency_response_limit 10;")
    gate.order("k")
    found = look(gate, **named(gate))
    assert (found["state"], found["replayable"]) == ("finished", False)


def test_an_unknown_outcome(watched):
    gate = watched()                                        # noqa: F811
    name = unknown(gate)
    found = look(gate, **name)
    assert found["state"] == "unknown"
    assert 3590 <= found["expires_in"] <= 3600
    assert found["age"] <= 1


def test_an_owner_that_died(watched):
    gate = watched(rule="required ttl=1h lease=1s")         # noqa: F811
    name = named(gate)
    dying = client.leave(gate.port, order_bytes("k", "hold=dead"))
    gate.upstream.wait_for_requests(2)
    gate.nginx.kill_worker(signal.SIGKILL)
    dying.close()
    wait_until(lambda: look(gate, **name)["state"] == "unknown", 6)
    assert look(gate, **name)["silent"] >= 1


def test_a_look_changes_nothing(watched, redis):
    gate = watched()                                        # noqa: F811
    name = unknown(gate)
    before = {key: redis.command("GET", key) for key in redis.records()}
    for _ in range(3):
        look(gate, **name)
    assert before == {key: redis.command("GET", key)
                      for key in redis.records()}
    gate.check_held("k")


def test_by_the_name_that_was_logged(watched):
    """With or without the prefix of the store."""
    gate = watched()                                        # noqa: F811
    logged = gate.order("k").header("X-Record")
    for name in (logged, "og:" + logged):
        found = look(gate, record=name)
        assert (found["record"], found["state"]) == (logged, "finished")


def test_head(watched):
    gate = watched()                                        # noqa: F811
    answer = operate(gate, "HEAD", **named(gate))
    assert (answer.status, answer.body) == (200, b"")


# who, and what they may


def test_only_from_this_host(watched):
    gate = watched(                                         # noqa: F811
        "set_real_ip_from 127.0.0.1; real_ip_header X-From;" + PLACE
        + "location = /open { order_guard_records from=any; }"
        + "location = /closed { order_guard_records from=any; deny all; }")
    name = named(gate)
    for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert operate(gate, "GET", headers={"X-From": address},
                       **name).status == 200, address
    for address in ("10.0.0.1", "128.0.0.1", "::2", "::ffff:10.0.0.1"):
        check_problem(operate(gate, "GET", headers={"X-From": address},
                              **name), 403, "FORBIDDEN", "gateway")
        assert operate(gate, "GET", headers={"X-From": address},
                       path="/open", **name).status == 200
    assert operate(gate, "GET", path="/closed", **name).status == 403


def test_blocks_within_the_location(watched):
    """Each is a location of its own to nginx."""
    gate = watched("""
        location = /records {
            order_guard_records;
            if ($arg_key) { set $a b; }
            limit_except GET { allow 127.0.0.1; deny all; }
        }
        location = /closed {
            order_guard_records;
            limit_except GET { deny all; }
        }""")
    name = unknown(gate)
    assert look(gate, **name)["state"] == "unknown"
    assert operate(gate, "DELETE", path="/closed", **name).status == 403
    assert look(gate, **name)["state"] == "unknown"
    assert operate(gate, "DELETE", **name).status == 200
    assert look(gate, **name)["state"] == "free"


def test_a_location_within_is_guarded_all_the_same(watched):
    gate = watched(server="""
        order_guard on; order_guard_idempotency required;
        location /admin {
            order_guard_records;
            location /admin/orders { proxy_pass http://orders; }
        }""")
    answer = client.request(gate.port, "POST", "/admin/orders", b"{}", JSON)
    check_problem(answer, 401, "TOKEN_REQUIRED", "gateway")
    answer = client.request(gate.port, "GET", "/admin?record=x")
    check_problem(answer, 400, "RECORD_NAME_INVALID", "gateway")


def test_put_behind_an_error_page(watched):
    """nginx changes what it knows of the method on the way."""
    gate = watched(PLACE + """
        location = /sent { error_page 418 = @records; return 418; }
        location @records { order_guard_records; }""")
    name = unknown(gate)
    answer = operate(gate, "PUT", ANSWER, JSON, path="/sent", status=201,
                     **name)
    assert answer.json()["state"] == "finished"
    assert look(gate, **name)["state"] == "finished"


def test_subrequests_are_no_operators(watched):
    gate = watched(PLACE + """
        location = /asks { auth_request /records;
                           proxy_pass http://orders; }
        location = /copied { mirror /records; proxy_pass http://orders; }
        location = /sent { error_page 418 = /records; return 418; }""")
    name = named(gate)
    assert operate(gate, "GET", path="/asks", **name).status == 500
    assert operate(gate, "GET", path="/copied", **name).status == 200
    assert look(gate, **name)["state"] == "free"
    assert operate(gate, "GET", path="/sent",
                   **name).code == "RECORD_NAME_INVALID"    # has no query


@pytest.mark.parametrize("method", ["POST", "PATCH", "OPTIONS"])
def test_other_methods(watched, method):
    gate = watched()                                        # noqa: F811
    check_problem(operate(gate, method, **named(gate)), 405,
                  "METHOD_NOT_ALLOWED", "gateway")


WRONG = [
    ({"token_id": None}, '"token_id" must be 16 hex digits'),
    ({"token_id": "0123"}, '"token_id" must be 16 hex digits'),
    ({"token_id": "0123456789ABCDEF"}, '"token_id" must be 16 hex digits'),
    ({"key": None}, '"key" must be the idempotency key'),
    ({"key": ""}, '"key" must be the idempotency key'),
    ({"key": "k" * 256}, '"key" must be the idempotency key'),
    ({"uri": None}, '"uri" must be the path of the order'),
    ({"uri": "orders"}, '"uri" must be the path of the order'),
    ({"record": "x"}, '"record" must be a name'),
    ({"record": "{0123456789abcdef}:i:"}, '"record" must be a name'),
    ({"record": "{0123456789abcdef}:l:" + "0" * 32},
     '"record" must be a name'),
    ({"record": "{0123456789abcdeg}:i:" + "0" * 32},
     '"record" must be a name'),
    ({"record": "{0123456789abcdef}:i:" + "G" * 32},
     '"record" must be a name'),
]


@pytest.mark.parametrize("change, says", WRONG)
def test_a_name_that_is_none(watched, change, says):
    gate = watched()                                        # noqa: F811
    name = {"token_id": "0" * 16, "key": "k", "uri": "/orders", **change}
    answer = operate(gate, "GET", **name)
    check_problem(answer, 400, "RECORD_NAME_INVALID", "gateway")
    assert answer.json()["detail"].startswith(says)


@pytest.mark.parametrize("status", [None, "", "1", "199", "304", "425", "429",
                                    "600", "20x", "2000"])
def test_a_status_that_is_none(watched, status):
    gate = watched()                                        # noqa: F811
    answer = operate(gate, "PUT", ANSWER, JSON, status=status,
                     **unknown(gate))
    check_problem(answer, 400, "RECORD_NAME_INVALID", "gateway")
    assert answer.json()["detail"].startswith('"status" must be that')
    gate.check_held("k")


def test_an_answer_that_is_none(watched):
    gate = watched(                                         # noqa: F811
        server="order_guard_idempotency_response_limit 100;")
    name = unknown(gate)
    for body, media_type, says in (
            (b"x" * 101, "text/plain", "The answer must be within"),
            (b"x", "text/plain\u00e9", "Content-Type must be printable")):
        answer = operate(gate, "PUT", body, {"Content-Type": media_type},
                         status=201, **name)
        check_problem(answer, 400, "RECORD_NAME_INVALID", "gateway")
        assert answer.json()["detail"].startswith(says)
    gate.check_held("k")
    assert operate(gate, "PUT", b"x" * 100, JSON, status=201,
                   **name).status == 200


def test_method_and_scope(watched):
    gate = watched(rule="required ttl=1h scope=shop&co")    # noqa: F811
    name = unknown(gate)
    assert look(gate, **name)["state"] == "free"
    assert look(gate, scope="shop&co", **name)["state"] == "unknown"
    assert look(gate, scope="shop&co", method="PUT",
                **name)["state"] == "free"


def test_a_key_with_all_kinds_of_characters(watched):
    gate = watched()                                        # noqa: F811
    key = "b+c%20&d=e/{}#?;~"
    gate.order(key, "reset")
    assert look(gate, **named(gate, key))["state"] == "unknown"
