"""The first level of the cache: rows in the memory of this process, within a number of bytes.

Most rows are never asked for again. So they are kept as their statement brought them, all of its
answers together, which costs little: ``StatementAnswers``. The first time that a key of them is
asked for again, its rows become an entry of their own: ``CacheEntry``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from sys import getsizeof
from typing import Protocol

from connectors.backends.base import MessageEvidence
from connectors.description import Kind, Record, Row
from gateway.answer import Answer, SourceReport, State
from gateway.cache.invalidations import KnownInvalidations, Position
from gateway.runtime.garbage import YoungRows

#: Which rows: the namespace of the source, and the lookup. The rows are below it by their key.
Shelf = tuple[str, str]

#: Bytes, measured: the answers of a statement beside what they hold; a key of them without rows;
#: what a key with rows takes beside its rows; an entry of its own; a row beside its values.
_STATEMENT, _KEY, _ANSWER, _ENTRY, _ROW = 500, 100, 110, 650, 70
#: How many answers of a statement are weighed: the others are taken for as large.
_WEIGHED = 4


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
    1970. ``weight``: in bytes, estimated. ``shared``: whether it was handed to the level that
    processes share.
    """

    answer: Answer
    position: Position
    read_at: float
    weight: int
    shared: bool = False
    _mentions: frozenset[str] | None = None
    _valid_for: tuple[str, ...] | None = None
    _valid_at: Position | None = None

    def mentions(self, record: Record) -> frozenset[str]:
        """Return the numbers of persons in the rows, which are rows of ``record``."""
        if self._mentions is None:
            self._mentions = numbers_in(record, self.answer.rows or ())
        return self._mentions

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
        if not invalidations.is_latest(self.position) and invalidations.concerns(
            record, self.mentions(record), subject_numbers, self.position
        ):
            return False
        self._valid_at, self._valid_for = now, subject_numbers
        return True

    def remove(self, _key: str) -> int:
        """Return how many bytes less are kept without it."""
        return self.weight


@dataclass(slots=True, eq=False)
class StatementAnswers:
    """The answers of a statement that nobody has asked for again, by key.

    ``position``: how far the log of invalidations was known before it began. ``weight``: of all of
    them, in bytes, estimated.
    """

    answers: dict[str, Answer]
    position: Position
    weight: int
    _last_report: tuple[SourceReport, SourceReport] | None = None

    @classmethod
    def weigh(cls, answers: dict[str, Answer], position: Position) -> StatementAnswers:
        """Return the ``answers`` with their weight. A few of them are weighed: some 10 us."""
        filled = [answer.rows for answer in answers.values() if answer.rows]
        step = -(-len(filled) // _WEIGHED) or 1
        weights = [weigh_rows(rows) for rows in filled[::step]]
        rows = sum(weights) * len(filled) // (len(weights) or 1)
        weight = _STATEMENT + _KEY * len(answers) + _ANSWER * len(filled) + rows
        return cls(answers, position, weight)

    def make_entry(self, key: str) -> CacheEntry:
        """Return what is kept under ``key`` as an entry of its own."""
        answer = self.answers[key]
        original, rows = answer.report, answer.rows
        assert rows is not None
        assert original.fetched_at is not None
        # Most answers of a statement share one report.
        if self._last_report is None or self._last_report[0] is not original:
            self._last_report = (original, replace(original, from_cache=True))
        return CacheEntry(
            Answer(self._last_report[1], rows, answer.unreadable, answer.truncated),
            self.position,
            original.fetched_at.timestamp(),
            entry_weight(rows),
        )

    def remove(self, key: str) -> int:
        """Remove the answer under ``key``; return how many bytes less are kept, about."""
        removed = self.weight // len(self.answers)
        del self.answers[key]
        self.weight -= removed
        return removed


_CachedItem = CacheEntry | StatementAnswers


class MemoryCache:
    """Rows of at most ``most`` bytes together; the least recently used are evicted first.

    What a statement brought, and nobody asked for again, is evicted together.
    """

    def __init__(self, most: int, young: YoungRows | None = None) -> None:
        self._most = most
        self._young = young or YoungRows()
        self._shelves: dict[Shelf, dict[str, _CachedItem]] = {}
        #: What is kept, with the keys of its rows. The most recently used stands last.
        self._order: OrderedDict[_CachedItem, tuple[Shelf, Collection[str]]] = OrderedDict()
        #: Bytes of all rows, estimated.
        self.weight = 0

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def has_any(self, shelf: Shelf, keys: Mapping[str, object]) -> bool:
        """Return whether there are rows under any of ``keys``: 0.2 us, 0.02 us more a key."""
        items = self._shelves.get(shelf)
        return items is not None and not items.keys().isdisjoint(keys.keys())

    def get(self, shelf: Shelf, key: str) -> CacheEntry | None:
        """Return the rows under ``key``, now the most recently used; None if there are none."""
        item = self._shelves.get(shelf, {}).get(key)
        if item is None:
            return None
        if isinstance(item, CacheEntry):
            self._order.move_to_end(item)
            return item
        entry = item.make_entry(key)
        self.keep(shelf, key, entry)
        return entry

    def keep(self, shelf: Shelf, key: str, entry: CacheEntry) -> None:
        """Keep ``entry``, and evict others until there is room; too large an entry is not kept."""
        if entry.weight > self._most:
            return
        self.drop(shelf, key)
        self._shelves.setdefault(shelf, {})[key] = entry
        self._add(shelf, (key,), entry)

    def keep_statement(self, shelf: Shelf, statement: StatementAnswers) -> None:
        """Keep the answers of a statement, in the place of what there is: 0.1 us a key.

        What is too large is not kept.
        """
        answers = statement.answers
        if statement.weight > self._most or not answers:
            return
        if self.has_any(shelf, answers):
            for key in answers:
                self.drop(shelf, key)
        self._shelves.setdefault(shelf, {}).update(dict.fromkeys(answers, statement))
        self._add(shelf, answers, statement)

    def drop(self, shelf: Shelf, key: str) -> None:
        """Remove the rows under ``key``, if there are any."""
        keys = self._shelves.get(shelf)
        item = None if keys is None else keys.pop(key, None)
        if keys is None or item is None:
            return
        self.weight -= item.remove(key)
        if isinstance(item, CacheEntry) or not item.answers:
            del self._order[item]
        if not keys:
            del self._shelves[shelf]

    def _add(self, shelf: Shelf, keys: Collection[str], item: _CachedItem) -> None:
        """Put what is found under ``keys`` last, and evict what is first until there is room."""
        self._order[item] = (shelf, keys)
        self.weight += item.weight
        while self.weight > self._most:
            evicted, (evicted_from, evicted_keys) = self._order.popitem(last=False)
            self.weight -= evicted.weight
            rest = self._shelves[evicted_from]
            for key in evicted_keys:
                del rest[key]
            if not rest:
                del self._shelves[evicted_from]
        self._young.count(item.weight, self.weight)


def entry_weight(rows: tuple[Row, ...]) -> int:
    """Return how many bytes an entry with ``rows`` takes, about."""
    return _ENTRY + _KEY + weigh_rows(rows)


def weigh_rows(rows: tuple[Row, ...]) -> int:
    """Return how many bytes ``rows`` take, about: some 2 us a row of 40 values.

    Values that several rows share are counted in each.
    """
    total = 0
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
