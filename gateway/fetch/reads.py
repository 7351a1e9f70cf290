"""One request's reads: each key of each lookup once, sent together, within one deadline.

What is asked for in one turn of the event loop goes to a source together; nothing waits for a
source that it does not depend on. Waiting ends at the deadline, whatever a source does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import structlog

from connectors.backends.base import Asker
from connectors.description import Lookup, Record
from gateway.answer import Answer, State
from gateway.clock import Clock
from gateway.fetch.batching import Waiter
from gateway.fetch.source import LARGEST_BATCH, Source

log = structlog.get_logger(__name__)

#: Database and lookup: what tells one kind of read from another.
Kind = tuple[str, str]


class Reads:
    """The reads of one request, that of ``asker``.

    ``deadline`` is a moment of the clock's monotonic time. ``answers``: what has come, by kind and
    key. Used from one task.
    """

    def __init__(
        self, sources: Mapping[str, Source], clock: Clock, deadline: float, asker: Asker
    ) -> None:
        self._sources = sources
        self._asker = asker
        self._clock = clock
        self._deadline = deadline
        self._asked: dict[Kind, set[str]] = {}
        self._queue: dict[Kind, tuple[Record, Lookup, list[str]]] = {}
        self._under_way: dict[Waiter, tuple[Kind, Record]] = {}
        self._arrived: set[Kind] = set()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False
        self.answers: dict[Kind, dict[str, Answer]] = {}

    def ask(self, record: Record, lookup: Lookup, kind: Kind, keys: Iterable[str]) -> None:
        """Ask for ``keys``; those asked for already are not asked again."""
        asked = self._asked.get(kind)
        if asked is None:
            asked = self._asked[kind] = set()
            self.answers[kind] = {}
        for key in keys:
            if key not in asked:
                asked.add(key)
                queued = self._queue.get(kind)
                if queued is None:
                    queued = self._queue[kind] = (record, lookup, [])
                queued[2].append(key)

    async def arrive(self) -> set[Kind]:
        """Send what is queued and return the kinds of which something has come since last time.

        Empty when nothing is under way any more.
        """
        self._send()
        if not self._arrived and self._under_way:
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
        self._leave()
        if self._timer is not None:
            self._timer.cancel()

    def _left(self) -> float:
        return 0.0 if self._expired else max(self._deadline - self._clock.monotonic(), 0.0)

    def _send(self) -> None:
        queue, self._queue = self._queue, {}
        left = self._left()
        for kind, (record, lookup, keys) in queue.items():
            source = self._sources[record.database]
            certain = source.unasked(record)
            if certain is not None or left <= 0:
                late = certain or Answer(source.report(record, State.TIMED_OUT))
                self._answer(kind, keys, [late] * len(keys))
                continue
            for batch in _batches(keys):
                waiter = source.ask(record, lookup, batch, left, self._asker, self._delivered)
                self._under_way[waiter] = (kind, record)

    def _answer(self, kind: Kind, keys: Sequence[str], answers: Sequence[Answer]) -> None:
        self.answers[kind].update(zip(keys, answers, strict=True))
        self._arrived.add(kind)

    def _delivered(self, waiter: Waiter, answers: Sequence[Answer] | None) -> None:
        kind, record = self._under_way.pop(waiter)
        if answers is None:
            # A source answers, whatever happens; this is the process ending, or a defect.
            log.error("read failed", database=record.database, record=record.name)
            unknown = self._sources[record.database].report(record, State.UNAVAILABLE)
            answers = [Answer(unknown)] * len(waiter.keys)
        self._answer(kind, waiter.keys, answers)
        self._woken()

    def _leave(self) -> dict[Waiter, tuple[Kind, Record]]:
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
        for waiter, (kind, record) in self._leave().items():
            late = self._sources[record.database].report(record, State.TIMED_OUT)
            self._answer(kind, waiter.keys, [Answer(late)] * len(waiter.keys))
        self._woken()

    def _woken(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while batch := list(islice(rest, LARGEST_BATCH)):
        yield batch
