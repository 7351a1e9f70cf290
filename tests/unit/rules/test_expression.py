"""The language of rules: what it refuses, and what a condition reads."""

from __future__ import annotations

import pytest

from rules.expression import (
    Conjunction,
    all_of,
    any_of,
    any_row,
    columns_of,
    differ,
    equal,
    forms_of,
    inner_rows,
    is_among,
    is_present,
    no_row,
)
from rules.names import names_differ

identity = any_row("population", "identity")
birth = any_row("civil_status", "births")


def test_a_list_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KeyError, match="no list"):
        any_row("civil_status", "weddings")


@pytest.mark.parametrize("column", ["amendments", "birth_order", "weight"])
def test_a_column_that_is_no_text_is_refused(column: str) -> None:
    with pytest.raises(KeyError):
        birth[column]


def test_a_code_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KeyError):
        is_among(identity["life_status"], "UNDEAD")


def test_parts_of_parts_are_opened() -> None:
    first, second = is_present(birth["sex"]), is_present(identity["sex"])
    assert all_of(first, all_of(second)) == Conjunction((first, second))


def test_a_condition_says_what_it_reads() -> None:
    death = any_row("civil_status", "deaths")
    condition = all_of(
        any_of(equal(identity["sex"], birth["sex"]), differ(identity["sex"], birth["sex"])),
        names_differ(identity["full_name"], birth["full_name"]),
        no_row(death, is_among(death["status"], "VALID")),
    )
    read = {(column.row.record.name, column.name) for column in columns_of(condition)}
    assert read == {
        ("identity", "sex"),
        ("births", "sex"),
        ("identity", "full_name"),
        ("births", "full_name"),
        ("deaths", "status"),
    }
    assert list(inner_rows(condition)) == [death]
    assert {item.column.name for item in forms_of(condition)} == {"full_name"}
