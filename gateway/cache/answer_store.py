"""Ready answers: the bytes that a plan made of rows which are all in the cache.

As long as the rows may be served from the cache, so may the answer: for the same plan, the same
variables, the same rights and the same legal day. Rights are decided before an answer is looked up,
and each request is written to the journal.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Generic, TypeVar

from cachetools import LRUCache

from connectors.description import Record
from gateway.cache.invalidations import Position
from gateway.cache.lag import CacheLag
from gateway.cache.memory import CacheEntry
from gateway.cache.rows import LOOKED, Cache, CachedLookup

T = TypeVar("T")

_READY = LOOKED.labels("ready")

#: Rows that an answer was made of: their lookup and key, the numbers of the person for whose view
#: they were read, and the entry of the cache.
Used = tuple[CachedLookup, str, tuple[str, ...], CacheEntry]
#: What is kept of them to recognise an invalidation, without the rows: the record, the numbers of
#: the person, the numbers in the rows, and how far the log was known when they were read.
_Dependency = tuple[Record, tuple[str, ...], frozenset[str], Position]
#: Bytes of an answer beside its own, and of each list that it was made of.
_ANSWER, _USED = 6_000, 300


@dataclass(slots=True, eq=False)
class _StoredAnswer(Generic[T]):
    """An answer.

    ``basis``: the objects that it was made with; they are the same as long as nothing was reloaded.
    ``until``: when the first of its rows is no longer fresh, in seconds since 1970. ``bounded``:
    databases whose rows may lag so far only (``gateway.cache.lag``), with the moment of the first
    read. ``valid_at``: the position in the log at which it was last found valid.
    """

    value: T
    basis: tuple[object, ...]
    dependencies: Sequence[_Dependency]
    until: float
    bounded: Sequence[tuple[str, float]]
    weight: int
    valid_at: Position | None


class AnswerStore(Generic[T]):
    """Answers of at most ``most`` bytes together; the least recently used are evicted first."""

    def __init__(self, cache: Cache, most: int) -> None:
        self._cache = cache
        self._answers: LRUCache[Hashable, _StoredAnswer[T]] = LRUCache(
            most, getsizeof=lambda answer: answer.weight
        )

    @property
    def weight(self) -> int:
        """Bytes of all answers, estimated."""
        return int(self._answers.currsize)

    def get(self, key: Hashable, basis: tuple[object, ...], now: float) -> T | None:
        """Return the answer under ``key`` if it may be served ``now``, else None. Costs 1 us.

        After an invalidation it is compared with what it was made of, once.
        """
        try:
            answer = self._answers[key]  # half the cost of ``get``
        except KeyError:
            return None
        position = self._cache.position()
        if position is None:
            return None
        is_same = all(map(is_, answer.basis, basis))
        if not is_same or now > answer.until or not self._is_valid(answer, position):
            self._answers.pop(key, None)
            return None
        for database, read_at in answer.bounded:
            if not self._cache.lag.is_within(database, read_at, now):
                return None  # it may be again, once changes are read again
        _READY.inc()
        return answer.value

    def keep(
        self, key: Hashable, basis: tuple[object, ...], value: T, used: Sequence[Used], size: int
    ) -> None:
        """Keep an answer of ``size`` bytes, made of the rows ``used``."""
        position = self._cache.position()
        until = min(
            (entry.read_at + lookup.freshness.fresh for lookup, _, _, entry in used), default=0.0
        )
        weight = size + _ANSWER + _USED * len(used)
        if position is None or weight > self._answers.maxsize:
            return
        self._answers.pop(key, None)
        dependencies = [
            (
                lookup.record,
                lookup.subject_numbers(row_key, numbers),
                entry.mentions(lookup.record),
                entry.position,
            )
            for lookup, row_key, numbers, entry in used
        ]
        bounded = _bounded(self._cache.lag, used)
        answer = _StoredAnswer(value, basis, dependencies, until, bounded, weight, None)
        if self._is_valid(answer, position):
            self._answers[key] = answer

    def _is_valid(self, answer: _StoredAnswer[T], position: Position) -> bool:
        """Return whether no invalidation that is known at ``position`` concerns the answer."""
        if answer.valid_at == position:
            return True
        invalidations = self._cache.log.invalidations
        for record, numbers, mentions, read in answer.dependencies:
            if invalidations.concerns(record, mentions, numbers, read):
                return False
        answer.valid_at = position
        return True


def _bounded(lag: CacheLag, used: Sequence[Used]) -> Sequence[tuple[str, float]]:
    """Return the databases with a bound, and when the first of their rows was read."""
    first_read: dict[str, float] = {}
    for lookup, _, _, entry in used:
        database = lookup.record.database
        if database in lag.databases:
            first_read[database] = min(entry.read_at, first_read.get(database, entry.read_at))
    return tuple(first_read.items())
