"""One database as the gateway reaches it: its backend, its settings, and what went wrong.

``Source.fetch`` never raises for what a source does: every key gets an answer with a state. It
holds the timeout, the calls in flight, one more try, the circuit breaker and maintenance (design
section 8), and keeps in the cache what was read.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from connectors.backends.base import (
    NOBODY,
    Asker,
    Backend,
    Batch,
    DataFault,
    MessageEvidence,
    NotMapped,
    Rows,
    Scope,
    SourceMaintenance,
    SourceRefused,
    SourceUnavailable,
    merge_batches,
)
from connectors.description import Database, Group, Record, Text
from gateway.answer import STATE_MESSAGES, Answer, SourceReport, State
from gateway.cache.invalidations import Position
from gateway.cache.rows import Cache, CachedLookup, namespace_of
from gateway.fetch.breaker import BreakerState, CircuitBreaker
from gateway.fetch.coalescing import Batches, ReadWaiter
from gateway.fetch.coverage import coverage_of, narrow_database
from gateway.fetch.liveness import LivenessProbe
from gateway.fetch.maintenance import Maintenance, Window
from gateway.fetch.read import Read
from gateway.fetch.row_keys import ForeignRows, require_keys
from gateway.fetch.tables import SeenTables, Tables
from gateway.runtime.clock import Clock, legal_date
from gateway.settings import DatabaseSettings
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: What a source raises that answers: asking again does not help, and it is not down.
_THERE = (SourceRefused, SourceMaintenance, DataFault)
#: What part of the calls in flight one lookup takes before it collects.
_SHARE = 4
#: How many keys go into one call.
LARGEST_BATCH = 200
_LAPSED = Text(
    "Thỏa thuận khai thác dữ liệu đã hết hạn.", "The agreement to use this database has expired."
)
#: Seconds between two lines of the log that say that a database was switched.
_SWITCHES_EVERY = 60.0
#: What part of its time a call must have had before its end by the clock is the source's fault.
_PATIENCE = 0.9


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a database answered when it was last asked whether it is there.

    ``breaker``: whether this process asks it. ``maintenance``: now and planned.
    """

    state: State
    checked_at: datetime | None
    breaker: BreakerState
    maintenance: list[Window]


class Source:
    """One database. ``backend`` is None for a database that the gateway does not reach.

    ``maintenance``: what is planned beside the settings. ``deadline``: the longest that any request
    waits, in seconds. ``cache``: used as far as the settings and the backend allow it. ``seen``:
    tables that were there once.
    """

    def __init__(
        self,
        database: Database,
        backend: Backend | None,
        settings: DatabaseSettings,
        clock: Clock,
        maintenance: Maintenance | None = None,
        deadline: float = math.inf,
        cache: Cache | None = None,
        seen: SeenTables | None = None,
    ) -> None:
        self.database = narrow_database(database, settings)
        self.backend = backend
        self.settings = settings
        self.breaker = CircuitBreaker(settings.breaker_failures, clock, self._breaker_changed)
        self._show(self.breaker.state)
        self._seconds = metrics.SOURCE_SECONDS.labels(database.name)
        self._in_flight = metrics.SOURCE_CALLS.labels(database.name)
        self._clock = clock
        self._maintenance = maintenance
        self._patience = _PATIENCE * min(settings.timeout, deadline)
        self._calls = asyncio.Semaphore(settings.calls_in_flight)
        self._batches: dict[tuple[str, str], Batches] = {}
        self._at_once = max(1, settings.calls_in_flight // _SHARE)
        kept = backend is not None and backend.capabilities.cache_scope is Scope.PROCESS
        self.cache = cache if kept else None
        self._declared = namespace_of(
            database, settings.url, settings.xroad, settings.records, settings.zone
        )
        #: Where rows are kept: another place for each origin that they come from.
        self.namespace = self._declared
        self._origin: str | None = None
        self._switch_logged = -math.inf
        self._shelves: dict[tuple[str, str], CachedLookup | None] = {}
        self._refreshing: set[tuple[str, str]] = set()
        self._presence = (
            None
            if backend is None
            else LivenessProbe(database.name, backend, settings.timeout, clock, self.breaker)
        )
        self.tables = Tables(database, settings, seen or SeenTables(None, clock))
        self._coverages = {
            record.name: coverage_of(record, self.database, settings) for record in database.records
        }
        #: By lookup: what can be read of the database.
        self.reads = {
            lookup.name: Read(record, lookup)
            for record in database.records
            for lookup in record.lookups
        }

    def report(
        self,
        record: Record,
        state: State,
        *,
        as_of: datetime | None = None,
        fetched_at: datetime | None = None,
        from_cache: bool = False,
        message: Text | None = None,
        evidence: MessageEvidence | None = None,
    ) -> SourceReport:
        """Return a report for ``record`` in ``state``, with the sentence that goes with it."""
        return SourceReport(
            state,
            self.database,
            self._coverages[record.name],
            as_of,
            fetched_at,
            from_cache,
            message or STATE_MESSAGES.get(state),
            evidence=evidence,
        )

    def report_about(
        self, report: SourceReport, state: State, earlier_numbers_asked: bool | None
    ) -> SourceReport:
        """Return ``report`` for a person of whom so much is known, in the state that follows."""
        message = report.message if state is report.state else STATE_MESSAGES.get(state)
        return report.with_state(state, message, earlier_numbers_asked)

    def unasked(self, record: Record) -> Answer | None:
        """Return the answer that is certain without asking the database, or None."""
        if self.database.group is not Group.OPERATING or self.backend is None:
            return Answer(self.report(record, State.NOT_OPERATING))
        if self.has_lapsed():
            return Answer(self.report(record, State.NOT_OPERATING, message=_LAPSED))
        if self.settings.maintenance:
            return Answer(self.report(record, State.MAINTENANCE))
        window = self._window()
        if window is None:
            return None
        return Answer(self.report(record, State.MAINTENANCE, message=window.message))

    async def fetch(
        self,
        read: Read,
        keys: Sequence[str],
        left: float,
        asker: Asker = NOBODY,
        *,
        keeps: bool = True,
    ) -> list[Answer]:
        """Ask for ``keys`` and return an answer for each, in their order.

        ``left``: seconds that the request has left; the database's own timeout may be shorter.
        ``asker``: who asks; ``keys`` of several askers never come together. What is read goes into
        the cache if it ``keeps``. Costs one statement to the source, two where the first was not
        answered, none where the state is certain without or the breaker is open.
        """
        record = read.record
        certain = self.unasked(record)
        if certain is not None:
            return [certain for _ in keys]
        asked = _Asked(asker, self._clock.now(), keeps)
        try:
            async with asyncio.timeout(min(left, self.settings.timeout)):
                batch = await self._ask_apart(read, keys, asked)
        except NotMapped:
            failed = self._unmapped(read, asked)
        except TimeoutError:
            # Who has little time left learns nothing of the source.
            if asked.since is not None and asked.waited(self._clock) >= self._patience:
                self.breaker.ended(asked.turn, succeeded=False)
            failed = self._failed(record, State.TIMED_OUT, asked, "timeout")
        except SourceMaintenance as error:
            failed = self._failed(record, State.MAINTENANCE, asked, str(error))
        except SourceUnavailable as error:
            failed = self._failed(record, State.UNAVAILABLE, asked, str(error))
        except Exception:  # a defect of a backend costs its own lists only
            log.exception("backend failed", database=self.database.name, record=record.name)
            failed = self._failed(record, State.UNAVAILABLE, asked, "defect")
        else:
            return self._answered(read, keys, batch, asked)
        return [Answer(failed) for _ in keys]

    def ask(
        self,
        read: Read,
        keys: Sequence[str],
        left: float,
        asker: Asker,
        deliver: Callable[[ReadWaiter, Sequence[Answer] | None], None],
        apart: bool = False,
    ) -> ReadWaiter:
        """Have ``keys`` answered to ``deliver``, together with what others ask at the same time.

        As ``fetch``; returns at once. Where messages name who asks, nobody else's keys are put to
        them. A fresh read is made by a statement that has not begun yet. ``apart``: by a call of
        its own, and nothing of it is kept.
        """
        shelf = self.shelf(read)
        joins = not read.fresh and shelf is not None and shelf.freshness.fresh > 0
        until = self._clock.monotonic() + left
        waiter = ReadWaiter(keys, until, asker.client, deliver, joins)
        assert self.backend is not None
        if apart or self.backend.capabilities.batch_scope is Scope.CALLER:
            alone = partial(self.fetch, read, asker=asker, keeps=not apart)
            Batches(alone, self._clock, 1, len(keys)).add(waiter)
            return waiter
        name = (read.record.name, read.lookup.name)
        batches = self._batches.get(name)
        if batches is None:
            together = partial(self.fetch, read)
            batches = Batches(
                together,
                self._clock,
                self._at_once,
                LARGEST_BATCH,
                self._position,
                self._outdated,
                self.settings.timeout,
            )
            self._batches[name] = batches
        batches.add(waiter)
        return waiter

    def shelf(self, read: Read) -> CachedLookup | None:
        """Return where rows of a read's lookup are kept; None: they are not."""
        name = (read.record.name, read.lookup.name)
        if name not in self._shelves:
            freshness = self.settings.freshness(read.record.name)
            shelf = CachedLookup(self.namespace, read.record, read.lookup, freshness, self.report)
            kept = self.cache is not None and freshness.longest > 0
            self._shelves[name] = shelf if kept else None
        return self._shelves[name]

    def stale_or(
        self, read: Read, key: str, subject_numbers: tuple[str, ...], failed: Answer
    ) -> Answer:
        """Return older rows in place of an answer that failed, where there are any; else itself.

        Not where the database is in maintenance: that is no failure. ``subject_numbers``: of the
        person for whose view the rows are.
        """
        if failed.report.state not in {State.UNAVAILABLE, State.TIMED_OUT}:
            return failed
        shelf = self.shelf(read)
        if shelf is None or self.cache is None:
            return failed
        return self.cache.find_stale(shelf, key, subject_numbers) or failed

    def refresh(self, read: Read, key: str) -> None:
        """Have ``key`` read anew for whoever comes next, once at a time; returns at once."""
        name = (read.lookup.name, key)
        if name in self._refreshing or len(self._refreshing) >= LARGEST_BATCH:
            return
        self._refreshing.add(name)

        def done(_: ReadWaiter, answers: Sequence[Answer] | None) -> None:
            self._refreshing.discard(name)

        self.ask(read.with_freshness(True), [key], self.settings.timeout, NOBODY, done)

    def _position(self) -> Position | None:
        return None if self.cache is None else self.cache.position()

    def _outdated(self, since: Position) -> bool:
        """Say whether an invalidation since then may concern this database."""
        return self.cache is None or self.cache.log.known.touches(self.database.name, since)

    async def live(self) -> LiveState:
        """Return whether the database answers; it is asked every five seconds at most."""
        state, at = State.NOT_OPERATING, None
        operates = self.database.group is Group.OPERATING and not self.has_lapsed()
        if operates and self._presence is not None:
            state = State.MAINTENANCE
            if not self.in_maintenance():
                state, at = await self._presence.looked()
        planned = [] if self._maintenance is None else self._maintenance.windows(self.database.name)
        return LiveState(state, at, self.breaker.state, planned)

    async def _ask_apart(self, read: Read, keys: Sequence[str], asked: _Asked) -> Batch:
        """Ask for ``keys`` together, and by halves where rows bear none of the keys.

        So a key whose rows are mixed up costs itself alone. Raises what ``_ask`` does.
        """
        try:
            return await self._ask(read, keys, asked)
        except ForeignRows as error:
            if len(keys) == 1:
                return Batch({}, failed={keys[0]: str(error)})
        half = len(keys) // 2
        halves = (keys[:half], keys[half:])
        parts = [await self._ask_apart(read, part, asked) for part in halves]
        return merge_batches(parts)

    async def _ask(self, read: Read, keys: Sequence[str], asked: _Asked) -> Batch:
        """Ask the source, and once more if it did not answer: reading twice does no harm.

        What comes of it in the end counts for the breaker. Raises what ``Backend.fetch`` does;
        SourceUnavailable too while the breaker is open.
        """
        succeeded: bool | None = None
        try:
            batch = await self._twice(read, keys, asked)
            succeeded = True
        except NotMapped:
            succeeded = True
            raise
        except (*_THERE, ForeignRows):
            raise  # it answers, and says what it will not or cannot do, or what is no answer
        except SourceUnavailable:
            succeeded = False
            raise
        finally:
            if succeeded is not None and asked.since is not None:
                self.breaker.ended(asked.turn, succeeded)
        return batch

    async def _twice(self, read: Read, keys: Sequence[str], asked: _Asked) -> Batch:
        try:
            return await self._once(read, keys, asked)
        except _THERE:
            raise
        except SourceUnavailable:  # rows of other keys too: a file may have changed meanwhile
            if self.breaker.state is not BreakerState.CLOSED:
                raise
            metrics.SOURCE_RETRIES.labels(self.database.name).inc()
            return await self._once(read, keys, asked)

    async def _once(self, read: Read, keys: Sequence[str], asked: _Asked) -> Batch:
        assert self.backend is not None
        assert self._presence is not None
        async with self._calls:
            turn = self.breaker.enter()
            if turn is None:
                self._presence.ping_if_due()
                raise SourceUnavailable("not asked: the breaker is open")
            asked.begins(turn, self._clock, self._position() if asked.keeps else None)
            began = time.perf_counter()
            self._in_flight.inc()
            try:
                batch = await self.backend.fetch(read.record, read.lookup, keys, asked.asker)
            finally:
                self._in_flight.dec()
                self._seconds.observe(time.perf_counter() - began)
        try:
            require_keys(read.record, read.lookup, batch.by_key)
        except ForeignRows as error:
            metrics.FOREIGN_ROWS.labels(self.database.name).inc()
            log.error(
                "rows of other keys",
                database=self.database.name,
                record=read.record.name,
                lookup=read.lookup.name,
                reason=str(error),
            )
            raise
        return batch

    def in_maintenance(self) -> bool:
        """Whether the database is in maintenance now, by settings or by plan."""
        return self.settings.maintenance or self._window() is not None

    def has_lapsed(self) -> bool:
        """Whether the agreement by which another body's database is asked is over."""
        xroad = self.settings.xroad
        return xroad is not None and xroad.agreement.expires < legal_date(self._clock.now())

    def _breaker_changed(self, state: BreakerState) -> None:
        self._show(state)
        level = log.warning if state is BreakerState.OPEN else log.info
        level("breaker changed", database=self.database.name, breaker=state.name)

    def _show(self, state: BreakerState) -> None:
        for one in BreakerState:
            metrics.BREAKER.labels(self.database.name, one.name).set(one is state)

    def _window(self) -> Window | None:
        if self._maintenance is None:
            return None
        return self._maintenance.current(self.database.name)

    def _unmapped(self, read: Read, asked: _Asked) -> SourceReport:
        """Return the report of a record that the source does not keep."""
        if self.tables.are_gone(read.record, read.lookup):
            return self._failed(read.record, State.UNAVAILABLE, asked, "its table is gone")
        return self.report(read.record, State.NOT_OPERATING)

    def _failed(self, record: Record, state: State, asked: _Asked, reason: str) -> SourceReport:
        """Return the report of a failure, which is counted and logged."""
        metrics.SOURCE_FAILURES.labels(self.database.name, state.name).inc()
        if asked.since is None:  # it was not asked: the breaker is open, or no place came free
            return self.report(record, state)
        log.warning(
            "source failed",
            database=self.database.name,
            record=record.name,
            state=state.name,
            reason=reason,
        )
        return self.report(record, state, fetched_at=asked.at)

    def _answered(
        self, read: Read, keys: Sequence[str], batch: Batch, asked: _Asked
    ) -> list[Answer]:
        record = read.record
        self.tables.note_answered(record, read.lookup)
        self._note_origin(batch.origin)
        answers = []
        kept: dict[str, Answer] = {}
        shelf, position = self.shelf(read), asked.position
        reports: dict[tuple[State, MessageEvidence | None], SourceReport] = {}
        for key in keys:
            if key not in batch.by_key:
                answers.append(Answer(self.report(record, State.UNAVAILABLE, fetched_at=asked.at)))
                continue
            found: Rows = batch.by_key[key]
            said = State.PARTIAL if found.unreadable else State.ANSWERED, batch.evidence.get(key)
            report = reports.get(said)
            if report is None:
                state, evidence = said
                report = reports[said] = self.report(
                    record, state, as_of=batch.as_of, fetched_at=asked.at, evidence=evidence
                )
            answer = Answer(report, found.rows, found.unreadable, found.truncated)
            answers.append(answer)
            kept[key] = answer
        # Rows of several origins put together are of none: whose they are later nobody could tell.
        mixed = batch.origin is None and self._origin is not None
        if shelf is not None and self.cache is not None and position is not None and not mixed:
            self.cache.keep(shelf, kept, position)
        self._log_faults(record, batch)
        return answers

    def _note_origin(self, origin: str | None) -> None:
        """Begin an empty cache where rows come from another server, file or tables than before.

        The log says so once a minute at most: behind a balancer servers take turns.
        """
        if origin == self._origin or origin is None:
            return
        if self._origin is not None:
            metrics.SOURCE_SWITCHES.labels(self.database.name).inc()
            if self._clock.monotonic() - self._switch_logged >= _SWITCHES_EVERY:
                self._switch_logged = self._clock.monotonic()
                log.warning("database was switched or changed", database=self.database.name)
        self._origin, self.namespace = origin, f"{self._declared}:{origin}"
        self._shelves.clear()

    def _log_faults(self, record: Record, batch: Batch) -> None:
        if batch.failed:
            log.warning(
                "keys failed",
                database=self.database.name,
                record=record.name,
                count=len(batch.failed),
                reasons=sorted(set(batch.failed.values())),
            )
        faults = {fault for found in batch.by_key.values() for fault in found.faults}
        if faults:
            count = sum(found.unreadable for found in batch.by_key.values())
            log.warning(
                "unreadable rows",
                database=self.database.name,
                record=record.name,
                count=count,
                faults=sorted(faults),
            )


@dataclass(slots=True)
class _Asked:
    """Who asked a source, and when: ``at`` the statement, ``since`` the first try (monotonic).

    ``keeps``: what is read may be kept. ``position``: how far invalidations were known before the
    statement; None: it may not.
    """

    asker: Asker
    at: datetime
    keeps: bool = True
    since: float | None = None
    turn: int = 0
    position: Position | None = None

    def begins(self, turn: int, clock: Clock, position: Position | None) -> None:
        """Note that a call begins in this ``turn`` of the breaker."""
        self.at, self.turn, self.position = clock.now(), turn, position
        self.since = clock.monotonic() if self.since is None else self.since

    def waited(self, clock: Clock) -> float:
        """Return for how many seconds the source has been waited for."""
        return 0.0 if self.since is None else clock.monotonic() - self.since
