"""One database as the gateway reaches it: its backend, its settings, and what went wrong.

``Source.fetch`` never raises for what a source does: every key gets an answer with a state. It
holds the timeout, the calls in flight and, where settings allow them, older rows in place of a
failure.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from connectors.backends.base import Backend, Batch, NotMapped, Rows, Scope, SourceUnavailable
from connectors.description import Coverage, Database, Group, Lookup, Record
from gateway.answer import Answer, SourceReport, State
from gateway.clock import Clock
from gateway.settings import DatabaseSettings

log = structlog.get_logger(__name__)

_KEPT = 10_000
_LIVE_FOR = 5.0

_MESSAGES = {
    State.STALE: "Nguồn không trả lời; đây là dữ liệu đã lưu trước đó. / "
    "The database did not answer; these are rows read earlier.",
    State.PARTIAL: "Một số bản ghi không đọc được. / Some records could not be read.",
    State.UNAVAILABLE: "Cơ sở dữ liệu không trả lời. / The database did not answer.",
    State.TIMED_OUT: "Cơ sở dữ liệu không trả lời kịp thời. / The database did not answer in time.",
    State.MAINTENANCE: "Cơ sở dữ liệu đang bảo trì. / The database is under maintenance.",
    State.NOT_OPERATING: "Chưa vận hành hoặc chưa kết nối. / Not operating or not connected.",
    State.WITHHELD: "Không được cung cấp theo quy định của pháp luật. / Withheld by law.",
    State.DENIED: "Mã truy cập không đủ quyền. / The token does not permit this.",
}


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a database answered when it was last asked whether it is there."""

    state: State
    checked_at: datetime | None


class Source:
    """One database. ``backend`` is None for a database that the gateway does not reach."""

    def __init__(
        self, database: Database, backend: Backend | None, settings: DatabaseSettings, clock: Clock
    ) -> None:
        self.database = _narrowed(database, settings)
        self.backend = backend
        self.settings = settings
        self._clock = clock
        self._calls = asyncio.Semaphore(settings.calls_in_flight)
        self._older: OrderedDict[tuple[str, str, str], tuple[Answer, float]] = OrderedDict()
        self._live: tuple[asyncio.Task[LiveState], float] | None = None
        self._coverages = {
            one.name: _coverage(one, self.database, settings) for one in database.records
        }

    def report(
        self,
        record: Record,
        state: State,
        *,
        as_of: datetime | None = None,
        fetched_at: datetime | None = None,
        from_cache: bool = False,
    ) -> SourceReport:
        """Return a report for ``record`` in ``state``, with the sentence that goes with it."""
        return SourceReport(
            state,
            self.database,
            self._coverages[record.name],
            as_of,
            fetched_at,
            from_cache,
            _MESSAGES.get(state),
        )

    def unasked(self, record: Record) -> State | None:
        """Return the state that is certain without asking the database, or None."""
        if self.database.group is not Group.OPERATING or self.backend is None:
            return State.NOT_OPERATING
        return State.MAINTENANCE if self.settings.maintenance else None

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], left: float
    ) -> list[Answer]:
        """Ask for ``keys`` and return an answer for each, in their order.

        ``left``: seconds that the request has left; the database's own timeout may be shorter.
        Costs one statement to the source, or none where the state is certain without.
        """
        certain = self.unasked(record)
        if certain is not None:
            return [Answer(self.report(record, certain)) for _ in keys]
        started = self._clock.now()
        try:
            async with asyncio.timeout(min(left, self.settings.timeout)), self._calls:
                started = self._clock.now()
                assert self.backend is not None
                batch = await self.backend.fetch(record, lookup, keys)
        except NotMapped:
            return [Answer(self.report(record, State.NOT_OPERATING)) for _ in keys]
        except TimeoutError:
            log.warning("source timed out", database=self.database.name, record=record.name)
            failed = self.report(record, State.TIMED_OUT, fetched_at=started)
        except SourceUnavailable as error:
            log.warning(
                "source unavailable",
                database=self.database.name,
                record=record.name,
                reason=str(error),
            )
            failed = self.report(record, State.UNAVAILABLE, fetched_at=started)
        except Exception:  # a defect of a backend costs its own lists only
            log.exception("backend failed", database=self.database.name, record=record.name)
            failed = self.report(record, State.UNAVAILABLE, fetched_at=started)
        else:
            return self._answered(record, lookup, keys, batch, started)
        return [self._older_or(record, lookup, key, failed) for key in keys]

    async def live(self) -> LiveState:
        """Return whether the database answers; it is asked every five seconds at most."""
        now = self._clock.monotonic()
        if self._live is None or now - self._live[1] > _LIVE_FOR:
            self._live = (asyncio.create_task(self._ask()), now)
        return await asyncio.shield(self._live[0])

    async def _ask(self) -> LiveState:
        if self.database.group is not Group.OPERATING or self.backend is None:
            return LiveState(State.NOT_OPERATING, None)
        if self.settings.maintenance:
            return LiveState(State.MAINTENANCE, None)
        now = self._clock.now()
        try:
            async with asyncio.timeout(self.settings.timeout):
                await self.backend.ping()
        except TimeoutError:
            return LiveState(State.TIMED_OUT, now)
        except SourceUnavailable:
            return LiveState(State.UNAVAILABLE, now)
        except Exception:  # a defect of a backend costs its own lists only
            log.exception("backend failed", database=self.database.name)
            return LiveState(State.UNAVAILABLE, now)
        return LiveState(State.ANSWERED, now)

    def _answered(
        self, record: Record, lookup: Lookup, keys: Sequence[str], batch: Batch, started: datetime
    ) -> list[Answer]:
        answers = []
        for key in keys:
            found: Rows = batch.by_key[key]
            state = State.PARTIAL if found.unreadable else State.ANSWERED
            report = self.report(record, state, as_of=batch.as_of, fetched_at=started)
            answer = Answer(report, found.rows, found.unreadable, found.truncated)
            self._keep(record, lookup, key, answer)
            answers.append(answer)
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
        return answers

    def _keep(self, record: Record, lookup: Lookup, key: str, answer: Answer) -> None:
        assert self.backend is not None
        shared = self.backend.capabilities.cache_scope is Scope.PROCESS
        if self.settings.stale_if_error <= 0 or not shared:
            return
        self._older[record.name, lookup.name, key] = (answer, self._clock.monotonic())
        self._older.move_to_end((record.name, lookup.name, key))
        if len(self._older) > _KEPT:
            self._older.popitem(last=False)

    def _older_or(self, record: Record, lookup: Lookup, key: str, failed: SourceReport) -> Answer:
        """Return rows read earlier within the bound, else the failure."""
        kept = self._older.get((record.name, lookup.name, key))
        if kept is None or self._clock.monotonic() - kept[1] > self.settings.stale_if_error:
            return Answer(failed)
        older = kept[0]
        report = self.report(
            record,
            State.STALE,
            as_of=older.report.as_of,
            fetched_at=older.report.fetched_at,
            from_cache=True,
        )
        return replace(older, report=report)


def _narrowed(database: Database, settings: DatabaseSettings) -> Database:
    return replace(
        database,
        group=settings.group or database.group,
        coverage=_narrow(database.coverage, settings),
    )


def _coverage(record: Record, database: Database, settings: DatabaseSettings) -> Coverage:
    return database.coverage if record.coverage is None else _narrow(record.coverage, settings)


def _narrow(coverage: Coverage, settings: DatabaseSettings) -> Coverage:
    """Narrow what is declared to covered; settings never widen it."""
    provinces, since = coverage.provinces, coverage.since
    if settings.provinces is not None:
        declared = settings.provinces if provinces is None else provinces
        provinces = tuple(one for one in settings.provinces if one in declared)
    if settings.since is not None:
        since = settings.since if since is None else max(since, settings.since)
    return replace(coverage, provinces=provinces, since=since)
