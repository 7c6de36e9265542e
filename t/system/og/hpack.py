"""Header blocks of HTTP/2 (RFC 7541) without a table of their own.

Headers go out as literals without Huffman coding. What comes back is read as
nginx writes it: it keeps no table, and names few entries of the static one."""

STATUS = {8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404",
          14: "500"}
NAMES = {8: ":status", 28: "content-length", 31: "content-type", 33: "date",
         44: "last-modified", 46: "location", 54: "server", 59: "vary"}

# The visible characters by the length of their codes, which are canonical:
# each code follows upon the one before it.
CODED = {5: "012aceiost", 6: " %-./3456789=A_bdfghlmnpru",
         7: ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz", 8: "&*,;XZ", 10: "!\"()?",
         11: "'+|", 12: "#>", 13: "\0$@[]~", 14: "^}", 15: "<`{", 19: "\\"}


def header_block(method, path, headers=()):
    pairs = [(":method", method), (":scheme", "http"), (":path", path),
             (":authority", "localhost")]
    pairs += dict(headers).items() if isinstance(headers, dict) else headers
    return b"".join(_literal(name.lower(), value) for name, value in pairs)


def _literal(name, value):
    name, value = _bytes(name), _bytes(value)
    return b"\0" + _string(name) + _string(value)


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def _string(data):
    if len(data) < 127:
        return bytes((len(data),)) + data
    rest, out = len(data) - 127, b"\x7f"
    while rest >= 128:
        out += bytes((rest % 128 + 128,))
        rest //= 128
    return out + bytes((rest,)) + data


def read_block(block):
    """[(name, value)], `:status` first."""
    pairs, at = [], 0
    while at < len(block):
        first = block[at]
        if first & 0x80:                    # name and value of the table
            pairs.append((":status", STATUS[first & 0x7f]))
            at += 1
        elif first & 0xe0 == 0x20:          # a new size of the own table
            at += 1
        else:
            pair, at = _read_literal(block, at)
            pairs.append(pair)
    return pairs


def _read_literal(block, at):
    """Added to the own table or not: it has no room for any."""
    index, at = _read_number(block, at, 6 if block[at] & 0x40 else 4)
    if index:
        name = NAMES[index]
    else:
        name, at = _read_string(block, at)
    value, at = _read_string(block, at)
    return (name, value), at


def _read_string(block, at):
    coded = block[at] & 0x80
    size, at = _read_number(block, at, 7)
    data = block[at:at + size]
    return _decoded(data) if coded else data.decode("latin-1"), at + size


def _read_number(block, at, bits):
    """The number in the last bits of a byte, and in those that follow."""
    most = (1 << bits) - 1
    number, at = block[at] & most, at + 1
    if number < most:
        return number, at
    shift = 0
    while True:
        number += (block[at] & 0x7f) << shift
        shift, at = shift + 7, at + 1
        if not block[at - 1] & 0x80:
            return number, at


def _codes():
    """{(length, code): character}"""
    found, code, before = {}, 0, 0
    for length, characters in CODED.items():
        code <<= length - before
        for character in characters:
            found[length, code] = character
            code += 1
        before = length
    return found


CODES = _codes()


def _decoded(data):
    text, code, length = "", 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            if (length, code) in CODES:
                text += CODES[length, code]
                code = length = 0
    assert length < 8, f"{text!r} is followed by a character that is not read"
    return text
