"""The embedded store: what workers share, what outlives them, what does not,
and how nginx tells. What it has in common with Redis stands in tests that are
marked both_stores."""

import glob
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager

import pytest

from og import client, paths
from og.embedded import SMALL
from og.gate import gate, replayed                          # noqa: F401
from og.limits import ask, change, order_of
from og.nginx import environment
from og.operator import PLACE, TOLD, look
from og.parallel import Later, together
from og.problem import check_problem
from og.process import listening, title_of, wait_until

SHORT = "required ttl=1h lease=1s"


def held(gate, key):                                        # noqa: F811
    """An order that the upstream is at until it is told to go on."""
    before = gate.arrived()
    later = Later(gate.order, key, f"hold={key}")
    gate.upstream.wait_for_requests(before + 1)
    return later


def test_every_worker_knows_what_another_has_stored(gate):  # noqa: F811
    gate = gate(store=SMALL, workers=2)
    first = gate.order("k")
    answers = together(40, lambda _: gate.order("k"))
    assert all(replayed(a) and a.body == first.body for a in answers)
    gate.finished(41)
    assert len({line.split()[0] for line in gate.lines()}) == 2
    assert gate.orders() == 1


def test_an_owner_that_wakes_up_late_leaves_anothers_answer(
        gate):                                              # noqa: F811
    """Its worker was stopped for longer than the lease, and its claim has
    lapsed and was made anew."""
    gate = gate(store=SMALL, rule=SHORT + " on_unknown=retry", workers=2)
    first = held(gate, "k")
    owner = worker_at_work(gate)
    os.kill(owner, signal.SIGSTOP)
    try:
        second = wait_until(lambda: taken_over(gate), 10)
    finally:
        os.kill(owner, signal.SIGCONT)
    gate.upstream.release("k")
    assert first.value().status == 200
    gate.logged("double run: another's record is under the claimed key")
    gate.check_replays(second, "k")


def worker_at_work(gate):                                   # noqa: F811
    """The worker that has a connection to the upstream."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    to_upstream = {f"socket:[{row[9]}]" for row in rows
                   if row[2].endswith(f":{gate.upstream.port:04X}")}
    return next(pid for pid in gate.nginx.worker_pids()
                if to_upstream & set(files_of(pid)))


def files_of(pid):
    for link in glob.glob(f"/proc/{pid}/fd/*"):
        yield os.readlink(link)


def taken_over(gate):                                       # noqa: F811
    """The answer, if there is one: a worker that was stopped says nothing."""
    try:
        answer = gate.order("k", limit=0.3)
    except OSError:
        return None
    return answer if answer.status == 200 else None


def test_a_limit_is_exact_over_workers(gate):               # noqa: F811
    gate = gate("order_guard_limit 50r/h;", store=SMALL, workers=2)
    statuses = [a.status for a in together(80, lambda _: ask(gate))]
    assert sorted(statuses) == [200] * 50 + [429] * 30
    gate.finished(80)
    assert len({line.split()[0] for line in gate.lines()}) == 2


def test_of_two_limits_none_is_spent_where_one_refuses(gate):  # noqa: F811
    gate = gate("order_guard_limit 1r/h; order_guard_limit 3r/h;"
                "order_guard_limit_headers legacy;", store=SMALL,
                server="location = /page { order_guard on; "
                       "order_guard_limit 3r/h; proxy_pass http://orders; }")
    assert [order_of(gate, f"k{n}").status for n in range(4)] == (
        [200, 429, 429, 429])
    assert [ask(gate).status for _ in range(3)] == [200, 200, 429]


def test_a_replay_is_free_and_never_refused(gate):          # noqa: F811
    gate = gate("order_guard_limit 2r/h;", store=SMALL)
    first = order_of(gate, "k")
    for _ in range(5):
        again = order_of(gate, "k")
        assert replayed(again) and again.body == first.body
    assert order_of(gate, "k2").status == 200
    assert order_of(gate, "k3").status == 429
    assert replayed(order_of(gate, "k"))


def test_what_was_not_sent_costs_nothing(gate):             # noqa: F811
    gate = gate("order_guard_limit 3r/h;", store=SMALL)
    gate.upstream.mode("closed")
    assert {gate.order("k").status for _ in range(5)} == {502}
    gate.upstream.mode("open")
    assert [gate.order(f"k{n}").status for n in range(4)] == [
        200, 200, 200, 429]


def test_what_the_upstream_has_refused_is_spent(gate):      # noqa: F811
    """And its key is free."""
    gate = gate("order_guard_limit 3r/h;", store=SMALL)
    assert {gate.order("k", "status=429").code for _ in range(3)} == {
        "TOO_MANY_REQUESTS"}
    assert gate.arrived() == 3
    check_problem(gate.order("k"), 429, "RATE_LIMITED", "gateway")


@pytest.mark.parametrize("records, counters", [("shm", "redis"),
                                               ("redis", "shm"),
                                               ("shm", "shm")])
def test_records_in_one_store_and_a_limit_in_another(
        gate, redis, records, counters):                    # noqa: F811
    """No unit without an order, no order without a unit."""
    stores = {"shm": SMALL, "redis": redis.words}
    gate = gate("order_guard_limit 2r/h store=second;",
                store=stores[records],
                http=f"order_guard_store second {stores[counters]};")
    first = gate.order("k")
    for _ in range(3):
        gate.check_replays(first, "k")
    assert [gate.order(f"k{n}").status for n in range(3)] == [200, 429, 429]
    gate.check_replays(first, "k")
    assert gate.orders() == 2
    kept = records == "redis"
    wait_until(lambda: len(redis.records()) == (2 if kept else 0))


def test_reload_keeps_records_claims_and_counters(gate):    # noqa: F811
    gate = gate("order_guard_limit 3r/h;", store=SMALL)
    first = gate.order("k")
    running = held(gate, "slow")
    gate.nginx.reload()
    gate.check_replays(first, "k")
    check_problem(gate.order("slow"), 409, "IDEMPOTENCY_IN_PROGRESS",
                  "gateway")
    gate.upstream.release("slow")
    gate.check_replays(running.value(), "slow")
    assert [gate.order(f"k{n}").status for n in range(2)] == [200, 429]


def test_reload_with_another_size_is_refused(gate):         # noqa: F811
    refused_reload(gate(store=SMALL), SMALL, "shm size=2m",
                   '"size=" of store "main" cannot become 2048k while nginx '
                   "runs with 1024k")


def test_reload_of_another_build_is_refused(gate, tmp_path):  # noqa: F811
    """It has functions of its own, which the memory leads to."""
    other = shutil.copy(paths.MODULE, tmp_path)
    refused_reload(gate(store=SMALL), paths.MODULE, other,
                   'store "main" is in use by another build of the module')


def refused_reload(gate, before, after, words):             # noqa: F811
    """Old workers go on with what they know."""
    first = gate.order("k")
    workers = gate.nginx.worker_pids()
    path = gate.nginx.path("conf/nginx.conf")
    with open(path) as text:
        conf = text.read()
    with open(path, "w") as out:
        out.write(conf.replace(before, after))
    gate.nginx.expected.append(r'\[emerg\].* store "main"')
    gate.nginx.process.send(signal.SIGHUP)
    gate.logged(words)
    assert gate.nginx.worker_pids() == workers
    gate.check_replays(first, "k")
    gate.check_free("other")

    with open(path, "w") as out:
        out.write(conf)
    gate.nginx.reload()
    gate.check_replays(first, "k")


def test_a_secret_changes_under_two_names(gate, tmp_path):  # noqa: F811
    """Of many at once, one wins both names; who waits has its answer."""
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(os.urandom(32))
    old, new = (f"order_guard_secret {tmp_path}/old;",
                f"order_guard_secret {tmp_path}/new;")
    both = f"order_guard_secret {tmp_path}/new {tmp_path}/old;"
    gate = gate(TOLD + "order_guard_limit 100r/h;", http=old, server=PLACE,
                store=SMALL, workers=2)
    first = gate.order("k")

    change(gate, old, both)
    gate.check_replays(first, "k")
    assert look(gate, record=first.header("X-Record"))["status"] == 200
    for turn in range(10):
        together(30, lambda _, key=f"{turn}": gate.order(key))
        assert gate.orders() == turn + 2

    change(gate, both, new)
    for turn in range(10):
        assert replayed(gate.order(f"{turn}"))
    assert "double run" not in gate.nginx.error_log()


def test_restart_begins_anew(gate):                         # noqa: F811
    gate = gate(store=SMALL)
    gate.order("k")
    gate.nginx.quit()
    gate.nginx.start()
    assert not replayed(gate.order("k"))


# for a new binary, too
KEPT = "env LD_PRELOAD; env ASAN_OPTIONS; env UBSAN_OPTIONS;"


def test_binary_upgrade_tells_that_it_starts_empty(gate):   # noqa: F811
    gate = gate(store=SMALL, start=False, main=KEPT)
    with daemon(gate.nginx) as old:
        first = gate.order("k")
        assert "starts empty" not in gate.nginx.error_log()

        os.kill(old, signal.SIGUSR2)
        new = wait_until(lambda: master(gate.nginx, but=old), 10)
        gate.logged('[warn]')
        gate.logged('store "main" starts empty: a new binary does not share')
        os.kill(new, signal.SIGHUP)
        gate.logged("reconfiguring")
        os.kill(new, signal.SIGQUIT)
        wait_until(lambda: master(gate.nginx, but=new) == old, 10)

        told = ': store "main" starts empty'       # and once to stderr
        assert gate.nginx.error_log().count(told) == 1
        gate.check_replays(first, "k")
    assert not gate.nginx.bad_lines()


@contextmanager
def daemon(nginx):
    """nginx, which changes its binary only when its parent has gone."""
    path = nginx.path("conf/nginx.conf")
    with open(path) as text:
        conf = text.read()
    with open(path, "w") as out:
        out.write(conf.replace("daemon off;", "daemon on;"))
    subprocess.run(nginx.argv(), env=environment(), check=True)
    pid = wait_until(lambda: master(nginx), 10)
    wait_until(lambda: all(listening(port) for port in nginx.ports), 10)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not title_of(pid), 20)


def master(nginx, but=None):
    """The pid in the pid file, unless it is this one."""
    try:
        with open(nginx.path("nginx.pid")) as text:
            found = int(text.read() or 0)
    except FileNotFoundError:
        return None
    return found if found != but else None


NO_STORE = """
    server {{
        listen 127.0.0.1:%PORT%;
        location /plain {{ order_guard on; return 204; }}
        location = /made {{ return 200 made; }}
        location / {{
            order_guard on;
            {rules}
            proxy_pass http://127.0.0.1:%PORT%/made;
        }}
        location /other {{
            order_guard on;
            {rules}
            proxy_pass http://127.0.0.1:%PORT%/made;
        }}
    }}
"""


@pytest.mark.parametrize("rules, assumed", [
    ("order_guard_idempotency required;", 1),
    ("order_guard_limit 1r/h;", 1),
    ("order_guard_limit 1r/h store=local;", 1),
    ("order_guard_idempotency required store=local;", 1),
    ("order_guard_strip price;", 0),
])
def test_without_a_store_the_embedded_one_is_assumed(nginx, rules, assumed):
    server = nginx(NO_STORE.format(rules=rules), start=False)
    code, text = server.check_configuration()
    assert code == 0, text
    told = [line for line in server.error_log().splitlines()
            if '"order_guard_store local shm;" is assumed' in line]
    assert len(told) == assumed, told
    assert all("[notice]" in line for line in told)


def test_the_assumed_store_works(nginx):
    server = nginx(NO_STORE.format(
        rules="order_guard_idempotency required; order_guard_limit 1r/h;"))
    headers = {"Authorization": "Bearer t", "Content-Type": "text/plain",
               "Idempotency-Key": "k"}
    answers = [client.request(server.port, "POST", "/", None, headers)
               for _ in range(2)]
    assert [a.status for a in answers] == [200, 200]
    assert [replayed(a) for a in answers] == [False, True]
    headers["Idempotency-Key"] = "k2"
    assert client.request(server.port, "POST", "/", None,
                          headers).status == 429
