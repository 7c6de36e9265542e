"""wait=N: who has claimed is told when N replicas have the claim, and gives it
up where they have not."""

import pytest

from og.faulty import UP, gate, proxied, reconnected        # noqa: F401
from og.gate import replayed
from og.parallel import Later, together
from og.problem import check_problem
from og.paths import SLOW
from og.process import wait_until
from og.redis import commands

TIMEOUT = int(600 * SLOW)   # ms: Redis ends a WAIT up to 100 ms late


@pytest.fixture
def replicated(proxied, own_redis):                         # noqa: F811
    """make(**gate's): one with wait=1 whose store has a `.replica` that is in
    step."""
    def make(**more):
        made = proxied(["--repl-diskless-sync-delay", "0"], "wait=1",
                       timeout=TIMEOUT, **more)
        made.replica = own_redis("--replicaof", "127.0.0.1", made.redis.port)
        wait_until(lambda: acknowledged(made.redis), 20,
                   "the replica does not come")
        made.redis.command("CONFIG", "RESETSTAT")
        return made
    return make


def acknowledged(redis):
    """Whether a write is in the replica at once. Before the first one that it
    was sent, offset 0 is acknowledged at once, too."""
    with redis.session() as session:
        session.command("SET", "in step", 1, "PX", 1)
        return (session.command("WAIT", 1, 50) == 1
                and b"offset=0," not in session.command("INFO",
                                                        "replication"))


def writes(gate):                                           # noqa: F811
    """The commands of each write that has a WAIT, but for the greeting's."""
    return [[words[0] for words in commands(chunk)]
            for connection in gate.proxy.connections
            for chunk in connection.chunks(UP)
            if b"\r\nWAIT\r\n" in chunk and b"KILL" not in chunk]


def refused(gate, key):                                     # noqa: F811
    check_problem(gate.order(key), 503, "STORE_UNAVAILABLE", "gateway")


def test_claims_that_a_replica_has(replicated):             # noqa: F811
    """The record is there when the order runs; the answer and a release go
    without a WAIT."""
    gate = replicated()
    first = Later(gate.order, "k", "hold=a")
    gate.upstream.wait_for_requests(1)
    assert len(gate.replica.records()) == 1
    gate.upstream.release("a")
    assert first.value().status == 200
    assert gate.order("l", "status=429").status == 429
    wait_until(lambda: len(gate.redis.records()) == 1)
    assert gate.redis.calls()["wait"] == 2
    assert all(words[-2:] == ["SET", "WAIT"] for words in writes(gate))
    gate.check_replays(first.value(), "k")


def test_no_replica(proxied):                               # noqa: F811
    gate = proxied(timeout=TIMEOUT, params="wait=1",
                   location="order_guard_limit 10r/m;")
    for _ in range(2):
        refused(gate, "k")
    gate.logged("has claims that 0 of 1 replicas know")
    wait_until(lambda: not gate.redis.records(), what="a key is not free")
    wait_until(lambda: gate.redis.units() == 0, what="units are kept")
    assert gate.arrived() == 0


def test_claims_behind_a_count(replicated):                 # noqa: F811
    """Who has little left is counted first, and claims in a write of its
    own: that one is waited for."""
    gate = replicated(location="order_guard_limit 10r/m;")
    for n in range(9):
        assert gate.order(f"k{n}").status == 200
    assert gate.redis.calls()["wait"] == 9
    gate.replica.pause()
    refused(gate, "last")
    wait_until(lambda: gate.redis.units() == 9, what="a unit is kept")
    gate.replica.resume()
    wait_until(lambda: gate.order("last").status == 200, 10)
    assert gate.orders() == 10


def test_two_names_of_a_record_share_a_wait(replicated,     # noqa: F811
                                            tmp_path):
    (tmp_path / "secret").write_bytes(bytes(range(32)))
    gate = replicated(http=f"order_guard_secret {tmp_path}/secret none;")
    first = gate.order("k")
    assert sum(words.count("WAIT") for words in writes(gate)) == 1
    assert len(gate.replica.records()) == 2
    gate.check_replays(first, "k")
    gate.replica.pause()
    refused(gate, "l")
    wait_until(lambda: len(gate.redis.records()) == 2, what="not free")
    gate.replica.resume()


def test_too_few_replicas(replicated):                      # noqa: F811
    gate = replicated()
    gate.replica.pause()
    refused(gate, "k")
    gate.logged("claims that 0 of 1")
    gate.replica.resume()
    wait_until(lambda: gate.order("k").status == 200, 10)
    assert gate.orders() == 1


def test_what_is_known_does_not_wait_for_replicas(          # noqa: F811
        replicated):
    """An answer that stands in the store is replayed without them, and an
    order that runs ends without them."""
    gate = replicated()
    done = gate.order("done")
    running = Later(gate.order, "running", "hold=a")
    gate.upstream.wait_for_requests(2)
    gate.replica.pause()
    gate.upstream.release("a")
    assert running.value().status == 200
    gate.check_replays(done, "done")
    gate.check_replays(running.value(), "running")
    assert "[error]" not in gate.nginx.error_log()
    gate.replica.resume()


def test_claims_share_a_wait(replicated):                   # noqa: F811
    gate = replicated()
    together(60, lambda n: gate.order(f"k{n}"))
    calls = gate.redis.calls()
    assert gate.orders() == 60
    assert 0 < calls["wait"] < 50, calls


def test_connection_lost_while_replicas_are_waited_for(     # noqa: F811
        replicated):
    """503, the key is free in the end, and nothing has run."""
    gate = replicated()
    gate.replica.pause()
    first = Later(gate.order, "k")
    wait_until(gate.redis.records)
    gate.proxy.cut()
    check_problem(first.value(), 503, "STORE_UNAVAILABLE")
    gate.replica.resume()
    wait_until(lambda: not gate.redis.records(), 10, "a key is not free")
    assert gate.arrived() == 0
    wait_until(lambda: gate.order("k").status == 200, 10)


def test_acknowledged_too_late(replicated):                 # noqa: F811
    """The order has got its 503 when the WAIT is answered."""
    gate = replicated()
    gate.proxy.hold("down")
    refused(gate, "k")
    gate.proxy.deliver()
    wait_until(lambda: not gate.redis.records(), what="a key is not free")
    wait_until(lambda: gate.order("k").status == 200, 10)
    assert gate.orders() == 1
    assert not replayed(gate.order("l"))


def test_wait_that_the_acl_refuses(proxied, tmp_path):      # noqa: F811
    """Told when the connection is made, and no claim stands."""
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "users.acl").write_text(
        "user default on nopass ~* &* +@all\n"
        "user gw on >s3cret ~og:* -@all +set +get +del +incr +decr +mget "
        "+pexpire +pttl +time +info +client|id +client|kill "
        "+client|setname\n")
    gate = proxied(redis=["--aclfile", tmp_path / "users.acl"], user="gw@",
                   params=f"password_file={tmp_path}/password wait=1")
    gate.logged("its ACL must allow +wait")
    refused(gate, "k")
    wait_until(lambda: not gate.redis.records(), what="a key is not free")
    assert gate.arrived() == 0
    wait_until(lambda: gate.order("k").status == 503 and
               'answered WAIT with NOPERM for "wait"'
               in gate.nginx.error_log(), 5)
