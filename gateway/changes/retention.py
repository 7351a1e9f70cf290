"""For how long an event log has its entries."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Entries are removed once they are older than ``seconds``, or more than ``entries``.

    The log may have some more of them for a while, never fewer.
    """

    seconds: float = 31 * _DAY
    entries: int = 1_000_000
