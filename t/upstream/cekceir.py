"""cekceir, order.create: POST /api/order.

Chosen by input, as the document has it:

    no Bearer token, or one that begins with `bad`          401
    code or data missing; code cek_imei without imeis       422
    code cek_imei, `data.imeis` a list of strings of which those that begin
    with 0 fail:
        all succeed                                         200 success
        some fail                                           207 partial
        all fail                                            503 failed
    code cek_imei_manual                                    201 pending
    any other code, data a string or an object              200 success

A failed order is an order: it has a number, a transaction and a refund.
"""

from answer import json_answer

PATH = "/api/order"

PRICE = 1500
BALANCE = 100_000
TRACE = "01234567-89ab-cdef-0123-456789abcdef"
STATUS = {"pending": 201, "success": 200, "partial": 207, "failed": 503}
MESSAGE = {
    "pending": "Pesanan-mu sedang kami proses.",
    "success": "Pesanan-mu telah berhasil kami proses.",
    "partial": "Sebagian pesanan-mu gagal kami proses.",
    "failed": "Pesanan-mu gagal kami proses.",
}


def answer(request, ledger):
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token or token.startswith("bad"):
        return _error(401, "UNAUTHORIZED", "API key tidak valid.", {})

    try:
        order = request.json()
    except ValueError:
        return _error(400, "BAD_REQUEST", "Body bukan JSON.", {})

    errors = _validate(order)
    if errors:
        return _error(422, "ORDER_VALIDATION_ERROR",
                      "Format order mu tidak sesuai dengan format layanan "
                      "yang kamu minta.", errors)

    total, failed = _run(order)
    result = _result(order["code"], total, failed)
    number = ledger.add_order("cekceir", order["code"], request)
    return json_answer(STATUS[result],
                       _order(order["code"], result, number, total, failed))


def _validate(order):
    if not isinstance(order.get("code"), str):
        return {"code": ["/code: must be string"]}
    if "data" not in order:
        return {"data": ["/data: is required"]}
    data = order["data"]
    if not isinstance(data, (str, dict)):
        return {"data": ["/data: must be object"]}
    if order["code"].startswith("cek_imei"):
        if not isinstance(data, dict) or not data.get("imeis"):
            return {"data": ["/imeis: must NOT have fewer than 1 items"]}
    return None


def _run(order):
    """(items, failed items)"""
    if not order["code"].startswith("cek_imei"):
        return 1, 0
    imeis = order["data"]["imeis"]
    return len(imeis), sum(str(imei).startswith("0") for imei in imeis)


def _result(code, total, failed):
    if code == "cek_imei_manual":
        return "pending"
    if failed == 0:
        return "success"
    return "failed" if failed == total else "partial"


def _error(status, code, message, errors):
    return json_answer(status, {
        "error": True, "code": code, "message": message, "source": "order",
        "errors": errors, "traceId": TRACE})


def _order(code, result, number, total, failed):
    done = 0 if result == "pending" else total
    charged = (total - failed) * PRICE
    return {
        "status": result,
        "reference_id": f"provider-reference-{number}",
        "message": MESSAGE[result],
        "processed": done,
        "processed_success": done - failed if done else 0,
        "processed_error": failed,
        "remaining_balance": BALANCE - charged,
        "result": {"status": "registered"} if result == "success" else None,
        "error_message": "Provider menolak." if failed else None,
        "order_id": 320 + number,
        "transaction_id": 653 + number,
        "service_code": code,
        "total": total,
        "price": PRICE,
        "total_price": total * PRICE,
        "charged_amount": charged,
        "refunded_amount": failed * PRICE,
        "balance_before": BALANCE,
        "created_at": "2026-04-26T00:00:00.000Z",
    }
