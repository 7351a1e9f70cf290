"""How far rows from the cache may lag behind databases whose changes are followed.

A change voids cached rows once it was read. While changes cannot be read, nobody knows which rows
are out of date, and the age that settings permit would be all that bounds it. Where settings say
``cache_lag``, rows are served only if they were read within so many seconds, or if every change
that was committed before such a moment is known to have voided what it concerns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

#: Seconds by which clocks may differ: a moment from further in the future says nothing.
_CLOCK_SKEW = 2.0


class CacheLag:
    """The bounds by database, and up to when the changes of each are known; of one process."""

    def __init__(self) -> None:
        self._seconds: Mapping[str, float] = {}
        self._complete_until: Mapping[str, float] = {}
        self._ahead: Mapping[str, float] = {}

    @property
    def databases(self) -> frozenset[str]:
        """The databases that have a bound."""
        return frozenset(self._seconds)

    def bound(self, seconds: Mapping[str, float]) -> None:
        """Bound the lag of these databases, and of no others, from now on."""
        self._seconds = dict(seconds)

    def note(self, complete_until: Mapping[str, float], now: float) -> None:
        """Note of each database up to when its changes have voided cached rows in every process.

        In seconds since 1970. Databases that are left out are not known. A moment that was in the
        future says nothing, also once it has come: a clock was ahead when it was stated.
        """
        self._ahead = {
            name: moment
            for name, moment in complete_until.items()
            if moment > now + _CLOCK_SKEW or self._ahead.get(name) == moment
        }
        self._complete_until = {
            name: moment for name, moment in complete_until.items() if name not in self._ahead
        }

    def is_within(self, database: str, read_at: float, now: float) -> bool:
        """Return whether rows of a database that were read at ``read_at`` may be served ``now``.

        Both in seconds since 1970. True where the database has no bound. Costs 0.1 us.
        """
        seconds = self._seconds.get(database)
        if seconds is None:
            return True
        complete_until = self._complete_until.get(database, -math.inf)
        if complete_until > now + _CLOCK_SKEW:
            complete_until = -math.inf
        return now - max(read_at, complete_until) <= seconds
