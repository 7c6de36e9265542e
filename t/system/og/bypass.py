"""Reads the rows of t/bypass/*.txt. t/bypass/README.md has their format."""

import copy
import glob
import os
import re

from og.paths import ROOT

FOLDER = os.path.join(ROOT, "t", "bypass")

ONCE = {"name", "rules", "match", "request", "type", "send", "arrives",
        "target", "refused", "stripped"}
OFTEN = {"header", "gone", "let"}
ENDS = {"arrives", "target", "refused"}         # what may come of a row
MODES = ("exact", "caseless", "loose")

LINE = re.compile(r"([a-z]+):(?:\s+(.*))?")
RULE = re.compile(r"(?:\"[^\"]*\"|[^;\"])+")
LET = re.compile(r"([a-z][a-z ]*)=(.*)", re.S)
ANGLE = re.compile(r"<([^<>]*)>")
HEX = re.compile(r"[0-9A-F]{2}( [0-9A-F]{2})*")
REPEATED = re.compile(r"(.+)\*(\d+)", re.S)
REQUEST = re.compile(rb"(\S+) (.*?)( HTTP/\d\.\d)?", re.S)
REFUSED = re.compile(r"(\d{3})(?: ([A-Z_]+)((?: /\S*)*)(?: @(\d+))?)?")

HOST = "\0host\0"       # stands for a name that the runner knows


class Wrong(Exception):
    """Where a block cannot be read, and why."""


class Row:
    """One case: a block with a name, under one match mode. `arrives` is None
    where the body arrives as it was sent, and `target` likewise; `refused`
    is (status, code, pointers, offset), of which all but the first may be
    None. `wrong` says why the row cannot be run."""

    def __init__(self, where, place, name):
        self.where = where
        self.place = place
        self.name = name
        self.mode = None
        self.rules = ""
        self.method, self.sent_target, self.version = b"", b"", b""
        self.headers = []
        self.body = b""
        self.arrives = self.target = self.refused = self.stripped = None
        self.gone = []
        self.wrong = None

    @property
    def id(self):
        return "-".join(part for part in (self.place, self.name, self.mode)
                        if part)

    @property
    def directives(self):
        """Those of its location, as nginx reads them."""
        rules = [rule.strip() for rule in RULE.findall(self.rules)]
        if self.mode:
            rules.append("match " + self.mode)
        return "".join(f"order_guard_{rule};\n" for rule in rules if rule)

    def request(self, host):
        """The bytes of the request to the server of that name."""
        named = {line.partition(b":")[0].lower() for line in self.headers}
        lines = [self.method + b" " + self.sent_target + self.version]
        if b"host" not in named:
            lines.append(b"Host: " + host)
        if not named & {b"content-length", b"transfer-encoding"}:
            lines.append(b"Content-Length: %d" % len(self.body))
        lines += self.headers + [b"Connection: close", b"", self.body]
        return b"\r\n".join(lines).replace(HOST.encode(), host)


def rows(folder=FOLDER):
    """Every case of every file."""
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        found += read(path)
    return found


def read(path):
    """The cases of one file. A block that cannot be read is one that is
    `wrong`."""
    place = os.path.splitext(os.path.basename(path))[0]
    with open(path, "rb") as source:
        text = source.read().decode()
    defaults, found, seen = {}, [], {}
    for number, lines in _blocks(text):
        where = f"{os.path.relpath(path, ROOT)}:{number}"
        try:
            given = _fields(where.rpartition(":")[0], lines)
            if "name" not in given:
                defaults = given
                continue
            row = _row(where, place, _merged(defaults, given))
            if row.name in seen:
                raise Wrong(f"{where}: another row is called "
                            f"\"{row.name}\", at {seen[row.name]}")
            seen[row.name] = where
            found += _by_mode(row, given.get("match",
                                             defaults.get("match")))
        except Wrong as wrong:
            row = Row(where, place, f"line {number}")
            row.wrong = str(wrong)
            found.append(row)
    return found


def _blocks(text):
    """(number of its first line, [(number, line)]) of what stands between
    empty lines."""
    block = []
    for number, line in enumerate(text.split("\n") + [""], 1):
        line = line.strip()
        if line.startswith("#"):
            continue
        if line:
            block.append((number, line))
        elif block:
            yield block[0][0], block
            block = []


def _fields(path, lines):
    """{key: [(where, text)]}"""
    given, last = {}, None
    for number, line in lines:
        where = f"{path}:{number}"
        if line.startswith("|"):
            if last is None:
                raise Wrong(f"{where}: \"|\" continues a value, and there "
                            "is none above")
            text = last[-1][1]
            last[-1] = (where if text is None else last[-1][0],
                        line[1:] if text is None else text + "\r\n"
                        + line[1:])
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise Wrong(f"{where}: neither \"key: value\" nor \"|\" and more "
                        f"of a value: {line}")
        key, text = match.groups()
        if key not in ONCE | OFTEN:
            raise Wrong(f"{where}: there is no key \"{key}\"; there are "
                        + ", ".join(sorted(ONCE | OFTEN)))
        last = given.setdefault(key, [])
        if last and key in ONCE:
            raise Wrong(f"{where}: \"{key}\" is there twice")
        last.append((where, text))
    return {key: [(where, text or "") for where, text in values]
            for key, values in given.items()}


def _merged(defaults, given):
    """A row's own values come in place of those above it; headers and texts
    come in addition."""
    merged = {key: values for key, values in defaults.items()
              if key not in ENDS or not ENDS & set(given)}
    for key, values in given.items():
        merged[key] = (defaults.get(key, []) + values if key in OFTEN
                       else values)
    return merged


def _by_mode(row, match):
    """A row for each mode that "match" names."""
    if match is None:
        return [row]
    where, text = match[0]
    modes = MODES if text == "all" else text.split()
    if not modes or set(modes) - set(MODES):
        raise Wrong(f"{where}: \"match\" is \"all\" or some of "
                    + ", ".join(MODES))
    cases = []
    for mode in modes:
        case = copy.copy(row)
        case.mode = mode
        cases.append(case)
    return cases


def _row(where, place, given):
    row = Row(where, place, given["name"][0][1])
    if not row.name:
        raise Wrong(f"{where}: a row needs a name")
    if not ENDS & set(given):
        raise Wrong(f"{where}: what comes of it? \"arrives\", \"target\" or "
                    "\"refused\"")
    if "refused" in given and {"arrives", "target"} & set(given):
        raise Wrong(f"{where}: what is refused does not arrive")
    if "rules" not in given:
        raise Wrong(f"{where}: a row needs \"rules\"")
    lets = _lets(given.get("let", []))

    def value(key, default=""):
        at, text = given.get(key, [(where, default)])[0]
        return _bytes(at, text, lets)

    row.rules = given["rules"][0][1]
    row.method, row.sent_target, row.version = _request(
        where, value("request", "POST /order"))
    row.body = value("send")
    row.headers = [_bytes(at, text, lets)
                   for at, text in given.get("header", [])]
    if "type" in given and given["type"][0][1] != "none":
        row.headers.insert(0, b"Content-Type: " + value("type"))
    row.gone = [text.lower() for _, text in given.get("gone", [])]
    if "arrives" in given and given["arrives"][0][1] != "as sent":
        row.arrives = value("arrives")
    if "target" in given and given["target"][0][1] != "as sent":
        row.target = value("target")
    if "refused" in given:
        row.refused = _refusal(*given["refused"][0])
    if "stripped" in given:
        row.stripped = given["stripped"][0][1]
    return row


def _request(where, text):
    match = REQUEST.fullmatch(text)
    if match is None:
        raise Wrong(f"{where}: \"request\" is a method and a target")
    method, target, version = match.groups()
    return method, target, version or b" HTTP/1.1"


def _refusal(where, text):
    match = REFUSED.fullmatch(text)
    if match is None:
        raise Wrong(f"{where}: \"refused\" is a status, a code, pointers and "
                    "@offset, as in 400 BODY_MALFORMED /items/0 @17")
    status, code, pointers, offset = match.groups()
    return (int(status), code, pointers.split() if pointers else None,
            int(offset) if offset else None)


def _lets(given):
    """{name: bytes}"""
    lets = {"host": HOST.encode()}
    for where, text in given:
        match = LET.fullmatch(text)
        if match is None:
            raise Wrong(f"{where}: \"let\" is a name in small letters, \"=\" "
                        "and what it stands for")
        lets[match.group(1).strip()] = _bytes(
            where, match.group(2).strip(" "), lets)
    return lets


def _bytes(where, text, lets):
    """The text with what <...> stands for."""
    parts, end = [], 0
    for found in ANGLE.finditer(text):
        parts.append(text[end:found.start()].encode())
        parts.append(_angle(where, found.group(1), lets))
        end = found.end()
    return b"".join(parts) + text[end:].encode()


def _angle(where, text, lets):
    if HEX.fullmatch(text):
        return bytes.fromhex(text)
    if text in lets:
        return lets[text]
    repeated = REPEATED.fullmatch(text)
    if repeated:
        return repeated.group(1).encode() * int(repeated.group(2))
    raise Wrong(f"{where}: <{text}> is neither bytes, as in <0D 0A>, nor a "
                "text and a number, as in <9*400>, nor a name that \"let\" "
                "gives; \"<\" itself is <3C>")
