"""A sentinel that says what the test wants it to say."""

import socket
import threading

from og.redis import _read
from og.sentinel import SERVICE

INFO = (f"# Server\r\nredis_version:7.0.15\r\nredis_mode:{{mode}}\r\n"
        f"run_id:{'e' * 40}\r\n")


class FakeSentinel:
    """`master`: (host, port) that it tells, None: it knows none, or bytes to
    answer instead. `next_master` becomes that behind the next answer, in one
    write. While `silent` it answers nothing. `asked` counts the questions;
    `connections` holds the open ones."""

    def __init__(self, master, mode="sentinel"):
        self.master = master
        self.next_master = None
        self.silent = False
        self.asked = 0
        self.connections = []
        self._info = INFO.format(mode=mode)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def address(self):
        return f"redis+sentinel://127.0.0.1:{self.port}/{SERVICE}"

    def kill(self):
        self._listener.close()
        self.hang_up()

    def hang_up(self):
        """Ends the connections that there are."""
        for sock in list(self.connections):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def switch(self, master, service=SERVICE):
        """Tells it from now on, and says so to who listens."""
        message = _message(service, self.master, master)
        if service == SERVICE:
            self.master = master
        for sock in list(self.connections):
            sock.sendall(message)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        try:
            with sock.makefile("rb") as stream:
                answers = b""
                while True:
                    words = _read(stream)
                    answers += self._answer(words)
                    if words[0] != b"SENTINEL" and words[0] != b"UNSUBSCRIBE":
                        if not self.silent:
                            sock.sendall(answers)
                        answers = b""
        except Exception:               # whatever the end looks like
            self.connections.remove(sock)
            sock.close()

    def _answer(self, words):
        command = words[0].upper()
        if command == b"INFO":
            return _bulk(self._info)
        if command in (b"SUBSCRIBE", b"UNSUBSCRIBE"):
            answer = (b"*3\r\n" + _bulk(command.lower()) + _bulk(words[1])
                      + b":%d\r\n" % (command == b"SUBSCRIBE"))
            if command == b"SUBSCRIBE" and self.next_master:
                answer += _message(SERVICE, self.master, self.next_master)
                self.master, self.next_master = self.next_master, None
            return answer
        if command != b"SENTINEL":
            return b"+OK\r\n"
        self.asked += 1
        if isinstance(self.master, bytes):
            return self.master
        return b"*-1\r\n" if self.master is None else _array(*self.master)


def _message(service, old, new):
    text = " ".join([service, old[0], str(old[1]), new[0], str(new[1])])
    return _array("message", "+switch-master", text)


def _array(*words):
    return b"*%d\r\n" % len(words) + b"".join(_bulk(w) for w in words)


def _bulk(word):
    data = word if isinstance(word, bytes) else str(word).encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)
