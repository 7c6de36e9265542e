"""The seed upstream (t/upstream) as a process, and its admin port."""

import base64
import json
import os
import urllib.request

from og import paths
from og.process import Process, free_port


class Upstream:
    def __init__(self, folder):
        self.folder = str(folder)
        self.port = free_port()
        self.admin_port = free_port()
        self.process = None
        os.makedirs(self.folder, exist_ok=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def log(self):
        return os.path.join(self.folder, "upstream.log")

    def start(self):
        self.process = Process(
            [paths.PYTHON, "-B", paths.UPSTREAM, "--port", str(self.port),
             "--admin-port", str(self.admin_port), "--ledger",
             os.path.join(self.folder, "ledger.jsonl")], self.log)
        self.process.wait_for_port(self.port)
        self.process.wait_for_port(self.admin_port)
        self.clear()
        return self

    def stop(self):
        if self.process and self.process.running():
            self.process.stop()

    def requests(self):
        """Requests in order of arrival; `body` holds the raw bytes."""
        found = self._ask("/requests")
        for request in found:
            request["body"] = base64.b64decode(request["body_base64"])
            request["headers"] = [tuple(pair) for pair in request["headers"]]
        return found

    def last(self):
        return self.requests()[-1]

    def orders(self):
        return self._ask("/orders")

    def wait_for_requests(self, count, limit=5):
        limit = paths.seconds(limit)
        if not self._ask(f"/wait?requests={count}&timeout={limit}"):
            raise AssertionError(f"{len(self.requests())} requests, not "
                                 f"{count}, within {limit} s")

    def script(self, fault="", answer=None, times=1, path=None):
        """The next `times` requests (0: all that follow) meet the fault."""
        self._ask("/script", {"fault": fault, "answer": answer,
                              "times": times, "path": path})

    def release(self, name):
        self._ask("/release", {"name": name})

    def mode(self, mode):
        """open, closed, hangup, blackhole"""
        self._ask("/mode", {"mode": mode})

    def clear(self):
        self._ask("/clear", {})

    def _ask(self, path, order=None):
        data = None if order is None else json.dumps(order).encode()
        url = f"http://127.0.0.1:{self.admin_port}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, data, paths.seconds(30)) as answer:
            return json.load(answer)


def header(request, name):
    """The values of one header of a recorded request."""
    return [v for n, v in request["headers"] if n.lower() == name.lower()]
