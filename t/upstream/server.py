"""Listens, reads requests, lets a router answer them; one thread each."""

import socket
import threading

import faults
from answer import json_answer
from request import read_request
from wire import Closed, Wire

MODES = ("open", "closed", "hangup", "blackhole")


class Server:
    """`open` serves; `closed` refuses connections; `hangup` accepts and
    closes without reading; `blackhole` accepts and does nothing."""

    def __init__(self, port, router, ledger, script):
        self.port = port
        self._router = router
        self._ledger = ledger
        self._script = script
        self._mode = "closed"
        self._listener = None
        self._held = []                     # of the mode blackhole
        self._connections = 0
        self.set_mode("open")

    def set_mode(self, mode):
        if mode not in MODES:
            raise ValueError(f"mode {mode!r} is none of {MODES}")
        if mode == "closed":
            self._stop_listening()
        elif self._listener is None:
            self._start_listening()
        self._mode = mode
        if mode != "blackhole":
            self._let_go()

    def _start_listening(self):
        listener = socket.create_server(("127.0.0.1", self.port),
                                        backlog=1024)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,),
                         daemon=True).start()

    def _stop_listening(self):
        if self._listener is None:
            return
        # wakes the accept() of the other thread; close() alone would not
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None

    def _let_go(self):
        while self._held:
            self._held.pop().close()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self._connections += 1
            self._admit(Wire(sock, self._connections))

    def _admit(self, wire):
        if self._mode == "hangup":
            wire.close()
        elif self._mode == "blackhole":
            self._held.append(wire)
        else:
            wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(wire,),
                             daemon=True).start()

    def _serve(self, wire):
        try:
            while self._serve_one(wire):
                pass
        except Closed:
            pass
        finally:
            wire.close()

    def _serve_one(self, wire):
        request = read_request(wire)
        self._ledger.add_request(request)
        if not request.complete:
            return False

        step = self._script.take(request.path) or {}
        wanted = faults.parse(request.header("X-Fault"))
        wanted.update(faults.parse(step.get("fault")))

        answer = self._answer(request, step, wanted)
        faults.wait(wanted, self._script)
        answer = faults.change(answer, wanted)
        return faults.send(wire, answer, wanted,
                           keep=not request.wants_close())

    def _answer(self, request, step, wanted):
        try:
            return (faults.replacement(wanted)
                    or self._router.answer(request, step.get("answer")))
        except Exception as error:          # a bug here must not look like
            return json_answer(500, {       # a closed connection
                "code": "SEED_UPSTREAM_BUG", "message": repr(error)})
