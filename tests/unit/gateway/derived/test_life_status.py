"""Whether somebody lives, on the days on which that changes.

Covers ``gateway.derived.registers``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.values import PartialDate
from gateway.derived.life_status import DERIVED
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from tests.support.evidence import PERSON, TODAY, Lists, conclude, verdict

Row = dict[str, Any]
DIED_ON = date(2020, 5, 6)


def identity(state: str | None = "ALIVE", **changes: Any) -> Row:
    born = PartialDate(1950, 1, 2)
    return {"citizen_id": PERSON, "birth_date": born, "life_status": state, **changes}


def death(**changes: Any) -> Row:
    died = PartialDate(DIED_ON.year, DIED_ON.month, DIED_ON.day)
    usual = {"event_id": "KT", "status": "VALID", "death_kind": "NATURAL_DEATH"}
    return {"citizen_id": PERSON, "death_date": died, **usual, **changes}


def note(kind: str, effective: date | None, event: str = "", **changes: Any) -> Row:
    return {
        "event_id": event or kind,
        "event_type": kind,
        "citizen_id": PERSON,
        "status": "VALID",
        "effective_date": effective,
        **changes,
    }


def lists(
    *deaths: Row, notes: list[Row] | None = None, population: Row | None = None
) -> dict[str, list[Row]]:
    known = identity() if population is None else population
    return {DEATHS: list(deaths), NOTES: notes or [], IDENTITY: [known], BIRTHS: []}


def life(of: Lists, on: date = TODAY, **evidence: Any) -> object:
    return verdict(conclude(DERIVED, of, on, **evidence))


def test_who_has_no_death_and_lives_by_the_population_database_is_alive() -> None:
    assert life(lists()) == "ALIVE"


@pytest.mark.parametrize(
    ("on", "value"), [(date(2020, 5, 5), "ALIVE"), (DIED_ON, "DEAD"), (TODAY, "DEAD")]
)
def test_a_death_counts_from_its_day_on(on: date, value: str) -> None:
    dead = identity("DEAD", death_or_missing_date=PartialDate(2020, 5, 6))
    assert life(lists(death(), population=dead), on) == value


def test_the_book_prevails_over_a_population_database_that_was_not_told() -> None:
    assert life(lists(death())) == "DEAD"


def test_a_death_rests_on_its_entry() -> None:
    (basis,) = conclude(DERIVED, lists(death())).basis
    assert basis.facts.name == DEATHS
    assert basis.facts.value(basis.row, "event_id") == "KT"


@pytest.mark.parametrize("status", ["REVOKED", "SUPERSEDED"])
def test_an_entry_that_no_longer_counts_is_no_death(status: str) -> None:
    assert life(lists(death(status=status))) == "ALIVE"


def test_an_entry_without_a_status_decides_nothing() -> None:
    assert life(lists(death(status=None))) == "NOT_RECORDED"


@pytest.mark.parametrize(
    ("on", "value"),
    [
        (date(2019, 12, 31), "ALIVE"),
        (date(2020, 7, 1), "NOT_RECORDED"),
        (date(2020, 12, 31), "DEAD"),
    ],
)
def test_within_the_year_of_a_death_of_which_only_that_is_known_it_is_open(
    on: date, value: str
) -> None:
    assert life(lists(death(death_date=PartialDate(2020))), on) == value


def test_a_death_without_a_date_counts_from_its_registration() -> None:
    entry = death(death_date=None, registration_date=date(2020, 6, 1))
    assert life(lists(entry), date(2020, 6, 1)) == "DEAD"
    assert life(lists(entry), date(2020, 5, 31)) == "NOT_RECORDED"


def test_a_death_that_only_the_population_database_knows_leaves_it_open() -> None:
    dead = identity("DEAD", death_or_missing_date=PartialDate(2020, 5, 6))
    assert life(lists(population=dead)) == "CONTRADICTORY"
    assert life(lists(population=dead), date(2020, 5, 5)) == "ALIVE"


@pytest.mark.parametrize(
    ("on", "value"),
    [
        (date(2010, 2, 28), "ALIVE"),
        (date(2010, 3, 1), "MISSING"),
        (date(2014, 3, 31), "MISSING"),
        (date(2014, 4, 1), "DEAD"),
        (date(2018, 5, 1), "DEAD"),
        (date(2018, 5, 2), "ALIVE"),
    ],
)
def test_declarations_hold_until_the_decision_that_revokes_them(on: date, value: str) -> None:
    back = date(2018, 5, 2)
    notes = [
        note("DECLARED_MISSING", date(2010, 3, 1), status="REVOKED", revoked_by_event_id="R1"),
        note("DECLARED_DEAD", date(2014, 4, 1), status="REVOKED", revoked_by_event_id="R2"),
        note("DECLARED_MISSING_REVOKED", back, "R1"),
        note("DECLARED_DEAD_REVOKED", back, "R2"),
    ]
    entry = death(
        death_kind="DECLARED_DEAD_BY_COURT", status="REVOKED", death_date=PartialDate(2014, 4, 1)
    )
    assert life(lists(entry, notes=notes), on) == value


def test_a_revoked_declaration_without_the_decision_that_revoked_it_leaves_it_open() -> None:
    notes = [note("DECLARED_DEAD", date(2014, 4, 1), status="REVOKED")]
    assert life(lists(notes=notes)) == "NOT_RECORDED"
    assert life(lists(notes=notes), date(2014, 3, 31)) == "ALIVE"


def test_a_declaration_that_says_not_from_when_leaves_it_open() -> None:
    assert life(lists(notes=[note("DECLARED_MISSING", None)])) == "NOT_RECORDED"


def test_a_declared_death_without_the_decision_is_as_the_entry_says() -> None:
    entry = death(death_kind="DECLARED_DEAD_BY_COURT")
    assert life(lists(entry)) == "DEAD"
    assert life(lists(entry), date(2020, 5, 5)) == "ALIVE"


def test_missing_by_the_population_database_alone_leaves_it_open() -> None:
    since = PartialDate(2012, 1, 1)
    missing = identity("MISSING", death_or_missing_date=since)
    assert life(lists(population=missing)) == "CONTRADICTORY"
    assert life(lists(population=missing), date(2011, 12, 31)) == "ALIVE"


def test_before_birth_there_is_no_answer() -> None:
    assert life(lists(), date(1950, 1, 1)) == "NOT_BORN"
    assert life(lists(), date(1950, 1, 2)) == "ALIVE"


@pytest.mark.parametrize("reason", UnknownReason)
@pytest.mark.parametrize("name", [DEATHS, NOTES, IDENTITY])
def test_where_something_may_be_missing_nobody_is_said_to_live(
    name: str, reason: UnknownReason
) -> None:
    assert life(lists(), missing={name: reason}) == reason.name


def test_a_natural_death_decides_though_other_lists_are_missing() -> None:
    missing = dict.fromkeys((NOTES, IDENTITY, DEATHS), UnknownReason.SOURCE_FAILED)
    assert life(lists(death()), missing=missing) == "DEAD"


def test_a_declared_death_waits_for_the_decisions_that_may_have_revoked_it() -> None:
    notes = [note("DECLARED_DEAD", date(2014, 4, 1))]
    assert life(lists(notes=notes), missing={NOTES: UnknownReason.TRUNCATED}) == "TRUNCATED"


def test_nothing_is_said_of_who_is_not_in_the_population_database() -> None:
    assert life({DEATHS: [], NOTES: [], IDENTITY: [], BIRTHS: []}) == "NOT_IDENTIFIED"


def test_what_the_population_database_does_not_record_is_not_taken_for_alive() -> None:
    assert life(lists(population=identity(None))) == "NOT_RECORDED"
