"""How fast, and at which hours, a source is read."""

from __future__ import annotations

import time as system_time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reconcile.settings import SourceRate

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
#: Rows that are read at once from sources that give single rows.
BATCH_ROWS = 10_000
#: Seconds that a part of a source with a rate may take: a part is one statement, which a source is
#: not to hold for long, and which ends before a window's end is noticed.
_PART_SECONDS = 60


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PaceClock:
    """Time as a pace sees it. ``wait``: waits seconds; it may raise, to end a run."""

    monotonic: Callable[[], float] = system_time.monotonic
    now: Callable[[], datetime] = _now
    wait: Callable[[float], None] = system_time.sleep


class SourcePace:
    """The pace at which one source is read, all its records together."""

    def __init__(self, rate: SourceRate, clock: PaceClock | None = None) -> None:
        self._rate = rate
        self._clock = clock or PaceClock()
        self._due = self._clock.monotonic()

    @property
    def part_rows(self) -> int:
        """Rows of a part: fewer than settings say where those would take long at this rate."""
        if self._rate.rows_per_second is None:
            return self._rate.part_rows
        most = max(1, int(self._rate.rows_per_second * _PART_SECONDS))
        return min(self._rate.part_rows, most)

    @property
    def batch_rows(self) -> int:
        """Rows to read at once: at most those of a second."""
        if self._rate.rows_per_second is None:
            return BATCH_ROWS
        return min(BATCH_ROWS, max(1, int(self._rate.rows_per_second)))

    def count(self, rows: int) -> None:
        """Wait until as many rows as were read so far may have been read.

        Time in which nothing was read is not made up for.
        """
        if self._rate.rows_per_second is None:
            return
        now = self._clock.monotonic()
        self._due = max(self._due, now) + rows / self._rate.rows_per_second
        if self._due > now:
            self._clock.wait(self._due - now)

    def is_open(self) -> bool:
        """Whether the source may be read at this hour."""
        return self._seconds_until_open() == 0

    def wait_until_open(self) -> None:
        """Wait until the source may be read."""
        while seconds := self._seconds_until_open():
            self._clock.wait(seconds)

    def _seconds_until_open(self) -> float:
        return seconds_until_open(self._rate, self._clock.now())


def seconds_until_open(rate: SourceRate, now: datetime) -> float:
    """Return how long a source may not yet be read, 0 within its window.

    Without a beginning the window begins, without an end it ends, at midnight in Vietnam; where
    both are the same hour it is the whole day.
    """
    begins, ends = rate.begins or time(), rate.ends or time()
    local = now.astimezone(VIETNAM).replace(tzinfo=None)
    hour = local.time()
    if begins == ends:
        return 0.0
    within = begins <= hour < ends if begins < ends else hour >= begins or hour < ends
    if within:
        return 0.0
    opening = datetime.combine(local.date(), begins)
    if opening <= local:
        opening += timedelta(days=1)
    return (opening - local).total_seconds()
