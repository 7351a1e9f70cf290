"""Real PostgreSQL and MariaDB servers, with a database of its own for each process of tests."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncmy
import asyncpg
import pytest

from tests.support.own_servers import Own, answers, own_mariadb, own_postgresql

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A server on this machine, its administrator, and the database that is the tests' own."""

    make: str
    port: int
    user: str
    name: str

    @property
    def url(self) -> str:
        return self.at(self.port)

    def at(self, port: int, user: str | None = None) -> str:
        """Return the URL of the database, as seen from another port or by another user."""
        return f"{self.make}://{user or self.user}@{HOST}:{port}/{self.name}"

    async def execute(self, *statements: str, database: str | None = None) -> None:
        """Run statements as the administrator."""
        async with self.connected(database) as connection:
            for one in statements:
                await connection.execute(one)

    async def insert(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        """Run a statement with markers (``$1`` or ``%s``) for each of ``rows``."""
        async with self.connected() as connection:
            await connection.executemany(statement, rows)

    async def value(self, statement: str) -> Any:
        """Return the first value that a statement gives."""
        async with self.connected() as connection:
            return await connection.value(statement)

    @asynccontextmanager
    async def connected(self, database: str | None = None) -> AsyncIterator[_Connection]:
        wanted = self.name if database is None else database
        if self.make == "postgresql":
            pg = await asyncpg.connect(
                host=HOST, port=self.port, user=self.user, database=wanted or "postgres"
            )
            try:
                yield _Connection(pg.execute, pg.executemany, pg.fetchval)
            finally:
                await pg.close()
            return
        connection: Any = await asyncmy.connect(
            host=HOST, port=self.port, user=self.user, database=wanted or None, autocommit=True
        )
        try:
            async with connection.cursor() as cursor:

                async def value(statement: str) -> Any:
                    await cursor.execute(statement)
                    row = await cursor.fetchone()
                    return None if row is None else row[0]

                yield _Connection(cursor.execute, cursor.executemany, value)
        finally:
            await connection.ensure_closed()


@dataclass(frozen=True)
class _Connection:
    execute: Callable[[str], Coroutine[Any, Any, Any]]
    executemany: Callable[[str, list[tuple[object, ...]]], Coroutine[Any, Any, Any]]
    value: Callable[[str], Coroutine[Any, Any, Any]]


@contextmanager
def listening(make: Callable[[Path], Own], port: int, folder: Path) -> Iterator[int]:
    """Give the port of this machine's server, else of one that is started for the tests.

    Skips where there is neither; fails if REQUIRE_SERVICES says so.
    """
    if answers(port):
        yield port
        return
    own = make(folder / "server")
    try:
        own.start()
        yield own.port
    finally:
        own.kill()


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end in a thread of its own, whatever loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give an empty PostgreSQL database; it is dropped at the end."""
    folder = tmp_path_factory.mktemp("postgresql")
    with listening(own_postgresql, int(os.environ.get("PGPORT", "5432")), folder) as port:
        server = Server("postgresql", port, "postgres", f"sample_{secrets.token_hex(6)}")
        apart(server.execute(f"CREATE DATABASE {server.name}", database=""))
        yield server
        apart(server.execute(f"DROP DATABASE {server.name} WITH (FORCE)", database=""))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give an empty MariaDB database, whose collation ignores case and accents."""
    folder = tmp_path_factory.mktemp("mariadb")
    with listening(own_mariadb, int(os.environ.get("MARIADB_PORT", "3306")), folder) as port:
        server = Server("mariadb", port, "root", f"sample_{secrets.token_hex(6)}")
        collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        apart(server.execute(f"CREATE DATABASE {server.name} {collation}", database=""))
        yield server
        apart(server.execute(f"DROP DATABASE {server.name}", database=""))


SERVERS = [
    pytest.param(make, marks=pytest.mark.services, id=make) for make in ("postgresql", "mariadb")
]
