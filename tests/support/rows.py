"""Raw rows for any record, generated from its description: missing, odd and unreadable values."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random

from connectors.description import Column, Field, Kind, Record
from connectors.values import PartialDate

Raw = dict[str, object]

_TEMPLATES = 40
_VIETNAM = timezone(timedelta(hours=7))

#: What each kind may hold, as sources of all sorts store it.
_VALUES: dict[Kind, tuple[object, ...]] = {
    Kind.STRING: (
        "Nguyễn Văn Hòa",
        unicodedata.normalize("NFD", "Trần Thị Lệ"),
        'Ông "Tư" \\ Bà O\'Nêu',
        "dòng một\ndòng hai\t\u2028",
        "",
        "null",
        "</script><b>&amp;",
        "𠀋 😀",
        "xã Tân Phú " * 20,
    ),
    Kind.INTEGER: (0, 1, 2, "3", 7, -1, 2_147_483_647, -2_147_483_648, 2_147_483_648, 10**20),
    Kind.BOOLEAN: (True, False, 0, 1, "0", "1", "true", "False"),
    Kind.DECIMAL: (
        "0",
        "1500000",
        "1.50",
        12,
        3.5,
        "1E+7",
        "-0.00",
        Decimal("99999999999999999999.99"),
        0.1,
        " 5 ",
    ),
    Kind.DATE: (
        "2015-06-15",
        "2020-02-29",
        date(2010, 1, 31),
        "1975-04-30",
        "2025-06-30",
        "20240101",
        "2024-W05-1",
        "0001-01-01",
        "9999-12-31",
    ),
    Kind.PARTIAL_DATE: (
        "1957",
        "1957-03",
        "1957-03-02",
        "1990-02-03",
        PartialDate(1990),
        date(2001, 12, 31),
        "2004-02-29",
        "0001",
    ),
    Kind.DATETIME: (
        "2024-01-01T00:00:00+07:00",
        "2024-06-30T23:59:59.123456+00:00",
        "2024-06-30T17:00:00.000001Z",
        datetime(2023, 3, 1, 12, tzinfo=UTC),
        datetime(2023, 3, 1, 1, 2, 3, 450000, tzinfo=_VIETNAM),
        "2022-12-31 23:30-02:00",
        "1999-12-31T17:00:00+00:00",
    ),
    Kind.ENTERPRISE_CODE: ("0100109106", "0100109107", "0100109106-001", "", "mã cũ 12"),
    Kind.PERSON_NUMBER: ("001090012345", "123456789"),
}

#: What none of a kind can be read from.
_UNREADABLE: dict[Kind, tuple[object, ...]] = {
    Kind.STRING: (7, b"bytes", ["x"]),
    Kind.INTEGER: ("một", 1.5, True, ""),
    Kind.BOOLEAN: ("có", 2, ""),
    Kind.DECIMAL: ("NaN", "Infinity", "mười", True, ""),
    Kind.DATE: ("2023-02-29", "31/12/2020", "", datetime(2020, 1, 1, tzinfo=UTC), 20200101),
    Kind.PARTIAL_DATE: ("1957-00", "57", "1957-3", 1957, ""),
    Kind.DATETIME: ("2024-01-01T00:00:00", "hôm qua", 0, date(2024, 1, 1)),
    Kind.ENTERPRISE_CODE: (100109106,),
    Kind.PERSON_NUMBER: ("12", "00109001234X", "001090012345 ", 1090012345),
    Kind.ENUM: ("NOPE", "", 1, "male"),
}

#: Codes that rules of law depend on: they occur often, not as one of many.
_MEANINGFUL: dict[tuple[str, str], tuple[str, ...]] = {
    ("births", "status"): ("SUPERSEDED", "VALID", "AMENDED"),
    ("transactions", "kind"): ("WILL", "SALE", "DONATION"),
    ("court_notes", "event_type"): ("ADOPTION", "FOREIGN_ADOPTION", "DECLARED_MISSING"),
}


def some_row(rng: Random, record: Record) -> Raw:
    """Return a row of ``record``, with more or fewer holes.

    Person numbers are left out, and so is the identity: whoever builds a world knows them. Costs a
    microsecond or two: rows are varied copies of rows made once.
    """
    sheet = _sheet(record)
    row = dict(rng.choice(sheet.templates))
    for column in rng.choices(sheet.plain, k=2):
        row[column.name] = _value(rng, record, column)
    return row


def break_row(rng: Random, record: Record, row: Raw) -> None:
    """Make ``row`` unreadable: a value that is none of its kind, or a required one missing."""
    column = rng.choice(record.columns)
    required = [column for column in record.columns if column.required]
    if rng.random() < 0.2:
        row.pop(rng.choice(required).name, None)
    elif column.field.many:
        row[column.name] = rng.choice(("{}", "[", 5, "[null]", '"một"', [["x"]]))
    else:
        row[column.name] = rng.choice(_UNREADABLE[column.field.kind])


def several_values(rng: Random, values: list[object]) -> object:
    """Return a list as some source stores it: as JSON text, or as it is."""
    texts = [value for value in values if isinstance(value, str)]
    return json.dumps(texts, ensure_ascii=rng.random() < 0.5) if rng.random() < 0.7 else texts


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A record's columns that hold neither persons nor its identity, and rows to copy."""

    plain: tuple[Column, ...]
    templates: tuple[Raw, ...]


#: By names: to hash a whole description for every row would take longer than all the rest.
_SHEETS: dict[tuple[str, str], _Sheet] = {}


def _sheet(record: Record) -> _Sheet:
    name = (record.database, record.name)
    if name not in _SHEETS:
        rng = Random(".".join(name))
        plain = tuple(
            column
            for column in record.columns
            if column.field.kind is not Kind.PERSON_NUMBER and column.name != record.identity
        )
        templates = tuple(_template(rng, record, plain) for _ in range(_TEMPLATES))
        _SHEETS[name] = _Sheet(plain, templates)
    return _SHEETS[name]


def _template(rng: Random, record: Record, plain: Sequence[Column]) -> Raw:
    """Make a row: some are nearly full, some nearly empty, and structs may be empty as a whole."""
    holes = rng.choice((0.05, 0.3, 0.3, 0.8))
    structs = sorted(
        {column.path[:end] for column in record.columns for end in range(1, len(column.path))}
    )
    empty = {path for path in structs if rng.random() < 0.25}
    row: Raw = {}
    for column in plain:
        is_below_empty = any(column.path[:end] in empty for end in range(1, len(column.path)))
        if column.required or not (is_below_empty or rng.random() < holes):
            row[column.name] = _value(rng, record, column)
        elif rng.random() < 0.5:
            row[column.name] = None
    return row


def _value(rng: Random, record: Record, column: Column) -> object:
    values = _MEANINGFUL.get((record.name, column.name))
    if values is not None:
        return rng.choice(values)
    if column.field.many:
        return several_values(
            rng, [_scalar(rng, column.field) for _ in range(rng.choice((0, 1, 2, 3)))]
        )
    return _scalar(rng, column.field)


def _scalar(rng: Random, field: Field) -> object:
    if field.enumeration is not None:
        return rng.choice(tuple(field.enumeration.__members__))
    return rng.choice(_VALUES[field.kind])
