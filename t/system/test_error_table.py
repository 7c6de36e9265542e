"""The table of upstreams' errors (errors/README.md): what a client gets of
each, byte for byte."""

import glob
import os
import re

import pytest

from og import client
from og.gate import gate                                    # noqa: F401
from og.peer import Peer, sending

FOLDER = os.path.join(os.path.dirname(__file__), "errors")
CASES = sorted(os.path.basename(name).rsplit(".", 1)[0]
               for name in glob.glob(os.path.join(FOLDER, "*.case")))
OWN_TRACE_ID = re.compile(r'"trace_id":"[0-9a-f]{32}"')


def parts(name):
    """answer, configuration, expected status and type, expected body"""
    with open(os.path.join(FOLDER, name + ".case"), encoding="utf-8") as file:
        text = file.read()
    _, answer, conf, expected = re.split(r"^--- \w+\n", text, flags=re.M)
    first, _, body = expected[:-1].partition("\n")
    return answer[:-1], conf, first, body


def message(answer):
    head, _, body = answer.partition("\n\n")
    data = body.encode()
    lines = [f"HTTP/1.1 {head.strip()}".replace("\n", "\r\n"),
             f"Content-Length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data


@pytest.mark.parametrize("name", CASES)
def test_case(gate, name):                                  # noqa: F811
    answer, conf, first, body = parts(name)
    with Peer(sending(message(answer))) as peer:
        made = gate(
            conf, rule="off", address=peer.address,
            http="order_guard_error_format shop "
                 + os.path.join(FOLDER, "shop.json") + ";")
        for got in (client.request(made.port, "GET", "/"),
                    client.http2(made.h2, "GET", "/")):
            assert f"{got.status} {got.media_type}" == first
            text = got.body.decode()
            if '"trace_id":"*"' in body:
                text = OWN_TRACE_ID.sub('"trace_id":"*"', text)
            assert text == body
            assert got.header("Content-Encoding") is None


def test_every_source_is_there():
    assert len(CASES) >= 33
