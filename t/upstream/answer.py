"""What an API answers, before a fault decides how it leaves."""

import json

REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
    207: "Multi-Status", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}

HTML = ("<!DOCTYPE html>\n<html><head><title>{status} {reason}</title></head>"
        "<body><h1>{reason}</h1><pre>OrderService.java:42 at "
        "db-internal-7.example: password=hunter2</pre></body></html>\n")


class Answer:
    def __init__(self, status, body=b"", media_type=None, headers=()):
        self.status = status
        self.body = body
        self.headers = list(headers)
        if media_type:
            self.headers.insert(0, ("Content-Type", media_type))

    def status_line(self):
        reason = REASONS.get(self.status, "Unknown")
        return f"HTTP/1.1 {self.status} {reason}\r\n".encode()


def json_answer(status, value, headers=()):
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, "application/json", headers)


def html_answer(status):
    """An error page that shows what must never leave a gateway."""
    page = HTML.format(status=status, reason=REASONS.get(status, "Error"))
    return Answer(status, page.encode(), "text/html; charset=utf-8")


def text_answer(status):
    trace = "Traceback (most recent call last):\n  db-internal-7.example\n"
    return Answer(status, trace.encode(), "text/plain")
