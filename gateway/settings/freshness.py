"""How long rows that were read may be used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lives:
    """How old rows may be, in seconds since their statement began.

    ``fresh``: answered from the cache. ``revalidated``: answered from it while they are read anew
    for whoever comes next. ``if_error``: answered as STALE where the source fails.
    """

    fresh: float = 0.0
    revalidated: float = 0.0
    if_error: float = 0.0

    @property
    def longest(self) -> float:
        """How long rows are of any use."""
        return max(self.fresh, self.revalidated, self.if_error)
