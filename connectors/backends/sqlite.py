"""SQLite files as a source: opened read-only, watched, and reopened when their contents change."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from connectors.backends.base import DataFault, Examination, NotMapped, SourceUnavailable
from connectors.backends.examine_sqlite import examine_sqlite, file_findings, is_whole
from connectors.backends.file_version import FileVersion, WatchedFile
from connectors.backends.record_maps import StoredTable
from connectors.backends.session import Session, SourceState
from connectors.backends.statement import KEYS, SQLITE, LookupStatement
from connectors.tables import STATEMENT_TABLE

#: Names of tables and views, and whether their rows have numbers.
_TABLES = sa.text(
    "SELECT lower(name), type = 'table' AND NOT wr FROM pragma_table_list "
    "WHERE schema = 'main' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)
_AS_OF: sa.Executable = sa.select(sa.func.min(sa.column("as_of"))).select_from(
    sa.table(STATEMENT_TABLE)
)
#: Reads the file, so that a locked one is noticed.
_PROBE = sa.text("SELECT 1 FROM sqlite_master LIMIT 1")

#: The file is not SQLite's, or its pages do not fit together.
_TORN = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
#: Errors that leave the open file usable: it is busy, or a statement was interrupted.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT}
#: Messages, without a code of their own, for a value that a view cannot compute.
_SPOILT = {"malformed JSON", "integer overflow"}


@dataclass(slots=True)
class _OpenFile:
    """One version of the file behind the path, and the pool of connections that read it."""

    watched: WatchedFile
    version: FileVersion
    engine: AsyncEngine
    tables: Mapping[str, bool]
    state: SourceState
    users: int = 0
    retired: bool = False

    async def retire(self) -> None:
        """Close the pool, now or when the last connection comes back."""
        self.retired = True
        if not self.users:
            await self.engine.dispose()


@dataclass(frozen=True, slots=True)
class FileSession:
    """A connection to a file, on loan; see ``Session``.

    ``tables``: names in lower case, and whether their rows have numbers.
    """

    connection: AsyncConnection
    tables: Mapping[str, bool]
    state: SourceState

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows for ``keys``; raises NotMapped. See ``Session``."""
        for stored in lookup.tables:
            if stored.table.lower() not in self.tables:
                raise NotMapped(f"there is no table {stored.table}")
        numbered = all(self.tables[stored.table.lower()] for stored in lookup.tables)
        lookup = lookup.by_row if numbered and lookup.by_row is not None else lookup
        statement = lookup.statement if places is None else lookup.within(places)
        rows = (await self.connection.execute(statement, {KEYS: list(keys)})).all()
        if any(row[0] is None for row in rows):
            raise SourceUnavailable("the file's index does not fit its table")
        return cast("Sequence[Sequence[object]]", rows)

    async def as_of(self) -> object:
        """Return the file's statement of its freshness, None where there is none."""
        if STATEMENT_TABLE not in self.tables:
            return None
        return (await self.connection.execute(_AS_OF)).scalar()

    async def tables_state(self, _tables: Sequence[StoredTable]) -> str:
        """Return nothing: the version of the file covers all its tables."""
        return ""

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return what a statement finds."""
        result = await self.connection.execute(statement)
        return cast("Sequence[Sequence[object]]", result.all())

    async def probe(self) -> None:
        """Read the file."""
        await self.connection.execute(_PROBE)


class SqliteFile:
    """The SQLite file at ``path``.

    Nothing is opened before the first use. Each use checks the path first (some 10 us): a missing
    file is unavailable, and changed contents, in its place or in itself, are opened anew. So no
    file is created, no deleted file is read, and no cached page outlives its contents. Each use
    checks again at its end: rows that were read while the file changed are dropped. After an error
    that puts the open file in doubt, the next use opens it anew. Connections are read-only twice
    over (``mode=ro`` and ``query_only``).
    """

    idiom = SQLITE
    merges = False
    ends_when_cancelled = False
    renders = False

    def __init__(
        self,
        path: str,
        *,
        pool_size: int,
        busy_timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._path = Path(path).absolute()
        self._pool_size = pool_size
        self._busy_timeout = busy_timeout
        self._watched: tuple[tuple[int, int], WatchedFile] | None = None
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
                yield FileSession(connection, file.tables, file.state)
            if not file.watched.has(file.version):
                self._forget(file)
                raise SourceUnavailable("the file was changed while it was read")
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
        """End the statement that runs in ``session`` at once, in an error."""
        assert isinstance(session, FileSession)
        raw = await session.connection.get_raw_connection()
        await cast("aiosqlite.Connection", raw.driver_connection).interrupt()

    async def examine(self, lookups: Sequence[LookupStatement], thoroughly: bool) -> Examination:
        """See ``SqlSource.examine``. Thoroughly, the whole file is read."""
        try:
            async with self.use() as session:
                report = await examine_sqlite(session.connection, lookups)
                halfway = (await self._watch()).lacks_pages()
                whole = not thoroughly or await is_whole(session.connection)
        except SourceUnavailable as error:
            if str(error) not in _TORN:
                raise
            return Examination(tuple(file_findings(True)), reached=False)
        return replace(report, findings=(*report.findings, *file_findings(halfway or not whole)))

    async def close(self) -> None:
        """Close the file; the next use would open it again."""
        self._watched = None
        if self._open is not None:
            await self._forget(self._open).retire()

    async def _current(self) -> _OpenFile:
        """Return the open file with the present contents of the path, opening it if need be."""
        while True:
            watched = await self._watch()
            if self._open is not None and self._open.version == watched.version():
                return self._open
            if self._opening is None:  # once for all who wait for it
                self._opening = asyncio.create_task(self._start(watched))
            await asyncio.shield(self._opening)

    async def _watch(self) -> WatchedFile:
        """Return the file at the path; raises SourceUnavailable where there is none.

        Its descriptor lives as long as the file (``WatchedFile``).
        """
        try:
            status = self._path.stat()
            place = (status.st_dev, status.st_ino)
            if self._watched is not None and self._watched[0] == place:
                return self._watched[1]
            if not stat.S_ISREG(status.st_mode):
                raise OSError
            self._watched = place, WatchedFile(self._path, self._now)
        except OSError as error:
            await self.close()
            raise SourceUnavailable(f"no readable file ({type(error).__name__})") from None
        return self._watched[1]

    async def _start(self, watched: WatchedFile) -> None:
        """Open the watched file; a later change is noticed by the next check."""
        engine = self._engine()
        try:
            if self._open is not None:
                await self._forget(self._open).retire()
            version = await watched.settled()
            async with engine.connect() as connection:
                listed = await connection.execute(_TABLES)
                tables = {str(name): bool(numbered) for name, numbered in listed}
            if not tables:  # a file just created, or cut short: no statement about its records
                raise SourceUnavailable("the file holds no tables")
            self._open = _OpenFile(watched, version, engine, tables, SourceState(version.digest))
        except SQLAlchemyError as error:
            raise SourceUnavailable(_reason(error)) from None
        finally:
            self._opening = None
            if self._open is None or self._open.engine is not engine:
                await engine.dispose()

    def _forget(self, file: _OpenFile) -> _OpenFile:
        """Make the next use open the file anew."""
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
    """Leave text that is not UTF-8 as bytes: its row is unreadable, not the whole answer."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _code(error: SQLAlchemyError) -> int | None:
    """Return SQLite's primary error code, None for errors that are not SQLite's."""
    code = getattr(error.orig, "sqlite_errorcode", None) if isinstance(error, DBAPIError) else None
    return None if code is None else code & 0xFF


def _reason(error: SQLAlchemyError) -> str:
    """Return the name of an error, without its text: that may repeat values."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(original, "sqlite_errorname", type(original).__name__))
