"""order_guard_secret as nginx -t sees it."""

import os
import re

import pytest

from og.secret import write

FILES = {"new": b"n" * 32, "old": b"o" * 4096, "same": b"n" * 32,
         "short": b"s" * 31, "long": b"l" * 4097, "empty": b""}

REFUSED = [
    ("%missing", 'cannot open the secret file "'),
    ("%folder", 'cannot read the secret file "'),
    ("%short", 'has less than 32 bytes, it must hold random bytes, as '
               '"openssl rand -out file 32" makes them'),
    ("%empty", "has less than 32 bytes"),
    ("%long", "has more than 4096 bytes"),
    ("%new %short", "has less than 32 bytes"),
    ("%new %missing", "cannot open the secret file"),
    ("%new %same", "hold the same secret, put a new one into the first"),
    ("%new %new", "hold the same secret"),
    ("%new; order_guard_secret %old", "is duplicate"),
    ("%new %old none", "invalid number of arguments"),
    ("%new; server { order_guard_secret %old; }", "is not allowed here"),
]


@pytest.fixture
def check(nginx, tmp_path):
    """(exit code, message) of nginx -t for a secret."""
    for name, data in FILES.items():
        write(tmp_path / name, data)
    os.mkdir(tmp_path / "folder")

    def check(words):
        text = words.replace("%", str(tmp_path) + "/")
        server = nginx(f"order_guard_secret {text};", start=False)
        return server.check_configuration()
    return check


@pytest.mark.parametrize("words, says", REFUSED)
def test_refused(check, words, says):
    code, text = check(words)
    assert code == 1
    assert says in text
    assert "nginx.conf:" in text
    assert "nnnn" not in text and "ssss" not in text


@pytest.mark.parametrize("words", ["%new", "%new %old", "%old %new",
                                   "%new none"])
def test_accepted(check, words):
    code, text = check(words)
    assert code == 0, text
    assert "[warn]" not in text


def test_ids_tell_secrets_apart(nginx, tmp_path):
    """They are in the error log, and do not depend on the file's name."""
    new, same, old = (identity(nginx, tmp_path / name, FILES[name])
                      for name in ("new", "same", "old"))
    assert new == same != old


def identity(nginx, path, data):
    server = nginx(f"order_guard_secret {write(path, data)};", start=False)
    server.check_configuration()
    line = next(line for line in server.error_log().splitlines()
                if "has the id" in line)
    assert "[notice]" in line
    return re.search(r"has the id ([0-9a-f]{16})$", line).group(1)


def test_a_file_that_all_may_read(check, tmp_path):
    os.chmod(tmp_path / "new", 0o644)
    code, text = check("%new")
    assert code == 0
    assert "[warn]" in text and "can be read by everyone" in text
    assert '"chmod o= file"' in text


def test_beside_the_configuration(nginx, tmp_path):
    """A relative name is that of a file beside nginx.conf."""
    server = nginx("order_guard_secret key;", start=False)
    write(server.path("conf/key"), b"k" * 32)
    code, text = server.check_configuration()
    assert code == 0, text
