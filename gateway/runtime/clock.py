"""Time, injected: no other module of the gateway reads the clock of the operating system."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
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

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()


def legal_date(moment: datetime) -> date:
    """Return the date on which ``moment`` (with its zone) falls in Viet Nam.

    The last hours of the year 9999, which registers store for "never ends", fall on its last day.
    """
    try:
        return moment.astimezone(LEGAL_ZONE).date()
    except OverflowError:
        return date.max
