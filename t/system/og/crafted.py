"""Requests, frames and answers that are wrong, or only just right."""

import struct

from og.http2 import (DATA, END_STREAM, GOAWAY, HEADERS, PREFACE, RST_STREAM,
                      SETTINGS, WINDOW_UPDATE, frame, header_block)

BODY = b'{"a":1}'
BASE = (b"Host: h\r\nAuthorization: Bearer t\r\nIdempotency-Key: k\r\n"
        b"Content-Type: application/json\r\n")
LINE = b"POST /order HTTP/1.1\r\n"

CRAFTED = {
    "no host": LINE + b"Content-Length: 2\r\n\r\n{}",
    "bare lf": (LINE + BASE + b"Content-Length: 7\r\n\r\n").replace(
        b"\r\n", b"\n") + BODY,
    "two lengths": LINE + BASE + b"Content-Length: 7\r\nContent-Length: 2"
    b"\r\n\r\n" + BODY,
    "length and chunked": LINE + BASE + b"Content-Length: 7\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n7\r\n" + BODY + b"\r\n0\r\n\r\n",
    "two codings": LINE + BASE + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
    b"7\r\n" + BODY + b"\r\n0\r\n\r\n",
    "negative length": LINE + BASE + b"Content-Length: -7\r\n\r\n" + BODY,
    "huge length": LINE + BASE + b"Content-Length: 99999999999999999999"
    b"\r\n\r\n" + BODY,
    "largest length": LINE + BASE + b"Content-Length: 9223372036854775807"
    b"\r\n\r\n" + BODY,
    "huge chunk": LINE + BASE + b"Transfer-Encoding: chunked\r\n\r\n"
    b"7fffffffffffffff\r\n" + BODY,
    "chunk overflow": LINE + BASE + b"Transfer-Encoding: chunked\r\n\r\n"
    b"fffffffffffffffff\r\n" + BODY,
    "no chunk size": LINE + BASE + b"Transfer-Encoding: chunked\r\n\r\n"
    b"xyz\r\n" + BODY,
    "chunk extension": LINE + BASE + b"Transfer-Encoding: chunked\r\n\r\n"
    b"7;" + b"a" * 5000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk trailer": LINE + BASE + b"Transfer-Encoding: chunked\r\n\r\n"
    b"7\r\n" + BODY + b"\r\n0\r\nIdempotency-Key: other\r\n\r\n",
    "nul in a header": LINE + BASE + b"X: a\0b\r\nContent-Length: 7\r\n\r\n"
    + BODY,
    "folded header": LINE + BASE + b"X: a\r\n b\r\nContent-Length: 7\r\n\r\n"
    + BODY,
    "no name": LINE + BASE + b": x\r\nContent-Length: 7\r\n\r\n" + BODY,
    "space in a name": LINE + BASE + b"Content-Length : 7\r\n\r\n" + BODY,
    "http 0.9": b"POST /order\r\n",
    "http 1.0": LINE.replace(b"1.1", b"1.0") + BASE
    + b"Content-Length: 7\r\n\r\n" + BODY,
    "http 1.0 chunked": LINE.replace(b"1.1", b"1.0") + BASE
    + b"Transfer-Encoding: chunked\r\n\r\n7\r\n" + BODY + b"\r\n0\r\n\r\n",
    "http 3.0": LINE.replace(b"1.1", b"3.0") + BASE + b"\r\n",
    "odd method": LINE.replace(b"POST", b"P\xd6ST") + BASE + b"\r\n",
    "long method": LINE.replace(b"POST", b"A" * 3000) + BASE + b"\r\n",
    "long uri": LINE.replace(b"/order", b"/" + b"u" * 100000) + BASE
    + b"Content-Length: 7\r\n\r\n" + BODY,
    "nul in the uri": LINE.replace(b"/order", b"/or%00der") + BASE
    + b"Content-Length: 7\r\n\r\n" + BODY,
    "up and away": LINE.replace(b"/order", b"/../../order") + BASE
    + b"Content-Length: 7\r\n\r\n" + BODY,
    "absolute uri": LINE.replace(b"/order", b"http://h/order") + BASE
    + b"Content-Length: 7\r\n\r\n" + BODY,
    "connect": LINE.replace(b"POST /order", b"CONNECT a:80") + BASE + b"\r\n",
    "trace": LINE.replace(b"POST", b"TRACE") + BASE + b"\r\n",
    "upgrade": LINE + BASE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Content-Length: 7\r\n\r\n" + BODY,
    "upgrade h2c": LINE + BASE + b"Connection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    b"Content-Length: 7\r\n\r\n" + BODY,
    "unknown expectation": LINE + BASE + b"Expect: 200-ok\r\n"
    b"Content-Length: 7\r\n\r\n" + BODY,
    "range": LINE + BASE + b"Range: bytes=-1,5-,-\r\n"
    b"Content-Length: 7\r\n\r\n" + BODY,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
    "http2 preface": PREFACE + frame(SETTINGS, 0, 0, b""),
    "proxy protocol": b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + LINE + BASE
    + b"\r\n",
}


def http2_requests():
    block = header_block("POST", "/order", {
        "authorization": "Bearer t", "idempotency-key": "k",
        "content-type": "application/json"})
    head = frame(HEADERS, 4, 1, block)
    data = frame(DATA, END_STREAM, 1, BODY)
    reset = frame(RST_STREAM, 0, 1, struct.pack(">I", 8))
    window = struct.pack(">I", 0x7fffffff)
    return {
        "data twice": head + data + data,
        "data before headers": data + head,
        "reset, then data": head + reset + data,
        "reset at once": (head + reset) * 1,
        "reset twice": head + data + reset + reset,
        "stream 0": frame(DATA, END_STREAM, 0, BODY) + head,
        "even stream": head.replace(b"\0\0\0\1", b"\0\0\0\2", 1),
        "headers twice": head + head + data,
        "window overflow": head + frame(WINDOW_UPDATE, 0, 1, window)
        + frame(WINDOW_UPDATE, 0, 1, window) + data,
        "window of 0": frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
        + head + data,
        "padding beyond the frame": head + frame(DATA, END_STREAM | 8, 1,
                                                 b"\xff" + BODY),
        "empty data": head + frame(DATA, 0, 1, b"") * 500 + data,
        "goaway first": frame(GOAWAY, 0, 0, b"\0" * 8) + head + data,
        "goaway between": head + frame(GOAWAY, 0, 0, b"\0" * 8) + data,
        "settings flood": frame(SETTINGS, 0, 0, b"") * 500 + head + data,
        "broken block": frame(HEADERS, 4, 1, block[:-3] + b"\xff\xff\xff"),
        "cut block": frame(HEADERS, 4, 1, block[:20]),
        "no path": frame(HEADERS, 5, 1, block.replace(b":path", b":pxth")),
        "upper-case name": frame(HEADERS, 5, 1, block.replace(
            b"idempotency-key", b"Idempotency-Key")),
        "newline in a value": frame(HEADERS, 5, 1, header_block(
            "POST", "/order", {"authorization": "Bearer a\nX-Evil: 1"})),
        "unknown frames": frame(0xee, 0xff, 0, b"x" * 1000) + head
        + frame(0xee, 0xff, 1, b"x" * 1000) + data,
    }


# of an upstream

ANSWERS = {
    "nothing": b"",
    "nul": b"\0" * 100,
    "status 0": b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\n{}",
    "status 600": b"HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\n{}",
    "status 100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "status 304": b"HTTP/1.1 304 Not\r\nETag: \"a\"\r\n\r\n",
    "status 206": b"HTTP/1.1 206 P\r\nContent-Range: bytes 0-1/9\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    "status 416": b"HTTP/1.1 416 P\r\nContent-Range: bytes */9\r\n"
    b"Content-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n"
    b"Content-Length: 5\r\n\r\n{}",
    "negative length": b"HTTP/1.1 200 X\r\nContent-Length: -5\r\n\r\n{}",
    "huge length": b"HTTP/1.1 200 X\r\nContent-Length: "
    b"9223372036854775807\r\n\r\n{}",
    "more than its length": b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}"
    + b"more" * 1000,
    "huge chunk": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"7fffffffffffffff\r\n{}",
    "broken chunk": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"zz\r\n{}",
    "204 with a body": b"HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n{}",
    "204 chunked": b"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n{}\r\n0\r\n\r\n",
    "broken problem": b"HTTP/1.1 422 X\r\nContent-Type: application/"
    b"problem+json\r\nContent-Length: 9\r\n\r\n{\"status\"",
    "problem of another status": b"HTTP/1.1 422 X\r\nContent-Type: "
    b"application/problem+json\r\nContent-Length: 14\r\n\r\n"
    b'{"status":200}',
    "deep json error": b"HTTP/1.1 500 X\r\nContent-Type: application/json"
    b"\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60000,
    "deep close-delimited": b"HTTP/1.1 200 X\r\nContent-Type: application/"
    b"json\r\n\r\n" + b"[" * 60000,
    "odd header values": b"HTTP/1.1 200 X\r\nLocation: \x01\xff\r\nLink: "
    + bytes(range(128, 256)) + b"\r\nETag: " + b"e" * 3000
    + b"\r\nContent-Length: 2\r\n\r\n{}",
    "many headers": b"HTTP/1.1 200 X\r\n" + b"Link: x\r\n" * 300
    + b"Content-Length: 2\r\n\r\n{}",
    "empty header values": b"HTTP/1.1 200 X\r\nLocation:\r\nLink:\r\nVary:"
    b"\r\nContent-Type:\r\nContent-Length: 2\r\n\r\n{}",
    "accel to itself": b"HTTP/1.1 200 X\r\nX-Accel-Redirect: /order\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    "accel to nowhere": b"HTTP/1.1 200 X\r\nX-Accel-Redirect: @none\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    "accel of accel": b"HTTP/1.1 200 X\r\nX-Accel-Redirect: /a%00b\r\n"
    b"X-Accel-Charset: \xff\r\nX-Accel-Limit-Rate: -1\r\n"
    b"Content-Length: 2\r\n\r\n{}",
}
