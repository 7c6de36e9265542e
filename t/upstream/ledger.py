"""What happened: every request as it arrived, every order that was made."""

import json
import threading
import time


class Ledger:
    def __init__(self, path=None):
        self._changed = threading.Condition()
        self._file = open(path, "a", buffering=1) if path else None
        self._requests = []
        self._orders = []
        self._sequence = 0          # of orders; never reset

    def add_request(self, request):
        with self._changed:
            self._requests.append(request.record())
            self._write("request", self._requests[-1])
            self._changed.notify_all()

    def add_order(self, api, reference, request):
        """Makes one order and returns its number. Never deduplicates: that
        two orders appear here for one intention is what tests look for."""
        with self._changed:
            self._sequence += 1
            self._orders.append({"number": self._sequence, "api": api,
                                 "reference": reference,
                                 "body": request.body.decode("utf-8",
                                                             "replace")})
            self._write("order", self._orders[-1])
            self._changed.notify_all()
            return self._sequence

    def requests(self):
        with self._changed:
            return list(self._requests)

    def orders(self):
        with self._changed:
            return list(self._orders)

    def wait_for_requests(self, count, timeout):
        """Whether `count` requests have arrived within `timeout` seconds."""
        end = time.monotonic() + timeout
        with self._changed:
            while len(self._requests) < count:
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return len(self._requests) >= count
            return True

    def clear(self):
        with self._changed:
            self._requests.clear()
            self._orders.clear()

    def _write(self, kind, entry):
        if self._file:
            self._file.write(json.dumps({"kind": kind, **entry}) + "\n")
