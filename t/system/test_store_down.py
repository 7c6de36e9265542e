"""A store that does not answer, is gone, refuses, or talks nonsense."""

import socket
import threading
import time

import pytest

from og.faulty import (DOWN, TIMEOUT, UP, gate, proxied,    # noqa: F401
                       reconnected)
from og.gate import replayed
from og.parallel import Later, together
from og.problem import check_problem
from og.process import free_port, wait_until

AT_ONCE = TIMEOUT / 1000 / 2        # s: nothing was waited for


def refused(gate, key="z"):                                 # noqa: F811
    """503, and how long that took."""
    began = time.monotonic()
    problem = check_problem(gate.order(key), 503, "STORE_UNAVAILABLE",
                            "gateway")
    assert problem["retryable"] is True
    return time.monotonic() - began


def refused_at_once(gate):                                  # noqa: F811
    wait_until(lambda: refused(gate) < AT_ONCE, 10,
               "every order waits for a dead store")
    assert max(refused(gate) for _ in range(5)) < AT_ONCE


def works_again(gate):                                      # noqa: F811
    wait_until(lambda: gate.order("again").status == 200, 10,
               gate.nginx.error_log())


def free_again(gate):                                       # noqa: F811
    """No key of an order that got 503 is kept."""
    wait_until(lambda: len(gate.redis.records()) == 1, 10,
               "claims are left behind")


def test_paused_and_resumed(proxied):                       # noqa: F811
    gate = proxied()
    connections = len(gate.proxy.connections)
    gate.redis.pause()
    first = together(5, lambda n: refused(gate, f"k{n}"))
    assert max(first) < TIMEOUT / 1000 + 1
    refused_at_once(gate)

    gate.redis.resume()
    works_again(gate)
    free_again(gate)
    assert len(gate.proxy.connections) == connections
    assert gate.orders() == 1


def test_silent_for_long(proxied):                          # noqa: F811
    """The connection is given up, and the next ones are not believed."""
    gate = proxied()
    gate.proxy.blackhole()
    refused(gate, "k")
    gate.logged("it has gone silent", 10 * TIMEOUT / 1000 + 5)
    gate.logged("cannot be reached", 10)
    refused_at_once(gate)

    gate.proxy.pass_on()
    works_again(gate)
    gate.logged("can be reached again")
    gate.check_free("k")


def test_refused_connections(proxied):                      # noqa: F811
    gate = proxied()
    gate.proxy.refuse()
    gate.proxy.cut()
    gate.logged("cannot be reached", 10)
    refused_at_once(gate)
    time.sleep(1)
    told = gate.nginx.error_log().count("[error]")
    assert told <= 8, "the log is flooded"

    gate.proxy.accept()
    works_again(gate)


def test_killed_and_restarted_without_its_data(proxied):    # noqa: F811
    """The running order is claimed again, before others can."""
    gate = proxied(rule="required ttl=1h lease=60s")
    first = Later(gate.order, "running", "hold=a")
    gate.upstream.wait_for_requests(1)
    gate.redis.kill()
    gate.logged("cannot be reached", 10)
    refused_at_once(gate)

    gate.redis.restart()
    reconnected(gate)
    gate.logged("has lost its data")
    wait_until(lambda: len(gate.redis.records()) == 1, what="not claimed")
    check_problem(gate.order("running"), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("a")
    gate.check_replays(first.value(), "running")
    assert gate.orders() == 1


def test_killed_and_restarted_with_older_data(proxied):     # noqa: F811
    """What came after the last snapshot is gone: so is a running claim."""
    gate = proxied(rule="required ttl=1h lease=60s")
    first = gate.order("ended")
    gate.redis.command("SAVE")
    running = Later(gate.order, "running", "hold=a")
    gate.upstream.wait_for_requests(2)
    gate.redis.restart()
    reconnected(gate)
    wait_until(lambda: len(gate.redis.records()) == 2, what="not claimed")
    check_problem(gate.order("running"), 409, "IDEMPOTENCY_IN_PROGRESS")
    assert "lost its data" not in gate.nginx.error_log()
    gate.upstream.release("a")
    gate.check_replays(running.value(), "running")
    gate.check_replays(first, "ended")
    assert gate.orders() == 2


def test_flushed_while_in_use(proxied):                     # noqa: F811
    gate = proxied(rule="required ttl=1h lease=60s")
    first = Later(gate.order, "running", "hold=a")
    gate.upstream.wait_for_requests(1)
    gate.redis.command("FLUSHALL")
    wait_until(lambda: gate.order("other").status == 200
               and "lost its data" in gate.nginx.error_log(), 5)
    wait_until(lambda: len(gate.redis.records()) == 2, what="not claimed")
    check_problem(gate.order("running"), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("a")
    gate.check_replays(first.value(), "running")


def test_claim_deleted_while_running(proxied):              # noqa: F811
    """The renewal notices, and claims again."""
    gate = proxied(rule="required ttl=1h lease=1s")
    first = Later(gate.order, "k", "hold=a")
    gate.upstream.wait_for_requests(1)
    key = gate.redis.records()[0]
    gate.redis.command("DEL", key)
    wait_until(gate.redis.records, what="not claimed again")
    gate.upstream.release("a")
    gate.check_replays(first.value(), "k")


def test_foreign_record_is_a_double_run(proxied):           # noqa: F811
    gate = proxied()
    first = Later(gate.order, "k", "hold=a")
    gate.upstream.wait_for_requests(1)
    key = gate.redis.records()[0]
    other = bytearray(gate.redis.command("GET", key))
    other[5] ^= 1                       # of the owner's nonce
    gate.redis.command("SET", key, bytes(other))
    gate.upstream.release("a")
    assert first.value().status == 200
    gate.logged("double run")


@pytest.mark.parametrize("spoil", [
    lambda redis, key: redis.command("SET", key, "no record"),
    lambda redis, key: redis.command("SETRANGE", key, 0, "\x7f"),
    lambda redis, key: (redis.command("DEL", key),
                        redis.command("LPUSH", key, "x")),
])
def test_record_that_cannot_be_read(proxied, spoil):        # noqa: F811
    """It is never taken for a free key."""
    gate = proxied()
    assert gate.order("k").status == 200
    spoil(gate.redis, gate.redis.records()[0])
    for _ in range(2):
        refused(gate, "k")
    assert gate.orders() == 1


def test_full(proxied):                                     # noqa: F811
    """Answers are stored when there is room again; what is known is told."""
    gate = proxied()
    done = gate.order("done")
    first = Later(gate.order, "k", "hold=a")
    gate.upstream.wait_for_requests(2)
    gate.redis.command("CONFIG", "SET", "maxmemory", "1")
    gate.upstream.release("a")
    assert first.value().status == 200
    gate.logged("OOM")
    refused(gate, "new")
    gate.check_replays(done, "done")
    assert not replayed(gate.order("k"))
    assert gate.orders() == 2

    gate.redis.command("CONFIG", "SET", "maxmemory", "0")
    wait_until(lambda: replayed(gate.order("k")), 10, "never stored")
    gate.check_replays(first.value(), "k")


def test_becomes_a_replica(proxied):                        # noqa: F811
    gate = proxied()
    gate.redis.command("REPLICAOF", "127.0.0.1", free_port())
    refused(gate)
    wait_until(lambda: refused(gate) < AT_ONCE
               and "cannot be reached" in gate.nginx.error_log(), 10,
               gate.nginx.error_log())
    gate.redis.command("REPLICAOF", "NO", "ONE")
    works_again(gate)


@pytest.mark.parametrize("nonsense", [
    b"\x00 no reply\r\n", b"$5\r\nab\r\n*9\r\n", b"*1000000000\r\n",
    b"*2\r\n*1\r\n:1\r\n:1\r\n", b":12a\r\n", b"$-1\r\n$-1\r\n",
    b":1\r\n", b"+OK\r\n", b"$3\r\nabc\r\n", b"%2\r\n+a\r\n+b\r\n",
    b"-ERR one\r\n-ERR two\r\n", b"$99999999999\r\n",
])
def test_nonsense(proxied, nonsense):                       # noqa: F811
    """No crash, no wrong answer, and the key is free in the end."""
    gate = proxied()
    gate.proxy.garble(nonsense)
    answer = gate.order("k")
    assert answer.status in (200, 503), answer
    works_again(gate)
    if answer.status == 503:
        wait_until(lambda: gate.order("k").status == 200, 10,
                   gate.nginx.error_log())
    assert gate.orders() == 2


def test_wrong_password(gate, own_redis, tmp_path):         # noqa: F811
    redis = own_redis()
    redis.command("CONFIG", "SET", "requirepass", "right")
    (tmp_path / "password").write_text("wr0ng\n")
    gate = gate(store=f"redis://127.0.0.1:{redis.port}/0 "
                      f"password_file={tmp_path}/password")
    gate.logged("AUTH was refused")
    refused(gate)
    assert "wr0ng" not in gate.nginx.error_log()


def test_cluster_node(gate, own_redis):                     # noqa: F811
    redis = own_redis("--cluster-enabled", "yes",
                      "--cluster-port", free_port())
    gate = gate(store=f"redis://127.0.0.1:{redis.port}")
    gate.logged('use "redis+cluster://" for a cluster')
    refused(gate)


def test_evicting_store_is_told_once(proxied):              # noqa: F811
    gate = proxied(redis=["--maxmemory-policy", "allkeys-lru"])
    gate.proxy.cut()
    reconnected(gate)
    assert gate.nginx.error_log().count('maxmemory_policy "allkeys-lru"') == 1


class Scripted:
    """A server that gives one answer to whatever it is sent first."""

    def __init__(self, answer):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                sock = self._listener.accept()[0]
                sock.settimeout(5)
                sock.recv(65536)
                sock.sendall(self._answer)
                sock.recv(65536)
                sock.close()
            except OSError:
                if self._listener.fileno() == -1:
                    return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def info(version, role="role:master"):
    text = f"# Server\r\nredis_version:{version}\r\nrun_id:{'a' * 40}\r\n"
    return (f"${len(text)}\r\n{text}\r\n+OK\r\n:1\r\n"
            f"${len(role)}\r\n{role}\r\n$0\r\n\r\n"
            "*2\r\n$1\r\n1\r\n$1\r\n1\r\n").encode()


@pytest.mark.parametrize("answer,words", [
    (info("6.2.14"), "is a Redis 6.2.14, at least 7.0 is needed"),
    (info("x"), "is a Redis x, at least 7.0 is needed"),
    (b"-LOADING Redis is loading the dataset in memory\r\n" * 6,
     "it is loading its data"),
    (b"-ERR max number of clients reached\r\n" * 6, "INFO was refused"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what is no reply"),
    (b"+OK\r\n" * 6, "INFO was refused"),
    (b"+OK\r\n" * 7, "a reply to nothing"),
    (info("7.0.0", "role:slave"), "it is a replica"),
    (info("7.0.0", "role:"), "it is a replica"),
    (info("7.0.0", ""), "it does not tell its role"),
    (info("7.0.0") + b"+OK\r\n", "a reply to nothing"),
])
def test_server_that_is_not_fit(gate, answer, words):       # noqa: F811
    with Scripted(answer) as server:
        gate = gate(store=f"redis://127.0.0.1:{server.port}/0")
        gate.logged(words)
        refused(gate)


def test_comes_up_after_nginx(gate, own_redis):             # noqa: F811
    port = free_port()
    gate = gate(store=f"redis://127.0.0.1:{port}/0 timeout={TIMEOUT}ms",
                location="order_guard_limit 50r/m;")
    refused(gate)
    redis = own_redis(port=port)
    works_again(gate)
    slots = [int(key.rsplit(":", 1)[1]) for key in redis.counters()]
    assert slots and all(abs(slot - time.time() // 3) <= 2 for slot in slots)
