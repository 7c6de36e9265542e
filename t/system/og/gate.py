"""One guarded location before the seed upstream, and orders through it."""

import pytest

from og import client, seeds
from og.process import free_port, wait_until
from og.problem import check_problem

HTTP = """
    log_format gate '$pid $status $order_guard_idempotency $request_uri';
    access_log logs/gate.log gate;

    order_guard_store main {store};
    upstream orders {{
        server {upstream};
        {keepalive}
    }}
    {http}

    server {{
        listen 127.0.0.1:{port} reuseport;
        listen 127.0.0.1:{h2} http2 reuseport;
        {server}

        location / {{
            order_guard on;
            order_guard_idempotency {rule};
            proxy_set_header Host $host;
            {location}
            {target}
        }}
    }}
"""


class Gate:
    """`port` speaks HTTP/1.1, `h2` HTTP/2 without TLS."""

    def __init__(self, nginx, port, h2, upstream):
        self.nginx = nginx
        self.port = port
        self.h2 = h2
        self.upstream = upstream

    def order(self, key, fault=None, headers=None, limit=15, **changes):
        """One LeuwongRR order; `fault` is what the upstream does with it."""
        return self.send(order(key, fault, headers, **changes), limit)

    def send(self, seed, limit=15):
        return client.request(self.port, "POST", seed.path, seed.body,
                              seed.headers, limit)

    def page(self):
        """GET of the path that orders are sent to."""
        seed = seeds.LEUWONGRR
        return client.request(self.port, "GET", seed.path, None, seed.headers)

    def order_http2(self, key, fault=None, headers=None):
        seed = order(key, fault, headers)
        return client.http2(self.h2, "POST", seed.path, seed.body,
                            seed.headers)

    def orders(self):
        """How many orders the upstream made."""
        return len(self.upstream.orders())

    def arrived(self):
        """How many requests the upstream saw."""
        return len(self.upstream.requests())

    def check_held(self, key, orders=None):
        """The outcome of `key` is unknown, and nothing runs again."""
        before = self.arrived()
        check_problem(self.order(key), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN",
                      "gateway")
        assert self.arrived() == before
        if orders is not None:
            assert self.orders() == orders

    def check_free(self, key):
        """The next request with `key` is an order."""
        before = self.orders()
        answer = self.order(key)
        assert answer.status == 200, answer
        assert not replayed(answer), answer
        assert self.orders() == before + 1

    def check_replays(self, first, key, **more):
        """`key` repeats `first` and reaches no upstream."""
        before = self.arrived()
        again = self.order(key, **more)
        assert (again.status, again.body) == (first.status, first.body)
        assert replayed(again), again
        assert self.arrived() == before
        return again

    def logged(self, text, limit=5):
        """Waits for a line with `text` in error.log."""
        wait_until(lambda: text in self.nginx.error_log(), limit,
                   f"{text!r} is not in the log:\n"
                   + self.nginx.error_log()[-2000:])

    def finished(self, count, limit=10):
        """Waits until so many requests are over."""
        wait_until(lambda: len(self.lines()) >= count, limit,
                   f"not {count} lines in the access log")

    def lines(self):
        try:
            with open(self.nginx.path("logs/gate.log")) as text:
                return text.read().splitlines()
        except FileNotFoundError:
            return []


def order(key, fault=None, headers=None, **changes):
    named = {"Idempotency-Key": key, **(headers or {})}
    if fault:
        named["X-Fault"] = fault
    return seeds.LEUWONGRR.with_(headers=named, **changes)


def order_bytes(key, fault=None, headers=None, **changes):
    seed = order(key, fault, headers, **changes)
    return client.http_bytes("POST", seed.path, seed.body, seed.headers)


def replayed(answer):
    return answer.header("Idempotent-Replayed") == "true"


@pytest.fixture
def gate(nginx, upstream, redis, gate_store):
    """make(location, server, http, target, ...): a started Gate. `target`
    is proxy_pass to the upstream unless given."""
    stores = {"redis": redis.address + " timeout=500ms",
              "embedded": "shm size=8m"}

    def make(location="", server="", http="", target=None, address=None,
             store=None, keepalive="", workers=1,
             rule="required ttl=1h lease=2s", main="", start=True):
        port, h2 = free_port(), free_port()
        text = HTTP.format(
            store=store or stores[gate_store], port=port, h2=h2,
            upstream=address or upstream.address, keepalive=keepalive,
            location=location, server=server, http=http, rule=rule,
            target="proxy_pass http://orders;" if target is None else target)
        made = nginx(text, [port, h2], workers=workers, main=main,
                     start=start)
        return Gate(made, port, h2, upstream)
    return make
