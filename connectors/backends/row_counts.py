"""Counting the rows of a record by columns, for statistics: one GROUP BY at the source.

Values are grouped as the source writes them and decoded afterwards, like those of rows
(``connectors.codec``), so that codes of existing tables are translated in one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import sqlalchemy as sa

from connectors.backends.record_maps import StoredTable
from connectors.codec import FAULTS, Unreadable, value_reader
from connectors.description import Coded, Record
from connectors.row_decoder import StoredValue
from connectors.values import PartialDate

#: The characters of the year at the beginning of a date, as sources write one as text.
_YEAR_DIGITS = 4


@dataclass(frozen=True, slots=True)
class CountColumn:
    """A column to count by. ``by_year``: by the year of a date alone.

    ``digits``: by so many characters at its beginning; 0: by the whole value.
    """

    name: str
    by_year: bool = False
    digits: int = 0


@dataclass(frozen=True, slots=True)
class CountRequest:
    """Which rows of a record are counted, and by what.

    ``before``: rows dated on that day or later are left out; rows without a date are counted.
    ``absent``: columns that must not hold anything.
    """

    record: Record
    columns: tuple[CountColumn, ...]
    before: date
    absent: tuple[str, ...] = ()


#: Counts by the values of the columns: codes and texts, years as numbers; None where nothing is
#: recorded or it cannot be read.
GroupCounts = Mapping[tuple[object, ...], int]


class CountingBackend(Protocol):
    """A backend whose source can count."""

    async def count(self, request: CountRequest) -> GroupCounts:
        """Return the counts; raises SourceUnavailable or NotMapped.

        The source reads all rows of the record once.
        """
        ...


def count_statement(stored: StoredTable, request: CountRequest) -> sa.Select[Any]:
    """Return the statement: the columns of ``_grouped``, as the source writes them, and the count.

    Columns that the source keeps in no column of its own are left out (``decode_groups``).
    """
    grouped = [column for column in _grouped(stored, request) if _source(stored, column.name)]
    names = {*(column.name for column in grouped), *request.absent}
    if request.record.date is not None:
        names.add(request.record.date)
    sources = dict.fromkeys(source for name in names if (source := _source(stored, name)))
    table = sa.table(stored.table, *(sa.column(source) for source in sources), schema=stored.schema)
    expressions = [_expression(stored, table, column) for column in grouped]
    labelled = [expression.label(f"g{place}") for place, expression in enumerate(expressions)]
    statement = sa.select(*labelled, sa.func.count()).select_from(table)
    dated = request.record.date
    if dated is not None and _is_plain_date(stored, dated):
        text = _date_text(stored, table, dated)
        before = sa.literal(request.before.isoformat())
        statement = statement.where(sa.or_(text.is_(None), text < before))
    for name in request.absent:
        source = _source(stored, name)
        if source is not None:
            statement = statement.where(table.c[source].is_(None))
    return statement.group_by(*expressions) if expressions else statement


def _grouped(stored: StoredTable, request: CountRequest) -> tuple[CountColumn, ...]:
    """Return the columns to group by: the date too, where it is judged only once it is decoded."""
    dated = request.record.date
    if dated is None or _source(stored, dated) is None or _is_plain_date(stored, dated):
        return request.columns
    return (*request.columns, CountColumn(dated))


def _source(stored: StoredTable, name: str) -> str | None:
    """Return the column of the source for a declared one; None: it is not kept in one."""
    value = stored.layout.values[stored.record.positions[name]]
    if isinstance(value, StoredValue):
        return stored.names[value.place]
    return None if value is None else stored.columns.get(name)


def _is_plain_date(stored: StoredTable, name: str) -> bool:
    """Say whether the source writes a date as such, or as text that begins with the year."""
    value = stored.layout.values[stored.record.positions[name]]
    return isinstance(value, StoredValue) and name not in stored.converted


def _expression(
    stored: StoredTable, table: sa.TableClause, column: CountColumn
) -> sa.ColumnElement[Any]:
    if column.by_year and _is_plain_date(stored, column.name):
        return sa.func.substr(_date_text(stored, table, column.name), 1, _YEAR_DIGITS)
    source = table.c[str(_source(stored, column.name))]
    if column.digits:
        return sa.func.substr(sa.cast(source, sa.String(32)), 1, column.digits)
    return source


def _date_text(stored: StoredTable, table: sa.TableClause, name: str) -> sa.ColumnElement[str]:
    return sa.cast(table.c[str(_source(stored, name))], sa.String(32))


def decode_groups(
    stored: StoredTable, request: CountRequest, rows: Iterable[Sequence[object]]
) -> GroupCounts:
    """Return what the rows of ``count_statement`` say."""
    grouped = _grouped(stored, request)
    decoders = [_ValueDecoder(stored, column) for column in grouped]
    counts: Counter[tuple[object, ...]] = Counter()
    for *values, count in rows:
        remaining = iter(values)
        raws = [next(remaining) if decoder.is_stored else None for decoder in decoders]
        group = [decode(raw) for decode, raw in zip(decoders, raws, strict=True)]
        if len(grouped) > len(request.columns) and _is_later(group.pop(), request.before):
            continue
        counts[tuple(group)] += int(str(count))
    return counts


class _ValueDecoder:
    """Decodes one column of a group. ``is_stored``: the statement has it.

    A column has few values and a statement many groups, so each value is decoded once.
    """

    def __init__(self, stored: StoredTable, column: CountColumn) -> None:
        position = stored.record.positions[column.name]
        source = _source(stored, column.name)
        self.is_stored = source is not None
        self._width = stored.layout.width
        self._stored_value = stored.layout.values[position]
        self._place = None if source is None else stored.names.index(source)
        self._read = value_reader(stored.record.columns[position])
        self._by_year = column.by_year
        self._is_prefix = column.digits > 0
        self._is_year = column.by_year and _is_plain_date(stored, column.name)
        #: By the type of the stored value too: 1 and 1.0 are the same key.
        self._decoded: dict[tuple[type, object], object] = {}

    def __call__(self, raw: object) -> object:
        key = (type(raw), raw)
        try:
            return self._decoded[key]
        except KeyError:
            value = self._decoded[key] = plain_value(self._decode(raw))
            return value
        except TypeError:  # no key of a mapping: a list, say
            return plain_value(self._decode(raw))

    def _decode(self, raw: object) -> object:
        try:
            if self._is_year:
                return None if raw is None else int(str(raw))
            if self._is_prefix:
                return raw if isinstance(raw, str) else None
            raw = self._convert(raw)
            value = None if raw is None else self._read(raw)
            return _year(value) if self._by_year else value
        except (*FAULTS, Unreadable):
            return None

    def _convert(self, raw: object) -> object:
        value = self._stored_value
        if isinstance(value, StoredValue):
            is_plain = value.convert is None or raw is None
            return raw if is_plain or value.convert is None else value.convert(raw)
        if value is None:
            return None
        row: list[object] = [None] * self._width
        if self._place is not None:
            row[self._place] = raw
        return value(row)


def plain_value(value: object) -> object:
    """Return a decoded value as groups have it: the code of an enumeration, else itself."""
    return value.name if isinstance(value, Coded) else value


def count_rows(request: CountRequest, rows: Iterable[Sequence[object]]) -> GroupCounts:
    """Return the counts of decoded rows: what a source in memory does."""
    record = request.record
    counts: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        dated = None if record.date is None else row[record.positions[record.date]]
        is_later = _is_later(dated, request.before)
        is_hidden = any(row[record.positions[name]] is not None for name in request.absent)
        if not is_later and not is_hidden:
            counts[tuple(_group_value(record, row, column) for column in request.columns)] += 1
    return counts


def _group_value(record: Record, row: Sequence[object], column: CountColumn) -> object:
    value = row[record.positions[column.name]]
    if column.digits:
        return value[: column.digits] if isinstance(value, str) else None
    return _year(value) if column.by_year else plain_value(value)


def _year(value: object) -> int | None:
    return value.year if isinstance(value, date | PartialDate) else None


def _is_later(value: object, before: date) -> bool:
    """Say whether a date is ``before`` or after it; one that is not known is not."""
    first = value.first if isinstance(value, PartialDate) else value
    return isinstance(first, date) and first.isoformat()[:10] >= before.isoformat()
