"""Real PostgreSQL and MariaDB servers, with a database of its own for each process of tests.

A process of tests starts a server of each make on first use, in memory and without waiting for a
disk: what a test loses with the machine, nobody wants back. ``PGPORT`` or ``MARIADB_PORT`` names
a server of this machine to use instead.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncmy
import asyncpg
import pytest

from tests.support.server_processes import (
    ServerProcess,
    answers,
    find_program,
    mariadb_process,
    postgresql_process,
)

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
            for statement in statements:
                await connection.execute(statement)

    async def insert(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        """Run a statement with markers (``$1`` or ``%s``) for each of ``rows``."""
        async with self.connected() as connection:
            await connection.executemany(statement, rows)

    async def value(self, statement: str) -> Any:
        """Return the first value that a statement gives."""
        async with self.connected() as connection:
            return await connection.value(statement)

    @asynccontextmanager
    async def connected(self, database: str | None = None) -> AsyncIterator[Connection]:
        name = self.name if database is None else database
        if self.make == "postgresql":
            pg = await asyncpg.connect(
                host=HOST, port=self.port, user=self.user, database=name or "postgres"
            )
            try:
                yield Connection(pg.execute, pg.executemany, pg.fetchval)
            finally:
                await pg.close()
            return
        connection: Any = await asyncmy.connect(
            host=HOST, port=self.port, user=self.user, database=name or None, autocommit=True
        )
        try:
            async with connection.cursor() as cursor:

                async def value(statement: str) -> Any:
                    await cursor.execute(statement)
                    row = await cursor.fetchone()
                    return None if row is None else row[0]

                yield Connection(cursor.execute, cursor.executemany, value)
        finally:
            await connection.ensure_closed()


@dataclass(frozen=True)
class Connection:
    """A connection of an administrator: runs statements, and returns the first value of one."""

    execute: Callable[[str], Coroutine[Any, Any, Any]]
    executemany: Callable[[str, list[tuple[object, ...]]], Coroutine[Any, Any, Any]]
    value: Callable[[str], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class _Make:
    """How servers of one make are found: the variable with a port, the usual port, the program."""

    variable: str
    usual_port: int
    program: str
    prepare: Callable[[Path], ServerProcess]
    #: Options that leave out every wait for a disk.
    in_memory: tuple[str, ...]


_MAKES = {
    "postgresql": _Make(
        "PGPORT",
        5432,
        "initdb",
        postgresql_process,
        ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
    ),
    "mariadb": _Make(
        "MARIADB_PORT",
        3306,
        "mariadb-install-db",
        mariadb_process,
        ("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"),
    ),
}
_RUNNING: dict[str, tuple[ServerProcess, Path]] = {}


def server_port(make: str) -> int:
    """Return the port of this process's server of ``make``, which is started on first use.

    Skips where there is no server and no program of one; fails if REQUIRE_SERVICES says so.
    """
    how_to_start = _MAKES[make]
    if how_to_start.variable in os.environ:
        return int(os.environ[how_to_start.variable])
    if make not in _RUNNING:
        if find_program(how_to_start.program) is None and answers(how_to_start.usual_port):
            return how_to_start.usual_port
        folder = Path(tempfile.mkdtemp(prefix=f"{make}-", dir=_memory()))
        server = how_to_start.prepare(folder / "server")
        server.command += how_to_start.in_memory
        server.start()
        _RUNNING[make] = server, folder
    return _RUNNING[make][0].port


def end_servers() -> None:
    """End the servers that this process started, and remove their files."""
    while _RUNNING:
        server, folder = _RUNNING.popitem()[1]
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> str | None:
    """Return a folder in memory that has room for a server; None where there is none."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 2 * 2**30
    return str(shared) if roomy else None


def run_in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end in a thread of its own, whatever loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Give an empty PostgreSQL database; it is dropped at the end."""
    port = server_port("postgresql")
    server = Server("postgresql", port, "postgres", f"sample_{secrets.token_hex(6)}")
    run_in_thread(server.execute(f"CREATE DATABASE {server.name}", database=""))
    yield server
    run_in_thread(server.execute(f"DROP DATABASE {server.name} WITH (FORCE)", database=""))


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """Give an empty MariaDB database, whose collation ignores case and accents."""
    port = server_port("mariadb")
    server = Server("mariadb", port, "root", f"sample_{secrets.token_hex(6)}")
    collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
    run_in_thread(server.execute(f"CREATE DATABASE {server.name} {collation}", database=""))
    yield server
    run_in_thread(server.execute(f"DROP DATABASE {server.name}", database=""))


SERVERS = [
    pytest.param(make, marks=pytest.mark.services, id=make) for make in ("postgresql", "mariadb")
]
