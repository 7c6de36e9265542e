"""What an upstream said in an error and a client does not get to see: it
stands in the error log, where the trace id leads to it."""

import json
import re

import pytest

from og.gate import gate                                    # noqa: F401
from og.peer import Peer, sending

TOKEN = "t0ken/with+slashes=="
KEY = "order-key-0001"
LINE = re.compile(r"\[(\w+)\] .*order guard hid an upstream's error (\d+), "
                  r'trace id "([^"]*)": "([^"]*)"')


def page(text, status="500 Internal Server Error", media_type="text/html"):
    body = text.encode()
    return (f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def document(status="500 Internal Server Error", **members):
    return page(json.dumps(members), status, "application/json")


def asked(gate, message, rules=""):                         # noqa: F811
    """(answer, what the log says of it): [(level, status, trace id, text)]"""
    with Peer(sending(message)) as peer:
        made = gate("order_guard_token $http_x_token;" + rules,
                    address=peer.address)
        answer = made.order(KEY, headers={"X-Token": TOKEN,
                                          "Authorization": "Bearer bearer-1"})
        return answer, LINE.findall(made.nginx.error_log())


def test_a_page(gate):                                      # noqa: F811
    answer, lines = asked(gate, page('<p>"Traceback"\n\\at\x00</p>\u0e01'))
    assert "Traceback" not in answer.body.decode()
    assert lines == [("error", "500", answer.json()["trace_id"],
                      r"<p>\x22Traceback\x22\x0a\x5cat\x00</p>\xe0\xb8\x81")]


def test_the_message_of_a_5xx(gate):                        # noqa: F811
    answer, lines = asked(gate, document(
        message="pool exhausted", code="DB", traceId="trace-1"))
    assert answer.json()["trace_id"] == "trace-1"
    assert answer.json()["code"] == "DB"
    assert "detail" not in answer.json()
    (level, status, trace_id, text), = lines
    assert (level, status, trace_id) == ("error", "500", "trace-1")
    assert "pool exhausted" in text


SAID = {
    "a code alone": (document(code="E"), "", 1),
    "nothing that is known": (document(reason="pool exhausted"), "", 1),
    "nothing that is known in a 4xx": (
        document("409 Conflict", err={"msg": "m"}), "", 1),
    "nothing at all": (page(""), "", 0),
    "a 4xx is shown": (document("409 Conflict", message="m"), "", 0),
    "a 5xx that is shown": (document(message="m"),
                            "order_guard_error_detail pass;", 0),
    "a 4xx that is not": (document("409 Conflict", message="m"),
                          "order_guard_error_detail hide;", 1),
    "a page of a 4xx": (page("x", "404 Not Found"), "", 1),
    "half a document": (page('{"message":', media_type="application/json"),
                        "", 1),
    "errors are off": (page("x"), "order_guard_errors off;", 0),
    "a status that is skipped": (page("x"), "order_guard_error_skip 500;", 0),
    "a problem in shape": (page(
        '{"type":"about:blank","detail":"d","status":500}',
        media_type="application/problem+json"), "", 0),
    "too long": (page("x" * 70000), "", 1),
    "an encoded one": (page("x").replace(
        b"Content-Length", b"Content-Encoding: gzip\r\nContent-Length"), "",
        1),
}


@pytest.mark.parametrize("case", SAID)
def test_when(gate, case):                                  # noqa: F811
    message, rules, count = SAID[case]
    answer, lines = asked(gate, message, rules)
    assert len(lines) == count, lines
    if count and answer.status < 500:
        assert lines[0][0] == "info"


def test_neither_token_nor_key(gate):                       # noqa: F811
    """Though the upstream repeats them, and JSON escapes slashes."""
    _, lines = asked(gate, page(
        f"token {TOKEN}, key {KEY}, bearer-1; "
        + TOKEN.replace("/", "\\/")))
    assert lines[0][3] == "token ***, key ***, ***; ***"


def test_it_is_cut(gate):                                   # noqa: F811
    _, lines = asked(gate, page("x\n" * 3000))
    text = lines[0][3]
    assert len(text) <= 768 and text.endswith("...")


def test_a_trace_id_cannot_forge_a_line(gate):              # noqa: F811
    _, lines = asked(gate, document(message="m", trace_id='a"\n[crit] b'))
    assert lines[0][2] == r"a\x22\x0a[crit] b"
