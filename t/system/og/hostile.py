"""A gate that must live through what a test does to it."""

import socket

import pytest

from og.paths import seconds
from og.process import wait_until

RULES = ("order_guard_strip price /items/*/cost; order_guard_limit 9999r/s;\n"
         "order_guard_body_limit 64k; client_body_buffer_size 2k;\n"
         "client_body_timeout 2s;")
LIMITS = "client_header_timeout 2s; large_client_header_buffers 8 128k;"


@pytest.fixture
def hostile(gate, redis):
    """The gate; afterwards the same workers live, none has complained, and
    an ordinary order is an ordinary order."""
    made = []

    def make(rules=RULES, **more):
        one = gate(rules, server=LIMITS, **more)
        one.first_pids = wait_until(one.nginx.worker_pids)
        made.append(one)
        return one

    yield make
    for one in made:
        assert one.nginx.worker_pids() == one.first_pids
        if one.upstream.address in conf(one):
            answer = one.order("at-the-end", json={"k": "at-the-end"},
                               headers={"Authorization": "Bearer last"})
            assert answer.status == 200 or (
                answer.json()["origin"] == "upstream"), answer
        for level in ("[alert]", "[crit]", "[emerg]"):
            assert level not in one.nginx.error_log()


def conf(one):
    with open(one.nginx.path("conf/nginx.conf")) as text:
        return text.read()


def send(port, data, limit=3, half_close=True):
    """What came back; whether it is HTTP does not matter here."""
    received = b""
    with socket.create_connection(("127.0.0.1", port),
                                  seconds(limit)) as sock:
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                received += part
        except (socket.timeout, ConnectionError):
            pass
    return received
