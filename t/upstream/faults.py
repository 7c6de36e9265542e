"""How an answer leaves, and how it goes wrong.

A fault is a comma-separated list in the request header `X-Fault`, or in the
`fault` of a step that the admin port has taken:

    delay=S             waits S seconds before it answers
    hold=NAME           waits until the admin port releases NAME
    html=N, text=N      an HTML page or plain text with status N; no order
    status=N            an empty JSON object with status N; no order
    empty=N             no body, status N (204)
    big=N               the JSON answer grows by N bytes
    gzip                the body is encoded
    cookie              Set-Cookie and internal headers are added
    interim=N           an interim response (100, 102, 103) goes first
    chunked             no length, chunks
    close-delimited     no length, no chunks; the end is the end of stream
    dribble=S           the body leaves in four parts, S seconds apart
    truncate            the length is right, half of the body leaves, then FIN
    truncate-chunked    half of the body in chunks, no last chunk, then FIN
    truncate-delimited  half of the body, no length, then FIN
    headers-reset       the header and no body, then RST
    close               no answer, FIN
    reset               no answer, RST
    last                the answer is whole and says Connection: close

Where an order would be made it is made before the fault sets in: `reset` is
an order that nobody was told about.
"""

import gzip
import json
import time

from answer import Answer, html_answer, json_answer, text_answer
from wire import Closed

REPLACING = {
    "html": html_answer,
    "text": text_answer,
    "status": lambda status: json_answer(status, {}),
}


def parse(text):
    """`delay=1, reset` -> {"delay": "1", "reset": ""}"""
    faults = {}
    for item in (text or "").split(","):
        name, _, value = item.strip().partition("=")
        if name:
            faults[name] = value
    return faults


def replacement(faults):
    """The answer that takes the API's place, or None: then the API runs."""
    for name, make in REPLACING.items():
        if name in faults:
            return make(int(faults[name]))
    return None


def wait(faults, script):
    if "delay" in faults:
        time.sleep(float(faults["delay"]))
    if "hold" in faults:
        script.gate(faults["hold"]).wait(60)


def change(answer, faults):
    """Faults of the content; how it leaves is the matter of send()."""
    if "empty" in faults:
        return Answer(int(faults["empty"]))
    if "big" in faults:
        value = json.loads(answer.body)
        value["padding"] = "x" * int(faults["big"])
        answer.body = json.dumps(value, ensure_ascii=False).encode()
    if "gzip" in faults:
        answer.body = gzip.compress(answer.body)
        answer.headers.append(("Content-Encoding", "gzip"))
    if "cookie" in faults:
        answer.headers += [("Set-Cookie", "session=secret"),
                           ("X-Internal-Host", "db-internal-7.example")]
    return answer


def send(wire, answer, faults, keep):
    """Writes the answer and says whether the connection lives on."""
    if "interim" in faults:
        wire.send(f"HTTP/1.1 {faults['interim']} Interim\r\n"
                  "Link: </a>; rel=preload\r\n\r\n".encode())

    for name, write in WRITERS:
        if name in faults:
            return write(wire, answer, faults)

    keep = keep and "last" not in faults
    _send_head(wire, answer, _length(answer), keep)
    wire.send(answer.body)
    return keep


def _length(answer):
    if answer.status == 204:
        return []
    return [("Content-Length", str(len(answer.body)))]


def _send_head(wire, answer, framing, keep=True):
    headers = answer.headers + framing
    if not keep:
        headers = headers + [("Connection", "close")]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    wire.send(answer.status_line() + lines.encode() + b"\r\n")


def _half(answer):
    return answer.body[:len(answer.body) // 2]


def _chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


def _send_chunked(wire, answer, faults):
    _send_head(wire, answer, [("Transfer-Encoding", "chunked")])
    half = _half(answer)
    wire.send(_chunk(half) + _chunk(answer.body[len(half):]) + b"0\r\n\r\n")
    return True


def _send_close_delimited(wire, answer, faults):
    _send_head(wire, answer, [], keep=False)
    wire.send(answer.body)
    return False


def _send_dribble(wire, answer, faults):
    _send_head(wire, answer, _length(answer))
    step = max(1, (len(answer.body) + 3) // 4)
    for start in range(0, len(answer.body), step):
        if start:
            time.sleep(float(faults["dribble"]))
        wire.send(answer.body[start:start + step])
    return True


def _send_truncated(wire, answer, faults):
    _send_head(wire, answer, _length(answer))
    wire.send(_half(answer))
    return False


def _send_truncated_chunked(wire, answer, faults):
    _send_head(wire, answer, [("Transfer-Encoding", "chunked")])
    wire.send(_chunk(_half(answer)))
    return False


def _send_truncated_delimited(wire, answer, faults):
    _send_head(wire, answer, [], keep=False)
    wire.send(_half(answer))
    return False


def _send_headers_reset(wire, answer, faults):
    _send_head(wire, answer, _length(answer))
    time.sleep(0.05)        # lets the header arrive: RST discards it otherwise
    wire.reset()
    raise Closed("reset")


def _close(wire, answer, faults):
    return False


def _reset(wire, answer, faults):
    wire.reset()
    raise Closed("reset")


WRITERS = (
    ("reset", _reset),
    ("close", _close),
    ("headers-reset", _send_headers_reset),
    ("truncate", _send_truncated),
    ("truncate-chunked", _send_truncated_chunked),
    ("truncate-delimited", _send_truncated_delimited),
    ("chunked", _send_chunked),
    ("close-delimited", _send_close_delimited),
    ("dribble", _send_dribble),
)
