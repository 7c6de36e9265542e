"""Three sentinels over a master and a replica, on free ports, quick to see
that a master is down."""

import os
import random
import signal

from og import paths
from og.process import Process, free_port, wait_until
from og.redis import Redis, RedisError, options_of

SERVICE = "orders"

# What a sentinel finds out within seconds it is told at its start.
CONF = """\
port {port}
bind 127.0.0.1
dir {folder}
sentinel myid {id}
sentinel monitor {service} 127.0.0.1 {master} 2
sentinel down-after-milliseconds {service} {down_after}
sentinel failover-timeout {service} {failover}
sentinel known-replica {service} 127.0.0.1 {replica}
{others}
{more}
"""


class Sentinel(Redis):
    """One of them; `conf` is what its file holds at first."""

    def __init__(self, folder, port, conf):
        super().__init__(folder, port=port)
        self._conf = os.path.join(self.folder, "sentinel.conf")
        with open(self._conf, "w") as out:
            out.write(conf)

    def start(self):
        self.process = Process([paths.REDIS, self._conf, "--sentinel"],
                               self.log)
        self.process.wait_for_port(self.port)
        self.command("SENTINEL", "DEBUG", "INFO-PERIOD", 200,
                     "PUBLISH-PERIOD", 300, "ASK-PERIOD", 100,
                     "PING-PERIOD", 100)
        return self

    def master(self):
        """The port of the master that it tells."""
        return int(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                                SERVICE)[1])

    def knows_all(self):
        """Whether it could fail over now."""
        flat = self.command("SENTINEL", "MASTER", SERVICE)
        about = dict(zip(flat[::2], flat[1::2]))
        return (about[b"flags"] == b"master"
                and about[b"num-other-sentinels"] == b"2"
                and about[b"num-slaves"] == b"1")


def _replicated(master):
    """Whether what is written now reaches the replica."""
    master.command("SET", "written", "now")
    return (master.command("WAIT", 1, 1000) == 1
            and master.command("DEL", "written"))


class Sentinels:
    """`tls(port)` are the settings of servers and sentinels that speak TLS
    to each other and to gateways, and not to tests."""

    def __init__(self, folder, down_after=300, more=(), tls=None):
        self._folder = folder
        self._down_after = int(down_after * paths.SLOW)
        self._more = more
        self._tls = tls
        self.servers = [self._server(folder / f"server{n}") for n in range(2)]
        self.sentinels = []

    def _server(self, folder):
        port, secure = self._secure()
        made = Redis(folder, *options_of({"repl-diskless-sync-delay": 0,
                                          "repl-ping-replica-period": 1,
                                          **secure}))
        made.tls_port = port
        return made

    def _secure(self):
        """(a port for TLS, settings)"""
        if not self._tls:
            return None, {}
        port = free_port()
        return port, {**self._tls(port), "tls-replication": "yes"}

    @property
    def hosts(self):
        return ",".join(f"127.0.0.1:{s.peers_port}" for s in self.sentinels)

    @property
    def address(self):
        return f"redis{'s' if self._tls else ''}+sentinel://{self.hosts}" \
               f"/{SERVICE}"

    def start(self):
        master, replica = self.servers
        master.start()
        replica.start()
        replica.command("REPLICAOF", "127.0.0.1", master.peers_port)
        with master.session() as session:
            wait_until(lambda: _replicated(session), 10)
        self._start_sentinels()
        wait_until(lambda: all(s.knows_all() for s in self.sentinels), 10)
        return self

    def _start_sentinels(self):
        # the last one votes: three candidates might have one vote each
        down_after = [self._down_after] * 2 + [5 * self._down_after]
        made = [(free_port(), f"{random.getrandbits(160):040x}",
                 *self._secure()) for _ in range(3)]
        for (port, name, tls_port, secure), down in zip(made, down_after):
            others = [f"sentinel known-sentinel {SERVICE} 127.0.0.1 "
                      f"{t or p} {n}" for p, n, t, _ in made if p != port]
            folder = self._folder / f"sentinel{port}"
            more = [*self._more, *(f"{setting} {value}"
                                   for setting, value in secure.items())]
            master, replica = self.servers
            conf = CONF.format(port=port, id=name, service=SERVICE,
                               folder=folder, master=master.peers_port,
                               replica=replica.peers_port,
                               down_after=down,
                               failover=int(2000 * paths.SLOW),
                               others="\n".join(others),
                               more="\n".join(more))
            sentinel = Sentinel(folder, port, conf)
            sentinel.tls_port = tls_port
            self.sentinels.append(sentinel.start())

    def stop(self):
        for server in self.sentinels + self.servers:
            if server.process and server.process.running():
                server.process.stop(signal.SIGTERM)

    @property
    def master(self):
        """The server that two sentinels tell."""
        ports = [s.master() for s in self.sentinels if s.process.running()]
        port = max(ports, key=ports.count)
        return next(s for s in self.servers if s.peers_port == port)

    @property
    def replica(self):
        return next(s for s in self.servers if s is not self.master)

    def fail_over(self):
        """By command, with the master alive; returns the new master."""
        return self.wait_for_failover(self.begin_failover())

    def begin_failover(self):
        """The same, but it is still to come when this returns."""
        new = self.replica
        wait_until(self._asked_to_fail_over, 10)
        return new

    def _asked_to_fail_over(self):
        try:
            return self.sentinels[0].command("SENTINEL", "FAILOVER",
                                             SERVICE) == "OK"
        except RedisError:
            return False                # NOGOODSLAVE, INPROG: not yet

    def wait_for_failover(self, new):
        """Waits until all sentinels tell that `new` is the master."""
        alive = [s for s in self.sentinels if s.process.running()]
        wait_until(lambda: all(s.master() == new.peers_port for s in alive),
                   30, "no failover")
        return new
