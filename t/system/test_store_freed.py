"""A claim that was to be freed, and is not yet, is nobody's: not its former
owner's either."""

from og.faulty import UP, gate, proxied                     # noqa: F401
from og.limits import TOLD, ask, order_of
from og.problem import check_problem
from og.process import wait_until


def test_who_cannot_free_a_key_does_not_go_on_with_it(proxied):  # noqa: F811
    """It was claimed beyond the limit; the store refuses to free it, and has
    room when it is asked again: the claim is on its way out, and no order is
    made under it."""
    gate = proxied(location=TOLD + "order_guard_limit 20r/h;",  # noqa: F811
                   timeout=5000)
    redis, counts = gate.redis, []
    assert ask(gate).status == 200
    counter, = redis.counters()
    redis.command("SET", counter, 20)
    redis.command("ACL", "SETUSER", "default", "-del")

    def make_room(chunk):
        """When it counts for the second time."""
        if b"INCR" in chunk:
            counts.append(chunk)
        if b"INCR" in chunk and len(counts) == 2:
            redis.command("SET", counter, 0)
        return chunk
    gate.proxy.mangle(make_room, UP)

    check_problem(order_of(gate, "k"), 429, "RATE_LIMITED", "gateway")
    redis.command("ACL", "SETUSER", "default", "+del")
    wait_until(lambda: redis.records() == [], 5, gate.nginx.error_log())
    assert gate.orders() == 0
