"""An upstream that charges cards as Stripe's API does."""

import json
import threading
from collections import Counter
from urllib.parse import parse_qsl

from og.losses import NoLosses
from og.peer import Peer, header, message


class Bank(Peer):
    """`ledger` has each charge that was made, `runs` how often each key came.
    An idempotent bank charges once for a key."""

    def __init__(self, losses=NoLosses(), idempotent=False):
        self.ledger = []
        self.runs = Counter()
        self._losses = losses
        self._idempotent = idempotent
        self._lock = threading.Lock()
        super().__init__(self._take)

    def _take(self, sock, head, body):
        key = header(head, "Idempotency-Key")
        charge = self._charge(key, dict(parse_qsl(body.decode())))
        answer = message(json.dumps(charge).encode())
        left = self._losses.left_of(answer, key)
        sock.sendall(left)
        return left == answer

    def _charge(self, key, fields):
        with self._lock:
            self.runs[key] += 1
            if self._idempotent and self.runs[key] > 1:
                return next(made for made in self.ledger
                            if made["key"] == key)
            made = {"id": f"ch_{len(self.ledger)}", "key": key,
                    "fields": fields}
            self.ledger.append(made)
            return made
