"""SQLite files as a source, by the standard library: their columns hold values of any type."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa

from connectors.backends.record_maps import StoredTable
from reconcile.sources.column_texts import RawBatch, RawColumn, RecordReading, text_or_bytes
from reconcile.sources.failures import SourceFailed
from reconcile.sources.source import RowCount, RowRange, range_condition
from reconcile.sources.stored_records import StoredRecords

_QUOTE = sa.make_url("sqlite://").get_dialect()().identifier_preparer
#: Seconds to wait for another's lock on the file.
_BUSY = 30.0


class SqliteRecords:
    """See ``RecordSource``."""

    def __init__(self, records: StoredRecords, path: Path) -> None:
        self._records = records
        self._path = path
        self._connection: sqlite3.Connection | None = None

    @property
    def database(self) -> str:
        """The name of the database."""
        return self._records.database.name

    def reading(self, record: str, columns: tuple[str, ...]) -> RecordReading:
        """See ``RecordSource``."""
        return self._records.reading(record, columns)

    def boundary(self, reading: RecordReading, after: str | None, rows: int) -> str | None:
        """See ``RecordSource``."""
        key, table = f"stored.{_QUOTE.quote(reading.key)}", _table(reading.stored)
        marker, value = ("", None) if after is None else _parameter(after)
        where = f" WHERE {key} IS NOT NULL" if after is None else f" WHERE {key} > {marker}"
        with self._opened(reading) as connection:
            ends = connection.execute(
                f"SELECT typeof({key}), {key} FROM {table} AS stored{where} "  # noqa: S608 - quoted
                f"ORDER BY {key} LIMIT 2 OFFSET ?",
                (rows - 1,) if after is None else (value, rows - 1),
            ).fetchall()
        return _written(ends[0][0].decode(), ends[0][1]) if len(ends) == 2 else None

    def batches(
        self, reading: RecordReading, where: RowRange, batch_rows: int
    ) -> Iterator[RawBatch]:
        """See ``RecordSource``."""
        key, table = f"stored.{_QUOTE.quote(reading.key)}", _table(reading.stored)
        values: list[object] = []

        def write(text: str) -> str:
            marker, value = _parameter(text)
            values.append(value)
            return marker

        condition = range_condition(key, where, write)
        selected = ", ".join(map(_selected, reading.names))
        statement = f"SELECT {selected} FROM {table} AS stored{condition} ORDER BY {key}"  # noqa: S608
        with self._opened(reading) as connection:
            cursor = connection.execute(statement, values)
            while rows := cursor.fetchmany(batch_rows):
                columns = [RawColumn(_texts(column)) for column in zip(*rows, strict=True)]
                yield RawBatch(len(rows), dict(zip(reading.names, columns, strict=True)))

    def count(self, reading: RecordReading) -> RowCount:
        """Count the rows."""
        with self._opened(reading) as connection:
            statement = f"SELECT count(*) FROM {_table(reading.stored)}"  # noqa: S608 - quoted
            (rows,) = connection.execute(statement).fetchone()
        return RowCount(rows, True)

    def disconnect(self) -> None:
        """See ``RecordSource``."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _opened(self, reading: RecordReading) -> Iterator[sqlite3.Connection]:
        """Give the file, open for reading only; raises SourceFailed for errors of SQLite."""
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
            self._require_columns(self._connection, reading)
            yield self._connection
        except (sqlite3.Error, OSError) as error:
            self.disconnect()
            reason = str(getattr(error, "sqlite_errorname", type(error).__name__))
            raise SourceFailed(self.database, reading.record.name, reason) from None

    def _require_columns(self, connection: sqlite3.Connection, reading: RecordReading) -> None:
        """Raise SourceFailed where the table, or one of its columns, is not there.

        SQLite takes a quoted name that is no column for a text.
        """
        table = reading.stored.table
        listed = connection.execute("SELECT lower(name) FROM pragma_table_xinfo(?)", (table,))
        names = {name.decode() for (name,) in listed}
        if not names:
            raise SourceFailed(self.database, reading.record.name, f"no table {table}")
        lacking = sorted({n for n in (reading.key, *reading.names) if n.lower() not in names})
        if lacking:
            reason = f"{table} has no column {', '.join(lacking)}"
            raise SourceFailed(self.database, reading.record.name, reason)


def _selected(name: str) -> str:
    """Return what selects a column. All texts come as bytes: blobs are told from them here.

    Nothing that is declared reads infinity.
    """
    column = f"stored.{_QUOTE.quote(name)}"
    return f"CASE typeof({column}) WHEN 'blob' THEN 9e999 ELSE {column} END"


def _texts(values: Sequence[object]) -> pa.Array | list[object]:
    """Return values with their texts, which may not be UTF-8."""
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError):
        array = None
    if array is not None and pa.types.is_binary(array.type):
        return array.view(pa.string())
    return [text_or_bytes(value) for value in values]


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file://{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY)
    connection.execute("PRAGMA temp_store = MEMORY")  # no copy of rows in a temporary file
    connection.execute("PRAGMA query_only = ON")
    connection.text_factory = bytes  # the library would fail at what is not UTF-8
    return connection


def _table(stored: StoredTable) -> str:
    return str(_QUOTE.format_table(sa.table(stored.table, schema=stored.schema)))


def _written(kind: str, value: Any) -> str:
    """Return an identity with its type: SQLite orders numbers before texts before blobs."""
    content = value if isinstance(value, bytes) else str(value).encode()
    return json.dumps([kind, content.hex()])


def _parameter(text: str) -> tuple[str, object]:
    kind, content = json.loads(text)
    raw = bytes.fromhex(content)
    if kind == "integer":
        return "?", int(raw)
    if kind == "real":
        return "?", float(raw)
    return ("?", raw) if kind == "blob" else ("CAST(? AS TEXT)", raw)
