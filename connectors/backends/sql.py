"""Databases reached by SQL: SQLAlchemy Core builds the statements, each make runs its own."""

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
    NOT_RENDERED,
    Asker,
    Batch,
    Capabilities,
    DataFault,
    Examination,
    Finding,
    LookupKeys,
    NotMapped,
    Scope,
    SourceUnavailable,
    report_unreachable,
)
from connectors.backends.calls import SourceCalls
from connectors.backends.examination import examine_rows, measure_latency
from connectors.backends.isolation import UnreadableKeys, add_unreadable, isolate, merge_in_order
from connectors.backends.mariadb import MariadbServer
from connectors.backends.number_spellings import spellings
from connectors.backends.postgresql import PostgresqlServer
from connectors.backends.record_maps import RecordMap, StoredTable, map_records
from connectors.backends.row_counts import (
    CountRequest,
    GroupCounts,
    count_statement,
    decode_groups,
)
from connectors.backends.row_groups import NOTHING_SORTED, group_rows, sort_rows
from connectors.backends.row_renderer import RowRenderer
from connectors.backends.server import ServerOptions
from connectors.backends.session import LookupPart, Provenance, Session, SqlSource
from connectors.backends.sqlite import SqliteFile
from connectors.backends.statement import LookupStatement, lookup_statement
from connectors.backends.statement_merger import (
    KEYS_AT_ONCE,
    MergeLimits,
    RowSet,
    StatementMerger,
)
from connectors.description import Database, Lookup, Record
from connectors.row_template import RowTemplate

#: Seconds for which the state of a source is valid.
_STATE_KEPT = 10.0
#: Seconds that counting the rows of a record may take.
_COUNT_SECONDS = 60.0
#: Rows that a statement may give in any order: of few keys, and of each of many.
_ROWS, _ROWS_OF_A_KEY = 1_000, 16
#: Where so many keys of a statement must be read again, in order, those of its lookup are for so
#: many seconds.
_MANY_AGAIN, _ORDERED = 4, 60.0


class SqlBackend:
    """The tables of ``database`` behind a URL.

    ``url``: ``sqlite:///relative/path``, ``sqlite:////absolute/path``, or
    ``postgresql://user@host:port/database``, ``mariadb://...`` alike. ``pool_size``: connections,
    and so concurrent calls; further calls wait. ``busy_timeout``: seconds to wait for another's
    lock on a file. ``server``: further options of a server. ``maps`` and ``zone``: how records are
    stored in tables of other names (``connectors.backends.record_maps``). ``monotonic``: the clock
    for the age of the source's state, at most 10 seconds. ``now``: the clock for the age of a file,
    in seconds since 1970. ``merge_limits``: when lookups go as one statement. Raises ValueError for
    what cannot be used; its message leaves out the URL.

    A caller that is cancelled leaves at once: the statement is ended, and the connection comes back
    whole or is closed.
    """

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
        now: Callable[[], float] = time.time,
        merge_limits: MergeLimits | None = None,
    ) -> None:
        self._database = database
        self._source = sql_source(
            url, pool_size, busy_timeout, server or ServerOptions(), monotonic, now
        )
        self.capabilities = Capabilities(
            Scope.PROCESS, Scope.PROCESS, self._source.merges, self._source.renders
        )
        self._stored = map_records(database, maps, zone)
        self._monotonic = monotonic
        self._calls = SourceCalls(self._source, pool_size)
        self._merger = StatementMerger(
            self._calls,
            self._provenance,
            self._source.merges,
            monotonic,
            merge_limits or MergeLimits(),
        )
        self._renderer = RowRenderer(self._calls, self._provenance, monotonic)
        self._spoilt = UnreadableKeys(monotonic)
        self._ordered_until: dict[LookupStatement, float] = {}
        self._statements: dict[tuple[str, str], LookupStatement] = {}

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        return self._source.in_use

    async def open(self) -> None:
        """Do nothing: connections are opened on demand."""

    async def close(self) -> None:
        """Close all connections, once the calls in flight have ended; see ``Backend.close``."""
        await self._calls.close()
        await self._source.close()

    async def ping(self) -> None:
        """Run one small statement; raises SourceUnavailable."""
        await self._calls.run(lambda session: session.probe())

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        """Examine every lookup of every mapped record; see ``Backend.examine``."""
        searched = []
        for record in self._database.records:
            for lookup in record.lookups:
                with suppress(NotMapped):
                    searched.append((record, lookup, self._lookup_statement(record, lookup)))
        every = [statement for _, _, statement in searched]
        try:
            seen = await self._source.examine(every, thoroughly)
        except SourceUnavailable as error:
            return report_unreachable(error)
        if not thoroughly:
            return seen
        try:
            idiom = self._source.idiom
            row_findings, keys = await self._calls.run(
                lambda session: examine_rows(session, idiom, every, seen)
            )
        except SourceUnavailable as error:
            advice = "see whether its tables are views that take long"
            row_findings, keys = [Finding("rows", f"they cannot be read: {error}", advice)], {}
        fetches = [
            partial(self.fetch, record, lookup, [key])
            for record, lookup, statement in searched
            for key in keys.get(statement, ())
        ]
        findings = (*seen.findings, *row_findings)
        return replace(seen, findings=findings, latency=await measure_latency(fetches))

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows for ``keys``; see ``Backend.fetch``.

        Costs a statement per 500 keys; numbers that are stored in several spellings take 22 texts
        each. Raises SourceUnavailable or NotMapped.
        """
        unique = list(dict.fromkeys(keys))
        if not unique:
            return Batch({})
        statement = self._lookup_statement(record, lookup)
        apart = self._spoilt.among(statement, unique)
        if not apart:
            return await self._fetch_whole(statement, unique)
        rest = [key for key in unique if key not in apart]
        parts = [self._fetch_apart(statement, apart)]
        if rest:
            parts.append(self._fetch_whole(statement, rest))
        return merge_in_order(unique, await asyncio.gather(*parts))

    def group_lookups(self, lookups: Sequence[LookupKeys]) -> list[list[int]]:
        """Return which lookups are to be fetched together; see ``MergingBackend``.

        Not those with keys that fail a statement, or that are spelt in many ways.
        """
        return self._merger.group([self._mergeable(*lookup) for lookup in lookups])

    async def fetch_together(self, lookups: Sequence[LookupKeys]) -> list[Batch]:
        """Return the rows of several lookups, by one statement; see ``MergingBackend``."""
        parts = [
            self._part(self._lookup_statement(record, lookup), keys)
            for record, lookup, keys in lookups
        ]
        row_sets, provenance = await self._merger.find_together(parts)
        return [
            await self._finish(part, lookup.keys, rows, provenance)
            for part, lookup, rows in zip(parts, lookups, row_sets, strict=True)
        ]

    def _mergeable(
        self, record: Record, lookup: Lookup, keys: Sequence[str]
    ) -> tuple[LookupStatement | None, int]:
        try:
            statement = self._lookup_statement(record, lookup)
        except NotMapped:
            return None, len(keys)
        goes_alone = statement.normalised or self._spoilt.among(statement, keys)
        return None if goes_alone else statement, len(keys)

    def _part(self, statement: LookupStatement, keys: Sequence[str]) -> LookupPart:
        texts = _search_texts(statement, keys)
        return LookupPart(statement, texts, self._most_rows(statement, len(texts)))

    def renders(self, record: Record, lookup: Lookup, template: RowTemplate) -> bool:
        """Say whether rows may be written as JSON; see ``RenderingBackend``."""
        try:
            statement = self._lookup_statement(record, lookup)
        except NotMapped:
            return False
        return self._renderer.renders(statement, template)

    async def render(
        self, record: Record, lookup: Lookup, keys: Sequence[str], template: RowTemplate
    ) -> Batch:
        """Return the rows for ``keys`` as JSON; see ``RenderingBackend.render``."""
        unique = list(dict.fromkeys(keys))
        if not unique:
            return Batch({})
        statement = self._lookup_statement(record, lookup)
        texts = _search_texts(statement, unique)
        most = self._most_rows(statement, len(texts))
        if most is None or len(texts) < len(unique) or self._spoilt.among(statement, unique):
            return Batch(dict.fromkeys(unique, NOT_RENDERED))
        return await self._renderer.render(statement, unique, template, most)

    async def count(self, request: CountRequest) -> GroupCounts:
        """Count rows; see ``CountingBackend.count``."""
        stored = self._stored_table(request.record.name)
        statement = count_statement(stored, request)
        rows = await self._calls.run(lambda session: session.rows(statement, _COUNT_SECONDS))
        return decode_groups(stored, request, rows)

    async def _fetch_whole(self, statement: LookupStatement, keys: Sequence[str]) -> Batch:
        """Read all ``keys`` at once."""
        part = self._part(statement, keys)
        try:
            rows, provenance = await self._merger.find(*part)
        except DataFault:
            return await self._fetch_apart(statement, keys)
        return await self._finish(part, keys, rows, provenance)

    async def _finish(
        self, part: LookupPart, keys: Sequence[str], rows: RowSet, provenance: Provenance
    ) -> Batch:
        """Return the ``rows`` of ``part`` by key.

        A server has least work with rows in any order. Where there are too many of them, or their
        order cannot be told here, it gives those of the keys concerned again, in order.
        """
        statement, _, most = part
        origin = provenance.origin or None
        if most is None:
            by_key, failed = await group_rows(statement, keys, rows)
            return Batch(by_key, provenance.as_of, failed, origin=origin)
        sorted_rows = (
            NOTHING_SORTED if len(rows) >= most else await sort_rows(statement, keys, rows)
        )
        batch = Batch(sorted_rows.by_key, provenance.as_of, origin=origin)
        again = [key for key in keys if key not in sorted_rows.by_key]
        if not again:
            return batch
        if len(again) >= _MANY_AGAIN or not sorted_rows.is_sortable:
            self._ordered_until[statement] = self._monotonic() + _ORDERED
        ordered = await self._fetch_ordered(statement, again)
        return merge_in_order(keys, [batch, ordered]) if sorted_rows.by_key else ordered

    async def _fetch_ordered(self, statement: LookupStatement, keys: Sequence[str]) -> Batch:
        """Read all ``keys`` by a statement that gives rows in order."""
        part = LookupPart(statement, _search_texts(statement, keys))
        try:
            rows, provenance = await self._merger.find(*part)
        except DataFault:
            return await self._fetch_apart(statement, keys)
        return await self._finish(part, keys, rows, provenance)

    def _most_rows(self, statement: LookupStatement, keys: int) -> int | None:
        """Return how many rows of so many keys may come in any order; None: they may not."""
        if not (self._source.merges and statement.sorts and 0 < keys <= KEYS_AT_ONCE):
            return None
        until = self._ordered_until.get(statement)
        if until is not None and self._monotonic() < until:
            return None
        return min(keys * statement.most, max(_ROWS, keys * _ROWS_OF_A_KEY))

    async def _fetch_apart(self, statement: LookupStatement, keys: Sequence[str]) -> Batch:
        """Read ``keys`` in parts: some value fails the statement for all of them."""
        texts = _keys_by_text(statement, keys)
        result = await isolate(partial(self._merger.find_alone, statement), statement, list(texts))
        if statement.normalised:
            result = result.under(texts)
        self._spoilt.note(statement, result)
        by_key, failed = await group_rows(statement, keys, result.rows)
        batch = Batch(by_key, result.as_of, failed, origin=result.origin or None)
        return add_unreadable(batch, statement, result)

    def _lookup_statement(self, record: Record, lookup: Lookup) -> LookupStatement:
        """Return the statement of a lookup, built once; raises NotMapped."""
        name = (record.name, lookup.name)
        if name not in self._statements:
            through = None if lookup.through is None else self._stored_table(lookup.through[0])
            self._statements[name] = lookup_statement(
                self._source.idiom, self._stored_table(record.name), lookup, through
            )
        return self._statements[name]

    def _stored_table(self, name: str) -> StoredTable:
        if name not in self._database.by_name:
            raise NotMapped(f"{self._database.name} declares no record {name}")
        if name not in self._stored:
            raise NotMapped(f"{self._database.name} does not keep {name}, settings say")
        return self._stored[name]

    async def _provenance(self, session: Session) -> Provenance:
        """Return the source's state, read again when older than ten seconds."""
        state = session.state
        now = self._monotonic()
        if state.read_at is None or now - state.read_at >= _STATE_KEPT:
            state.tables = await session.tables_state(tuple(self._stored.values()))
            state.as_of = _moment(await session.as_of())
            state.read_at = now
        return Provenance(state.as_of, state.server + state.tables)


def _search_texts(statement: LookupStatement, keys: Sequence[str]) -> Sequence[str]:
    """Return the texts to search."""
    if statement.normalised:
        return list(_keys_by_text(statement, keys))
    return keys if "".join(keys).isascii() else [key for key in keys if _is_text(key)]


def _keys_by_text(statement: LookupStatement, keys: Sequence[str]) -> dict[str, str]:
    """Return the texts to search, each with its key."""
    texts = [key for key in keys if _is_text(key)]
    if not statement.normalised:
        return dict(zip(texts, texts, strict=True))
    return {text: key for key in texts for text in spellings(key)}


def _is_text(key: str) -> bool:
    """Whether any database could hold ``key``: drivers fail at half a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in key)


def _moment(value: object) -> datetime | None:
    """Return a source's statement as a moment in UTC, None where it is no moment."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def sql_source(
    url: str,
    pool_size: int,
    busy_timeout: float,
    server: ServerOptions,
    monotonic: Callable[[], float],
    now: Callable[[], float],
) -> SqlSource:
    """Return the source behind a URL; see ``SqlBackend``. Nothing is opened.

    Raises ValueError; messages leave the URL out: it may hold a password.
    """
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
        supported = "sqlite, postgresql and mariadb"
        raise ValueError(f"{make} databases are not supported, only {supported}")
    if not parsed.database or parsed.database == ":memory:" or parsed.host or parsed.query:
        raise ValueError("an SQLite URL is sqlite:///relative/path or sqlite:////absolute/path")
    return SqliteFile(parsed.database, pool_size=pool_size, busy_timeout=busy_timeout, now=now)
