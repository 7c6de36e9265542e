"""The admin port: what happened, and what shall happen next. JSON in and out.

    GET  /requests              all requests in order of arrival
    GET  /orders                all orders
    GET  /wait?requests=N&timeout=S     true once N requests have arrived
    POST /script   {path, fault, answer, times}     see script.py, faults.py
    POST /release  {name}       lets go of what waits in `hold=NAME`
    POST /mode     {mode}       open, closed, hangup, blackhole: server.py
    POST /clear                 forgets requests, orders and steps
"""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def serve(port, server, ledger, script):
    handler = type("AdminHandler", (_Handler,), {
        "upstream": server, "ledger": ledger, "script": script})
    admin = ThreadingHTTPServer(("127.0.0.1", port), handler)
    admin.daemon_threads = True
    threading.Thread(target=admin.serve_forever, daemon=True).start()
    return admin


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = ledger = script = None

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/requests":
            self._answer(200, self.ledger.requests())
        elif url.path == "/orders":
            self._answer(200, self.ledger.orders())
        elif url.path == "/wait":
            self._answer(200, self.ledger.wait_for_requests(
                int(query["requests"]), float(query.get("timeout", 5))))
        else:
            self._answer(404, {"unknown": self.path})

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        order = json.loads(self.rfile.read(size) or b"{}")
        if self.path == "/script":
            self.script.add(order)
        elif self.path == "/release":
            self.script.gate(order["name"]).set()
        elif self.path == "/mode":
            self.upstream.set_mode(order["mode"])
        elif self.path == "/clear":
            self.ledger.clear()
            self.script.clear()
        else:
            return self._answer(404, {"unknown": self.path})
        return self._answer(200, {"done": self.path})

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
