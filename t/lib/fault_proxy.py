"""A TCP proxy that misbehaves on demand.

It stands between a gateway and its store, on a free port of its own, in a
thread of its own:

    with FaultProxy(("127.0.0.1", redis_port)) as proxy:
        connect_to(proxy.port)
        proxy.hold()        # bytes of the present connections stop here
        ...
        proxy.cut()         # the gateway's side of them is reset
        proxy.deliver()     # what was held arrives at last

A method speaks to the connections that exist when it is called; `hold`,
`delay`, `drip`, `blackhole`, `garble`, `mangle`, `cut_short` and `answer` take
`new=True` to include those to come.
Every method returns when the proxy has obeyed.  UP is towards the server,
DOWN towards the client.
"""

import asyncio
import copy
import socket
import struct
import threading
import time

UP = "up"
DOWN = "down"
BOTH = (UP, DOWN)

_CHUNK = 65536
_CALL_TIMEOUT = 10


class _Faults:
    """What happens to the bytes of one direction."""

    def __init__(self):
        self.held = False
        self.dropped = False
        self.delay = 0.0
        self.drip = 0.0         # seconds between bytes
        self.mangle = None      # makes another chunk of each
        self.short = None       # bytes of the next chunk, which is the last
        self.garbage = []       # replaces the next chunks, one each
        self.answers = []       # functions that answer the next chunks

    def copy(self):
        other = copy.copy(self)
        other.garbage = list(self.garbage)
        other.answers = list(self.answers)
        return other


class _Pipe:
    """One direction of one connection."""

    def __init__(self, connection, way, faults):
        self.connection = connection
        self.way = way
        self.faults = faults
        self.source = None
        self.target = None
        self.waiting = []           # held chunks
        self.ended = False          # the source has no more
        self.chunks = []            # (time, bytes) as they were read
        self.delivered = 0

    async def run(self):
        loop = asyncio.get_running_loop()
        try:
            while True:
                data = await loop.sock_recv(self.source, _CHUNK)
                if not data:
                    break
                self.chunks.append((time.monotonic(), data))
                await self.take(data)
        except OSError:
            pass
        self.ended = True
        await self.end_if_empty()

    async def take(self, data):
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        if self.faults.dropped:
            return
        if self.faults.held:
            self.waiting.append(data)
            return
        if self.faults.answers:
            answer = self.faults.answers.pop(0)(data)
            await self.connection.pipes[DOWN].write(answer)
            return
        if self.faults.garbage:
            data = self.faults.garbage.pop(0)
        if self.faults.mangle:
            data = self.faults.mangle(data)
        if self.faults.short is not None:
            await self.write(data[:self.faults.short])
            self.connection.close()
        elif self.faults.drip:
            await self.drip(data)
        else:
            await self.write(data)

    async def drip(self, data):
        for byte in range(len(data)):
            await self.write(data[byte:byte + 1])
            await asyncio.sleep(self.faults.drip)

    async def write(self, data):
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self.target, data)
            self.delivered += len(data)
        except OSError:
            pass

    async def release(self):
        self.faults.held = False
        while self.waiting:
            await self.write(self.waiting.pop(0))
        await self.end_if_empty()

    async def end_if_empty(self):
        """Passes the end of the stream on, behind all that is held."""
        if not self.ended or self.waiting or self.faults.dropped:
            return
        try:
            self.target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.connection.close_if_over()


class Connection:
    """A client's connection and the server's that belongs to it."""

    def __init__(self, number, faults):
        self.number = number
        self.pipes = {
            way: _Pipe(self, way, faults[way].copy()) for way in BOTH
        }
        self.client = None
        self.server = None
        self.tasks = []

    def bind(self, client, server):
        self.client = client
        self.server = server
        self.pipes[UP].source = client
        self.pipes[UP].target = server
        self.pipes[DOWN].source = server
        self.pipes[DOWN].target = client

    def sent(self, way=UP):
        """The bytes that were read from this side so far."""
        return b"".join(data for _, data in self.pipes[way].chunks)

    def chunks(self, way=UP):
        """The bytes read from this side, one item for each read."""
        return [data for _, data in self.pipes[way].chunks]

    def held(self, way=UP):
        """The bytes that are being held back."""
        return b"".join(self.pipes[way].waiting)

    def close_if_over(self):
        if all(pipe.ended and not pipe.waiting
               for pipe in self.pipes.values()):
            self.close()

    def close(self):
        for task in self.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        for end in (self.client, self.server):
            if end is not None:
                end.close()


class FaultProxy:
    def __init__(self, target, host="127.0.0.1", port=0):
        """target: (host, port), or the path of a unix socket."""
        self.target = target
        self.host = host
        self.port = port
        self.connections = []
        self._faults = {way: _Faults() for way in BOTH}
        self._listener = None
        self._accepting = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever,
                                        daemon=True)

    # life

    def start(self):
        self._thread.start()
        self._call(self._listen())
        return self

    def stop(self):
        if not self._thread.is_alive():
            return
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_TIMEOUT)
        self._loop.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # faults

    def hold(self, way=UP, new=False):
        """Keeps what is read from now on, until deliver()."""
        self._set(way, new, "held", True)

    def deliver(self, way=BOTH):
        """Sends what is held, in order, and passes bytes again."""
        self._call(self._deliver(_ways(way)))

    def discard(self, way=BOTH):
        """Forgets what is held, and passes bytes again."""
        self._call(self._discard(_ways(way)))

    def cut(self):
        """
        Resets the client's side of each connection.  What is held upwards
        stays held, and the server's side open, until deliver() or discard().
        """
        self._call(self._cut())

    def delay(self, ms, way=DOWN, new=True):
        """Each chunk waits so many ms; 0 ends it."""
        self._set(way, new, "delay", ms / 1000)

    def drip(self, ms, way=DOWN, new=True):
        """One byte at a time, each after so many ms; 0 ends it."""
        self._set(way, new, "drip", ms / 1000)

    def mangle(self, act, way=DOWN, new=True):
        """act(chunk) takes the place of each chunk; None ends it."""
        self._set(way, new, "mangle", act)

    def cut_short(self, size, way=DOWN, new=False):
        """Of the next chunk so many bytes pass; then both sides are closed."""
        self._set(way, new, "short", size)

    def answer(self, act, new=False):
        """The next chunk does not reach the server: the client gets
        act(chunk)."""
        self._call(self._append(UP, new, "answers", act))

    def blackhole(self, new=True):
        """Swallows all bytes of both directions, until pass_on()."""
        self._set(BOTH, new, "dropped", True)

    def garble(self, data=b"\x00garbled\r\n", way=DOWN, new=False):
        """The next chunk is replaced by data."""
        for each in _ways(way):
            self._call(self._append(each, new, "garbage", data))

    def pass_on(self):
        """Ends every fault; what is held is delivered."""
        self._set(BOTH, True, "delay", 0.0)
        self._set(BOTH, True, "drip", 0.0)
        self._set(BOTH, True, "mangle", None)
        self._set(BOTH, True, "short", None)
        self._set(BOTH, True, "dropped", False)
        self._set(BOTH, True, "held", False, present=False)
        self.deliver()

    def refuse(self):
        """New connections are refused; the present ones live."""
        self._call(self._unlisten())

    def accept(self):
        """New connections are accepted again, on the same port."""
        self._call(self._listen())

    # looking

    def live(self):
        """The connections whose client has not gone."""
        return [c for c in list(self.connections)
                if c.client is not None and c.client.fileno() != -1
                and not c.pipes[UP].ended]

    def wait_for(self, text, way=UP, timeout=5, count=1):
        """Waits until text was read count times, over all connections."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            seen = sum(c.sent(way).count(text) for c in
                       list(self.connections))
            if seen >= count:
                return
            time.sleep(0.002)
        raise TimeoutError("%r was not seen going %s" % (text, way))

    # in the loop's thread

    def _call(self, coroutine):
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(_CALL_TIMEOUT)

    def _set(self, way, new, name, value, present=True):
        self._call(self._set_fault(_ways(way), new, name, value, present))

    async def _set_fault(self, ways, new, name, value, present):
        for way in ways:
            if new:
                setattr(self._faults[way], name, value)
            for connection in self.connections if present else ():
                setattr(connection.pipes[way].faults, name, value)

    async def _append(self, way, new, name, item):
        if new:
            getattr(self._faults[way], name).append(item)
        for connection in self.connections:
            getattr(connection.pipes[way].faults, name).append(item)

    async def _deliver(self, ways):
        for connection in list(self.connections):
            for way in ways:
                await connection.pipes[way].release()

    async def _discard(self, ways):
        for connection in list(self.connections):
            for way in ways:
                connection.pipes[way].waiting.clear()
                await connection.pipes[way].release()

    async def _cut(self):
        for connection in list(self.connections):
            client = connection.client
            if client is None or client.fileno() == -1:
                continue
            connection.tasks[0].cancel()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
            client.close()
            up = connection.pipes[UP]
            up.ended = True
            await up.end_if_empty()

    async def _listen(self):
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(512)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._accepting = asyncio.ensure_future(self._accept(listener))

    async def _unlisten(self):
        if self._listener is None:
            return
        self._accepting.cancel()
        self._listener.close()
        self._listener = None

    async def _accept(self, listener):
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            client.setblocking(False)
            connection = Connection(len(self.connections), self._faults)
            self.connections.append(connection)
            for way in BOTH:
                self._faults[way].garbage.clear()
                self._faults[way].answers.clear()
            asyncio.ensure_future(self._serve(connection, client))

    async def _serve(self, connection, client):
        loop = asyncio.get_running_loop()
        unix = isinstance(self.target, str)
        server = socket.socket(socket.AF_UNIX if unix else socket.AF_INET,
                               socket.SOCK_STREAM)
        server.setblocking(False)
        try:
            await loop.sock_connect(server, self.target)
        except OSError:
            client.close()
            server.close()
            return
        for end in (client,) if unix else (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.bind(client, server)
        connection.tasks = [
            asyncio.ensure_future(connection.pipes[way].run())
            for way in BOTH
        ]

    async def _stop(self):
        await self._unlisten()
        for connection in self.connections:
            connection.close()
        tasks = [t for t in asyncio.all_tasks()
                 if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ways(way):
    return (way,) if isinstance(way, str) else tuple(way)
