"""Rules and their cases: sides, which prevails, what is read."""

from __future__ import annotations

import pytest

from rules.conflicts import life_state
from rules.expression import ListRead, any_row, is_present
from rules.rule import case


def test_a_case_names_the_side_that_prevails() -> None:
    alive, _ = life_state.RULE.cases
    assert alive.prevails == 1
    assert [side.row.record.name for side in alive.sides] == ["identity", "deaths"]


def test_a_side_shows_declared_columns_only() -> None:
    birth = any_row("civil_status", "births")
    with pytest.raises(KeyError):
        case((birth, ("weight",)), where=is_present(birth["sex"]))


def test_a_case_says_which_lists_must_be_complete() -> None:
    alive, revoked = life_state.RULE.cases
    deaths = ListRead("civil_status", "deaths")
    assert alive.complete_reads == frozenset()
    assert revoked.complete_reads == {deaths}
    assert revoked.reads == {deaths, ListRead("population", "identity")}


def test_a_case_says_which_columns_it_reads() -> None:
    alive, _ = life_state.RULE.cases
    identity, deaths = ListRead("population", "identity"), ListRead("civil_status", "deaths")
    assert set(alive.columns_read()) == {
        (identity, "citizen_id"),
        (identity, "life_status"),
        (identity, "death_or_missing_date"),
        (deaths, "event_id"),
        (deaths, "status"),
        (deaths, "death_date"),
    }
