"""Joint calls: the lookups of one database that begin in the same turn of the event loop.

What a call costs (a task, a timeout, a slot, a turn of the breaker, a statement) is paid once for
all lookups that the backend makes by one statement (``MergingBackend``, ``docs/decisions``, 55). A
joint call that fails says nothing of its lookups: each is then called alone, as all are of other
backends. So a failure costs only those whom it concerns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog

from connectors.backends.base import LookupKeys
from gateway.answer import Answer
from gateway.catalogue.read import Read
from gateway.fetch.coalescing import Batches, LookupCall
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Returns which lookups go together, as places.
GroupLookups = Callable[[Sequence[LookupKeys]], list[list[int]]]
#: Fetch a lookup, or several together, in so many seconds.
FetchLookup = Callable[[Read, Sequence[str], float], Awaitable[list[Answer]]]
FetchTogether = Callable[
    [Sequence[tuple[Read, Sequence[str]]], float], Awaitable[list[list[Answer] | None]]
]
StartTask = Callable[[Coroutine[Any, Any, None]], object]


class JointCalls:
    """The calls to one database.

    ``fetch`` answers each key, and never raises. ``fetch_together`` answers several lookups: None
    for one that has to be fetched alone. ``group``: None where all lookups are fetched alone.
    ``timeout``: of the database, in seconds. ``start``: begins a task that whoever made this ends
    at shutdown. Belongs to one event loop.
    """

    def __init__(
        self,
        fetch: FetchLookup,
        fetch_together: FetchTogether,
        group: GroupLookups | None,
        clock: Clock,
        timeout: float,
        start: StartTask,
    ) -> None:
        self._fetch = fetch
        self._fetch_together = fetch_together
        self._group = group
        self._clock = clock
        self._timeout = timeout
        self._start = start
        self._scheduled: list[Batches] = []

    def schedule(self, batches: Batches) -> None:
        """Begin a call of ``batches`` at the next turn of the event loop."""
        if not self._scheduled:
            asyncio.get_running_loop().call_soon(self._begin)
        self._scheduled.append(batches)

    def _begin(self) -> None:
        scheduled, self._scheduled = self._scheduled, []
        calls = [call for batches in scheduled if (call := batches.begin()) is not None]
        groups = [[place] for place in range(len(calls))]
        if len(calls) > 1 and self._group is not None:
            reads = [call.batches.read for call in calls]
            groups = self._group(
                [
                    LookupKeys(read.record, read.lookup, call.keys)
                    for read, call in zip(reads, calls, strict=True)
                ]
            )
        for places in groups:
            if len(places) == 1:
                self._start(self._call_alone(calls[places[0]]))
            else:
                self._start(self._call_together([calls[place] for place in places]))

    async def _call_together(self, calls: Sequence[LookupCall]) -> None:
        seconds = max([self._seconds_left(call) for call in calls])
        lookups = [(call.batches.read, call.keys) for call in calls]
        answers_of_each: list[list[Answer] | None] = [None] * len(calls)
        try:
            answers_of_each = await self._fetch_together(lookups, seconds)
        except Exception:
            log.exception("a joint call failed")
        for call, answers in zip(calls, answers_of_each, strict=True):
            if answers is None:
                self._start(self._call_alone(call))
            else:
                call.finish(answers)

    async def _call_alone(self, call: LookupCall) -> None:
        answers: list[Answer] | None = None
        try:
            answers = await self._fetch(call.batches.read, call.keys, self._seconds_left(call))
        except Exception:
            log.exception("a call failed")
        call.finish(answers)

    def _seconds_left(self, call: LookupCall) -> float:
        return max(min(call.until, call.began_at + self._timeout) - self._clock.monotonic(), 0.0)
