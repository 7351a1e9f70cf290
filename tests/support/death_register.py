"""A register of deaths on PostgreSQL that its owner changes by plain SQL."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from connectors.changes.outbox_tables import outbox_statements
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database
from connectors.tables import metadata_of
from tests.support.servers import Server

#: The channel on which the outbox tells of new rows.
CHANNEL = "justice_gateway_outbox"


async def create_register(server: Server, *, listen: bool = False) -> None:
    """Create all tables of civil status, empty, and their outbox, in place of what was."""
    outbox = outbox_statements(CIVIL_STATUS, "postgresql", notify=CHANNEL if listen else None)
    await _create(server, outbox)


async def create_register_without_outbox(server: Server) -> None:
    """Create all tables of civil status, empty; the log has whole former rows of deaths."""
    await _create(server, ["ALTER TABLE deaths REPLICA IDENTITY FULL"])


async def _create(server: Server, statements: Sequence[str]) -> None:
    tables = table_statements(server, CIVIL_STATUS)
    await server.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *tables, *statements)


def table_statements(server: Server, database: Database) -> list[str]:
    """Return the statements that create the tables of ``database``."""
    dialect = sa.make_url(server.url).get_dialect()()
    return [
        str(sa.schema.CreateTable(table).compile(dialect=dialect))
        for table in metadata_of(database).sorted_tables
    ]


async def enter_deaths(server: Server, deaths: Sequence[tuple[str, str]]) -> None:
    """Enter deaths, (identity, number of the person), by one statement."""
    values = ", ".join(f"('{identity}', '{person}', 'VALID', now())" for identity, person in deaths)
    columns = "event_id, citizen_id, status, source_updated_at"
    await server.execute(f"INSERT INTO deaths ({columns}) VALUES {values}")
