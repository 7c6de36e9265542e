"""Limits as data: what stands in a location, who asks, and how many of each
caller's requests pass. Windows are long enough for a slow machine."""

from dataclasses import dataclass


@dataclass
class Row:
    rules: str                      # in the location
    asks: list                      # (caller, query, how many requests)
    pass_: list                     # how many of each pass
    policy: str                     # RateLimit-Policy of the first answer
    method: str = "GET"


def limit(*words):
    return "".join(f"order_guard_limit {word};" for word in words)


ROWS = {
    # rates
    "a day": Row(limit("2r/d"), [("a", "", 3)], [2], '"2r/d";q=2;w=86400'),
    "an hour": Row(limit("3r/h"), [("a", "", 5)], [3], '"3r/h";q=3;w=3600'),
    "a minute": Row(limit("4r/m"), [("a", "", 5)], [4], '"4r/m";q=4;w=60'),
    "some minutes": Row(limit("2r/5m"), [("a", "", 4)], [2],
                        '"2r/5m";q=2;w=300'),
    "some seconds": Row(limit("2r/90s"), [("a", "", 4)], [2],
                        '"2r/90s";q=2;w=90'),
    "some days": Row(limit("1r/366d"), [("a", "", 2)], [1],
                     '"1r/366d";q=1;w=31622400'),
    "more than anybody asks": Row(
        limit("999999999999999r/h"), [("a", "", 3)], [3],
        '"999999999999999r/h";q=999999999999999;w=3600'),

    # callers
    "one does not take from another": Row(
        limit("2r/h"), [("a", "", 3), ("b", "", 3), ("a", "", 1)],
        [2, 2, 0], '"2r/h";q=2;w=3600'),
    "who has no token is an address": Row(
        limit("2r/h") + "order_guard_token $order_guard_bearer optional;",
        [(None, "", 3), ("a", "", 1)], [2, 1], '"2r/h";q=2;w=3600'),
    "made-up tokens of one address": Row(
        limit("9r/h", "3r/h name=address key=$remote_addr"),
        [("a", "", 2), ("b", "", 2), ("c", "", 2)], [2, 1, 0],
        '"9r/h";q=9;w=3600, "address";q=3;w=3600'),

    # keys
    "by an argument": Row(
        limit("2r/h key=$arg_shop"),
        [("a", "?shop=x", 3), ("a", "?shop=y", 1), ("b", "?shop=x", 1)],
        [2, 1, 0], '"2r/h";q=2;w=3600'),
    "an empty key is not counted": Row(
        limit("1r/h key=$arg_shop"), [("a", "", 3), ("a", "?shop=x", 2)],
        [3, 1], None),
    "by two things": Row(
        limit("1r/h key=$arg_shop:$arg_till"),
        [("a", "?shop=x&till=1", 2), ("a", "?shop=x&till=2", 2)], [1, 1],
        '"1r/h";q=1;w=3600'),
    "of everybody": Row(
        limit("3r/h key=all"), [("a", "", 2), ("b", "", 2)], [2, 1],
        '"3r/h";q=3;w=3600'),

    # several
    "the tighter one refuses": Row(
        limit("5r/h", "2r/d"), [("a", "", 4)], [2],
        '"5r/h";q=5;w=3600, "2r/d";q=2;w=86400'),
    "in either order": Row(
        limit("2r/d", "5r/h"), [("a", "", 4)], [2],
        '"2r/d";q=2;w=86400, "5r/h";q=5;w=3600'),
    "one for the caller, one for all": Row(
        limit("2r/h", "3r/h name=all key=all"),
        [("a", "", 3), ("b", "", 2), ("c", "", 1)], [2, 1, 0],
        '"2r/h";q=2;w=3600, "all";q=3;w=3600'),
    "what one refuses costs no other": Row(
        limit("1r/h", "3r/h name=all key=everybody"),
        [("a", "", 9), ("b", "", 9), ("c", "", 9), ("d", "", 9)],
        [1, 1, 1, 0], '"1r/h";q=1;w=3600, "all";q=3;w=3600'),
    "one rate under two names": Row(
        limit("2r/h name=one", "2r/h name=two"), [("a", "", 3)], [2],
        '"one";q=2;w=3600, "two";q=2;w=3600'),
    "a name with signs": Row(
        limit("2r/h name=per-shop.v2/api"), [("a", "", 3)], [2],
        '"per-shop.v2/api";q=2;w=3600'),
    "ten of them": Row(
        limit(*(f"{n}r/h" for n in range(12, 2, -1))), [("a", "", 5)], [3],
        ", ".join(f'"{n}r/h";q={n};w=3600' for n in range(12, 2, -1))),

    # what is counted
    "HEAD": Row(limit("2r/h"), [("a", "", 3)], [2], '"2r/h";q=2;w=3600',
                "HEAD"),
    "DELETE without a body policy": Row(
        limit("2r/h"), [("a", "", 3)], [2], '"2r/h";q=2;w=3600', "DELETE"),
    "a preflight is not": Row(limit("1r/h"), [("a", "", 4)], [4], None,
                              "OPTIONS"),
    "nothing": Row("order_guard_limit off;", [("a", "", 4)], [4], None),
}
