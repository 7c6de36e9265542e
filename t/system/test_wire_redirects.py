"""nginx sends a request elsewhere: error_page, X-Accel-Redirect, try_files,
auth_request, mirror, subrequests. A guarded request is sent once (T2, T5, T8,
T16; review A2)."""

import pytest

from og import client
from og.gate import gate, order, order_bytes, replayed      # noqa: F401
from og.parallel import Later
from og.peer import Peer, answering, closing, message
from og.problem import check_problem
from og.process import free_port, wait_until
from og.refusals import REFUSALS, send

BACKUP = """
    location @backup { %s proxy_pass http://127.0.0.1:%d; }
    location = /backup { %s proxy_pass http://127.0.0.1:%d; }
"""

GUARDED = ("order_guard on; order_guard_idempotency required ttl=1h "
           "lease=2s;")


@pytest.fixture
def backup():
    with Peer(answering(b'{"by":"backup"}')) as peer:
        yield peer


def locations(backup, rules=""):
    return BACKUP % (rules, backup.port, rules, backup.port)


# T8: error_page to another upstream


@pytest.mark.parametrize("rules", ["", GUARDED, "order_guard on;"])
@pytest.mark.parametrize("page", ["= @backup", "=200 @backup", "@backup",
                                  "/backup"])
def test_t8_error_page_after_bytes_were_sent(gate, backup, page,
                                             rules):        # noqa: F811
    gate = gate(f"proxy_read_timeout 300ms; error_page 502 504 {page};",
                server=locations(backup, rules))
    for fault, status, code in (("close", 502, "UPSTREAM_RESET"),
                                ("reset", 502, "UPSTREAM_RESET"),
                                ("hold=late", 504, "UPSTREAM_TIMEOUT")):
        check_problem(gate.order(fault, fault), status, code, "gateway")
        gate.check_held(fault)
    gate.upstream.release("late")
    assert backup.requests == []
    assert gate.orders() == gate.arrived() == 3


@pytest.mark.parametrize("rules", ["", GUARDED])
@pytest.mark.parametrize("page", ["= @backup", "=200 @backup"])
def test_t8_error_page_before_a_byte_was_sent(gate, backup, page,
                                              rules):       # noqa: F811
    gate = gate(f"error_page 502 504 {page};",
                server=locations(backup, rules),
                address=f"127.0.0.1:{free_port()}")
    first = gate.order("k")
    assert first.json() == {"by": "backup"}
    assert len(backup.requests) == 1
    assert backup.requests[0][0].startswith(b"POST ")
    again = gate.order("k")
    assert replayed(again) and again.body == first.body
    assert len(backup.requests) == 1


def test_t8_error_page_that_keeps_its_status(gate, backup):  # noqa: F811
    """Without `=` the backup's answer is the body of a 502: whatever the
    key becomes, the backup's order is not made again."""
    gate = gate("error_page 502 504 @backup;", server=locations(backup),
                address=f"127.0.0.1:{free_port()}")
    assert gate.order("k").status == 502
    gate.order("k")
    assert len(backup.requests) == 1


def test_t8_backup_breaks_too(gate):                        # noqa: F811
    with Peer(closing) as backup:
        gate = gate("error_page 502 504 = @backup;",
                    server=locations(backup),
                    address=f"127.0.0.1:{free_port()}")
        assert gate.order("k").status == 502
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(backup.requests) == 1


def test_t8_recursive_error_pages(gate, backup):            # noqa: F811
    gate = gate("recursive_error_pages on; error_page 502 = @again;",
                server=locations(backup) + """
                location @again { recursive_error_pages on;
                                  error_page 502 = @backup;
                                  proxy_pass http://orders; }""")
    answer = gate.order("k", "close")
    assert answer.status >= 500, answer
    assert gate.arrived() == 1
    assert backup.requests == []
    gate.check_held("k", orders=1)


@pytest.mark.parametrize("status", [500, 503])
def test_t8_intercepted_error_of_the_upstream(gate, backup,
                                              status):      # noqa: F811
    """An answered attempt is not tried elsewhere either."""
    gate = gate("proxy_intercept_errors on;\n"
                f"error_page {status} = @backup;", server=locations(backup))
    answer = gate.order("k", f"status={status}")
    assert answer.status >= 500, answer
    assert answer.media_type == "application/problem+json"
    assert gate.arrived() == 1 and backup.requests == []
    assert gate.order("k").status in (409, status, 502)
    assert gate.arrived() == 1 and backup.requests == []


def test_t16_page_of_the_operator_wins(gate):               # noqa: F811
    gate = gate("error_page 502 /page.json;",
                server='location = /page.json { default_type '
                       'application/json; return 502 \'{"page":1}\'; }')
    answer = gate.order("k", "close")
    assert (answer.status, answer.json()) == (502, {"page": 1})
    gate.check_held("k", orders=1)


def test_t16_page_after_connect_refused(gate, redis):       # noqa: F811
    gate = gate("error_page 502 /page.json;",
                server='location = /page.json { default_type '
                       'application/json; return 502 \'{"page":1}\'; }')
    gate.upstream.mode("closed")
    answer = gate.order("k")
    assert (answer.status, answer.json()) == (502, {"page": 1})
    wait_until(lambda: redis.records() == [])
    gate.upstream.mode("open")
    gate.check_free("k")


@pytest.mark.parametrize("status", [401, 429])
def test_intercepted_status_that_frees_the_key(gate, redis,
                                               status):     # noqa: F811
    """425 and 429 always do (interface), a page in between or not."""
    gate = gate(f"proxy_intercept_errors on; error_page {status} /page.json;",
                server='location = /page.json { default_type '
                       f'application/json; return {status} '
                       '\'{"page":1}\'; }')
    assert gate.order("k", f"status={status}").json() == {"page": 1}
    wait_until(lambda: redis.records() == [])
    gate.check_free("k")


# the guard's own refusals must not become another way to the upstream


PAGES = pytest.mark.parametrize("page", [
    "= @backup", "=200 @backup", "@backup", "/backup"])


def check_no_order(gate, backup):                           # noqa: F811
    assert gate.arrived() == 0
    assert not any(head.startswith(b"POST") or body
                   for head, body in backup.requests), backup.requests


@PAGES
@pytest.mark.parametrize("rules", ["", "order_guard on;",
                                   "order_guard on; order_guard_strip a;"])
def test_refusal_with_an_error_page(gate, backup, page, rules):  # noqa: F811
    gate = gate("order_guard_strip price;\n"
                f"error_page 400 401 413 415 {page};",
                server=locations(backup, rules))
    for status, code, headers in REFUSALS:
        answer = send(gate, headers)
        check_no_order(gate, backup)
        if page != "/backup":
            check_problem(answer, status, code, "gateway")


@PAGES
def test_refused_body_with_an_error_page(gate, backup, page):  # noqa: F811
    gate = gate("order_guard_strip price; order_guard_body_limit 2k;\n"
                f"error_page 400 413 {page};", server=locations(backup))
    for body in (b'{"a":', b'{"price":1}' * 20,
                 b'{"a":"' + b"x" * 3000 + b'"}'):
        send(gate, {}, body)
        check_no_order(gate, backup)


@PAGES
def test_store_unavailable_with_an_error_page(gate, backup,
                                              page):        # noqa: F811
    gate = gate(f"error_page 503 {page};", server=locations(backup),
                store=f"redis://127.0.0.1:{free_port()}/0")
    answer = gate.order("k")
    check_no_order(gate, backup)
    if page != "/backup":
        problem = check_problem(answer, 503, "STORE_UNAVAILABLE", "gateway")
        assert problem["retryable"] is True


@PAGES
@pytest.mark.parametrize("rules", ["", "order_guard on;", GUARDED])
def test_conflicts_with_an_error_page(gate, backup, page, rules):  # noqa: F811
    gate = gate(f"error_page 409 422 429 {page};",
                server=locations(backup, rules))
    first = Later(gate.order, "k", "hold=first")
    gate.upstream.wait_for_requests(1)
    gate.order("k")
    gate.order("k", json={"place_id": 2})
    gate.upstream.release("first")
    assert first.value().status == 200
    gate.order("k", json={"place_id": 2})
    assert gate.arrived() == 1
    assert not any(head.startswith(b"POST") or body
                   for head, body in backup.requests), backup.requests


# X-Accel-Redirect


def accel(target, extra=()):
    return answering(b"", headers=(b"X-Accel-Redirect: " + target, *extra))


def test_t8_x_accel_redirect_to_an_upstream(gate, backup):  # noqa: F811
    with Peer(accel(b"/internal/x")) as peer:
        gate = gate(address=peer.address,
                    server="location /internal/ { internal; proxy_pass "
                           f"http://127.0.0.1:{backup.port}; }}")
        answer = gate.order("k")
        check_problem(answer, 502, "UPSTREAM_RESET", "gateway")
        assert backup.requests == []
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 1


def test_t8_x_accel_redirect_to_a_named_location(gate, backup):  # noqa: F811
    with Peer(accel(b"@backup")) as peer:
        gate = gate(address=peer.address, server=locations(backup))
        assert gate.order("k").status == 502
        assert backup.requests == []
        check_problem(gate.order("k"), 409, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        assert len(peer.requests) == 1


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-1"},
                                     {"If-None-Match": "*"}])
def test_x_accel_redirect_to_a_file(gate, tmp_path, headers):  # noqa: F811
    """A file as the answer's body: whole, stored and replayed."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "receipt.json").write_text('{"receipt":17}')
    with Peer(accel(b"/files/receipt.json")) as peer:
        gate = gate(address=peer.address,
                    server="location /files/ { internal; root "
                           f"{tmp_path}; types {{ }} default_type "
                           "application/json; }")
        first = gate.order("k", headers=headers)
        assert (first.status, first.body) == (200, b'{"receipt":17}'), first
        again = gate.order("k")
        assert replayed(again)
        assert (again.status, again.body) == (200, b'{"receipt":17}'), again
        assert len(peer.requests) == 1


# T5: the guard does not meet its own claim


def test_t5_try_files_to_a_named_location(gate):            # noqa: F811
    gate = gate("root /nowhere; try_files $uri @app;", target="",
                server="location @app { proxy_pass http://orders; }")
    first = gate.order("k")
    assert first.status == 200, first
    gate.check_replays(first, "k")
    assert gate.orders() == 1


def test_t5_try_files_to_a_guarded_location(gate):          # noqa: F811
    gate = gate("root /nowhere; try_files $uri /app$uri;", target="",
                server="location /app/ { %s proxy_pass http://orders/; }"
                       % GUARDED)
    first = gate.order("k")
    assert first.status == 200, first
    gate.check_replays(first, "k")
    assert gate.orders() == 1


def test_t5_try_files_and_the_upstream_breaks(gate):        # noqa: F811
    gate = gate("root /nowhere; try_files $uri @app;", target="",
                server="location @app { proxy_pass http://orders; }")
    assert gate.order("k", "close").status == 502
    gate.check_held("k", orders=1)


def test_t5_rules_of_both_locations(gate):                  # noqa: F811
    """What one location forbids, no other lets in."""
    gate = gate("root /nowhere; try_files $uri @app; order_guard_strip "
                "place_id;", target="",
                server="location @app { order_guard on; order_guard_strip "
                       "payment_method; proxy_pass http://orders; }")
    first = gate.order("k")
    assert b"place_id" not in gate.upstream.last()["body"]
    assert b"payment_method" not in gate.upstream.last()["body"]
    assert b"roblox_pass_id" in gate.upstream.last()["body"]
    gate.check_replays(first, "k")


def test_rewrite_into_the_guarded_location(gate):           # noqa: F811
    gate = gate(server="rewrite ^/old$ /api/v1/me/orders last;")
    seed = order("k")
    first, again = (client.request(gate.port, "POST", "/old", seed.body,
                                   seed.headers) for _ in range(2))
    assert first.status == 200 and replayed(again)
    assert gate.orders() == 1


# T2: subrequests


AUTH = """
    location = /auth { internal; proxy_pass http://127.0.0.1:%d;
                       proxy_pass_request_body off;
                       proxy_set_header Content-Length ""; %s }
"""


@pytest.mark.parametrize("rules", ["", GUARDED])
def test_t2_auth_request(gate, redis, rules):               # noqa: F811
    with Peer(answering(b"")) as auth:
        gate = gate("auth_request /auth;", server=AUTH % (auth.port, rules))
        first = gate.order("k")
        assert first.status == 200, first
        gate.check_replays(first, "k")
        assert len(redis.records()) == 1
        assert gate.orders() == 1


def test_auth_request_that_refuses_claims_nothing(gate, redis):  # noqa: F811
    with Peer(answering(b"", b"403 Forbidden")) as auth:
        gate = gate("auth_request /auth;", server=AUTH % (auth.port, ""))
        check_problem(gate.order("k"), 403, "FORBIDDEN")
        assert redis.records() == [] and gate.arrived() == 0


def test_auth_request_names_the_caller(gate):               # noqa: F811
    """A stable claim in place of a token that changes (review A8)."""
    with Peer(answering(b"", headers=(b"X-User: u1",))) as auth:
        gate = gate("auth_request /auth;\n"
                    "auth_request_set $caller $upstream_http_x_user;\n"
                    "order_guard_token $caller;",
                    server=AUTH % (auth.port, ""))
        first = gate.order("k")
        again = gate.order("k", headers={"Authorization": "Bearer other"})
        assert replayed(again) and again.body == first.body


@pytest.mark.parametrize("allowed, status", [("allow", 200), ("deny", 401)])
def test_satisfy_any(gate, redis, allowed, status):         # noqa: F811
    with Peer(answering(b"", b"401 Unauthorized")) as auth:
        gate = gate(f"satisfy any; {allowed} 127.0.0.1; deny all;\n"
                    "auth_request /auth;", server=AUTH % (auth.port, ""))
        first, again = gate.order("k"), gate.order("k")
        assert first.status == again.status == status
        assert replayed(again) is (status == 200)
        assert gate.orders() == len(redis.records()) == (status == 200)


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_mirror_gets_the_stripped_body(gate, redis, buffering):  # noqa: F811
    with Peer(answering(b"")) as copy:
        gate = gate("mirror /mirror; order_guard_strip place_id;\n"
                    f"proxy_request_buffering {buffering};",
                    server="location = /mirror { internal; "
                           f"{GUARDED} proxy_pass "
                           f"http://127.0.0.1:{copy.port}$request_uri; }}")
        gate.order("k")
        wait_until(lambda: len(copy.requests) == 1)
        body = gate.upstream.last()["body"]
        assert b"place_id" not in body
        assert copy.requests[0][1] == body
        assert len(redis.records()) == 1


def test_replay_is_not_mirrored(gate):                      # noqa: F811
    with Peer(answering(b"")) as copy:
        gate = gate("mirror /mirror;",
                    server="location = /mirror { internal; proxy_pass "
                           f"http://127.0.0.1:{copy.port}; }}")
        first = gate.order("k")
        wait_until(lambda: len(copy.requests) == 1)
        gate.check_replays(first, "k")
        assert len(copy.requests) == 1


def test_slow_mirror_does_not_keep_the_answer(gate):        # noqa: F811
    """The answer is stored when the upstream gave it."""
    def act(sock, head, body):
        sock.settimeout(5)
        sock.recv(1)
        return False

    with Peer(act) as copy:
        gate = gate("mirror /mirror;",
                    server="location = /mirror { internal; proxy_pass "
                           f"http://127.0.0.1:{copy.port}; "
                           "proxy_read_timeout 2s; }")
        first = gate.order("k")
        assert first.status == 200
        gate.check_replays(first, "k")


ADDED = {
    "after": "add_after_body /part;",
    "before": "add_before_body /part;",
    "both": "add_before_body /part; add_after_body /part;",
    "an upstream's": "add_after_body /slow;",
    "missing": "add_after_body /missing;",
    "unbuffered": "proxy_buffering off; add_after_body /part;",
    "beyond the limit": "add_before_body /part; add_after_body /part;"
                        "order_guard_idempotency_response_limit 16;",
}


@pytest.fixture
def added(gate):                                            # noqa: F811
    """make(rules): answers have {part} around them, by subrequests."""
    with Peer(answering(b"{part}", media_type=b"text/plain")) as part:
        def make(rules, **more):
            made = gate(rules + "addition_types *;", **more,
                        server="location = /part { return 200 '{part}'; }"
                               "location = /missing { root /nowhere; }"
                               "location = /slow { internal; proxy_pass "
                               f"http://{part.address}/; }}")
            return made
        yield make


@pytest.mark.parametrize("rules", ADDED)
def test_additions_to_an_answer(added, rules):
    """T2, T16: addition makes subrequests around the answer, and the main
    request's answer alone is stored."""
    body = b'{"made":"by the upstream"}'
    before = b"{part}" * (rules in ("before", "both", "beyond the limit"))
    after = b"{part}" * (rules not in ("before", "missing"))
    with Peer(answering(body)) as peer:
        gate = added(ADDED[rules], address=peer.address)
        first = gate.order("k", limit=5)
        assert first.status == 200
        assert first.body.startswith(before + body + after), first
        again = gate.order("k", limit=5)
        assert len(peer.requests) == 1
        if rules == "beyond the limit":
            check_problem(again, 409, "IDEMPOTENCY_RESULT_UNAVAILABLE")
        else:
            assert replayed(again)
            assert (again.status, again.body) == (200, first.body)


def test_additions_over_http2_and_kept_connections(added):
    with Peer(answering(b'{"a":1}')) as peer:
        gate = added(ADDED["both"], address=peer.address)
        whole = b'{part}{"a":1}{part}'
        assert gate.order_http2("k").body == whole
        assert gate.order_http2("k").body == whole
        seed = order("k")
        with client.Session(gate.port, 5) as session:
            for _ in range(3):
                answer = session.request("POST", seed.path, seed.body,
                                         seed.headers)
                assert answer.body == whole and session.alive()
        assert len(peer.requests) == 1


@pytest.mark.parametrize("rules", ["after", "before", "both"])
def test_additions_to_a_problem(added, rules):
    """Nothing is added to an error, and nobody waits for it."""
    gate = added(ADDED[rules])
    first = gate.order("k", "close", limit=5)
    check_problem(first, 502, "UPSTREAM_RESET", "gateway")
    gate.check_held("k", orders=1)
    check_problem(gate.order("e", "status=404", limit=5), 404, "NOT_FOUND",
                  "upstream")
    check_problem(send(gate, {"Idempotency-Key": None}), 400,
                  "IDEMPOTENCY_KEY_REQUIRED", "gateway")


def test_additions_to_an_empty_answer(added):
    gate = added(ADDED["both"])
    for fault, status in (("empty=200", 200), ("empty=204", 204)):
        first = gate.order(fault, fault, limit=5)
        assert first.status == status, first
        again = gate.order(fault, limit=5)
        assert replayed(again) and again.body == first.body


def test_ssi_in_an_answer_runs_no_order(gate):              # noqa: F811
    page = b'{"a":"<!--# include virtual="/api/v1/me/orders" -->"}'
    with Peer(answering(page)) as peer:
        gate = gate("ssi on; ssi_types application/json;",
                    address=peer.address)
        gate.order("k")
        posts = [h for h, _ in peer.requests if h.startswith(b"POST")]
        assert len(posts) == 1
        again = gate.order("k")
        assert again.status == 200, again
        posts = [h for h, _ in peer.requests if h.startswith(b"POST")]
        assert len(posts) == 1


def test_post_action_is_no_second_order(gate):              # noqa: F811
    with Peer(answering(b"")) as after:
        gate = gate("post_action /after;",
                    server="location = /after { internal; proxy_pass "
                           f"http://127.0.0.1:{after.port}; "
                           "proxy_pass_request_body off; "
                           "proxy_set_header Content-Length ''; }")
        first = gate.order("k")
        assert first.status == 200
        after.wait_for(1)
        gate.check_replays(first, "k")
        assert gate.orders() == 1


def test_client_leaves_before_the_error_page(gate, backup):  # noqa: F811
    gate = gate("error_page 502 = @backup;", server=locations(backup))
    sock = client.leave(gate.port, order_bytes("k", "hold=slow,close"))
    gate.upstream.wait_for_requests(1)
    sock.close()
    gate.upstream.release("slow")
    gate.finished(1)
    gate.check_held("k", orders=1)
    assert backup.requests == []


def test_second_upstream_answers_large(gate):               # noqa: F811
    """Gathering starts over after a redirect."""
    with Peer(lambda sock, head, body: not sock.sendall(
            message(b'{"x":"' + b"y" * 100000 + b'"}'))) as backup:
        gate = gate("error_page 502 = @backup;", server=locations(backup),
                    address=f"127.0.0.1:{free_port()}")
        first, again = gate.order("k"), gate.order("k")
        assert len(first.body) == 100008 and replayed(again)
        assert again.body == first.body
