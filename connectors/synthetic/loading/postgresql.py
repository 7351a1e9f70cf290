"""Loading PostgreSQL by COPY, which takes rows as fast as they can be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from connectors.backends.server import address, tls_context
from connectors.synthetic.loading.chunks import Key, Made
from connectors.synthetic.loading.target import PROGRESS, NotLoaded, Progress, ServerTarget
from connectors.tables import STATEMENT_TABLE

_DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
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
    """See ``Loader``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def progress(self) -> Progress | None:
        """Return what is loaded; None: nothing was begun."""
        if not await self.there([PROGRESS]):
            return None
        row = await self._connection.fetchrow(f"SELECT load, chunks, people FROM {PROGRESS}")
        return None if row is None else Progress(*row)

    async def there(self, names: Sequence[str]) -> list[str]:
        """Return which of these tables are there."""
        found = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
        return [row[0] for row in await self._connection.fetch(found, list(names))]

    async def begin(self, metadata: sa.MetaData, progress: Progress, *, replace: bool) -> None:
        """Make the tables, in one transaction."""
        async with self._connection.transaction():
            for table in metadata.sorted_tables:
                if replace:
                    await self._run(DropTable(table, if_exists=True))
                await self._run(CreateTable(table))
            await self._connection.execute(f"DROP TABLE IF EXISTS {PROGRESS}")
            await self._connection.execute(
                f"CREATE TABLE {PROGRESS} (load text, chunks integer, people integer)"
            )
            await self._connection.execute(
                f"INSERT INTO {PROGRESS} VALUES ($1, 0, 0)", progress.load
            )

    async def add(self, rows: Sequence[tuple[sa.Table, Sequence[Made], Key]], to: Progress) -> None:
        """Copy rows, and say so, in one transaction."""
        async with self._connection.transaction():
            for table, made, key in rows:
                # What is made for this server is rows as bytes; for others it is something else.
                content = b"".join([one.rows[key] for one in made if key in one.rows])  # type: ignore[misc]
                if content:
                    await self._connection.copy_to_table(
                        table.name,
                        source=_once(content),
                        columns=[column.name for column in table.columns],
                        format="text",
                    )
            await self._connection.execute(
                f"UPDATE {PROGRESS} SET chunks = $1, people = $2", to.chunks, to.people
            )

    async def finish(self, metadata: sa.MetaData, as_of: str, reader: str) -> str | None:
        """Make the indexes and what else is left, in one transaction that is on disk at the end."""
        async with self._connection.transaction():
            await self._connection.execute("SET LOCAL synchronous_commit = on")
            for table in metadata.sorted_tables:
                for index in sorted(table.indexes, key=lambda one: str(one.name)):
                    await self._run(CreateIndex(index))
            await self._connection.execute(f"INSERT INTO {STATEMENT_TABLE} VALUES ($1)", as_of)
            await self._connection.execute(f"DROP TABLE {PROGRESS}")
        await self._connection.execute("ANALYZE")
        return await self._grant(metadata, reader)

    async def _grant(self, metadata: sa.MetaData, reader: str) -> str | None:
        if reader == await self._connection.fetchval("SELECT current_user"):
            return None
        if not await self._connection.fetchval("SELECT to_regrole($1) IS NOT NULL", reader):
            return f"there is no role {reader}, which settings name: nobody was let read"
        prepared = _DIALECT.identifier_preparer
        names = ", ".join(prepared.format_table(one) for one in metadata.sorted_tables)
        await self._connection.execute(f"GRANT SELECT ON {names} TO {prepared.quote(reader)}")
        return None

    async def _run(self, what: Any) -> None:
        await self._connection.execute(str(what.compile(dialect=_DIALECT)))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    """Yield ``content`` in pieces that the driver takes without copying them again."""
    for start in range(0, len(content), 1 << 19):
        yield content[start : start + (1 << 19)]
