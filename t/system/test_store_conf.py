"""order_guard_store: every wrong value is refused by nginx -t, with the file,
the line, the value and what would be right; never with a password."""

import pytest

ONE = "main redis://127.0.0.1:1/0"
SENTINEL = "main redis+sentinel://127.0.0.1/orders"

REFUSED = [
    ("main shm size=1023k", 'invalid value "1023k" of "size="'),
    ("main shm size=x", 'invalid value "x" of "size="'),
    ("main shm size=1m size=1m", "given twice"),
    ("main shm:/orders", 'invalid address "shm:/orders"'),
    ("main shm prefix=a:", "is one of Redis stores"),
    ("main shm password=s3cret", 'unknown parameter "password="'),
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
    ("main redis+sentinel://h:1", "names no service"),
    ("main redis+sentinel://h:1/", "names no service"),
    ("main redis+sentinel://h:1//0", "names no service"),
    ("main redis+sentinel://h:1/a?s3cret", "an invalid service"),
    ("main redis+sentinel:///s/0", 'no host in ""'),
    ("main redis+sentinel://h,/s/0", 'no host in ""'),
    ("main redis+sentinel://h:0,i/s", 'invalid port in "h:0"'),
    ("main redis+sentinel://h/s/x", 'invalid database "x"'),
    ("main redis+sentinel://h/s/0/1", 'invalid database "0/1"'),
    ("main redis+sentinel://h/s/0 db=1", "given twice"),
    ("main redis+sentinel://u:s3cret@h/s", "holds a password"),
    ("main redis+sentinel://u@h/s", "names the user"),
    ("main redis+sentinel://127.0.0.1,no-such-host.invalid/s",
     'host not found in "no-such-host.invalid", the address of sentinel'),
    (f"{SENTINEL} sentinel_user=u", "but no password"),
    (f"{SENTINEL} sentinel_user=", "names no user"),
    (f"{SENTINEL} sentinel_user=u sentinel_user=u", "given twice"),
    (f"{SENTINEL} sentinel_password_file=%none", "cannot open"),
    (f"{SENTINEL} sentinel_password_file=", "names no file"),
    (f"{ONE} sentinel_user=u", '"sentinel_user=" is for a store behind'),
    (f"{ONE} sentinel_password_file=%ok", "is for a store behind sentinels"),
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
    "a redis+sentinel://127.0.0.1/orders",
    "a redis+sentinel://127.0.0.1:1,[::1],localhost:2/my-orders_1.x/3",
    "a redis+sentinel://u@127.0.0.1/o/ password_file=%ok "
    "sentinel_user=s sentinel_password_file=%ok",
    "a redis://no-such-host.invalid; resolver 127.0.0.1",
    "a redis+sentinel://no-such-host.invalid/o; resolver 127.0.0.1",
    "a redis://u@127.0.0.1:1/0 password_file=%ok",
    "a unix:/x; order_guard_store b unix:/x",
    "a shm",
    "a shm size=1m; order_guard_store b shm size=2m",
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


# a scope that is the same for two shops


TWO = """
    order_guard_store main redis://127.0.0.1:1;
    server {{
        listen 127.0.0.1:1; {first}
        location / {{ order_guard on; {rule} proxy_pass http://127.0.0.1:1; }}
    }}
    server {{
        listen 127.0.0.1:2; {second}
        location / {{ order_guard on; {rule} proxy_pass http://127.0.0.1:1; }}
    }}
"""
RULE = "order_guard_idempotency required{};"


@pytest.fixture
def check_two(nginx):
    """What nginx -t says of two servers, which it must accept."""
    def check(rule, first="", second=""):
        server = nginx(TWO.format(rule=rule, first=first, second=second),
                       start=False)
        code, text = server.check_configuration()
        assert code == 0, text
        return text
    return check


@pytest.mark.parametrize("rule", [RULE.format(""),
                                  RULE.format(" ttl=1h store=main"),
                                  RULE.format("").replace("required",
                                                          "optional")])
def test_servers_without_a_name_share_their_keys(check_two, rule):
    lines = [line for line in check_two(rule).splitlines()
             if "[warn]" in line]
    assert len(lines) == 1, lines
    assert '"scope=' in lines[0] and '"server_name"' in lines[0], lines


@pytest.mark.parametrize("rule, names", [
    (RULE.format(""), ("server_name a;", "server_name b;")),
    (RULE.format(""), ("server_name a;", "")),
    (RULE.format(" scope=$server_port"), ("", "")),
    (RULE.format(" scope=shop"), ("", "")),
    ("order_guard_idempotency off;", ("", "")),
    ("order_guard_limit 1r/s;", ("", "")),
    ("order_guard_strip price;", ("", "")),
])
def test_servers_that_share_no_keys_or_are_meant_to(check_two, rule, names):
    assert "[warn]" not in check_two(rule, *names)


def test_one_server_without_a_name(nginx):
    location = "order_guard on; order_guard_idempotency required; return 200;"
    server = nginx(f"""
        order_guard_store main redis://127.0.0.1:1;
        server {{
            listen 127.0.0.1:1;
            location /a {{ {location} }}
            location /b {{ {location} }}
        }}
        server {{ listen 127.0.0.1:2; }}
    """, start=False)
    code, text = server.check_configuration()
    assert code == 0 and "[warn]" not in text, text
