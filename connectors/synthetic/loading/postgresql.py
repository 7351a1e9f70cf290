"""Loading PostgreSQL by COPY, which takes rows as fast as they can be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from connectors.backends.server import address, tls_context
from connectors.synthetic.loading.chunks import ClusterRows, Key
from connectors.synthetic.loading.layout import Layout
from connectors.synthetic.loading.loader import Progress
from connectors.synthetic.loading.target import NotLoaded, ServerTarget

_DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
_PREPARED = _DIALECT.identifier_preparer
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


@asynccontextmanager
async def postgresql_loader(target: ServerTarget) -> AsyncIterator[PostgresqlLoader]:
    """Connect as who loads; turns what goes wrong, until the end, into NotLoaded."""
    at, options = address(target.url, 5432), target.options
    try:
        connection = await asyncpg.connect(
            host=at.host,
            port=at.port,
            user=at.user,
            database=at.database,
            password=options.password() if options.password else "",
            ssl=tls_context(options, at) or False,
            timeout=options.connect_timeout,
        )
        try:
            # What is lost when the server fails is lost with the progress that tells of it.
            await connection.execute("SET synchronous_commit = off")
            yield PostgresqlLoader(connection)
        finally:
            await connection.close()
    except _FAILURES as error:
        raise NotLoaded(f"{target.database.name}: {type(error).__name__}") from None


class PostgresqlLoader:
    """See ``ServerLoader``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def place(self) -> tuple[str, str]:
        """Return which database of which server this is, and the default schema."""
        row = await self._connection.fetchrow(
            "SELECT system_identifier::text || ' ' || current_database(), current_schema()"
            " FROM pg_control_system()"
        )
        return row[0], row[1] or ""

    async def lacking(self, schemas: Sequence[str]) -> list[str]:
        """Return which of these schemas are not there."""
        statement = (
            "SELECT s FROM unnest($1::text[]) AS s WHERE to_regnamespace(quote_ident(s)) IS NULL"
        )
        return [row[0] for row in await self._connection.fetch(statement, list(schemas))]

    async def progress(self, layout: Layout) -> Progress | None:
        """Return what is loaded; None: nothing was begun."""
        if not await self.existing_tables([layout.progress]):
            return None
        at = _name(layout.progress)
        row = await self._connection.fetchrow(f"SELECT load_of, chunks, people FROM {at}")
        return None if row is None else Progress(*row)

    async def existing_tables(self, tables: Sequence[sa.Table]) -> list[str]:
        """Return which of these tables are there."""
        statement = (
            "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
        )
        names = [_name(table) for table in tables]
        return [row[0] for row in await self._connection.fetch(statement, names)]

    async def begin(self, layout: Layout, progress: Progress, *, replace: bool) -> None:
        """Make the tables, in one transaction."""
        async with self._connection.transaction():
            for table in layout.tables:
                if replace:
                    await self._run(DropTable(table, if_exists=True))
                await self._run(CreateTable(table))
            await self._run(DropTable(layout.progress, if_exists=True))
            await self._run(CreateTable(layout.progress))
            await self._connection.execute(
                f"INSERT INTO {_name(layout.progress)} VALUES ($1, 0, 0)", progress.load
            )

    async def add(
        self,
        layout: Layout,
        rows: Sequence[tuple[sa.Table, Sequence[ClusterRows], Key]],
        to: Progress,
    ) -> None:
        """Copy rows, and say so, in one transaction."""
        async with self._connection.transaction():
            for table, clusters, key in rows:
                # What is made for this server is rows as bytes; for others it is something else.
                content = b"".join(
                    [cluster.rows[key] for cluster in clusters if key in cluster.rows]  # type: ignore[misc]
                )
                if content:
                    await self._connection.copy_to_table(
                        table.name,
                        schema_name=table.schema,
                        source=_once(content),
                        columns=[column.name for column in table.columns],
                        format="text",
                    )
            await self._connection.execute(
                f"UPDATE {_name(layout.progress)} SET chunks = $1, people = $2",
                to.chunks,
                to.people,
            )

    async def finish(self, layout: Layout, as_of: str, reader: str) -> str | None:
        """Make the indexes and what else is left, in one transaction that is on disk at the end."""
        async with self._connection.transaction():
            await self._connection.execute("SET LOCAL synchronous_commit = on")
            for table in layout.tables:
                for index in sorted(table.indexes, key=lambda item: str(item.name)):
                    await self._run(CreateIndex(index))
            if layout.statement is not None:
                at = _name(layout.statement)
                await self._connection.execute(f"INSERT INTO {at} VALUES ($1)", as_of)
            await self._run(DropTable(layout.progress))
        await self._connection.execute(f"ANALYZE {', '.join(map(_name, layout.tables))}")
        return await self._grant(layout, reader)

    async def _grant(self, layout: Layout, reader: str) -> str | None:
        if reader == await self._connection.fetchval("SELECT current_user"):
            return None
        if not await self._connection.fetchval("SELECT to_regrole($1) IS NOT NULL", reader):
            return f"there is no role {reader}, which settings name: nobody was let read"
        to = _PREPARED.quote(reader)
        names = ", ".join(map(_name, layout.tables))
        await self._connection.execute(f"GRANT SELECT ON {names} TO {to}")
        schemas = sorted({table.schema for table in layout.tables if table.schema is not None})
        try:
            for schema in schemas:
                await self._connection.execute(
                    f"GRANT USAGE ON SCHEMA {_PREPARED.quote(schema)} TO {to}"
                )
        except asyncpg.InsufficientPrivilegeError:
            return f"grant USAGE on {', '.join(schemas)} to {reader}: who loads may not"
        return None

    async def _run(self, element: Any) -> None:
        await self._connection.execute(str(element.compile(dialect=_DIALECT)))


def _name(table: sa.Table) -> str:
    """Return how statements name ``table``."""
    return _PREPARED.format_table(table)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    """Yield ``content`` in pieces that the driver takes without copying them again."""
    for start in range(0, len(content), 1 << 19):
        yield content[start : start + (1 << 19)]
