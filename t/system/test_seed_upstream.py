"""The seed upstream itself: what it answers, without a gateway, is what the
four documents say; and the faults it is asked for happen."""

import json
import socket

import pytest

from og import client, seeds
from og.parallel import Later
from og.upstream import header


def ask(upstream, seed, **more):
    request = seed.with_(**more)
    return client.request(upstream.port, "POST", request.path, request.body,
                          request.headers)


def test_leuwongrr_success(upstream):
    answer = ask(upstream, seeds.LEUWONGRR)
    assert answer.status == 200
    value = answer.json()
    assert value["success"] is True
    assert value["data"]["environment"] == "sandbox"
    assert value["data"]["idempotent"] is False
    assert set(value["data"]["invoice"]) == {
        "invoice_code", "type", "payment_status", "amount",
        "formatted_amount", "currency", "payment_method", "invoice_url"}
    assert len(upstream.orders()) == 1


@pytest.mark.parametrize("token, discord, code", [
    ("member-1", "", "DISCORD_LINK_REQUIRED"),
    ("member-1", "TERLINK-KOSONG", "INSUFFICIENT_BALANCE"),
    ("USER_API_TOKEN", "TERLINK", "SANDBOX_INVOICE_ONLY"),
])
def test_leuwongrr_balance(upstream, token, discord, code):
    answer = ask(upstream, seeds.LEUWONGRR, json={"payment_method": "balance"},
                 headers={"Authorization": f"Bearer {token}",
                          "X-Discord-User-ID": discord})
    assert (answer.status, answer.json()["code"]) == (422, code)
    assert upstream.orders() == []


def test_storefront_success_and_missing_field(upstream):
    answer = ask(upstream, seeds.STOREFRONT_PHYSICAL)
    assert answer.status == 201
    assert {"secret_slug", "public_order_url",
            "payment_url"} <= set(answer.json()["data"])
    answer = ask(upstream, seeds.STOREFRONT_PHYSICAL,
                 json={"shipping_cost": seeds.GONE})
    assert (answer.status, list(answer.json()["errors"])) == (
        422, ["shipping_cost"])


@pytest.mark.parametrize("change, headers, status, code", [
    ({"reference_id": seeds.GONE}, {}, 400, "BAD_REQUEST"),
    ({"items": []}, {}, 400, "BAD_REQUEST"),
    ({}, {"X-API-Key": "wrong"}, 401, "UNAUTHORIZED"),
    ({"items": [{"sku": "DIAMOND_100", "quantity": 5000}]}, {}, 503,
     "SERVICE_UNAVAILABLE"),
])
def test_gameso_errors(upstream, change, headers, status, code):
    answer = ask(upstream, seeds.GAMESO, json=change, headers=headers)
    value = answer.json()
    assert (answer.status, value["status"], value["code"]) == (
        status, status, code)
    assert upstream.orders() == []


def test_gameso_success(upstream):
    value = ask(upstream, seeds.GAMESO).json()
    assert value["reference_id"] == "ref_abc123"
    assert value["total_amount"] == "500.00"
    assert value["items"][0]["quantity"] == 5


@pytest.mark.parametrize("order, status, result", [
    ({"code": "example", "data": "example"}, 200, "success"),
    ({"code": "cek_imei", "data": {"imeis": ["35"]}}, 200, "success"),
    ({"code": "cek_imei_manual", "data": {"imeis": ["35"]}}, 201, "pending"),
    ({"code": "cek_imei", "data": {"imeis": ["35", "07"]}}, 207, "partial"),
    ({"code": "cek_imei", "data": {"imeis": ["07"]}}, 503, "failed"),
])
def test_cekceir_results(upstream, order, status, result):
    answer = ask(upstream, seeds.CEKCEIR, json=order)
    assert (answer.status, answer.json()["status"]) == (status, result)
    assert len(upstream.orders()) == 1


def test_cekceir_validation(upstream):
    value = ask(upstream, seeds.CEKCEIR, json={
        "code": "cek_imei", "data": {"imeis": []}}).json()
    assert value["code"] == "ORDER_VALIDATION_ERROR"
    assert value["errors"] == {
        "data": ["/imeis: must NOT have fewer than 1 items"]}
    assert value["traceId"]


def test_requests_are_kept_as_they_arrive(upstream):
    body = b'{ "a":1.10,\n "b" : "\\u00e9" }'
    client.request(upstream.port, "PUT", "/anything?x=%20y", body,
                   [("X-Twice", "1"), ("X-Twice", "2")])
    client.request(upstream.port, "POST", "/anything", client.chunked(
        [body[:5], body[5:]]), {"Transfer-Encoding": "chunked"})
    first, second = upstream.requests()
    assert first["target"] == "/anything?x=%20y"
    assert (first["body"], first["framing"]) == (body, "length")
    assert header(first, "x-twice") == ["1", "2"]
    assert (second["body"], second["framing"]) == (body, "chunked")


def test_connections_are_kept(upstream):
    with client.Session(upstream.port) as session:
        for _ in range(3):
            assert session.request("GET", "/").status == 200
    assert len({r["connection"] for r in upstream.requests()}) == 1


@pytest.mark.parametrize("fault, ends", [
    ("close", b""), ("truncate", b"HTTP/1.1 200"),
    ("truncate-chunked", b"HTTP/1.1 200"), ("headers-reset", b"HTTP/1.1 200"),
    ("truncate-delimited", b"HTTP/1.1 200"),
])
def test_broken_answers_follow_an_order(upstream, fault, ends):
    seed = seeds.GAMESO.with_(headers={"X-Fault": fault})
    answer = client.raw(upstream.port, client.http_bytes(
        "POST", seed.path, seed.body, seed.headers))
    assert answer.startswith(ends) and not answer.endswith(b"]}")
    assert not answer.endswith(b"0\r\n\r\n")
    assert len(upstream.orders()) == 1


def test_reset(upstream):
    upstream.script("reset")
    with pytest.raises(ConnectionResetError):
        ask(upstream, seeds.GAMESO)


@pytest.mark.parametrize("fault", ["chunked", "close-delimited", "last",
                                   "dribble=0.01", "delay=0.01"])
def test_other_framings_are_whole(upstream, fault):
    answer = ask(upstream, seeds.GAMESO, headers={"X-Fault": fault})
    assert answer.json()["order_number"]


def test_interim_big_and_page(upstream):
    seed = seeds.GAMESO.with_(headers={"X-Fault": "interim=103, big=100000"})
    answer = client.raw(upstream.port, client.http_bytes(
        "POST", seed.path, seed.body, {**seed.headers,
                                       "Connection": "close"}))
    assert answer.startswith(b"HTTP/1.1 103") and b"200 OK" in answer
    assert len(answer) > 100000
    upstream.script("html=500")
    answer = ask(upstream, seeds.GAMESO)
    assert (answer.status, answer.media_type) == (500, "text/html")
    assert len(upstream.orders()) == 1


def test_held_request_goes_on_when_released(upstream):
    later = Later(ask, upstream, seeds.GAMESO,
                  headers={"X-Fault": "hold=door"})
    upstream.wait_for_requests(1)
    assert not later.done()
    upstream.release("door")
    assert later.value().status == 200


def test_modes(upstream):
    upstream.mode("closed")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", upstream.port), 1)
    upstream.mode("hangup")
    assert client.raw(upstream.port, b"GET / HTTP/1.1\r\n\r\n") == b""
    upstream.mode("open")
    assert ask(upstream, seeds.GAMESO).status == 200
    assert len(upstream.requests()) == 1


def test_scripted_answer(upstream):
    upstream.script(answer={"status": 418, "body": {"code": "TEAPOT"},
                            "headers": [["X-A", "1"]]}, times=2)
    for status in (418, 418, 200):
        answer = ask(upstream, seeds.GAMESO)
        assert answer.status == status
    assert json.loads(upstream.last()["body"])["reference_id"] == "ref_abc123"
