"""Orders for which memory gets short, one row each: what a location says, what
is sent to it, and how it ends when nothing fails."""

import itertools

from og.client import chunked
from og.faults import HEAP, LINK, REQUEST

# what no upstream may ever see
FORBIDDEN = (b"price", b"cost", b"mallory")

STRIP = "order_guard_strip price /items/*/cost;"
LIMIT = "order_guard_idempotency_response_limit 4k;"
SET = ("order_guard_strip price; order_guard_set user $http_x_user;\n"
       "order_guard_set /meta/tier 3 number;")
KEYED = "required ttl=1h lease=1s"
EVERYTHING = STRIP + """
    order_guard_limit 1000r/s; order_guard_limit 9000r/m key=$arg_shop;
    order_guard_idempotency_key $order_guard_body_a$http_idempotency_key;
    order_guard_idempotency_fingerprint $http_x_user $order_guard_body_b;
    add_header X-Told "$order_guard_idempotency $order_guard_store_time"
               always;
    add_header X-Stripped "$order_guard_token_id $order_guard_stripped"
               always;
    add_header X-Body $order_guard_body_b always;
"""
AGAIN = """
    location @guarded {
        order_guard on;
        order_guard_idempotency required;
        order_guard_strip price /items/*/cost;
        proxy_pass http://orders;
    }
"""

LOCATION = """
    location {path} {{
        order_guard on;
        order_guard_idempotency {rule};
        {conf}
        proxy_pass http://orders;
    }}
    {server}
"""

BODY = (b'{"a":"1","price":17,"items":[{"cost":1},{"n":1.50}], "b":"'
        + b"x" * 1500 + b'"}')
KEPT = (b'{"a":"1","items":[{},{"n":1.50}], "b":"' + b"x" * 1500 + b'"}')
CLEAN = b'{"a":"1","items":[{},{"n":1.50}],"b":"x"}'

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
PATCH = {"Content-Type": "application/json-patch+json"}
# more lines than a part of nginx's list of headers has
MANY = {f"X-{n}": "x" for n in range(25)}


def parts(*fields):
    return b"".join(b'--b\r\nContent-Disposition: form-data; name="%s"\r\n'
                    b"\r\n%s\r\n" % field for field in fields) + b"--b--\r\n"


class Case:
    """`status` ends the request when nothing fails. `first` is the X-Answer
    of an order with the same key before it."""

    numbers = itertools.count()

    def __init__(self, conf="", status=200, rule="off", headers=None,
                 body=BODY, how="length", query="", first=None,
                 answer="order", server="", link=False, may_pass=None,
                 waits=False):
        self.conf = conf
        self.status = status
        self.rule = rule
        self.headers = headers or {}
        self.body = body
        self.how = how
        self.query = query
        self.first = first
        self.answer = answer
        self.server = server
        self.kinds = REQUEST | HEAP | (LINK if link else 0)
        self.keyed = KEYED in rule + server
        self.may_pass = may_pass    # what is forwarded without the store
        self.waits = waits          # until the claims left over are over
        self.path = f"/{next(self.numbers)}"

    def location(self):
        return LOCATION.format(path=self.path, conf=self.conf,
                               rule=self.rule, server=self.server)

    def named(self, key):
        """Headers of the request."""
        return {**named(key), "X-Answer": self.answer, **self.headers}

    def steps(self, key):
        """The bytes of the request, an item for each write."""
        headers = self.named(key)
        if self.how == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            return [self.bytes(headers, chunked([self.body]), self.query)]
        headers["Content-Length"] = len(self.body)
        data = self.bytes(headers, self.body, self.query)
        if self.how == "parts":
            return [data[:-1000], data[-1000:]]
        return [data]

    def ordinary(self, key, answer="order", token="t", body=BODY):
        """An order in the same location that ends well."""
        return self.bytes({**named(key, token), "X-Answer": answer,
                           "Content-Length": len(body)}, body)

    def bytes(self, headers, body, query=""):
        lines = [f"POST {self.path}{query} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()
                  if value is not None]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def named(key, token="t"):
    return {"Host": "h", "Authorization": f"Bearer {token}",
            "Content-Type": "application/json", "Idempotency-Key": key,
            "X-User": "alice"}


FORMAT = """{"ok": false, "code": "$code", "text": "$message", "n": "$status",
             "more": ["$details"], "trace": "$trace_id", "by": "$origin",
             "retry": "$retryable", "new": "$safe_new_key"}"""
SHOP = STRIP + "order_guard_errors shop;"

CASES = {
    # limits beside the records' store
    "limit in a second store": Case(
        STRIP + "order_guard_limit 9000r/m store=other;", rule=KEYED),
    "limits in two stores": Case(
        STRIP + "order_guard_limit 1000r/s; order_guard_limit 8000r/m "
        "store=other; order_guard_limit_headers both;"),
    "limit that the host counts": Case(
        STRIP + "order_guard_limit 7000r/m store=dead;", rule=KEYED),
    # fields in JSON
    "strip": Case(STRIP),
    "strip from a file": Case(STRIP + "client_body_in_file_only clean;"),
    "strip from parts": Case(STRIP, how="parts"),
    "strip unbuffered": Case(STRIP + "proxy_request_buffering off;"),
    "strip chunked": Case(STRIP, how="chunked"),
    "strip over HTTP/2": Case(STRIP, how="http2"),
    "strip among many headers": Case(STRIP, headers={
        **MANY, "Content-MD5": "x", "Accept-Encoding": "gzip",
        "X-Original-URL": "/"}),
    "allow": Case("order_guard_allow /items/*/n a b;"),
    "nothing to strip": Case(STRIP, body=CLEAN),
    "reject": Case("order_guard_reject price cost;", 422),
    "reject what is not listed": Case(
        "order_guard_allow a b /items/*/n; order_guard_unlisted reject;",
        422),
    "set": Case(SET + "order_guard_strip /items/*/cost;"),
    "set in place": Case(SET, body=b'{"user":"mallory","meta":{"tier":9}}'),
    "no place to set": Case(SET, 400, body=b'["a"]'),
    "malformed": Case(STRIP, 400, body=b'{"a":[1,"price"]'),
    "signed": Case(STRIP, 400, headers={
        "Signature-Input": 'a=("content-digest")'}),
    "too large": Case(STRIP + "order_guard_body_limit 1k;", 413),
    "too large, chunked": Case(STRIP + "order_guard_body_limit 1k;", 413,
                               how="chunked"),
    "of another type": Case(STRIP, 415,
                            headers={"Content-Type": "text/plain"}),

    # elsewhere
    "form": Case(EVERYTHING, headers=FORM, rule=KEYED,
                 body=b"a=1&price=2&b=%41&items[0][cost]=1"),
    "set in a form": Case(SET, headers=FORM,
                          body=b"a=1&user=mallory&price=2"),
    "multipart": Case(EVERYTHING, headers=MULTIPART, rule=KEYED,
                      body=parts((b"a", b"1"), (b"price", b"2"),
                                 (b"b", b"1"))),
    "set in multipart": Case(SET, headers=MULTIPART, body=parts(
        (b"user", b"mallory"), (b"a", b"1"))),
    "patch": Case("order_guard_strip /price /items/*/cost;", rule=KEYED,
                  headers=PATCH, body=b'[{"op":"add","path":"/price","value"'
                  b':1},{"op":"add","path":"/a","value":1}]'),
    "set in a patch": Case("order_guard_set /user $http_x_user;",
                           headers=PATCH, body=b'[{"op":"add","path":"/user"'
                           b',"value":"mallory"}]'),
    "query": Case(EVERYTHING, rule=KEYED, body=CLEAN,
                  query="?shop=1&price=2&_method=put"),
    "query that is rejected": Case("order_guard_reject price;", 422,
                                   body=CLEAN, query="?price=1"),
    "query without a body": Case(SET, body=b"",
                                 query="?user=mallory&a=1&price=1"),

    # idempotency
    "claim": Case(STRIP, rule=KEYED, link=True, waits=True),
    "claim with everything": Case(EVERYTHING, rule=KEYED + " scope=$host"),
    "claim over HTTP/2": Case(STRIP, rule=KEYED, how="http2"),
    "claim of another status": Case(STRIP, 201, KEYED, answer="created"),
    "claim without a body": Case(STRIP, 204, KEYED, body=b"",
                                 answer="empty"),
    "replay": Case(EVERYTHING, rule=KEYED, first="order", link=True),
    "replay of another status": Case(STRIP, 201, KEYED, first="created"),
    "reused": Case(STRIP, 422, KEYED, first="order",
                   headers={"Content-Type": "application/a+json"}),
    "unknown": Case(STRIP, 409, KEYED, first="nothing"),
    "too long to replay": Case(STRIP + LIMIT, 409, KEYED, first="long"),
    "too long to store": Case(STRIP + LIMIT, 200, KEYED, answer="long",
                              link=True),
    "not too long": Case(STRIP, 200, KEYED, answer="long"),
    "invalid key": Case(STRIP, 400, KEYED,
                        headers={"Idempotency-Key": "a b"}),
    "no key": Case(STRIP, 400, KEYED, headers={"Idempotency-Key": None}),
    "no token": Case(STRIP, 401, KEYED, headers={"Authorization": None}),

    # two locations
    "claim, then fields": Case(
        "root /nowhere; try_files $uri @fields;", rule=KEYED,
        server="location @fields { order_guard on; proxy_pass http://orders;"
               + STRIP + "}"),
    "fields, then claim": Case(
        STRIP + "root /nowhere; try_files $uri @claim;",
        server="location @claim { order_guard on; proxy_pass http://orders;"
               "order_guard_idempotency " + KEYED + ";}"),

    # limits
    "counted": Case(STRIP + "order_guard_limit 1000r/s;"),
    "refused by its limit": Case(STRIP + "order_guard_limit 1r/h;", 429,
                                 may_pass=KEPT),

    # errors
    "page of an upstream": Case(STRIP, 500, answer="page"),
    "page for an order": Case(STRIP, 500, KEYED, answer="page"),
    "error of an upstream": Case(STRIP, 409, KEYED, answer="error"),
    "problem of an upstream": Case(STRIP, 410, KEYED, answer="problem"),
    "error that frees": Case(STRIP, 401, KEYED, answer="freed", link=True),
    "answer without an end": Case(STRIP, 502, KEYED, answer="unended"),
    "answer that is cut": Case(STRIP, 502, KEYED, answer="cut"),
    "no answer": Case(STRIP, 502, KEYED, answer="nothing"),
    "no http": Case(STRIP, 502, KEYED, answer="no http"),
    "replay of an error": Case(STRIP, 409, KEYED, first="error"),
    "errors off": Case(STRIP + "order_guard_errors off;", 400, body=b"{"),
    "error in a format": Case(SHOP, 409, KEYED, answer="error"),
    "page in a format": Case(SHOP, 500, answer="page"),
    "own error in a format": Case(SHOP, 400, body=b"{"),
    "order that failed": Case(
        STRIP + "order_guard_error_when /made created 422;", 422, KEYED,
        answer="created"),
    "success that is none": Case(
        SHOP + "order_guard_error_when /made created 422;", 422,
        answer="created"),
    "success that is one": Case(
        STRIP + "order_guard_error_when /made other 422;"),
    "long success": Case(
        STRIP + "order_guard_error_when /made other 422;", answer="long"),
    "page of the gateway": Case(
        STRIP + "error_page 502 /page;", 502, KEYED, answer="nothing",
        server="location = /page { internal; return 200 page; }"),
    "error_page to a guarded upstream": Case(
        STRIP + "error_page 400 500 502 503 @guarded;", 502, KEYED,
        answer="nothing", server=AGAIN),
    "error_page to an unguarded upstream": Case(
        STRIP + "error_page 400 500 502 503 @unguarded;", 502, KEYED,
        answer="nothing",
        server="location @unguarded { proxy_pass http://orders; }"),
    "error_page to any answer": Case(
        STRIP + "error_page 400 500 502 503 = @unguarded;", 502, KEYED,
        answer="nothing"),
}


def of_many(what, n=200):
    return b",".join(what % i for i in range(n))


# What the first one of a worker makes room for.
FIRST = {
    "json": Case(STRIP, body=b'{"a":' + b"[" * 40 + b"]" * 40 + b',"items":['
                 + of_many(b'{"cost":%d,"n":1}') + b"],"
                 + of_many(b'"%d":{"price":[1]}') + b',"price":1}'),
    "multipart": Case(STRIP, headers=MULTIPART, body=parts(
        *((b"%d[price]" % i, b"1") for i in range(100)), (b"a", b"1"))),
}
