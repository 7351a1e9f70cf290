"""The first level of the cache: entries in the memory of this process, within a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from sys import getsizeof
from typing import Protocol

from connectors.backends.base import MessageEvidence
from connectors.description import Kind, Record, Row
from gateway.answer import Answer, SourceReport, State
from gateway.cache.invalidations import KnownInvalidations, Position
from gateway.runtime.garbage import EvictionCollector

#: Which rows: the namespace of the source, the lookup, the key.
Key = tuple[str, str, str]

#: Bytes, measured: an entry with its answer and report; a row beside its values.
_ENTRY, _ROW = 900, 100


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


class MemoryCache:
    """Entries of at most ``most`` bytes together; the least recently used are evicted first."""

    def __init__(self, most: int, collector: EvictionCollector | None = None) -> None:
        self._most = most
        self._collector = collector or EvictionCollector()
        #: The most recently used entry stands last.
        self._entries: OrderedDict[Key, CacheEntry] = OrderedDict()
        #: Bytes of all entries, estimated.
        self.weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> CacheEntry | None:
        """Return the entry under ``key``, now the most recently used; None if there is none."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def keep(self, key: Key, entry: CacheEntry) -> None:
        """Keep ``entry``, and evict others until there is room; too large an entry is not kept."""
        if entry.weight > self._most:
            return
        self.drop(key)
        self._entries[key] = entry
        self.weight += entry.weight
        while self.weight > self._most:
            _, evicted = self._entries.popitem(last=False)
            self.weight -= evicted.weight
            self._collector.count_eviction()

    def drop(self, key: Key) -> None:
        """Remove the entry under ``key``, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.weight -= entry.weight


#: What ``weight_of`` returns for no rows.
EMPTY_WEIGHT = _ENTRY


def weight_of(rows: tuple[Row, ...]) -> int:
    """Return how many bytes an entry with ``rows`` takes, about: some 2 us a row of 40 values.

    Values that several rows share are counted in each.
    """
    total = _ENTRY
    for row in rows:
        total += _ROW + 8 * len(row) + sum(map(getsizeof, filter(None, row)))
        if tuple in map(type, row):
            total += sum(sum(map(getsizeof, value)) for value in row if type(value) is tuple)
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
