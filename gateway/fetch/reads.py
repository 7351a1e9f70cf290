"""One request's reads: each key of each lookup once, sent together, within one deadline.

What is asked for in one turn of the event loop is looked up in the cache together, and what is not
cached goes to a source together. Nothing waits for a source that it does not depend on. Waiting
ends at the deadline, whatever a source does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.backends.base import Asker
from gateway.answer import Answer, State
from gateway.cache.answer_store import Used
from gateway.cache.rows import Cache, Hit, SharedRead
from gateway.catalogue.read import Read, ReadKind
from gateway.fetch.coalescing import ReadWaiter
from gateway.fetch.sharing import SHARE_ALL, Sharing
from gateway.fetch.source import LARGEST_BATCH, Source
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: The numbers of the person for whose view rows are read; empty: of nobody who is known.
SubjectNumbers = tuple[str, ...]


@dataclass(slots=True, eq=False)
class _PendingRead:
    """Keys to be read, with the subject numbers of each.

    ``read``: fresh where the request's sharing says so. ``kind``: of the read as it was asked for,
    under which the answers are expected.
    """

    read: Read
    kind: ReadKind
    keys: dict[str, SubjectNumbers] = field(default_factory=dict)

    def of_keys(self, keys: Iterable[str]) -> _PendingRead:
        """Return the same read of some of the keys."""
        return _PendingRead(self.read, self.kind, {key: self.keys[key] for key in keys})


class Reads:
    """The reads of one request, that of ``asker``.

    ``deadline`` is a moment of the clock's monotonic time. ``sharing``: what it shares with others.
    ``answers``: what has come, by kind and key. ``used``: the cache entries that were served, None
    once anything else was. Used from one task.
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
        self._subjects: dict[ReadKind, dict[str, SubjectNumbers]] = {}
        self._queue: dict[ReadKind, _PendingRead] = {}
        self._in_flight: dict[ReadWaiter, _PendingRead] = {}
        self._in_shared_cache: list[_PendingRead] = []
        self._closed = False
        self._arrived: set[ReadKind] = set()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False
        self.answers: dict[ReadKind, dict[str, Answer]] = {}
        self.used: list[Used] | None = []

    def ask(self, read: Read, keys: Iterable[str], subject_numbers: SubjectNumbers = ()) -> None:
        """Ask for ``keys``, for the view of the person with ``subject_numbers``.

        Each key is asked for once.
        """
        kind = read.kind
        subjects = self._subjects.get(kind)
        if subjects is None:
            subjects = self._subjects[kind] = {}
            self.answers[kind] = {}
        for key in keys:
            if key in subjects:
                same = subjects[key] == subject_numbers
                if same or self._may_serve(read, key, subject_numbers):
                    continue
            subjects[key] = subject_numbers
            self.answers[kind].pop(key, None)
            pending = self._queue.get(kind)
            if pending is None:
                fresh = read.fresh or self._sharing.is_fresh(read.record)
                pending = self._queue[kind] = _PendingRead(read.with_freshness(fresh), kind)
            pending.keys[key] = subject_numbers

    def _may_serve(self, read: Read, key: str, subject_numbers: SubjectNumbers) -> bool:
        """Say whether rows that were asked for about somebody else will do for this person too.

        Not where they come from the cache, and this person's were invalidated since.
        """
        if read.lookup.on is None:
            return True
        source = self._sources[read.record.database]
        cached = source.cached_lookup(read)
        if cached is None or source.cache is None:
            return True
        answer = self.answers[read.kind].get(key)
        from_cache = answer is not None and answer.report.from_cache
        return not from_cache or source.cache.may_serve(cached, key, subject_numbers)

    async def arrive(self) -> set[ReadKind]:
        """Send what is queued and return the kinds of which something has come since last time.

        Empty when nothing is in flight any more.
        """
        self._send()
        while not self._arrived and (self._in_flight or self._in_shared_cache):
            loop = asyncio.get_running_loop()
            self._wake = loop.create_future()
            if self._timer is None:
                self._timer = loop.call_later(self._seconds_left(), self._expire)
            try:
                await self._wake
            finally:
                self._wake = None
        arrived, self._arrived = self._arrived, set()
        return arrived

    def close(self) -> None:
        """Stop waiting. What is in flight ends by its database's own timeout."""
        self._closed = True
        self._leave()
        if self._timer is not None:
            self._timer.cancel()

    def _seconds_left(self) -> float:
        return 0.0 if self._expired else max(self._deadline - self._clock.monotonic(), 0.0)

    def _send(self) -> None:
        queue, self._queue = self._queue, {}
        left = self._seconds_left()
        missed = []
        for pending in queue.values():
            source = self._source_of(pending)
            certain = source.certain_answer(pending.read.record)
            if certain is not None or left <= 0:
                self.used = None
                late = certain or Answer(source.report(pending.read.record, State.TIMED_OUT))
                self._store_answers(pending.kind, dict.fromkeys(pending.keys, late))
                continue
            rest = pending if pending.read.fresh else self._serve_cached(source, pending)
            if rest.keys:
                missed.append(rest)
        shared = [pending for pending in missed if self._may_be_shared(pending)]
        for pending in missed:
            if pending not in shared:
                self._to_source(pending)
        if shared:
            self._in_shared_cache = [*self._in_shared_cache, *shared]
            # It ends within twice ``redis.timeout``, and at shutdown, even if the request has left.
            self._source_of(shared[0]).start(self._find_shared(shared))

    def _serve_cached(self, source: Source, pending: _PendingRead) -> _PendingRead:
        """Answer what this process has in its cache; returns what it does not."""
        cached, cache = source.cached_lookup(pending.read), source.cache
        if cached is None or cache is None:
            return pending
        hits = cache.find(cached, pending.keys)
        if not hits:
            return pending
        answers = {key: self._use(pending, key, hit) for key, hit in hits.items()}
        self._store_answers(pending.kind, answers)
        return pending.of_keys(key for key in pending.keys if key not in answers)

    def _use(self, pending: _PendingRead, key: str, hit: Hit) -> Answer:
        """Return the answer of a cache entry, and note that the entry is used."""
        entry, due = hit
        source = self._source_of(pending)
        cached = source.cached_lookup(pending.read)
        if due or cached is None:
            self.used = None
            source.refresh(pending.read, key)
        elif self.used is not None:
            self.used.append((cached, key, pending.keys[key], entry))
        return entry.answer

    def _may_be_shared(self, pending: _PendingRead) -> bool:
        source = self._source_of(pending)
        if pending.read.fresh or source.cached_lookup(pending.read) is None:
            return False
        return source.cache is not None and source.cache.may_ask_shared

    async def _find_shared(self, reads: Sequence[_PendingRead]) -> None:
        """Look ``reads`` up in the cache that processes share, with one question."""
        hits: list[Hit | None] = []
        try:
            sought: list[SharedRead] = []
            cache: Cache | None = None
            for pending in reads:
                source = self._source_of(pending)
                cached, cache = source.cached_lookup(pending.read), source.cache
                assert cached is not None
                sought += [(cached, key, numbers) for key, numbers in pending.keys.items()]
            assert cache is not None
            hits = await cache.find_shared(sought)
        except Exception:  # a defect costs what is cached there, and nothing else
            log.exception("the shared cache failed")
        finally:
            self._serve_shared(reads, hits)

    def _serve_shared(self, reads: Sequence[_PendingRead], hits: list[Hit | None]) -> None:
        """Answer what the shared cache has, and ask the sources for the rest.

        ``hits``: in the order of the keys of ``reads``; empty after a defect.
        """
        if self._closed or self._expired:
            return
        self._in_shared_cache = [
            pending for pending in self._in_shared_cache if pending not in reads
        ]
        following = iter(hits)
        for pending in reads:
            answers: dict[str, Answer] = {}
            for key in pending.keys:
                hit = next(following, None)
                if hit is not None:
                    answers[key] = self._use(pending, key, hit)
            if answers:
                self._store_answers(pending.kind, answers)
            rest = pending.of_keys(key for key in pending.keys if key not in answers)
            if rest.keys:
                self._to_source(rest)
        self._wake_up()

    def _to_source(self, pending: _PendingRead) -> None:
        self.used = None
        source, left = self._source_of(pending), self._seconds_left()
        for keys in _batches(pending.keys):
            waiter = source.ask(
                pending.read, keys, left, self._asker, self._deliver, self._sharing.isolated
            )
            self._in_flight[waiter] = pending

    def _store_answers(self, kind: ReadKind, answers: Mapping[str, Answer]) -> None:
        self.answers[kind].update(answers)
        self._arrived.add(kind)

    def _deliver(self, waiter: ReadWaiter, answers: Sequence[Answer] | None) -> None:
        pending = self._in_flight.pop(waiter)
        if answers is None:
            # A source answers, whatever happens; this is the process ending, or a defect.
            record = pending.read.record
            log.error("read failed", database=record.database, record=record.name)
            unknown = self._source_of(pending).report(record, State.UNAVAILABLE)
            answers = [Answer(unknown)] * len(waiter.keys)
        self._store_answers(pending.kind, self._or_stale(pending, waiter.keys, answers))
        self._wake_up()

    def _or_stale(
        self, pending: _PendingRead, keys: Sequence[str], answers: Sequence[Answer]
    ) -> dict[str, Answer]:
        """Return the ``answers`` by key; in place of a failure older rows, where they will do."""
        if pending.read.fresh or all(answer.rows is not None for answer in answers):
            return dict(zip(keys, answers, strict=True))
        source = self._source_of(pending)
        return {
            key: source.stale_or(pending.read, key, pending.keys[key], answer)
            for key, answer in zip(keys, answers, strict=True)
        }

    def _source_of(self, pending: _PendingRead) -> Source:
        return self._sources[pending.read.record.database]

    def _leave(self) -> dict[ReadWaiter, _PendingRead]:
        """Stop waiting for sources; returns what was waited for. Others go on waiting for it."""
        in_flight, self._in_flight = self._in_flight, {}
        for waiter in in_flight:
            waiter.gone = True
        return in_flight

    def _expire(self) -> None:
        """Answer in place of the sources that are still being waited for.

        What was asked of them ends by their own timeout, which is never later than the deadline.
        """
        self._expired = True
        unanswered = [(pending, waiter.keys) for waiter, pending in self._leave().items()]
        unanswered += [(pending, list(pending.keys)) for pending in self._in_shared_cache]
        self._in_shared_cache = []
        for pending, keys in unanswered:
            late = Answer(self._source_of(pending).report(pending.read.record, State.TIMED_OUT))
            answers = self._or_stale(pending, keys, [late] * len(keys))
            self._store_answers(pending.kind, answers)
        self._wake_up()

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    every = list(keys)
    for start in range(0, len(every), LARGEST_BATCH):
        yield every[start : start + LARGEST_BATCH]
