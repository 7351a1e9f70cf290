"""Databases for copies of the journal: SQLite files, and databases of their own in PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

HOST, PORT = "127.0.0.1", int(os.environ.get("PGPORT", "5432"))


def need_postgresql() -> None:
    """Skip where no PostgreSQL answers; fail if REQUIRE_SERVICES says so."""
    missing = None
    if find_spec("asyncpg") is None:
        missing = "asyncpg"
    with socket.socket() as found:
        found.settimeout(2)
        if found.connect_ex((HOST, PORT)):
            missing = f"PostgreSQL at {HOST}:{PORT}"
    if missing and os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"missing: {missing}")
    if missing:
        pytest.skip(f"missing: {missing}")


@asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[str]:
    """Yield the URL of an empty database of ``kind``: ``sqlite`` or ``postgresql``."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'copy.sqlite'}"
        return
    need_postgresql()
    name = f"audit_{secrets.token_hex(6)}"
    await _run(f"CREATE DATABASE {name}")
    try:
        yield f"postgresql://postgres@{HOST}:{PORT}/{name}"
    finally:
        await _run(f"DROP DATABASE {name} WITH (FORCE)")


async def _run(statement: str) -> None:
    url = f"postgresql+asyncpg://postgres@{HOST}:{PORT}/postgres"
    server = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(sa.text(statement))
    await server.dispose()


class Line:
    """A line to a server that can be cut and joined again: a TCP proxy of the test's own."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def join(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        while self._tasks:  # those that are only being joined have no ends to abort yet
            for end in list(self._ends):
                end.transport.abort()
            await asyncio.wait(self._tasks, timeout=0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        there, back = await asyncio.open_connection(*self._target)
        self._ends |= {writer, back}
        with suppress(OSError):
            await asyncio.gather(_pass(reader, back), _pass(there, writer))
        for end in (writer, back):
            self._ends.discard(end)
            end.transport.abort()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while content := await source.read(65536):
            sink.write(content)
            await sink.drain()
    finally:
        sink.close()
