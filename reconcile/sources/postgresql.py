"""PostgreSQL as a source: ranges as one statement each, in record batches of Arrow (ADBC).

All columns come as text, which ``restore`` turns back into what the gateway's driver gives, where
that is no text. The driver ends a stream without an error where the server fails in the middle, so
each range ends with a statement in the same transaction: that fails then.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa

from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import StoredTable
from connectors.backends.server import Address, ServerOptions, address, tls_context
from reconcile.sources.column_texts import RawBatch, RawColumn, RecordReading
from reconcile.sources.failures import SourceFailed
from reconcile.sources.source import RowCount, RowRange, range_condition
from reconcile.sources.stored_records import StoredRecords

_QUOTE = sa.make_url("postgresql+asyncpg://").get_dialect()().identifier_preparer
#: For each transaction, also behind a pooler that assigns sessions to others: a stream is as long
#: as it is, and one process of the server is enough.
_SETTINGS = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    # Rows that a policy hides from this role would pass for rows that are not there.
    "SET LOCAL row_security = off",
    # Where the identity has no index, the rows of a part are sorted in memory.
    "SET LOCAL work_mem = '64MB'",
    "SET LOCAL extra_float_digits = 1",
    # A server without an encoding would end the statement at bytes that are no text.
    "SELECT set_config('client_encoding', CASE getdatabaseencoding() WHEN 'SQL_ASCII' "
    "THEN 'SQL_ASCII' ELSE 'UTF8' END, true)",
)
#: Bytes of a batch, about; ADBC's own is 16 MB.
_BATCH_BYTES = 4_000_000
#: Seconds after which a server that no longer answers is given up.
_SILENCE = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
#: The types of a table's columns; of a domain, that beneath it.
_COLUMNS = """
    SELECT a.attname::text, coalesce(b.typname, t.typname)::text,
           coalesce(b.typtype, t.typtype)::text, coalesce(b.typcategory, t.typcategory)::text
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON b.oid = t.typbasetype
    WHERE a.attrelid = to_regclass({table}) AND a.attnum > 0 AND NOT a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class _StoredColumn:
    """How a column is selected as text, and turned back into what the gateway's driver gives."""

    text: str
    restore: Callable[[object], object] | None


class PostgresqlRecords:
    """See ``RecordSource``. ``url``: without a password, as settings have it."""

    def __init__(self, records: StoredRecords, url: sa.URL, options: ServerOptions) -> None:
        self._records = records
        self._options = options
        self._address = address(url, 5432)
        tls_context(options, self._address)  # refuses what cannot be used
        self._connection: Any = None
        self._columns: dict[str, dict[str, _StoredColumn]] = {}

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
        where = (
            f" WHERE {key} IS NOT NULL"
            if after is None
            else f" WHERE {key} > {_key_literal(after)}"
        )
        with self._transaction(reading) as connection:
            self._stored_columns(connection, reading)
            # In the encoding of the database, in which bytes may be no text.
            written = f"encode(convert_to({key}::text, getdatabaseencoding()), 'hex')"
            statement = (
                f"SELECT {written} FROM {table} AS stored{where} "  # noqa: S608 - quoted
                f"ORDER BY {key} LIMIT 2 OFFSET {rows - 1}"
            )
            ends = _rows(connection, statement)
        return str(ends[0][0]) if len(ends) == 2 else None

    def batches(
        self, reading: RecordReading, where: RowRange, batch_rows: int
    ) -> Iterator[RawBatch]:
        """See ``RecordSource``."""
        with self._transaction(reading) as connection:
            columns = self._stored_columns(connection, reading)
            statement = _range_statement(reading, columns, where)
            restores = {name: column.restore for name, column in columns.items()}
            with _cursor(connection) as cursor:
                cursor.adbc_statement.set_options(
                    **{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)}
                )
                cursor.execute(statement)
                with cursor.fetch_record_batch() as stream:
                    for batch in stream:
                        for start in range(0, batch.num_rows, batch_rows):
                            yield _raw_batch(batch.slice(start, batch_rows), restores)

    def count(self, reading: RecordReading) -> RowCount:
        """Return the server's estimate where the table was analysed, else count."""
        name = _text_literal(_table(reading.stored))
        with self._transaction(reading) as connection:
            ((estimate,),) = _rows(
                connection,
                "SELECT coalesce(max(reltuples), 0)::bigint FROM pg_class "  # noqa: S608
                f"WHERE oid = to_regclass({name}) AND relkind IN ('r', 'm')",
            )
            if estimate > 0:
                return RowCount(estimate, False)
            statement = f"SELECT count(*) FROM {_table(reading.stored)}"  # noqa: S608 - quoted
            ((rows,),) = _rows(connection, statement)
        return RowCount(rows, True)

    def disconnect(self) -> None:
        """See ``RecordSource``."""
        connection, self._connection = self._connection, None
        self._columns.clear()
        if connection is not None:
            with suppress(adbc.Error):
                connection.close()

    @contextmanager
    def _transaction(self, reading: RecordReading) -> Iterator[Any]:
        """Give the connection in a read-only transaction; raises SourceFailed for its errors.

        The transaction is only over if the server still knows of it: no stream was cut short then.
        """
        try:
            self._begin(reading)
            yield self._connection
            self._require_whole(reading)
            _run(self._connection, "COMMIT")
        except (adbc.Error, pa.ArrowException, OSError) as error:
            self.disconnect()
            raise SourceFailed(self.database, reading.record.name, _reason(error)) from None
        except BaseException:  # the caller leaves in the middle: the statement ends with it
            self.disconnect()
            raise

    def _require_whole(self, reading: RecordReading) -> None:
        """Raise SourceFailed if a statement of the transaction did not come to its end."""
        try:
            _rows(self._connection, "SELECT 1")
        except adbc.Error as error:
            self.disconnect()
            reason = f"its rows ended in the middle ({_reason(error)})"
            raise SourceFailed(self.database, reading.record.name, reason) from None

    def _begin(self, reading: RecordReading) -> None:
        """Begin a transaction; a connection that was closed while nothing was read is replaced."""
        if self._connection is not None:
            try:
                _run(self._connection, _SETTINGS[0])
            except adbc.Error:
                self.disconnect()
        if self._connection is None:
            try:
                uri = _uri(self._options, self._address)
            except OSError as error:
                reason = f"its password cannot be read ({type(error).__name__})"
                raise SourceFailed(self.database, reading.record.name, reason) from None
            self._connection = adbc.connect(uri, autocommit=True)
            _run(self._connection, _SETTINGS[0])
        for setting in _SETTINGS[1:]:
            _run(self._connection, setting)

    def _stored_columns(
        self, connection: Any, reading: RecordReading
    ) -> Mapping[str, _StoredColumn]:
        """Return the columns to select; raises SourceFailed where some are not there."""
        stored = reading.stored
        if stored.table not in self._columns:
            table = _text_literal(_table(stored))
            self._columns[stored.table] = {
                name: _stored_column(_QUOTE.quote(name), *types)
                for name, *types in _rows(connection, _COLUMNS.format(table=table))
            }
        columns = self._columns[stored.table]
        if not columns:
            raise SourceFailed(
                self.database,
                reading.record.name,
                f"no table {stored.table} that this role may see",
            )
        lacking = sorted({reading.key, *reading.names} - columns.keys())
        if lacking:
            reason = f"{stored.table} has no column {', '.join(lacking)}"
            raise SourceFailed(self.database, reading.record.name, reason)
        return {name: columns[name] for name in reading.names}


def _uri(options: ServerOptions, at: Address) -> str:
    """Return what libpq connects to; it has the password, and is shown to nobody."""
    tls = options.tls or ("off" if at.local else "verify")
    settings = {
        "sslmode": {"off": "disable", "require": "require", "verify": "verify-full"}[tls],
        "gssencmode": "disable",
        "connect_timeout": str(max(2, round(options.connect_timeout))),
        "application_name": "justice-gateway",
        "client_encoding": "UTF8",
        **_SILENCE,
    }
    if tls == "verify":
        authorities = options.tls_ca or ssl.get_default_verify_paths().cafile
        settings["sslrootcert"] = "system" if authorities is None else str(authorities)
    password = "" if options.password is None else f":{quote(options.password(), safe='')}"
    host = f"[{at.host}]" if ":" in at.host else at.host
    return (
        f"postgresql://{quote(at.user, safe='')}{password}@{host}:{at.port}/"
        f"{quote(at.database, safe='')}?{urlencode(settings, quote_via=quote)}"
    )


def _range_statement(
    reading: RecordReading, columns: Mapping[str, _StoredColumn], where: RowRange
) -> str:
    # Qualified: in ORDER BY the selected text would be meant otherwise.
    key = f"stored.{_QUOTE.quote(reading.key)}"
    selected = ", ".join(
        f"{column.text} AS {_QUOTE.quote(name)}" for name, column in columns.items()
    )
    restriction = range_condition(key, where, _key_literal)
    table = _table(reading.stored)
    return (
        f"SELECT {selected} FROM {table} AS stored{restriction} "  # noqa: S608 - quoted
        f"ORDER BY {key}"
    )


def _table(stored: StoredTable) -> str:
    return str(_QUOTE.format_table(sa.table(stored.table, schema=stored.schema)))


def _key_literal(written: str) -> str:
    """Return a literal of an identity, in hexadecimal bytes of the database's encoding.

    It has no type: it takes that of the column that it is compared with.
    """
    return "E'" + "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(written)) + "'"


def _text_literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'::text"


@contextmanager
def _cursor(connection: Any) -> Iterator[Any]:
    cursor = connection.cursor()
    try:
        yield cursor
    finally:
        with suppress(adbc.Error):
            cursor.close()


def _run(connection: Any, statement: str) -> None:
    with _cursor(connection) as cursor:
        cursor.execute(statement)


def _rows(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    with _cursor(connection) as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _raw_batch(
    batch: pa.RecordBatch, restores: Mapping[str, Callable[[object], object] | None]
) -> RawBatch:
    columns = {name: RawColumn(batch.column(name), restore) for name, restore in restores.items()}
    return RawBatch(batch.num_rows, columns)


def _reason(error: BaseException) -> str:
    """Return the name of an error with SQLSTATE, without its text: that may repeat values."""
    if not isinstance(error, adbc.Error):  # the driver's stream has no more than a text
        return "the server ended the statement in the middle"
    state = getattr(error, "sqlstate", None)
    return type(error).__name__ if not state else f"{type(error).__name__} {state}"


def _stored_column(name: str, kind: str, sort: str, category: str) -> _StoredColumn:
    """Return how a column of a type is read. ``sort``, ``category``: of PostgreSQL's types."""
    if sort == "e" or kind in _TEXT_TYPES:
        return _StoredColumn(f"stored.{name}::text", None)
    if category == "A":
        return _StoredColumn(f"to_json(stored.{name})::text", _json)
    return _StoredColumn(f"stored.{name}::text", _RESTORE.get(kind, _unread))


_TEXT_TYPES = {"text", "varchar", "bpchar", "name", "citext", "json", "jsonb"}


def _json(text: object) -> object:
    return json.loads(str(text))


def _unread(_text: object) -> object:
    """Values of types that no declared column reads."""
    return UNREAD


def _day(text: object) -> object:
    try:
        return date.fromisoformat(str(text))
    except ValueError:  # infinite, before Christ, or after the year 9999
        return UNREAD


def _moment(text: object) -> object:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return UNREAD


_RESTORE: Mapping[str, Callable[[object], object]] = {
    "int2": lambda text: int(str(text)),
    "int4": lambda text: int(str(text)),
    "int8": lambda text: int(str(text)),
    "float4": lambda text: float(str(text)),
    "float8": lambda text: float(str(text)),
    "bool": lambda text: text == "true",
    "numeric": lambda text: Decimal(str(text)),
    "uuid": lambda text: UUID(str(text)),
    "date": _day,
    "timestamp": _moment,
    "timestamptz": _moment,
}
