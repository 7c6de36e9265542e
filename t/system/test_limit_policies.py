"""The table of limits (og/policies.py), each row in a location of its own,
by one gateway and by two in turn."""

import pytest

from og import client
from og.gate import gate                                    # noqa: F401
from og.limits import named
from og.policies import ROWS

LOCATION = """
    location /row-{n} {{
        order_guard on;
        order_guard_idempotency off;
        {rules}
        proxy_pass http://orders/page;
    }}
"""


def served(make):
    """A gateway with every row; names are the same in all locations, so each
    row has callers of its own."""
    return make(rule="off", server="".join(
        LOCATION.format(n=n, rules=row.rules)
        for n, row in enumerate(ROWS.values())))


@pytest.mark.parametrize("count", [1, 2], ids=["alone", "in turn"])
def test_the_table(gate, redis, count):                     # noqa: F811
    gates = [served(gate) for _ in range(count)]
    for n, (name, row) in enumerate(ROWS.items()):
        redis.command("FLUSHALL")
        first, passed = None, []
        for caller, query, times in row.asks:
            statuses = []
            for i in range(times):
                answer = client.request(
                    gates[i % count].port, row.method, f"/row-{n}{query}",
                    None, named(f"{caller}-{n}") if caller else {})
                first = first or answer
                statuses.append(answer.status)
            good = [status for status in statuses if status < 400]
            assert statuses == good + [429] * (times - len(good)), name
            passed.append(len(good))
        assert passed == row.pass_, name
        assert first.header("RateLimit-Policy") == row.policy, name
