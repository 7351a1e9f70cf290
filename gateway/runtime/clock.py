"""Time, injected: nothing else in the gateway asks the operating system what time it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

#: The zone in which legal dates are counted.
LEGAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Clock(Protocol):
    """Where the gateway takes the time from."""

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

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()


def legal_date(moment: datetime) -> date:
    """Return the date on which ``moment`` (with its zone) falls in Viet Nam.

    The last hours of the year 9999, which registers write for "never ends", are of its last day.
    """
    try:
        return moment.astimezone(LEGAL_ZONE).date()
    except OverflowError:
        return date.max
