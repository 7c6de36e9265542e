"""One HTTP/1.x request, kept as it arrived."""

import base64
import json
import time
import urllib.parse

from wire import Closed


class Request:
    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition("?")
        self.headers = headers          # [(name, value)] in order, as sent
        self.body = b""
        self.framing = "none"           # none, length, chunked
        self.complete = True            # False: cut short within the body
        self.connection = 0
        self.time = time.time()

    def header(self, name):
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        return values[0] if values else None

    def json(self):
        """The body as an object; ValueError for anything else."""
        value = json.loads(self.body.decode("utf-8"))
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return value

    def parameters(self):
        return dict(urllib.parse.parse_qsl(self.query))

    def wants_close(self):
        return (self.header("Connection") or "").lower() == "close"

    def record(self):
        return {
            "method": self.method, "target": self.target, "path": self.path,
            "headers": self.headers, "framing": self.framing,
            "complete": self.complete, "connection": self.connection,
            "time": self.time, "body": self.body.decode("utf-8", "replace"),
            "body_base64": base64.b64encode(self.body).decode(),
        }


def read_request(wire):
    """The next request of the connection; Closed when there is none."""
    method, target = _read_request_line(wire)
    request = Request(method, target, _read_headers(wire))
    wire.requests += 1
    request.connection = wire.number

    if (request.header("Expect") or "").lower() == "100-continue":
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    try:
        request.body = _read_body(wire, request)
    except Closed:
        request.complete = False
    return request


def _read_request_line(wire):
    try:
        line = wire.read_line().decode("latin-1")
        method, target, _ = line.split(" ")
    except ValueError:
        raise Closed("no request line") from None
    return method, target


def _read_headers(wire):
    headers = []
    while True:
        line = wire.read_line().decode("utf-8", "surrogateescape")
        if not line:
            return headers
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))


def _read_body(wire, request):
    if (request.header("Transfer-Encoding") or "").lower() == "chunked":
        request.framing = "chunked"
        return b"".join(_read_chunks(wire))

    length = request.header("Content-Length")
    if length is None:
        return b""

    request.framing = "length"
    return wire.read_exactly(int(length))


def _read_chunks(wire):
    while True:
        try:
            size = int(wire.read_line().split(b";")[0], 16)
        except ValueError:
            raise Closed("no chunk size") from None
        if size == 0:
            break
        yield wire.read_exactly(size)
        wire.read_line()
    while wire.read_line():
        pass
