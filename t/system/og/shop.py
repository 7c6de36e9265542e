"""An upstream that keeps a ledger, and fails in every way that leaves its
client in doubt about what is in there."""

import json
import random
import threading
import time
from collections import Counter

from og.peer import Peer, header, message, resetting

LEASE = 2                   # s, of the gateway's claims
READ_TIMEOUT = 3            # s, of the gateway

# of 100 requests
WAYS = {
    "well": 48,             # an order, answered at once
    "slowly": 16,           # an order, answered after a while
    "very slowly": 1,       # an order, answered when a lease has passed
    "late": 1,              # an order, too late to be answered
    "too late": 1,          # an order that is made when nobody waits for it
    "reset before": 4,      # no order, no answer
    "reset after": 4,       # an order, no answer
    "cut": 3,               # an order, half of an answer
    "error": 4,             # an order, and an answer that says 500
    "sold out": 6,          # no order, an answer that stays
    "busy": 12,             # no order, an answer that frees the key
}
DOUBTFUL = {"late", "too late", "reset before", "reset after", "cut"}


class Shop:
    """`ledger` has the numbers of the orders made under each key, `ways` how
    each request with it went. What happens to the n-th depends on the seed
    and on how often it is to go each way."""

    def __init__(self, seed, chances=WAYS):
        self.ledger = {}
        self.ways = {}
        self.wrong = []
        self.calm = False
        self._seed = seed
        self._chances = chances
        self._at_work = 0
        self._number = 0
        self._lock = threading.Lock()
        self._peer = Peer(self._act)
        self.port = self._peer.port

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        self._peer = Peer(self._act, self.port)

    def close(self):
        """Connections are refused; what has begun goes on."""
        self._peer.__exit__()

    def sent(self, key):
        """How those went that the gateway must never send again."""
        return [way for way in self.ways.get(key, ()) if way != "busy"]

    def left_in_doubt(self, key):
        return bool(DOUBTFUL.intersection(self.sent(key)))

    def idle(self):
        with self._lock:
            return self._at_work == 0

    def counts(self):
        return Counter(sum(self.ways.values(), []))

    def _act(self, sock, head, body):
        key = header(head, "Idempotency-Key")
        with self._lock:
            self._at_work += 1
        try:
            if json.loads(body)["client_reference"] != key:
                self.wrong.append(f"{key}: another's body: {body}")
            way, delay = self._choose(key)
            return getattr(self, "_" + way.replace(" ", "_"))(sock, key,
                                                              delay)
        finally:
            with self._lock:
                self._at_work -= 1

    def _choose(self, key):
        with self._lock:
            ways = self.ways.setdefault(key, [])
            chance = random.Random(f"{self._seed} {key} {len(ways)}")
            way = ("well" if self.calm else
                   chance.choices(list(self._chances),
                                  self._chances.values())[0])
            ways.append(way)
        return way, chance.uniform(0.01, 0.3)

    def _make(self, key):
        with self._lock:
            self._number += 1
            self.ledger.setdefault(key, []).append(self._number)
            return {"order": self._number, "key": key}

    # ways

    def _well(self, sock, key, _):
        _send(sock, self._make(key))

    def _slowly(self, sock, key, delay):
        made = self._make(key)
        time.sleep(delay)
        _send(sock, made)

    def _very_slowly(self, sock, key, delay):
        self._slowly(sock, key, LEASE + delay)

    def _late(self, sock, key, delay):
        self._slowly(sock, key, READ_TIMEOUT + 0.2 + delay)

    def _too_late(self, sock, key, delay):
        time.sleep(READ_TIMEOUT + 0.2 + delay)
        self._make(key)

    def _reset_before(self, sock, key, delay):
        time.sleep(delay / 10)
        resetting(sock, None, None)

    def _reset_after(self, sock, key, delay):
        self._make(key)
        self._reset_before(sock, key, delay)

    def _cut(self, sock, key, _):
        data = message(json.dumps(self._make(key)).encode())
        sock.sendall(data[:-5])

    def _error(self, sock, key, _):
        _send(sock, {"code": "BROKEN", **self._make(key)},
              b"500 Internal Server Error")

    def _sold_out(self, sock, key, _):
        _send(sock, {"code": "SOLD_OUT", "message": key},
              b"422 Unprocessable Entity")

    def _busy(self, sock, key, delay):
        time.sleep(delay)
        _send(sock, {"code": "BUSY"}, b"429 Too Many Requests")


def _send(sock, value, status=b"200 OK"):
    sock.sendall(message(json.dumps(value).encode(), status))
