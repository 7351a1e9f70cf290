"""Entries that wait for the disk, and how long they have waited while the event loop ran."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import GatewayError

#: How often during the time-out the clock below ticks, and how many ticks a standstill counts.
_TICKS, _MOST_AT_ONCE = 20, 2


@dataclass(slots=True)
class PendingEntry:
    """An entry: its content, who waits for its number, and when it came by the loop clock."""

    body: bytes
    done: asyncio.Future[int]
    since: float

    def refuse(self) -> None:
        """Tell whoever waits that the entry could not be written in time."""
        if not self.done.done():
            self.done.set_exception(GatewayError("AUDIT_UNAVAILABLE"))
            self.done.exception()  # whoever waited may be gone; the error was for them alone


class LoopClock:
    """Seconds during which the event loop ran; in them an entry may wait ``timeout`` seconds.

    While the process stands still (SIGSTOP, a paused virtual machine, a loop that something
    blocks) the disk may have done its part, and nobody could notice: of such a time two ticks
    count at most. So a time-out always leaves the loop time to see that an entry is on disk.
    """

    def __init__(self, timeout: float) -> None:
        self.step = timeout / _TICKS
        self._timeout = timeout
        self._seconds = 0.0
        self._ticked = 0.0

    def start(self, now: float) -> None:
        """Go on counting at ``now``, after a time in which nothing waited."""
        self._ticked = now

    def tick(self, now: float) -> None:
        """Count the time since the last tick."""
        self._seconds += min(now - self._ticked, _MOST_AT_ONCE * self.step)
        self._ticked = now

    def stamp(self) -> float:
        """Return the time of an entry that comes now; up to a tick late, never early."""
        return self._seconds + self.step

    def is_over(self, waiting: PendingEntry) -> bool:
        """Return whether an entry has waited for its whole time."""
        return waiting.since + self._timeout <= self._seconds


def refuse_late(clock: LoopClock, entries: Iterable[PendingEntry]) -> tuple[bool, bool]:
    """Refuse the entries whose time is over; they stand in the order in which they came.

    Returns whether any was refused now, and whether any goes on waiting.
    """
    refused = False
    for waiting in entries:
        if not clock.is_over(waiting):
            return refused, True
        if not waiting.done.done():
            refused = True
            waiting.refuse()
    return refused, False
