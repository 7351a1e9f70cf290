"""A TCP proxy in front of a database, which can delay whatever the database answers.

    python -m bench.rivals.proxy PORT TARGET_PORT DELAY_SECONDS

It starts without a delay. SIGUSR1 switches the delay on, SIGUSR2 off. Answers keep their order and
don't wait for one another: each is passed on DELAY_SECONDS after it arrived.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

import uvloop

_READ_BYTES = 256 * 1024


class _Proxy:
    def __init__(self, target_port: int, delay: float) -> None:
        self._target_port = target_port
        self._delay = delay
        self.is_slow = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client with the database until one of them ends the connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        answers: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        with suppress(OSError):
            async with asyncio.TaskGroup() as group:
                group.create_task(_forward(reader, target_writer))
                group.create_task(self._receive(target_reader, answers))
                group.create_task(_deliver(answers, writer))

    async def _receive(
        self, reader: asyncio.StreamReader, answers: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        """Read what the database answers, with the time at which it may be passed on."""
        loop = asyncio.get_running_loop()
        data = b"-"
        while data:
            data = await reader.read(_READ_BYTES)
            answers.put_nowait((loop.time() + (self._delay if self.is_slow else 0), data))


async def _deliver(
    answers: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await answers.get()
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        if not data:
            break
        writer.write(data)
    writer.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ_BYTES):
        writer.write(data)
    writer.close()


async def _run(port: int, target_port: int, delay: float) -> None:
    proxy, loop = _Proxy(target_port, delay), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, setattr, proxy, "is_slow", True)
    loop.add_signal_handler(signal.SIGUSR2, setattr, proxy, "is_slow", False)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
