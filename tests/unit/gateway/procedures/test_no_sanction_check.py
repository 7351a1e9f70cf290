"""P12: whether somebody counts as not sanctioned, as a check.

Covers ``gateway.procedures.checks.life``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from connectors.values import PartialDate, PersonNumber
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.no_sanction_check import CHECK, NoSanctionCheckInput
from tests.support.checks import check, states, unproved_passes
from tests.support.evidence import PERSON, TODAY

Row = dict[str, Any]
SANCTIONS = "administrative_violations.sanctions"
EXECUTIONS = "administrative_violations.executions"
MEASURES = "administrative_violations.handling_decisions"
APPLICANT = NoSanctionCheckInput(PersonNumber(PERSON))
DONE = date(2025, 11, 23)


def registers(*, life: str = "ALIVE", **lists: list[Row]) -> dict[str, list[Row]]:
    identity = {"citizen_id": PERSON, "birth_date": PartialDate(1990, 5, 5), "life_status": life}
    names = {"sanctions": SANCTIONS, "executions": EXECUTIONS, "measures": MEASURES,
             "deaths": DEATHS, "notes": NOTES}  # fmt: skip
    return {IDENTITY: [identity], **{names[name]: rows for name, rows in lists.items()}}


def fined(done: date | None = DONE, **more: Any) -> dict[str, list[Row]]:
    sanction = {"decision_no": "S", "violator_citizen_id": PERSON, "main_sanction": "FINE",
                "status": "EXECUTED", "decision_date": date(2025, 1, 10), **more}  # fmt: skip
    executions: list[Row] = [{"decision_no": "S", "completed_on": done}] if done else []
    return registers(sanctions=[sanction], executions=executions)


def verdict(lists: dict[str, list[Row]], at: date = TODAY, **case: Any) -> tuple[str, str]:
    conclusion = check(CHECK, APPLICANT, lists, at, **case)
    return states(conclusion)["UNSANCTIONED"], conclusion.outcome.name


def test_who_was_never_sanctioned_meets_it() -> None:
    conclusion = check(CHECK, APPLICANT, registers())
    assert states(conclusion) == {
        "APPLICANT_IDENTIFIED": "PASS", "APPLICANT_ALIVE": "PASS", "UNSANCTIONED": "PASS"
    }  # fmt: skip
    assert conclusion.outcome.name == "MET"
    assert conclusion.results == {"is_considered_unsanctioned": True}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (TODAY - timedelta(days=1), ("FAIL", "NOT_MET")),
        (TODAY, ("PASS", "MET")),
        (TODAY + timedelta(days=1), ("PASS", "MET")),
    ],
)
def test_the_period_ends_after_a_year_on_the_day_of_the_procedure(
    at: date, expected: tuple[str, str]
) -> None:
    assert verdict(fined(), at) == expected


def test_a_sanction_without_its_execution_is_not_known() -> None:
    conclusion = check(CHECK, APPLICANT, fined(None, decision_date=date(2015, 1, 10)))
    assert states(conclusion)["UNSANCTIONED"] == "UNKNOWN"
    assert conclusion.outcome.name == "UNKNOWN"
    assert conclusion.results == {"is_considered_unsanctioned": None}


@pytest.mark.parametrize(("sector", "state"), [("Giao thông", "FAIL"), ("Đất đai", "PASS")])
def test_a_sector_counts_its_own_sanctions_only(sector: str, state: str) -> None:
    given = NoSanctionCheckInput(PersonNumber(PERSON), sector)
    running = fined(date(2026, 11, 1), sector="Giao thông")
    assert states(check(CHECK, given, running))["UNSANCTIONED"] == state


@pytest.mark.parametrize("name", [SANCTIONS, MEASURES])
def test_a_list_that_is_not_known_is_no_clean_record(name: str) -> None:
    known = registers()
    missing = {name: UnknownReason.SOURCE_FAILED}
    assert verdict(known, missing=missing) == ("UNKNOWN", "UNKNOWN")


def test_a_sanction_that_is_known_decides_whatever_else_is_not() -> None:
    missing = {MEASURES: UnknownReason.SOURCE_FAILED}
    assert verdict(fined(date(2026, 11, 1)), missing=missing) == ("FAIL", "NOT_MET")


def test_the_dead_do_not_meet_it() -> None:
    death = {"event_id": "D", "citizen_id": PERSON, "status": "VALID",
             "death_date": PartialDate(2026, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    conclusion = check(CHECK, APPLICANT, registers(life="DEAD", deaths=[death]))
    assert states(conclusion)["APPLICANT_ALIVE"] == "FAIL"
    assert conclusion.outcome.name == "NOT_MET"


def test_the_missing_do_not_meet_it() -> None:
    note = {"event_id": "N", "event_type": "DECLARED_MISSING", "citizen_id": PERSON,
            "status": "VALID", "effective_date": date(2020, 1, 1)}  # fmt: skip
    conclusion = check(CHECK, APPLICANT, registers(life="MISSING", notes=[note]))
    assert states(conclusion)["APPLICANT_ALIVE"] == "FAIL"


def test_somebody_whom_nobody_knows_is_not_known_in_any_rule() -> None:
    conclusion = check(CHECK, APPLICANT, registers(), unknown_people=frozenset({PERSON}))
    assert set(states(conclusion).values()) == {"UNKNOWN"}


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more here than that somebody is not born yet.
    for known in (registers(), fined()):
        assert unproved_passes(CHECK, APPLICANT, known) == {("APPLICANT_ALIVE", BIRTHS)}
