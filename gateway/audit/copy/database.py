"""The copy of the journals in a database, for finding a person's entries.

It has the lines of every journal as they are in the segments, and an index by person. Every failure
is CopyUnavailable: a copy that could not be queried must never look as if nobody had read anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from gateway.settings import Settings

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
#: Seconds for a connection and for one statement.
_PATIENCE = 5.0

METADATA = sa.MetaData()


class CopyUnavailable(Exception):
    """The copy cannot be queried, or does not answer in time."""


class _Moment(sa.TypeDecorator[datetime]):
    """A moment with its zone; in SQLite, which has no zones, in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


ENTRIES = sa.Table(
    "audit_entries",
    METADATA,
    sa.Column("journal", sa.String(16), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("at", _Moment, nullable=False),
    sa.Column("entry_id", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

PERSONS = sa.Table(
    "audit_persons",
    METADATA,
    sa.Column("journal", sa.String(16), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person", sa.String(80), primary_key=True),
    sa.Column("role", sa.String(16), primary_key=True),
    sa.Column("at", _Moment, nullable=False),
    sa.Column("entry_id", sa.String(64), nullable=False),
    sa.Column("shows_from", _Moment),
    sa.Column("guardian_hidden", sa.Boolean, nullable=False),
)


def _partial(name: str, where: sa.ColumnElement[bool]) -> sa.Index:
    """Declare an index of the newest entries of each person, over a part of the table.

    It has every column that tells entries apart, in the order of a page, so no query sorts,
    whatever the database estimates.
    """
    person = PERSONS.c
    indexed = person.person, person.at.desc(), person.entry_id, person.journal, person.seq
    return sa.Index(name, *indexed, postgresql_where=where, sqlite_where=where)


#: The role of people whom a refused request named. It is a literal in statements: with a parameter,
#: the plan of a prepared statement could not use a partial index.
REFUSED = sa.literal("REFUSED", literal_execute=True)
#: One index of the entries that an access log shows, one of refusals: a log never reads refusals,
#: however many name the person.
_partial("audit_persons_shown", PERSONS.c.role != "REFUSED")
_partial("audit_persons_refused", PERSONS.c.role == "REFUSED")

JOURNALS = sa.Table(
    "audit_journals",
    METADATA,
    sa.Column("journal", sa.String(16), primary_key=True),
    sa.Column("shipped_seq", sa.BigInteger, nullable=False),
    sa.Column("shipped_until", _Moment),
)


@dataclass(frozen=True, slots=True)
class Shipped:
    """The end of a journal in the copy: entry ``seq`` (with ``mac``).

    ``until``: no entry before this time is missing; None: not known yet.
    """

    seq: int
    mac: str | None
    until: datetime | None


@dataclass(slots=True)
class Load:
    """Rows to ship together."""

    entries: list[dict[str, object]] = field(default_factory=list)
    persons: list[dict[str, object]] = field(default_factory=list)


class Copy:
    """The database with the copy. ``url``: a SQLAlchemy URL of PostgreSQL or SQLite.

    Raises ValueError for other databases. Connects on first use.
    """

    def __init__(self, url: str | sa.URL, patience: float = _PATIENCE) -> None:
        parsed = _parsed(url)
        backend = parsed.get_backend_name()
        if backend not in _DRIVERS:
            raise ValueError(f"audit.copy_url must be PostgreSQL or SQLite, not {backend}")
        if parsed.drivername == backend:
            parsed = parsed.set(drivername=_DRIVERS[backend])
        #: Where the copy is, without user and password.
        self.place = _place(parsed.set(drivername=backend))
        is_sqlite = backend == "sqlite"
        limits: dict[str, Any] = {"timeout": patience}
        if not is_sqlite:
            limits["command_timeout"] = patience
        self._patience = patience
        self._engine = create_async_engine(parsed, connect_args=limits, pool_pre_ping=True)
        self._calls: set[asyncio.Task[Any]] = set()
        if is_sqlite:
            sa.event.listen(self._engine.sync_engine, "connect", _durable)

    @classmethod
    def from_settings(cls, settings: Settings) -> Copy | None:
        """Return the copy of ``settings``; the path of SQLite is relative to their folder."""
        if settings.audit.copy_url is None:
            return None
        parsed = _parsed(settings.audit.copy_url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            path = settings.path(Path(parsed.database)).absolute()
            path.parent.mkdir(parents=True, exist_ok=True)
            parsed = parsed.set(database=str(path))
        return cls(parsed)

    async def close(self) -> None:
        """Wait for the calls in flight, then close all connections."""
        if self._calls:
            await asyncio.wait(self._calls)
        await self._engine.dispose()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """Run ``work`` in a transaction; raises CopyUnavailable.

        It runs in its own task: a caller that is cancelled does not break a connection.
        """
        call = asyncio.create_task(self._run(work))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._patience * 2):
                return await asyncio.shield(call)
        except CopyUnavailable:
            raise
        except Exception as error:  # of the database, its driver or the network
            raise CopyUnavailable(type(error).__name__) from error

    async def shipped(self, journal: str) -> Shipped:
        """Return the end of a journal here; creates the tables and its row if missing.

        A row that was removed, but not the entries, is created as it was: without its time.
        """

        async def work(connection: AsyncConnection) -> Shipped:
            await connection.run_sync(_create)
            statement = sa.select(JOURNALS).where(JOURNALS.c.journal == journal)
            row = (await connection.execute(statement)).one_or_none()
            if row is not None:
                seq, until = row.shipped_seq, row.shipped_until
            else:
                last = sa.select(sa.func.max(ENTRIES.c.seq)).where(ENTRIES.c.journal == journal)
                seq, until = (await connection.execute(last)).scalar() or 0, None
                new = {"journal": journal, "shipped_seq": seq}
                await connection.execute(sa.insert(JOURNALS), new)
            mac = (await connection.execute(_mac(journal, seq))).scalar_one_or_none()
            return Shipped(seq, mac, until)

        return await self.run(work)

    async def ship(self, journal: str, load: Load, since: Shipped, to: Shipped) -> None:
        """Insert rows and the new end of the journal in a transaction; raises CopyUnavailable.

        ``since``: the end of the journal here, as far as the caller knows. Nothing is inserted if
        it is another one by now: the copy was restored, or is a replica that lacks the last rows.
        """
        update = (
            sa.update(JOURNALS)
            .where(JOURNALS.c.journal == journal, JOURNALS.c.shipped_seq == since.seq)
            .values(shipped_seq=to.seq, shipped_until=to.until)
        )
        if since.seq:
            update = update.where(_mac(journal, since.seq).scalar_subquery() == since.mac)

        async def work(connection: AsyncConnection) -> None:
            # First, because it locks the row: what another process is committing is waited for.
            if (await connection.execute(update)).rowcount != 1:
                raise CopyUnavailable(f"the copy of this journal does not end at entry {since.seq}")
            await _insert(connection, ENTRIES, load.entries)
            await _insert(connection, PERSONS, load.persons)

        await self.run(work)

    async def _run(self, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        async with self._engine.begin() as connection:
            return await work(connection)

    def _ended(self, call: asyncio.Task[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # retrieved, even if the caller was cancelled


def _parsed(url: str | sa.URL) -> sa.URL:
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError:  # its text shows the URL, which may hold a password
        raise ValueError("audit.copy_url must be written scheme://...") from None


def _place(url: sa.URL) -> str:
    """Return ``url`` without user, password and options, of which some may be secret."""
    options = {name: url.query[name] for name in ("host", "port") if name in url.query}
    plain = sa.URL.create(url.drivername, None, None, url.host, url.port, url.database, options)
    return plain.render_as_string()


def _mac(journal: str, seq: int) -> sa.Select[str]:
    """Return the statement that reads the mac of an entry."""
    return sa.select(ENTRIES.c.mac).where(ENTRIES.c.journal == journal, ENTRIES.c.seq == seq)


async def _insert(
    connection: AsyncConnection, table: sa.Table, rows: Sequence[dict[str, object]]
) -> None:
    if rows:
        await connection.execute(sa.insert(table), rows)


def _durable(connection: Any, _record: object) -> None:
    """Configure SQLite: readers and the shipper do not block each other; commits are durable."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _create(connection: sa.Connection) -> None:
    """Create the tables if there are none, and warn of indexes that an older copy lacks.

    Raises LookupError if only some tables exist: the others were lost, and empty ones would read as
    "nobody looked". Indexes are not created here: on a large table that takes minutes, during which
    nothing could be shipped.
    """
    inspector = sa.inspect(connection)
    missing = [name for name in METADATA.tables if not inspector.has_table(name)]
    if missing and len(missing) < len(METADATA.tables):
        raise LookupError("some tables of the copy are missing")
    METADATA.create_all(connection)
    present = {index["name"] for index in sa.inspect(connection).get_indexes(PERSONS.name)}
    lacking = sorted({str(index.name) for index in PERSONS.indexes} - present)
    if lacking:
        log.warning("audit_copy_index_missing", indexes=lacking, see="docs/reference/audit.md")
