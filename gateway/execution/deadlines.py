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
        self._until = max(member.request.deadline for member in waiting)
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
        """Wait for the next deadline, unless it is that of the reads, which they keep."""
        self._timer = None
        self._waiting = [member for member in self._waiting if not member.result.done()]
        deadline = min((member.request.deadline for member in self._waiting), default=self._until)
        if deadline < self._until:
            left = max(deadline - self._clock.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(left, self._expire, deadline)

    def _expire(self, deadline: float) -> None:
        now = max(self._clock.monotonic(), deadline)
        waiting = [member for member in self._waiting if not member.result.done()]
        late = [member for member in waiting if member.request.deadline <= now]
        # An answer may take a while, to read an access log: nobody is answered twice.
        self._waiting = [member for member in waiting if member.request.deadline > now]
        if late and not self._waiting:
            self._reads.expire()
            return
        for member in late:
            self._answer_late(member)
        self._watch()
