"""What order_guard_store is told: who we are, where the data are, how long an
answer is waited for; and what it finds out of the server."""

import re
import socket
import time

import pytest

from og.faulty import gate, proxied, reconnected            # noqa: F401
from og.parallel import Later, together
from og.paths import seconds
from og.problem import check_problem
from og.process import wait_until


def refused(gate, key="z"):                                 # noqa: F811
    """503, and how long that took."""
    began = time.monotonic()
    check_problem(gate.order(key), 503, "STORE_UNAVAILABLE", "gateway")
    return time.monotonic() - began


# who


def test_password_is_read_again(gate, own_redis, tmp_path):  # noqa: F811
    """New workers use the new one; one that is connected goes on with the
    old one, and what it has begun ends well."""
    redis, password = own_redis(), tmp_path / "password"
    redis.command("ACL", "SETUSER", "gw", "on", ">first", "~*", "+@all")
    password.write_text("first\n")
    gate = gate(store=f"redis://gw@127.0.0.1:{redis.port} timeout=500ms "
                      f"password_file={password}")
    before = gate.order("before")
    running = Later(gate.order, "running", "hold=a")
    gate.upstream.wait_for_requests(2)

    redis.command("ACL", "SETUSER", "gw", "<first", ">second")
    gate.check_replays(before, "before")
    password.write_text("second\n")
    gate.nginx.reload()
    gate.check_replays(before, "before")
    gate.upstream.release("a")
    gate.check_replays(running.value(), "running")
    assert len(gate.upstream.orders()) == 2
    assert "[error]" not in gate.nginx.error_log()
    assert "first" not in gate.nginx.error_log()
    assert "second" not in gate.nginx.error_log()


def test_password_that_is_old(gate, own_redis, tmp_path):   # noqa: F811
    """It is told, not printed, and right after a reload."""
    redis, password = own_redis(), tmp_path / "password"
    redis.command("ACL", "SETUSER", "gw", "on", ">second", "~*", "+@all")
    password.write_text("f1rst")
    gate = gate(store=f"redis://gw@127.0.0.1:{redis.port} "
                      f"password_file={password}")
    gate.logged("AUTH was refused, see password_file=")
    refused(gate)
    assert "f1rst" not in gate.nginx.error_log()

    password.write_text("second")
    gate.nginx.reload()
    wait_until(lambda: gate.order("k").status == 200)


def test_password_of_the_default_user(gate, own_redis,      # noqa: F811
                                      tmp_path):
    redis = own_redis()
    (tmp_path / "password").write_text("s3cret with a blank\r\n")
    with redis.session() as session:
        session.command("CONFIG", "SET", "requirepass", "s3cret with a blank")
        gate = gate(store=f"redis://127.0.0.1:{redis.port} "
                          f"password_file={tmp_path}/password")
        gate.check_replays(gate.order("k"), "k")
        session.command("CONFIG", "SET", "requirepass", "")


def test_no_password_where_one_is_needed(gate, own_redis):  # noqa: F811
    redis = own_redis()
    with redis.session() as session:
        session.command("CONFIG", "SET", "requirepass", "s3cret")
        gate = gate(store=f"redis://127.0.0.1:{redis.port}")
        gate.logged("it wants a password, see password_file=")
        refused(gate)
        session.command("CONFIG", "SET", "requirepass", "")


# where


@pytest.mark.parametrize("where", ["{}/3", "{} db=3", "{}/ db=3"])
def test_database(gate, own_redis, where):                  # noqa: F811
    redis = own_redis()
    gate = gate(store=where.format(f"redis://127.0.0.1:{redis.port}"))
    gate.check_replays(gate.order("k"), "k")
    assert redis.keys() == []
    assert b"db3:keys=2" in redis.command("INFO", "keyspace")


def test_database_that_is_not_there(gate, own_redis):       # noqa: F811
    redis = own_redis()
    gate = gate(store=f"redis://127.0.0.1:{redis.port}/99")
    gate.logged("SELECT was refused, see the database")
    refused(gate)


def test_unix_socket_with_a_password(gate, own_redis, tmp_path):  # noqa: F811
    path = tmp_path / "redis.sock"
    redis = own_redis("--unixsocket", path, "--unixsocketperm", "777")
    (tmp_path / "password").write_text("s3cret")
    with redis.session() as session:
        session.command("CONFIG", "SET", "requirepass", "s3cret")
        gate = gate(store=f"unix:{path} password_file={tmp_path}/password")
        gate.check_replays(gate.order("k"), "k")
        clients = session.command("CLIENT", "LIST").decode()
        assert f"addr={path}"[:60] in clients, clients  # Redis cuts it
        session.command("CONFIG", "SET", "requirepass", "")


def test_prefixes_are_worlds_apart(gate, own_redis):        # noqa: F811
    """All keys begin with it, and nobody finds the other's."""
    redis = own_redis()
    others = []
    for prefix in "a:", "b:":
        shop = gate(store=f"redis://127.0.0.1:{redis.port} prefix={prefix}",
                    location="order_guard_limit 1r/m;")
        shop.upstream.clear()
        shop.check_replays(shop.order("k"), "k")
        assert shop.orders() == 1
        assert shop.order("l").status == 429
        own = [key for key in redis.keys() if key not in others]
        assert all(key.startswith(prefix) for key in own)
        assert f"{prefix}epoch" in own
        assert len([key for key in own if "}:i:" in key]) == 1
        assert [key for key in own if "}:l:1r/m:" in key]
        others += own


# how long


@pytest.mark.parametrize("timeout", [200, 600])
def test_timeout(proxied, timeout):                         # noqa: F811
    gate = proxied(timeout=timeout)
    gate.redis.pause()
    took = together(3, lambda n: refused(gate, f"k{n}"))
    assert min(took) >= timeout / 1000
    assert max(took) < timeout / 1000 + seconds(0.5)
    gate.logged(f"has not answered in {timeout} ms")
    gate.redis.resume()


def test_connect_timeout(gate):                             # noqa: F811
    """A host that does not even refuse; orders wait no longer than for any
    answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [_begun(port) for _ in range(3)]
        gate = gate(store=f"redis://127.0.0.1:{port} timeout=200ms "
                          "connect_timeout=600ms")
        began = time.monotonic()
        assert 0.2 <= refused(gate) < 0.2 + seconds(0.35)
        gate.logged("connecting timed out")
        assert time.monotonic() - began > 0.3
        for sock in waiting:
            sock.close()


def _begun(port):
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(("127.0.0.1", port))
    return sock


# the server


def greeting(redis, version):
    """What a server of this version says to the greeting."""
    text = redis.command("INFO", "server").decode()
    before, _, rest = text.partition("redis_version:7.0.15\r\n")
    assert rest, text
    text = before + version + rest
    role = redis.command("INFO", "replication").decode()
    return (f"${len(text)}\r\n{text}\r\n+OK\r\n:1\r\n"
            f"${len(role)}\r\n{role}\r\n$0\r\n\r\n"
            f"*2\r\n$10\r\n{int(time.time())}\r\n$1\r\n1\r\n").encode()


@pytest.mark.parametrize("version", [
    "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n",
    "redis_version:10.0.0\r\n",
])
def test_other_versions(proxied, version):                  # noqa: F811
    """Valkey names the Redis that it comes from."""
    gate = proxied()
    gate.proxy.garble(greeting(gate.redis, version), new=True)
    gate.proxy.cut()
    reconnected(gate)
    gate.check_replays(gate.order("k"), "k")
    assert "at least 7.0" not in gate.nginx.error_log()


def test_older_version_that_comes_later(proxied):           # noqa: F811
    """It is told, behind what else is told in that second."""
    gate = proxied()

    def told():
        gate.proxy.garble(greeting(gate.redis, "redis_version:6.2.6\r\n"),
                          new=True)
        gate.proxy.cut()
        reconnected(gate)
        return ("is a Redis 6.2.6, at least 7.0 is needed"
                in gate.nginx.error_log())
    wait_until(told, 10)
    assert gate.order("k").status == 200


def test_evicting_store_is_told_by_each_worker(proxied):    # noqa: F811
    gate = proxied(redis=["--maxmemory-policy", "allkeys-lru"], workers=2)
    told = [line for line in gate.nginx.error_log().splitlines()
            if 'maxmemory_policy "allkeys-lru"' in line]
    assert len(told) == 2
    assert all("[warn]" in line and 'set "noeviction"' in line
               for line in told)
