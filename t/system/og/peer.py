"""An upstream of a few lines, for answers that the seed upstream is too well
behaved to give."""

import socket
import struct
import threading


class Peer:
    """act(sock, head, body) answers one request; the connection lives on
    where it returns True. `requests` holds (head, body) as they came."""

    def __init__(self, act, port=0):
        self.requests = []
        self._act = act
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def wait_for(self, count, limit=5):
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self.requests) >= count, limit), self.requests

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
        stream = sock.makefile("rb")
        try:
            while True:
                request = self._read(stream)
                if request is None:
                    break
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                if not self._act(sock, *request):
                    break
        except OSError:
            pass
        finally:
            stream.close()
            _end(sock)

    def _read(self, stream):
        """(head, body), or None where the client has ended."""
        lines = []
        while True:
            line = stream.readline()
            if not line:
                return None
            if line == b"\r\n":
                break
            lines.append(line)
        return b"".join(lines), stream.read(_length(lines))


def _length(lines):
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _end(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def header(head, name):
    """The value of one header of a request, which must be there."""
    for line in head.decode("latin-1").split("\r\n"):
        found, _, value = line.partition(":")
        if found.lower() == name.lower():
            return value.strip()
    raise AssertionError(f"no {name}: {head!r}")


def message(body=b'{"ok":true}', status=b"200 OK", headers=(),
            media_type=b"application/json"):
    """The bytes of a whole answer."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: " + media_type,
             b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def answering(*more, **named):
    """An act that always gives the answer of message()."""
    data = message(*more, **named)

    def act(sock, head, body):
        sock.sendall(data)
        return True
    return act


def sending(data):
    """An act that sends these bytes and ends the stream."""
    def act(sock, head, body):
        sock.sendall(data)
        return False
    return act


def closing(sock, head, body):
    return False


def resetting(sock, head, body):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    return False


def in_turn(*acts):
    """Each request gets the next act; the last one stays."""
    left = list(acts)

    def act(sock, head, body):
        now = left.pop(0) if len(left) > 1 else left[0]
        return now(sock, head, body)
    return act
