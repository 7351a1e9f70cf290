"""Time, injected: no other module of the gateway reads the clock of the operating system."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

#: The zone in which legal dates are counted.
LEGAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Clock(Protocol):
    """The source of time of the gateway."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for timeouts and ages."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)

    #: Seconds that never run backwards. A hundred times a request, so without a call of Python.
    monotonic = staticmethod(time.monotonic)


#: The legal day that was worked out last, with the moments between which it lies.
_LATEST_DAY = [(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), date.min)]


def legal_date(moment: datetime) -> date:
    """Return the date on which ``moment`` (with its zone) falls in Viet Nam.

    Costs 0.2 us on the day that was worked out last, which is today most of the time, and 2 us on
    another. The last hours of the year 9999, which registers store for "never ends", fall on its
    last day.
    """
    begin, end, day = _LATEST_DAY[0]
    if begin <= moment < end:
        return day
    try:
        local = moment.astimezone(LEGAL_ZONE)
    except OverflowError:
        return date.max
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    with suppress(OverflowError):  # the first and the last day that there are
        end = (begin + timedelta(days=1)).astimezone(UTC)
        _LATEST_DAY[0] = (begin.astimezone(UTC), end, local.date())
    return local.date()
