"""Thousands of connections at once, which threads would be too dear for."""

import asyncio
import resource
import threading

from og.parallel import Later
from og.paths import seconds
from og.peer import message

LIMIT = 30                  # s, for whatever all do together


def allow_files(count):
    """So many for this process, as far as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


class Holding:
    """An upstream that answers nobody until release()."""

    def __init__(self):
        self.held = 0
        self._writers = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever,
                                        daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(
            self._serve, "127.0.0.1", 0, backlog=4096))
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(seconds(LIMIT))
        self._loop.close()

    def release(self):
        """Each has its answer in the socket when this returns."""
        self._call(self._answer_all())

    def _call(self, coroutine):
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(seconds(LIMIT))

    async def _serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self._writers.append(writer)
        self.held += 1

    async def _answer_all(self):
        for writer in self._writers:
            writer.write(message())
            writer.write_eof()
        for writer in self._writers:
            await writer.drain()

    async def _end(self):
        self._server.close()
        for writer in self._writers:
            writer.close()


def crowd(port, requests):
    """A Later whose value has the first 12 bytes of the answer to each."""
    async def one(data):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        answer = await reader.readexactly(len("HTTP/1.1 200"))
        writer.close()
        return answer

    async def everyone():
        return await asyncio.wait_for(
            asyncio.gather(*(one(data) for data in requests)),
            seconds(LIMIT))

    return Later(asyncio.run, everyone())
