"""Owners of the sample database who change its rows by plain SQL, on servers and in files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.backends.record_maps import RecordMap
from connectors.codec import encode_text
from connectors.tables import metadata_of
from tests.support.backend_samples import DATABASE
from tests.support.backend_servers import MAPS, foreign_rows, write_server
from tests.support.servers import Server

Values = Mapping[str, object]


class SqlOwner:
    """Changes rows of the sample database at ``url``; ``foreign``: under other names (``MAPS``)."""

    #: Columns that are not declared -> the SQL of their value, at each change and at the first.
    stamps: Mapping[str, str] = {}
    first_stamps: Mapping[str, str] = {}

    def __init__(self, make: str, url: str, foreign: bool = False) -> None:
        self.make = make
        self.url = url
        self.maps: Mapping[str, RecordMap] | None = MAPS if foreign else None
        self._dialect = sa.make_url(f"{make}://").get_dialect()()

    async def run(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        raise NotImplementedError

    async def insert(self, record: str, row: Values) -> None:
        """Insert a row."""
        stored = self._stored(record, row) | dict(self.first_stamps)
        values, names = ", ".join(stored.values()), ", ".join(map(self.quote, stored))
        await self.run(f"INSERT INTO {self._table(record)} ({names}) VALUES ({values})")

    async def update(self, record: str, row: Values) -> None:
        """Update the row with the identity of ``row`` to be as ``row`` says."""
        stored = self._stored(record, row)
        values = ", ".join(f"{self.quote(name)} = {value}" for name, value in stored.items())
        await self.run(
            f"UPDATE {self._table(record)} SET {values} WHERE {self._by_identity(record, row)}"
        )

    async def delete(self, record: str, row: Values) -> None:
        """Delete the row with the identity of ``row``."""
        await self.run(f"DELETE FROM {self._table(record)} WHERE {self._by_identity(record, row)}")

    async def clear(self, record: str) -> None:
        """Delete all rows of a record."""
        await self.run(f"DELETE FROM {self._table(record)}")

    def quote(self, name: str) -> str:
        return str(self._dialect.identifier_preparer.quote_identifier(name))

    def literal(self, value: object) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, bool) and self.make == "postgresql":
            return str(value)
        if isinstance(value, int):
            return str(int(value))
        text = str(encode_text(value)).replace("'", "''")
        return "'" + (text.replace("\\", "\\\\") if self.make == "mariadb" else text) + "'"

    def table(self, record: str) -> str:
        return f"kho_{record}" if self.maps else record

    def _table(self, record: str) -> str:
        return self.quote(self.table(record))

    def _stored(self, record: str, row: Values) -> dict[str, str]:
        """Return the SQL of each value of a row, by the column that holds it."""
        stored = foreign_rows({record: [row]})[record][0] if self.maps else row
        return {name: self.literal(value) for name, value in stored.items()} | dict(self.stamps)

    def _by_identity(self, record: str, row: Values) -> str:
        name = DATABASE.by_name[record].identity
        stored = self.maps[record].columns[name] if self.maps else name
        return f"{self.quote(stored)} = {self.literal(row[name])}"


class FileOwner(SqlOwner):
    """The owner of an SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__("sqlite", f"sqlite:///{path}")
        self._path = path

    async def run(self, *statements: str) -> None:
        with closing(sqlite3.connect(self._path)) as file:
            for statement in statements:
                with file:
                    file.execute(statement)

    async def set_up(self, extra: Iterable[str] = ()) -> None:
        """Create the tables; ``extra``: columns of all of them that are not declared."""
        await self.run(*_tables(self.make, extra))


class ServerOwner(SqlOwner):
    """The owner of a database on a server."""

    def __init__(self, server: Server, foreign: bool = False) -> None:
        super().__init__(server.make, server.url, foreign)
        self.server = server

    async def run(self, *statements: str) -> None:
        await self.server.execute(*statements)

    async def set_up(self, extra: Iterable[str] = ()) -> None:
        """Create the tables in an empty database; see ``FileOwner.set_up``."""
        empty: dict[str, list[dict[str, Any]]] = {r.name: [] for r in DATABASE.records}
        await write_server(self.server, empty if self.maps else {}, foreign=self.maps is not None)
        if self.maps is None:
            await self.run(*_tables(self.make, extra))
            return
        for record in DATABASE.records:
            for column in extra:
                await self.run(f"ALTER TABLE kho_{record.table} ADD COLUMN {column}")


def _tables(make: str, extra: Iterable[str]) -> list[str]:
    dialect = sa.make_url(f"{make}://").get_dialect()()
    statements = []
    for table in metadata_of(DATABASE).sorted_tables:
        if table.name == "source_statement":
            continue
        statements.append(str(sa.schema.CreateTable(table).compile(dialect=dialect)))
        statements += [f"ALTER TABLE {table.name} ADD COLUMN {column}" for column in extra]
    return statements
