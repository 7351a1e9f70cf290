"""The arithmetic of rate limits: a sliding minute and a legal day, without clocks or waiting.

A sliding minute is two counters: that of this minute, and that of the minute before, which weighs
less the more of this one has passed. It refills evenly, as a token bucket does. Unlike a token
bucket, several processes can share it by adding up, even if their clocks differ by a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple

from gateway.runtime.clock import LEGAL_ZONE, Clock, legal_date

MINUTE, DAY = 60, 86_400
#: Tolerance for rounding: a third of a minute is no exact float.
_TOLERANCE = 1e-6


class Moment(NamedTuple):
    """A moment: its minute, the seconds into it, its legal day, the seconds left of that day."""

    minute: int
    into: float
    day: int
    day_left: float

    @property
    def weight(self) -> float:
        """The share of the usage of the minute before that still counts."""
        return 1 - self.into / MINUTE


class WindowClock:
    """Reads moments from a clock; computes the legal day once a minute. Costs 0.5 us."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = -1
        self._day = 0
        self._day_ends = 0.0

    def now(self) -> Moment:
        """Return the present moment."""
        now = self._clock.now()
        seconds = now.timestamp()
        minute = int(seconds // MINUTE)
        if minute != self._minute:
            self._start_minute(now, minute)
        return Moment(minute, seconds - minute * MINUTE, self._day, self._day_ends - seconds)

    def _start_minute(self, now: datetime, minute: int) -> None:
        today = legal_date(now)
        midnight = datetime.combine(today + timedelta(days=1), time(), LEGAL_ZONE)
        self._minute, self._day = minute, today.toordinal()
        self._day_ends = midnight.timestamp()


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of a minute and of a legal day (None: unlimited)."""

    minute: int
    day: int | None = None

    def at_most(self, amount: int) -> int:
        """Return ``amount``, or the whole allowance if that is less.

        A request that costs more than a whole allowance takes all of it, and is not refused for
        ever.
        """
        limit = self.minute if self.day is None else min(self.minute, self.day)
        return amount if amount <= limit else limit


class WindowShortage(NamedTuple):
    """The window that is exhausted, and the seconds until there is enough."""

    window: str
    wait: float

    @property
    def seconds(self) -> int:
        """Whole seconds until there is enough, for Retry-After."""
        return max(1, math.ceil(self.wait - _TOLERANCE))


@dataclass(slots=True)
class WindowUsage:
    """The usage of an allowance: in this minute, the minute before, and this day.

    Call ``advance`` with the same moment before any other method.
    """

    minute: int = 0
    used: int = 0
    before: int = 0
    day: int = 0
    today: int = 0

    def advance(self, moment: Moment) -> None:
        """Start a new minute and a new day if they have begun."""
        if moment.minute != self.minute:
            self.before = self.used if moment.minute == self.minute + 1 else 0
            self.used = 0
            self.minute = moment.minute
        if moment.day != self.day:
            self.day, self.today = moment.day, 0

    def add(self, amount: int) -> None:
        """Add ``amount`` to the usage."""
        self.used += amount
        self.today += amount

    def shortage(self, allowance: Allowance, amount: int, moment: Moment) -> WindowShortage | None:
        """Return the shortage if ``amount`` more is too much, else None.

        ``amount`` is at most the whole allowance. If both windows are exhausted, the day is
        returned, which takes longer.
        """
        if allowance.day is not None and self.today + amount > allowance.day:
            return WindowShortage("day", moment.day_left)
        room = allowance.minute - amount - self.used
        if room >= self.before or room + _TOLERANCE >= self.before * moment.weight:
            return None
        if room >= 0:  # the minute before must weigh less first
            return WindowShortage("minute", MINUTE * (1 - room / self.before) - moment.into)
        later = MINUTE * (1 - (allowance.minute - amount) / self.used)
        return WindowShortage("minute", MINUTE - moment.into + later)

    def remaining(self, allowance: Allowance, moment: Moment) -> int:
        """Return what remains of the minute."""
        if not self.before:
            return max(0, allowance.minute - self.used)
        remaining = allowance.minute - self.used - self.before * moment.weight
        return max(0, math.floor(remaining + _TOLERANCE))

    def remaining_today(self, allowance: Allowance) -> int | None:
        """Return what remains of the day; None: it is unlimited."""
        return None if allowance.day is None else max(0, allowance.day - self.today)

    def is_blank(self, allowance: Allowance, moment: Moment) -> bool:
        """Return whether a new usage would allow nothing that this one refuses."""
        is_quiet = self.minute + 1 < moment.minute or not (self.used or self.before)
        return is_quiet and (allowance.day is None or self.day != moment.day or not self.today)
