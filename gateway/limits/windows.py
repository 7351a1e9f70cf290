"""The arithmetic of rates: a sliding minute and a legal day, without clocks and without waiting.

A sliding minute is two counters: this minute's, and the minute's before, which weighs less the more
of this one has passed. It gives back evenly, as a token bucket does; two processes can keep it
together by adding up, whatever their clocks say to the second, as they cannot a token bucket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple

from gateway.runtime.clock import LEGAL_ZONE, Clock, legal_date

MINUTE, DAY = 60, 86_400
#: Thirds of a minute are not exact: a millionth more or less decides nothing.
_GRAIN = 1e-6


class Moment(NamedTuple):
    """A moment: its minute, the seconds into it, its legal day, the seconds left of that."""

    minute: int
    into: float
    day: int
    day_left: float

    @property
    def weight(self) -> float:
        """How much of what was taken in the minute before still counts."""
        return 1 - self.into / MINUTE


class WindowClock:
    """Takes moments from a clock; the day is found out once a minute. Costs half a microsecond."""

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
            self._turn(now, minute)
        return Moment(minute, seconds - minute * MINUTE, self._day, self._day_ends - seconds)

    def _turn(self, now: datetime, minute: int) -> None:
        today = legal_date(now)
        midnight = datetime.combine(today + timedelta(days=1), time(), LEGAL_ZONE)
        self._minute, self._day = minute, today.toordinal()
        self._day_ends = midnight.timestamp()


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much there is a minute, and a legal day (None: without end)."""

    minute: int
    day: int | None = None

    def at_most(self, amount: int) -> int:
        """Return ``amount``, or the whole allowance where that is less.

        What is dearer than a whole allowance takes all of it, and is not refused for ever.
        """
        return min(amount, self.minute) if self.day is None else min(amount, self.minute, self.day)


class WindowShortage(NamedTuple):
    """What an allowance is short of: in which window, and in how many seconds there is enough."""

    window: str
    wait: float

    @property
    def seconds(self) -> int:
        """Whole seconds after which there is enough, for Retry-After."""
        return max(1, math.ceil(self.wait - _GRAIN))


@dataclass(slots=True)
class WindowUsage:
    """What has been taken of an allowance, in this minute, the one before, and this day.

    Every method has to be preceded by ``turn`` to the same moment.
    """

    minute: int = 0
    used: int = 0
    before: int = 0
    day: int = 0
    today: int = 0

    def turn(self, moment: Moment) -> None:
        """Begin a new minute, a new day where they have begun."""
        if moment.minute != self.minute:
            self.before = self.used if moment.minute == self.minute + 1 else 0
            self.used = 0
            self.minute = moment.minute
        if moment.day != self.day:
            self.day, self.today = moment.day, 0

    def add(self, amount: int) -> None:
        """Take ``amount``."""
        self.used += amount
        self.today += amount

    def short(self, allowance: Allowance, amount: int, moment: Moment) -> WindowShortage | None:
        """Return what is short for ``amount`` more, or None. ``amount`` fits the whole allowance.

        Where both windows are short the day is, which lasts longer.
        """
        if allowance.day is not None and self.today + amount > allowance.day:
            return WindowShortage("day", moment.day_left)
        room = allowance.minute - amount - self.used
        if room + _GRAIN >= self.before * moment.weight:
            return None
        if room >= 0:  # enough of the minute before has to weigh no more
            return WindowShortage("minute", MINUTE * (1 - room / self.before) - moment.into)
        later = MINUTE * (1 - (allowance.minute - amount) / self.used)
        return WindowShortage("minute", MINUTE - moment.into + later)

    def left(self, allowance: Allowance, moment: Moment) -> int:
        """Return what is left of the minute."""
        left = allowance.minute - self.used - self.before * moment.weight
        return max(0, math.floor(left + _GRAIN))

    def left_today(self, allowance: Allowance) -> int | None:
        """Return what is left of the day; None: no end."""
        return None if allowance.day is None else max(0, allowance.day - self.today)

    def is_blank(self, allowance: Allowance, moment: Moment) -> bool:
        """Whether forgetting it gives nothing away."""
        quiet = self.minute + 1 < moment.minute or not (self.used or self.before)
        return quiet and (allowance.day is None or self.day != moment.day or not self.today)
