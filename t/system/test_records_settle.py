"""order_guard_records: an operator puts an end to an unknown outcome."""

import signal

import pytest

from og import client
from og.faulty import DOWN, UP, held, proxied               # noqa: F401
from og.gate import gate, order_bytes                       # noqa: F401
from og.operator import (ANSWER, JSON, finish, look, named,  # noqa: F401
                         operate, query, release, unknown, watched)
from og.parallel import Later, together
from og.problem import check_problem
from og.process import wait_until
from og.secret import write

pytestmark = pytest.mark.both_stores


def test_released(watched, redis):
    gate = watched()                                        # noqa: F811
    name = unknown(gate)
    answer = release(gate, **name)
    assert answer.status == 200, answer
    assert answer.json()["state"] == "free"
    assert len(redis.records()) == 1
    gate.check_free("k")
    gate.logged("an operator has released the record")


def test_finished(watched):
    gate = watched()                                        # noqa: F811
    name = unknown(gate)
    answer = finish(gate, **name)
    assert answer.status == 200, answer
    assert answer.json()["state"] == "finished"
    again = gate.order("k")
    assert (again.status, again.body) == (201, ANSWER)
    assert again.header("Content-Type") == "application/json"
    assert again.header("Idempotent-Replayed") == "true"
    assert gate.orders() == 2               # the unknown one, and the other
    gate.logged("an operator has finished the record")


def test_finished_for_the_same_request_only(watched):
    gate = watched()                                        # noqa: F811
    finish(gate, **unknown(gate))
    check_problem(gate.order("k", body=b'{"other":1}'), 422,
                  "IDEMPOTENCY_KEY_REUSED", "gateway")


def test_finished_without_a_body(watched):
    gate = watched()                                        # noqa: F811
    operate(gate, "PUT", status=204, **unknown(gate))
    again = gate.order("k")
    assert (again.status, again.body) == (204, b"")


def test_the_life_of_the_record_stays(watched, redis):
    gate = watched(rule="required ttl=1h unknown_ttl=20m")  # noqa: F811
    name = unknown(gate)
    finish(gate, **name)
    assert 1190 <= look(gate, **name)["expires_in"] <= 1200


def test_after_the_owner_died(watched):
    gate = watched(rule="required ttl=1h lease=1s")         # noqa: F811
    name = named(gate)
    dying = client.leave(gate.port, order_bytes("k", "hold=dead"))
    gate.upstream.wait_for_requests(2)
    gate.nginx.kill_worker(signal.SIGKILL)
    dying.close()
    check_problem(release(gate, **name), 409, "RECORD_NOT_UNKNOWN",
                  "gateway")
    wait_until(lambda: release(gate, **name).status == 200, 6)
    gate.check_free("k")


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_only_what_is_unknown(watched, method):
    gate = watched()                                        # noqa: F811
    name = named(gate)
    body = ANSWER if method == "PUT" else None
    more = {"status": 201} if method == "PUT" else {}

    def check(status, code):
        check_problem(operate(gate, method, body, JSON if body else (),
                              **more, **name), status, code, "gateway")
    check(404, "RECORD_NOT_FOUND")
    order = Later(gate.order, "k", "hold=k")
    gate.upstream.wait_for_requests(2)
    check(409, "RECORD_NOT_UNKNOWN")
    gate.upstream.release("k")
    order.value()
    check(409, "RECORD_NOT_UNKNOWN")
    gate.check_replays(order.value(), "k")


def test_one_of_many_operators(watched):
    """Whoever comes second must not free the next order's claim."""
    gate = watched(workers=2)                               # noqa: F811
    for key in "abc":
        name = unknown(gate, key)
        answers = together(8, lambda _: release(gate, **name))
        assert sum(answer.status == 200 for answer in answers) == 1, answers
        assert {answer.status for answer in answers} <= {200, 404, 503}
        gate.check_free(key)


# the late release of one must not free the claim of another


def two_gates(watched, gate, proxied):                      # noqa: F811
    """One whose store is behind the proxy, one whose is not."""
    slow = watched(make=proxied)
    return slow, watched(store=f"redis://127.0.0.1:{slow.redis.port}/0")


def runs_again(gate, name):                                 # noqa: F811
    """Another operator was faster, and the order is on its way."""
    before = gate.arrived()
    assert release(gate, **name).status == 200
    order = Later(gate.order, "k", "hold=k")
    gate.upstream.wait_for_requests(before + 1)
    return order


def check_undisturbed(gate, order):                         # noqa: F811
    assert gate.order("k").code == "IDEMPOTENCY_IN_PROGRESS"
    gate.upstream.release("k")
    gate.check_replays(order.value(), "k")


def test_the_record_changes_after_it_was_read(watched, gate,  # noqa: F811
                                              proxied):
    slow, fast = two_gates(watched, gate, proxied)
    name = unknown(fast)
    slow.proxy.hold(DOWN)
    late = Later(release, slow, **name)
    slow.proxy.wait_for(b"WATCH")
    order = runs_again(fast, name)
    slow.proxy.deliver()
    check_problem(late.value(), 503, "STORE_UNAVAILABLE", "gateway")
    check_undisturbed(fast, order)


def test_the_release_is_late(watched, gate, proxied):       # noqa: F811
    """Its operator has given up, the connection has not."""
    slow, fast = two_gates(watched, gate, proxied)
    name = unknown(fast)
    slow.proxy.hold(DOWN)
    late = Later(release, slow, **name)
    slow.proxy.wait_for(b"WATCH")
    slow.proxy.hold(UP)
    slow.proxy.deliver(DOWN)
    held(slow, b"EXEC")
    check_problem(late.value(), 503, "STORE_UNAVAILABLE", "gateway")
    order = runs_again(fast, name)
    slow.proxy.deliver()
    wait_until(lambda: slow.order("l").status == 200, 10)
    check_undisturbed(fast, order)


def test_the_connection_is_lost_before_the_release(watched, gate,  # noqa: F811,E501
                                                   proxied):
    """What was watched is watched no more: nothing is sent on another."""
    slow, fast = two_gates(watched, gate, proxied)
    name = unknown(fast)
    slow.proxy.hold(DOWN)
    late = Later(release, slow, **name)
    slow.proxy.wait_for(b"WATCH")
    slow.proxy.cut()
    check_problem(late.value(), 503, "STORE_UNAVAILABLE", "gateway")
    order = runs_again(fast, name)
    slow.proxy.deliver()
    wait_until(lambda: slow.order("l").status == 200, 10)
    check_undisturbed(fast, order)
    assert all(b"EXEC" not in connection.sent(UP)
               for connection in slow.proxy.connections)


def test_two_resolutions_at_once_in_a_worker(watched, proxied):  # noqa: F811
    """The end of one is no end of the other's watch."""
    gate = watched(make=proxied)                            # noqa: F811
    one, two = unknown(gate, "a"), unknown(gate, "b")
    gate.proxy.hold(DOWN)
    first = Later(release, gate, **one)
    gate.proxy.wait_for(b"WATCH")
    check_problem(release(gate, **two), 503, "STORE_UNAVAILABLE", "gateway")
    gate.proxy.deliver()
    assert first.value().status in (200, 503)
    wait_until(lambda: release(gate, **two).status == 200, 5)


def test_without_the_right_to_watch(watched, own_redis, tmp_path):
    (tmp_path / "users.acl").write_text(
        "user default on nopass ~* &* +@all -watch\n")
    redis = own_redis("--aclfile", tmp_path / "users.acl")
    gate = watched(store=redis.address)                     # noqa: F811
    name = unknown(gate)
    check_problem(release(gate, **name), 503, "STORE_UNAVAILABLE", "gateway")
    gate.logged("answered WATCH with NOPERM")
    gate.check_held("k")


def test_without_the_store(watched):
    gate = watched(store="redis://127.0.0.1:1 timeout=50ms")  # noqa: F811
    name = {"token_id": "0" * 16, "key": "k", "uri": "/orders"}
    check_problem(operate(gate, "GET", **name), 503, "STORE_UNAVAILABLE",
                  "gateway")
    check_problem(release(gate, **name), 503, "STORE_UNAVAILABLE",
                  "gateway")


def test_a_client_that_leaves(watched, proxied):            # noqa: F811
    gate = watched(make=proxied)                            # noqa: F811
    name = unknown(gate)
    gate.proxy.hold(UP)
    leaving = client.leave(gate.port, client.http_bytes(
        "DELETE", "/records?" + query(**name)))
    held(gate, b"WATCH")
    leaving.close()
    wait_until(lambda: '"DELETE /records' in gate.nginx.access_log(), 5)
    gate.proxy.deliver()
    wait_until(lambda: release(gate, **name).status == 200, 5)


# secrets


def test_sealed_records(watched, tmp_path):
    secret = write(tmp_path / "secret", b"s" * 32)
    gate = watched(http=f"order_guard_secret {secret};")    # noqa: F811
    name = unknown(gate)
    assert look(gate, **name)["state"] == "unknown"
    finish(gate, **name)
    again = gate.order("k")
    assert (again.status, again.body) == (201, ANSWER)


def test_while_a_secret_changes(watched, tmp_path):
    """An order has two names then, and each is settled by itself."""
    new = write(tmp_path / "new", b"n" * 32)
    old = write(tmp_path / "old", b"o" * 32)
    gate = watched(http=f"order_guard_secret {new} {old};")  # noqa: F811
    names = gate.order("k", "reset").header("X-Record").split(",")
    assert len(names) == 2
    for name in names:
        assert look(gate, record=name)["state"] == "unknown"
        gate.check_held("k")
        assert release(gate, record=name).status == 200
    gate.check_free("k")


def test_a_key_alone_does_not_name_both_records(watched, tmp_path):
    new = write(tmp_path / "new", b"n" * 32)
    old = write(tmp_path / "old", b"o" * 32)
    gate = watched(http=f"order_guard_secret {new} {old};")  # noqa: F811
    answer = operate(gate, "GET", **unknown(gate))
    check_problem(answer, 400, "RECORD_NAME_INVALID", "gateway")
    assert 'name each by "record"' in answer.json()["detail"]


def test_an_unreadable_record(watched, redis):
    gate = watched()                                        # noqa: F811
    name = unknown(gate)
    gone, = {"og:" + look(gate, **name)["record"]}
    redis.command("SET", gone, b"\1\2garbage", "KEEPTTL")
    assert look(gate, **name)["state"] == "unreadable"
    check_problem(release(gate, **name), 409, "RECORD_UNREADABLE",
                  "gateway")
    assert redis.command("GET", gone) == b"\1\2garbage"
