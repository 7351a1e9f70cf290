"""One request's reads: each key of each lookup once, sent together, within one deadline.

What is asked for in one turn of the event loop is looked for in the cache together, and what is not
there goes to a source together; nothing waits for a source that it does not depend on. Waiting ends
at the deadline, whatever a source does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.backends.base import Asker
from connectors.description import Lookup, Record
from gateway.answer import Answer, State
from gateway.cache.answer_store import Used
from gateway.cache.rows import Cache, Hit, SharedRead
from gateway.fetch.coalescing import Waiter
from gateway.fetch.sharing import SHARING, Terms
from gateway.fetch.source import LARGEST_BATCH, Source
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Database and lookup: what tells one kind of read from another.
Kind = tuple[str, str]
#: Whom rows are about for whose view they are asked: the numbers of a person; () nobody is known.
About = tuple[str, ...]


def kind_of(record: Record, lookup: Lookup, past: bool = False) -> Kind:
    """Return the kind of a read; what is read past the cache is a kind of its own."""
    return (
        (record.database, f"{lookup.name} past the cache")
        if past
        else (
            record.database,
            lookup.name,
        )
    )


@dataclass(slots=True, eq=False)
class _Queued:
    """Keys to be asked for. ``past``: past the cache, and past rows in place of a failure."""

    record: Record
    lookup: Lookup
    kind: Kind
    past: bool
    keys: dict[str, About] = field(default_factory=dict)

    def some(self, keys: Iterable[str]) -> _Queued:
        """Return the same for some of the keys."""
        wanted = {key: self.keys[key] for key in keys}
        return _Queued(self.record, self.lookup, self.kind, self.past, wanted)


class Reads:
    """The reads of one request, that of ``asker``.

    ``deadline`` is a moment of the clock's monotonic time. ``terms``: what is shared with others.
    ``answers``: what has come, by kind and key. ``used``: the rows from the cache that were given,
    None once anything else was given. Used from one task.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Clock,
        deadline: float,
        asker: Asker,
        terms: Terms = SHARING,
    ) -> None:
        self._sources = sources
        self._asker = asker
        self._clock = clock
        self._deadline = deadline
        self._terms = terms
        self._asked: dict[Kind, dict[str, About]] = {}
        self._queue: dict[Kind, _Queued] = {}
        self._under_way: dict[Waiter, _Queued] = {}
        self._looking: list[_Queued] = []
        self._closed = False
        self._arrived: set[Kind] = set()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False
        self.answers: dict[Kind, dict[str, Answer]] = {}
        self.used: list[Used] | None = []

    def ask(
        self,
        record: Record,
        lookup: Lookup,
        kind: Kind,
        keys: Iterable[str],
        about: About = (),
        past: bool = False,
    ) -> None:
        """Ask for ``keys``, for the view of whom they are ``about``; each is asked for once.

        ``past``: past the cache; ``kind`` is then a kind of its own (``kind_of``).
        """
        asked = self._asked.get(kind)
        if asked is None:
            asked = self._asked[kind] = {}
            self.answers[kind] = {}
        for key in keys:
            if key in asked:
                same = asked[key] == about
                if same or self._serves(record, lookup, kind, key, about):
                    continue
            asked[key] = about
            self.answers[kind].pop(key, None)
            queued = self._queue.get(kind)
            if queued is None:
                past = past or self._terms.is_past(record)
                queued = self._queue[kind] = _Queued(record, lookup, kind, past)
            queued.keys[key] = about

    def _serves(self, record: Record, lookup: Lookup, kind: Kind, key: str, about: About) -> bool:
        """Say whether rows that were asked for about somebody else will do for this person too.

        Not where they come from the cache, and this person's were invalidated since.
        """
        if lookup.on is None:
            return True
        source = self._sources[record.database]
        shelf = source.shelf(record, lookup)
        if shelf is None or source.cache is None:
            return True
        found = self.answers[kind].get(key)
        cached = found is not None and found.report.from_cache
        return not cached or source.cache.serves(shelf, key, about)

    async def arrive(self) -> set[Kind]:
        """Send what is queued and return the kinds of which something has come since last time.

        Empty when nothing is under way any more.
        """
        self._send()
        while not self._arrived and (self._under_way or self._looking):
            loop = asyncio.get_running_loop()
            self._wake = loop.create_future()
            if self._timer is None:
                self._timer = loop.call_later(self._left(), self._expire)
            try:
                await self._wake
            finally:
                self._wake = None
        arrived, self._arrived = self._arrived, set()
        return arrived

    def close(self) -> None:
        """Wait for nothing any more. What is under way ends by its database's own timeout."""
        self._closed = True
        self._leave()
        if self._timer is not None:
            self._timer.cancel()

    def _left(self) -> float:
        return 0.0 if self._expired else max(self._deadline - self._clock.monotonic(), 0.0)

    def _send(self) -> None:
        queue, self._queue = self._queue, {}
        left = self._left()
        missed = []
        for queued in queue.values():
            source = self._source_of(queued)
            certain = source.unasked(queued.record)
            if certain is not None or left <= 0:
                self.used = None
                late = certain or Answer(source.report(queued.record, State.TIMED_OUT))
                self._answer(queued.kind, dict.fromkeys(queued.keys, late))
                continue
            rest = queued if queued.past else self._cached(source, queued)
            if rest.keys:
                missed.append(rest)
        shared = [one for one in missed if self._may_be_shared(one)]
        for one in missed:
            if one not in shared:
                self._to_source(one)
        if shared:
            self._looking = [*self._looking, *shared]
            self._keep_running(asyncio.create_task(self._look(shared)))

    def _cached(self, source: Source, queued: _Queued) -> _Queued:
        """Answer what this process keeps; returns what it does not."""
        record, lookup = queued.record, queued.lookup
        shelf, cache = source.shelf(record, lookup), source.cache
        if shelf is None or cache is None:
            return queued
        kept = cache.find(shelf, queued.keys)
        if not kept:
            return queued
        found = {key: self._hit(queued, key, hit) for key, hit in kept.items()}
        self._answer(queued.kind, found)
        return queued.some(key for key in queued.keys if key not in found)

    def _hit(self, queued: _Queued, key: str, hit: Hit) -> Answer:
        """Return what was found in the cache, and note that it is used."""
        entry, due = hit
        source, record, lookup = self._source_of(queued), queued.record, queued.lookup
        shelf = source.shelf(record, lookup)
        if due or shelf is None:
            self.used = None
            source.refresh(record, lookup, key)
        elif self.used is not None:
            self.used.append((shelf, key, queued.keys[key], entry))
        return entry.answer

    def _may_be_shared(self, queued: _Queued) -> bool:
        source = self._sources[queued.record.database]
        if queued.past or source.shelf(queued.record, queued.lookup) is None:
            return False
        return source.cache is not None and source.cache.asks_shared

    async def _look(self, queued: Sequence[_Queued]) -> None:
        """Look for all of ``queued`` in the level that processes share, with one question."""
        found: list[Hit | None] = []
        try:
            sought: list[SharedRead] = []
            cache: Cache | None = None
            for one in queued:
                source = self._sources[one.record.database]
                shelf, cache = source.shelf(one.record, one.lookup), source.cache
                assert shelf is not None
                sought += [(shelf, key, about) for key, about in one.keys.items()]
            assert cache is not None
            found = await cache.get_shared(sought)
        except Exception:  # a defect costs what is kept there, and nothing else
            log.exception("the shared cache failed")
        finally:
            self._looked(queued, found)

    def _looked(self, queued: Sequence[_Queued], found: list[Hit | None]) -> None:
        """Answer what was found, and ask the sources for the rest."""
        if self._closed or self._expired:
            return
        self._looking = [one for one in self._looking if one not in queued]
        places = iter(found)
        for one in queued:
            answers: dict[str, Answer] = {}
            for key in one.keys:
                kept = next(places, None)
                if kept is not None:
                    answers[key] = self._hit(one, key, kept)
            if answers:
                self._answer(one.kind, answers)
            rest = one.some(key for key in one.keys if key not in answers)
            if rest.keys:
                self._to_source(rest)
        self._woken()

    def _to_source(self, queued: _Queued) -> None:
        self.used = None
        source, left = self._sources[queued.record.database], self._left()
        for batch in _batches(queued.keys):
            waiter = source.ask(
                queued.record,
                queued.lookup,
                batch,
                left,
                self._asker,
                self._delivered,
                queued.past,
                self._terms.apart,
            )
            self._under_way[waiter] = queued

    def _answer(self, kind: Kind, answers: Mapping[str, Answer]) -> None:
        self.answers[kind].update(answers)
        self._arrived.add(kind)

    def _delivered(self, waiter: Waiter, answers: Sequence[Answer] | None) -> None:
        queued = self._under_way.pop(waiter)
        if answers is None:
            # A source answers, whatever happens; this is the process ending, or a defect.
            record = queued.record
            log.error("read failed", database=record.database, record=record.name)
            unknown = self._sources[record.database].report(record, State.UNAVAILABLE)
            answers = [Answer(unknown)] * len(waiter.keys)
        self._answer(queued.kind, self._settled(queued, waiter.keys, answers))
        self._woken()

    def _settled(
        self, queued: _Queued, keys: Sequence[str], answers: Sequence[Answer]
    ) -> dict[str, Answer]:
        """Return what is said of ``keys``: where a source failed, older rows that may be used."""
        if queued.past or all(one.rows is not None for one in answers):
            return dict(zip(keys, answers, strict=True))
        source, record, lookup = self._source_of(queued), queued.record, queued.lookup
        return {
            key: source.instead(record, lookup, key, queued.keys[key], one)
            for key, one in zip(keys, answers, strict=True)
        }

    def _source_of(self, queued: _Queued) -> Source:
        return self._sources[queued.record.database]

    def _leave(self) -> dict[Waiter, _Queued]:
        """Wait for nothing any more; returns what was waited for. Others go on waiting for it."""
        under_way, self._under_way = self._under_way, {}
        for waiter in under_way:
            waiter.gone = True
        return under_way

    def _expire(self) -> None:
        """Answer in place of the sources that are still being waited for.

        What was asked of them ends by their own timeout, which is never later than the deadline.
        """
        self._expired = True
        waited = [(queued, waiter.keys) for waiter, queued in self._leave().items()]
        waited += [(queued, list(queued.keys)) for queued in self._looking]
        self._looking = []
        for queued, keys in waited:
            late = Answer(self._source_of(queued).report(queued.record, State.TIMED_OUT))
            self._answer(queued.kind, self._settled(queued, keys, [late] * len(keys)))
        self._woken()

    @staticmethod
    def _keep_running(task: asyncio.Task[None]) -> None:
        """Hold on to a task until it ends, also when the request has left: it ends by itself."""
        _RUNNING.add(task)
        task.add_done_callback(_RUNNING.discard)

    def _woken(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


#: Questions to the shared cache that are under way.
_RUNNING: set[asyncio.Task[None]] = set()


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    every = list(keys)
    for start in range(0, len(every), LARGEST_BATCH):
        yield every[start : start + LARGEST_BATCH]
