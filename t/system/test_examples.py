"""Every example configuration, as it stands, before an upstream that answers
as the API's document says."""

import json
import re

import pytest

from og import client, examples, seeds
from og.problem import check_problem

NAMES = ("leuwongrr", "storefront", "gameso", "cekceir")


class Gates:
    """The four examples in one nginx."""

    def __init__(self, nginx, ports, upstream):
        self.nginx = nginx
        self.upstream = upstream
        self._ports = ports

    def send(self, name, seed, **changes):
        seed = seed.with_(**changes)
        return client.request(self._ports[name], "POST", seed.path, seed.body,
                              seed.headers)

    def arrived(self):
        """The body of the last request that the upstream received."""
        return self.upstream.last()["body"]

    def orders(self):
        return len(self.upstream.orders())


@pytest.fixture
def gates(tmp_path, nginx, upstream, redis):
    http, ports = examples.install(tmp_path, NAMES, upstream.address,
                                   redis.address)
    return Gates(nginx(http, ports.values()), ports, upstream)


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}", **more}


def keyed(key, **more):
    return {"Idempotency-Key": key, **more}


# each file and its document


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_complete(name, tmp_path, nginx):
    http, _ = examples.install(tmp_path, [name], "127.0.0.1:1",
                               "redis://127.0.0.1:1/0")
    code, said = nginx(http, start=False).check_configuration()
    assert code == 0, said
    assert "[warn]" not in said and "[notice]" not in said, said


@pytest.mark.parametrize("name, seed, status", [
    ("leuwongrr", seeds.LEUWONGRR, 200),
    ("storefront", seeds.STOREFRONT_DIGITAL, 201),
    ("storefront", seeds.STOREFRONT_BUNDLE, 201),
    ("storefront", seeds.STOREFRONT_PHYSICAL, 201),
    ("gameso", seeds.GAMESO, 200),
    ("gameso", seeds.GAMESO_CURL, 200),
    ("cekceir", seeds.CEKCEIR, 200),
])
def test_documented_request_arrives_byte_for_byte(gates, name, seed, status):
    answer = gates.send(name, seed)
    assert answer.status == status, answer
    assert answer.media_type == "application/json"
    received = gates.upstream.last()
    assert received["body"] == seed.body
    assert received["path"] == seed.path
    assert gates.orders() == 1


@pytest.mark.parametrize("name, seed", [
    ("leuwongrr", seeds.LEUWONGRR), ("storefront", seeds.STOREFRONT_DIGITAL),
    ("gameso", seeds.GAMESO), ("cekceir", seeds.CEKCEIR),
])
def test_limit_of_60_a_minute(gates, name, seed):
    def send(number):
        changes = {"headers": keyed(f"key-{number}")}
        if name == "gameso":
            changes = {"json": {"reference_id": f"ref-{number}"}}
        return gates.send(name, seed, **changes)

    for number in range(60):
        answer = send(number)
        assert answer.status < 300, answer
    assert f'"{name}";q=60;w=60' in answer.header("RateLimit-Policy")
    assert f'"{name}";r=0' in answer.header("RateLimit")

    answer = send(60)
    check_problem(answer, 429, "RATE_LIMITED", "gateway")
    # a window and a slot, and a tenth of both
    assert 1 <= int(answer.header("Retry-After")) <= 70
    assert gates.orders() == 60

    # a retry of an order that was made costs nothing
    if name != "storefront":
        assert send(59).header("Idempotent-Replayed") == "true"


# LeuwongRR


@pytest.mark.parametrize("field", seeds.LEUWONGRR_SENSITIVE)
def test_leuwongrr_sensitive_field_never_arrives(gates, field):
    for value in ('"x"', "19.99", '{"a":[1,2]}', "null"):
        for body in inserted(seeds.LEUWONGRR.body, field, value):
            answer = gates.send("leuwongrr", seeds.LEUWONGRR, body=body,
                                headers=keyed(seeds.GONE))
            assert answer.status == 200, answer
            assert json.loads(gates.arrived()) == json.loads(
                seeds.LEUWONGRR.body)
            assert f'"{field}"'.encode() not in gates.arrived()


def inserted(body, field, value):
    """The body with the member as first, third and last one."""
    member = f'"{field}": {value}'.encode()
    lines = body.split(b"\n")
    yield b"\n".join([lines[0] + member + b","] + lines[1:])
    yield b"\n".join(lines[:3] + [b"    " + member + b","] + lines[3:])
    yield b"\n".join(lines[:-2] + [lines[-2] + b"," + member, lines[-1]])


def test_leuwongrr_all_sensitive_fields_at_once(gates):
    more = {field: 1 for field in seeds.LEUWONGRR_SENSITIVE}
    gates.send("leuwongrr", seeds.LEUWONGRR, json=more)
    assert json.loads(gates.arrived()) == json.loads(seeds.LEUWONGRR.body)


def test_leuwongrr_spellings_do_not_help(gates):
    body = seeds.LEUWONGRR.body.replace(
        b"{", b'{"pr\\u0069ce":1,"Price":2,"userId":3,"user-id":4,'
              b'"PAYMENT_STATUS":5,"provider":{"price":6},', 1)
    gates.send("leuwongrr", seeds.LEUWONGRR, body=body)
    assert json.loads(gates.arrived()) == json.loads(seeds.LEUWONGRR.body)


def test_leuwongrr_alias(gates):
    order = {"roblox_pass_id": seeds.GONE, "gamepass_id": 987654321}
    assert gates.send("leuwongrr", seeds.LEUWONGRR,
                      json=order).status == 200
    assert json.loads(gates.arrived())["gamepass_id"] == 987654321


def test_leuwongrr_retry_is_one_order(gates):
    first = gates.send("leuwongrr", seeds.LEUWONGRR)
    again = gates.send("leuwongrr", seeds.LEUWONGRR)
    assert first.header("Idempotent-Replayed") is None
    assert again.header("Idempotent-Replayed") == "true"
    assert again.status == first.status
    assert json.loads(again.body)["data"]["idempotent"] is True
    assert again.body == re.sub(rb'("idempotent" *: *)false', rb"\1true",
                                first.body)
    assert again.header("Content-Type") == first.header("Content-Type")
    assert gates.orders() == 1


def test_leuwongrr_without_a_key_is_not_guarded(gates):
    for _ in range(2):
        answer = gates.send("leuwongrr", seeds.LEUWONGRR,
                            headers=keyed(seeds.GONE))
        assert answer.status == 200
    assert gates.orders() == 2


def test_leuwongrr_another_account_is_another_order(gates):
    gates.send("leuwongrr", seeds.LEUWONGRR)
    answer = gates.send("leuwongrr", seeds.LEUWONGRR,
                        headers={"X-Discord-User-ID": "ANOTHER_TERLINK"})
    check_problem(answer, 422, "IDEMPOTENCY_KEY_REUSED", "gateway")
    assert gates.orders() == 1


def test_leuwongrr_link_and_retry_with_the_same_key(gates):
    order = {"payment_method": "balance"}
    answer = gates.send("leuwongrr", seeds.LEUWONGRR, json=order,
                        headers=bearer("member-1", **{
                            "X-Discord-User-ID": "NOT_LINKED"}))
    problem = check_problem(answer, 422, "DISCORD_LINK_REQUIRED", "upstream")
    assert problem["detail"] == "Discord belum terhubung ke akun web."
    answer = gates.send("leuwongrr", seeds.LEUWONGRR, json=order,
                        headers=bearer("member-1"))
    assert answer.status == 200
    assert answer.header("Idempotent-Replayed") is None
    assert gates.orders() == 1


@pytest.mark.parametrize("order, headers, status, code", [
    ({"payment_method": "balance"},
     bearer("member-1", **{"X-Discord-User-ID": "TERLINK-KOSONG"}),
     422, "INSUFFICIENT_BALANCE"),
    ({"payment_method": "balance"}, {}, 422, "SANDBOX_INVOICE_ONLY"),
    ({}, bearer("bad-token"), 401, "UNAUTHENTICATED"),
    ({"place_id": seeds.GONE}, {}, 422, "VALIDATION_ERROR"),
])
def test_leuwongrr_errors(gates, order, headers, status, code):
    answer = gates.send("leuwongrr", seeds.LEUWONGRR, json=order,
                        headers=headers)
    problem = check_problem(answer, status, code, "upstream")
    assert problem["detail"]
    if code == "VALIDATION_ERROR":
        assert problem["errors"] == {"place_id": ["place_id wajib diisi."]}
    assert gates.orders() == 0


def test_leuwongrr_without_a_token(gates):
    answer = gates.send("leuwongrr", seeds.LEUWONGRR,
                        headers={"Authorization": seeds.GONE})
    check_problem(answer, 401, "TOKEN_REQUIRED", "gateway")
    assert answer.header("WWW-Authenticate") == "Bearer"
    assert gates.upstream.requests() == []


# Storefront


def test_storefront_prices_never_arrive(gates):
    order = json.loads(seeds.STOREFRONT_PHYSICAL.body)
    more = {**order, "price": 1, "total": 2, "discount": 3,
            "customer": {"price": 4}}
    more["ordervariants"] = [{**order["ordervariants"][0], "price": 5,
                              "variant": {"quantity": 6}}]
    more["orderbundles"] = [{"quantity": 1, "price": 7,
                             "bundle_price_option_unique_id": "bpo_xxx"}]
    order["orderbundles"] = [{"quantity": 1,
                              "bundle_price_option_unique_id": "bpo_xxx"}]
    answer = gates.send("storefront", seeds.STOREFRONT_PHYSICAL, json=more)
    assert answer.status == 201
    assert json.loads(gates.arrived()) == order


def test_storefront_shipping_cost_passes(gates):
    body = seeds.STOREFRONT_PHYSICAL.body.replace(
        b'"shipping_cost": 20000', b'"shipping_cost": 20000.00,  "price":1')
    gates.send("storefront", seeds.STOREFRONT_PHYSICAL, body=body)
    assert b'"shipping_cost": 20000.00' in gates.arrived()
    assert b"price" not in gates.arrived()


def test_storefront_missing_field(gates):
    answer = gates.send("storefront", seeds.STOREFRONT_PHYSICAL,
                        json={"shipping_cost": seeds.GONE})
    problem = check_problem(answer, 422, "UNPROCESSABLE_CONTENT", "upstream")
    assert problem["detail"] == "The given data was invalid."
    assert problem["errors"] == {
        "shipping_cost": ["The shipping_cost field is required."]}


def test_storefront_anonymous_callers_have_no_records(gates):
    for _ in range(2):
        answer = gates.send("storefront", seeds.STOREFRONT_DIGITAL,
                            headers=keyed("order-1"))
        assert answer.status == 201
        assert answer.header("Idempotent-Replayed") is None
    assert gates.orders() == 2


def test_storefront_replay_has_the_location(gates):
    headers = bearer("t", **keyed("order-1"))
    first = gates.send("storefront", seeds.STOREFRONT_DIGITAL,
                       headers=headers)
    again = gates.send("storefront", seeds.STOREFRONT_DIGITAL,
                       headers=headers)
    assert again.header("Idempotent-Replayed") == "true"
    assert (again.status, again.body) == (201, first.body)
    assert again.header("Location") == first.header("Location")
    assert first.json()["data"]["secret_slug"]
    assert gates.orders() == 1


# GameSO


def test_gameso_same_reference_is_one_order(gates):
    first = gates.send("gameso", seeds.GAMESO)
    again = gates.send("gameso", seeds.GAMESO)
    assert again.header("Idempotent-Replayed") == "true"
    assert (again.status, again.body) == (200, first.body)
    assert gates.orders() == 1


def test_gameso_same_reference_other_order(gates):
    gates.send("gameso", seeds.GAMESO)
    answer = gates.send("gameso", seeds.GAMESO, json={
        "items": [{"sku": "DIAMOND_100", "quantity": 6}]})
    check_problem(answer, 422, "IDEMPOTENCY_KEY_REUSED", "gateway")
    assert gates.orders() == 1


def test_gameso_references_of_two_merchants_are_two_orders(gates):
    for key in ("merchant-a", "merchant-b"):
        answer = gates.send("gameso", seeds.GAMESO,
                            headers={"X-API-Key": key})
        assert answer.status == 200
    assert gates.orders() == 2


def test_gameso_reference_in_thai_with_spaces(gates):
    order = {"reference_id": "คำสั่งซื้อ ๑"}
    for _ in range(2):
        assert gates.send("gameso", seeds.GAMESO, json=order).status == 200
    assert gates.orders() == 1


def test_gameso_extra_fields_do_not_arrive_and_do_not_count(gates):
    first = gates.send("gameso", seeds.GAMESO)
    again = gates.send("gameso", seeds.GAMESO, json={"total_amount": "0.01"})
    assert again.header("Idempotent-Replayed") == "true"
    assert again.body == first.body
    gates.send("gameso", seeds.GAMESO, json={
        "reference_id": "r2", "status": "completed",
        "items": [{"sku": "DIAMOND_100", "quantity": 5, "price": "1.00"}]})
    assert json.loads(gates.arrived()) == {
        **json.loads(seeds.GAMESO.body), "reference_id": "r2"}


@pytest.mark.parametrize("order, headers, status, code, message", [
    ({"user_id": seeds.GONE}, {}, 400, "BAD_REQUEST", "user_id is required"),
    ({"items": []}, {}, 400, "BAD_REQUEST", "items is required"),
    ({}, {"X-API-Key": "wrong"}, 401, "UNAUTHORIZED",
     "Invalid or missing API key"),
    ({"items": [{"sku": "DIAMOND_100", "quantity": 5000}]}, {}, 503,
     "SERVICE_UNAVAILABLE", "Insufficient wallet balance"),
])
def test_gameso_errors_free_the_reference(gates, order, headers, status,
                                          code, message):
    answer = gates.send("gameso", seeds.GAMESO, json=order, headers=headers)
    problem = check_problem(answer, status, code, "upstream")
    assert problem["detail"] == message
    answer = gates.send("gameso", seeds.GAMESO)
    assert answer.status == 200, answer
    assert gates.orders() == 1


def test_gameso_without_a_reference(gates):
    answer = gates.send("gameso", seeds.GAMESO,
                        json={"reference_id": seeds.GONE})
    check_problem(answer, 400, "IDEMPOTENCY_KEY_REQUIRED", "gateway")
    assert gates.upstream.requests() == []


def test_gameso_without_an_api_key(gates):
    answer = gates.send("gameso", seeds.GAMESO,
                        headers={"X-API-Key": seeds.GONE})
    check_problem(answer, 401, "TOKEN_REQUIRED", "gateway")
    assert answer.header("WWW-Authenticate") == "ApiKey"


# cekceir


@pytest.mark.parametrize("data", [
    "example",
    {"imeis": ["350000000000001"], "price": 1, "deep": {"status": [1, {}]}},
])
def test_cekceir_data_passes_whole(gates, data):
    body = json.dumps({"code": "any", "data": data, "price": 1}).encode()
    answer = gates.send("cekceir", seeds.CEKCEIR, body=body)
    assert answer.status == 200
    assert json.loads(gates.arrived()) == {"code": "any", "data": data}


@pytest.mark.parametrize("code, imeis, status, result", [
    ("cek_imei", ["35"], 200, "success"),
    ("cek_imei_manual", ["35"], 201, "pending"),
    ("cek_imei", ["35", "07"], 207, "partial"),
    ("cek_imei", ["07"], 503, "failed"),
])
def test_cekceir_results_leave_as_they_are_and_are_replayed(
        gates, code, imeis, status, result):
    order = {"code": code, "data": {"imeis": imeis}}
    first = gates.send("cekceir", seeds.CEKCEIR, json=order,
                       headers=keyed("k"))
    again = gates.send("cekceir", seeds.CEKCEIR, json=order,
                       headers=keyed("k"))
    assert first.status == again.status == status, first
    assert first.media_type == again.media_type == "application/json"
    assert first.json()["status"] == result
    assert first.json()["refunded_amount"] == 1500 * imeis.count("07")
    assert again.header("Idempotent-Replayed") == "true"
    assert again.body == first.body
    assert gates.orders() == 1


def test_cekceir_validation_error(gates):
    answer = gates.send("cekceir", seeds.CEKCEIR, json={
        "code": "cek_imei", "data": {"imeis": []}})
    problem = check_problem(answer, 422, "ORDER_VALIDATION_ERROR", "upstream")
    assert problem["errors"] == {
        "data": ["/imeis: must NOT have fewer than 1 items"]}
    assert problem["trace_id"] == "01234567-89ab-cdef-0123-456789abcdef"
    assert problem["detail"].startswith("Format order mu tidak sesuai")


def test_cekceir_wrong_key(gates):
    answer = gates.send("cekceir", seeds.CEKCEIR, headers=bearer("bad"))
    check_problem(answer, 401, "UNAUTHORIZED", "upstream")


# all of them


@pytest.mark.parametrize("name, seed", [
    ("leuwongrr", seeds.LEUWONGRR), ("storefront", seeds.STOREFRONT_DIGITAL),
    ("gameso", seeds.GAMESO), ("cekceir", seeds.CEKCEIR),
])
@pytest.mark.parametrize("fault, status, code", [
    ("html=500", 500, "INTERNAL_SERVER_ERROR"),
    ("text=502", 502, "BAD_GATEWAY"),
])
def test_pages_and_traces_never_leave(gates, name, seed, fault, status,
                                      code):
    answer = gates.send(name, seed, headers={"X-Fault": fault})
    problem = check_problem(answer, status, code, "upstream")
    assert "detail" not in problem or "<" not in problem["detail"]


@pytest.mark.parametrize("name, seed", [
    ("leuwongrr", seeds.LEUWONGRR), ("storefront", seeds.STOREFRONT_DIGITAL),
    ("gameso", seeds.GAMESO), ("cekceir", seeds.CEKCEIR),
])
def test_upstream_that_is_not_there_frees_the_key(gates, name, seed):
    headers = keyed("k", Authorization="Bearer t")
    gates.upstream.mode("closed")
    answer = gates.send(name, seed, headers=headers)
    check_problem(answer, 502, "UPSTREAM_UNREACHABLE", "gateway")
    gates.upstream.mode("open")
    answer = gates.send(name, seed, headers=headers)
    assert answer.status in (200, 201), answer
    assert answer.header("Idempotent-Replayed") is None
    assert gates.orders() == 1


def test_nothing_secret_is_logged(gates):
    gates.send("leuwongrr", seeds.LEUWONGRR)
    gates.send("gameso", seeds.GAMESO, body=b'{"secret-body": tru}')
    gates.send("cekceir", seeds.CEKCEIR, headers=keyed("se\u00e7ret-key"))
    log = gates.nginx.error_log()
    for secret in ("USER_API_TOKEN", "order-test-001", "your_api_key_here",
                   "secret-body", "<api_key>", "ret-key"):
        assert secret not in log
