"""nginx with the module whose allocations fail when a test says so (t/lib/
faults.c), before an upstream that answers as each request asks it to."""

import ctypes
import http.client
import mmap
import os
import socket
import subprocess

import pytest

from og import paths
from og.client import Response
from og.gate import Gate
from og.nginx import Nginx
from og.paths import seconds
from og.peer import Peer, message
from og.process import free_port, wait_until

HTTP = """
    access_log off;
    order_guard_store main {store};
    order_guard_store other {other};
    order_guard_store dead redis://127.0.0.1:1;
    {http}
    upstream orders {{ server {upstream}; }}

    server {{
        listen 127.0.0.1:{port} reuseport;
        listen 127.0.0.1:{h2} http2 reuseport;
        location = /status {{ stub_status; }}
        location = /turn {{ return 204; }}
        {conf}
    }}
"""

# kinds of calls, as in t/lib/faults.c
REQUEST, HEAP, LINK = 1, 2, 4


class Page(ctypes.Structure):
    """faults_t of t/lib/faults.c."""
    _fields_ = [("first", ctypes.c_uint64), ("calls", ctypes.c_uint64),
                ("kinds", ctypes.c_uint64), ("seen", ctypes.c_uint64),
                ("failed", ctypes.c_uint64), ("place", ctypes.c_uint64),
                ("blocks", ctypes.c_int64), ("pools", ctypes.c_int64)]


class Faults:
    def __init__(self, path, module):
        self.path = str(path)
        self._module = module
        with open(path, "wb+") as out:
            out.truncate(mmap.PAGESIZE)
            self._page = Page.from_buffer(mmap.mmap(out.fileno(), 0))

    def arm(self, first, calls=1, kinds=REQUEST | HEAP | LINK):
        """The first-th allocation from now on fails, and calls - 1 more."""
        page = self._page
        page.first, page.calls, page.kinds = 0, calls, kinds
        page.seen = page.failed = 0
        page.first = first

    def disarm(self):
        """Returns how many have failed."""
        self._page.first = 0
        return self._page.failed

    def held(self):
        """(blocks, pools) that the module has not given back."""
        return self._page.blocks, self._page.pools

    def place(self):
        """Function and line of the last one that failed."""
        done = subprocess.run(
            ["addr2line", "-f", "-s", "-i", "-e", self._module,
             hex(self._page.place - 1)], stdout=subprocess.PIPE, text=True)
        return " ".join(done.stdout.split())


@pytest.fixture(scope="session")
def failing_module():
    """Built beside the module that is tested."""
    build = os.path.dirname(paths.MODULE)
    module = os.path.join(build, "t", "faults", paths.MODULE_NAME)
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-s", f"-j{os.cpu_count()}", "-C", paths.ROOT,
         f"BUILD={build}", module], env=env, text=True, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return module


class FailingGate(Gate):
    """`conf` is what stands in server {}; where it says proxy_pass
    http://orders, requests go to an upstream that obeys X-Answer. `http` is
    added to http {}."""

    def __init__(self, folder, module, stores, conf, http=""):
        self.faults = Faults(folder / "faults", module)
        port, h2 = free_port(), free_port()
        peer = Peer(_answer)
        text = HTTP.format(store=stores[0], other=stores[1], port=port, h2=h2,
                           upstream=peer.address, conf=conf, http=http)
        super().__init__(Nginx(folder / "nginx", text, [port, h2],
                               module=module), port, h2, peer)

    def __enter__(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paths, "LD_PRELOAD",
                          paths.LD_PRELOAD or _library("libasan.so"))
            patch.setenv("OG_FAULTS", self.faults.path)
            self.nginx.start()
        wait_until(self.nginx.worker_pids)
        return self

    def __exit__(self, *_):
        ended = self.nginx.quit()
        self.upstream.__exit__()
        assert ended, "does not quit within 15 s"
        assert not self.nginx.bad_lines()

    def arrived(self):
        return len(self.upstream.requests)

    def turn(self):
        """Returns when the worker has gone through its events once more."""
        self._ask("/turn")

    def connections(self):
        """How many clients nginx has, without the one that asks."""
        return int(self._ask("/status").body.split()[2]) - 1

    def wait_until_idle(self):
        wait_until(lambda: self.connections() == 0, 5,
                   "a request is left over")

    def _ask(self, path):
        return exchange(self.port, f"GET {path} HTTP/1.1\r\nHost: h\r\n"
                        "\r\n".encode())


def exchange(port, *steps, between=None, limit=5):
    """The answer to a request; None where the connection was closed without
    a whole one. TimeoutError: whoever waits has been forgotten."""
    with socket.create_connection(("127.0.0.1", port),
                                  seconds(limit)) as sock:
        try:
            sock.sendall(steps[0])
            for step in steps[1:]:
                between()
                sock.sendall(step)
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            return Response(answer.status, answer.getheaders(),
                            answer.read(), answer.reason)
        except (http.client.HTTPException, ConnectionError):
            return None


# the upstream

PAGE = b"<html>Traceback db-internal-7</html>"
LINES = (b"ETag: \"e\"", b"Link: </a>", b"Content-Language: en",
         b"Set-Cookie: a=b", b"Content-MD5: x")

ANSWERS = {
    b"order": message(b'{"made":"order"}', headers=LINES),
    b"created": message(b'{"made":"created"}', b"201 Created",
                        (b"Location: /orders/1",)),
    b"empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    b"long": message(b'{"made":"' + b"x" * 100000 + b'"}'),
    b"page": message(PAGE, b"500 Internal Server Error",
                     media_type=b"text/html"),
    b"error": message(b'{"code":"SOLD_OUT","message":"sold out","errors":'
                      b'[{"field":"a"}],"trace_id":"t1"}', b"409 Conflict"),
    b"problem": message(b'{"type":"about:blank","title":"Gone","status":410,'
                        b'"detail":"it is gone"}', b"410 Gone",
                        media_type=b"application/problem+json"),
    b"freed": message(b'{"message":"who?"}', b"401 Unauthorized",
                      (b"WWW-Authenticate: Bearer",)),
    b"unended": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
                b'{"made":',
    b"cut": message(b'{"made":"order"}')[:-3],
    b"nothing": b"",
    b"no http": b'{"made":"Traceback"}',
}


def _answer(sock, head, _):
    """What the header X-Answer names."""
    _, found, rest = head.lower().partition(b"\r\nx-answer: ")
    sock.sendall(ANSWERS[rest.split(b"\r\n")[0] if found else b"order"])
    return False


def _library(name):
    return subprocess.run(["gcc", f"-print-file-name={name}"], text=True,
                          check=True, stdout=subprocess.PIPE).stdout.strip()
