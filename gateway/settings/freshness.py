"""Freshness: how long rows that were read may be used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old rows may be, in seconds since the statement that read them began.

    ``fresh``: they are answered from the cache. ``revalidated``: they are answered from the cache
    and read anew in the background (RFC 5861, stale-while-revalidate). ``if_error``: they are
    answered as STALE when the source fails (RFC 5861, stale-if-error).
    """

    fresh: float = 0.0
    revalidated: float = 0.0
    if_error: float = 0.0

    @property
    def longest(self) -> float:
        """The age beyond which rows are of no use."""
        return max(self.fresh, self.revalidated, self.if_error)
