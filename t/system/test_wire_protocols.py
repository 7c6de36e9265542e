"""Upstreams that are asked by another protocol than HTTP (FastCGI: see
test_wire_answers.py and test_wire_bodies.py), and what stands beside them."""

import pytest

from og.gate import gate                                    # noqa: F401
from og.peer import Peer, answering, closing, in_turn, message
from og.problem import check_problem
from og.process import wait_until
from og.uwsgi import Uwsgi

PARAMS = """
    order_guard_strip price;
    uwsgi_param REQUEST_METHOD $request_method;
    uwsgi_param CONTENT_LENGTH $content_length;
    uwsgi_param IDEMPOTENCY_KEY $http_idempotency_key;
"""


def test_uwsgi(gate):                                       # noqa: F811
    with Uwsgi(message(b'{"n":1}', b"201 Created")) as server:
        gate = gate(PARAMS, target=f"uwsgi_pass {server.address};")
        first = gate.order("k", body=b'{"a":1, "price":2}')
        assert (first.status, first.body) == (201, b'{"n":1}')
        told, body = server.requests[0]
        assert body == b'{"a":1}'
        assert told[b"CONTENT_LENGTH"] == b"7"
        assert told[b"IDEMPOTENCY_KEY"] == b"k"
        again = gate.order("k", body=b'{"a":1}')
        assert (again.status, again.body) == (201, b'{"n":1}')
        assert again.header("Idempotent-Replayed") == "true"
        assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 201 Created\r\n",
                                    message(b'{"n":1}')[:-3]])
def test_uwsgi_cut_short(gate, answer):                     # noqa: F811
    with Uwsgi(answer) as server:
        gate = gate(PARAMS, target=f"uwsgi_pass {server.address};")
        check_problem(gate.order("k"), 502, "UPSTREAM_RESET", "gateway")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN",
                      "gateway")
        assert len(server.requests) == 1


def test_uwsgi_refused(gate, redis):                        # noqa: F811
    gate = gate(PARAMS, target="uwsgi_pass 127.0.0.1:1;")
    check_problem(gate.order("k"), 502, "UPSTREAM_UNREACHABLE", "gateway")
    wait_until(lambda: redis.records() == [])


CACHE = """
    proxy_cache cache;
    proxy_cache_valid any 1h;
    proxy_cache_use_stale error timeout updating invalid_header http_500
                          http_502 http_504;
    proxy_cache_background_update on;
"""


def test_stale_answers_of_a_cache(gate, tmp_path):          # noqa: F811
    """They are for GET; an order has its own answer, or none."""
    with Peer(in_turn(answering(b'{"cached":1}'), closing,
                      answering(b'{"n":1}'))) as peer:
        gate = gate(CACHE, address=peer.address,
                    http=f"proxy_cache_path {tmp_path}/cache "
                         "keys_zone=cache:1m;")
        page = gate.page()
        assert (page.status, page.body) == (200, b'{"cached":1}')
        assert gate.page().body == page.body
        assert len(peer.requests) == 1
        check_problem(gate.order("k"), 502, "UPSTREAM_RESET", "gateway")
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN",
                      "gateway")
        assert gate.order("l").body == b'{"n":1}'
        assert gate.order("l").body == b'{"n":1}'
        assert len(peer.requests) == 3
