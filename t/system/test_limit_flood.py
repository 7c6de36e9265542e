"""A caller that does not stop when it is over its limit: it costs less than
its requests would without a guard."""

import time

import pytest

from og import paths
from og.flood import flood, page_of
from og.gate import gate                                    # noqa: F401
from og.limits import TOLD, use_up
from og.process import cpu_of, wait_until

COUNT = 20000                   # requests over the limit
ROUNDS = 5
PROXIED = 2000                  # in each, for comparison
RATE = 1000                     # requests in a second, at least

pytestmark = pytest.mark.alone

# no log is written; its level is the default one of nginx
HTTP = """
    access_log off;
    error_log logs/error.log error;
    keepalive_requests 100000;
    upstream kept {
        server %s;
        keepalive 16;
    }
"""
LOCATIONS = """
    location = /plain {
        proxy_pass http://orders;
    }
    location = /kept {
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://kept;
    }
"""


@pytest.fixture
def upstream(nginx):
    """One that costs its gateway as little as may be."""
    server = nginx("""
        access_log off;
        keepalive_requests 100000;
        server {
            listen 127.0.0.1:%PORT%;
            return 200 "made\\n";
        }
    """, module=None)
    server.address = f"127.0.0.1:{server.port}"
    return server


def spent(gate, path, status, count):                       # noqa: F811
    """Microseconds of CPU that its worker takes for each of so many."""
    requests = [page_of("a", path)] * count
    pid = gate.nginx.worker_pids()[0]
    before = cpu_of(pid)
    assert flood(gate.port, requests) == {status: count}
    return (cpu_of(pid) - before) * 1e6 / count


def test_20000_requests_over_the_limit(gate, upstream, redis,  # noqa: F811
                                       capsys):
    """In turn with what is proxied; the best round of each counts, as others
    may use the machine."""
    gate = gate(TOLD + "order_guard_limit 2r/h;", rule="off",
                server=LOCATIONS, http=HTTP % upstream.address)
    pid = wait_until(gate.nginx.worker_pids)[0]
    use_up(gate, 2)
    incr = redis.calls()["incr"]
    took, refused, plain, kept = 0, [], [], []
    for _ in range(ROUNDS):
        began = time.monotonic()
        refused.append(spent(gate, "/page", 429, COUNT // ROUNDS))
        took += time.monotonic() - began
        plain.append(spent(gate, "/plain", 200, PROXIED))
        kept.append(spent(gate, "/kept", 200, PROXIED))

    refused, plain, kept = min(refused), min(plain), min(kept)
    with capsys.disabled():
        print(f"\nCPU a request: over the limit {refused:.1f} us, "
              f"proxied {plain:.1f} us (ratio {refused / plain:.2f}), over "
              f"kept connections {kept:.1f} us ({refused / kept:.2f}); "
              f"{COUNT / took:.0f} refused in a second")
    assert took < COUNT / RATE * paths.SLOW
    # once a second, by who comes until it has answered
    assert redis.calls()["incr"] - incr <= 20 * (took + ROUNDS)
    assert gate.nginx.worker_pids() == [pid]
    if not paths.LD_PRELOAD:        # a sanitizer slows only us down
        assert refused < plain
