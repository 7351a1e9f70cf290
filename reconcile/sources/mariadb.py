"""MariaDB as a source: ranges as one statement each, streamed by the gateway's own driver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from asyncmy.cursors import SSCursor

from connectors.backends.mariadb import connect_mariadb
from connectors.backends.mariadb_errors import FAILURES, mariadb_reason
from connectors.backends.record_maps import StoredTable
from connectors.backends.server import ServerOptions, address, tls_context
from reconcile.sources.column_texts import RawBatch, RawColumn, RecordReading
from reconcile.sources.failures import SourceFailed
from reconcile.sources.source import RowCount, RowRange, range_condition
from reconcile.sources.stored_records import StoredRecords

_QUOTE = sa.make_url("mariadb+asyncmy://").get_dialect()().identifier_preparer
#: Seconds that the server waits for a client that reads slowly.
_PATIENCE = 600
_Rows = Sequence[Sequence[Any]]


class MariadbRecords:
    """See ``RecordSource``. Not to be used where an event loop runs: it has its own.

    ``url``: without a password, as settings have it.
    """

    def __init__(self, records: StoredRecords, url: sa.URL, options: ServerOptions) -> None:
        self._records = records
        self._options = options
        self._address = address(url, 3306)
        self._tls = tls_context(options, self._address)
        self._connection: Any = None
        self._runner: asyncio.Runner | None = None

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
        where = f" WHERE {key} IS NOT NULL" if after is None else f" WHERE {key} > %s"
        values = [] if after is None else [json.loads(after)]
        statement = (
            f"SELECT {key} FROM {table} AS stored{where} ORDER BY {key} "  # noqa: S608 - quoted
            f"LIMIT 2 OFFSET {rows - 1}"
        )
        with self._opened(reading):
            ends = self._run(self._fetch(statement, values))
        if len(ends) < 2:
            return None
        end = ends[0][0]
        if not isinstance(end, str | int):
            reason = f"its identity is kept as {type(end).__name__}, which does not sort"
            raise SourceFailed(self.database, reading.record.name, reason)
        return json.dumps(end)

    def batches(
        self, reading: RecordReading, where: RowRange, batch_rows: int
    ) -> Iterator[RawBatch]:
        """See ``RecordSource``."""
        statement, values = _range_statement(reading, where)
        with self._opened(reading):
            cursor = self._connection.cursor(SSCursor)
            try:
                self._run(cursor.execute(statement, values))
                while rows := self._run(cursor.fetchmany(batch_rows)):
                    yield _raw_batch(reading.names, rows)
                self._run(cursor.close())
            except GeneratorExit:  # the caller leaves in the middle: the statement ends with it
                self.disconnect()
                raise

    def count(self, reading: RecordReading) -> RowCount:
        """Return the server's estimate where it has one, else count."""
        stored = reading.stored
        with self._opened(reading):
            ((estimate,),) = self._run(
                self._fetch(
                    "SELECT coalesce(max(table_rows), 0) FROM information_schema.tables "
                    "WHERE table_schema = coalesce(%s, database()) AND table_name = %s "
                    "AND table_type = 'BASE TABLE'",
                    [stored.schema, stored.table],
                )
            )
            if estimate:
                return RowCount(int(estimate), False)
            statement = f"SELECT count(*) FROM {_table(stored)}"  # noqa: S608 - quoted
            ((rows,),) = self._run(self._fetch(statement, []))
        return RowCount(int(rows), True)

    def disconnect(self) -> None:
        """See ``RecordSource``."""
        connection, self._connection = self._connection, None
        runner, self._runner = self._runner, None
        if connection is not None:
            connection.close()
        if runner is not None:
            runner.close()

    @contextmanager
    def _opened(self, reading: RecordReading) -> Iterator[None]:
        """Have a connection open; raises SourceFailed for errors of the server and the driver."""
        try:
            self._connect_anew()
            yield
        except FAILURES as error:
            self.disconnect()
            reason = mariadb_reason(error)
            raise SourceFailed(self.database, reading.record.name, reason) from None

    def _connect_anew(self) -> None:
        """Have a connection; one that was closed while nothing was read is replaced."""
        if self._connection is not None:
            try:
                self._run(self._connection.ping(reconnect=False))
            except FAILURES:
                self.disconnect()
        if self._connection is None:
            self._connection = self._run(self._connect())

    async def _connect(self) -> Any:
        connection = await connect_mariadb(self._options, self._address, self._tls, 0)
        await connection.query(f"SET SESSION net_write_timeout = {_PATIENCE}")
        return connection

    async def _fetch(self, statement: str, values: Sequence[object]) -> _Rows:
        async with self._connection.cursor() as cursor:
            await cursor.execute(statement, values)
            rows: _Rows = await cursor.fetchall()
            return rows

    def _run(self, work: Any) -> Any:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(work)


def _range_statement(reading: RecordReading, where: RowRange) -> tuple[str, list[object]]:
    key = f"stored.{_QUOTE.quote(reading.key)}"
    values: list[object] = []

    def write(text: str) -> str:
        values.append(json.loads(text))
        return "%s"

    restriction = range_condition(key, where, write)
    selected = ", ".join(f"stored.{_QUOTE.quote(name)}" for name in reading.names)
    table = _table(reading.stored)
    statement = (
        f"SELECT {selected} FROM {table} AS stored{restriction} "  # noqa: S608 - quoted
        f"ORDER BY {key}"
    )
    return statement, values


def _raw_batch(names: Sequence[str], rows: _Rows) -> RawBatch:
    columns = [RawColumn(values) for values in zip(*rows, strict=True)]
    return RawBatch(len(rows), dict(zip(names, columns, strict=True)))


def _table(stored: StoredTable) -> str:
    return str(_QUOTE.format_table(sa.table(stored.table, schema=stored.schema)))
