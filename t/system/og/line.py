"""A line between a client and a gateway, on which answers are lost."""

from og import client
from og.losses import NoLosses
from og.peer import Peer, header

CLOSING = "keepalive_timeout 0;"        # in the gateway: it ends its answers


class Line(Peer):
    """The gateway, CLOSING, has given its answer before that is lost."""

    def __init__(self, gateway_port, losses=NoLosses()):
        self._gateway_port = gateway_port
        self._losses = losses
        super().__init__(self._pass_on)

    def _pass_on(self, sock, head, body):
        answer = client.raw(self._gateway_port, head + b"\r\n" + body)
        key = header(head, "Idempotency-Key")
        sock.sendall(self._losses.left_of(answer, key))
        return False
