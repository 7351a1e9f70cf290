"""The rules as SQL: what the statements consist of. That they find the same: ``test_registry``."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from rules.registry import RULES
from rules.row_program import RowProgram
from rules.statements import TODAY, registered_sides, rule_statements

POSTGRESQL: Dialect = sa.make_url("postgresql+asyncpg://").get_dialect()()
SQLITE: Dialect = sa.make_url("sqlite://").get_dialect()()
STATEMENTS = rule_statements(RULES)
#: What PostgreSQL, DuckDB and Spark all have. ``CAST`` and the rest look like functions.
SHARED = {
    *("translate", "replace", "trim", "substr", "length", "split_part", "min", "count"),
    *("AND", "AS", "AS TEXT", "CAST", "EXISTS", "FROM", "IN", "JOIN", "LIKE", "NOT", "OR", "ON"),
    *("WHERE", "DISTINCT", "HAVING", "SELECT", "CASE"),
}


@pytest.mark.parametrize("dialect", [POSTGRESQL, SQLITE], ids=lambda dialect: dialect.name)
def test_statements_call_only_functions_that_all_engines_have(dialect: Dialect) -> None:
    for statement in (
        *(table.statement for table in STATEMENTS.preparation),
        *(case.statement for case in STATEMENTS.cases),
    ):
        text = str(statement.compile(dialect=dialect))
        called = set(re.findall(r"(\w+) ?\(", text))
        assert called <= SHARED, called - SHARED


def test_the_legal_day_is_the_only_parameter() -> None:
    for case in STATEMENTS.cases:
        compiled = case.statement.compile()
        open_parameters = {name for name, value in compiled.params.items() if value is None}
        assert open_parameters <= {TODAY}


def test_lists_are_prepared_after_what_they_are_made_of() -> None:
    names = [table.name for table in STATEMENTS.preparation]
    assert names[0] == "person_numbers"
    assert names.index("population_earlier_numbers_list") < names.index("population_holders_list")


def test_identities_are_ordered_by_code_points() -> None:
    pairs = [case for case in STATEMENTS.cases if case.rule.name == "DUPLICATE_BIRTH"]
    text = str(pairs[0].statement.compile(dialect=POSTGRESQL))
    assert text.count('COLLATE "C"') == 2


def test_registration_dates_stand_behind_what_the_sides_show() -> None:
    dated = rule_statements(RULES, with_registration_dates=True)
    for plain, case in zip(STATEMENTS.cases, dated.cases, strict=True):
        names = [column.name for column in case.statement.selected_columns]
        shown = [column.name for column in plain.statement.selected_columns]
        assert names[: len(shown)] == shown
        row = [*shown, *(f"2001-02-0{place}" for place in range(1, len(names) - len(shown) + 1))]
        assert case.record_ids(row) == plain.record_ids(shown)
        assert case.values(row) == plain.values(shown)
        expected = "2001-02-01" if registered_sides(case.case) else None
        assert case.registration_date(row) == expected
    years = {case.rule.name for case in dated.cases if registered_sides(case.case)}
    assert {"DUPLICATE_BIRTH", "LIFE_STATE"} <= years
    assert "SHARED_NUMBER" in years


def test_a_prepared_table_says_which_list_it_holds() -> None:
    numbers, *lists = STATEMENTS.preparation
    assert numbers.read is None
    assert {table.read for table in lists} == set(RowProgram(RULES).reads)
