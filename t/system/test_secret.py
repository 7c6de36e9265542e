"""order_guard_secret: what stands in a store tells nothing without it, and
what was not written with it is not believed."""

import re

import pytest

from og import seeds
from og.gate import gate, replayed                          # noqa: F401
from og.problem import check_problem
from og.process import wait_until
from og.secret import digest, record, write

SECRET = b"a secret of sixteen pairs of by."
OTHER = b"another one of thirty-two bytes."
TOLD = "add_header X-Caller $order_guard_token_id always;"


@pytest.fixture
def sealed(gate, tmp_path):                                 # noqa: F811
    """make(more of http): a Gate with a secret."""
    def make(secret=SECRET, http="", **more):
        path = write(tmp_path / secret[:4].hex(), secret)
        return gate(http=f"order_guard_secret {path}; {http}",
                    location=TOLD, **more)
    return make


def token():
    return seeds.LEUWONGRR.headers["Authorization"].split()[1]


def name_of(secret, key="k"):
    return record(secret, token(), "", "POST", seeds.LEUWONGRR.path, key)


def stored(redis, key):
    return redis.command("GET", key)


def test_names_and_answers_are_hidden(sealed, redis):
    gate = sealed()                                         # noqa: F811
    answer = gate.order("k")
    assert answer.status == 200
    assert redis.records() == [name_of(SECRET)]
    assert answer.header("X-Caller") == name_of(SECRET)[4:20]
    data = stored(redis, name_of(SECRET))
    for told in (answer.body[:16], b"application/json",
                 digest(b"token", token().encode())[:8]):
        assert told not in data
    gate.check_replays(answer, "k")


def test_without_a_secret_they_are_not(gate, redis):        # noqa: F811
    """So that the test above looks for what could be there."""
    gate = gate(location=TOLD)
    answer = gate.order("k")
    assert redis.records() == [name_of(None)]
    assert answer.header("X-Caller") == name_of(None)[4:20]
    data = stored(redis, name_of(None))
    for told in (answer.body[:16], b"application/json"):
        assert told in data


def test_limits_count_under_hidden_names(sealed, redis):
    gate = sealed(server="order_guard_limit 5r/h;")         # noqa: F811
    gate.order("k")
    assert [key[:21] for key in redis.counters()] == [name_of(SECRET)[:21]]


def test_replays_survive_a_restart(sealed):
    gate = sealed()                                         # noqa: F811
    answer = gate.order("k")
    gate.nginx.quit()
    gate.nginx.start()
    gate.check_replays(answer, "k")


def check_unreadable(gate, redis, key="k"):                 # noqa: F811
    """Nothing runs, nothing is lost, and it is told."""
    before, kept = gate.arrived(), stored(redis, name_of(SECRET, key))
    answer = gate.order(key)
    check_problem(answer, 503, "STORE_UNAVAILABLE", "gateway")
    assert answer.header("Retry-After")
    assert gate.arrived() == before
    assert stored(redis, name_of(SECRET, key)) == kept
    gate.logged("has a record that cannot be read under")


def test_it_is_there_also_where_a_failure_passes(sealed, redis):
    """on_failure is for a store that cannot be reached."""
    gate = sealed(                                          # noqa: F811
        server="order_guard_idempotency_on_failure pass;")
    gate.order("k")
    data = bytearray(stored(redis, name_of(SECRET)))
    for place in (0, -1):
        data[place] ^= 1
        redis.command("SET", name_of(SECRET), bytes(data), "PX", 60000)
        check_unreadable(gate, redis)


@pytest.mark.parametrize("place", [0, 1, 5, 30, 55, 70, 100, -20, -1])
def test_a_touched_record(sealed, redis, place):
    gate = sealed()                                         # noqa: F811
    gate.order("k")
    data = bytearray(stored(redis, name_of(SECRET)))
    data[place] ^= 1
    redis.command("SET", name_of(SECRET), bytes(data), "PX", 60000)
    check_unreadable(gate, redis)


def test_unreadable_records_are_counted(sealed, redis):
    """Told at a worker's end, in the debug log of Debian's nginx."""
    gate = sealed(main="error_log logs/debug.log debug;")   # noqa: F811
    redis.command("SET", name_of(SECRET), b"no record", "PX", 60000)
    for _ in range(3):
        check_unreadable(gate, redis)
    gate.nginx.quit()
    with open(gate.nginx.path("logs/debug.log")) as text:
        assert re.search('order guard store "main": unreadable [1-9]',
                         text.read())


def test_a_record_under_another_name(sealed, redis):
    """Who can write to the store cannot give one order's answer to another."""
    gate = sealed()                                         # noqa: F811
    gate.order("k")
    redis.command("COPY", name_of(SECRET), name_of(SECRET, "l"))
    check_unreadable(gate, redis, "l")


def test_a_record_in_clear(sealed, gate, redis):            # noqa: F811
    clear = gate()
    clear.order("k")
    shut = sealed()
    redis.command("COPY", name_of(None), name_of(SECRET))
    check_unreadable(shut, redis)


def test_a_sealed_record_without_the_secret(sealed, gate,   # noqa: F811
                                            redis):
    shut = sealed()
    shut.order("k")
    clear = gate()
    redis.command("COPY", name_of(SECRET), name_of(None))
    before = clear.arrived()
    check_problem(clear.order("k"), 503, "STORE_UNAVAILABLE", "gateway")
    assert clear.arrived() == before


def test_a_claim_that_was_touched_is_not_taken_over(sealed, redis):
    """An unreadable record stays where it is until it expires."""
    gate = sealed()                                         # noqa: F811
    redis.command("SET", name_of(SECRET), b"\2\1" + bytes(200), "PX", 60000)
    check_unreadable(gate, redis)


def test_unknown_and_large_answers_are_sealed_too(sealed, redis):
    gate = sealed(                                          # noqa: F811
        server="order_guard_idempotency_response_limit 10;")
    gate.order("unknown", "reset")
    gate.check_held("unknown")
    assert gate.order("large").status == 200
    check_problem(gate.order("large"), 409, "IDEMPOTENCY_RESULT_UNAVAILABLE",
                  "gateway")
    assert all(stored(redis, key)[0] == 2 for key in redis.records())


# the secret itself


def test_it_is_in_no_log_and_no_dump(sealed):
    gate = sealed()                                         # noqa: F811
    gate.order("k")
    gate.nginx.reload()
    code, dump = gate.nginx.check_configuration("-T")
    assert code == 0
    for text in (dump, gate.nginx.error_log(), gate.nginx.access_log(),
                 gate.nginx.said()):
        assert SECRET.decode() not in text
        assert SECRET.hex() not in text


def test_it_stays_out_of_core_dumps(sealed):
    gate = sealed()                                         # noqa: F811
    gate.order("k")
    for pid in [gate.nginx.pid, *gate.nginx.worker_pids()]:
        places = where(pid, SECRET)
        assert places, "it must be somewhere"
        assert all("dd" in flags for flags in places), places


def test_it_is_wiped_with_its_configuration(sealed, tmp_path):
    gate = sealed()                                         # noqa: F811
    gate.order("k")
    assert where(gate.nginx.pid, SECRET)
    write(tmp_path / SECRET[:4].hex(), OTHER)
    gate.nginx.reload()
    assert where(gate.nginx.pid, OTHER)
    wait_until(lambda: not where(gate.nginx.pid, SECRET), 10,
               "the former secret is still in memory")
    assert not replayed(gate.order("k"))


def where(pid, text):
    """The flags of each part of a process's memory that has this text."""
    with open(f"/proc/{pid}/mem", "rb") as memory:
        return [flags for start, end, flags in parts(pid)
                if has(memory, start, end, text)]


def has(memory, start, end, text):
    """Read in pieces that overlap by the text."""
    for place in range(start, end, 2 ** 20):
        memory.seek(place)
        try:
            if text in memory.read(min(2 ** 20 + len(text), end - place)):
                return True
        except OSError:
            return False            # [vvar] cannot be read
    return False


def parts(pid):
    """(start, end, flags) of what may be read of a process and is in its
    memory: a sanitizer's shadow is terabytes that are not."""
    with open(f"/proc/{pid}/smaps") as text:
        for line in text:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (.)", line)
            if head:
                start, end = (int(edge, 16) for edge in head.groups()[:2])
                wanted = head.group(3) == "r" and end - start < 2 ** 32
            elif line == "Rss:                   0 kB\n":
                wanted = False
            elif line.startswith("VmFlags:") and wanted:
                yield start, end, line.split()[1:]
