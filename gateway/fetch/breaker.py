"""The circuit breaker of one database (M. Nygard, Release It!, "Circuit Breaker").

Closed: the database is asked. Open: it is not, so that nobody waits for a database that is known to
be down, and it can recover. Half open: it has answered a ping and is asked again; the first failure
opens the breaker anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from connectors.description import Coded
from gateway.runtime.clock import Clock

#: The number of last outcomes that count.
_WINDOW = 20
#: The number of calls that must succeed before a half-open breaker closes.
_TRIALS = 3
#: Seconds between two pings while the breaker is open.
PING_EVERY = 0.5


class BreakerState(Coded):
    """Whether a database is asked."""

    CLOSED = "được hỏi bình thường", "asked as usual"
    HALF_OPEN = "đang thử lại", "asked on trial, after it came back"
    OPEN = "tạm ngừng hỏi", "not asked, because it kept failing"


class CircuitBreaker:
    """Counts the outcomes of calls.

    It opens when at least ``failures`` of the last twenty calls failed, and at least half of them:
    one record that always fails does not stop the other records of its database. 0: never.
    ``on_change`` is called with each new state. Not for several threads.
    """

    def __init__(
        self, failures: int, clock: Clock, on_change: Callable[[BreakerState], None]
    ) -> None:
        self._failures = failures
        self._clock = clock
        self._outcomes: deque[bool] = deque(maxlen=_WINDOW)
        self._turn = 0
        self._pinged = 0.0
        self._on_change = on_change
        self.state = BreakerState.CLOSED

    def enter(self) -> int | None:
        """Return the turn to count the call's outcome with; None: do not call."""
        return None if self.state is BreakerState.OPEN else self._turn

    def count(self, turn: int, succeeded: bool) -> None:
        """Count a call that began in ``turn``; calls from before the last change do not count."""
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
        """Say whether the breaker is open and a ping is due; if so, the next is due later."""
        now = self._clock.monotonic()
        if self.state is not BreakerState.OPEN or now - self._pinged < PING_EVERY:
            return False
        self._pinged = now
        return True

    def note_ping_answered(self) -> None:
        """Half open an open breaker: the database answered a ping."""
        if self.state is BreakerState.OPEN:
            self._change(BreakerState.HALF_OPEN)

    def _change(self, state: BreakerState) -> None:
        self.state = state
        self._turn += 1
        self._outcomes.clear()
        self._pinged = self._clock.monotonic()
        self._on_change(state)
