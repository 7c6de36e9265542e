"""error_page that leads elsewhere: a redirect is no order, and a refusal's page
is the operator's."""

import pytest

from og import client
from og.gate import gate, replayed                          # noqa: F401
from og.limits import TOLD
from og.peer import Peer, answering, closing
from og.process import free_port

ELSEWHERE = "https://elsewhere.example/x"
REDIRECTS = {
    "a URL": f"error_page 502 {ELSEWHERE};",
    "a URL and a status": f"error_page 502 =301 {ELSEWHERE};",
    "a location that redirects": "error_page 502 = @away;",
    "a path that redirects": "error_page 502 = /away;",
    "where errors are off": f"order_guard_errors off; error_page 502 "
                            f"{ELSEWHERE};",
}
SERVER = f"""
    location @away {{ return 302 {ELSEWHERE}; }}
    location = /away {{ return 302 {ELSEWHERE}; }}
"""


@pytest.mark.parametrize("case", REDIRECTS)
def test_of_an_order_that_was_not_sent(gate, case):         # noqa: F811
    """The key stays free: it can be ordered with again."""
    port = free_port()
    made = gate(REDIRECTS[case], SERVER, address=f"127.0.0.1:{port}")
    for _ in range(2):
        answer = made.order("k")
        assert answer.status in (301, 302)
        assert answer.header("Location") == ELSEWHERE
        assert not replayed(answer)
    with Peer(answering(), port=port) as peer:
        assert made.order("k").status == 200
        assert len(peer.requests) == 1


@pytest.mark.parametrize("case", REDIRECTS)
def test_of_an_order_without_an_answer(gate, case):         # noqa: F811
    """Its outcome is not known."""
    with Peer(closing) as peer:
        made = gate(REDIRECTS[case], SERVER, address=peer.address)
        assert made.order("k").status in (301, 302)
        assert made.order("k").status == 409
        assert made.order("k").status == 409
        assert len(peer.requests) == 1


def test_of_an_answer_that_frees(gate):                     # noqa: F811
    """It was intercepted, but it was one."""
    with Peer(answering(status=b"401 Unauthorized")) as peer:
        made = gate("proxy_intercept_errors on; "
                    f"error_page 401 {ELSEWHERE};", address=peer.address)
        for _ in range(2):
            assert made.order("k").status == 302
        assert len(peer.requests) == 2


PAGES = {
    "a page": "/pg", "=": "= /pg", "=200": "=200 /pg", "a location": "@pg",
    "= a location": "= @pg", "=200 a location": "=200 @pg",
    "=418": "=418 /pg",
}
PAGE = b"the operator's own"


@pytest.mark.parametrize("version", ["1.1", "2"])
@pytest.mark.parametrize("form", PAGES)
def test_a_proxied_page_about_a_refusal(gate, form, version):  # noqa: F811
    with Peer(answering(PAGE, media_type=b"text/plain")) as pages:
        target = f"proxy_pass http://{pages.address}"
        made = gate(
            f"{TOLD} order_guard_limit 1r/h; error_page 429 {PAGES[form]};",
            "location = /pg { order_guard off; %s; }"
            "location @pg { order_guard off; %s; }" % (target, target),
            rule="off")

        def ask():
            if version == "2":
                return client.http2(made.h2, "GET", "/page")
            return client.request(made.port, "GET", "/page")

        assert ask().status == 200
        answer = ask()
        assert answer.body == PAGE
        assert answer.status == (
            200 if "=" in form and form != "=418"
            else 418 if form == "=418" else 429)
        assert answer.header("Retry-After") is not None


REFUSALS = {"a URL": f"error_page 401 {ELSEWHERE};",
            "a location": "error_page 401 = @away;"}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_redirect_about_a_refusal(gate, case):            # noqa: F811
    made = gate("order_guard_token $http_x_none;" + REFUSALS[case], SERVER)
    answer = made.order("k")
    assert (answer.status, answer.media_type) == (302, "text/html")
    assert answer.header("Location") == ELSEWHERE
    assert made.arrived() == 0
