"""The SQL of each engine: names, literals, types; what it means is tested by running it.

That the engines' functions are Python's is tested for DuckDB here, for Spark in
``test_spark_session``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reconcile.engines.dialects import DuckdbDialect, SparkDialect, spark_name, statement_text
from reconcile.engines.duckdb_session import DuckdbSession
from rules.statements import TODAY
from tests.support.engine_texts import differences, orders
from tests.support.run_extracts import STATEMENTS

ROWS = sa.table("births", sa.column("order", sa.Text()), schema="civil_status")


def texts_of(statement: Any) -> list[str]:
    return [
        " ".join(statement_text(statement, dialect, "2026-11-23").split())
        for dialect in (DuckdbDialect(), SparkDialect())
    ]


def test_names_are_always_quoted_and_have_no_database_in_spark() -> None:
    duckdb, spark = texts_of(sa.select(ROWS.c.order))
    assert duckdb == 'SELECT "civil_status"."births"."order" FROM "civil_status"."births"'
    assert spark == "SELECT `civil_status__births`.`order` FROM `civil_status__births`"
    assert spark_name("civil_status", "births") == "civil_status__births"
    assert spark_name(None, "person_numbers") == "person_numbers"


def test_literals_are_escaped_as_each_reads_them() -> None:
    duckdb, spark = texts_of(sa.select(sa.literal("a'b\\c", sa.Text())))
    assert duckdb.startswith("SELECT 'a''b\\c'")
    assert spark.startswith("SELECT 'a\\'b\\\\c'")


def test_the_type_of_text_has_the_name_that_each_knows() -> None:
    duckdb, spark = texts_of(sa.select(sa.cast(ROWS.c.order, sa.Text())))
    assert "AS TEXT)" in duckdb
    assert "AS STRING)" in spark


def test_the_legal_day_is_written_into_the_statement() -> None:
    duckdb, spark = texts_of(sa.select(sa.bindparam(TODAY, type_=sa.Text())))
    assert "'2026-11-23'" in duckdb
    assert "'2026-11-23'" in spark


def test_every_statement_can_be_written_without_open_parameters() -> None:
    for dialect in (DuckdbDialect(), SparkDialect()):
        for statement in (
            *(table.statement for table in STATEMENTS.preparation),
            *(case.statement for case in STATEMENTS.cases),
        ):
            text = statement_text(statement, dialect, "2026-11-23")
            assert ":today" not in text


@pytest.fixture
def session(tmp_path: Path) -> DuckdbSession:
    return DuckdbSession(300_000_000, 1, tmp_path)


def test_the_steps_of_forms_give_in_duckdb_what_they_give_in_python(session: DuckdbSession) -> None:
    assert list(differences(session)) == []


def test_text_is_ordered_by_code_points_in_duckdb(session: DuckdbSession) -> None:
    in_python, in_duckdb = orders(session)
    assert in_duckdb == in_python
