"""Storefront v3: POST /v3/orders, digital and physical goods.

The document names the fields and what an answer includes, neither statuses
nor errors nor authentication. Here: 201 with Location for an order, 422 with
`errors` by field where a required one is missing. One field of the physical
group makes the whole group required.
"""

from answer import json_answer

PATH = "/v3/orders"

REQUIRED = ("store_unique_id", "customer_name", "customer_phone",
            "customer_email", "payment_method")
PHYSICAL = ("address", "location_id", "warehouse_unique_id", "shipping_cost",
            "courier_service_id")


def answer(request, ledger):
    try:
        order = request.json()
    except ValueError:
        return json_answer(400, {"message": "Invalid JSON."})

    missing = _missing(order)
    if missing:
        return json_answer(422, {
            "message": "The given data was invalid.",
            "errors": {name: [f"The {name} field is required."]
                       for name in missing}})

    number = ledger.add_order("storefront", order["store_unique_id"], request)
    return _success(order, number)


def _missing(order):
    wanted = list(REQUIRED)
    if any(name in order for name in PHYSICAL):
        wanted += PHYSICAL
    missing = [name for name in wanted if name not in order]
    if not order.get("ordervariants") and not order.get("orderbundles"):
        missing.append("ordervariants")
    return missing


def _success(order, number):
    slug = f"s3cr3t-{number:06d}"
    url = f"https://{order['store_unique_id']}.example/orders/{slug}"
    return json_answer(201, {
        "data": {
            "id": number,
            "store_unique_id": order["store_unique_id"],
            "payment_method": order["payment_method"],
            "shipping_cost": order.get("shipping_cost", 0),
            "secret_slug": slug,
            "public_order_url": url,
            "payment_url": url + "/pay",
        },
    }, [("Location", url)])
