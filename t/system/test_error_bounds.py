"""Errors of upstreams that are large, slow or in many pieces: bounded in
memory, and answered as soon as it is known what with."""

import threading

import pytest

from og import client
from og.gate import gate, replayed                          # noqa: F401
from og.parallel import together
from og.paths import SLOW
from og.peer import Peer
from og.problem import check_problem
from og.process import wait_until

HEAD = (b"HTTP/1.1 500 Internal Server Error\r\n"
        b"Content-Type: application/json\r\n")
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BEYOND = 80000                  # bytes: more than an error may have


def endless(over):
    """An error whose body goes on until the test is over."""
    def act(sock, *_):
        sock.sendall(HEAD + b"Content-Length: 9000000\r\n\r\n"
                     + b"x" * BEYOND)
        while not over.wait(0.02):
            sock.sendall(b"x" * 1000)
        return False
    return act


@pytest.mark.parametrize("rule", ["off", "required ttl=1h"])
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_an_error_that_does_not_end(gate, rule, version):   # noqa: F811
    """What still comes would change nothing."""
    over = threading.Event()
    with Peer(endless(over)) as peer:
        made = gate("proxy_read_timeout 60s;", rule=rule,
                    address=peer.address)
        try:
            answer = (made.order_http2("k") if version == "2"
                      else made.order("k", limit=5))
            problem = check_problem(answer, 500, "INTERNAL_SERVER_ERROR",
                                    "upstream")
            if rule != "off":
                assert problem["safe_new_key"] is False
                again = made.order("k", limit=5)
                assert replayed(again) and again.body == answer.body
        finally:
            over.set()


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_an_error_beyond_the_bound_that_breaks_off(gate, version):  # noqa: F811,E501
    def act(sock, *_):
        sock.sendall(HEAD + b"Content-Length: 900000\r\n\r\n"
                     + b"x" * BEYOND)
        return False
    with Peer(act) as peer:
        made = gate(rule="off", address=peer.address)
        answer = (client.http2(made.h2, "GET", "/") if version == "2"
                  else client.request(made.port, "GET", "/"))
        check_problem(answer, 500, "INTERNAL_SERVER_ERROR", "upstream")


def test_the_connection_lives(gate):                        # noqa: F811
    """When the rest has gone nowhere."""
    def act(sock, *_):
        sock.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % BEYOND
                     + b"x" * BEYOND)
        return True
    with Peer(act) as peer:
        made = gate("proxy_http_version 1.1;", rule="off",
                    address=peer.address)
        with client.Session(made.port) as session:
            for _ in range(3):
                answer = session.request("GET", "/")
                assert answer.status == 500
                assert answer.json()["code"] == "INTERNAL_SERVER_ERROR"


def peak(pid):
    """kB that a process had in memory at the most."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status
                    if line.startswith("VmHWM"))


def test_byte_by_byte(gate):                                # noqa: F811
    """Each in a chunk of its own takes no more memory than all in one."""
    count, clients = 60000, 10
    data = CHUNKED + b"1\r\nx\r\n" * count + b"0\r\n\r\n"

    def act(sock, *_):
        sock.sendall(data)
        return False

    with Peer(act) as peer:
        made = gate(rule="off", address=peer.address)
        pid = wait_until(made.nginx.worker_pids)[0]
        assert client.request(made.port, "GET", "/").status == 500
        before = peak(pid)
        answers = together(clients, lambda n: client.request(
            made.port, "GET", "/", limit=30).status)
        assert answers == [500] * clients
        limit = clients * 4 * count / 1024 + 4096
        assert peak(pid) - before < limit * SLOW    # or large, for sanitizers
