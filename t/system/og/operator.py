"""An operator's requests about records."""

from urllib.parse import urlencode

import pytest

from og import client, seeds
from og.gate import gate                                    # noqa: F401

PLACE = "location = /records { order_guard_records; }"
TOLD = """add_header X-Caller $order_guard_token_id always;
          add_header X-Record $order_guard_record always;"""
ANSWER = b'{"order":17}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def watched(gate):                                          # noqa: F811
    """make(...): a Gate with a place for operators."""
    def make(place=PLACE, server="", make=gate, **more):
        return make(server=place + server, location=TOLD, **more)
    return make


def operate(gate, how, body=None, headers=(), path="/records",  # noqa: F811
            **name):
    """`how` is a method; `name` goes to the query."""
    return client.request(gate.port, how, path + "?" + query(**name), body,
                          dict(headers))


def query(**name):
    return urlencode({part: value for part, value in name.items()
                      if value is not None})


def look(gate, **name):                                     # noqa: F811
    answer = operate(gate, "GET", **name)
    assert answer.status == 200, answer
    assert answer.header("Cache-Control") == "no-store"
    return answer.json()


def release(gate, **name):                                  # noqa: F811
    return operate(gate, "DELETE", **name)


def finish(gate, body=ANSWER, headers=JSON, status=201, **name):  # noqa: F811
    return operate(gate, "PUT", body, headers, status=status, **name)


def named(gate, key="k"):                                   # noqa: F811
    """What names the record of an order; makes another one."""
    return {"token_id": gate.order("other").header("X-Caller"), "key": key,
            "uri": seeds.LEUWONGRR.path}


def unknown(gate, key="k"):                                 # noqa: F811
    """The name of an order that was sent and has no answer."""
    assert gate.order(key, "reset").status == 502
    return named(gate, key)
