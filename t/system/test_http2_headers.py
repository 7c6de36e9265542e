"""What og/hpack.py reads is what nginx has written."""

import string

import pytest

from og.http2 import Http2Session

SERVER = """
    server {
        listen 127.0.0.1:%PORT% http2;
        add_header X-Again $http_x_this always;
        location / { return 200 "body"; }
        location /refused { return 503; }
    }
"""
VISIBLE = string.digits + string.ascii_letters + " " + string.punctuation


@pytest.mark.parametrize("value", [VISIBLE, "a", "a" * 300, "<" * 300])
def test_value_comes_back(nginx, value):
    """Coded or as it is, whichever nginx finds shorter."""
    server = nginx(SERVER)
    with Http2Session(server.port) as session:
        answers = [session.request("POST", path, b"", {"X-This": value})
                   for path in ("/", "/refused", "/")]
    assert [answer.status for answer in answers] == [200, 503, 200]
    assert {answer.header("X-Again") for answer in answers} == {value}
    assert answers[0].header("Content-Length") == "4"
    assert answers[0].media_type == "text/plain"
    assert answers[0].header("Server").startswith("nginx/")
