"""The first level of the cache: entries in the memory of this process, within a number of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from cachetools import LRUCache

from connectors.backends.base import MessageEvidence
from connectors.description import Kind, Record, Row
from connectors.values import PartialDate
from gateway.answer import Answer, SourceReport, State
from gateway.cache.invalidations import KnownInvalidations, Position
from gateway.runtime.garbage import EvictionCollector

#: Which rows: the namespace of the source, the lookup, the key.
Key = tuple[str, str, str]

#: Bytes, measured: an entry with its answer and report; a row; a value beside its text.
_ENTRY, _ROW, _VALUE = 900, 100, 30
#: Bytes of a value that is neither a text nor a small number.
_WEIGHTS: dict[type, int] = {Decimal: 104, date: 32, datetime: 48, PartialDate: 56, tuple: 120}


class Reports(Protocol):
    """Makes the report of an answer (``Source.report``)."""

    def __call__(
        self,
        record: Record,
        state: State,
        *,
        as_of: datetime | None,
        fetched_at: datetime | None,
        from_cache: bool,
        evidence: MessageEvidence | None,
    ) -> SourceReport:
        """Return a report for ``record`` in ``state``."""
        ...


@dataclass(slots=True, eq=False)
class CacheEntry:
    """Rows of one record under one key, as they were read.

    ``answer``: with a report that names the cache as its source. ``position``: how far the log of
    invalidations was known before the statement began. ``read_at``: when it began, in seconds since
    1970. ``mentions``: the numbers of persons in the rows. ``weight``: in bytes, estimated.
    ``shared``: whether it was handed to the level that processes share.
    """

    answer: Answer
    position: Position
    read_at: float
    mentions: frozenset[str]
    weight: int
    shared: bool = False
    _valid_for: tuple[str, ...] | None = None
    _valid_at: Position | None = None

    def is_valid(
        self,
        record: Record,
        invalidations: KnownInvalidations,
        subject_numbers: tuple[str, ...],
        now: Position,
    ) -> bool:
        """Return whether no invalidation that is known at ``now`` concerns these rows.

        A positive result is kept until another invalidation is known: 0.2 us.
        """
        if now == self._valid_at and subject_numbers == self._valid_for:
            return True
        if invalidations.concerns(record, self.mentions, subject_numbers, self.position):
            return False
        self._valid_at, self._valid_for = now, subject_numbers
        return True


class _Entries(LRUCache[Key, CacheEntry]):
    """Entries by weight, the least recently used first; evictions are counted."""

    def __init__(self, most: int, collector: EvictionCollector) -> None:
        super().__init__(most, getsizeof=lambda entry: entry.weight)
        self._collector = collector

    def popitem(self) -> tuple[Key, CacheEntry]:
        """Evict the least recently used entry."""
        self._collector.count_eviction()
        return super().popitem()


class MemoryCache:
    """Entries of at most ``most`` bytes together; the least recently used are evicted first."""

    def __init__(self, most: int, collector: EvictionCollector | None = None) -> None:
        self._entries = _Entries(most, collector or EvictionCollector())

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def weight(self) -> int:
        """Bytes of all entries, estimated."""
        return int(self._entries.currsize)

    def get(self, key: Key) -> CacheEntry | None:
        """Return the entry under ``key``, now the most recently used; None if there is none."""
        return self._entries.get(key)

    def keep(self, key: Key, entry: CacheEntry) -> None:
        """Keep ``entry``, and evict others until there is room; too large an entry is not kept."""
        if entry.weight <= self._entries.maxsize:
            if key in self._entries:
                self.drop(key)
            self._entries[key] = entry

    def drop(self, key: Key) -> None:
        """Remove the entry under ``key``, if there is one."""
        self._entries.pop(key, None)


#: What ``weight_of`` returns for no rows.
EMPTY_WEIGHT = _ENTRY


def weight_of(rows: tuple[Row, ...]) -> int:
    """Return how many bytes an entry with ``rows`` takes, about: some 5 us a row of 40 values."""
    total = _ENTRY
    for row in rows:
        total += _ROW + 8 * len(row)
        for value in row:
            if value is None:
                continue
            if isinstance(value, str):
                total += _VALUE + len(value) * (1 if value.isascii() else 2)
            else:
                total += _WEIGHTS.get(type(value), 0)
    return total


_NO_NUMBERS: frozenset[str] = frozenset()


@lru_cache(maxsize=1_000)
def _number_positions(record: Record) -> tuple[int, ...]:
    """Return the positions of the columns that hold numbers of persons."""
    return tuple(
        position
        for position, column in enumerate(record.columns)
        if column.field.kind is Kind.PERSON_NUMBER
    )


def numbers_in(record: Record, rows: tuple[Row, ...]) -> frozenset[str]:
    """Return the numbers of persons in ``rows``."""
    if not rows:
        return _NO_NUMBERS
    positions = _number_positions(record)
    numbers: set[str] = set()
    for row in rows:
        for position in positions:
            value = row[position]
            if isinstance(value, tuple):
                numbers.update(str(number) for number in value)
            elif value is not None:
                numbers.add(str(value))
    return frozenset(numbers)
