"""What the admin has asked for: faults and answers of coming requests."""

import threading


class Script:
    def __init__(self):
        self._lock = threading.Lock()
        self._steps = []            # {path, fault, answer, times}
        self._gates = {}            # name -> Event, set once it is released

    def add(self, step):
        """`times` requests (1 by default; 0: all that follow) to `path` (any
        by default) get `fault` (a string) and `answer` (status, headers,
        body), where given."""
        with self._lock:
            self._steps.append({"path": step.get("path"),
                                "fault": step.get("fault", ""),
                                "answer": step.get("answer"),
                                "times": step.get("times", 1)})

    def take(self, path):
        """The step that applies to a request to `path`, or None."""
        with self._lock:
            for step in self._steps:
                if step["path"] in (None, path):
                    self._use(step)
                    return step
        return None

    def gate(self, name):
        """The event that requests held under `name` wait for."""
        with self._lock:
            return self._gates.setdefault(name, threading.Event())

    def clear(self):
        with self._lock:
            self._steps.clear()
            for gate in self._gates.values():
                gate.set()
            self._gates.clear()

    def _use(self, step):
        if step["times"] == 0:
            return
        step["times"] -= 1
        if step["times"] == 0:
            self._steps.remove(step)
