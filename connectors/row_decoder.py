"""Generated code that decodes rows of a record, many at a time.

``connectors.codec.decode`` calls a function for each value; most values of a driver are of the
right type already. For each record, and each way in which a source stores it, one function is
generated that looks at the type of each value in place and calls nothing for those. Whatever else a
value is goes to the codec's reader of its column, and a row that cannot be read to ``decode``
itself, which says why. So the codec alone defines what is readable.

The text of a function consists of our own words and of numbers only: no names of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from connectors.codec import FAULTS, Unreadable, decode, value_reader
from connectors.description import Column, Kind, Record, Row
from connectors.values import PartialDate

_Raw = Sequence[object]

#: Decodes raw rows: gives for each the row, or the reason why it cannot be read.
DecodeRows = Callable[[Iterable[_Raw]], list[Row | str]]

#: Distinct dates that are remembered: all days of a century.
_DATES = 40_000


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value that a source stores in one column, at ``place`` of its rows.

    ``convert`` turns it into what ``connectors.codec`` reads; it gives a value of the type that the
    codec itself gives (for dates that may be incomplete: also text) back unchanged.
    """

    place: int
    convert: Callable[[object], object] | None = None


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The rows of a source.

    ``width``: how many values a row has. ``values``: for each column of the record its value, a
    function that makes it of the row, or None for a column without any. ``read``: turns a row into
    raw values in the order of ``record.columns``; None: it is in that form.
    """

    width: int
    values: tuple[StoredValue | Callable[[_Raw], object] | None, ...]
    read: Callable[[_Raw], _Raw] | None = None


def plain_layout(record: Record) -> RowLayout:
    """Return the layout of rows that hold the columns of ``record`` in their order."""
    width = len(record.columns)
    return RowLayout(width, tuple(map(StoredValue, range(width))))


@cache
def rows_decoder(record: Record, before: int = 0) -> DecodeRows:
    """Return the decoder of rows that hold, after ``before`` other values, the record's columns.

    They stand in the order of ``record.columns``. Generated once.
    """
    return generate_decoder(record, plain_layout(record), before)


def generate_decoder(record: Record, layout: RowLayout, before: int = 0) -> DecodeRows:
    """Generate the decoder of rows with a ``layout``, after ``before`` other values.

    Decoding then costs some 12 ns a value, more where its reader is called; to generate, some
    milliseconds. A row of another width is a defect: the decoder raises ValueError.
    """

    def explain(raw: _Raw) -> Row | str:
        """Decode a row as the codec does; return the reason where it cannot be read."""
        values = raw[before:]
        try:
            return decode(record, values if layout.read is None else layout.read(values))
        except Unreadable as error:
            return str(error)

    namespace: dict[str, Any] = {**_NAMES, "explain": explain}
    exec(_source(record, layout, before, namespace), namespace)  # noqa: S102 - our own text
    decoder: DecodeRows = namespace["decode_rows"]
    return decoder


@lru_cache(_DATES)
def _written(text: str) -> PartialDate:
    return PartialDate.parse(text)


@lru_cache(_DATES)
def _whole(day: date) -> PartialDate:
    return PartialDate(day.year, day.month, day.day)


_NAMES = {
    "FAULTS": FAULTS,
    "Decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "UTC": UTC,
    "written": _written,
    "whole": _whole,
    "__builtins__": {"type": type, "str": str, "int": int, "bool": bool, "len": len},
}

#: When a value that is there must be read, by kind; ``{0}`` is the value, ``{1}`` its column.
_OTHERWISE = {
    Kind.STRING: "type({0}) is not str",
    Kind.ENTERPRISE_CODE: "type({0}) is not str",
    Kind.INTEGER: f"type({{0}}) is not int or not {-(2**31)} <= {{0}} < {2**31}",
    Kind.BOOLEAN: "type({0}) is not bool",
    Kind.DECIMAL: "type({0}) is not Decimal or not {0}.is_finite()",
    Kind.DATE: "type({0}) is not date",
    Kind.DATETIME: "type({0}) is not datetime or {0}.tzinfo is not UTC",
    Kind.ENUM: "{0} not in names{1}",
    Kind.PERSON_NUMBER: "type({0}) is not str or len({0}) != 12 or not {0}.isascii()"
    " or not {0}.isdigit()",
}


def _source(record: Record, layout: RowLayout, before: int, namespace: dict[str, Any]) -> str:
    """Return the text of the function, and add what it uses to ``namespace``."""
    targets = ["_"] * (before + layout.width)
    assignments: list[str] = []
    reads: list[str] = []
    for number, (column, value) in enumerate(zip(record.columns, layout.values, strict=True)):
        name, read = f"c{number}", value_reader(column)
        if isinstance(value, StoredValue):
            place = before + value.place
            if targets[place] == "_":
                targets[place] = name
            else:
                assignments.append(f"{name} = {targets[place]}")
            if value.convert is not None:
                read = _composed(read, value.convert)
        elif value is None:
            assignments.append(f"{name} = None")
        else:
            namespace[f"make{number}"] = value
            assignments.append(f"{name} = make{number}(raw[{before}:])")
        namespace[f"read{number}"] = read
        reads += _statements(column, number, namespace)
    names = [f"c{number}" for number in range(len(record.columns))]
    lines = "\n            ".join([f"{', '.join(targets)}, = raw[:]", *assignments, *reads])
    return f"""
def decode_rows(raws):
    rows = []
    for raw in raws:
        try:
            {lines}
        except FAULTS:
            rows.append(explain(raw))
        else:
            rows.append(({", ".join(names)},))
    return rows
"""


def _statements(column: Column, number: int, namespace: dict[str, Any]) -> list[str]:
    """Return what reads a value that is not yet what the row is to hold.

    A required value that is missing is read too, which fails.
    """
    name, kind = f"c{number}", column.field.kind
    read = f"{name} = read{number}({name})"
    if column.field.many:
        return [read if column.required else f"if {name} is not None: {read}"]
    if kind is Kind.PARTIAL_DATE:
        value = f"whole({name}) if type({name}) is date else read{number}({name})"
        value = f"{name} = written({name}) if type({name}) is str else {value}"
        return [value if column.required else f"if {name} is not None: {value}"]
    if column.field.enumeration is not None:
        namespace[f"names{number}"] = frozenset(column.field.enumeration.__members__)
    otherwise = _OTHERWISE[kind].format(name, number)
    return [f"if {'' if column.required else f'{name} is not None and '}({otherwise}): {read}"]


def _composed(
    read: Callable[[object], object], convert: Callable[[object], object]
) -> Callable[[object], object]:
    return lambda value: read(convert(value))
