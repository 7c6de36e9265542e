"""Which API answers which request."""

import cekceir
import gameso
import leuwongrr
import storefront
from answer import Answer, json_answer

APIS = (leuwongrr, storefront, gameso, cekceir)


class Router:
    def __init__(self, ledger, script):
        self._ledger = ledger
        self._apis = {api.PATH: api for api in APIS}

    def answer(self, request, scripted=None):
        """`scripted` (status, headers, body) takes the place of the API's own
        answer. Where it is a success an order is made all the same."""
        if scripted:
            return self._scripted(request, scripted)

        api = self._apis.get(request.path)
        if api is None:
            return json_answer(200, {"echo": request.body.decode("latin-1"),
                                     "method": request.method})
        if request.method != "POST":
            return json_answer(405, {"code": "METHOD_NOT_ALLOWED",
                                     "message": "POST only"},
                               [("Allow", "POST")])
        return api.answer(request, self._ledger)

    def _scripted(self, request, scripted):
        status = scripted.get("status", 200)
        if status < 400:
            self._ledger.add_order("scripted", None, request)
        body = scripted.get("body", "")
        if not isinstance(body, str):
            return json_answer(status, body, scripted.get("headers", ()))
        return Answer(status, body.encode("utf-8", "surrogateescape"), None,
                      [tuple(pair) for pair in scripted.get("headers", ())])
