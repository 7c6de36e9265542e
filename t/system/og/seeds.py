"""The requests of the four documents, as printed there."""

import json

GONE = object()         # with_(json={"name": GONE}) takes a member out


class Seed:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body.encode()

    def with_(self, json=None, headers=None, body=None):
        """A copy with members and headers changed; without `json` and `body`
        the bytes stay as they are printed."""
        text = self.body.decode() if body is None else body
        changed = Seed(self.path, {**self.headers, **(headers or {})}, "")
        changed.body = text if isinstance(text, bytes) else text.encode()
        for name in [n for n, v in changed.headers.items() if v is GONE]:
            del changed.headers[name]
        if json:
            changed.body = _change(changed.body, json)
        return changed


def _change(body, members):
    value = {**json.loads(body), **members}
    return json.dumps({name: member for name, member in value.items()
                       if member is not GONE}, ensure_ascii=False).encode()


LEUWONGRR = Seed("/api/v1/me/orders", {
    "Authorization": "Bearer USER_API_TOKEN",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Idempotency-Key": "order-test-001",
    "X-Discord-User-ID": "DISCORD_USER_ID_TERLINK",
}, """{
    "order_type": "gamepass",
    "roblox_username": "LeuwongUser",
    "place_id": 123456789,
    "roblox_pass_id": 987654321,
    "payment_method": "invoice",
    "client_reference": "bot-order-001"
  }""")

# what LeuwongRR's document says it does not accept
LEUWONGRR_SENSITIVE = (
    "user_id", "email", "price", "amount", "total_amount", "status",
    "payment_status", "paid_at", "role", "balance", "order_id", "invoice_id")

STOREFRONT_DIGITAL = Seed("/v3/orders", {"Content-Type": "application/json"},
                          """{
  "store_unique_id": "store_xxx",
  "customer_name": "John Doe",
  "customer_phone": "62812345678",
  "customer_email": "example@example.com",
  "ordervariants": [
    {
      "quantity": 1,
      "variant_unique_id": "variant_xxx"
    }
  ],
  "payment_method": "invoice"
}""")

STOREFRONT_BUNDLE = Seed("/v3/orders", {"Content-Type": "application/json"},
                         """{
  "store_unique_id": "store_xxx",
  "customer_name": "John Doe",
  "customer_phone": "62812345678",
  "customer_email": "example@example.com",
  "orderbundles": [
    {
      "quantity": 1,
      "bundle_price_option_unique_id": "bpo_xxx"
    }
  ],
  "payment_method": "invoice"
}""")

STOREFRONT_PHYSICAL = Seed("/v3/orders", {"Content-Type": "application/json"},
                           """{
  "store_unique_id": "store_xxx",
  "customer_name": "John Doe",
  "customer_phone": "62812345678",
  "customer_email": "example@example.com",
  "ordervariants": [
    {
      "quantity": 1,
      "variant_unique_id": "variant_xxx"
    }
  ],
  "payment_method": "invoice",
  "address": "Jl. Pegangsaan Timur No. 28",
  "location_id": 1,
  "postal_code": "12345",
  "warehouse_unique_id": "warehouse_xxx",
  "courier_service_id": 1,
  "shipping_cost": 20000,
  "shipment_provider_code": "lincah"
}""")

GAMESO = Seed("/v1/orders", {
    "Content-Type": "application/json",
    "X-API-Key": "your_api_key_here",
}, """{
"reference_id": "ref_abc123",
"user_id": "user_001",
"server_id": "server_th01",
"character_id": "char_123",
"items": [
{
"sku": "DIAMOND_100",
"quantity": 5
}
]
}""")

GAMESO_CURL = GAMESO.with_(body="""{
"reference_id": "POS-20250115-001",
"user_id": "player_12345",
"server_id": "TH01",
"items": [
{ "sku": "DIAMOND_100", "quantity": 3 },
{ "sku": "DIAMOND_500", "quantity": 1 }
]
}""")

CEKCEIR = Seed("/api/order", {
    "Authorization": "Bearer <api_key>",
    "Content-Type": "application/json",
}, """{
"code": "example",
"data": "example"
}""")
