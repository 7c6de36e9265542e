"""What README and pages print: it runs as printed, and it is complete."""

import os
import re

import pytest

from og import client, seeds
from og.parallel import together
from og.paths import ROOT
from og.problem import check_problem
from og.process import free_port, wait_until

SUBSTITUTED = ("listen 8080;", "server 127.0.0.1:8000;",
               "redis://127.0.0.1:6379/0")

ACL = """
    order_guard_store main redis://gateway@127.0.0.1:{port}/0
                      password_file={folder}/password;
    upstream orders {{ server {upstream}; }}
    server {{
        listen 127.0.0.1:%PORT%;
        location / {{
            order_guard on;
            order_guard_idempotency required;
            order_guard_limit 2r/m;
            proxy_pass http://orders;
        }}
    }}
"""


def read(*path):
    with open(os.path.join(ROOT, *path)) as text:
        return text.read()


@pytest.fixture
def send(nginx, upstream, redis):
    conf = re.search(r"```nginx\n(.*?)```", read("README.md"), re.S).group(1)
    port = free_port()
    for printed, used in zip(SUBSTITUTED, (
            f"listen 127.0.0.1:{port};", f"server {upstream.address};",
            redis.address)):
        assert conf.count(printed) == 1, printed
        conf = conf.replace(printed, used)
    nginx(conf, [port], whole=True)

    def send(key, **changes):
        seed = seeds.LEUWONGRR.with_(
            headers={"Idempotency-Key": key}, **changes)
        return client.request(port, "POST", seed.path, seed.body,
                              seed.headers)
    return send


def test_first_screen(send, upstream):
    body = seeds.LEUWONGRR.body.replace(
        b'"invoice",', b'"invoice", "price": 1, "status": "paid",')
    first = send("a", body=body)
    assert first.status == 200
    assert upstream.last()["body"] == seeds.LEUWONGRR.body

    again = send("a", body=body)
    assert again.header("Idempotent-Replayed") == "true"
    assert again.body == first.body

    check_problem(send("a", json={"place_id": 7}), 422,
                  "IDEMPOTENCY_KEY_REUSED", "gateway")
    assert len(upstream.requests()) == 1


def test_twenty_at_once(send, upstream):
    upstream.script("delay=0.2")
    answers = together(20, lambda _: send("race"))
    assert {answer.status for answer in answers} <= {200, 409}
    assert len(upstream.orders()) == 1


def test_61st_order_within_a_minute(send, upstream):
    for number in range(60):
        assert send(f"key-{number}").status == 200
    answer = send("key-60")
    check_problem(answer, 429, "RATE_LIMITED", "gateway")
    assert answer.header("Retry-After") and answer.header("RateLimit")


def test_stack_trace(send, upstream):
    upstream.script("html=500")
    check_problem(send("page"), 500, "INTERNAL_SERVER_ERROR", "upstream")


def directives():
    source = read("ngx_module", "ngx_http_og_conf.c")
    names = re.findall(r'\{ ngx_string\("(order_guard\w*)"\)', source)
    assert len(names) > 10
    return set(names)


def test_every_directive_has_a_section_and_every_section_a_directive():
    page = read("lua-free-docs", "directives.md")
    assert set(re.findall(r"^### (\w+)$", page, re.M)) == directives()
    for section in re.split(r"^### ", page, flags=re.M)[1:]:
        for part in ("**Syntax:**", "**Default:**", "**Context:**"):
            assert part in section, section[:40]


def test_readme_names_every_directive_and_links_exist():
    readme = read("README.md")
    linked = set(re.findall(r"directives\.md#(order_guard\w*)", readme))
    assert linked == directives()
    folder = os.path.join(ROOT, "lua-free-docs")
    pages = [os.path.join(folder, name) for name in os.listdir(folder)
             if name.endswith(".md")] + [os.path.join(ROOT, "README.md")]
    for page in pages:
        with open(page) as text:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text.read()):
                assert os.path.exists(os.path.join(
                    os.path.dirname(page), link)), (page, link)


def test_acl_as_printed(nginx, upstream, own_redis, tmp_path):
    line = re.search(r"^user gateway .*$", read("lua-free-docs", "stores.md"),
                     re.M).group()
    acl = tmp_path / "users.acl"
    acl.write_text(line + "\nuser default on nopass ~* &* +@all\n")
    (tmp_path / "password").write_text("password\n")
    store = own_redis("--aclfile", acl)
    server = nginx(ACL.format(port=store.port, upstream=upstream.address,
                              folder=tmp_path))

    def send(key):
        return client.request(server.port, "POST", "/", b"{}", {
            "Content-Type": "application/json", "Idempotency-Key": key,
            "Authorization": "Bearer t"})

    assert send("a").status == 200
    assert send("a").header("Idempotent-Replayed") == "true"

    # the replay's unit is on its way back, and would be lost in the gap
    wait_until(lambda: sum(int(store.command("GET", key))
                           for key in store.counters()) == 1)

    # the fence: a new connection must be allowed to kill the former one
    store.command("CLIENT", "KILL", "USER", "gateway")
    wait_until(lambda: send("b").status == 200)
    check_problem(send("c"), 429, "RATE_LIMITED", "gateway")

    for key in ("a", "b"):
        assert send(key).header("Idempotent-Replayed") == "true"
    assert "[warn]" not in server.error_log(), server.error_log()
