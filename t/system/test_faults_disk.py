"""The disk is full, or the folder of temporary files is gone: no order that
was not read whole goes on, and what has an answer keeps it."""

import os
import shutil
import socket

import pytest

from og import client, paths
from og.gate import gate                                    # noqa: F401
from og.http2 import Http2
from og.paths import seconds
from og.problem import check_problem
from og.process import wait_until

RULES = ("order_guard_strip price; client_body_buffer_size 8k;\n"
         "client_body_timeout 2s;")
HEADERS = {"Authorization": "Bearer t", "Content-Type": "application/json"}
NAMED = {**HEADERS, "Idempotency-Key": "k", "Connection": "close"}
LONG = b'{"price":1,"a":"' + b"x" * 60000 + b'"}'
SHORT = b'{"price":1,"a":1}'

# a disk that takes 32 kB of a file: SIGXFSZ would end nginx
SMALL_DISK = """\
#!/bin/sh
trap '' XFSZ
ulimit -f 64
exec %s "$@"
"""


@pytest.fixture
def small_disk(gate, tmp_path, monkeypatch):                # noqa: F811
    script = tmp_path / "nginx"
    script.write_text(SMALL_DISK % paths.NGINX)
    script.chmod(0o755)
    monkeypatch.setattr(paths, "NGINX", str(script))
    return gate


def send(gate, how, body, key):                             # noqa: F811
    """The answer; None where the connection was closed instead."""
    headers = {**HEADERS, "Idempotency-Key": key}
    if how == "http2":
        return send_http2(gate, body, headers)
    if how == "chunked":
        headers["Transfer-Encoding"] = "chunked"
        body = client.chunked([body[:9000], body[9000:]])
    try:
        return client.request(gate.port, "POST", "/order", body, headers)
    except ConnectionError:
        return None


def send_http2(gate, body, headers):                        # noqa: F811
    """Without a length; windows are wide enough for 64k at once."""
    with Http2(gate.h2) as connection:
        stream = connection.request("POST", "/order", body, headers)
        answer, = connection.wait([stream])
    return None if answer.reset else answer


def check_refused(gate, how, body, key):                    # noqa: F811
    answer = send(gate, how, body, key)
    assert answer is None or answer.status == 500, answer
    if answer:
        check_problem(answer, 500, "INTERNAL_SERVER_ERROR", "gateway")


@pytest.mark.parametrize("how", ["length", "chunked", "http2"])
def test_disk_is_full(small_disk, redis, how):
    gate = small_disk(RULES)                                # noqa: F811
    worker, = wait_until(gate.nginx.worker_pids)
    for _ in range(3):
        check_refused(gate, how, LONG, "k")
    assert gate.arrived() == 0
    assert redis.records() == []
    assert send(gate, how, SHORT, "k").status == 200
    assert gate.upstream.last()["body"] == b'{"a":1}'
    check_nothing_is_open(gate, worker)


@pytest.mark.parametrize("how", ["length", "chunked", "http2"])
def test_folder_is_gone(gate, redis, how):                  # noqa: F811
    gate = gate(RULES)
    worker, = wait_until(gate.nginx.worker_pids)
    folder = gate.nginx.path("tmp/body")
    shutil.rmtree(folder)
    check_refused(gate, how, LONG, "k")
    assert gate.arrived() == 0
    assert redis.records() == []
    os.mkdir(folder)
    assert send(gate, how, LONG, "k").status == 200
    assert gate.arrived() == 1
    check_nothing_is_open(gate, worker)


PAGES = {
    "static": "location = /page { internal; root conf; }",
    "upstream": "location @page { order_guard on; order_guard_strip price;\n"
                "order_guard_idempotency required;\n"
                "proxy_pass http://orders; }",
    "unguarded": "location @page { proxy_pass http://orders; }",
    "any answer": "location @page { proxy_pass http://orders; }",
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("why", ["no folder", "wrong chunk"])
def test_page_for_a_body_that_cannot_be_read(gate, page, late,
                                             why):          # noqa: F811
    """The page leaves; a body that nobody has looked at goes nowhere."""
    name = {"static": "/page", "any answer": "= @page"}.get(page, "@page")
    gate = gate(f"{RULES} error_page 400 500 {name};", server=PAGES[page]
                + "location = /status { stub_status; }")
    with open(gate.nginx.path("conf/page"), "w") as out:
        out.write("the page")
    if why == "no folder":
        shutil.rmtree(gate.nginx.path("tmp/body"))
        data = client.http_bytes("POST", "/order", LONG, NAMED)
    else:
        data = (b"POST /order HTTP/1.1\r\nHost: h\r\n" + b"".join(
            f"{n}: {v}\r\n".encode() for n, v in NAMED.items())
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n%s\r\nxyz\r\n" % (len(SHORT), SHORT))
    cut = data.index(b"\r\n\r\n") + 10
    with socket.create_connection(("127.0.0.1", gate.port),
                                  seconds(5)) as sock:
        if late:
            sock.sendall(data[:cut])
            wait_until(lambda: reading(gate))
            data = data[cut:]
        sock.sendall(data)
        received = received_from(sock)
    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 500 "))
    if page == "static":
        assert received.endswith(b"the page")
    assert gate.arrived() == 0


def reading(gate):                                          # noqa: F811
    answer = client.request(gate.port, "GET", "/status")
    return b"Reading: 0 Writing: 2 " in answer.body


def received_from(sock):
    parts = []
    try:
        while not parts or parts[-1]:
            parts.append(sock.recv(65536))
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_answer_that_cannot_be_kept(small_disk):
    """Too long to be held, for a client that does not read: the order ran,
    and its key says so."""
    gate = small_disk("order_guard_idempotency_response_limit 4k;\n"
                      "proxy_read_timeout 2s; send_timeout 2s;")
    worker, = wait_until(gate.nginx.worker_pids)            # noqa: F811
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", gate.port))
    sock.sendall(client.http_bytes("POST", "/order", SHORT, {
        **HEADERS, "Idempotency-Key": "k", "X-Fault": "big=16000000"}))
    gate.logged("27: File too large")
    gate.finished(1)
    sock.close()
    answer = wait_until(lambda: ended(gate), 5)
    assert answer.code in ("IDEMPOTENCY_RESULT_UNAVAILABLE",
                           "IDEMPOTENCY_OUTCOME_UNKNOWN")
    assert gate.arrived() == 1
    check_nothing_is_open(gate, worker)


def ended(gate):                                            # noqa: F811
    answer = send(gate, "length", SHORT, "k")
    return answer if answer.code != "IDEMPOTENCY_IN_PROGRESS" else None


def check_nothing_is_open(gate, worker):                    # noqa: F811
    assert gate.nginx.worker_pids() == [worker]
    folder = f"/proc/{worker}/fd"
    wait_until(lambda: not [name for name in os.listdir(folder)
                            if gate.nginx.path("tmp/")
                            in readlink(folder, name)], 5)


def readlink(folder, name):
    try:
        return os.readlink(os.path.join(folder, name))
    except FileNotFoundError:
        return ""
