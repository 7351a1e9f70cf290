"""Reads that note what they took: for the one request whose caller wants to see its plan.

Other requests are read by ``Reads`` itself and pay nothing for it. A traced request has a batch of
its own (``gateway.execution.execute``), so that no note counts what another request reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from connectors.backends.base import Asker
from gateway.answer import Answer, State, worst
from gateway.cache.rows import Hit
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.coalescing import ReadWaiter
from gateway.fetch.reads import ColumnPart, ReadColumn, Reads
from gateway.fetch.sharing import SHARE_ALL, Sharing
from gateway.fetch.source import Source
from gateway.runtime.clock import Clock

_NO_TIME = timedelta()


class CacheUse(Enum):
    """Whether rows could come from the cache: looked up, bypassed for fresh rows, or not kept."""

    LOOKED_UP = 1
    BYPASSED = 2
    NOT_CACHED = 3


@dataclass(slots=True, eq=False)
class FetchNote:
    """What was noted of the keys of one lookup that were sent in one turn.

    ``wave``: from 1; one more than that of the reads whose answers led to it. ``keys``: how many;
    ``cached_keys``: answered by the cache; ``stale_keys``: answered by older rows, since the source
    failed. ``state``: of the read itself, the worst of its keys, None while nothing has come.
    ``is_asked``: a statement went to the database. ``breaker_open``: none did, because the breaker
    is open. Times in seconds since the trace began: ``sent``, ``ended``; ``waited``: from sending
    to the statement, which is for a place, for company and for a first try that failed.
    """

    read: Read
    wave: int
    keys: int
    cache: CacheUse
    sent: float
    sent_at: datetime
    cached_keys: int = 0
    stale_keys: int = 0
    state: State | None = None
    is_asked: bool = False
    breaker_open: bool = False
    ended: float = 0.0
    waited: float = 0.0

    def note_state(self, state: State) -> None:
        """Note the state of an answer; the worst stays."""
        self.state = state if self.state is None else worst((self.state, state))

    def note_delivered(self, answers: Iterable[Answer], source: Source) -> None:
        """Note what the source answered, before older rows stand in for a failure."""
        for answer in answers:
            report = answer.report
            self.note_state(report.state)
            if report.fetched_at is not None:
                self.is_asked = True
                waited = max(report.fetched_at - self.sent_at, _NO_TIME).total_seconds()
                self.waited = max(self.waited, waited)
            elif report.state is State.UNAVAILABLE:
                self.breaker_open = source.breaker.state is BreakerState.OPEN


@dataclass(slots=True, eq=False)
class FetchTrace:
    """What was noted while one request was executed.

    ``began``: when its document was known (monotonic). ``executed``: seconds from then until the
    execution began; ``shaping``: seconds in which its data were put together.
    """

    clock: Clock
    began: float = field(init=False)
    executed: float = 0.0
    shaping: float = 0.0
    fetches: list[FetchNote] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin now."""
        self.began = self.clock.monotonic()

    def elapsed(self) -> float:
        """Return the seconds since the trace began."""
        return self.clock.monotonic() - self.began


class TracedReads(Reads):
    """The reads of a batch of one request, noted in ``trace``."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Clock,
        deadline: float,
        asker: Asker,
        sharing: Sharing = SHARE_ALL,
        *,
        trace: FetchTrace,
    ) -> None:
        super().__init__(sources, clock, deadline, asker, sharing)
        self._trace = trace
        self._reached = 0
        self._notes: dict[tuple[ReadColumn, str], FetchNote] = {}

    def expire(self) -> None:
        """Note that what is still waited for did not come in time; as ``Reads.expire``."""
        for note in self._notes.values():
            note.note_state(State.TIMED_OUT)
        for part in self._in_flight.values():
            for key in part.keys:
                self._notes[part.column, key].is_asked = True
        super().expire()

    def _send(self) -> None:
        wave, self._reached = self._reached + 1, 0
        sent, sent_at = self._trace.elapsed(), self._clock.now()
        for column in self._columns.values():
            if not column.queue:
                continue
            note = FetchNote(
                column.sent, wave, len(column.queue), _cache_use(column), sent, sent_at
            )
            self._trace.fetches.append(note)
            self._notes.update(((column, key), note) for key in column.queue)
        super()._send()

    def _use(self, part: ColumnPart, hits: Mapping[str, Hit]) -> None:
        for key in hits:
            note = self._notes.get((part.column, key))
            if note is not None:
                note.cached_keys += 1
        super()._use(part, hits)

    def _deliver(self, waiter: ReadWaiter, answers: Sequence[Answer] | None) -> None:
        column = self._in_flight[waiter].column
        note = self._notes.get((column, waiter.keys[0]))
        if note is not None and answers is not None:
            note.note_delivered(answers, column.source)
        super()._deliver(waiter, answers)

    def _store(self, column: ReadColumn, answers: Mapping[str, Answer]) -> None:
        super()._store(column, answers)
        ended = self._trace.elapsed()
        for key, answer in answers.items():
            note = self._notes.pop((column, key), None)
            if note is None:
                continue
            note.ended = ended
            self._reached = max(self._reached, note.wave)
            if answer.report.state is State.STALE:
                note.stale_keys += 1
            else:
                note.note_state(answer.report.state)


def _cache_use(column: ReadColumn) -> CacheUse:
    if column.source.cached_lookup(column.sent) is None:
        return CacheUse.NOT_CACHED
    return CacheUse.BYPASSED if column.sent.fresh else CacheUse.LOOKED_UP
