"""The level of the cache in the process: entries by key, within a number of bytes."""

from __future__ import annotations

import gc
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from connectors.backends.base import MessageEvidence
from connectors.description import Kind, Record, Row
from connectors.values import PartialDate
from gateway.answer import Answer, SourceReport, State
from gateway.cache.invalidations import KnownInvalidations, Position

#: Which rows: the namespace of the source, the lookup, the key.
Key = tuple[str, str, str]

#: Bytes, measured: an entry with its answer and report; a row; a value beside its text.
_ENTRY, _ROW, _VALUE = 900, 100, 30
#: After how many entries that had to go the collector of garbage looks through what is young.
#: Python has it do so by the count of what is made less what is dropped, and that stands still
#: while an entry goes for each that comes: a pass through a million objects took 0.2 s then. So it
#: takes 10 ms, three times a second under full load.
_GONE = 2_500
#: What of a value is more than its text or a small number.
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

    ``answer``: with a report that says that it comes from the cache. ``position``: how far the log
    was known before the statement began. ``read_at``: when that was, in seconds since 1970.
    ``mentions``: the numbers that stand in the rows. ``weight``: in bytes, about. ``shared``:
    whether it was handed to the level that processes share.
    """

    answer: Answer
    position: Position
    read_at: float
    mentions: frozenset[str]
    weight: int
    shared: bool = False
    _about: tuple[str, ...] | None = None
    _held_at: Position | None = None

    def holds(
        self, record: Record, known: KnownInvalidations, about: tuple[str, ...], now: Position
    ) -> bool:
        """Say whether nothing that is known at ``now`` concerns these rows.

        What was found out is remembered until something new is known: 0.2 us.
        """
        if now == self._held_at and about == self._about:
            return True
        if known.concerns(record, self.mentions, about, self.position):
            return False
        self._held_at, self._about = now, about
        return True


class MemoryCache:
    """Entries of at most ``most`` bytes together; those not used for longest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[Key, CacheEntry] = OrderedDict()
        self._gone = 0
        self.weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> CacheEntry | None:
        """Return what is kept under ``key``, which now was used last; None for nothing. 0.2 us."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def keep(self, key: Key, entry: CacheEntry) -> None:
        """Keep ``entry``; what there is no room for goes."""
        if entry.weight > self._most:
            return
        self.drop(key)
        self._entries[key] = entry
        self.weight += entry.weight
        while self.weight > self._most:
            _, gone = self._entries.popitem(last=False)
            self.weight -= gone.weight
            self._gone += 1
        if self._gone >= _GONE:
            self._gone = 0
            gc.collect(1)

    def drop(self, key: Key) -> None:
        """Let go of what is kept under ``key``, if anything is."""
        gone = self._entries.pop(key, None)
        if gone is not None:
            self.weight -= gone.weight


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


_NOBODY: frozenset[str] = frozenset()
#: By record (its identity is the key: comparing two compares all that they declare).
_NUMBERS: dict[int, tuple[Record, tuple[int, ...]]] = {}


def numbers_in(record: Record, rows: tuple[Row, ...]) -> frozenset[str]:
    """Return the numbers of persons that stand in ``rows``."""
    if not rows:
        return _NOBODY
    known = _NUMBERS.get(id(record))
    if known is None:
        places = tuple(
            place
            for place, column in enumerate(record.columns)
            if column.field.kind is Kind.PERSON_NUMBER
        )
        known = _NUMBERS[id(record)] = record, places
    found: set[str] = set()
    for row in rows:
        for place in known[1]:
            value = row[place]
            if isinstance(value, tuple):
                found.update(str(one) for one in value)
            elif value is not None:
                found.add(str(value))
    return frozenset(found)
