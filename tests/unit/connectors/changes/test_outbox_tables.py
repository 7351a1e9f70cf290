"""The statements of outboxes for every database that is declared, on SQLite itself."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from connectors.changes.outbox_tables import outbox_statements, purge_statement
from connectors.description import Database
from connectors.registry import installed_databases
from connectors.tables import metadata_of
from tests.support.backend_samples import DATABASE

MAKES = ["postgresql", "mariadb", "sqlite"]


@pytest.mark.parametrize("database", installed_databases(), ids=lambda database: database.name)
def test_every_declared_database_can_have_an_outbox(database: Database) -> None:
    dialect = sa.make_url("sqlite://").get_dialect()()
    with closing(sqlite3.connect(":memory:")) as file:
        for table in metadata_of(database).sorted_tables:
            file.execute(str(sa.schema.CreateTable(table).compile(dialect=dialect)))
        for statement in outbox_statements(database, "sqlite"):
            file.execute(statement)
        for record in database.records:
            file.execute(f"INSERT INTO {record.table} ({record.identity}) VALUES ('1')")
            ((row,),) = file.execute(
                f"SELECT row_after FROM justice_gateway_outbox WHERE record = '{record.name}'"
            )
            assert json.loads(row).keys() == {column.name for column in record.columns}


@pytest.mark.parametrize("make", MAKES)
def test_an_outbox_holds_no_rows_where_it_is_to_hold_none(make: str) -> None:
    statements = "\n".join(outbox_statements(DATABASE, make, holds_rows=False, records=["things"]))
    assert "json_object(" not in statements.lower()
    assert "unions" not in statements


def test_a_notification_is_sent_only_where_it_is_asked_for() -> None:
    assert "pg_notify" not in "".join(outbox_statements(DATABASE, "postgresql"))
    assert "pg_notify('news', '')" in "".join(
        outbox_statements(DATABASE, "postgresql", notify="news")
    )


def test_names_are_quoted() -> None:
    statements = outbox_statements(DATABASE, "postgresql", table='theirs.out"box')
    assert 'CREATE TABLE "theirs"."out""box"' in statements[0]
    assert 'DELETE FROM "theirs"."out""box"' in purge_statement("postgresql", 7, 'theirs.out"box')


def test_what_cannot_have_an_outbox_is_refused() -> None:
    with pytest.raises(ValueError, match="no outbox for oracle"):
        outbox_statements(DATABASE, "oracle")
    with pytest.raises(ValueError, match="keeps no record deaths"):
        outbox_statements(DATABASE, "sqlite", records=["deaths"])
