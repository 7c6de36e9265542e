"""HTTP as a client sees it: one request, a kept connection, raw bytes, h2."""

import http.client
import json
import os
import socket
import subprocess
import tempfile

from og.paths import seconds


class Response:
    def __init__(self, status, headers, body, reason=""):
        self.status = status
        self.reason = reason
        self.headers = headers          # [(name, value)]
        self.body = body

    def header(self, name):
        values = self.values(name)
        return values[0] if values else None

    def values(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    @property
    def media_type(self):
        return (self.header("Content-Type") or "").split(";")[0]

    @property
    def code(self):
        """Of a problem; None for any other answer."""
        if self.media_type != "application/problem+json":
            return None
        return self.json().get("code")

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


class Session:
    """One connection, kept alive for as long as the server wants."""

    def __init__(self, port, limit=15):
        self.connection = http.client.HTTPConnection("127.0.0.1", port,
                                                     timeout=seconds(limit))

    def request(self, method, path, body=None, headers=()):
        """`headers`: a dict, or pairs where a name occurs twice. Without a
        Content-Length of its own the body gets one; a list of parts is sent
        without, in chunks."""
        pairs = list(headers.items() if isinstance(headers, dict)
                     else headers)
        if isinstance(body, list):
            pairs.append(("Transfer-Encoding", "chunked"))
            body = chunked(body)
        names = {name.lower() for name, _ in pairs}
        connection = self.connection
        connection.putrequest(method, path, skip_accept_encoding=True,
                              skip_host="host" in names)
        for name, value in pairs:
            connection.putheader(name, value)
        framed = names & {"content-length", "transfer-encoding"}
        if body is not None and not framed:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Response(answer.status, answer.getheaders(), answer.read(),
                        answer.reason)

    def alive(self):
        """Whether the server has kept the connection."""
        return self.connection.sock is not None

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(port, method, path, body=None, headers=(), limit=15):
    with Session(port, limit) as session:
        return session.request(method, path, body, headers)


def chunked(parts):
    """Bytes of a chunked body."""
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part]
    return b"".join(chunks) + b"0\r\n\r\n"


def raw(port, data, limit=10):
    """Sends bytes, half-closes nothing, reads until the server closes or is
    silent for `limit` seconds."""
    received = []
    with socket.create_connection(("127.0.0.1", port),
                                  seconds(limit)) as sock:
        sock.sendall(data)
        try:
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                received.append(part)
        except (socket.timeout, ConnectionResetError):
            pass
    return b"".join(received)


def leave(port, data):
    """Sends bytes and returns the open socket: whoever closes it before the
    answer is a client that went away."""
    sock = socket.create_connection(("127.0.0.1", port), seconds(10))
    sock.sendall(data)
    return sock


def http_bytes(method, path, body=b"", headers=()):
    """A request as bytes, for raw() and leave()."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost",
             f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def http2(port, method, path, body=None, headers=(), limit=20):
    """Over HTTP/2 without TLS, by curl. Without a length where the body is
    given as a list of parts (curl reads it from a pipe)."""
    argv = ["curl", "-sS", "--http2-prior-knowledge", "--noproxy", "*", "-i",
            "-m", str(seconds(limit)), "-X", method,
            f"http://127.0.0.1:{port}{path}"]
    for name, value in dict(headers).items():
        argv += ["-H", f"{name}: {value}"]
    if body is None:
        return _curl(argv)
    if isinstance(body, list):
        return _curl(argv + ["-T", "-"], b"".join(body))
    with tempfile.NamedTemporaryFile(delete=False) as out:
        out.write(body)
    try:
        return _curl(argv + ["--data-binary", "@" + out.name])
    finally:
        os.unlink(out.name)


def _curl(argv, stdin=None):
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        raise AssertionError(f"curl {done.returncode}: "
                             + done.stderr.decode())
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.split(b" ")[1].startswith(b"1"):
        head, _, body = body.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines[1:]
               if ": " in line]
    return Response(int(lines[0].split(" ")[1]), headers, body)
