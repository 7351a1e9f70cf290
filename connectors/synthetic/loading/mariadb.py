"""Loading MariaDB by inserts of many rows: LOAD DATA fails in the driver (asyncmy 0.2.18)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncmy
import sqlalchemy as sa
from asyncmy.errors import Error as DriverError
from sqlalchemy.dialects.mysql.asyncmy import dialect as asyncmy_dialect
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from connectors.backends.server import address, tls_context
from connectors.synthetic.loading.chunks import Key, Made
from connectors.synthetic.loading.target import PROGRESS, NotLoaded, Progress, ServerTarget
from connectors.tables import STATEMENT_TABLE

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
        said = f"{type(error).__name__} {number}".strip()
        raise NotLoaded(f"{target.database.name}: {said}") from None


class MariadbLoader:
    """See ``Loader``. Tables and indexes are no part of transactions here."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def progress(self) -> Progress | None:
        """Return what is loaded; None: nothing was begun."""
        if not await self.there([PROGRESS]):
            return None
        rows = await self._rows(f"SELECT load_of, chunks, people FROM {PROGRESS}")
        return Progress(*rows[0]) if rows else None

    async def there(self, names: Sequence[str]) -> list[str]:
        """Return which of these tables are there."""
        rows = await self._rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
        )
        return [name for name in names if (name,) in rows]

    async def begin(self, metadata: sa.MetaData, progress: Progress, *, replace: bool) -> None:
        """Make the tables; the progress last, so that it tells of all of them."""
        await self._run(f"DROP TABLE IF EXISTS {PROGRESS}")
        for table in metadata.sorted_tables:
            if replace:
                await self._run(str(DropTable(table, if_exists=True).compile(dialect=_DIALECT)))
            made = str(CreateTable(table).compile(dialect=_DIALECT))
            await self._run(f"{made.rstrip()} {_LETTERS}")
        await self._run(f"CREATE TABLE {PROGRESS} (load_of text, chunks integer, people integer)")
        await self._run(f"INSERT INTO {PROGRESS} VALUES (%s, 0, 0)", (progress.load,))
        await self._connection.commit()

    async def add(self, rows: Sequence[tuple[sa.Table, Sequence[Made], Key]], to: Progress) -> None:
        """Insert rows, and say so, in one transaction."""
        async with self._connection.cursor() as cursor:
            for table, made, key in rows:
                content = [row for one in made for row in one.rows.get(key, ())]
                if content:
                    names = ", ".join(f"`{column.name}`" for column in table.columns)
                    marks = ", ".join(["%s"] * len(table.columns))
                    await cursor.executemany(
                        f"INSERT INTO `{table.name}` ({names}) VALUES ({marks})",
                        content,
                    )
        await self._run(f"UPDATE {PROGRESS} SET chunks = %s, people = %s", (to.chunks, to.people))
        await self._connection.commit()

    async def finish(self, metadata: sa.MetaData, as_of: str, reader: str) -> str | None:
        """Make the indexes that are not there yet; forget the progress at the very end."""
        for table in metadata.sorted_tables:
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                made = str(CreateIndex(index, if_not_exists=True).compile(dialect=_DIALECT))
                await self._run(made)
        await self._run(f"DELETE FROM {STATEMENT_TABLE}")
        await self._run(f"INSERT INTO {STATEMENT_TABLE} VALUES (%s)", (as_of,))
        await self._connection.commit()
        said = await self._grant(reader)
        await self._run(f"DROP TABLE {PROGRESS}")
        return said

    async def _grant(self, reader: str) -> str | None:
        """Let ``reader`` read, from wherever the server knows that user."""
        ((me,),) = await self._rows("SELECT substring_index(current_user(), '@', 1)")
        if reader == me:
            return None
        try:
            hosts = await self._rows("SELECT host FROM mysql.user WHERE user = %s", (reader,))
            for (host,) in hosts:
                await self._run("GRANT SELECT ON * TO %s@%s", (reader, host))
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
