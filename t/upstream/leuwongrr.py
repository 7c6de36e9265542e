"""LeuwongRR, Create Order API: POST /api/v1/me/orders.

Chosen by input, as the document has it:

    no Bearer token, or one that begins with `bad`          401
    roblox_username, place_id or a gamepass id missing      422
    payment_method balance
        with a sandbox token (any but `member...`)          422
        X-Discord-User-ID without TERLINK in it             422
                                                DISCORD_LINK_REQUIRED
        X-Discord-User-ID with KOSONG (empty) in it         422
                                                INSUFFICIENT_BALANCE
    anything else                                           200

The document names the codes but no statuses: 422 stands for each. Its own
idempotency ("can return the old invoice") is left out: the worst upstream it
allows is the one that a gateway must protect.
"""

from answer import json_answer

PATH = "/api/v1/me/orders"


def answer(request, ledger):
    token = _token(request)
    if token is None or token.startswith("bad"):
        return _error(401, "UNAUTHENTICATED", "Token tidak valid.")

    try:
        order = request.json()
    except ValueError:
        return _error(400, "BAD_REQUEST", "Body bukan JSON.")

    problem = _validate(order) or _check_payment(order, token, request)
    if problem:
        return problem

    number = ledger.add_order("leuwongrr", order.get("client_reference"),
                              request)
    return json_answer(200, _success(order, token, number))


def _token(request):
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def _validate(order):
    errors = {}
    if not isinstance(order.get("roblox_username"), str):
        errors["roblox_username"] = ["roblox_username wajib diisi."]
    if not isinstance(order.get("place_id"), int):
        errors["place_id"] = ["place_id wajib diisi."]
    if not isinstance(order.get("roblox_pass_id",
                                order.get("gamepass_id")), int):
        errors["roblox_pass_id"] = ["roblox_pass_id wajib diisi."]
    if not errors:
        return None
    return json_answer(422, {
        "success": False, "code": "VALIDATION_ERROR",
        "message": "Data order tidak valid.", "errors": errors})


def _check_payment(order, token, request):
    if order.get("payment_method", "invoice") != "balance":
        return None
    discord = request.header("X-Discord-User-ID") or ""
    if not token.startswith("member"):
        return _error(422, "SANDBOX_INVOICE_ONLY",
                      "Sandbox hanya boleh invoice.")
    if "TERLINK" not in discord:
        return _error(422, "DISCORD_LINK_REQUIRED",
                      "Discord belum terhubung ke akun web.")
    if "KOSONG" in discord:
        return _error(422, "INSUFFICIENT_BALANCE", "Saldo tidak cukup.")
    return None


def _error(status, code, message):
    return json_answer(status, {"success": False, "code": code,
                                "message": message})


def _success(order, token, number):
    invoice = f"INV20260501{number:04d}"
    member = token.startswith("member")
    return {
        "success": True,
        "message": "Order berhasil dibuat.",
        "data": {
            "invoice": {
                "invoice_code": invoice,
                "type": "order",
                "payment_status": "pending",
                "amount": 348,
                "formatted_amount": "Rp348",
                "currency": "IDR",
                "payment_method": order.get("payment_method", "invoice"),
                "invoice_url": "https://leuwongrr.online/user/invoice/"
                               + invoice,
            },
            "environment": "production" if member else "sandbox",
            "idempotent": False,
        },
    }
