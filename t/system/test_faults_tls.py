"""Each thing that a connection behind TLS asks for fails in turn (t/lib/
faults.c): nothing is kept of it, and the next attempt is a connection."""

from og.fault_cases import CASES
from og.faults import (LINK, REQUEST, FailingGate, exchange,
                       failing_module)                      # noqa: F401
from og.process import wait_until
from og.tls import certificates, tls_redis                  # noqa: F401

STORES = 2              # of a FailingGate, at one server


def ready(redis):
    """Whether the gateway has greeted and fenced, once for each store."""
    clients = redis.command("CLIENT", "LIST").decode().splitlines()
    return len([line for line in clients if " name=order-guard " in line
                and " cmd=pttl " in line]) == STORES


def no_more(now, before):
    """A reply that has not arrived yet holds a few blocks."""
    return now[0] <= before[0] and now[1] == before[1]


def test_each_step_fails(failing_module, tls_redis,         # noqa: F811
                         certificates, tmp_path):           # noqa: F811
    redis, case = tls_redis(), CASES["claim"]
    store = (f"{redis.secure} ca={certificates['ca']} timeout=500ms "
             "server_name=redis.example")
    with FailingGate(tmp_path, failing_module,
                     (store, f"{store} prefix=other:"),
                     case.location()) as gate:
        wait_until(lambda: ready(redis))
        held, number, failed = gate.faults.held(), 0, True
        while failed:
            number += 1
            gate.faults.arm(number, 1, LINK | REQUEST)
            redis.command("CLIENT", "KILL", "TYPE", "normal")
            wait_until(lambda: ready(redis), 10, gate.nginx.error_log())
            failed = gate.faults.disarm()
        assert number > 20
        wait_until(lambda: no_more(gate.faults.held(), held), 5,
                   f"{held} blocks and pools became {gate.faults.held()}")
        answer = exchange(gate.port, *case.steps("k"))
        assert answer.status == case.status
