"""Every row of t/bypass: what is sent as raw bytes reaches the upstream byte
for byte as its row says, or not at all. t/bypass/README.md says how rows are
written."""

import http.client
import re
import socket

import pytest

from og import bypass
from og.client import Response
from og.nginx import BAD, Nginx
from og.paths import seconds
from og.peer import Peer, answering
from og.problem import check_problem
from og.process import free_port

ROWS = bypass.rows()

SERVER = """
    server {{
        listen 127.0.0.1:{port};
        server_name {name};

        # what is kept from here is the client's, not what is forwarded
        set $held "$request_uri $args $query_string $arg_price";

        location / {{
            order_guard on;
{directives}
            add_header X-Stripped $order_guard_stripped;
            proxy_set_header X-Args $args;
            proxy_set_header X-Query-String $query_string;
            proxy_set_header X-Request-Uri $request_uri;
            proxy_pass http://127.0.0.1:{upstream};
        }}
    }}
"""


class Gate:
    """nginx with a server for each set of rules, before an upstream that
    keeps what it gets."""

    def __init__(self, folder, rows):
        self.folder = folder
        self.peer = Peer(answering())
        self.port = free_port()
        self.refused = {}           # directives: what nginx says of them
        self.names = {row.directives: f"r{number}.example"
                      for number, row in enumerate(rows) if not row.wrong}
        self.forwarded = 0
        self.nginx = None
        self.read = 0               # so far of error.log

    def start(self):
        """Without the rules that nginx refuses: only their rows fail."""
        self.nginx = Nginx(self.folder, self._http(), [self.port])
        while True:
            code, said = self.nginx.check_configuration()
            self._bad_lines()
            if code == 0:
                return self.nginx.start()
            bad = self._find(said)
            assert bad is not None, said
            self.refused[bad] = said
            self.nginx.expected.append(r"\[emerg\].* in \S*nginx\.conf:")
            del self.names[bad]
            self.nginx.write(self._http())

    def _http(self):
        servers = "".join(SERVER.format(
            name=name, port=self.port, upstream=self.peer.port,
            directives=directives)
            for directives, name in self.names.items())
        return ("    server_names_hash_max_size 8192;\n"
                f"    large_client_header_buffers 4 32k;\n{servers}")

    def _find(self, said):
        """The directives in the line that nginx complains about, or at the
        end of whose location it does."""
        number = re.search(r"nginx\.conf:(\d+)", said)
        with open(self.nginx.path("conf/nginx.conf")) as conf:
            lines = conf.read().split("\n")
        above = lines[:int(number.group(1)) if number else 0]
        names = re.findall(r"server_name (\S+);", "\n".join(above))
        return next((directives for directives, name in self.names.items()
                     if names and name == names[-1]), None)

    def end(self):
        """What nginx may not have done."""
        if self.nginx is None or self.nginx.process is None:
            return []
        wrong = [] if self.nginx.quit() else ["nginx does not quit"]
        if len(self.peer.requests) != self.forwarded:
            wrong.append(f"{len(self.peer.requests)} requests arrived, not "
                         f"{self.forwarded}")
        return wrong + self.nginx.bad_lines()

    def run(self, row):
        """(what the client got, [(head, body)] of what arrived)"""
        if row.directives in self.refused:
            pytest.fail(f"{row.where}: " + self.refused[row.directives])
        before = len(self.peer.requests)
        host = self.names[row.directives].encode()
        answer = send(self.port, row.request(host), row.method.decode())
        arrived = self.peer.requests[before:]
        self.forwarded += len(arrived)
        bad = self._bad_lines()
        assert not bad, f"{row.where}: {bad}"
        return answer, arrived

    def _bad_lines(self):
        """New ones in error.log."""
        with open(self.nginx.path("logs/error.log"), "rb") as log:
            log.seek(self.read)
            text = log.read().decode(errors="replace")
            self.read = log.tell()
        return [line for line in text.split("\n") if BAD.search(line)]


def send(port, data, method):
    with socket.create_connection(("127.0.0.1", port), seconds(10)) as sock:
        sock.sendall(data)
        answer = http.client.HTTPResponse(sock, method=method)
        answer.begin()
        return Response(answer.status, answer.getheaders(), answer.read(),
                        answer.reason)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    gate = Gate(tmp_path_factory.mktemp("bypass"), ROWS)
    with gate.peer:
        gate.start()
        yield gate
        wrong = gate.end()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(gate, row):
    if row.wrong:
        pytest.fail(row.wrong, pytrace=False)
    check(row, *gate.run(row))


# what must come of a row


def check(row, answer, arrived):
    said = f"{row.where}: {row.name}\n{answer}"
    if row.refused:
        assert not arrived, f"{said}\narrived: {arrived}"
        check_refusal(row, answer, said)
        return
    assert answer.status == 200, said
    assert len(arrived) == 1, f"{said}\narrived: {arrived}"
    head, body = arrived[0]
    said += f"\narrived: {head}"
    assert body == (row.body if row.arrives is None else row.arrives), said
    check_target(row, head, said)
    check_headers(row, head, len(body), said)
    if row.stripped is not None:
        assert (answer.header("X-Stripped") or "") == row.stripped, said


def check_refusal(row, answer, said):
    status, code, pointers, offset = row.refused
    assert answer.status == status, said
    if code is None:
        return
    assert answer.code == code, said
    errors = check_problem(answer, status, code).get("errors", [{}])
    if pointers is not None:
        assert [error.get("pointer") for error in errors] == pointers, said
    if offset is not None:
        assert [error.get("offset") for error in errors] == [offset], said


def check_target(row, head, said):
    """What proxy_pass forwards and what variables say is the same."""
    target = row.sent_target if row.target is None else row.target
    line = head.split(b"\r\n")[0]
    assert line.split(b" ", 1)[1].rpartition(b" ")[0] == target, said
    assert line.split(b" ")[0] == row.method, said
    query = target.partition(b"#")[0].partition(b"?")[2]
    for name, value in ((b"x-args", query), (b"x-query-string", query),
                        (b"x-request-uri", target)):
        assert values(head, name) == [value] * bool(value), said


def check_headers(row, head, length, said):
    lengths = values(head, b"content-length")
    assert lengths == [b"%d" % length] or not lengths and not length, said
    for name in row.gone:
        assert not values(head, name.encode()), said


def values(head, name):
    found = []
    for line in head.split(b"\r\n")[1:]:
        given, _, value = line.partition(b":")
        if given.lower() == name:
            found.append(value.strip())
    return found


# a row that is wrong fails, and says where


def table(folder, text):
    path = folder / "place.txt"
    path.write_text(text)
    return bypass.read(str(path))


@pytest.mark.parametrize("ends", [
    "arrives: as sent", "arrives: {}", 'arrives: {"sku":"B"}',
    'arrives: {"sku":"A"}\ntarget: /other',
    'arrives: {"sku":"A"}\nstripped: /status',
    'arrives: {"sku":"A"}\ngone: X-Kept',
    "refused: 400", "refused: 422 FIELD_FORBIDDEN /price",
])
def test_row_that_says_something_else(gate, tmp_path, ends):
    row, = table(tmp_path, f"""name: wrong
rules: strip price
type: application/json
header: X-Kept: a
send: {{"price":1,"sku":"A"}}
{ends}
""")
    with pytest.raises(AssertionError, match=r"place\.txt:1: wrong"):
        check(row, *gate.run(row))


@pytest.mark.parametrize("ends", [
    "arrives: as sent", "target: /order", "refused: 415",
    "refused: 400 BODY_SIGNED", "refused: 400 BODY_MALFORMED /b",
    "refused: 400 BODY_MALFORMED /a @0",
])
def test_row_that_says_another_refusal(gate, tmp_path, ends):
    row, = table(tmp_path, f"""name: wrong
rules: strip price
type: application/json
send: {{"a":01}}
{ends}
""")
    with pytest.raises(AssertionError, match=r"place\.txt:1: wrong"):
        check(row, *gate.run(row))


ROW = "name: a\nrules: strip price\narrives: as sent\n"


@pytest.mark.parametrize("text, line, said", [
    ("name: a\nrules: strip price\n", 1, "what comes of it"),
    ("name: a\narrives: as sent\n", 1, "needs \"rules\""),
    ("\n\nname:\nrules: x\nrefused: 400\n", 3, "needs a name"),
    (ROW + "sent: x\n", 4, "no key \"sent\""),
    (ROW + "send\n", 4, "neither \"key: value\""),
    (ROW + "send: a\nsend: b\n", 5, "\"send\" is there twice"),
    ("|a\n" + ROW, 1, "none above"),
    (ROW + "refused: 400\n", 1, "what is refused does not arrive"),
    ("name: a\nrules: x\nrefused: four\n", 3, "\"refused\" is a status"),
    (ROW + "send: <b>\n", 4, "<b> is neither bytes"),
    (ROW + "send: <0d>\n", 4, "<0d> is neither bytes"),
    (ROW + "match: fuzzy\n", 4, "\"match\" is \"all\""),
    (ROW + "let: Sku = a\n", 4, "\"let\" is a name"),
    (ROW + "request: POST\n", 1, "a method and a target"),
    (ROW + "\n" + ROW, 5, "another row is called \"a\", at"),
    ("rules: x\nlets: y\n\n" + ROW, 2, "no key \"lets\""),
])
def test_row_that_cannot_be_read(tmp_path, text, line, said):
    wrong = [row.wrong for row in table(tmp_path, text) if row.wrong]
    assert len(wrong) == 1, wrong
    assert f"place.txt:{line}: " in wrong[0] and said in wrong[0], wrong


def test_rules_that_nginx_refuses_fail_their_rows_alone(tmp_path):
    good, bad = table(tmp_path, ROW + "request: GET /\n\n"
                      + ROW.replace("name: a", "name: b").replace(
                          "strip price", "strip /a~2"))
    gate = Gate(tmp_path, [good, bad])
    with gate.peer:
        gate.start()
        check(good, *gate.run(good))
        with pytest.raises(pytest.fail.Exception,
                           match=r"place\.txt:6: .*invalid field .*/a~2"):
            gate.run(bad)
        assert gate.end() == []
