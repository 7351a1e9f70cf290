"""Rows written as JSON objects, by the columns of their table: of outboxes and of Debezium."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from connectors.backends.record_maps import StoredTable
from connectors.codec import Unreadable, decode
from connectors.description import Kind, Row

#: Turns a value of JSON into one that a driver would give, by the kind of its column.
Convert = Callable[[object, Kind | None], object]

_DATES = frozenset({Kind.DATE, Kind.PARTIAL_DATE, Kind.DATETIME})
#: Kinds whose values never end in a blank: one is the padding of CHAR(n).
_CODES = frozenset({Kind.PERSON_NUMBER, Kind.ENTERPRISE_CODE, Kind.ENUM})


def load_object(text: object) -> Mapping[str, object] | None:
    """Read a JSON object; None for null. Numbers keep all their digits.

    Raises ValueError for anything else.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value = json.loads(text, parse_float=Decimal) if isinstance(text, str) else text
    except RecursionError:
        raise ValueError("it nests too deeply") from None
    if value is not None and not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def convert_iso(value: object, kind: Kind | None) -> object:
    """Turn dates and moments in ISO 8601 into those of a driver; drop the padding of codes."""
    if not isinstance(value, str):
        return value
    if kind in _CODES:
        return value.rstrip(" ")
    if kind not in _DATES:
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value) if ":" in value else value
    except ValueError:
        return value


def decode_object(
    stored: StoredTable, values: Mapping[str, object], convert: Convert = convert_iso
) -> Row:
    """Decode a row of the table ``stored``.

    Raises Unreadable, also where a column is left out: that is not a column without a value.
    """
    kinds = _kinds(stored)
    raw = []
    for name in stored.names:
        if name not in values:
            raise Unreadable(f"{name} is left out")
        raw.append(convert(values[name], kinds.get(name)))
    return decode(stored.record, raw if stored.read is None else stored.read(raw))


def identity_of(
    stored: StoredTable, values: Mapping[str, object], convert: Convert = convert_iso
) -> str:
    """Return the identity of a row of which at least the key is there; raises Unreadable."""
    name = stored.at(stored.record.identity)
    value = convert(values.get(name), Kind.PERSON_NUMBER)
    if value is None or isinstance(value, float | dict | list):
        raise Unreadable(f"{name} is missing")
    return str(value)


@cache
def _kinds(stored: StoredTable) -> Mapping[str, Kind]:
    """Return the kind of each column of the source that is a declared one."""
    return {
        stored_name: stored.record.column(ours).field.kind
        for ours, stored_name in stored.columns.items()
    }
