"""Key columns of MariaDB tables: their types, and how keys are compared with them.

MariaDB compares numbers with text, each in its own way, so a column is searched only once its type
is known. Known types expire after seconds, and when a new connection is opened.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import BIGINT, CHAR
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.backends.base import SourceRefused
from connectors.backends.record_maps import StoredTable
from connectors.backends.server import refuse_lost_zeros, whole_number
from connectors.backends.statement import Idiom, LookupStatement, in_keys

_Raw = Sequence[object]

HERE = sa.func.database()
_COLUMNS = sa.table(
    "columns",
    *map(sa.column, ("table_schema", "table_name", "column_name", "data_type", "column_type")),
    schema="information_schema",
)
_WHOLE = {"tinyint", "smallint", "mediumint", "int", "bigint"}
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "uuid"} | {
    "binary",
    "varbinary",
}
#: What padded columns are.
_UNSIGNED = BIGINT(unsigned=True)
#: Seconds for which a known type is valid.
_TYPES_TTL = 5.0


def _exact(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.collate(sa.cast(column, CHAR(charset="utf8mb4")), "utf8mb4_nopad_bin")


#: Columns compare by their collation, which matches "Hoa" and "hòa" with "hoa", to use the index; a
#: second condition compares the characters alone.
IDIOM = Idiom(
    in_keys,
    _exact,
    lambda column: sa.cast(column, CHAR(charset="utf8mb4")).regexp_match("[^0-9]"),
)

#: A column: its table and its name, in lower case, as the server compares them.
_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """How a lookup is run against its columns.

    ``lookup``: the lookup in the idiom of these columns. ``whole``: keys are whole numbers.
    ``padded``: some column is ZEROFILL, for which 7 equals 007. ``learned``: when the types were
    read (monotonic seconds).
    """

    lookup: LookupStatement
    whole: bool
    padded: bool
    learned: float

    def values(self, keys: Sequence[str]) -> list[object]:
        """Return those of ``keys`` that the columns can hold, as they are compared."""
        if not self.whole:
            return list(keys)
        return [number for number in map(self._number, keys) if number is not None]

    def spelled(self, keys: Sequence[str], rows: Sequence[_Raw]) -> Sequence[_Raw]:
        """Return the rows under each of ``keys`` that found them, as the key is written."""
        if not self.padded:
            return rows
        written: dict[str, list[str]] = {}
        for key in keys:
            written.setdefault(str(self._number(key)), []).append(key)
        return [(key, *raw) for matched, *raw in rows for key in written.get(str(matched), ())]

    def _number(self, key: str) -> int | None:
        if self.padded and key.isascii() and key.isdigit():
            return whole_number(key.lstrip("0") or "0")
        return whole_number(key)


class KeyTypes:
    """The known types of the key columns of one server. ``monotonic``: the clock, in seconds.

    A column that does not exist, or that the user may not see, is read again each time.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._columns: dict[LookupStatement, KeyColumns] = {}
        self._statements: dict[tuple[LookupStatement, frozenset[_Name]], LookupStatement] = {}

    def forget(self) -> None:
        """Drop all known types: a new connection may lead to another server."""
        self._columns.clear()

    async def columns(
        self, connection: AsyncConnection, lookup: LookupStatement, keys: Sequence[str]
    ) -> KeyColumns:
        """Return how ``keys`` are compared with the columns of ``lookup``.

        Types are read again after some seconds, and at once when a key does not fit. Raises
        SourceRefused for types whose equality is not that of text.
        """
        columns = self._columns.get(lookup)
        recent = columns is not None and self._monotonic() - columns.learned < _TYPES_TTL
        if columns is None or not recent or len(columns.values(keys)) < len(keys):
            columns = self._columns[lookup] = await self._learn(connection, lookup)
        return columns

    async def _learn(self, connection: AsyncConnection, lookup: LookupStatement) -> KeyColumns:
        now = self._monotonic()
        types = await _types(connection, lookup)
        holder = lookup.holder
        keys = {types[name] for key in lookup.keys if (name := _name(holder, key)) in types}
        if lookup.link:
            _refuse_links(
                [types.get(_name(table, table.at(lookup.link))) for table in lookup.tables]
            )
        kinds = {kind for kind, _ in keys}
        if not (kinds <= _TEXTS or kinds <= _WHOLE):
            raise SourceRefused(f"keys are kept as {', '.join(sorted(kinds))}")
        whole = bool(kinds) and kinds <= _WHOLE  # where nothing is there, the statement says so
        if whole:
            refuse_lost_zeros(lookup)
        complete = all(_name(holder, key) in types for key in lookup.keys)
        padded = frozenset(name for name, (_, full) in types.items() if "zerofill" in full)
        return KeyColumns(
            self._without_padding(lookup, padded),
            whole,
            any("zerofill" in full for _, full in keys),
            now if complete else -math.inf,
        )

    def _without_padding(
        self, lookup: LookupStatement, padded: frozenset[_Name]
    ) -> LookupStatement:
        """Return the lookup in an idiom that reads ``padded`` columns without leading zeros."""
        if not padded:
            return lookup

        def exact(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
            table = getattr(column, "table", None)
            name = getattr(table, "name", "").lower(), getattr(column, "name", "").lower()
            return _exact(sa.cast(column, _UNSIGNED) if name in padded else column)

        if (lookup, padded) not in self._statements:
            self._statements[lookup, padded] = lookup.in_idiom(replace(IDIOM, exact=exact))
        return self._statements[lookup, padded]


async def _types(
    connection: AsyncConnection, lookup: LookupStatement
) -> dict[_Name, tuple[str, str]]:
    """Return the types of the key and link columns that exist, short and in full."""
    of_keys = [(lookup.holder, name) for name in lookup.keys]
    of_links = [(table, table.at(lookup.link)) for table in lookup.tables if lookup.link]
    rows = await connection.execute(
        sa.select(
            _COLUMNS.c.table_name,
            _COLUMNS.c.column_name,
            _COLUMNS.c.data_type,
            _COLUMNS.c.column_type,
        ).where(sa.or_(*(_is(stored, name) for stored, name in of_keys + of_links)))
    )
    return {
        (str(table).lower(), str(column).lower()): (str(kind).lower(), str(full).lower())
        for table, column, kind, full in rows
    }


def _is(stored: StoredTable, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        _COLUMNS.c.table_schema == (stored.schema or HERE),
        _COLUMNS.c.table_name == stored.table,
        _COLUMNS.c.column_name == name,
    )


def _name(stored: StoredTable, column: str) -> _Name:
    return stored.table.lower(), column.lower()


def _refuse_links(types: Sequence[tuple[str, str] | None]) -> None:
    """Refuse link columns in which values that are written differently compare equal."""
    kinds = {kind for kind in types if kind is not None}
    plain = {kind for kind, _ in kinds}
    padded = any("zerofill" in full for _, full in kinds)
    if len(kinds) < 2 or plain <= _WHOLE or (plain <= _WHOLE | _TEXTS and not padded):
        return
    raise SourceRefused(f"rows are reached by {' and '.join(sorted(full for _, full in kinds))}")
