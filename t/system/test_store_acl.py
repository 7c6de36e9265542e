"""The shortest ACL, as lua-free-docs/stores.md prints it: enough for all that
the gateway does, nothing in it is there for nothing, and what is missing is
told."""

import pytest

from og import client, seeds
from og.acl import RECORDS, RIGHTS, SELECT, USER, denied, used
from og.gate import gate, order_bytes                       # noqa: F401
from og.operator import (PLACE, TOLD, finish, look, operate,  # noqa: F401
                         release)
from og.parallel import Later
from og.process import wait_until


@pytest.fixture
def restricted(gate, own_redis, tmp_path):                  # noqa: F811
    """make(user, db): a Gate whose store has this user of the document."""
    def make(user, db=0):
        (tmp_path / "password").write_text("password\n")
        (tmp_path / "users.acl").write_text(
            f"user default on nopass ~* &* +@all\n{user}\n")
        redis = own_redis("--aclfile", tmp_path / "users.acl")
        redis.command("CONFIG", "RESETSTAT")
        made = gate(store=f"redis://gateway@127.0.0.1:{redis.port}/{db} "
                          f"password_file={tmp_path}/password timeout=500ms",
                    location=f"order_guard_limit 7r/m; {TOLD}",
                    server=PLACE, rule="required ttl=1h lease=1s")
        made.redis = redis
        return made
    return make


def orders(gate):                                           # noqa: F811
    """Claims, replays, a duplicate, releases, and more than the limit; says
    what came of the first, its replay and the last."""
    first, again = gate.order("k"), gate.order("k")
    before = gate.arrived()
    running = Later(gate.order, "running", "hold=a")
    wait_until(lambda: gate.arrived() > before or running.done())
    gate.order("running")
    gate.upstream.release("a")
    running.value()
    gate.order("freed", "status=429")
    for number in range(9):
        last = gate.order(f"k{number}", "reset" if number < 2 else None)
    return first, again, last


def records(gate):                                          # noqa: F811
    """An operator looks at a finished order, which cannot be released, and
    settles two whose outcome is not known."""
    caller = name(gate)
    operate(gate, "GET", key="k", **caller)
    return (release(gate, key="k", **caller), finish(gate, key="k0", **caller),
            release(gate, key="k1", **caller))


def dead(gate):                                             # noqa: F811
    """An operator frees the key of a worker that died; says with what."""
    running = client.leave(gate.port, order_bytes("dead", "hold=dead"))
    gate.upstream.wait_for_requests(1)
    gate.nginx.kill_worker()
    running.close()
    caller = name(gate)
    wait_until(lambda: look(gate, key="dead", **caller)["state"] == "unknown")
    return release(gate, key="dead", **caller)


def name(gate):                                             # noqa: F811
    return {"token_id": gate.order("k").header("X-Caller"),
            "uri": seeds.LEUWONGRR.path}


def test_as_printed(restricted):
    gate = restricted(USER)                 # noqa: F811
    first, again, last = orders(gate)
    assert (first.status, last.status) == (200, 429)
    assert again.header("Idempotent-Replayed") == "true"
    assert set(RIGHTS) <= used(gate.redis)
    assert denied(gate.redis) == []
    text = gate.nginx.error_log()
    assert "NOPERM" not in text and "store \"main\"" not in text
    assert "password" not in text


def test_another_database_and_records(restricted):
    gate = restricted(" ".join([USER, *SELECT, *RECORDS]),  # noqa: F811
                      db=1)
    assert dead(gate).status == 200
    assert orders(gate)[-1].status == 429
    assert [a.status for a in records(gate)] == [409, 200, 200]
    assert set(SELECT + RECORDS) <= used(gate.redis)
    assert denied(gate.redis) == []
    assert "NOPERM" not in gate.nginx.error_log()
    assert gate.redis.keys() == []


WORDS = {
    "+set": 'NOPERM for "set"',
    "+time": "TIME was refused, the ACL must allow it",
    "+info": "INFO was refused, the ACL must allow it",
    "+client|id": "CLIENT ID was refused, the ACL must allow it",
    "+client|kill": 'allow "+client|kill" in the ACL',
    "+client|setname": 'allow "+client|setname" in the ACL',
    "+select": "SELECT was refused, see the database",
    "+exec": "answered EXEC with",
    "+multi": "answered EXEC with",
    # tried when a connection is made
    **{right: f"its ACL must allow {right} on"
       for right in ("+get", "+del", "+pexpire", "+pttl")},
}


@pytest.mark.parametrize("right", RIGHTS + SELECT + RECORDS)
def test_right_that_is_missing(restricted, right):
    words = [*USER.split(), *SELECT, *RECORDS]
    words.remove(right)
    gate = restricted(" ".join(words), db=1)                # noqa: F811
    if right == "+client|list":
        dead(gate)
    else:
        orders(gate)
        records(gate)
    gate.logged(WORDS.get(right, f'NOPERM for "{right[1:]}"'))
