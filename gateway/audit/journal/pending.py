"""Entries that wait for the disk, and their timeout in seconds during which the event loop ran."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import GatewayError

#: Ticks of the clock within the timeout, and ticks that a standstill counts at most.
_TICKS, _STANDSTILL_TICKS = 20, 2


@dataclass(slots=True)
class PendingEntry:
    """An entry, the future of its number, and when it was appended, by the loop clock."""

    body: bytes
    done: asyncio.Future[int]
    since: float

    def refuse(self) -> None:
        """Fail the waiter: the entry could not be written in time."""
        if not self.done.done():
            self.done.set_exception(GatewayError("AUDIT_UNAVAILABLE"))
            self.done.exception()  # retrieved: the waiter may be gone


class LoopClock:
    """Counts the seconds during which the event loop ran; an entry may wait ``timeout`` of them.

    While the process stands still (SIGSTOP, a paused virtual machine, a blocked loop), the disk may
    finish a write and nobody can notice. Such a time counts two ticks at most, so that the loop
    always has time to see that an entry is on disk.
    """

    def __init__(self, timeout: float) -> None:
        self.step = timeout / _TICKS
        self._timeout = timeout
        self._seconds = 0.0
        self._ticked = 0.0

    def start(self, now: float) -> None:
        """Resume counting at ``now``, after a time in which nothing waited."""
        self._ticked = now

    def tick(self, now: float) -> None:
        """Count the time since the last tick."""
        self._seconds += min(now - self._ticked, _STANDSTILL_TICKS * self.step)
        self._ticked = now

    def stamp(self) -> float:
        """Return the time of an entry that comes now; up to a tick late, never early."""
        return self._seconds + self.step

    def is_over(self, waiting: PendingEntry) -> bool:
        """Return whether an entry has waited for its whole time."""
        return waiting.since + self._timeout <= self._seconds


def refuse_late(clock: LoopClock, entries: Iterable[PendingEntry]) -> tuple[bool, bool]:
    """Refuse the entries whose time is over. ``entries``: in the order in which they came.

    Returns whether any was refused now, and whether any is still waiting.
    """
    refused = False
    for waiting in entries:
        if not clock.is_over(waiting):
            return refused, True
        if not waiting.done.done():
            refused = True
            waiting.refuse()
    return refused, False
