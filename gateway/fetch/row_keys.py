"""The last check of rows before they are used: each must contain the key that it was delivered for.

A row under the wrong key shows one person what belongs to another, and is missing where it belongs.
No backend is trusted here: an index may not fit its table, a provider may answer in another order,
a pooler may hand one client the answer of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from connectors.backends.base import Rows, SourceUnavailable
from connectors.description import Kind, Lookup, Record, Row


class ForeignRows(SourceUnavailable):
    """A source delivered rows without their key: nothing of that answer may be used."""


def require_keys(record: Record, lookup: Lookup, by_key: Mapping[str, Rows]) -> None:
    """Require that each row has its key in a column of ``lookup.by``; raises ForeignRows.

    A key that is no person's may have other leading zeros: for a server that pads numbers 7 and 007
    are the same. Rows that are found through another record contain a link instead, which the
    backend compares. Costs less than 0.1 us a row.
    """
    if lookup.through is not None:
        return
    positions = [record.positions[name] for name in lookup.by]
    pairs = [(key, rows.rows) for key, rows in by_key.items() if rows.rows]
    if len(positions) == 1:
        (position,) = positions
        foreign = sum([row[position] != key for key, rows in pairs for row in rows])
    else:
        values = itemgetter(*positions)
        foreign = sum([key not in values(row) for key, rows in pairs for row in rows])
    if not foreign:
        return
    # Some may be written otherwise.
    count = sum(not _bears(record, lookup, row, key) for key, rows in pairs for row in rows)
    if count:
        raise ForeignRows(f"{count} rows do not bear the key that they were delivered for")


def _bears(record: Record, lookup: Lookup, row: Row, key: str) -> bool:
    for name in lookup.by:
        value = row[record.positions[name]]
        if value == key:
            return True
        padded = record.column(name).field.kind is Kind.STRING and isinstance(value, str)
        if padded and _unpadded(str(value)) == _unpadded(key):
            return True
    return False


def _unpadded(text: str) -> str:
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text
