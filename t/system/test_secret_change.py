"""While a secret changes, hosts of two steps meet: one that has only the
former secret, one that has both, one that is done with the former."""

import time

import pytest

from og import client, seeds
from og.faulty import UP, held, proxied, reconnected        # noqa: F401
from og.gate import gate, order_bytes                       # noqa: F401
from og.parallel import Later, together
from og.problem import check_problem
from og.process import wait_until
from og.secret import record, write

OLD = b"old secret of the year before..."
NEW = b"new secret of this and next year"

# what a host has: its secret, and the former one
STEPS = {"plain": (None, None), "old": (OLD, None), "new": (NEW, None),
         "both": (NEW, OLD), "first": (NEW, "none")}

# steps that are in force at the same time
MEETING = [("old", "both"), ("both", "new"), ("plain", "first"),
           ("first", "new")]
BOTH_WAYS = MEETING + [pair[::-1] for pair in MEETING] + [("both", "both")]


@pytest.fixture
def host(gate, tmp_path):                                   # noqa: F811
    """make(step, ...): a Gate of that step."""
    def make(step, http="", make=gate, **more):
        return make(http=directive(tmp_path, *STEPS[step]) + http, **more)
    return make


def directive(folder, secret, former):
    if secret is None:
        return ""
    words = [write(folder / secret[:3].decode(), secret)]
    if former == "none":
        words.append("none")
    elif former:
        words.append(write(folder / former[:3].decode(), former))
    return f"order_guard_secret {' '.join(words)};\n"


def name_of(step, key="k"):
    """Of the record: that of the former secret first."""
    secret, former = STEPS[step]
    used = [secret] if former is None else [None if former == "none"
                                            else former, secret]
    token = seeds.LEUWONGRR.headers["Authorization"].split()[1]
    return [record(each, token, "", "POST", seeds.LEUWONGRR.path, key)
            for each in used]


@pytest.mark.parametrize("one, other", BOTH_WAYS)
def test_what_one_has_answered_the_other_replays(host, one, other):
    one, other = host(one), host(other)
    answer = one.order("k")
    assert answer.status == 200
    other.check_replays(answer, "k")
    one.check_replays(answer, "k")


@pytest.mark.parametrize("one, other", BOTH_WAYS)
def test_what_runs_with_one_runs_for_the_other(host, one, other):
    one, other = host(one), host(other)
    running = Later(one.order, "k", "hold=k")
    one.upstream.wait_for_requests(1)
    check_problem(other.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS",
                  "gateway")
    check_problem(other.order("k", body=b'{"other":1}'), 422,
                  "IDEMPOTENCY_KEY_REUSED", "gateway")
    one.upstream.release("k")
    other.check_replays(running.value(), "k")


@pytest.mark.parametrize("one, other", BOTH_WAYS)
def test_what_is_unknown_to_one_is_unknown_to_the_other(host, one, other):
    one, other = host(one), host(other)
    one.order("k", "reset")
    other.check_held("k", 1)
    one.check_held("k", 1)


@pytest.mark.parametrize("one, other", BOTH_WAYS)
def test_one_order_of_many_at_once(host, one, other):
    hosts = [host(one, workers=2), host(other, workers=2)]

    def until_answered(number):
        while True:
            answer = hosts[number % 2].order("k")
            if answer.status != 409:
                return answer
    answers = together(12, until_answered)
    assert {(answer.status, answer.body) for answer in answers} \
        == {(200, answers[0].body)}
    assert hosts[0].orders() == 1


@pytest.mark.parametrize("step", ["both", "first"])
def test_both_names_are_claimed_and_finished(host, redis, step):
    gate = host(step)                                       # noqa: F811
    running = Later(gate.order, "k", "hold=k")
    gate.upstream.wait_for_requests(1)
    assert redis.records() == sorted(name_of(step))
    gate.upstream.release("k")
    answer = running.value()
    for gone in name_of(step):
        kept = redis.command("GET", gone)
        redis.command("DEL", gone)
        gate.check_replays(answer, "k")
        # the claim of the name that was free goes back behind the answer
        wait_until(lambda name=gone: redis.command("EXISTS", name) == 0)
        redis.command("SET", gone, kept, "PX", 60000)


def test_in_one_write_the_former_name_first(host, proxied):  # noqa: F811
    gate = host("both", make=proxied,                       # noqa: F811
                location="order_guard_limit 50r/h;")
    assert gate.order("k").status == 200
    claims = [chunk for connection in gate.proxy.connections
              for chunk in connection.chunks(UP) if b"NX" in chunk
              and b"}:i:" in chunk]
    former, current = (name.encode() for name in name_of("both"))
    assert len(claims) == 1
    assert 0 < claims[0].index(former) < claims[0].index(current)


@pytest.mark.parametrize("step", ["both", "first"])
def test_nothing_is_left_of_a_claim_that_was_not_sent(host, redis, step):
    gate = host(step, address="127.0.0.1:1")                # noqa: F811
    check_problem(gate.order("k"), 502, "UPSTREAM_UNREACHABLE", "gateway")
    wait_until(lambda: redis.records() == [], 5)


def test_nothing_is_left_of_half_a_claim(host, redis):
    """Who wins the former name alone gives it up."""
    done, both = host("new"), host("both")
    running = Later(done.order, "k", "hold=k")
    done.upstream.wait_for_requests(1)
    check_problem(both.order("k"), 409, "IDEMPOTENCY_IN_PROGRESS", "gateway")
    wait_until(lambda: redis.records() == name_of("new"), 5)
    done.upstream.release("k")
    both.check_replays(running.value(), "k")
    wait_until(lambda: redis.records() == name_of("new"), 5)


def test_one_unit_for_an_order_and_none_for_a_replay(host, redis):
    limit = "order_guard_limit 50r/h;"
    old, both = host("old", server=limit), host("both", server=limit)
    answer = both.order("k")
    assert spent(redis) == 1
    both.check_replays(answer, "k")
    old.check_replays(answer, "k")
    wait_until(lambda: spent(redis) == 1, 5)
    old.order("l")
    assert spent(redis) == 2
    assert {key[:21] for key in redis.counters()} == {name_of("old")[0][:21]}


def spent(redis):
    return sum(int(redis.command("GET", key)) for key in redis.counters())


def test_over_the_limit_nothing_is_claimed(host, redis):
    gate = host("both", server="order_guard_limit 1r/h;")   # noqa: F811
    answer = gate.order("k")
    check_problem(gate.order("l"), 429, "RATE_LIMITED", "gateway")
    wait_until(lambda: redis.records() == sorted(name_of("both")), 5)
    gate.check_replays(answer, "k")
    assert gate.orders() == 1


def test_an_answer_that_only_the_new_name_has_costs_nothing(host, redis):
    limit = "order_guard_limit 1r/h;"
    done, both = host("new", server=limit), host("both", server=limit)
    answer = done.order("k")
    assert both.order("l").status == 200    # the unit of the former name
    both.check_replays(answer, "k")


def test_without_the_store(host):
    gate = host("both",                                     # noqa: F811
                store="redis://127.0.0.1:1 connect_timeout=50ms timeout=50ms")
    check_problem(gate.order("k"), 503, "STORE_UNAVAILABLE", "gateway")
    assert gate.arrived() == 0


def test_a_client_that_leaves_first_has_no_order(host, proxied):  # noqa: F811
    """Its claims are won when nobody asks any more, and given up."""
    gate = host("both", make=proxied)                       # noqa: F811
    gate.order("first")
    kept = gate.redis.records()
    gate.proxy.hold(UP)
    leaving = client.leave(gate.port, order_bytes("k"))
    held(gate, name_of("both")[1].encode())
    leaving.close()
    gate.finished(2)
    gate.proxy.deliver()
    wait_until(lambda: gate.redis.records() == kept, 5)
    gate.check_free("k")


def test_half_of_the_claim_is_late(host, proxied):          # noqa: F811
    """The connection is lost with the claims in it: nothing stays blocked."""
    gate = host("both", make=proxied)                       # noqa: F811
    gate.proxy.hold(UP)
    check_problem(gate.order("k"), 503, "STORE_UNAVAILABLE", "gateway")
    gate.proxy.cut()
    reconnected(gate)
    wait_until(lambda: gate.order("k").status == 200, 10)
    assert gate.orders() == 1


def test_clients_that_leave_over_the_limit(host, redis):    # noqa: F811
    """Between the verdicts of the two names, some of them: whatever was won
    by then is given up."""
    gate = host("both", server="order_guard_limit 1r/h;")   # noqa: F811
    gate.order("first")
    for n in range(300):
        client.leave(gate.port, order_bytes(f"k{n}")).close()
    gate.finished(301, 20)
    wait_until(lambda: redis.records() == sorted(name_of("both", "first")), 5)
    wait_until(lambda: spent(redis) == 1, 5)


@pytest.mark.both_stores
def test_retry_under_two_names(host):
    """An order of an owner that died runs again when its lease is over."""
    gate = host("both",                                     # noqa: F811
                rule="required ttl=1h lease=1s on_unknown=retry")
    dying = client.leave(gate.port, order_bytes("k", "hold=dead"))
    gate.upstream.wait_for_requests(1)
    gate.nginx.kill_worker()
    dying.close()
    gate.upstream.release("dead")
    wait_until(lambda: gate.order("k").status == 200, 6)


def test_unknown_under_retry_frees_both_names(host, redis):
    gate = host("both",                                     # noqa: F811
                rule="required ttl=1h lease=1s on_unknown=retry")
    gate.order("k", "reset")
    wait_until(lambda: redis.records() == [], 5)


@pytest.mark.both_stores
def test_a_long_order_under_two_names(host):
    """Both claims are renewed, each by the lease that was configured."""
    gate = host("both", rule="required ttl=1h lease=1s")    # noqa: F811
    order = Later(gate.order, "k", "hold=k")
    gate.upstream.wait_for_requests(1)
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert gate.order("k").code == "IDEMPOTENCY_IN_PROGRESS"
        time.sleep(0.05)
    gate.upstream.release("k")
    gate.check_replays(order.value(), "k")


@pytest.mark.both_stores
def test_what_an_answer_tells_under_two_names(host):
    gate = host("both", server="order_guard_limit 2r/h;")   # noqa: F811
    answer = gate.order("k")
    assert answer.header("RateLimit").startswith('"2r/h";r=1;t=3')
    wait_until(lambda: int(gate.order("k").header("Age")) > 0, 5)
    order = Later(gate.order, "l", "hold=l")
    gate.upstream.wait_for_requests(2)
    assert gate.order("l").header("Retry-After") == "1"
    gate.upstream.release("l")
    order.value()


def test_in_one_write_while_the_time_is_not_known(host, proxied):  # noqa: F811
    """A worker's first order with a limit asks for the store's time first:
    both names wait for it."""
    gate = host("both", make=proxied,                       # noqa: F811
                location="order_guard_limit 50r/h;")
    gate.nginx.reload()
    assert gate.order("k").status == 200
    claims = [chunk for connection in gate.proxy.connections
              for chunk in connection.chunks(UP)
              if b"NX" in chunk and b"}:i:" in chunk]
    former, current = (name.encode() for name in name_of("both"))
    assert all((former in chunk) == (current in chunk) for chunk in claims)
