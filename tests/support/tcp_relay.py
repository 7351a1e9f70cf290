"""A relay before a server, which a test makes silent: connections stay open, and nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress


class TcpRelay:
    """Passes bytes on between clients and the server at ``port`` of 127.0.0.1.

    ``sent``: what the clients sent. ``news``: set when one sends something. ``connections``: how
    many there were. ``answers``: while cleared, nothing reaches any client.
    """

    def __init__(self, port: int) -> None:
        self._server_port, self.port = port, 0
        self.sent, self.connections = bytearray(), 0
        self.news, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self._silent: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[TcpRelay]:
        """Listen at ``self.port`` until the block ends."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)  # transports close in the next round

    def silence(self) -> None:
        """Pass nothing on any more to the clients that are connected; later ones are served."""
        self._silent = set(range(1, self.connections + 1))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        answers, requests = await asyncio.open_connection("127.0.0.1", self._server_port)
        for work in (self._send(reader, requests), self._answer(number, answers, writer)):
            self._tasks.add(asyncio.create_task(work))

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError), closing(writer):
            while piece := await reader.read(65_536):
                self.sent += piece
                self.news.set()
                writer.write(piece)

    async def _answer(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError), closing(writer):
            while piece := await reader.read(65_536):
                await self.answers.wait()
                if number not in self._silent:
                    writer.write(piece)
