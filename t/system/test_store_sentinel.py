"""A store behind sentinels: the master is found, followed, and never taken
for one that it is not. Servers are real but for sentinels that err."""

import signal
import threading
import time
from collections import Counter

import pytest

from og import client
from og.dns import Dns
from og.fake_sentinel import FakeSentinel
from og.gate import gate, order_bytes                       # noqa: F401
from og.parallel import Later
from og.paths import SLOW
from og.problem import check_problem
from og.process import free_port, wait_until
from og.sentinel import SERVICE, Sentinels
from og.upstream import header

TIMEOUT = int(300 * SLOW)           # ms, of the store
TIMES = f"timeout={TIMEOUT}ms connect_timeout={TIMEOUT}ms"


@pytest.fixture
def sentinels(tmp_path):
    made = Sentinels(tmp_path / "sentinels").start()
    yield made
    made.stop()


@pytest.fixture
def guarded(gate, sentinels):                               # noqa: F811
    """make(hosts, params, **gate's): a Gate whose store is behind the
    sentinels, and has taken an order."""
    def make(hosts=None, params="", **more):
        made = gate(store=f"redis+sentinel://{hosts or sentinels.hosts}"
                          f"/{SERVICE} {TIMES} {params}", **more)
        works(made, "before")
        return made
    return make


@pytest.fixture
def told(gate):                                             # noqa: F811
    """make(*fakes, params, **gate's): a Gate that asks fake sentinels."""
    def make(*fakes, params="", **more):
        hosts = ",".join(f"127.0.0.1:{fake.port}" for fake in fakes)
        return gate(store=f"redis+sentinel://{hosts}/{SERVICE} "
                          f"{TIMES} {params}", **more)
    return make


@pytest.fixture
def fake():
    """make(master): a FakeSentinel."""
    made = []

    def make(master, **more):
        made.append(FakeSentinel(master, **more))
        return made[-1]

    yield make
    for sentinel in made:
        sentinel.kill()


def at(redis):
    return ("127.0.0.1", redis.port)


def works(gate, key, limit=15):                             # noqa: F811
    """The first answer that is no refusal is an order's."""
    def answered():
        answer = gate.order(key)
        if answer.status == 503:
            return None
        assert answer.status == 200, answer
        return answer
    return wait_until(answered, limit, gate.nginx.error_log())


def refused(gate):                                          # noqa: F811
    began = time.monotonic()
    check_problem(gate.order("z"), 503, "STORE_UNAVAILABLE", "gateway")
    return time.monotonic() - began


def clients(server):
    """How many connections the gateway has there."""
    return server.command("CLIENT", "LIST").decode().count(
        "name=order-guard")


def check_once(gate):                                       # noqa: F811
    """No key has reached the upstream twice."""
    found = Counter(header(request, "Idempotency-Key")[0]
                    for request in gate.upstream.requests())
    assert not [key for key, times in found.items() if times > 1], found


# a master is found


def test_any_sentinel_is_asked_the_first_is_dead(guarded, sentinels):
    gate = guarded(f"127.0.0.1:{free_port()},{sentinels.hosts}")
    assert clients(sentinels.master) == 1
    assert sum(clients(s) for s in sentinels.sentinels) == 1
    gate.check_replays(gate.order("before"), "before")


def test_one_connection_to_a_sentinel_and_one_to_the_master(guarded,
                                                            sentinels):
    gate = guarded(workers=3)
    wait_until(lambda: clients(sentinels.master) == 3)
    for n in range(20):
        assert gate.order(f"k{n}").status == 200
    assert clients(sentinels.master) == 3
    assert clients(sentinels.replica) == 0
    assert sum(clients(s) for s in sentinels.sentinels) == 3
    gate.nginx.reload()
    works(gate, "l")
    wait_until(lambda: clients(sentinels.master) == 3
               and sum(clients(s) for s in sentinels.sentinels) == 3,
               what="old workers leave connections behind")
    assert gate.nginx.quit()
    wait_until(lambda: sum(clients(s) for s in sentinels.sentinels) == 0)


def test_users_with_the_documented_rights(gate, sentinels,  # noqa: F811
                                          tmp_path):
    """Of the data and of the sentinels, each with a password of its own."""
    (tmp_path / "data").write_text("d4ta\n")
    (tmp_path / "watch").write_text("w4tch\n")
    for server in sentinels.servers:
        server.command("ACL", "SETUSER", "gw", "on", ">d4ta", "resetchannels",
                       "~og:*", "-@all", "+set", "+get", "+del", "+incr",
                       "+decr", "+mget", "+pexpire", "+pttl", "+time",
                       "+info", "+select", "+auth", "+client|id",
                       "+client|kill", "+client|setname")
    for server in sentinels.sentinels:
        server.command("ACL", "SETUSER", "watch", "on", ">w4tch",
                       "resetchannels", "&+switch-master", "-@all", "+auth",
                       "+info", "+client|setname", "+subscribe",
                       "+unsubscribe", "+sentinel|get-master-addr-by-name")
        server.command("ACL", "SETUSER", "default", "nopass", "-info")
    made = gate(store=f"redis+sentinel://gw@{sentinels.hosts}/{SERVICE}/3 "
                      f"{TIMES} password_file={tmp_path}/data "
                      f"sentinel_user=watch "
                      f"sentinel_password_file={tmp_path}/watch",
                location="order_guard_limit 2r/m;",
                rule="required ttl=1h lease=1s")
    first = made.order("k")
    made.check_replays(first, "k")
    assert made.order("l", "status=429").status == 429
    assert made.order("m").status == 429        # over the limit
    assert b"db3:keys=" in sentinels.master.command("INFO", "keyspace")
    assert sentinels.master.keys() == []
    text = made.nginx.error_log()
    assert "NOPERM" not in text and "[error]" not in text
    assert "d4ta" not in text and "w4tch" not in text


def test_server_that_is_no_sentinel_is_refused(told, fake, redis):
    gate = told(fake(at(redis), mode="standalone"))
    gate.logged("it is no sentinel")
    refused(gate)


def test_sentinel_that_knows_no_such_master(told, fake, redis):
    """The next one is asked."""
    gate = told(fake(None), fake(b"-ERR no\r\n"), fake(at(redis)))
    works(gate, "k")


@pytest.mark.parametrize("answer,words", [
    (None, f'knows no master "{SERVICE}"'),
    (b"-NOPERM this user has no permissions\r\n", "answered SENTINEL with"),
    (b"*2\r\n$9\r\n127.0.0.1\r\n$5\r\n99999\r\n", "with no address"),
    (b"*2\r\n$0\r\n\r\n$1\r\n1\r\n", "with no address"),
    (b"*1\r\n$1\r\n1\r\n", "answered SENTINEL with a reply of another type"),
    (b"$1\r\n1\r\n", "answered SENTINEL with a reply of another type"),
    (("store.test", 1), '"store.test", which could not be resolved: no '
                        'resolver is configured'),
])
def test_sentinel_of_no_use_is_told_in_words(told, fake, redis, answer,
                                             words):
    sentinel = fake(answer)
    gate = told(sentinel)
    gate.logged(words, 10)
    refused(gate)
    asked, began = sentinel.asked, time.monotonic()
    sentinel.master = at(redis)
    works(gate, "k")
    assert sentinel.asked - asked < 10 + 10 * (time.monotonic() - began)


def test_master_that_is_named_is_resolved(told, fake, redis):
    with Dns() as dns:
        dns.names["store.test"] = ["127.0.0.1"]
        gate = told(fake(("store.test", redis.port)), http=dns.directive)
        works(gate, "k")
        assert "store.test" in dns.asked


def test_sentinels_that_are_named_are_resolved(gate, fake,  # noqa: F811
                                               redis):
    sentinel = fake(at(redis))
    with Dns() as dns:
        made = gate(store=f"redis+sentinel://a.test,b.test:{sentinel.port}"
                          f"/{SERVICE} {TIMES}",
                    http=dns.directive)
        refused(made)
        dns.names["b.test"] = ["127.0.0.1"]
        works(made, "k")


def test_silent_sentinel_costs_no_more_than_the_timeout(told, fake, redis):
    sentinel = fake(at(redis))
    sentinel.silent = True
    gate = told(sentinel)
    assert refused(gate) < TIMEOUT / 1000 + 0.3
    wait_until(lambda: refused(gate) < TIMEOUT / 2000, 5)
    sentinel.silent = False
    works(gate, "k")


def test_silent_sentinel_is_left_for_another(told, fake, redis):
    first, second = fake(at(redis)), fake(at(redis))
    gate = told(first, second)
    works(gate, "k")
    silent, other = (first, second) if first.connections else (second, first)
    silent.silent = True
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    works(gate, "l")
    assert other.asked


# and verified


def test_replica_is_refused_and_another_sentinel_asked(told, fake, sentinels):
    """The first sentinel's word is old."""
    old, good = fake(at(sentinels.replica)), fake(at(sentinels.master))
    gate = told(old, good)
    works(gate, "k")
    assert old.asked and good.asked
    assert clients(sentinels.replica) == 0


def test_only_sentinel_is_asked_again_when_it_named_a_replica(told, fake,
                                                              sentinels):
    sentinel = fake(at(sentinels.replica))
    gate = told(sentinel)
    gate.logged("it is a replica", 10)
    refused(gate)
    sentinel.master = at(sentinels.master)
    works(gate, "k", 5)


def test_master_that_is_not_there_yet(told, fake, own_redis):
    port = free_port()
    gate = told(fake(("127.0.0.1", port)))
    refused(gate)
    own_redis(port=port)
    works(gate, "k", 5)


# and followed


def test_switch_is_followed_while_the_old_master_lives(told, fake, redis,
                                                       own_redis):
    """+switch-master alone: nothing fails at the old one."""
    other = own_redis()
    sentinel = fake(at(redis))
    gate = told(sentinel)
    works(gate, "k")
    sentinel.switch(("127.0.0.1", 1), "another-service")
    assert gate.order("l").status == 200
    assert clients(redis) == 1

    sentinel.switch(at(other))
    wait_until(lambda: clients(other) == 1 and clients(redis) == 0, 5,
               gate.nginx.error_log())
    works(gate, "m")


def test_switch_that_is_told_behind_an_answer(told, fake, redis, own_redis):
    """The answer was so before: it is asked for again."""
    other = own_redis()
    sentinel = fake(at(redis))
    sentinel.next_master = at(other)
    gate = told(sentinel)
    works(gate, "k")
    wait_until(lambda: (clients(redis), clients(other)) == (0, 1), 5)


def test_switch_to_the_same_address_changes_nothing(told, fake, redis):
    sentinel = fake(at(redis))
    gate = told(sentinel)
    works(gate, "k")
    asked = sentinel.asked
    sentinel.switch(at(redis))
    wait_until(lambda: sentinel.asked > asked)
    assert gate.order("l").status == 200
    assert "lost its connection" not in gate.nginx.error_log()


def test_switch_ends_the_wait_for_a_dead_master(told, fake, redis):
    """However long the pause before the next attempt has grown."""
    sentinel = fake(("127.0.0.1", free_port()))
    gate = told(sentinel)
    gate.logged("cannot be reached", 10)
    time.sleep(0.7)
    sentinel.switch(at(redis))
    works(gate, "k", 0.3)


def test_order_that_runs_while_the_master_changes(told, fake, redis,
                                                  own_redis):
    """The new one lacks its claim, which is made again before others can."""
    other = own_redis()
    other.command("SET", "og:epoch", redis.command("GET", "og:epoch") or "e")
    sentinel = fake(at(redis))
    gate = told(sentinel, rule="required ttl=1h lease=60s")
    works(gate, "k")
    other.command("SET", "og:epoch", redis.command("GET", "og:epoch"))
    first = Later(gate.order, "running", "hold=a")
    gate.upstream.wait_for_requests(2)
    sentinel.switch(at(other))
    wait_until(lambda: len(other.records()) == 1, what="not claimed again")
    check_problem(gate.order("running"), 409, "IDEMPOTENCY_IN_PROGRESS")
    gate.upstream.release("a")
    gate.check_replays(first.value(), "running")
    check_once(gate)


def test_read_only_master_is_left(told, fake, sentinels):
    """-READONLY alone: no sentinel says a word."""
    sentinel = fake(at(sentinels.master))
    old, new = sentinels.master, sentinels.replica
    gate = told(sentinel)
    before = works(gate, "k")
    wait_until(lambda: len(new.records()) == 1)
    new.command("REPLICAOF", "NO", "ONE")
    old.command("REPLICAOF", *at(new))
    sentinel.master = at(new)
    works(gate, "l", 5)
    wait_until(lambda: clients(new) == 1 and clients(old) == 0)
    gate.check_replays(before, "k")
    check_once(gate)


def test_master_killed(guarded, sentinels):
    """Orders flow again by themselves; what was done is still known."""
    gate = guarded()
    before = gate.order("before")
    new = sentinels.replica
    wait_until(lambda: len(new.records()) == 1)
    sentinels.master.kill()
    sentinels.wait_for_failover(new)
    works(gate, "after", 3)
    assert clients(new) == 1
    gate.check_replays(before, "before")
    check_once(gate)


def test_failover_with_the_old_master_alive(guarded, sentinels):
    gate = guarded()
    before = gate.order("before")
    old = sentinels.master
    wait_until(lambda: len(sentinels.replica.records()) == 1)
    new = sentinels.fail_over()
    works(gate, "after", 5)
    wait_until(lambda: clients(new) == 1 and clients(old) == 0)
    gate.check_replays(before, "before")
    check_once(gate)


def test_master_paused_and_back(guarded, sentinels):
    """The old one wakes up as a master; nobody speaks to it any more."""
    gate = guarded()
    old, new = sentinels.master, sentinels.replica
    old.pause()
    sentinels.wait_for_failover(new)
    works(gate, "after", 3)
    old.resume()
    wait_until(lambda: is_replica(old), 15)
    assert gate.order("k").status == 200
    assert (clients(old), clients(new)) == (0, 1)
    check_once(gate)


def is_replica(server):
    """Sentinels close all connections of one that they make a replica."""
    try:
        return b"role:slave" in server.command("INFO", "replication")
    except ConnectionError:
        return False


@pytest.fixture
def leaving(guarded):
    """A Gate whose worker was told to leave, and is kept by a client that
    has not sent its order yet; ends it at once when called."""
    made = guarded()
    data = order_bytes("late")
    sock = client.leave(made.port, data[:-10])
    made.finished(1)
    made.nginx.process.send(signal.SIGQUIT)

    def end():
        sock.sendall(data[-10:])
        answer = sock.recv(65536)
        sock.close()
        made.nginx.process.wait()
        return answer

    made.end = end
    yield made
    sock.close()


def test_leaving_worker_keeps_no_connection(leaving, sentinels):
    """Not for a request that has none yet."""
    wait_until(lambda: clients(sentinels.master) == 0
               and sum(clients(s) for s in sentinels.sentinels) == 0)
    assert b" 200 " in leaving.end()


def test_connections_of_a_leaving_worker_end_with_its_orders(guarded,
                                                             sentinels):
    """What else keeps the worker keeps none of them."""
    gate = guarded()
    kept = client.leave(gate.port, order_bytes("late")[:-10])
    first = Later(gate.order, "k", "hold=a")
    gate.upstream.wait_for_requests(2)
    gate.nginx.process.send(signal.SIGQUIT)
    wait_until(lambda: gate.nginx.worker_pids() == [])
    time.sleep(TIMEOUT / 1000)      # no deadline is left that would end them
    assert clients(sentinels.master) == 1
    gate.upstream.release("a")
    assert first.value().status == 200
    wait_until(lambda: clients(sentinels.master) == 0
               and sum(clients(s) for s in sentinels.sentinels) == 0)
    assert gate.nginx.process.running()
    kept.close()
    gate.nginx.process.wait()


def test_leaving_worker_finds_the_new_master(leaving, sentinels):
    wait_until(lambda: clients(sentinels.master) == 0
               and len(sentinels.replica.records()) == 1)
    new = sentinels.fail_over()
    assert b" 200 " in leaving.end()
    assert len(new.records()) == 2


def test_all_sentinels_dead(guarded, sentinels):
    """The connection that is there goes on serving."""
    gate = guarded()
    master = sentinels.master
    for sentinel in sentinels.sentinels:
        sentinel.kill()
    gate.logged("cannot be used at", 10)
    for n in range(20):
        assert gate.order(f"k{n}").status == 200
    assert clients(master) == 1


class Load:
    """Orders from several threads, each key until it is no 503."""

    def __init__(self, gate):                               # noqa: F811
        self._gate = gate
        self._end = threading.Event()
        self.answers = {}
        self.statuses = Counter()
        self._threads = [threading.Thread(target=self._run, args=(n,),
                                          daemon=True) for n in range(8)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        count = 0
        while not self._end.is_set():
            key = f"load-{number}-{count}"
            answer = self._gate.order(key)
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.answers[key] = answer
                count += 1
            elif answer.status != 503:
                count += 1

    def passed(self):
        return len(self.answers)

    def end(self):
        self._end.set()
        for thread in self._threads:
            thread.join(30)


@pytest.mark.parametrize("reloads", [0, 3])
def test_failover_under_load(guarded, sentinels, reloads):
    """200 or 503 each, and each key at most once at the upstream."""
    gate = guarded(workers=2)
    load = Load(gate)
    wait_until(lambda: load.passed() > 50)
    early = dict(list(load.answers.items())[:10])
    replica = sentinels.replica
    wait_until(lambda: len(replica.records()) > 50, what="not replicated")
    new = sentinels.begin_failover()
    for _ in range(reloads):
        gate.nginx.reload()
    sentinels.wait_for_failover(new)
    passed = load.passed()
    wait_until(lambda: load.passed() > passed + 50, 15,
               gate.nginx.error_log())
    load.end()
    assert set(load.statuses) <= {200, 503}, load.statuses
    check_once(gate)
    assert len(gate.upstream.orders()) == load.passed() + 1
    for key, answer in early.items():
        gate.check_replays(answer, key)
