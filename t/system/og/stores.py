"""The stores that a gate can have, behind one face, for tests that must hold
with each of them."""

import re

ESTABLISHED = "01"

class RedisStore:
    """`address` follows the name in order_guard_store."""

    def __init__(self, own_redis):
        self.redis = own_redis()

    def address(self, timeout):
        """`timeout` in ms."""
        return f"{self.redis.address} timeout={timeout}ms"

    def connections(self):
        """How many connections all gates have to it; None for a store that
        has none."""
        clients = self.redis.command("CLIENT", "LIST").decode()
        return clients.count(" name=order-guard ")

    def unread(self):
        """Bytes that have come to a paused one."""
        return unread_of(self.redis.port)

    def pause(self):
        self.redis.pause()

    def resume(self):
        self.redis.resume()


def unread_of(port):
    """Bytes that wait in the sockets of a server on this machine."""
    total = 0
    with open("/proc/net/tcp") as table:
        for line in table:
            found = re.match(r" *\d+: \w+:(\w+) \S+ (\w+) \w+:(\w+) ", line)
            if found and (int(found[1], 16), found[2]) == (port, ESTABLISHED):
                total += int(found[3], 16)
    return total


STORES = {"redis": RedisStore}
