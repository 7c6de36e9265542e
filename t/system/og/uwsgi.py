"""A uwsgi server that tells what it was given."""

import struct

from og.peer import Peer


class Uwsgi(Peer):
    """`requests` holds (vars, body); the answer is these bytes."""

    def __init__(self, answer):
        super().__init__(lambda sock, *_: sock.sendall(answer))

    def _read(self, stream):
        head = stream.read(4)
        if len(head) < 4:
            return None
        _, size, _ = struct.unpack("<BHB", head)
        told = _vars(stream.read(size))
        return told, stream.read(int(told[b"CONTENT_LENGTH"] or 0))


def _vars(data):
    """16 bits of length, and a text, in turn."""
    texts = []
    while data:
        size, = struct.unpack_from("<H", data)
        texts.append(data[2:2 + size])
        data = data[2 + size:]
    return dict(zip(texts[::2], texts[1::2]))
