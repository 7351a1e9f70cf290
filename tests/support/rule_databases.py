"""Databases in one SQLite connection, as a national run sees them, and what rules find there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from connectors.codec import encode_text
from connectors.description import Database
from rules.statements import TODAY, CaseStatement, RuleStatements
from tests.support.rule_people import DATABASES, Tables


def translate(text: str | None, source: str, target: str) -> str | None:
    """What ``translate`` of PostgreSQL, DuckDB and Spark does; SQLite has none."""
    return None if text is None else text.translate(_table(source, target))


def split_part(text: str | None, separator: str, place: int) -> str | None:
    """What ``split_part`` of PostgreSQL, DuckDB and Spark does for the last part."""
    assert place == -1
    return None if text is None else text.split(separator)[place]


@cache
def _table(source: str, target: str) -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for place, sign in enumerate(source):
        table.setdefault(ord(sign), target[place] if place < len(target) else None)
    return table


def sqlite_databases(tables: Tables, databases: Mapping[str, Database] = DATABASES) -> sa.Engine:
    """Return an engine whose one connection has a schema for each database with its rows."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.create_function("translate", 3, translate, deterministic=True)
        connection.create_function("split_part", 3, split_part, deterministic=True)

    with engine.begin() as connection:
        for database in databases.values():
            connection.exec_driver_sql(f"ATTACH ':memory:' AS {database.name}")
        fill(connection, tables, databases)
    return engine


def fill(
    connection: sa.Connection, tables: Tables, databases: Mapping[str, Database] = DATABASES
) -> None:
    """Create the tables of all databases, each in a schema of its name, and insert ``tables``."""
    for database in databases.values():
        for record in database.records:
            names = [column.name for column in record.columns]
            table = sa.Table(
                record.table,
                sa.MetaData(),
                *(sa.Column(name, sa.Text()) for name in names),
                schema=database.name,
            )
            table.create(connection)
            rows = tables.get((database.name, record.name), ())
            values = [{name: _stored(row.get(name)) for name in names} for row in rows]
            if values:
                connection.execute(sa.insert(table), values)


def _stored(value: object) -> str | None:
    return None if value is None else str(encode_text(value))


def prepare(connection: sa.Connection, statements: RuleStatements) -> None:
    """Make the tables that the cases read."""
    for table in statements.preparation:
        text = table.statement.compile(connection, compile_kwargs={"literal_binds": True})
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {table.name} AS {text}")
        for key in table.keys:
            connection.exec_driver_sql(f"CREATE INDEX {table.name}_{key} ON {table.name} ({key})")


def rows_found(
    connection: sa.Connection, statements: RuleStatements, today: date
) -> Iterator[tuple[CaseStatement, sa.Row[Any]]]:
    """Yield what every case finds, with the case."""
    for case in statements.cases:
        for row in connection.execute(case.statement, {TODAY: today.isoformat()}):
            yield case, row
