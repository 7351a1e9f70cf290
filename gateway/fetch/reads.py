"""The reads of a batch: each key of each lookup once, sent together, within one deadline.

What is asked for in one turn of the event loop is looked up in the cache together, and what is not
cached goes to a source together. Nothing waits for a source that it does not depend on. Waiting
ends at the deadline, whatever a source does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.backends.base import Asker, Scope
from gateway.answer import Answer, State
from gateway.cache.answer_store import Used
from gateway.cache.rows import Cache, Hit, SharedRead
from gateway.catalogue.read import Read
from gateway.fetch.coalescing import ReadWaiter
from gateway.fetch.sharing import SHARE_ALL, Sharing
from gateway.fetch.source import LARGEST_BATCH, Source
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: The numbers of the person for whose view rows are read; empty: of nobody who is known.
SubjectNumbers = tuple[str, ...]


@dataclass(slots=True, eq=False)
class ReadColumn:
    """The answers to one read, by key.

    ``read``: as it was asked for; ``sent``: as it goes to the source, fresh where the batch's
    sharing says so. ``asker``: on whose behalf, where messages to the source say so; else None.
    ``subjects``: the keys that were asked for, with the numbers of the person for whose view.
    ``queue``: those of them that are not sent yet. ``answers``: what has arrived. ``served``: the
    entries of the cache behind the answers that come from there.
    """

    read: Read
    sent: Read
    source: Source
    asker: Asker | None
    subjects: dict[str, SubjectNumbers] = field(default_factory=dict)
    queue: dict[str, SubjectNumbers] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    served: dict[str, Used] = field(default_factory=dict)

    def ask(self, keys: Iterable[str], subject_numbers: SubjectNumbers = ()) -> None:
        """Ask for ``keys``, for the view of the person with ``subject_numbers``.

        Each key is asked for once.
        """
        subjects, queue = self.subjects, self.queue
        for key in keys:
            if key in subjects:
                same = subjects[key] == subject_numbers
                if same or self._may_serve(key, subject_numbers):
                    continue
                self.answers.pop(key, None)
                self.served.pop(key, None)
            subjects[key] = queue[key] = subject_numbers

    def take(self, key: str, answer: Answer) -> None:
        """Answer ``key`` with what another column has for it."""
        self.subjects.setdefault(key, ())
        self.answers.setdefault(key, answer)

    def _may_serve(self, key: str, subject_numbers: SubjectNumbers) -> bool:
        """Say whether rows that were asked for about somebody else will do for this person too.

        Not where they come from the cache, and this person's were invalidated since.
        """
        if self.read.lookup.on is None:
            return True
        cached = self.source.cached_lookup(self.read)
        if cached is None or self.source.cache is None:
            return True
        answer = self.answers.get(key)
        if answer is None or not answer.report.from_cache:
            return True
        return self.source.cache.may_serve(cached, key, subject_numbers, answer)


@dataclass(frozen=True, slots=True)
class ColumnPart:
    """Some keys of a column on their way, with the subject numbers of each."""

    column: ReadColumn
    keys: Mapping[str, SubjectNumbers]

    def without(self, keys: Mapping[str, object]) -> ColumnPart:
        """Return the part without ``keys``."""
        rest = {key: numbers for key, numbers in self.keys.items() if key not in keys}
        return ColumnPart(self.column, rest)

    def split(self) -> Sequence[ColumnPart]:
        """Return parts with as many keys as go into one call."""
        if len(self.keys) <= LARGEST_BATCH:
            return [self]
        keys = list(self.keys.items())
        starts = range(0, len(keys), LARGEST_BATCH)
        return [ColumnPart(self.column, dict(keys[at : at + LARGEST_BATCH])) for at in starts]


class Reads:
    """The reads of one batch.

    ``deadline`` is a moment of the clock's monotonic time. ``asker``: who asks, where a column does
    not say so. ``sharing``: what the batch shares with others. Used from one task.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Clock,
        deadline: float,
        asker: Asker,
        sharing: Sharing = SHARE_ALL,
    ) -> None:
        self._sources = sources
        self._asker = asker
        self._clock = clock
        self._deadline = deadline
        self._sharing = sharing
        self._columns: dict[Hashable, ReadColumn] = {}
        self._in_flight: dict[ReadWaiter, ColumnPart] = {}
        self._in_shared_cache: list[ColumnPart] = []
        self._closed = False
        self._arrived: dict[ReadColumn, None] = {}
        self._wake: asyncio.Future[None] | None = None
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False

    def column(self, read: Read, asker: Asker | None = None) -> ReadColumn:
        """Return the answers to ``read``; for ``asker`` alone where the source is told who asks."""
        source = self._sources[read.record.database]
        is_private = (
            source.backend is not None and source.backend.capabilities.batch_scope is Scope.CALLER
        )
        asker = (asker or self._asker) if is_private else None
        key = (read.kind, asker)
        column = self._columns.get(key)
        if column is None:
            fresh = read.fresh or self._sharing.is_fresh(read.record)
            column = ReadColumn(read, read.with_freshness(fresh), source, asker)
            self._columns[key] = column
        return column

    def is_waiting(self) -> bool:
        """Whether something is on its way."""
        return bool(self._in_flight or self._in_shared_cache)

    def has_work(self) -> bool:
        """Whether something is on its way, has arrived, or is still to be sent."""
        queued = any(column.queue for column in self._columns.values())
        return queued or bool(self._arrived) or self.is_waiting()

    async def arrive(self, other_work: int = 0) -> Sequence[ReadColumn]:
        """Send what is queued and return the columns in which something has arrived since.

        ``other_work``: how many things are awaited beside reads, which end with ``wake_up``. Empty
        when nothing is in flight any more, or when ``wake_up`` was called.
        """
        self._send()
        while not (self._arrived or self._woken) and (other_work or self.is_waiting()):
            loop = asyncio.get_running_loop()
            self._wake = loop.create_future()
            if self._timer is None:
                self._timer = loop.call_later(self._seconds_left(), self.expire)
            try:
                await self._wake
            finally:
                self._wake = None
        arrived, self._arrived, self._woken = list(self._arrived), {}, False
        return arrived

    def close(self) -> None:
        """Stop waiting. What is in flight ends by its database's own timeout."""
        self._closed = True
        self._leave()
        if self._timer is not None:
            self._timer.cancel()

    def copy_answers(self, reads: Reads) -> None:
        """Take over what has arrived in ``reads``."""
        for key, source_column in reads._columns.items():
            column = self._columns.get(key)
            if column is None:
                column = ReadColumn(
                    source_column.read,
                    source_column.sent,
                    source_column.source,
                    source_column.asker,
                )
                self._columns[key] = column
            for answered in source_column.answers:
                column.subjects[answered] = source_column.subjects[answered]
            column.answers.update(source_column.answers)
            column.served.update(source_column.served)

    def expire(self) -> None:
        """Answer in place of the sources that are still being waited for, and of all from now on.

        What was asked of them ends by their own timeout, which is never later than the deadline.
        """
        self._expired = True
        unanswered = [*self._leave().values(), *self._in_shared_cache]
        self._in_shared_cache = []
        for part in unanswered:
            late = Answer(part.column.source.report(part.column.read.record, State.TIMED_OUT))
            self._store(part.column, _or_stale(part, dict.fromkeys(part.keys, late)))
        self._notify()

    def send_queued(self) -> bool:
        """Send what is queued; return whether something has arrived, as what is in the cache."""
        self._send()
        return bool(self._arrived)

    def wake_up(self) -> None:
        """Let ``arrive`` return, whether or not anything has arrived."""
        self._woken = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _seconds_left(self) -> float:
        return 0.0 if self._expired else max(self._deadline - self._clock.monotonic(), 0.0)

    def _send(self) -> None:
        left = self._seconds_left()
        missed = []
        for column in self._columns.values():
            if not column.queue:
                continue
            part, column.queue = ColumnPart(column, column.queue), {}
            source, record = column.source, column.read.record
            certain = source.certain_answer(record)
            if certain is not None:
                self._store(column, dict.fromkeys(part.keys, certain))
                continue
            source.cache_use.keys += len(part.keys)
            if left <= 0:
                late = Answer(source.report(record, State.TIMED_OUT))
                self._store(column, _or_stale(part, dict.fromkeys(part.keys, late)))
                continue
            rest = part if column.sent.fresh else self._serve_cached(part)
            if rest.keys:
                missed.append(rest)
        shared = [part for part in missed if _may_be_shared(part)]
        for part in missed:
            if part not in shared:
                self._to_source(part)
        if shared:
            self._in_shared_cache = [*self._in_shared_cache, *shared]
            # It ends within twice ``redis.timeout``, and at shutdown, even if the batch has left.
            shared[0].column.source.start(self._find_shared(shared))

    def _serve_cached(self, part: ColumnPart) -> ColumnPart:
        """Answer what this process has in its cache; returns what it does not."""
        cached, cache = part.column.source.cached_lookup(part.column.sent), part.column.source.cache
        if cached is None or cache is None:
            return part
        hits = cache.find(cached, part.keys)
        if not hits:
            return part
        self._use(part, hits)
        return part.without(hits)

    def _use(self, part: ColumnPart, hits: Mapping[str, Hit]) -> None:
        """Answer with entries of the cache, and note which they are."""
        column = part.column
        cached = column.source.cached_lookup(column.sent)
        for key, (entry, is_due) in hits.items():
            if is_due or cached is None:
                column.source.refresh(column.sent, key)
            else:
                column.served[key] = (cached, key, part.keys[key], entry)
        column.source.cache_use.cached += len(hits)
        self._store(column, {key: entry.answer for key, (entry, _) in hits.items()})

    async def _find_shared(self, parts: Sequence[ColumnPart]) -> None:
        """Look ``parts`` up in the cache that processes share, with one question."""
        hits: list[Hit | None] = []
        try:
            sought: list[SharedRead] = []
            cache: Cache | None = None
            for part in parts:
                source = part.column.source
                cached, cache = source.cached_lookup(part.column.sent), source.cache
                assert cached is not None
                sought += [(cached, key, numbers) for key, numbers in part.keys.items()]
            assert cache is not None
            hits = await cache.find_shared(sought)
        except Exception:  # a defect costs what is cached there, and nothing else
            log.exception("the shared cache failed")
        finally:
            self._serve_shared(parts, hits)

    def _serve_shared(self, parts: Sequence[ColumnPart], hits: list[Hit | None]) -> None:
        """Answer what the shared cache has, and ask the sources for the rest.

        ``hits``: in the order of the keys of ``parts``; empty after a defect.
        """
        if self._closed or self._expired:
            return
        self._in_shared_cache = [part for part in self._in_shared_cache if part not in parts]
        following = iter(hits)
        for part in parts:
            pairs = zip(part.keys, following, strict=False)
            hits_by_key = {key: hit for key, hit in pairs if hit is not None}
            if hits_by_key:
                self._use(part, hits_by_key)
            rest = part.without(hits_by_key)
            if rest.keys:
                self._to_source(rest)
        self._notify()

    def _to_source(self, part: ColumnPart) -> None:
        column, left = part.column, self._seconds_left()
        asker = column.asker or self._asker
        for piece in part.split():
            waiter = column.source.ask(
                column.sent, list(piece.keys), left, asker, self._deliver, self._sharing.isolated
            )
            self._in_flight[waiter] = piece

    def _store(self, column: ReadColumn, answers: Mapping[str, Answer]) -> None:
        column.answers.update(answers)
        self._arrived[column] = None

    def _deliver(self, waiter: ReadWaiter, answers: Sequence[Answer] | None) -> None:
        part = self._in_flight.pop(waiter)
        column = part.column
        if answers is None:
            # A source answers, whatever happens; this is the process ending, or a defect.
            record = column.read.record
            log.error("read failed", database=record.database, record=record.name)
            answers = [Answer(column.source.report(record, State.UNAVAILABLE))] * len(waiter.keys)
        self._store(column, _or_stale(part, dict(zip(waiter.keys, answers, strict=True))))
        self._notify()

    def _leave(self) -> dict[ReadWaiter, ColumnPart]:
        """Stop waiting for sources; returns what was waited for. Others go on waiting for it."""
        in_flight, self._in_flight = self._in_flight, {}
        for waiter in in_flight:
            waiter.gone = True
        return in_flight


def _may_be_shared(part: ColumnPart) -> bool:
    source, read = part.column.source, part.column.sent
    if read.fresh or source.cached_lookup(read) is None:
        return False
    return source.cache is not None and source.cache.may_ask_shared


def _or_stale(part: ColumnPart, answers: dict[str, Answer]) -> dict[str, Answer]:
    """Return the ``answers`` by key; in place of a failure older rows, where they will do."""
    read, source = part.column.sent, part.column.source
    if read.fresh or all(answer.rows is not None for answer in answers.values()):
        return answers
    return {
        key: source.stale_or(read, key, part.keys[key], answer) for key, answer in answers.items()
    }
