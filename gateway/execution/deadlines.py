"""Deadlines of the requests of a batch: who has the earliest is answered first.

A batch lives to its latest deadline. A request whose deadline comes before that is answered with
what has arrived by then; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.execution.gather import Waiting
from gateway.fetch.reads import Reads
from gateway.runtime.clock import Clock


class EarlyDeadlines:
    """Watches the deadlines of ``waiting``, whose rows come by ``reads``.

    ``answer_late``: answers a request with what has arrived. ``close`` ends the watch.
    """

    def __init__(
        self,
        waiting: Sequence[Waiting],
        reads: Reads,
        clock: Clock,
        answer_late: Callable[[Waiting], None],
    ) -> None:
        self._waiting = waiting
        self._reads = reads
        self._clock = clock
        self._answer_late = answer_late
        self._timer: asyncio.TimerHandle | None = None
        self._watch()

    def close(self) -> None:
        """End the watch."""
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self) -> None:
        """Wait for the next deadline that is not that of the whole batch."""
        self._timer = None
        open_requests = [each for each in self._waiting if not each.result.done()]
        deadlines = {each.request.deadline for each in open_requests}
        if len(deadlines) < 2:  # the reads of the batch end by themselves
            return
        left = max(min(deadlines) - self._clock.monotonic(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(left, self._expire, min(deadlines))

    def _expire(self, deadline: float) -> None:
        now = max(self._clock.monotonic(), deadline)
        open_requests = [each for each in self._waiting if not each.result.done()]
        late = [each for each in open_requests if each.request.deadline <= now]
        if late and len(late) == len(open_requests):
            self._reads.expire()
            return
        for each in late:
            self._answer_late(each)
        self._watch()
