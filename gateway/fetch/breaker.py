"""The circuit breaker of one database: whether it is asked at all just now.

Closed, it is asked. Open, it is not, so that nobody waits for a database that is known to be down
and the database has peace to come back. Half open, it has answered a ping: it is asked again, and
the first failure opens it anew. (The pattern: M. Nygard, Release It!, "Circuit Breaker".)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from connectors.description import Coded
from gateway.runtime.clock import Clock

#: Of how many outcomes the share of failures is taken.
_LOOKED_BACK = 20
#: How many calls must succeed before a database that came back is trusted again.
_TRIALS = 3
#: Seconds between two pings of a database that is not asked.
PING_EVERY = 0.5


class BreakerState(Coded):
    """Whether a database is asked."""

    CLOSED = "được hỏi bình thường", "asked as usual"
    HALF_OPEN = "đang thử lại", "asked on trial, after it came back"
    OPEN = "tạm ngừng hỏi", "not asked, because it kept failing"


class CircuitBreaker:
    """Counts what came of calls.

    It opens when at least ``failures`` of the last twenty calls failed, and at least half of them:
    one record that always fails does not take the other records of its database with it. 0: never.
    ``changed`` is told each new state. Not for several threads.
    """

    def __init__(
        self, failures: int, clock: Clock, changed: Callable[[BreakerState], None]
    ) -> None:
        self._failures = failures
        self._clock = clock
        self._outcomes: deque[bool] = deque(maxlen=_LOOKED_BACK)
        self._turn = 0
        self._pinged = 0.0
        self._changed = changed
        self.state = BreakerState.CLOSED

    def enter(self) -> int | None:
        """Return what to hand back with the call's outcome; None: do not ask."""
        return None if self.state is BreakerState.OPEN else self._turn

    def ended(self, turn: int, succeeded: bool) -> None:
        """Count a call that began in ``turn``; what began before the last change says nothing."""
        if turn != self._turn:
            return
        self._outcomes.append(succeeded)
        if self.state is BreakerState.HALF_OPEN:
            if not succeeded:
                self._change(BreakerState.OPEN)
            elif len(self._outcomes) >= _TRIALS:
                self._change(BreakerState.CLOSED)
            return
        failed = self._outcomes.count(False)
        if 0 < self._failures <= failed and 2 * failed >= len(self._outcomes):
            self._change(BreakerState.OPEN)

    def ping_is_due(self) -> bool:
        """Say whether an open breaker wants to know if the database is back; asking counts."""
        now = self._clock.monotonic()
        if self.state is not BreakerState.OPEN or now - self._pinged < PING_EVERY:
            return False
        self._pinged = now
        return True

    def answered(self) -> None:
        """Take note that the database answered a ping."""
        if self.state is BreakerState.OPEN:
            self._change(BreakerState.HALF_OPEN)

    def _change(self, state: BreakerState) -> None:
        self.state = state
        self._turn += 1
        self._outcomes.clear()
        self._pinged = self._clock.monotonic()
        self._changed(state)
