"""Ready-made answers: bytes of what a plan made of rows that are all in the cache.

An answer is what a plan makes of rows, for a caller with certain rights, on a legal day. As long as
the rows may be served from the cache, so may be what was made of them: for the same plan, the same
variables, the same rights and the same day. Rights are decided before an answer is looked for, and
who asked is written into the journal every time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.description import Record
from gateway.cache.invalidations import Position
from gateway.cache.memory import CacheEntry
from gateway.cache.rows import LOOKED, Cache, CachedLookup

T = TypeVar("T")

_READY = LOOKED.labels("ready")

#: Rows that an answer was made of: where they are kept, for whose view, and what was kept.
Used = tuple[CachedLookup, str, tuple[str, ...], CacheEntry]
#: What of them is held on to: the record, whom it was about, who stood in the rows, and how far
#: invalidations were known when they were read. Not the rows.
_Held = tuple[Record, tuple[str, ...], frozenset[str], Position]
#: Bytes of an answer beside its own, and of each list it was made of.
_ANSWER, _USED = 6_000, 300


@dataclass(slots=True, eq=False)
class _Kept(Generic[T]):
    """An answer. ``of``: what it was made by, which is the same object as long as nothing changed.

    ``until``: in seconds since 1970, when the first of the rows is no longer fresh.
    """

    value: T
    of: tuple[object, ...]
    used: Sequence[_Held]
    until: float
    weight: int
    held_at: Position | None


class AnswerStore(Generic[T]):
    """Answers of at most ``most`` bytes together; those not used for longest go first."""

    def __init__(self, cache: Cache, most: int) -> None:
        self._cache = cache
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self.weight = 0

    def get(self, key: Hashable, of: tuple[object, ...], now: float) -> T | None:
        """Return the answer under ``key`` if it may be served ``now``; else None. Costs 1 us.

        After an invalidation it is held against the rows that it was made of, once.
        """
        found = self._kept.get(key)
        if found is None:
            return None
        position = self._cache.position()
        if position is None:
            return None
        same = all(one is other for one, other in zip(found.of, of, strict=True))
        if not same or now > found.until or not self._holds(found, position):
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        _READY.inc()
        return found.value

    def keep(
        self, key: Hashable, of: tuple[object, ...], value: T, used: Sequence[Used], size: int
    ) -> None:
        """Keep an answer of ``size`` bytes, made of the rows ``used``."""
        position = self._cache.position()
        until = min(
            (entry.read_at + shelf.freshness.fresh for shelf, _, _, entry in used), default=0.0
        )
        weight = size + _ANSWER + _USED * len(used)
        if position is None or weight > self._most:
            return
        self._drop(key)
        held = [
            (shelf.record, shelf.about(key, about), entry.mentions, entry.position)
            for shelf, key, about, entry in used
        ]
        ready = _Kept(value, of, held, until, weight, None)
        if not self._holds(ready, position):
            return
        self._kept[key] = ready
        self.weight += weight
        while self.weight > self._most:
            self._drop(next(iter(self._kept)))

    def _holds(self, found: _Kept[T], position: Position) -> bool:
        if found.held_at == position:
            return True
        known = self._cache.log.known
        for record, about, mentions, read in found.used:
            if known.concerns(record, mentions, about, read):
                return False
        found.held_at = position
        return True

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self.weight -= gone.weight
