"""Loading MariaDB by inserts of many rows: LOAD DATA fails in the driver (asyncmy 0.2.18)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import asyncmy
import sqlalchemy as sa
from asyncmy.errors import Error as DriverError
from sqlalchemy.dialects.mysql.asyncmy import dialect as asyncmy_dialect
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from connectors.backends.server import address, tls_context
from connectors.synthetic.loading.chunks import ClusterRows, Key
from connectors.synthetic.loading.layout import Layout
from connectors.synthetic.loading.loader import Progress
from connectors.synthetic.loading.target import NotLoaded, ServerTarget

_DIALECT: sa.Dialect = asyncmy_dialect(is_mariadb=True)
_FAILURES = (DriverError, OSError, TimeoutError)
#: All letters, compared one by one: "hoa" is not "Hòa".
_LETTERS = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"


@asynccontextmanager
async def mariadb_loader(target: ServerTarget) -> AsyncIterator[MariadbLoader]:
    """Connect as who loads; turns what goes wrong, until the end, into NotLoaded."""
    at, options = address(target.url, 3306), target.options
    try:
        async with asyncio.timeout(options.connect_timeout):
            connection: Any = await asyncmy.connect(
                host=at.host,
                port=at.port,
                user=at.user,
                password=options.password().encode() if options.password else b"",
                database=at.database,
                ssl=tls_context(options, at),
                charset="utf8mb4",
                autocommit=False,
            )
        try:
            yield MariadbLoader(connection)
        finally:
            await connection.ensure_closed()
    except _FAILURES as error:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else ""
        reason = f"{type(error).__name__} {number}".strip()
        raise NotLoaded(f"{target.database.name}: {reason}") from None


class MariadbLoader:
    """See ``ServerLoader``. Tables and indexes are no part of transactions here."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def place(self) -> tuple[str, str]:
        """Return which server this is, and the default schema, here a database."""
        ((server, schema),) = await self._rows(
            "SELECT concat_ws(' ', @@hostname, @@port, @@datadir), database()"
        )
        return server, schema

    async def lacking(self, schemas: Sequence[str]) -> list[str]:
        """Return which of these schemas, here databases, are not there."""
        rows = await self._rows("SELECT schema_name FROM information_schema.schemata")
        return [schema for schema in schemas if (schema,) not in rows]

    async def progress(self, layout: Layout) -> Progress | None:
        """Return what is loaded; None: nothing was begun."""
        if not await self.existing_tables([layout.progress]):
            return None
        rows = await self._rows(f"SELECT load_of, chunks, people FROM {_name(layout.progress)}")
        return Progress(*rows[0]) if rows else None

    async def existing_tables(self, tables: Sequence[sa.Table]) -> list[str]:
        """Return which of these tables are there."""
        rows = await self._rows("SELECT table_schema, table_name FROM information_schema.tables")
        ((default,),) = await self._rows("SELECT database()")
        return [_name(table) for table in tables if (table.schema or default, table.name) in rows]

    async def begin(self, layout: Layout, progress: Progress, *, replace: bool) -> None:
        """Make the tables; the progress last, so that it tells of all of them."""
        await self._run(_sql(DropTable(layout.progress, if_exists=True)))
        for table in layout.tables:
            if replace:
                await self._run(_sql(DropTable(table, if_exists=True)))
            await self._run(f"{_sql(CreateTable(table)).rstrip()} {_LETTERS}")
        await self._run(_sql(CreateTable(layout.progress)))
        await self._run(f"INSERT INTO {_name(layout.progress)} VALUES (%s, 0, 0)", (progress.load,))
        await self._connection.commit()

    async def add(
        self,
        layout: Layout,
        rows: Sequence[tuple[sa.Table, Sequence[ClusterRows], Key]],
        to: Progress,
    ) -> None:
        """Insert rows, and say so, in one transaction."""
        async with self._connection.cursor() as cursor:
            for table, clusters, key in rows:
                content = [row for cluster in clusters for row in cluster.rows.get(key, ())]
                if content:
                    names = ", ".join(f"`{column.name}`" for column in table.columns)
                    marks = ", ".join(["%s"] * len(table.columns))
                    await cursor.executemany(
                        f"INSERT INTO {_name(table)} ({names}) VALUES ({marks})",
                        content,
                    )
        await self._run(
            f"UPDATE {_name(layout.progress)} SET chunks = %s, people = %s", (to.chunks, to.people)
        )
        await self._connection.commit()

    async def finish(self, layout: Layout, as_of: str, reader: str) -> str | None:
        """Make the indexes that are not there yet; forget the progress at the very end."""
        for table in layout.tables:
            for index in sorted(table.indexes, key=lambda item: str(item.name)):
                await self._run(_sql(CreateIndex(index, if_not_exists=True)))
        if layout.statement is not None:
            await self._run(f"DELETE FROM {_name(layout.statement)}")
            await self._run(f"INSERT INTO {_name(layout.statement)} VALUES (%s)", (as_of,))
        await self._connection.commit()
        refusal = await self._grant(layout, reader)
        await self._run(_sql(DropTable(layout.progress)))
        return refusal

    async def _grant(self, layout: Layout, reader: str) -> str | None:
        """Let ``reader`` read, from wherever the server knows that user."""
        ((me,),) = await self._rows("SELECT substring_index(current_user(), '@', 1)")
        if reader == me:
            return None
        try:
            hosts = await self._rows("SELECT host FROM mysql.user WHERE user = %s", (reader,))
            # What is in a shared database beside these tables is not for this reader.
            on = (
                ["*"] if layout.statement is not None else [_name(table) for table in layout.tables]
            )
            for object_name, (host,) in product(on, hosts):
                await self._run(f"GRANT SELECT ON {object_name} TO %s@%s", (reader, host))
        except DriverError:
            hosts = []
        if not hosts:
            return f"user {reader}, whom settings name, was not let read: grant it SELECT"
        return None

    async def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        async with self._connection.cursor() as cursor:
            await cursor.execute(statement, values or None)
            return [tuple(row) for row in await cursor.fetchall()]

    async def _run(self, statement: str, values: tuple[object, ...] = ()) -> None:
        async with self._connection.cursor() as cursor:
            await cursor.execute(statement, values or None)


def _name(table: sa.Table) -> str:
    """Return how statements name ``table``."""
    return _DIALECT.identifier_preparer.format_table(table)


def _sql(element: sa.schema.DDLElement) -> str:
    return str(element.compile(dialect=_DIALECT))
