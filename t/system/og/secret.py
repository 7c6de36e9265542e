"""Secrets, and what the documentation says is derived from them."""

import hashlib
import hmac
import os
import struct


def write(path, data):
    """A file that only its owner may read."""
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600),
              "wb") as out:
        out.write(data)
    return str(path)


def hkdf(secret, info, length=32, salt=b""):
    """RFC 5869 with SHA-256, for one block."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")[:length]


def digest(*parts):
    """SHA-256 over parts with their lengths in front."""
    told = b"".join(struct.pack(">Q", len(part)) + part for part in parts)
    return hashlib.sha256(told).digest()


def name(secret, *parts):
    """What stands for the parts in a store; without a secret: their digest."""
    if secret is None:
        return digest(*parts).hex()
    key = hkdf(secret, b"order-guard names v1")
    return hmac.digest(key, digest(*parts), "sha256").hex()


def record(secret, token, scope, method, uri, key):
    """The key of a record in the store."""
    caller = name(secret, b"token", token.encode())[:16]
    looked_up = name(secret, scope.encode(), method.encode(), uri.encode(),
                     key.encode())[:32]
    return f"og:{{{caller}}}:i:{looked_up}"
