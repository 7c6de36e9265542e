"""The embedded store, and orders as fast as nginx itself makes them."""

import re

import pytest

from og import client
from og.gate import gate                                    # noqa: F401
from og.process import free_port

SMALL = "shm size=1m"
PATH = "/o"

MAKER = """
    keepalive_requests 1000000;
    log_format made '$http_idempotency_key';
    server {{
        listen 127.0.0.1:{port} reuseport;
        access_log off;
        location / {{
            access_log logs/made.log made;
            default_type application/json;
            set $kb "{kb}";
            return {status} '{{"id":"$request_id","text":"{text}"}}';
        }}
    }}
"""


class Embedded:
    """In place of og.redis.Redis: it begins and ends with its nginx."""
    words = SMALL

    def __init__(self, folder):
        pass

    def start(self):
        return self

    def stop(self):
        pass

    def empty(self):
        pass

    def units(self, ask, limit):
        """How many are spent, as an order more is told: `ask()` sends it."""
        answer = ask()
        if answer.status == 429:
            return limit
        left = re.search(r";r=(\d+)", answer.header("RateLimit")).group(1)
        return limit - int(left) - 1


@pytest.fixture
def maker(gate):                                            # noqa: F811
    """make(kb, ...): a Gate before an upstream that makes an order of every
    request, with an answer of so many kB."""
    def make(kb=0, store=SMALL, rule="required ttl=1h lease=2s", http="",
             status=200, text=None, **more):
        port = free_port()
        made = MAKER.format(port=port, kb="x" * 1000, status=status,
                            text=text or "$kb" * kb)
        return gate(store=store, rule=rule, http=made + http,
                    target=f"proxy_pass http://127.0.0.1:{port};", **more)
    return make


def post(key, caller="t"):
    """The bytes of an order."""
    return client.http_bytes("POST", PATH, b'{"a":1}', {
        "Authorization": f"Bearer {caller}", "Idempotency-Key": key,
        "Content-Type": "application/json"})


def ask(gate, keys, caller="t"):                            # noqa: F811
    """The answers to orders of these keys, on one connection."""
    with client.Session(gate.port) as session:
        return [session.request("POST", PATH, b'{"a":1}', {
            "Authorization": f"Bearer {caller}", "Idempotency-Key": key,
            "Content-Type": "application/json"}) for key in keys]


def made(gate):                                             # noqa: F811
    """The keys of the orders that were made."""
    with open(gate.nginx.path("logs/made.log")) as text:
        return text.read().split()
