"""SQLite files as a source: opened read-only, watched, opened anew when they were replaced."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from connectors.backends.base import DataFault, Examined, NotMapped, SourceUnavailable
from connectors.backends.examine_sqlite import examine_sqlite
from connectors.backends.session import Known, Session
from connectors.backends.statement import KEYS, SQLITE, Wanted
from connectors.tables import STATEMENT_TABLE

_TABLES = sa.text("SELECT lower(name) FROM sqlite_master WHERE type IN ('table', 'view')")
_AS_OF: sa.Executable = sa.select(sa.func.min(sa.column("as_of"))).select_from(
    sa.table(STATEMENT_TABLE)
)
#: Reads the file, so that a locked one is noticed.
_PROBE = sa.text("SELECT 1 FROM sqlite_master LIMIT 1")

#: Errors that say nothing against the open file: it is busy, or a statement was told to stop.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT}
#: What SQLite says, under no code of its own, of a value that a view cannot compute.
_SPOILT = {"malformed JSON", "integer overflow"}


@dataclass(slots=True)
class _OpenFile:
    """One file behind the path, by device and inode, and the pool of connections to it."""

    identity: tuple[int, int]
    engine: AsyncEngine
    tables: frozenset[str]
    known: Known
    users: int = 0
    retired: bool = False

    async def retire(self) -> None:
        """Close the pool, now or when the last connection comes back."""
        self.retired = True
        if not self.users:
            await self.engine.dispose()


@dataclass(frozen=True, slots=True)
class FileSession:
    """A connection to a file, on loan; see ``Session``. ``tables``: names in lower case."""

    connection: AsyncConnection
    tables: frozenset[str]
    known: Known

    async def find(
        self, wanted: Wanted, keys: Sequence[str], places: range | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows for ``keys``; raises NotMapped. See ``Session``."""
        for stored in wanted.tables:
            if stored.table.lower() not in self.tables:
                raise NotMapped(f"there is no table {stored.table}")
        statement = wanted.statement if places is None else wanted.within(places)
        found = await self.connection.execute(statement, {KEYS: list(keys)})
        return cast("Sequence[Sequence[object]]", found.all())

    async def as_of(self) -> object:
        """Return what the file states of itself, None for nothing."""
        if STATEMENT_TABLE not in self.tables:
            return None
        return (await self.connection.execute(_AS_OF)).scalar()

    async def rows(self, statement: sa.Select[Any]) -> Sequence[Sequence[object]]:
        """Return what a statement finds."""
        found = await self.connection.execute(statement)
        return cast("Sequence[Sequence[object]]", found.all())

    async def probe(self) -> None:
        """Read the file."""
        await self.connection.execute(_PROBE)


class SqliteFile:
    """The SQLite file at ``path``.

    Nothing is opened before the first use. Each use looks at the path first (one ``stat``): a file
    that is gone is unavailable, and one that took its place is opened instead, so that nothing is
    created and no deleted file is read on. An error that puts the open file in doubt has it opened
    anew at the next use. Connections are read-only twice over (``mode=ro`` and ``query_only``).
    """

    idiom = SQLITE
    joins = False

    def __init__(self, path: str, *, pool_size: int, busy_timeout: float) -> None:
        self._path = Path(path).absolute()
        self._pool_size = pool_size
        self._busy_timeout = busy_timeout
        self._open: _OpenFile | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        if self._open is None:
            return 0
        return cast("AsyncAdaptedQueuePool", self._open.engine.pool).checkedout()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[FileSession]:
        """Lend a connection; raises SourceUnavailable, also for errors inside the block."""
        file = await self._current()
        file.users += 1
        try:
            async with file.engine.connect() as connection:
                yield FileSession(connection, file.tables, file.known)
        except SQLAlchemyError as error:
            if str(getattr(error, "orig", None)) in _SPOILT:
                raise DataFault(_reason(error)) from None
            if _code(error) not in _PASSING:
                self._forget(file)
            raise SourceUnavailable(_reason(error)) from None
        finally:
            file.users -= 1
            if file.retired:
                await file.retire()

    async def interrupt(self, session: Session) -> None:
        """Make the statement that runs in ``session`` end at once, in an error."""
        assert isinstance(session, FileSession)
        raw = await session.connection.get_raw_connection()
        await cast("aiosqlite.Connection", raw.driver_connection).interrupt()

    async def examine(self, wanted: Sequence[Wanted]) -> Examined:
        """See ``SqlSource.examine``."""
        async with self.use() as session:
            return await examine_sqlite(session.connection, wanted)

    async def close(self) -> None:
        """Close the file; the next use would open it again."""
        if self._open is not None:
            await self._forget(self._open).retire()

    async def _current(self) -> _OpenFile:
        """Return the open file that is behind the path now, opening it if need be."""
        while True:
            try:
                found = self._path.stat()
            except OSError as error:
                await self.close()
                raise SourceUnavailable(f"no file ({type(error).__name__})") from None
            if not stat.S_ISREG(found.st_mode) or not os.access(self._path, os.R_OK):
                await self.close()
                raise SourceUnavailable("no readable file")
            identity = (found.st_dev, found.st_ino)
            if self._open is not None and self._open.identity == identity:
                return self._open
            if self._opening is None:  # once for all who wait for it
                self._opening = asyncio.create_task(self._start(identity))
            await asyncio.shield(self._opening)

    async def _start(self, identity: tuple[int, int]) -> None:
        """Open the file whose ``identity`` was seen; a newer one is noticed by the next look."""
        engine = self._engine()
        try:
            await self.close()
            async with engine.connect() as connection:
                tables = frozenset((await connection.execute(_TABLES)).scalars())
            if not tables:  # a file just created, or cut short: no statement about its records
                raise SourceUnavailable("the file holds no tables")
            self._open = _OpenFile(identity, engine, tables, Known())
        except SQLAlchemyError as error:
            raise SourceUnavailable(_reason(error)) from None
        finally:
            self._opening = None
            if self._open is None or self._open.engine is not engine:
                await engine.dispose()

    def _forget(self, file: _OpenFile) -> _OpenFile:
        """Have the file opened anew at the next use."""
        file.retired = True
        if self._open is file:
            self._open = None
        return file

    def _engine(self) -> AsyncEngine:
        engine = create_async_engine(
            sa.URL.create(
                "sqlite+aiosqlite",
                database=f"file://{quote(str(self._path))}",
                query={"mode": "ro", "uri": "true"},
            ),
            connect_args={"timeout": self._busy_timeout},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=self._pool_size,
            max_overflow=0,
            # Reading needs no transaction, so there is none to roll back.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_reset_on_return=None,
            hide_parameters=True,
        )
        sa.event.listen(engine.sync_engine, "connect", _prepare)
        return engine


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA temp_store = MEMORY")  # no copy of anybody's rows in a temporary file
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()
    connection.driver_connection.text_factory = _text


def _text(stored: bytes) -> str | bytes:
    """Leave text that is no UTF-8 as bytes: its row is unreadable, not the whole answer."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _code(error: SQLAlchemyError) -> int | None:
    """Return SQLite's own code (the primary one), None for errors that are not SQLite's."""
    code = getattr(error.orig, "sqlite_errorcode", None) if isinstance(error, DBAPIError) else None
    return None if code is None else code & 0xFF


def _reason(error: SQLAlchemyError) -> str:
    """Name the error, without its text: that may repeat values."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(original, "sqlite_errorname", type(original).__name__))
