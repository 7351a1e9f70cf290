"""A server on a real socket in this process, and clients that send arbitrary bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from gateway.http.server import options
from gateway.settings import ConnectionLimits, Limits, Settings

#: How long a test waits for what must come; nothing is measured by it.
PATIENCE = 30.0


@dataclass
class Client:
    """One connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed already is no error."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self) -> bytes:
        """Return one answer that has a content-length, its head and its content."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return head + await self.reader.readexactly(length)

    async def read_to_end(self) -> bytes:
        """Return all that comes until the server closes the connection."""
        received = bytearray()
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65_536):
                    received += piece
        return bytes(received)

    def close(self) -> None:
        """Leave."""
        self.writer.close()


@dataclass
class ServedApplication:
    """A server that runs."""

    port: int
    server: uvicorn.Server

    @asynccontextmanager
    async def client(self, source: str = "127.0.0.1") -> AsyncIterator[Client]:
        """Connect, from an address of this machine."""
        client = await self.connect(source)
        try:
            yield client
        finally:
            client.close()

    async def connect(self, source: str = "127.0.0.1") -> Client:
        """Connect; the caller closes."""
        return Client(
            *await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        )


@asynccontextmanager
async def serve(
    app: ASGIApp, body_bytes: int = 64 * 1024, **connections: Any
) -> AsyncIterator[ServedApplication]:
    """Serve ``app`` with these limits of connections until the block ends."""
    settings = Settings(
        limits=Limits(body_bytes=body_bytes), connections=ConnectionLimits(**connections)
    )
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", **options(settings))
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # without the handlers of signals
    try:
        async with asyncio.timeout(PATIENCE):
            while not server.started:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)  # between two looks, not instead of one
        yield ServedApplication(server.servers[0].sockets[0].getsockname()[1], server)
        if not server.should_exit:  # by the test
            await _end(server)
            task.cancel()
            await asyncio.wait([task])
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task


async def _end(server: uvicorn.Server) -> None:
    """Do what uvicorn does when it stops, but look whether all is over every few milliseconds.

    uvicorn looks ten times a second: that was most of the time of these tests.
    """
    for listener in server.servers:
        listener.close()
    state = server.server_state
    for connection in list(state.connections):
        connection.shutdown()
    with suppress(TimeoutError):
        async with asyncio.timeout(server.config.timeout_graceful_shutdown):
            while state.connections or state.tasks:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.002)  # between two looks, not instead of one
    for work in state.tasks:
        work.cancel()
    for listener in server.servers:
        await listener.wait_closed()
