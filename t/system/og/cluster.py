"""A private Redis Cluster: masters with replicas, whose slots move and whose
nodes come and go as a test wants it."""

import binascii
import os
from contextlib import ExitStack

import pytest

from og.process import free_port, wait_until
from og.redis import Redis, options_of

SLOTS = 16384
LIMIT = 20                      # s, for what the nodes have to agree on

# What holds where a test does not configure() another value: a node that is
# paused, or a machine that is busy, is no failure.
AT_REST = {
    "cluster-node-timeout": 30000,
    "cluster-replica-no-failover": "yes",
    "cluster-require-full-coverage": "yes",
}
# A failure is noticed, and that it is over.
WATCHFUL = {"cluster-node-timeout": 500}
# A master that fails is replaced, within some two seconds.
QUICK = {**WATCHFUL, "cluster-replica-no-failover": "no"}

UNWELL = {"fail", "fail?", "handshake", "noaddr"}


def slot_of(key):
    """Of a key, by what stands in its first braces if anything does."""
    data = key.encode()
    start = data.find(b"{")
    end = data.find(b"}", start + 1)
    if start >= 0 and end > start + 1:
        data = data[start + 1:end]
    return binascii.crc_hqx(data, 0) % SLOTS


class Node(Redis):
    """One server of a cluster. It keeps its id when it is restarted, and
    loses its data."""

    def __init__(self, folder, *options, tls=None):
        self.bus = free_port()
        self.paused = False
        settings = {**AT_REST, **WATCHFUL, "cluster-enabled": "yes",
                    "cluster-port": self.bus,
                    "cluster-allow-replica-migration": "no",
                    "repl-diskless-sync-delay": 0}
        if tls:
            self.tls_port = free_port()
            settings.update(tls(self.tls_port))
            settings.update({"tls-cluster": "yes", "tls-replication": "yes"})
        super().__init__(folder, *options_of(settings), *options)

    @property
    def seed(self):
        return f"127.0.0.1:{self.peers_port}"

    @property
    def id(self):
        return self.command("CLUSTER", "MYID").decode()

    def start(self):
        self.paused = False
        return super().start()

    def pause(self):
        super().pause()
        self.paused = True

    def resume(self):
        super().resume()
        self.paused = False

    def answers(self):
        return self.process.running() and not self.paused

    def configure(self, values):
        self.command("CONFIG", "SET", *(word for pair in values.items()
                                        for word in pair))

    def is_master(self):
        return self.command("ROLE")[0] == b"master"

    def in_step(self):
        """A replica that has what its master has; a master always is."""
        role = self.command("ROLE")
        return role[0] == b"master" or role[3] == b"connected"

    def healthy(self):
        return b"cluster_state:ok" in self.command("CLUSTER", "INFO")

    def view(self):
        """{id: (flags, master, link, ranges)} of the nodes that it knows."""
        fields = [line.split() for line in
                  self.command("CLUSTER", "NODES").decode().splitlines()]
        return {field[0]: (set(field[2].split(",")) - {"myself"}, field[3],
                           field[7], tuple(field[8:])) for field in fields}

    def slots(self):
        """Those that are its own."""
        found = []
        for part in self.view()[self.id][3]:
            if part[0] != "[":
                first, _, last = part.partition("-")
                found += range(int(first), int(last or first) + 1)
        return found

    def in_migration(self):
        """Slots on their way from here or to here."""
        return [int(part[1:].split("-")[0])
                for part in self.view()[self.id][3] if part[0] == "["]

    def value(self, key):
        """Of a key that is here, also while its slot moves."""
        with self.session() as session:
            session.command("ASKING")
            return session.command("GET", key)

    def units(self):
        return sum(int(self.value(key) or 0) for key in self.counters())

    def clients(self):
        """How many connections of gateways it has."""
        lines = self.command("CLIENT", "LIST").decode().splitlines()
        return sum(" name=order-guard " in line for line in lines)


class Cluster:
    """`nodes` are its members: a master of each shard first, then `replicas`
    more of each. Which of a shard is the master changes with a failover.
    `spares` are servers that add_node() takes: a master serves two seconds
    after its start at the earliest. `tls(port)` are the settings of members
    that speak TLS to each other and to gateways, and not to tests."""

    def __init__(self, folder, masters=3, replicas=1, spares=1, options=(),
                 tls=None):
        self._folder = str(folder)
        self._options = options
        self._tls = tls
        self._made = 0
        self._settings = {}
        self._shards = [[self._make() for _ in range(1 + replicas)]
                        for _ in range(masters)]
        self._spares = [self._make() for _ in range(spares)]
        self.nodes = [shard[number] for number in range(1 + replicas)
                      for shard in self._shards]

    def _make(self):
        self._made += 1
        return Node(os.path.join(self._folder, f"node{self._made}"),
                    *self._options, tls=self._tls)

    @property
    def scheme(self):
        return "rediss+cluster://" if self._tls else "redis+cluster://"

    @property
    def address(self):
        """With each of its members as a seed."""
        return self.scheme + ",".join(n.seed for n in self.nodes)

    def start(self):
        for node in self.nodes + self._spares:
            node.start()
        for number, shard in enumerate(self._shards):
            slots = self._slots_of(number)
            shard[0].command("CLUSTER", "ADDSLOTSRANGE", slots[0], slots[-1])
        for number, node in enumerate(self.nodes):
            node.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            _introduce(node, self.nodes[:number])
        self._wait(self._acquainted)
        for master, *replicas in self._shards:
            for replica in replicas:
                replica.command("CLUSTER", "REPLICATE", master.id)
        self.settle()
        self.configure(AT_REST)
        return self

    def _slots_of(self, shard):
        """Those that it has at the beginning."""
        count = len(self._shards)
        return range(SLOTS * shard // count, SLOTS * (shard + 1) // count)

    def stop(self):
        for node in self.nodes + self._spares:
            node.stop()

    def restore(self):
        """All members are there, empty, and each shard has its slots; who is
        the master and who the replica may have changed."""
        for node in self.nodes:
            if node.paused:
                node.resume()
            elif not node.process.running():
                node.start()
        if not self._settled():
            self.configure({**AT_REST, **WATCHFUL})
            self.settle()
        self.flush()
        for node in self.masters():
            for slot in node.in_migration():
                node.command("CLUSTER", "SETSLOT", slot, "STABLE")
        for number, shard in enumerate(self._shards):
            master = next(node for node in shard if node.is_master())
            missing = set(self._slots_of(number)) - set(master.slots())
            self.hand_over(sorted(missing), master)
        members = sum(self._shards, [])
        for node in [n for n in self.nodes if n not in members]:
            self.remove_node(node)
        self.settle()
        self.configure(AT_REST)

    # who is there, and what they agree on

    def running(self):
        return [node for node in self.nodes if node.answers()]

    def masters(self):
        return [node for node in self.running() if node.is_master()]

    def replicas(self):
        return [node for node in self.running() if not node.is_master()]

    def replica_of(self, master):
        return next(node for node in self.replicas()
                    if node.view()[node.id][1] == master.id)

    def node_of(self, what):
        """The master of a slot (a number) or of a key."""
        slot = slot_of(what) if isinstance(what, str) else what
        for first, last, master, *_ in self._any().command("CLUSTER",
                                                           "SLOTS"):
            if first <= slot <= last:
                return self._by_port(master[1])
        raise AssertionError(f"slot {slot} has no master")

    def _any(self):
        return self.running()[0]

    def _by_port(self, port):
        return next(node for node in self.nodes if node.port == port)

    def settle(self):
        """Waits until all members agree on everything."""
        self._wait(self._settled)

    def _settled(self):
        return (self._acquainted() and self._agreed()
                and all(node.in_step() for node in self.nodes))

    def _acquainted(self):
        """Whether all have a link to all, and to nobody else."""
        views = [node.view().values() for node in self.nodes]
        return all(len(view) == len(self.nodes) and not any(
            flags & UNWELL or link != "connected" for flags, _, link, _
            in view) for view in views)

    def _agreed(self):
        """Whether those that answer serve, and name the same masters of all
        slots."""
        owners = [{name: [part for part in ranges if part[0] != "["]
                   for name, (_, _, _, ranges) in node.view().items()
                   if ranges} for node in self.running()]
        return (all(found == owners[0] for found in owners)
                and all(node.healthy() for node in self.running()))

    def _know_epochs(self):
        """Whether those that answer know how new the others' slots are."""
        known = [{line.split()[0]: line.split()[6] for line in
                  node.command("CLUSTER", "NODES").decode().splitlines()}
                 for node in self.running()]
        return all(epochs == known[0] for epochs in known)

    def _wait(self, condition):
        try:
            wait_until(condition, LIMIT)
        except AssertionError:
            raise AssertionError("the nodes do not agree:\n" + "\n".join(
                node.command("CLUSTER", "NODES").decode()
                for node in self.running())) from None

    def configure(self, values):
        """Settings of all members that answer, until restore()."""
        self._settings = {**self._settings, **values}
        for node in self.running():
            node.configure(values)

    # slots that move

    def begin_migration(self, slot, to):
        source = self.node_of(slot)
        to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)

    def move_keys(self, slot, *keys):
        """These, or all that are left, one by one, to where the slot goes."""
        source = self.node_of(slot)
        to = self._target(source, slot)
        with source.session() as session:
            _migrate(session, to, keys or _keys_left(session, slot))

    def end_migration(self, slot):
        source = self.node_of(slot)
        to = self._target(source, slot)
        name = to.id
        for node in dict.fromkeys([to, source, *self.masters()]):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", name)
        self._wait(self._agreed)

    def _target(self, source, slot):
        """Where a slot is on its way to."""
        mark = f"[{slot}->-"
        name = next(part[len(mark):-1] for part in source.view()[source.id][3]
                    if part.startswith(mark))
        return next(node for node in self.masters() if node.id == name)

    def move(self, slot, to):
        """With its keys; nothing where it is there already."""
        if self.node_of(slot) is not to:
            self.begin_migration(slot, to)
            self.move_keys(slot)
            self.end_migration(slot)

    def move_on(self, slots):
        """Each one, with its keys, to the master behind its own."""
        masters = self.masters()
        owned = [set(node.slots()) & set(slots) for node in masters]
        for number, to in enumerate(masters):
            self._move_all(sorted(owned[number - 1]), masters[number - 1], to)

    def _move_all(self, slots, source, to):
        """What others hear late of the source is old for them: its epoch is
        below that of the target, which takes a new one."""
        name, former = to.id, source.id
        with ExitStack() as stack:
            sessions = {node: stack.enter_context(node.session())
                        for node in self.masters()}
            for slot in slots:
                sessions[to].command("CLUSTER", "SETSLOT", slot, "IMPORTING",
                                     former)
                sessions[source].command("CLUSTER", "SETSLOT", slot,
                                         "MIGRATING", name)
                _migrate(sessions[source], to,
                         _keys_left(sessions[source], slot))
                for node in dict.fromkeys([to, source, *sessions]):
                    sessions[node].command("CLUSTER", "SETSLOT", slot, "NODE",
                                           name)
        self._wait(lambda: self._agreed() and self._know_epochs())

    def hand_over(self, slots, to):
        """Quickly, for they must be empty. A node takes only what it says it
        imports, from whomever."""
        name = to.id
        with ExitStack() as stack:
            others = {node.id: stack.enter_context(node.session())
                      for node in self.masters() if node is not to}
            session = stack.enter_context(to.session())
            for slot in slots:
                session.command("CLUSTER", "SETSLOT", slot, "IMPORTING",
                                next(iter(others)))
                for each in [session, *others.values()]:
                    each.command("CLUSTER", "SETSLOT", slot, "NODE", name)
        self._wait(self._agreed)

    # members that come and go

    def failover(self, replica):
        """It is the master, and all know; its former master is a replica of
        it. No write is lost."""
        before = self._settings
        self.configure(WATCHFUL)        # a node that was elected is not again
        for _ in range(4):              # for four times this
            replica.command("CLUSTER", "FAILOVER")
            if _comes_true(replica.is_master):
                break
        self._wait(lambda: replica.is_master() and self._owns(replica))
        self.configure(before)

    def replaced(self, master, replica):
        """Waits until all that answer know that `replica` has the slots of
        `master`, which was killed. Needs configure(QUICK)."""
        self._wait(lambda: replica.is_master() and self._owns(replica)
                   and not self._owns(master))

    def _owns(self, node):
        """Whether all agree that it has slots."""
        name = f"127.0.0.1:{node.port}@"
        return self._agreed() and any(
            line.split()[1].startswith(name) and len(line.split()) > 8
            for line in self._any().command("CLUSTER",
                                            "NODES").decode().splitlines())

    def add_node(self):
        """A master without slots."""
        node = self._spares.pop() if self._spares else self._make().start()
        _introduce(node, self.nodes)
        self.nodes.append(node)
        self.settle()
        self.configure(self._settings)
        return node

    def remove_node(self, node):
        """A master without slots leaves, and is a spare; it goes on as a
        server of no cluster."""
        self.nodes.remove(node)
        name = node.id
        for other in self.nodes:
            other.command("CLUSTER", "FORGET", name)
        node.command("FLUSHALL")
        node.command("CLUSTER", "RESET", "HARD")
        node.configure(WATCHFUL)        # else it serves late when it is back
        self._spares.append(node)
        self.settle()

    # what is in it

    def flush(self):
        for node in self.masters():
            node.command("FLUSHALL")

    def keys(self):
        return sorted(sum((node.keys() for node in self.masters()), []))

    def records(self):
        return sorted(sum((node.records() for node in self.masters()), []))

    def counters(self):
        return sorted(sum((node.counters() for node in self.masters()), []))

    def units(self):
        return sum(node.units() for node in self.masters())

    def clients(self):
        """{node: how many connections of gateways it has}, without those
        that have none."""
        found = {node: node.clients() for node in self.running()}
        return {node: count for node, count in found.items() if count}


def _introduce(node, others):
    for other in others:
        node.command("CLUSTER", "MEET", "127.0.0.1", other.peers_port,
                     other.bus)


def _comes_true(condition):
    try:
        return wait_until(condition, 3)
    except AssertionError:
        return False


def _migrate(session, to, keys):
    for key in keys:
        session.command("MIGRATE", "127.0.0.1", to.peers_port, key, 0, 10000)


def _keys_left(session, slot):
    while True:
        keys = session.command("CLUSTER", "GETKEYSINSLOT", slot, 100)
        if not keys:
            return
        yield from keys


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture
def cluster(shared_cluster):
    """An empty one of three shards, a replica each, for tests that may do to
    it whatever restore() undoes."""
    yield shared_cluster
    shared_cluster.restore()
