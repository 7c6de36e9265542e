"""Each error that a store can reply with has one meaning (stores.md, "What a
store may answer"): the connection ends, or only writes fail, or one order."""

import os
import threading
import time
from contextlib import contextmanager

import pytest

from og.faulty import gate, proxied, reconnected            # noqa: F401
from og.gate import replayed
from og.limits import TOLD, order_of, told
from og.parallel import Later
from og.problem import check_problem
from og.paths import SLOW
from og.process import free_port, wait_until
from og.redis import RedisError, commands

RIGHTS = ("set", "get", "del", "incr", "decr", "mget", "pexpire", "pttl",
          "time", "info", "auth", "client|id", "client|kill",
          "client|setname", "watch", "unwatch", "multi", "exec")
PASS = "order_guard_idempotency_on_failure pass;"
LIMIT = TOLD + "order_guard_limit 50r/m;"


def refused(gate, key="z"):                                 # noqa: F811
    check_problem(gate.order(key), 503, "STORE_UNAVAILABLE", "gateway")


def works_again(gate, key="again"):                         # noqa: F811
    wait_until(lambda: gate.order(key).status == 200, 10,
               gate.nginx.error_log())


def greeted(gate):                                          # noqa: F811
    return len(gate.proxy.connections)


# the server cannot serve now: the connection is failed

@contextmanager
def loading(redis):
    redis.command("CONFIG", "SET", "loading-process-events-interval-bytes",
                  1024, "key-load-delay", 1000)
    redis.command("DEBUG", "POPULATE", 4000, "other", 100)
    done = threading.Event()

    def reload():
        try:
            redis.command("DEBUG", "RELOAD")
        finally:
            done.set()
    threading.Thread(target=reload, daemon=True).start()

    def is_loading():
        try:
            redis.command("GET", "x")
        except RedisError as error:
            return str(error).startswith("LOADING")
    wait_until(is_loading)
    yield
    redis.command("CONFIG", "SET", "key-load-delay", 0)
    assert done.wait(20)


@contextmanager
def replica(redis):
    redis.command("REPLICAOF", "127.0.0.1", free_port())
    yield
    redis.command("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize("unfit,clause", [
    (loading, "it is loading its data"), (replica, "it is a replica")])
def test_server_that_cannot_serve_now(proxied, unfit,       # noqa: F811
                                      clause):
    """A real one, in use and at the next connection; what it refuses has not
    run."""
    gate = proxied()
    first = gate.order("done")
    connections = greeted(gate)
    with unfit(gate.redis):
        refused(gate, "k")
        gate.logged("lost its connection")
        gate.logged("cannot be used at", 10)
        wait_until(lambda: gate.nginx.error_log().count(clause) >= 2, 5)
        assert greeted(gate) > connections
        assert gate.orders() == 1
    works_again(gate, "k")
    gate.check_replays(first, "done")
    assert gate.orders() == 2


def replies(error):
    """What a server says that refuses every command of a write so."""
    return lambda chunk: (f"-{error}\r\n" * len(commands(chunk))).encode()


@pytest.mark.parametrize("error,clause", [
    ("LOADING loading", "it is loading its data"),
    ("MASTERDOWN Link with MASTER is down",
     "it is a replica that has lost its master"),
    ("READONLY You can't write", "it is a replica"),
    ("NOAUTH Authentication required.",
     "it wants a password, see password_file="),
    ("WRONGPASS invalid", "AUTH was refused, see password_file="),
])
@pytest.mark.parametrize("new", [False, True])
def test_reply_that_ends_the_connection(proxied, error,     # noqa: F811
                                        clause, new):
    """To an order, or to a greeting."""
    gate = proxied()
    gate.proxy.answer(replies(error), new)
    if new:
        gate.proxy.cut()
        gate.logged("lost its connection")
        wait_until(lambda: greeted(gate) >= 3, 5)
    else:
        refused(gate, "k")
        gate.logged(f"lost its connection to 127.0.0.1:{gate.proxy.port}: "
                    f"{clause}")
    works_again(gate, "k")
    assert gate.orders() == 1
    if new:
        return
    assert gate.redis.records() and len(gate.redis.records()) == 1


# it writes nothing, but knows what it knows

def no_memory(redis):
    redis.command("CONFIG", "SET", "maxmemory", 1)
    return "OOM", lambda: redis.command("CONFIG", "SET", "maxmemory", 0)


def no_replicas(redis):
    redis.command("CONFIG", "SET", "min-replicas-to-write", 1)
    return "NOREPLICAS", lambda: redis.command(
        "CONFIG", "SET", "min-replicas-to-write", 0)


def no_disk(redis):
    os.mkdir(os.path.join(redis.folder, "dump.rdb"))
    redis.command("CONFIG", "SET", "save", "3600 1")
    redis.command("BGSAVE")
    wait_until(lambda: b"rdb_last_bgsave_status:err"
               in redis.command("INFO", "persistence"))
    return "MISCONF", lambda: redis.command("CONFIG", "SET", "save", "")


@pytest.mark.parametrize("full", [no_memory, no_replicas, no_disk])
def test_store_that_writes_nothing(proxied, full):          # noqa: F811
    """Real ones. New orders are refused, answers are told, also by the next
    connection, and what ends meanwhile is stored later."""
    gate = proxied(rule="required ttl=1h lease=60s")
    done = gate.order("done")
    running = Later(gate.order, "running", "hold=a")
    freed = Later(gate.order, "freed", "hold=b,status=429")
    gate.upstream.wait_for_requests(3)
    code, mend = full(gate.redis)

    for _ in range(2):
        refused(gate, "new")
        gate.logged(code)
        gate.check_replays(done, "done")
        check_problem(gate.order("running"), 409, "IDEMPOTENCY_IN_PROGRESS")
        gate.proxy.cut()
        reconnected(gate)

    gate.upstream.release("a")
    gate.upstream.release("b")
    assert (running.value().status, freed.value().status) == (200, 429)
    mend()
    wait_until(lambda: replayed(gate.order("running")), 10, "never stored")
    gate.check_replays(running.value(), "running")
    wait_until(lambda: gate.order("freed").status == 200, 10, "never freed")
    assert gate.orders() == 3


# an ACL

@pytest.fixture
def guarded(proxied, tmp_path):                             # noqa: F811
    """make(*rights that are missing): a gate whose user has the others."""
    def make(*missing, **more):
        rights = " ".join("+" + right for right in RIGHTS
                          if right not in missing)
        (tmp_path / "password").write_text("s3cret\n")
        (tmp_path / "users.acl").write_text(
            "user default on nopass ~* &* +@all\n"
            f"user gw on >s3cret ~og:* -@all {rights}\n")
        return proxied(["--aclfile", tmp_path / "users.acl"],
                       f"password_file={tmp_path}/password", "gw@", **more)
    return make


def test_user_with_all_rights(guarded):
    gate = guarded(location=LIMIT)
    assert told(order_of(gate, "k")) == (200, "PASSED")
    assert replayed(order_of(gate, "k"))
    assert "NOPERM" not in gate.nginx.error_log()
    assert "must allow" not in gate.nginx.error_log()


@pytest.mark.parametrize("missing,words", [
    (["get"], "its ACL must allow +get on"),
    (["del", "pexpire", "pttl"], "its ACL must allow +del +pexpire +pttl on"),
])
def test_rights_are_missed_when_it_connects(guarded,
                                            missing, words):
    """Before the first order, and no connection is failed for it."""
    gate = guarded(*missing)
    gate.logged(words)
    assert gate.order("k").status == 200
    assert greeted(gate) == 1


@pytest.mark.parametrize("missing,words", [
    ("set", 'SET was refused, the ACL must allow it on the keys of '
     '"prefix=", it answered NOPERM for "set"'),
    ("info", 'INFO was refused, the ACL must allow it, it answered NOPERM '
     'for "info"'),
    ("time", "TIME was refused, the ACL must allow it"),
    ("client|id", "CLIENT ID was refused, the ACL must allow it"),
])
def test_rights_that_nothing_works_without(gate, own_redis,  # noqa: F811
                                           tmp_path, missing, words):
    rights = " ".join("+" + right for right in RIGHTS if right != missing)
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "users.acl").write_text(
        f"user default on nopass ~* &* +@all\n"
        f"user gw on >s3cret ~og:* -@all {rights}\n")
    redis = own_redis("--aclfile", tmp_path / "users.acl")
    gate = gate(store=f"redis://gw@127.0.0.1:{redis.port} "
                      f"password_file={tmp_path}/password")
    gate.logged(words)
    refused(gate)
    assert "s3cret" not in gate.nginx.error_log()


def told_of_orders(gate, key, words):                       # noqa: F811
    """Orders pass, and for more than a second, in which the connection is
    probed, too."""
    began = time.monotonic()

    def is_told():
        answer = gate.order(key)
        assert answer.status == 200 and not replayed(answer)
        return (words in gate.nginx.error_log()
                and time.monotonic() - began > 1.2)
    wait_until(is_told, 10, gate.nginx.error_log())


def test_right_that_is_taken_away(guarded):
    """It is told which, the order fails, and the connection stays."""
    gate = guarded(location=PASS)
    key = "my-secret-key"
    gate.redis.command("ACL", "SETUSER", "gw", "-set")
    told_of_orders(gate, key, 'answered a claim with NOPERM for "set"')
    gate.redis.command("ACL", "SETUSER", "gw", "+set", "resetkeys", "~x:*")
    told_of_orders(gate, key, "answered a claim with NOPERM for a key")
    gate.redis.command("ACL", "SETUSER", "gw", "~og:*")
    assert not replayed(gate.order(key))
    assert replayed(gate.order(key))
    assert greeted(gate) == 1
    text = gate.nginx.error_log()
    assert key not in text and "s3cret" not in text


def test_settling_that_the_acl_refuses(guarded):
    """DEL refused in a transaction is EXECABORT: the key is freed when it may
    be."""
    gate = guarded()
    first = Later(gate.order, "k", "hold=a,status=429")
    gate.upstream.wait_for_requests(1)
    gate.redis.command("ACL", "SETUSER", "gw", "-del")
    gate.upstream.release("a")
    assert first.value().status == 429
    gate.logged('answered DEL with NOPERM for "del"')
    gate.logged("answered EXEC with EXECABORT")
    gate.redis.command("ACL", "SETUSER", "gw", "+del")
    wait_until(lambda: not gate.redis.records(), 10, "never freed")
    assert greeted(gate) == 1


def test_password_that_was_changed(guarded):
    """The user is deleted: its connections end, and the next are refused."""
    gate = guarded()
    gate.redis.command("ACL", "DELUSER", "gw")
    gate.logged("AUTH was refused, see password_file=", 10)
    refused(gate)
    assert "s3cret" not in gate.nginx.error_log()


def test_password_that_is_wanted_now(proxied):              # noqa: F811
    gate = proxied()
    with gate.redis.session() as session:
        session.command("CONFIG", "SET", "requirepass", "s3cret")
        gate.proxy.cut()
        gate.logged("it wants a password, see password_file=", 10)
        refused(gate)
        session.command("CONFIG", "SET", "requirepass", "")
    works_again(gate)


# keys that hold something else

@pytest.mark.parametrize("on_failure", ["", PASS])
def test_key_of_a_record_holds_something_else(proxied,      # noqa: F811
                                              on_failure):
    """It is never taken for free, whatever on_failure says, and stays."""
    gate = proxied(location=on_failure)
    assert gate.order("k").status == 200
    key, = gate.redis.records()
    gate.redis.command("DEL", key)
    gate.redis.command("LPUSH", key, "x")
    refused(gate, "k")
    gate.logged("answered a claim with WRONGTYPE")
    assert gate.redis.command("LRANGE", key, 0, -1) == [b"x"]
    assert (gate.orders(), greeted(gate)) == (1, 1)


@pytest.mark.parametrize("mode,said", [
    ("local", (200, "LOCAL")), ("pass", (200, "BYPASSED")),
    ("reject", (503, "BYPASSED"))])
@pytest.mark.parametrize("spoil", [("LPUSH", "x"), ("SET", "no number")])
def test_key_of_a_counter_holds_something_else(              # noqa: F811
        proxied, mode, said, spoil):
    """That limit fails, and the order is claimed all the same."""
    gate = proxied(location=LIMIT
                   + f"order_guard_limit_on_failure {mode};")
    assert told(order_of(gate, "first")) == (200, "PASSED")
    command, value = spoil
    for name in gate.redis.counters():
        caller, slot = name.rsplit(":", 1)
        for ahead in range(3):
            key = f"{caller}:{int(slot) + ahead}"
            gate.redis.command("DEL", key)
            gate.redis.command(command, key, value)
    assert told(order_of(gate, "k")) == said
    gate.logged("answered INCR with")
    if said[0] == 200:
        assert replayed(order_of(gate, "k"))
    else:
        wait_until(lambda: len(gate.redis.records()) == 1)
    assert greeted(gate) == 1


# the others

def test_script_that_runs(proxied):                         # noqa: F811
    gate = proxied()
    gate.redis.command("CONFIG", "SET", "busy-reply-threshold", 1)
    script = threading.Thread(target=script_without_end, args=[gate.redis],
                              daemon=True)
    script.start()
    wait_until(lambda: is_busy(gate.redis))
    refused(gate, "k")
    gate.logged("answered a claim with BUSY")
    gate.redis.command("SCRIPT", "KILL")
    script.join(10)
    works_again(gate, "k")
    assert gate.orders() == 1


def script_without_end(redis):
    try:
        redis.command("EVAL", "while true do end", 0)
    except RedisError:
        pass                        # killed


def is_busy(redis):
    try:
        redis.command("GET", "x")
    except RedisError as error:
        return str(error).startswith("BUSY")


@pytest.mark.parametrize("error", [
    "CLUSTERDOWN Hash slot not served", "EXECABORT Transaction discarded",
    "BUSY Redis is busy", "TRYAGAIN later", "ERR unknown command",
    "FUTURE a code of tomorrow", "",
])
def test_error_that_fails_one_order(proxied, error):        # noqa: F811
    """And nothing else: neither its connection, nor the next order."""
    gate = proxied()
    gate.proxy.answer(replies(error))
    refused(gate, "k")
    code = error.split(" ")[0]
    gate.logged(f"answered a claim with {code}")
    works_again(gate, "k")
    gate.check_replays(gate.order("k"), "k")
    assert (gate.orders(), greeted(gate)) == (1, 1)


# what is no reply to what was asked

TOO_LONG = b"$40000000\r\n" + b"x" * 33554500


@pytest.mark.parametrize("data,clause", [
    (b":1\r\n", "its replies are mixed up"),
    (b"+OK\r\n", "its replies are mixed up"),
    (b"*1\r\n$1\r\nx\r\n", "its replies are mixed up"),
    (b"!1\r\nx\r\n", "it sent what is no reply"),
    (b"\x00\r\n", "it sent what is no reply"),
    (b"$1\r\nx\r\n!", "it sent what is no reply"),
    (b"*2\r\n*1\r\n:1\r\n:1\r\n", "it sent what is no reply"),
    (b"*1000\r\n", "it sent what is no reply"),
    (b"$-1\r\n" * 9, "it sent a reply to nothing"),
    (TOO_LONG, "it sent a reply beyond all bounds"),
], ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "")
def test_reply_that_fails_the_connection(proxied, data,     # noqa: F811
                                         clause):
    """The order that it was an answer to did not run, and can."""
    gate = proxied(timeout=int(1500 * SLOW))
    gate.proxy.garble(data)
    answer = gate.order("k")
    gate.logged(clause, 10)
    wait_until(lambda: greeted(gate) == 2, 5)
    works_again(gate, "k" if answer.status == 503 else "l")
    works_again(gate, "k")
    assert gate.orders() in (1, 2)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_reply_that_is_cut_short(proxied, size):            # noqa: F811
    gate = proxied()
    gate.proxy.cut_short(size)
    refused(gate, "k")
    gate.logged("lost its connection")
    works_again(gate, "k")
    assert gate.orders() == 1
