"""Every request body of the four documents, however their own clients write
it, passes its example configuration byte for byte."""

import itertools
import json

import pytest

from og import client, examples, seeds

NAMES = ("leuwongrr", "storefront", "gameso", "cekceir")

SEEDS = {
    "leuwongrr request": ("leuwongrr", seeds.LEUWONGRR.with_(body="""{
  "order_type": "gamepass",
  "roblox_username": "LeuwongUser",
  "place_id": 123456789,
  "roblox_pass_id": 987654321,
  "payment_method": "invoice",
  "client_reference": "bot-order-001"
}""")),
    "leuwongrr curl": ("leuwongrr", seeds.LEUWONGRR),
    "leuwongrr alias": ("leuwongrr", seeds.LEUWONGRR.with_(json={
        "roblox_pass_id": seeds.GONE, "gamepass_id": 987654321,
        "order_type": "vip_server"})),
    "leuwongrr balance": ("leuwongrr", seeds.LEUWONGRR.with_(json={
        "payment_method": "balance"})),
    "storefront digital": ("storefront", seeds.STOREFRONT_DIGITAL),
    "storefront bundle": ("storefront", seeds.STOREFRONT_BUNDLE),
    "storefront physical": ("storefront", seeds.STOREFRONT_PHYSICAL),
    "gameso request": ("gameso", seeds.GAMESO),
    "gameso curl": ("gameso", seeds.GAMESO_CURL),
    "gameso thai": ("gameso", seeds.GAMESO.with_(json={
        "reference_id": "คำสั่งซื้อ/๑", "character_id": "ผู้เล่น \"A\""})),
    "cekceir request": ("cekceir", seeds.CEKCEIR),
    "cekceir object": ("cekceir", seeds.CEKCEIR.with_(json={
        "code": "cek_imei", "data": {"imeis": ["356938035643809"],
                                     "deep": {"price": [1.10, {}]}}})),
}

# As the clients of the documents write it: curl as printed, JSON.stringify(),
# Python's requests, PHP's json_encode().
WRITERS = {
    "as printed": lambda body: body,
    "with CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "javascript": lambda body: json.dumps(
        json.loads(body), separators=(",", ":"),
        ensure_ascii=False).encode(),
    "python": lambda body: json.dumps(json.loads(body)).encode(),
    "php": lambda body: json.dumps(
        json.loads(body), separators=(",", ":")).replace("/", "\\/").encode(),
}


@pytest.fixture
def ports(tmp_path, nginx, upstream, redis):
    http, ports = examples.install(tmp_path, NAMES, upstream.address,
                                   redis.address)
    nginx(http, ports.values())
    return ports


def send(port, seed, body, chunked):
    headers = dict(seed.headers)
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
        return client.request(port, "POST", seed.path,
                              client.chunked([body[:7], body[7:]]), headers)
    return client.request(port, "POST", seed.path, body, headers)


@pytest.mark.parametrize("name", SEEDS)
def test_documented_body_arrives_byte_for_byte(ports, upstream, redis, name):
    gate, seed = SEEDS[name]
    for number, (writer, chunked) in enumerate(
            itertools.product(WRITERS, (False, True)), 1):
        redis.command("FLUSHALL")           # the same order is no retry
        body = WRITERS[writer](seed.body)
        answer = send(ports[gate], seed, body, chunked)
        requests = upstream.requests()
        said = f"{writer}, chunked: {chunked}\n{answer}"
        assert len(requests) == number, said
        assert requests[-1]["body"] == body, said
        assert requests[-1]["path"] == seed.path, said
