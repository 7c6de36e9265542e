"""Which answers are lost, and what arrives of them."""

import threading


class Losses:
    """Of every other key the first answer is lost, and then of each key every
    second one: nothing of it arrives or, in turn, `answer[:end]`. `keys` has
    the key of each."""

    def __init__(self, end):
        self.keys = []
        self._end = end
        self._next = {}
        self._lock = threading.Lock()

    def left_of(self, answer, key):
        with self._lock:
            number = self._next.setdefault(key, len(self._next))
            self._next[key] += 1
            if number % 2 == 0:
                return answer
            self.keys.append(key)
            return answer[:self._end] if len(self.keys) % 2 == 0 else b""


class NoLosses:
    def left_of(self, answer, key):
        return answer
