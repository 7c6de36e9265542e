"""TLS of order_guard_store: what nginx -t refuses, with the file, the line,
the value and what would be right; nobody is asked for a passphrase."""

import os
import re
import shutil

import pytest

from og.tls import certificates                             # noqa: F401

ONE = "main rediss://127.0.0.1:1/0"
CLIENT = "cert=%client.pem key=%client.key"

REFUSED = [
    *((f"main {where} {name}=x",
       f'"{name}=" of store "main" is of no use without TLS, give a '
       '"rediss://" address or remove it')
      for where in ("redis://127.0.0.1:1", "unix:/x")
      for name in ("ca", "cert", "key", "server_name", "verify")),
    *((f"{ONE} {name}=", f'"{name}=" of store "main" is empty, give a value')
      for name in ("ca", "cert", "key", "server_name")),
    *((f"{ONE} {name}=on {name}=on",
       f'"{name}=" of store "main" is given twice, keep one')
      for name in ("ca", "cert", "key", "server_name", "verify")),
    (f"{ONE} verify=maybe", 'invalid value "maybe" of "verify=" of store '
     '"main", use "on" or "off"'),
    (f"{ONE} verify=", 'invalid value "" of "verify=" of store "main", use'),
    (f"{ONE} verify=off ca=%ca.pem", '"ca=" of store "main" is of no use '
     'with "verify=off", remove one of them'),
    (f"{ONE} cert=%client.pem", '"cert=" without "key=", give both or none'),
    (f"{ONE} key=%client.key", '"key=" without "cert=", give both or none'),
    (f"{ONE} ca=%none", '"ca=" of store "main" cannot be used, give '
     'certificates in PEM form: "%none" (2: No such file or directory)'),
    (f"{ONE} ca=%empty", '"ca=" of store "main" cannot be used, no '
     'certificate or crl found, give certificates in PEM form: "%empty"'),
    (f"{ONE} ca=%text", '"ca=" of store "main" cannot be used, no '
     'certificate or crl found, give certificates in PEM form: "%text"'),
    (f"{ONE} cert=%none key=%client.key", '"cert=" of store "main" cannot be '
     'used, give a certificate in PEM form, its own first: "%none" (2: No'),
    (f"{ONE} cert=%text key=%client.key", '"cert=" of store "main" cannot be '
     'used, no start line, give a certificate in PEM form, its own first: '
     '"%text"'),
    (f"{ONE} cert=%client.pem key=%none", '"key=" of store "main" cannot be '
     'used, give the key of "cert=" in PEM form: "%none" (2: No such file'),
    (f"{ONE} cert=%client.pem key=%text", '"key=" of store "main" cannot be '
     'used'),
    (f"{ONE} cert=%client.pem key=%server.key", '"key=" of store "main" '
     'cannot be used, key values mismatch, give the key of "cert=" in PEM '
     'form: "%server.key"'),
    (f"{ONE} cert=%client.pem key=%locked.key", '"key=" of store "main" '
     'cannot be used, it has a passphrase, give a key without one: '
     '"%locked.key"'),
    ("main rediss://", 'no host in "", the address of store "main"'),
    ("main rediss://u:s3cret@127.0.0.1", "holds a password"),
]

ACCEPTED = [
    ONE,
    "main rediss://[::1]:6379/3",
    "main rediss://localhost",
    f"{ONE} verify=on",
    f"{ONE} ca=%ca.pem server_name=redis.example {CLIENT}",
    f"{ONE} {CLIENT}",
    f"{ONE} ca=relative/ca.pem",
    f"main rediss://u@127.0.0.1:1/0 password_file=%text ca=%ca.pem; "
    f"order_guard_store other rediss://127.0.0.1:1 ca=%other.pem",
]


@pytest.fixture
def check(nginx, certificates, tmp_path):                   # noqa: F811
    """(exit code, message, text with its files) of nginx -t for a store."""
    for name in ("client", "server", "ca", "other"):
        shutil.copy(certificates[name], tmp_path)
        shutil.copy(certificates.key(name), tmp_path)
    certificates.lock("client", "locked")
    shutil.copy(certificates.key("locked"), tmp_path)
    (tmp_path / "empty").write_text("")
    (tmp_path / "text").write_text("s3cret")

    def with_files(text):
        return re.sub("%", f"{tmp_path}/", text)

    def check(store, words=""):
        server = nginx(f"order_guard_store {with_files(store)};", start=False)
        os.makedirs(server.path("conf/relative"))
        shutil.copy(certificates["ca"], server.path("conf/relative/ca.pem"))
        return *server.check_configuration(), with_files(words)
    return check


@pytest.mark.parametrize("store, words", REFUSED)
def test_refused(check, store, words):
    code, text, words = check(store, words)
    assert code == 1
    assert words in text
    assert "nginx.conf:" in text
    assert "s3cret" not in text
    assert "pass phrase" not in text


@pytest.mark.parametrize("store", ACCEPTED)
def test_accepted(check, store):
    code, text, _ = check(store)
    assert code == 0, text
    assert "[warn]" not in text


def test_verify_off_is_told(check):
    code, text, _ = check(f"{ONE} verify=off")
    assert code == 0
    assert re.search(r'\[warn\].* store "main" has "verify=off".*give "ca="'
                     r'.* in \S+nginx\.conf:\d+', text)
