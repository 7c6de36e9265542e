"""GameSO, create order: POST /v1/orders.

Chosen by input, as the document has it:

    X-API-Key missing, or one that begins with `wrong`      401
    reference_id, user_id or items missing or wrong         400
    the price beyond the wallet of 10,000 THB               503
    anything else                                           200

A repeated reference_id is not refused: the document says that it must not
repeat, not what happens when it does.
"""

from answer import json_answer

PATH = "/v1/orders"

WALLET = 10_000                 # THB, for each order anew
CREATED = "2025-01-15T10:30:00.000Z"
CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 503: "SERVICE_UNAVAILABLE"}


def answer(request, ledger):
    key = request.header("X-API-Key") or "wrong"
    if key.startswith("wrong"):
        return _error(401, "Invalid or missing API key")

    try:
        order = request.json()
    except ValueError:
        return _error(400, "body is not a JSON object")

    wrong = _validate(order)
    if wrong:
        return _error(400, wrong)

    items = [_item(item) for item in order["items"]]
    total = sum(float(item["total_amount"]) for item in items)
    if total > WALLET:
        return _error(503, "Insufficient wallet balance")

    number = ledger.add_order("gameso", order["reference_id"], request)
    return json_answer(200, _success(order, items, total, number))


def _validate(order):
    for name in ("reference_id", "user_id"):
        if not isinstance(order.get(name), str) or not order[name]:
            return f"{name} is required"
    items = order.get("items")
    if not isinstance(items, list) or not items:
        return "items is required"
    for item in items:
        if not isinstance(item, dict) or "sku" not in item:
            return "items[].sku is required"
        quantity = item.get("quantity", 1)
        if not isinstance(quantity, int) or quantity < 1:
            return "items[].quantity must be at least 1"
    return None


def _error(status, message):
    return json_answer(status, {"status": status, "code": CODES[status],
                                "message": message})


def _item(item):
    """DIAMOND_100 costs 100.00."""
    quantity = item.get("quantity", 1)
    digits = "".join(filter(str.isdigit, str(item["sku"]))) or "100"
    amount = f"{int(digits) * quantity}.00"
    return {"sku": item["sku"], "quantity": quantity,
            "completed_quantity": 0, "failed_quantity": 0,
            "status": "pending", "subtotal_amount": amount,
            "discount_amount": "0.00", "total_amount": amount,
            "failure_code": None, "failure_message": None}


def _success(order, items, total, number):
    return {
        "order_number": f"ord_{number:06d}",
        "reference_id": order["reference_id"],
        "user_id": order["user_id"],
        "server_id": order.get("server_id"),
        "character_id": order.get("character_id"),
        "status": "pending",
        "subtotal_amount": f"{total:.2f}",
        "discount_amount": "0.00",
        "total_amount": f"{total:.2f}",
        "source_type": "api",
        "created_by": {"id": 0, "name": "API"},
        "created_at": CREATED,
        "updated_at": CREATED,
        "failure_code": None,
        "failure_message": None,
        "items": items,
    }
