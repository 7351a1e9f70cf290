"""Databases for copies of the journal: SQLite files, and separate databases in PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from tests.support.servers import Server, server_port


@asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[str]:
    """Yield the URL of an empty database of ``kind``: ``sqlite`` or ``postgresql``."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'copy.sqlite'}"
        return
    port = server_port("postgresql")
    server = Server("postgresql", port, "postgres", f"audit_{secrets.token_hex(6)}")
    await server.execute(f"CREATE DATABASE {server.name}", database="")
    try:
        yield server.url
    finally:
        await server.execute(f"DROP DATABASE {server.name} WITH (FORCE)", database="")


class Line:
    """A line to a server that can be cut and joined again: a TCP proxy of the test's own."""

    def __init__(self, host: str = "127.0.0.1", port: int = 9) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @classmethod
    def to(cls, url: str) -> Line:
        """Return a line to the server of ``url``."""
        place = sa.make_url(url)
        assert place.host is not None
        assert place.port is not None
        return cls(place.host, place.port)

    def url(self, url: str) -> str:
        """Return ``url`` with this line in place of its server."""
        return url.replace(f":{self._target[1]}/", f":{self.port}/")

    async def join(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse new connections."""
        if self._server is not None:
            self._server.close()

    async def cut(self) -> None:
        """End all connections, and refuse new ones."""
        self.refuse()
        while self._tasks:  # those that are only being joined have no ends to abort yet
            for end in list(self._ends):
                end.transport.abort()
            await asyncio.wait(self._tasks, timeout=0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        upstream, upstream_writer = await asyncio.open_connection(*self._target)
        self._ends |= {writer, upstream_writer}
        with suppress(OSError):
            await asyncio.gather(_pass(reader, upstream_writer), _pass(upstream, writer))
        for end in (writer, upstream_writer):
            self._ends.discard(end)
            end.transport.abort()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while content := await source.read(65536):
            sink.write(content)
            await sink.drain()
    finally:
        sink.close()
