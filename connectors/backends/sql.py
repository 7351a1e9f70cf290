"""Databases reached by SQL, through SQLAlchemy Core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from connectors.backends.base import (
    Batch,
    Capabilities,
    NotMapped,
    Rows,
    Scope,
    SourceUnavailable,
    read_rows,
)
from connectors.backends.session import Session, SqlSource
from connectors.backends.sqlite import SqliteFile
from connectors.backends.statement import KEYS, statement
from connectors.description import Database, Lookup, Record
from connectors.tables import STATEMENT_TABLE

_T = TypeVar("_T")
_Found = dict[str, list[Sequence[object]]]

_KEYS_AT_ONCE = 500
_AS_OF_KEPT = 10.0
_ROWS_AT_ONCE = 200

_AS_OF: sa.Executable = sa.select(sa.func.min(sa.column("as_of"))).select_from(
    sa.table(STATEMENT_TABLE)
)


class SqlBackend:
    """The tables of ``database`` (``connectors.tables``) behind a SQLAlchemy URL.

    ``url``: ``sqlite:///relative/path`` or ``sqlite:////absolute/path``; raises ValueError for
    other databases. ``pool_size``: connections, and so calls at the source at once; further calls
    wait. ``busy_timeout``: seconds to wait for another's lock. ``monotonic``: the clock by which
    the source's statement of its ``as_of`` is kept, for at most 10 seconds.

    A call to the driver, once begun, runs in a task of its own: a caller that is cancelled leaves
    at once, the statement is interrupted, and the connection comes back whole.
    """

    capabilities = Capabilities(batch_scope=Scope.PROCESS, cache_scope=Scope.PROCESS)

    def __init__(
        self,
        database: Database,
        url: str,
        *,
        pool_size: int = 4,
        busy_timeout: float = 0.25,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._source = _source(url, pool_size, busy_timeout)
        self._monotonic = monotonic
        self._slots = asyncio.Semaphore(pool_size)
        self._calls: set[asyncio.Task[object]] = set()
        self._statements: dict[tuple[str, str], sa.Executable] = {}
        self._closed = False

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        return self._source.in_use

    async def open(self) -> None:
        """Do nothing: connections are made when they are needed."""

    async def close(self) -> None:
        """Close all connections, once the calls in flight have ended; see ``Backend.close``."""
        self._closed = True
        if self._calls:
            await asyncio.wait(self._calls)
        await self._source.close()

    async def ping(self) -> None:
        """Run one small statement; raises SourceUnavailable."""

        async def ask(session: Session) -> None:
            await session.connection.execute(self._source.probe)

        await self._call(ask)

    async def fetch(self, record: Record, lookup: Lookup, keys: Sequence[str]) -> Batch:
        """Return the rows for ``keys``; see ``Backend.fetch``.

        Costs a statement per 500 keys. Raises SourceUnavailable or NotMapped.
        """
        asked = list(dict.fromkeys(keys))
        if not asked:
            return Batch({})
        if record.name not in self._database.by_name:
            raise NotMapped(f"{self._database.name} declares no record {record.name}")
        wanted = self._statement(record, lookup)
        tables = [record.table]
        if lookup.through is not None:
            tables.append(self._database.by_name[lookup.through[0]].table)

        async def read(session: Session) -> tuple[_Found, datetime | None]:
            for table in tables:
                if table.lower() not in session.known.tables:
                    raise NotMapped(f"there is no table {table}")
            as_of = await self._as_of(session)  # read first, it is true of the rows as well
            return await _find(session, wanted, asked), as_of

        found, as_of = await self._call(read)
        return Batch(await _read(record, found), as_of)

    def _statement(self, record: Record, lookup: Lookup) -> sa.Executable:
        """Return the statement for a lookup, built once."""
        name = (record.name, lookup.name)
        if name not in self._statements:
            through = None if lookup.through is None else self._database.by_name[lookup.through[0]]
            self._statements[name] = statement(record, lookup, through)
        return self._statements[name]

    async def _as_of(self, session: Session) -> datetime | None:
        """Return what the source states of itself, read again when older than ten seconds."""
        known = session.known
        if STATEMENT_TABLE not in known.tables:
            return None
        now = self._monotonic()
        if known.as_of_read is None or now - known.as_of_read >= _AS_OF_KEPT:
            known.as_of = _moment((await session.connection.execute(_AS_OF)).scalar())
            known.as_of_read = now
        return known.as_of

    async def _call(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Run ``work`` with a connection, out of reach of the caller's cancellation."""
        await self._slots.acquire()
        if self._closed:
            self._slots.release()
            raise SourceUnavailable("closed")
        call = _Call(self._source, work)
        task = asyncio.create_task(call.run())
        self._calls.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            await call.abandon()
            raise
        return task.result()

    def _ended(self, task: asyncio.Task[_T]) -> None:
        self._calls.discard(task)
        self._slots.release()
        if not task.cancelled():
            task.exception()  # seen, even when the caller has left


class _Call(Generic[_T]):
    """One piece of work at a source, which its caller may abandon."""

    def __init__(self, source: SqlSource, work: Callable[[Session], Awaitable[_T]]) -> None:
        self._source = source
        self._work = work
        self._session: Session | None = None
        self._abandoned = False

    async def run(self) -> _T:
        async with self._source.use() as session:
            if self._abandoned:
                raise SourceUnavailable("abandoned")
            self._session = session
            try:
                return await self._work(session)
            finally:
                self._session = None

    async def abandon(self) -> None:
        """Stop the statement that runs; one that has not begun never will."""
        self._abandoned = True
        if self._session is not None:
            await self._source.interrupt(self._session)


async def _find(session: Session, wanted: sa.Executable, keys: list[str]) -> _Found:
    """Return the raw rows found for each key, in order."""
    found: _Found = {key: [] for key in keys}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        for matched, *raw in await session.connection.execute(wanted, {KEYS: some}):
            if str(matched) in found:  # a source may find "007" equal to 7; the key was not that
                found[str(matched)].append(raw)
    return found


async def _read(record: Record, found: _Found) -> dict[str, Rows]:
    """Decode the rows of each key, letting others run after every few hundred."""
    by_key: dict[str, Rows] = {}
    rows = 0
    for key, raws in found.items():
        by_key[key] = read_rows(record, raws)
        rows += len(raws)
        if rows >= _ROWS_AT_ONCE:
            rows = 0
            await asyncio.sleep(0)
    return by_key


def _moment(stated: object) -> datetime | None:
    """Return a source's statement as a moment in UTC, None when it makes no sense."""
    try:
        moment = stated if isinstance(stated, datetime) else datetime.fromisoformat(str(stated))
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)


def _source(url: str, pool_size: int, busy_timeout: float) -> SqlSource:
    """Return the source behind a URL. Messages leave the URL out: it may hold a password."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise ValueError("a database URL is written scheme://...") from None
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"{parsed.get_backend_name()} databases are not supported, only sqlite")
    if not parsed.database or parsed.database == ":memory:" or parsed.host or parsed.query:
        raise ValueError("an SQLite URL is sqlite:///relative/path or sqlite:////absolute/path")
    return SqliteFile(parsed.database, pool_size=pool_size, busy_timeout=busy_timeout)
