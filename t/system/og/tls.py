"""Certificates made by openssl, and stores that speak TLS."""

import os
import socket
import ssl
import subprocess
import threading

import pytest

from og.faulty import TIMEOUT
from og.gate import gate                                    # noqa: F401
from og.process import free_port, wait_until
from og.redis import options_of

NAMES = "DNS:redis.example,DNS:localhost,IP:127.0.0.1,IP:::1"


class Certificates:
    """Files `NAME.pem` and `NAME.key`; paths by name: certificates["ca"]."""

    def __init__(self, folder):
        self._folder = str(folder)
        self.authority("ca")
        self.authority("other")
        self.issue("server", NAMES)
        self.issue("named", "DNS:redis.example")
        self.issue("elsewhere", "DNS:elsewhere.example,IP:127.0.0.2")
        self.issue("expired", NAMES, days=-1)
        self.issue("strange", NAMES, by="other")
        self.issue("client", "DNS:gateway")
        self.issue("stranger", "DNS:gateway", by="other")

    def __getitem__(self, name):
        return os.path.join(self._folder, name + ".pem")

    def key(self, name):
        return os.path.join(self._folder, name + ".key")

    def authority(self, name):
        self._openssl("req", "-x509", *self._new_key(name), "-subj",
                      f"/CN={name}", "-days", "30", "-out", self[name])

    def issue(self, name, names, by="ca", days=30):
        """Signed now; one of `days` below 0 has expired."""
        request = self._openssl("req", *self._new_key(name), "-subj",
                                "/CN=order-guard", "-addext",
                                "subjectAltName=" + names)
        self._openssl("x509", "-req", "-CA", self[by], "-CAkey", self.key(by),
                      "-CAcreateserial", "-copy_extensions", "copy", "-days",
                      str(days), "-out", self[name], text=request)

    def lock(self, name, locked):
        """The key of `name`, with a passphrase."""
        self._openssl("pkey", "-in", self.key(name), "-aes128", "-passout",
                      "pass:s3cret", "-out", self.key(locked))

    def _new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", self.key(name))

    @staticmethod
    def _openssl(*arguments, text=None):
        done = subprocess.run(["openssl", *arguments], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def tls_options(certificates, port, certificate="server", clients="no"):
    """Settings of a server that speaks TLS on that port."""
    return {"tls-port": port, "tls-ca-cert-file": certificates["ca"],
            "tls-auth-clients": clients,
            **certificate_options(certificates, certificate)}


def certificate_options(certificates, name):
    return {"tls-cert-file": certificates[name],
            "tls-key-file": certificates.key(name)}


@pytest.fixture
def tls_redis(own_redis, certificates):
    """make(certificate, *options, clients): a redis with `.tls_port` beside
    its own port, and `.secure`, the address of a store."""
    def make(certificate="server", *options, clients="no"):
        port = free_port()
        redis = own_redis(*options_of(tls_options(certificates, port,
                                                  certificate, clients)),
                          *options)
        redis.tls_port = port
        redis.secure = f"rediss://127.0.0.1:{port}/0"
        return redis
    return make


@pytest.fixture
def tls_gate(gate, tls_redis, certificates):                # noqa: F811
    """make(params, redis, **gate's): a started Gate with `.redis`, whose
    store is verified unless `params` say how."""
    def make(params=None, redis=None, at=None, timeout=TIMEOUT, **more):
        redis = redis or tls_redis()
        if params is None:
            params = f"ca={certificates['ca']}"
        made = gate(store=f"{at or redis.secure} timeout={timeout}ms "
                          f"connect_timeout={timeout}ms {params}", **more)
        made.redis = redis
        return made
    return make


def connected(gate, count=1):                               # noqa: F811
    """Waits until the store knows so many connections of the gateway."""
    wait_until(lambda: gate.redis.command("CLIENT", "LIST")
               .count(b"name=order-guard") >= count, 10,
               gate.nginx.error_log)


class Listener:
    """Takes connections, and does `act(sock)` with each; by default nothing,
    for as long as the other side waits."""

    def __init__(self, act=lambda sock: sock.recv(1 << 16) and sock.recv(1)):
        self._act = act
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.taken = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def secure(self):
        return f"rediss://127.0.0.1:{self.port}/0"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.taken += 1
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        with sock:
            try:
                self._act(sock)
            except OSError:             # ssl.SSLError is one
                pass


def handshakes(certificates, certificate="server", highest=None,
               names=None):
    """An act of a Listener: TLS, and then the end of it. `highest` is the
    last version spoken; what SNI asks for goes to the list `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates[certificate],
                            certificates.key(certificate))
    if highest:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest
    if names is not None:
        context.sni_callback = lambda _, name, __: names.append(name)

    def act(sock):
        context.wrap_socket(sock, server_side=True).close()
    return act
