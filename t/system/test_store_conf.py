"""order_guard_store: every wrong value is refused by nginx -t, with the file,
the line, the value and what would be right; never with a password."""

import pytest

ONE = "main redis://127.0.0.1:1/0"

REFUSED = [
    ("main rediss://h:1/0", "not supported by this version"),
    ("main redis+sentinel://h:1/s/0", "not supported by this version"),
    ("main redis+cluster://h:1", "not supported by this version"),
    ("main shm size=64m", "not supported by this version"),
    ("main timeout=1s", "does not say where the store is"),
    ("main redis://127.0.0.1:99999/0", "invalid port"),
    ("main redis://127.0.0.1:x/0", "invalid port"),
    ("main redis://127.0.0.1:1/x", 'invalid database "x"'),
    ("main redis://127.0.0.1:1/1/2", 'invalid database "1/2"'),
    ("main redis:///0", "no host"),
    ("main redis://no-such-host.invalid:1/0", "host not found"),
    ("main redis://u:s3cret@127.0.0.1:1/0", "holds a password"),
    ("main redis://:s3cret@127.0.0.1:1/0", "holds a password"),
    ("main redis://u:s3c@ret@127.0.0.1:1/0", "holds a password"),
    ("main redis://u@127.0.0.1:1/0", 'names the user "u" but no password'),
    ("main redis://@127.0.0.1:1/0", "has no user"),
    (f"{ONE} timeout=0", 'invalid value "0" of "timeout="'),
    (f"{ONE} timeout=x", 'invalid value "x" of "timeout="'),
    (f"{ONE} timeout=1s timeout=2s", "given twice"),
    (f"{ONE} connect_timeout=2m", 'invalid value "2m" of "connect_timeout="'),
    (f"{ONE} prefix=", 'invalid value "" of "prefix="'),
    (f"{ONE} 'prefix=a{{b}}'", 'invalid value "a{b}" of "prefix="'),
    (f"{ONE} prefix=a prefix=b", "given twice"),
    (f"{ONE} db=1", "given twice"),
    ("main unix:/x db=-1", 'invalid database "-1"'),
    ("main unix:", 'in "unix:"'),
    (f"{ONE} password_file=%none", "cannot open the password file"),
    (f"{ONE} password_file=%two", "more than one line"),
    (f"{ONE} password_file=%empty", "is empty"),
    (f"{ONE} password_file=%long", "is longer than"),
    (f"{ONE} password_file=", "names no file"),
    (f"{ONE} ca=x", 'parameter "ca=" of store "main" is not supported'),
    (f"{ONE} wait=1", 'parameter "wait=" of store "main" is not supported'),
    (f"{ONE} password=s3cret", 'unknown parameter "password="'),
    (f"{ONE} s3cret=x", "unknown parameter"),
    ("ma/in redis://127.0.0.1:1/0", 'invalid name "ma/in"'),
    (f"{ONE}; order_guard_store main unix:/x", 'duplicate store "main"'),
    ("main", "invalid number of arguments"),
]

ACCEPTED = [
    "a redis://127.0.0.1",
    "a redis://127.0.0.1:1/",
    "a redis://[::1]:1/3",
    "a redis://localhost:1/0 timeout=50ms connect_timeout=1s prefix=x:",
    "a unix:/x db=0",
    "a redis://u@127.0.0.1:1/0 password_file=%ok",
    "a unix:/x; order_guard_store b unix:/x",
]


@pytest.fixture
def check(nginx, tmp_path):
    """(exit code, message) of nginx -t for a store."""
    files = {"two": "a\nb\n", "empty": "\n", "long": "x" * 5000,
             "ok": "s3cret\r\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def check(store):
        for name in [*files, "none"]:
            store = store.replace(f"%{name}", str(tmp_path / name))
        server = nginx(f"order_guard_store {store};", start=False)
        return server.check_configuration()
    return check


@pytest.mark.parametrize("store,words", REFUSED)
def test_refused(check, store, words):
    code, text = check(store)
    assert code == 1
    assert words in text
    assert "nginx.conf:" in text
    assert "s3cret" not in text.replace("s3cret=", "")


@pytest.mark.parametrize("store", ACCEPTED)
def test_accepted(check, store):
    code, text = check(store)
    assert code == 0, text
