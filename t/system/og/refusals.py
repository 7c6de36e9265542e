"""Orders that no location with idempotency and rules on fields lets pass."""

from og import client
from og.gate import order

REFUSALS = [
    (400, "IDEMPOTENCY_KEY_REQUIRED", {"Idempotency-Key": None}),
    (400, "IDEMPOTENCY_KEY_INVALID", {"Idempotency-Key": "a b"}),
    (401, "TOKEN_REQUIRED", {"Authorization": None}),
    (415, "MEDIA_TYPE_UNSUPPORTED", {"Content-Type": "text/plain"}),
]


def send(gate, headers, body=None):
    seed = order("k")
    named = {**seed.headers, **headers}
    return client.request(gate.port, "POST", seed.path,
                          seed.body if body is None else body,
                          {n: v for n, v in named.items() if v is not None})
