"""The rules as SQL on PostgreSQL, whose functions are those of DuckDB and Spark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.options import TODAY
from rules.registry import RULES
from rules.row_program import RowProgram
from rules.statements import rule_statements
from tests.support.rule_databases import fill, prepare, rows_found
from tests.support.rule_people import DATABASES, compared, findings_of
from tests.support.servers import Server

STATEMENTS = rule_statements(RULES)


@pytest.mark.long
@pytest.mark.services
async def test_postgresql_finds_what_the_program_finds(postgresql: Server) -> None:
    tables: dict[tuple[str, str], list[Mapping[str, object]]] = defaultdict(list)
    options = PopulationOptions(people=600, contradiction_rate=0.5, disagreement_rate=0.05)
    for cluster in clusters(options):
        for key, rows in cluster.rows.items():
            tables[key] += rows
    expected = sorted(
        repr((*compared(number, finding), finding.values()))
        for number, finding in findings_of(RowProgram(RULES), tables, TODAY)
    )

    def found(connection: sa.Connection) -> list[str]:
        for database in DATABASES:
            connection.execute(sa.schema.CreateSchema(database))
        fill(connection, tables)
        prepare(connection, STATEMENTS)
        return sorted(
            repr((case.rule.name, row[0], case.record_ids(row), case.values(row)))
            for case, row in rows_found(connection, STATEMENTS, TODAY)
        )

    engine = create_async_engine(postgresql.url.replace("postgresql", "postgresql+asyncpg", 1))
    try:
        async with engine.connect() as connection:
            findings = await connection.run_sync(found)
            await connection.rollback()
    finally:
        await engine.dispose()
    assert len(expected) > 200
    assert findings == expected
