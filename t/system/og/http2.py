"""HTTP/2 by hand: many streams at once, aborts, and frames that are wrong."""

import socket
import struct

from og.client import Response
from og.hpack import header_block, read_block
from og.paths import seconds

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = (
    0, 1, 3, 4, 6, 7, 8)
END_STREAM, END_HEADERS, ACK, PADDED, PRIORITY = 1, 4, 1, 8, 32


class Answer(Response):
    def __init__(self):
        super().__init__(None, [], b"")
        self.ended = False
        self.reset = None           # the error code of RST_STREAM

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r} reset={self.reset}>"


class Http2:
    def __init__(self, port, limit=15):
        self.sock = socket.create_connection(("127.0.0.1", port),
                                             seconds(limit))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = {}
        self.goaway = None
        self._buffer = b""
        self._next = 1
        window = struct.pack(">HI", 4, 0x7fffffff)
        self.sock.sendall(PREFACE + frame(SETTINGS, 0, 0, window)
                          + frame(WINDOW_UPDATE, 0, 0,
                                  struct.pack(">I", 0x3fffffff)))

    def open(self, method, path, headers=(), end=False):
        """Sends HEADERS and returns the stream's number."""
        stream, self._next = self._next, self._next + 2
        block = header_block(method, path, headers)
        flags = END_HEADERS | (END_STREAM if end else 0)
        self.answers[stream] = Answer()
        self.sock.sendall(frame(HEADERS, flags, stream, block))
        return stream

    def send(self, stream, data, end=True):
        """DATA frames; fits into the initial window of 65,535 bytes."""
        parts = [data[i:i + 16384] for i in range(0, len(data), 16384)]
        for part in parts[:-1]:
            self.sock.sendall(frame(DATA, 0, stream, part))
        self.sock.sendall(frame(DATA, END_STREAM if end else 0, stream,
                                parts[-1] if parts else b""))

    def request(self, method, path, body, headers=()):
        stream = self.open(method, path, headers)
        self.send(stream, body)
        return stream

    def cancel(self, stream):
        self.sock.sendall(frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))

    def ping(self):
        """Returns when the server has taken all that was sent before."""
        self.sock.sendall(frame(PING, 0, 0, b"12345678"))
        while self._read_one() != (PING, ACK):
            pass

    def wait(self, streams):
        """The answers of these streams, in order, once all have ended."""
        while not all(self.answers[s].ended for s in streams):
            self._read_one()
        return [self.answers[s] for s in streams]

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read_one(self):
        head = self._take(9)
        size = int.from_bytes(head[:3], "big")
        kind, flags = head[3], head[4]
        stream = int.from_bytes(head[5:], "big") & 0x7fffffff
        self._frame(kind, flags, stream, self._take(size))
        return kind, flags & ACK if kind in (PING, SETTINGS) else flags

    def _frame(self, kind, flags, stream, data):
        answer = self.answers.get(stream)
        if kind == SETTINGS and not flags & ACK:
            self.sock.sendall(frame(SETTINGS, ACK, 0, b""))
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(data[4:8], "big")
        elif answer is None:
            return
        elif kind == HEADERS:
            (_, status), *answer.headers = read_block(data)
            answer.status = int(status)
            answer.ended = bool(flags & END_STREAM)
        elif kind == DATA:
            answer.body += data
            answer.ended = bool(flags & END_STREAM)
        elif kind == RST_STREAM:
            answer.reset = int.from_bytes(data, "big")
            answer.ended = True

    def _take(self, size):
        while len(self._buffer) < size:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"closed, GOAWAY {self.goaway}")
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


class Http2Session:
    """One connection as client.Session has it, a request at a time."""

    def __init__(self, port, limit=15):
        self.connection = Http2(port, limit)

    def request(self, method, path, body=b"", headers=()):
        """The body gets a Content-Length; a list of parts gets none."""
        named = dict(headers)
        if isinstance(body, list):
            body = b"".join(body)
        else:
            named["Content-Length"] = str(len(body))
        stream = self.connection.request(method, path, body, named)
        answer, = self.connection.wait([stream])
        return answer

    def alive(self):
        """Whether the server has kept the connection."""
        return self.connection.goaway is None

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def frame(kind, flags, stream, data):
    return (len(data).to_bytes(3, "big") + bytes((kind, flags))
            + stream.to_bytes(4, "big") + data)
