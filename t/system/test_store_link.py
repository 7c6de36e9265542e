"""The connection while all is well: one for a worker, one write for a turn of
the event loop, and the ways to reach a store."""

import os
import signal

from og import client
from og.faulty import UP, gate, proxied, ready, reconnected  # noqa: F401
from og.gate import order_bytes
from og.process import wait_until


def test_limit_and_claim_in_one_write(proxied):             # noqa: F811
    gate = proxied(location="order_guard_limit 50r/m;")
    assert gate.order("k").status == 200
    writes = [chunk for connection in gate.proxy.connections
              for chunk in connection.chunks(UP) if b"INCR" in chunk]
    assert len(writes) == 1
    assert all(word in writes[0] for word in
               (b"SET", b"NX", b"GET", b"PX", b"PEXPIRE", b"MGET"))


def test_orders_of_one_turn_leave_in_one_write(proxied):    # noqa: F811
    """The worker is stopped until thirty orders are there."""
    gate = proxied(location="order_guard_limit 500r/m;")
    worker = gate.nginx.worker_pids()[0]
    os.kill(worker, signal.SIGSTOP)
    sockets = [client.leave(gate.port, order_bytes(f"k{n}"))
               for n in range(30)]
    os.kill(worker, signal.SIGCONT)
    gate.upstream.wait_for_requests(30)
    writes = [chunk for connection in gate.proxy.connections
              for chunk in connection.chunks(UP) if b"INCR" in chunk]
    assert sum(chunk.count(b"INCR") for chunk in writes) == 30
    assert len(writes) < 30             # a slow machine takes some turns
    for sock in sockets:
        sock.close()


def test_one_connection_for_a_worker(proxied):              # noqa: F811
    gate = proxied(workers=2)
    for n in range(20):
        assert gate.order(f"k{n}").status == 200
    assert len(gate.proxy.connections) == 2


def test_closed_while_idle(proxied):                        # noqa: F811
    """A server may close what is idle; that is no error."""
    gate = proxied()
    gate.redis.command("CLIENT", "KILL", "TYPE", "normal")
    wait_until(lambda: len(gate.proxy.connections) == 2)
    reconnected(gate)
    assert gate.order("k").status == 200
    assert "[error]" not in gate.nginx.error_log()


def test_unix_socket_and_database(gate, own_redis, tmp_path):  # noqa: F811
    path = tmp_path / "redis.sock"
    redis = own_redis("--unixsocket", path, "--unixsocketperm", "777")
    gate = gate(store=f"unix:{path} db=3 prefix=shop:")
    assert gate.order("k").status == 200
    gate.check_replays(gate.order("k"), "k")
    assert redis.keys() == []
    assert b"db3:keys=2" in redis.command("INFO", "keyspace")


def test_name_with_two_addresses(gate, own_redis):          # noqa: F811
    redis = own_redis()
    gate = gate(store=f"redis://localhost:{redis.port}")
    wait_until(lambda: gate.order("k").status == 200)
    redis.restart()
    wait_until(lambda: gate.order("l").status == 200, 10)
