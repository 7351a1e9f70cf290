"""Databases reached by SQL: the statements are SQLAlchemy Core's, how they run is each make's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from connectors.backends.base import (
    NOBODY,
    Asker,
    Batch,
    Capabilities,
    DataFault,
    Examination,
    Finding,
    NotMapped,
    Rows,
    Scope,
    SourceRefused,
    SourceUnavailable,
    read_rows,
    unreached,
)
from connectors.backends.calls import SourceCalls
from connectors.backends.examination import look_at_rows, measured
from connectors.backends.isolation import UnreadableKeys, isolated, merged, with_spoilt
from connectors.backends.mariadb import MariadbServer
from connectors.backends.number_spellings import normalised, spellings
from connectors.backends.postgresql import PostgresqlServer
from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import RecordMap, StoredTable, stored
from connectors.backends.server import ServerOptions
from connectors.backends.session import Provenance, Session, SqlSource
from connectors.backends.sqlite import SqliteFile
from connectors.backends.statement import SORTED_HERE, LookupStatement, wanted
from connectors.backends.statement_merger import StatementMerger
from connectors.codec import encode_text
from connectors.description import Database, Lookup, Record

_Raw = Sequence[object]
_Found = dict[str, list[_Raw]]

#: Seconds for which what a source states of itself, and of its tables, is kept.
_STATE_KEPT = 10.0
_ROWS_AT_ONCE = 200


class SqlBackend:
    """The tables of ``database`` behind a URL.

    ``url``: ``sqlite:///relative/path``, ``sqlite:////absolute/path``, or
    ``postgresql://user@host:port/database``, ``mariadb://...`` alike. ``pool_size``: connections,
    and so calls at the source at once; further calls wait. ``busy_timeout``: seconds to wait for
    another's lock on a file. ``server``: what else a server needs. ``maps`` and ``zone``: how
    records are kept in tables of other names (``connectors.backends.record_maps``).
    ``monotonic``: the clock by which the source's statement of its ``as_of`` is kept, for at most
    10 seconds. Raises ValueError for what cannot be used; its message leaves out the URL.

    A call to the driver, once begun, runs in a task of its own: a caller that is cancelled leaves
    at once, the statement is interrupted, and the connection comes back whole or is closed.
    """

    capabilities = Capabilities(batch_scope=Scope.PROCESS, cache_scope=Scope.PROCESS)

    def __init__(
        self,
        database: Database,
        url: str,
        *,
        pool_size: int = 4,
        busy_timeout: float = 0.25,
        server: ServerOptions | None = None,
        maps: Mapping[str, RecordMap] | None = None,
        zone: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._source = _source(url, pool_size, busy_timeout, server or ServerOptions(), monotonic)
        self._stored = stored(database, maps, zone)
        self._monotonic = monotonic
        self._calls = SourceCalls(self._source, pool_size)
        self._together = StatementMerger(self._calls, self._state, self._source.joins, monotonic)
        self._spoilt = UnreadableKeys(monotonic)
        self._wanted: dict[tuple[str, str], LookupStatement] = {}

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        return self._source.in_use

    async def open(self) -> None:
        """Do nothing: connections are made when they are needed."""

    async def close(self) -> None:
        """Close all connections, once the calls in flight have ended; see ``Backend.close``."""
        self._together.send()
        await self._calls.close()
        await self._source.close()

    async def ping(self) -> None:
        """Run one small statement; raises SourceUnavailable."""
        await self._calls.run(lambda session: session.probe())

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        """Look at every lookup of every mapped record; see ``Backend.examine``."""
        searched = []
        for record in self._database.records:
            for lookup in record.lookups:
                with suppress(NotMapped):
                    searched.append((record, lookup, self._want(record, lookup)))
        every = [want for _, _, want in searched]
        try:
            seen = await self._source.examine(every, thoroughly)
        except SourceUnavailable as error:
            return unreached(error)
        if not thoroughly:
            return seen
        try:
            idiom = self._source.idiom
            found, keys = await self._calls.run(
                lambda session: look_at_rows(session, idiom, every, seen)
            )
        except SourceUnavailable as error:
            advice = "see whether its tables are views that take long"
            found, keys = [Finding("rows", f"they cannot be read: {error}", advice)], {}
        fetches = [
            partial(self.fetch, record, lookup, [key])
            for record, lookup, want in searched
            for key in keys.get(want, ())
        ]
        findings = (*seen.findings, *found)
        return replace(seen, findings=findings, latency=await measured(fetches))

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows for ``keys``; see ``Backend.fetch``.

        Costs a statement, or a part of one (``statement_merger``), per 500 keys; of numbers that
        are kept in several spellings, 22 take the place of each key. Raises SourceUnavailable or
        NotMapped.
        """
        asked = list(dict.fromkeys(keys))
        if not asked:
            return Batch({})
        want = self._want(record, lookup)
        apart = self._spoilt.among(want, asked)
        if not apart:
            return await self._fetch_whole(want, asked)
        rest = [key for key in asked if key not in apart]
        parts = [self._fetch_apart(want, apart)]
        if rest:
            parts.append(self._fetch_whole(want, rest))
        return merged(asked, await asyncio.gather(*parts))

    async def _fetch_whole(self, want: LookupStatement, keys: Sequence[str]) -> Batch:
        """Ask for all ``keys`` at once."""
        try:
            rows, stated = await self._together.find(want, list(_texts(want, keys)))
        except DataFault:
            return await self._fetch_apart(want, keys)
        by_key, failed = await _read(want, _by_key(want, keys, rows))
        return Batch(by_key, stated.as_of, failed, origin=stated.origin or None)

    async def _fetch_apart(self, want: LookupStatement, keys: Sequence[str]) -> Batch:
        """Ask for ``keys`` in parts: some value fails the statement for all of them."""
        texts = _texts(want, keys)
        result = await isolated(partial(self._together.find_alone, want), want, list(texts))
        if want.normalised:
            result = result.under(texts)
        self._spoilt.note(want, result)
        by_key, failed = await _read(want, _by_key(want, keys, result.rows))
        batch = Batch(by_key, result.as_of, failed, origin=result.origin or None)
        return with_spoilt(batch, want, result)

    def _want(self, record: Record, lookup: Lookup) -> LookupStatement:
        """Return what a lookup runs, made once; raises NotMapped."""
        name = (record.name, lookup.name)
        if name not in self._wanted:
            through = None if lookup.through is None else self._kept(lookup.through[0])
            self._wanted[name] = wanted(
                self._source.idiom, self._kept(record.name), lookup, through
            )
        return self._wanted[name]

    def _kept(self, name: str) -> StoredTable:
        if name not in self._database.by_name:
            raise NotMapped(f"{self._database.name} declares no record {name}")
        if name not in self._stored:
            raise NotMapped(f"{self._database.name} does not keep {name}, settings say")
        return self._stored[name]

    async def _state(self, session: Session) -> Provenance:
        """Return what the source states of itself, read again when older than ten seconds."""
        known = session.known
        now = self._monotonic()
        if known.read_at is None or now - known.read_at >= _STATE_KEPT:
            known.tables = await session.tables_state(tuple(self._stored.values()))
            known.as_of = _moment(await session.as_of())
            known.read_at = now
        return Provenance(known.as_of, known.server + known.tables)


def _by_key(want: LookupStatement, keys: Sequence[str], rows: Sequence[_Raw]) -> _Found:
    """Return the raw rows found for each key, in the order in which they were found."""
    found: _Found = {key: [] for key in keys}
    for matched, *raw in rows:
        if not (want.whole or isinstance(matched, str)):
            raise SourceRefused(f"keys are kept as {type(matched).__name__}")
        text = normalised(str(matched)) if want.normalised else str(matched)
        if text in found:  # a source may find "007" equal to 7; the key was not that
            found[text].append(raw)
        elif isinstance(matched, float):
            raise SourceRefused("keys are kept as float")
    if not want.normalised:
        return found
    return {key: _each_once(want, raws) for key, raws in found.items()}


def _each_once(want: LookupStatement, rows: list[_Raw]) -> list[_Raw]:
    """Leave out rows found a second time, under another spelling of the same number."""
    place = want.stored.names.index(want.stored.at(want.stored.record.identity))
    kept: dict[str, list[_Raw]] = {}
    for raw in rows:
        same = kept.setdefault(str(raw[place]), [])
        if raw not in same:
            same.append(raw)
    return [raw for same in kept.values() for raw in same]


def _texts(want: LookupStatement, keys: Sequence[str]) -> dict[str, str]:
    """Return what the source is asked for, and for which key."""
    texts = [key for key in keys if _is_text(key)]
    if not want.normalised:
        return dict(zip(texts, texts, strict=True))
    return {text: key for key in texts for text in spellings(key)}


def _is_text(key: str) -> bool:
    """Whether any database could hold ``key``: drivers fail at half of a pair of surrogates."""
    return key.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in key)


async def _read(want: LookupStatement, found: _Found) -> tuple[dict[str, Rows], dict[str, str]]:
    """Decode the rows of each key, letting others run after every few hundred.

    Returns the rows by key, and for keys whose rows cannot be given why not.
    """
    stored = want.stored
    by_key: dict[str, Rows] = {}
    failed: dict[str, str] = {}
    rows = 0
    for key, raws in found.items():
        mine = raws if stored.read is None else [stored.read(raw) for raw in raws]
        if not stored.sorts and len(mine) > SORTED_HERE:
            # Which of them are the newest, nobody knows then.
            failed[key] = "too many rows whose dates do not sort"
            continue
        by_key[key] = read_rows(stored.record, mine if want.sorts else _sorted(stored, mine))
        rows += len(raws)
        if rows >= _ROWS_AT_ONCE:
            rows = 0
            await asyncio.sleep(0)
    return by_key, failed


def _sorted(stored: StoredTable, rows: list[_Raw]) -> list[_Raw]:
    """Put rows in order where the source did not: newest first, unknown dates last, by identity."""
    record = stored.record
    identity = record.positions[record.identity]
    rows.sort(key=lambda raw: (raw[identity] is None, _text(raw[identity])))
    if record.date is None:
        return rows
    date = record.positions[record.date]
    rows.sort(key=lambda raw: _text(raw[date]), reverse=True)
    rows.sort(key=lambda raw: raw[date] is None or raw[date] is UNREAD)
    return rows


def _text(value: object) -> str:
    return str(encode_text(value))


def _moment(stated: object) -> datetime | None:
    """Return a source's statement as a moment in UTC, None when it makes no sense."""
    try:
        moment = stated if isinstance(stated, datetime) else datetime.fromisoformat(str(stated))
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _source(
    url: str,
    pool_size: int,
    busy_timeout: float,
    server: ServerOptions,
    monotonic: Callable[[], float],
) -> SqlSource:
    """Return the source behind a URL. Messages leave the URL out: it may hold a password."""
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("a database URL must be written scheme://...") from None
    make = parsed.get_backend_name()
    if make == "postgresql":
        return PostgresqlServer(parsed, server, pool_size=pool_size, monotonic=monotonic)
    if make == "mariadb":
        return MariadbServer(parsed, server, pool_size=pool_size, monotonic=monotonic)
    if make != "sqlite":
        known = "sqlite, postgresql and mariadb"
        raise ValueError(f"{make} databases are not supported, only {known}")
    if not parsed.database or parsed.database == ":memory:" or parsed.host or parsed.query:
        raise ValueError("an SQLite URL is sqlite:///relative/path or sqlite:////absolute/path")
    return SqliteFile(parsed.database, pool_size=pool_size, busy_timeout=busy_timeout)
