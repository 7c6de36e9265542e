"""A FastCGI responder that tells what it was given."""

import socket
import struct
import threading

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


class FastCgi:
    """`requests` holds (params, body); the answer is `body` with `status`.
    Where it is `cut`, the stream ends without END_REQUEST."""

    def __init__(self, body=b'{"made":"by fastcgi"}', status=b"200 OK",
                 cut=False):
        self.requests = []
        self._body = body
        self._status = status
        self._cut = cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        params, body = _read_request(sock.makefile("rb"))
        self.requests.append((params, body))
        head = (b"Status: " + self._status
                + b"\r\nContent-Type: application/json\r\n\r\n")
        data = _stdout(head + self._body)
        if not self._cut:
            data += _record(STDOUT, b"") + _record(END, b"\0" * 8)
        sock.sendall(data)
        sock.close()


def _read_request(stream):
    params, body = b"", b""
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return _pairs(params), body
        _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", head)
        data = stream.read(size)
        stream.read(padding)
        if kind == PARAMS:
            params += data
        elif kind == STDIN:
            if not data:
                return _pairs(params), body
            body += data


def _pairs(data):
    found = {}
    while data:
        name, data = _length(data)
        value, data = _length(data)
        found[data[:name].decode()] = data[name:name + value].decode(
            "latin-1")
        data = data[name + value:]
    return found


def _length(data):
    if data[0] < 128:
        return data[0], data[1:]
    return int.from_bytes(data[:4], "big") & 0x7fffffff, data[4:]


def _stdout(data):
    return b"".join(_record(STDOUT, data[start:start + 32768])
                    for start in range(0, len(data), 32768))


def _record(kind, data):
    return struct.pack(">BBHHBB", 1, kind, 1, len(data), 0, 0) + data
