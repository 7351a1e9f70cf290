"""A source: one database as the gateway reaches it, with its backend, settings and circuit breaker.

``Source.fetch`` never raises for what a database does: every key gets an answer with a state. The
source enforces the timeout and maintenance (design section 8), has reads coalesced and called
(``gateway.fetch.coalescing``, ``gateway.fetch.calls``), and stores in the cache what it reads.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from connectors.backends.base import (
    NOBODY,
    Asker,
    Backend,
    Batch,
    LookupKeys,
    MessageEvidence,
    NotMapped,
    Scope,
    SourceMaintenance,
    SourceUnavailable,
    merging_backend,
    rendering_backend,
)
from connectors.description import Database, Group, Record, Text
from gateway.answer import STATE_MESSAGES, Answer, SourceReport, State
from gateway.cache.invalidations import Position
from gateway.cache.rows import Cache, CachedLookup, namespace_of
from gateway.catalogue.read import Read
from gateway.fetch.batch_answers import make_answers
from gateway.fetch.breaker import BreakerState, CircuitBreaker
from gateway.fetch.calls import BackendCall, BackendCaller
from gateway.fetch.coalescing import Batches, ReadWaiter
from gateway.fetch.contacts import CacheShare, Contacts
from gateway.fetch.coverage import coverage_of, narrow_database
from gateway.fetch.joint_calls import JointCalls
from gateway.fetch.maintenance import Maintenance, Window
from gateway.fetch.tables import SeenTables, Tables
from gateway.runtime.clock import Clock, legal_date
from gateway.settings import DatabaseSettings
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")

#: The part of the calls in flight that one lookup takes before its reads are coalesced.
_LOOKUP_SHARE = 4
#: The most keys in one call.
LARGEST_BATCH = 200
_LAPSED = Text(
    "Thỏa thuận khai thác dữ liệu đã hết hạn.", "The agreement to use this database has expired."
)
#: Seconds between two log lines about a switched database.
_SWITCH_LOG_INTERVAL = 60.0
#: A call that times out counts as the source's failure once it has had this part of its time.
_PATIENCE = 0.9
#: The part of its time that a joint call has.
_JOINT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class LiveState:
    """Whether a database was up when it was last pinged (``checked_at``; None: it was not).

    ``breaker``: whether this process asks it. ``maintenance``: windows open now and planned.
    """

    state: State
    checked_at: datetime | None
    breaker: BreakerState
    maintenance: list[Window]


class Source:
    """One database. ``backend`` is None for a database that the gateway does not reach.

    ``maintenance``: windows planned beside those of the settings. ``deadline``: the longest that
    any request waits, in seconds. ``cache``: used as far as the settings and the backend allow it.
    ``seen``: tables that have been there. Belongs to one event loop; ``close`` ends its tasks.
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
        self._show_breaker(self.breaker.state)
        self._clock = clock
        self._maintenance = maintenance
        self._patience = _PATIENCE * min(settings.timeout, deadline)
        self.contacts = Contacts(clock, self._patience)
        self.cache_use = CacheShare(clock.now())
        self._batches: dict[tuple[str, str], Batches] = {}
        self._parallel_calls = max(1, settings.calls_in_flight // _LOOKUP_SHARE)
        may_cache = backend is not None and backend.capabilities.cache_scope is Scope.PROCESS
        self.cache = cache if may_cache else None
        self._declared_namespace = namespace_of(
            database, settings.url, settings.xroad, settings.records, settings.zone
        )
        #: The part of the cache for rows of the present origin (server, file or tables).
        self.namespace = self._declared_namespace
        self._origin: str | None = None
        self._switch_logged = -math.inf
        self._cached_lookups: dict[tuple[str, str], CachedLookup | None] = {}
        self._refreshing: set[tuple[str, str]] = set()
        self._joint_calls = self._make_joint_calls()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._caller = None if backend is None else self._make_caller(backend)
        self.tables = Tables(database, settings, seen or SeenTables(None, clock))
        self._coverages = {
            record.name: coverage_of(record, self.database, settings) for record in database.records
        }
        #: The reads of the database, by the name of their lookup.
        self.reads = {
            lookup.name: Read(record, lookup)
            for record in database.records
            for lookup in record.lookups
        }

    def _make_caller(self, backend: Backend) -> BackendCaller:
        return BackendCaller(
            self.database.name,
            backend,
            self.settings,
            self._clock,
            self.breaker,
            self.contacts,
            self._log_position,
            self.start,
        )

    def _make_joint_calls(self) -> JointCalls:
        merging = None if self.backend is None else merging_backend(self.backend)
        return JointCalls(
            self.fetch,
            self.fetch_together,
            None if merging is None else merging.group_lookups,
            self._clock,
            self.settings.timeout,
            self.start,
        )

    async def open(self) -> None:
        """Open the backend, which may connect later."""
        if self.backend is not None:
            await self.backend.open()

    async def close(self) -> None:
        """End the calls and pings that are still running, and close the backend."""
        for batches in self._batches.values():
            batches.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.backend is not None:
            await self.backend.close()

    def start(self, work: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
        """Run ``work`` beside the requests; ``close`` ends it at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

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
        """Return a report for ``record``; ``message``: in place of the sentence of the state."""
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

    def report_for_person(
        self, report: SourceReport, state: State, earlier_numbers_asked: bool | None
    ) -> SourceReport:
        """Return ``report`` for a person, in the ``state`` that what is known of them leads to."""
        message = report.message if state is report.state else STATE_MESSAGES.get(state)
        return report.with_state(state, message, earlier_numbers_asked)

    @property
    def is_told_who_asks(self) -> bool:
        """Whether messages to the source name the asker, so that they never mix askers."""
        if self.backend is None:
            return False
        return self.backend.capabilities.batch_scope is Scope.CALLER

    def certain_answer(self, record: Record) -> Answer | None:
        """Return the answer that is certain without a read; None: the database must be asked."""
        if self.database.group is not Group.OPERATING or self.backend is None:
            return Answer(self.report(record, State.NOT_OPERATING))
        if self.settings.xroad is not None and self.has_lapsed():
            return Answer(self.report(record, State.NOT_OPERATING, message=_LAPSED))
        if self.settings.maintenance:
            return Answer(self.report(record, State.MAINTENANCE))
        window = self.current_window()
        if window is None:
            return None
        return Answer(self.report(record, State.MAINTENANCE, message=window.message))

    async def fetch(
        self,
        read: Read,
        keys: Sequence[str],
        seconds_left: float,
        asker: Asker = NOBODY,
        *,
        stores: bool = True,
    ) -> list[Answer]:
        """Fetch ``keys`` and return an answer for each, in their order.

        ``seconds_left``: of the request; the database's own timeout may be shorter. ``asker``: who
        asks; ``keys`` of several askers never come together. ``stores``: what is read goes into the
        cache. Costs one statement, two where the first was not answered, none where the state is
        certain without or the breaker is open.
        """
        record = read.record
        certain = self.certain_answer(record)
        if certain is not None:
            return [certain] * len(keys)
        call = BackendCall(asker, self._clock.now(), stores and self._is_cached(read))
        assert self._caller is not None
        try:
            async with asyncio.timeout(min(seconds_left, self.settings.timeout)):
                batch = await self._caller.fetch(read, keys, call)
        except NotMapped:
            failed = self._report_unmapped(read, call)
        except TimeoutError:
            # A request with little time left says nothing of the source.
            if call.began_at is not None and call.seconds(self._clock) >= self._patience:
                self.breaker.count(call.turn, succeeded=False)
            failed = self._report_failure(record, State.TIMED_OUT, call, "timeout")
        except SourceMaintenance as error:
            failed = self._report_failure(record, State.MAINTENANCE, call, str(error))
        except SourceUnavailable as error:
            failed = self._report_failure(record, State.UNAVAILABLE, call, str(error))
        except Exception:  # a defect of a backend costs its own lists only
            log.exception("backend failed", database=self.database.name, record=record.name)
            failed = self._report_failure(record, State.UNAVAILABLE, call, "defect")
        else:
            return self._make_answers(read, keys, batch, call)
        return [Answer(failed)] * len(keys)

    async def fetch_together(
        self, reads: Sequence[tuple[Read, Sequence[str]]], seconds_left: float
    ) -> list[list[Answer] | None]:
        """Fetch the keys of several reads by one call; return what ``fetch`` returns for each.

        None for a read that has to be fetched alone, because something has failed. Half of the time
        is left for that: so one that hangs costs the others no answer. Costs one statement.
        """
        alone: list[list[Answer] | None] = [None] * len(reads)
        if self.certain_answer(reads[0][0].record) is not None:
            return alone
        is_cached = any(self._is_cached(read) for read, _ in reads)
        call = BackendCall(NOBODY, self._clock.now(), is_cached)
        lookups = [LookupKeys(read.record, read.lookup, keys) for read, keys in reads]
        assert self._caller is not None
        try:
            async with asyncio.timeout(_JOINT_SHARE * min(seconds_left, self.settings.timeout)):
                batches = await self._caller.fetch_together(lookups, call)
        except (SourceUnavailable, NotMapped, TimeoutError):
            return alone
        return [
            None if batch is None else self._make_answers(read, keys, batch, call)
            for (read, keys), batch in zip(reads, batches, strict=True)
        ]

    def ask(
        self,
        read: Read,
        keys: Sequence[str],
        seconds_left: float,
        asker: Asker,
        deliver: Callable[[ReadWaiter, Sequence[Answer] | None], None],
        isolated: bool = False,
    ) -> ReadWaiter:
        """Fetch ``keys`` in a batch with what others ask at the same time; returns at once.

        ``deliver`` is called with the answers. A fresh read is made by a statement that has not
        begun yet. Where messages name who asks, the keys of several askers are never sent together.
        ``isolated``: by a call of its own, of which nothing is stored.
        """
        cached = self.cached_lookup(read)
        may_join = cached is not None and cached.freshness.fresh > 0
        joins = may_join and not read.fresh
        until = self._clock.monotonic() + seconds_left
        waiter = ReadWaiter(keys, until, asker.client, deliver, joins)
        assert self.backend is not None
        # What is written for one plan is written for no other.
        is_alone = isolated or read.template is not None
        if is_alone or self.backend.capabilities.batch_scope is Scope.CALLER:
            fetch = self.fetch(read, keys, seconds_left, asker, stores=not isolated)
            self.start(fetch).add_done_callback(partial(_hand_over, waiter))
            return waiter
        name = (read.record.name, read.lookup.name)
        batches = self._batches.get(name)
        if batches is None:
            batches = Batches(
                read,
                self._joint_calls.schedule,
                self._clock,
                self._parallel_calls,
                LARGEST_BATCH,
                self._log_position if may_join else _no_position,
                self._may_be_outdated,
                self.settings.timeout,
            )
            self._batches[name] = batches
        batches.add(waiter)
        return waiter

    def cached_lookup(self, read: Read) -> CachedLookup | None:
        """Return where the rows of a read are cached; None: they are not."""
        if read.template is not None:
            return None
        name = (read.record.name, read.lookup.name)
        if name not in self._cached_lookups:
            freshness = self.settings.freshness(read.record.name)
            cached = CachedLookup(self.namespace, read.record, read.lookup, freshness, self.report)
            is_cached = self.cache is not None and freshness.longest > 0
            self._cached_lookups[name] = cached if is_cached else None
        return self._cached_lookups[name]

    def _is_cached(self, read: Read) -> bool:
        return self.cached_lookup(read) is not None

    def renders(self, read: Read) -> bool:
        """Say whether the database writes rows as ``read.template`` says. About a microsecond."""
        backend, template = self.backend, read.template
        rendering = None if backend is None else rendering_backend(backend)
        if rendering is None or template is None:
            return False
        return rendering.renders(read.record, read.lookup, template)

    def stale_or(
        self, read: Read, key: str, subject_numbers: tuple[str, ...], failed: Answer
    ) -> Answer:
        """Return older rows in place of an answer that ``failed``, or that answer.

        Maintenance is no failure. ``subject_numbers``: of the person for whose view the rows are.
        """
        if failed.report.state not in {State.UNAVAILABLE, State.TIMED_OUT}:
            return failed
        cached = self.cached_lookup(read)
        if cached is None or self.cache is None:
            return failed
        return self.cache.find_stale(cached, key, subject_numbers) or failed

    def refresh(self, read: Read, key: str) -> None:
        """Read ``key`` anew in the background, for the next request; at most once at a time."""
        name = (read.lookup.name, key)
        if name in self._refreshing or len(self._refreshing) >= LARGEST_BATCH:
            return
        self._refreshing.add(name)

        def finish(_: ReadWaiter, answers: Sequence[Answer] | None) -> None:
            self._refreshing.discard(name)

        self.ask(read.with_freshness(True), [key], self.settings.timeout, NOBODY, finish)

    def _log_position(self) -> Position | None:
        return None if self.cache is None else self.cache.position()

    def _may_be_outdated(self, since: Position, age: float) -> bool:
        """Say whether rows whose read began ``age`` seconds ago, at a position, may not be served.

        For an invalidation since then that may concern this database, or for how far they lag.
        """
        name, cache = self.database.name, self.cache
        if cache is None or cache.log.invalidations.touches(name, since):
            return True
        now = self._clock.now().timestamp()
        return not cache.lag.is_within(name, now - age, now)

    async def live(self) -> LiveState:
        """Return whether the database answers; it is pinged every five seconds at most."""
        state, checked_at = State.NOT_OPERATING, None
        operates = self.database.group is Group.OPERATING and not self.has_lapsed()
        if operates and self._caller is not None:
            state = State.MAINTENANCE
            if not self.in_maintenance():
                state, checked_at = await self._caller.probe.last_state()
        return LiveState(state, checked_at, self.breaker.state, self.maintenance_windows())

    def maintenance_windows(self) -> list[Window]:
        """Return the planned windows that are open or to come, in order of begin."""
        return [] if self._maintenance is None else self._maintenance.windows(self.database.name)

    def in_maintenance(self) -> bool:
        """Whether the database is in maintenance now, by settings or by a planned window."""
        return self.settings.maintenance or self.current_window() is not None

    def current_window(self) -> Window | None:
        """Return the planned window that is open now; None: there is none."""
        if self._maintenance is None:
            return None
        return self._maintenance.current(self.database.name)

    def has_lapsed(self) -> bool:
        """Whether the agreement by which another body's database is read has expired."""
        xroad = self.settings.xroad
        return xroad is not None and xroad.agreement.expires < legal_date(self._clock.now())

    def _breaker_changed(self, state: BreakerState) -> None:
        self._show_breaker(state)
        level = log.warning if state is BreakerState.OPEN else log.info
        level("breaker changed", database=self.database.name, breaker=state.name)

    def _show_breaker(self, state: BreakerState) -> None:
        for possible in BreakerState:
            gauge = metrics.BREAKER.labels(self.database.name, possible.name)
            gauge.set(possible is state)

    def _report_unmapped(self, read: Read, call: BackendCall) -> SourceReport:
        """Return the report of a record that the database does not have."""
        if self.tables.are_gone(read.record, read.lookup):
            return self._report_failure(read.record, State.UNAVAILABLE, call, "its table is gone")
        return self.report(read.record, State.NOT_OPERATING)

    def _report_failure(
        self, record: Record, state: State, call: BackendCall, reason: str
    ) -> SourceReport:
        """Count and log a failure; return its report."""
        metrics.SOURCE_FAILURES.labels(self.database.name, state.name).inc()
        if call.began_at is None:  # it was not asked: the breaker is open, or no place came free
            return self.report(record, state)
        log.warning(
            "source failed",
            database=self.database.name,
            record=record.name,
            state=state.name,
            reason=reason,
        )
        return self.report(record, state, fetched_at=call.at)

    def _make_answers(
        self, read: Read, keys: Sequence[str], batch: Batch, call: BackendCall
    ) -> list[Answer]:
        """Return the answers to ``keys``, in their order, and store them in the cache."""
        record = read.record
        self.tables.note_answered(record, read.lookup)
        self._note_origin(batch.origin)
        report = partial(self.report, record, fetched_at=call.at)
        answers = make_answers(record, report, keys, batch)
        self._store(read, keys, answers, batch, call.position)
        return answers

    def _store(
        self,
        read: Read,
        keys: Sequence[str],
        answers: Sequence[Answer],
        batch: Batch,
        position: Position | None,
    ) -> None:
        """Store what was read in the cache."""
        cached = self.cached_lookup(read)
        # Rows of several origins are cached for none: nobody could tell later whose they are.
        mixed = batch.origin is None and self._origin is not None
        if cached is None or self.cache is None or position is None or mixed:
            return
        storable = dict(zip(keys, answers, strict=True))
        if batch.by_key.keys() < storable.keys():
            storable = {key: storable[key] for key in keys if key in batch.by_key}
        self.cache.keep(cached, storable, position)

    def _note_origin(self, origin: str | None) -> None:
        """Use another namespace of the cache where rows come from another server, file or tables.

        Logged once a minute at most: behind a load balancer servers take turns.
        """
        if origin == self._origin or origin is None:
            return
        if self._origin is not None:
            metrics.SOURCE_SWITCHES.labels(self.database.name).inc()
            if self._clock.monotonic() - self._switch_logged >= _SWITCH_LOG_INTERVAL:
                self._switch_logged = self._clock.monotonic()
                log.warning("database was switched or changed", database=self.database.name)
        self._origin, self.namespace = origin, f"{self._declared_namespace}:{origin}"
        self._cached_lookups.clear()


def _no_position() -> None:
    """Stand in for the position in the log of invalidations where nobody may join a call."""


def _hand_over(waiter: ReadWaiter, task: asyncio.Task[list[Answer]]) -> None:
    """Hand over the answers that ``task`` has fetched; None after a defect."""
    failed = task.cancelled() or task.exception() is not None
    if not waiter.gone:
        waiter.deliver(waiter, None if failed else task.result())
