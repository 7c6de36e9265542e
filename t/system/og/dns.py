"""A name server of a few lines, whose answers can be changed at any time."""

import socket
import struct
import threading

A = 1
NXDOMAIN = 3


class Dns:
    """`names` maps a name to its IPv4 addresses; what is not in there does
    not exist. While `silent` nothing is answered. No answer may be kept for
    longer than the second in which it came. `asked` has the names of all
    questions."""

    def __init__(self):
        self.names = {}
        self.silent = False
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def directive(self):
        return f"resolver 127.0.0.1:{self.port};"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _run(self):
        while True:
            question, client = self._socket.recvfrom(4096)
            if not question:
                return
            name, kind, end = _parse(question)
            self.asked.append(name)
            if not self.silent:
                self._socket.sendto(self._answer(question[:end], name, kind),
                                    client)

    def _answer(self, question, name, kind):
        addresses = self.names.get(name)
        records = addresses or [] if kind == A else []
        code = NXDOMAIN if addresses is None else 0
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1,
                                          len(records), 0, 0)
        return head + question[12:] + b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 4)
            + socket.inet_aton(address) for address in records)


def _parse(question):
    """The name, the type of record, and where the question ends."""
    labels, at = [], 12
    while question[at]:
        size = question[at]
        labels.append(question[at + 1:at + 1 + size].decode())
        at += 1 + size
    kind, = struct.unpack(">H", question[at + 1:at + 3])
    return ".".join(labels), kind, at + 5
