"""What the demonstration prints: plain text, colour on a terminal only."""

import os
import shutil
import sys
import textwrap

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
WIDTH = min(100, shutil.get_terminal_size((80, 24)).columns)
INDENT = 12
LINES = 12                      # of a body that was sent; more is cut
SUCCESS_LINES = 3               # of an answer that only confirms

SHOWN = ("content-type", "idempotent-replayed", "ratelimit",
         "ratelimit-policy", "retry-after", "www-authenticate", "location")


STORES = {"shm": "the embedded store", "redis": "Redis as the store"}


def opening(folder, store):
    print(f"order guard: a demonstration on real servers, with "
          f"{STORES[store]}, in {folder}\n")


def title(number, count, text):
    head, _, more = text.partition("\n\n")
    print(_paint("1", f"[{number}/{count}] {' '.join(head.split())}"))
    for line in _wrap(" ".join(more.split()), 4):
        print(line)


def request(name, asked, note=""):
    lines = [f"POST {asked.path}   ({name}){'  ' + note if note else ''}"]
    lines += [f"{n}: {v}" for n, v in asked.headers.items()
              if n not in ("Content-Type", "Accept")]
    _block("request", lines + _body(asked.body))


def received(requests, orders):
    if not requests:
        return _block("upstream", ["received nothing"])
    times = "1 request" if len(requests) == 1 else f"{len(requests)} requests"
    made = "1 order" if len(orders) == 1 else f"{len(orders)} orders"
    return _block("upstream", [f"received {times}, made {made}"]
                  + _body(requests[-1]["body"]))


def answer(got, note=""):
    lines = [f"{got.status} {got.reason}{'  ' + note if note else ''}"]
    lines += [f"{n}: {v}" for n, v in got.headers if n.lower() in SHOWN]
    _block("client", lines + _body(
        got.body, LINES if got.status >= 400 else SUCCESS_LINES))


def note(label, text):
    _block(label, [text])


def good(verdict):
    _block("verdict", [_paint("32", "OK  ") + verdict])
    print()


def bad(error):
    _block("verdict", [_paint("31", "FAILED  ") + (str(error) or "no reason")])
    print()


def trouble(error):
    print(_paint("31", "The demonstration cannot go on:"), error)


def closing(stage, count, failed):
    print(_paint("1", f"{count - failed} of {count} steps showed what they "
                      "claim."))
    if failed:
        return
    port = stage.ports["leuwongrr"]
    path = stage.nginx.path
    store = (f"redis-cli -p {stage.redis.port}" if stage.redis
             else "in nginx's shared memory; make demo STORE=redis has Redis")
    print(f"""
Go on by hand:
  gateway        http://127.0.0.1:{port}/api/v1/me/orders   LeuwongRR
                 http://127.0.0.1:{stage.ports['storefront']}/v3/orders           Storefront
                 http://127.0.0.1:{stage.ports['gameso']}/v1/orders           GameSO
                 http://127.0.0.1:{stage.ports['cekceir']}/api/order           cekceir
  configuration  {path('conf/')}
                 after a change: kill -HUP {stage.nginx.pid}
  logs           {path('logs/')}
  upstream       curl http://127.0.0.1:{stage.upstream.admin_port}/requests   what it received
                 curl http://127.0.0.1:{stage.upstream.admin_port}/orders     what it made of it
  store          {store}

  curl -i http://127.0.0.1:{port}/api/v1/me/orders \\
    -H 'Authorization: Bearer USER_API_TOKEN_2' \\
    -H 'Content-Type: application/json' -H 'Idempotency-Key: by-hand-1' \\
    -d '{{"roblox_username":"LeuwongUser","place_id":1,"roblox_pass_id":2,"price":1}}'

Sent twice it is one order. Ctrl-C ends everything.
""", flush=True)


def _block(label, lines):
    head = f"  {label}"
    for line in lines:
        for part in _cut(line):
            print((head.ljust(INDENT) + part).rstrip())
            head = ""
    sys.stdout.flush()


def _body(body, limit=LINES):
    """The bytes as they are, in lines that fit."""
    lines = [part for line in body.decode("utf-8", "replace").splitlines()
             for part in _cut(line)]
    if len(lines) > limit:
        lines = lines[:limit] + ["..."]
    return lines


def _cut(line):
    """Breaks behind a space or comma where there is one; loses nothing."""
    room, parts = WIDTH - INDENT, []
    while len(line) > room:
        at = max(line.rfind(" ", 0, room), line.rfind(",", 0, room)) + 1
        at = at if at > room // 2 else room
        parts.append(line[:at])
        line = line[at:]
    return parts + [line]


def _wrap(text, indent):
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent,
                         subsequent_indent=" " * indent)


def _paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text
