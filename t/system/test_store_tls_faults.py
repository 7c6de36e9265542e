"""What a store may suffer, once more, behind TLS: the same tests, and what
only TLS can suffer."""

import pytest

from og.faulty import (UP, behind_a_proxy, gate,            # noqa: F401
                       reconnected)
from og.tls import certificates, tls_redis                  # noqa: F401
from test_store_down import (                               # noqa: F401
    test_killed_and_restarted_without_its_data, test_paused_and_resumed,
    works_again)
from test_store_late import (                               # noqa: F401
    test_answer_that_never_left_the_gateway, test_answer_whose_reply_is_lost,
    test_late_claim_blocks_no_key, test_late_release_frees_nobody_elses_claim,
    test_late_reply_is_settled_on_the_same_connection)
from test_store_leaving import (                            # noqa: F401
    test_dead_store_keeps_no_worker, test_idle,
    test_reloads_with_running_orders, test_running_order_is_stored_first)
from test_store_link import (test_closed_while_idle,        # noqa: F401
                             test_one_connection_for_a_worker)


@pytest.fixture
def proxied(gate, tls_redis, certificates):                 # noqa: F811
    yield from behind_a_proxy(gate, lambda *options: tls_redis("server",
                                                               *options),
                              f"ca={certificates['ca']}")


@pytest.mark.parametrize("nonsense", [
    b"\x00 no record\r\n",
    b"\x17\x03\x03\x00\x20" + b"\x00" * 32,         # of another key
    b"\x15\x03\x03\x00\x02\x02\x28",                # an alert in clear
    b"\x17\x03\x03\x00\x20",                        # without an end
])
@pytest.mark.parametrize("way", ["up", "down"])
def test_nonsense_instead_of_tls(proxied, way, nonsense):
    """No crash, no wrong answer, and the key is free in the end."""
    gate = proxied()                                        # noqa: F811
    gate.proxy.garble(nonsense, way)
    assert gate.order("k").status == 503
    works_again(gate)
    gate.check_free("k")
    gate.check_replays(gate.order("k"), "k")


def test_nonsense_in_the_handshake(proxied):
    gate = proxied()                                        # noqa: F811
    for garbage in (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", b"\x16", b"?"):
        gate.proxy.cut()
        gate.proxy.garble(garbage, new=True)
        reconnected(gate)
    assert gate.order("k").status == 200
