"""A store behind TLS: nobody is believed who cannot be verified, and all that
holds in clear holds here."""

import os
import shutil
import ssl
import threading
import time

import pytest

from fault_proxy import UP, FaultProxy
from og import client
from og.faulty import TIMEOUT
from og.gate import gate, order_bytes                       # noqa: F401
from og.parallel import Later
from og.paths import seconds
from og.peer import Peer, answering
from og.problem import check_problem
from og.process import free_port, wait_until
from og.tls import (Listener, certificates, connected,      # noqa: F401
                    handshakes, tls_gate, tls_redis)


def refused(gate):                                          # noqa: F811
    check_problem(gate.order("refused"), 503, "STORE_UNAVAILABLE", "gateway")
    assert gate.orders() == 0


def test_orders_and_replays(tls_gate):                      # noqa: F811
    gate = tls_gate(location="order_guard_limit 50r/m;")    # noqa: F811
    gate.check_replays(gate.order("k"), "k")
    assert gate.orders() == 1 and len(gate.redis.records()) == 1
    assert "[warn]" not in gate.nginx.error_log()
    assert "[error]" not in gate.nginx.error_log()


def test_nothing_leaves_in_clear(tls_gate, tls_redis,       # noqa: F811
                                 tmp_path):
    redis = tls_redis()
    redis.command("ACL", "SETUSER", "gw", "on", ">s3cret", "~*", "+@all")
    (tmp_path / "password").write_text("s3cret")
    with FaultProxy(("127.0.0.1", redis.tls_port), port=free_port()) as proxy:
        gate = tls_gate(redis=redis,                        # noqa: F811
                        at=f"rediss://gw@127.0.0.1:{proxy.port}",
                        params=f"verify=off password_file={tmp_path}/password")
        assert gate.order("k").status == 200
        sent = proxy.connections[0].sent(UP)
    assert sent[:2] == b"\x16\x03"          # a handshake of TLS
    for word in (b"s3cret", b"AUTH", b"SET", b"og:"):
        assert word not in sent


@pytest.mark.parametrize("certificate, words", [
    ("strange", 'unable to get local issuer certificate), see "ca="'),
    ("expired", 'certificate has expired), see "ca="'),
    ("elsewhere", 'IP address mismatch), see "server_name="'),
    ("named", 'IP address mismatch), see "server_name="'),
])
def test_certificate_that_does_not_hold(
        tls_gate, tls_redis, certificate, words):           # noqa: F811
    gate = tls_gate(redis=tls_redis(certificate))           # noqa: F811
    gate.logged(words)
    refused(gate)


def test_name_of_the_address(tls_gate, tls_redis):          # noqa: F811
    redis = tls_redis("server")
    gate = tls_gate(redis=redis,                            # noqa: F811
                    at=f"rediss://localhost:{redis.tls_port}")
    gate.check_replays(gate.order("k"), "k")


def test_name_of_the_address_that_is_another(
        tls_gate, tls_redis):                               # noqa: F811
    redis = tls_redis("elsewhere")
    gate = tls_gate(redis=redis,                            # noqa: F811
                    at=f"rediss://localhost:{redis.tls_port}")
    gate.logged('hostname mismatch), see "server_name="')
    refused(gate)


def test_server_name(tls_gate, tls_redis, certificates):    # noqa: F811
    gate = tls_gate(f"ca={certificates['ca']} "             # noqa: F811
                    "server_name=redis.example", tls_redis("named"))
    gate.check_replays(gate.order("k"), "k")


def test_server_name_wins(tls_gate, tls_redis, certificates):  # noqa: F811
    """Also where the address would have passed."""
    gate = tls_gate(f"ca={certificates['ca']} "             # noqa: F811
                    "server_name=redis2.example", tls_redis("server"))
    gate.logged('hostname mismatch), see "server_name="')
    refused(gate)


@pytest.mark.parametrize("host, params, name", [
    ("localhost", "", "localhost"),
    ("127.0.0.1", "", None),
    ("127.0.0.1", "server_name=redis.example", "redis.example"),
    ("127.0.0.1", "server_name=127.0.0.9", None),
])
def test_name_that_is_asked_for(tls_gate, certificates,     # noqa: F811
                                host, params, name):
    """In SNI; an address never is."""
    names = []
    with Listener(handshakes(certificates, names=names)) as server:
        tls_gate(params, server, f"rediss://{host}:{server.port}")
        wait_until(lambda: names)
    assert set(names) == {name}


def test_system_certificates(tls_gate, tls_redis,           # noqa: F811
                             certificates, monkeypatch):
    """Without ca=; the environment names a list of its own."""
    gate = tls_gate("", tls_redis())                        # noqa: F811
    gate.logged('in certificate chain), see "ca="')
    refused(gate)

    monkeypatch.setenv("SSL_CERT_FILE", certificates["ca"])
    gate = tls_gate("", tls_redis())                        # noqa: F811
    gate.check_replays(gate.order("k"), "k")


def test_verify_off(tls_gate, tls_redis):                   # noqa: F811
    """Whatever the server shows, and it is told when it is configured."""
    gate = tls_gate("verify=off", tls_redis("strange"))     # noqa: F811
    gate.check_replays(gate.order("k"), "k")
    code, text = gate.nginx.check_configuration()
    assert code == 0
    assert '[warn]' in text and 'store "main" has "verify=off"' in text


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_versions(tls_gate, tls_redis, protocol):           # noqa: F811
    gate = tls_gate(redis=tls_redis(                        # noqa: F811
        "server", "--tls-protocols", protocol))
    gate.check_replays(gate.order("k"), "k")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_version(tls_gate, certificates):               # noqa: F811
    old = ssl.TLSVersion.TLSv1_1
    with Listener(handshakes(certificates, highest=old)) as server:
        gate = tls_gate("verify=off", server)               # noqa: F811
        gate.logged('the TLS alert "protocol version"')
        refused(gate)


# the client's certificate


def with_certificate(certificates, name):                   # noqa: F811
    return (f"ca={certificates['ca']} cert={certificates[name]} "
            f"key={certificates.key(name)}")


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_client_certificate(tls_gate, tls_redis,            # noqa: F811
                            certificates, protocol):
    options = "server", "--tls-protocols", protocol
    redis = tls_redis(*options, clients="yes")
    gate = tls_gate(with_certificate(certificates, "client"), redis)
    gate.check_replays(gate.order("k"), "k")


@pytest.mark.parametrize("protocol, words", [
    ("TLSv1.2", "handshake failure"), ("TLSv1.3", "certificate required"),
])
def test_client_certificate_is_asked_for(
        tls_gate, tls_redis, protocol, words):              # noqa: F811
    options = "server", "--tls-protocols", protocol
    gate = tls_gate(redis=tls_redis(*options, clients="yes"))  # noqa: F811
    gate.logged(f'it sent the TLS alert "{words}"')
    refused(gate)


def test_client_certificate_is_not_believed(
        tls_gate, tls_redis, certificates):                 # noqa: F811
    gate = tls_gate(with_certificate(certificates, "stranger"),  # noqa: F811
                    tls_redis(clients="yes"))
    gate.logged('it sent the TLS alert "unknown CA"')
    refused(gate)


def test_client_certificate_is_renewed(tls_gate, tls_redis,  # noqa: F811
                                       certificates, tmp_path):
    """Files are read with the configuration: a reload takes what is new, and
    does not take what is broken."""
    def install(name):
        shutil.copy(certificates[name], tmp_path / "cert")
        shutil.copy(certificates.key(name), tmp_path / "key")

    install("stranger")
    gate = tls_gate(f"ca={certificates['ca']} "             # noqa: F811
                    f"cert={tmp_path}/cert key={tmp_path}/key",
                    tls_redis(clients="yes"))
    refused(gate)

    install("client")
    gate.nginx.reload()
    connected(gate)
    first = gate.order("k")
    gate.check_replays(first, "k")

    (tmp_path / "cert").write_text("no certificate")
    gate.nginx.expected.append(r'\[emerg\].*"cert=" of store "main"')
    gate.nginx.process.send(1)
    gate.logged('"cert=" of store "main" cannot be used')
    gate.check_replays(first, "k")


# servers that do not do their part


def test_server_without_tls(tls_gate, tls_redis):           # noqa: F811
    """It waits for the end of a line, or answers that it knows no such
    command."""
    redis = tls_redis()
    gate = tls_gate(redis=redis, at=f"rediss://127.0.0.1:{redis.port}")
    gate.logged("cannot be used at")
    assert ("it does not speak TLS" in gate.nginx.error_log()
            or "the TLS handshake timed out" in gate.nginx.error_log())
    refused(gate)


def test_server_that_answers_in_clear(tls_gate):            # noqa: F811
    with Listener(lambda sock: (sock.recv(9), sock.sendall(b"-ERR what?\r\n"),
                                sock.recv(1 << 16))) as server:
        gate = tls_gate("", server)                         # noqa: F811
        gate.logged("it does not speak TLS")
        refused(gate)


def test_server_that_hangs_up(tls_gate):                    # noqa: F811
    with Listener(lambda sock: sock.recv(1 << 16)) as server:
        gate = tls_gate("", server)                         # noqa: F811
        gate.logged("the server closed it in the TLS handshake")
        refused(gate)


def test_server_that_says_nothing(tls_gate):                # noqa: F811
    """connect_timeout= bounds the handshake, timeout= who waits."""
    with Listener() as server:
        gate = tls_gate("", server)                         # noqa: F811
        began = time.monotonic()
        refused(gate)
        assert time.monotonic() - began < seconds(1)
        gate.logged("the TLS handshake timed out")
        gate.logged("nothing waits for it")
        began = time.monotonic()
        refused(gate)
        assert time.monotonic() - began < TIMEOUT / 1000


def test_leaving_in_the_handshake(gate):                    # noqa: F811
    """A worker that nobody waits for does not wait for the store."""
    with Listener() as server:
        gate = gate(store=f"{server.secure} connect_timeout=60s")
        wait_until(lambda: server.taken)
        began = time.monotonic()
        gate.nginx.reload()
        assert gate.nginx.quit()
        assert time.monotonic() - began < seconds(3)
    assert "open socket" not in gate.nginx.error_log()


def test_forced_to_leave_in_the_handshake(gate):            # noqa: F811
    """An order waits, until worker_shutdown_timeout ends that."""
    with Listener() as server:
        gate = gate(store=f"{server.secure} timeout=1s connect_timeout=60s",
                    main="worker_shutdown_timeout 500ms;")
        wait_until(lambda: server.taken)
        sock = client.leave(gate.port, order_bytes("k"))
        began = time.monotonic()
        assert gate.nginx.quit()
        assert time.monotonic() - began < seconds(4)
        sock.close()
    assert "open socket" not in gate.nginx.error_log()


# much, and again


def test_large_answers(tls_gate):                           # noqa: F811
    """More than a socket holds, while the server takes nothing: writes are
    taken up where they stopped."""
    body, answers = os.urandom(250_000), threading.Event()

    def act(*request):
        answers.wait(30)
        return answering(body)(*request)

    with Peer(act) as peer:
        gate = tls_gate(timeout=10_000, address=peer.address)  # noqa: F811
        orders = [Later(gate.order, f"k{n}") for n in range(60)]
        peer.wait_for(60, 15)
        gate.redis.pause()
        answers.set()
        wait_until(lambda: unsent(gate.redis.tls_port) > 100_000, 10)
        gate.redis.resume()
        for order in orders:
            assert (order.value().status, order.value().body) == (200, body)
        assert gate.order("k7").body == body
        assert len(peer.requests) == 60


def unsent(port):
    """Bytes that wait in sockets of this machine to be taken at a port."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[4].split(":")[0], 16) for row in rows
               if row[2].endswith(f":{port:04X}"))


def test_server_is_started_anew(tls_gate):                  # noqa: F811
    gate = tls_gate()                                       # noqa: F811
    assert gate.order("k").status == 200
    gate.redis.restart()
    connected(gate)
    wait_until(lambda: gate.order("l").status == 200, 10)
    gate.check_replays(gate.order("l"), "l")
