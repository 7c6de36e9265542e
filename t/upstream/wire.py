"""A connection seen as bytes: buffered reading, writing, ways to end it."""

import socket
import struct

LIMIT = 64 * 1024 * 1024


class Closed(Exception):
    """The peer went away, or broke the framing."""


class Wire:
    def __init__(self, sock, number):
        self.sock = sock
        self.number = number        # of the connection, from 1
        self.requests = 0           # read on this connection so far
        self.buffer = b""

    def read_line(self):
        while b"\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def read_exactly(self, size):
        if size > LIMIT:
            raise Closed("body beyond the limit of the test upstream")
        parts, missing = [], size
        while missing:
            if not self.buffer:
                self._fill()
            part, self.buffer = self.buffer[:missing], self.buffer[missing:]
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from None

    def close(self):
        """FIN; what has been sent arrives."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        """RST; what has not been read by the peer yet may be lost."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def _fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise Closed(str(error)) from None
        if not data:
            raise Closed("end of stream")
        self.buffer += data
