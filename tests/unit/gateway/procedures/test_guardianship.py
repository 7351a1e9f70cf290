"""P6: registration of guardianship, as a check.

Covers ``gateway.procedures.checks.parents``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.kin import RECOGNITIONS
from gateway.derived.legal_capacity import GUARDIANSHIPS
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.guardianship import CHECK, GuardianshipInput
from tests.support.check_worlds import (
    changed,
    death,
    declared,
    identity,
    people,
    with_rows,
    world_of,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import TODAY, Lists
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, answer

CODE = "1.004837"
WARD, GUARDIAN, SUPERVISOR = "001215000001", "001170000002", "001170000003"
MOTHER, FATHER = "001190000004", "001090000005"
GIVEN = GuardianshipInput(PersonNumber(WARD), PersonNumber(GUARDIAN))
SUPERVISED = GuardianshipInput(PersonNumber(WARD), PersonNumber(GUARDIAN), PersonNumber(SUPERVISOR))
#: An orphan of eleven.
KNOWN = with_rows(
    changed(
        people(identity(WARD, "2015-05-06"), identity(GUARDIAN, "1970-01-01"),
               identity(SUPERVISOR, "1970-02-02"), identity(MOTHER, "1990-03-03"),
               identity(FATHER, "1990-04-04")),
        BIRTHS, WARD, mother_citizen_id=MOTHER, father_citizen_id=FATHER,
    ),
    {DEATHS: [death(MOTHER), death(FATHER)]},
)  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def state(rule: str, lists: Lists, given: Any = GIVEN, at: date = TODAY, **case: Any) -> str:
    return states(check(CHECK, given, lists, at, **case))[rule]


def need(lists: Lists, at: date = TODAY, **case: Any) -> str:
    return state("WARD_NEEDS_GUARDIAN", lists, at=at, **case)


def born(lists: Lists, number: str, on: str) -> Lists:
    day = identity("", on)["birth_date"]
    return changed(changed(lists, IDENTITY, number, birth_date=day), BIRTHS, number, birth_date=day)


def without(lists: Lists, name: str, number: str) -> Lists:
    rows = [row for row in lists.get(name, ()) if row.get("citizen_id") != number]
    return {**lists, name: rows}


def guarded(**more: Any) -> dict[str, Any]:
    return {"event_id": "G", "ward_id": WARD, "guardian_citizen_id": GUARDIAN, "reason": "MINOR",
            "status": "VALID", "start_date": date(2022, 1, 1), **more}  # fmt: skip


def test_an_orphan_gets_a_guardian() -> None:
    conclusion = check(CHECK, SUPERVISED, KNOWN)
    assert states(conclusion) == {
        "WARD_IDENTIFIED": "PASS",
        "GUARDIAN_IDENTIFIED": "PASS",
        "SUPERVISOR_IDENTIFIED": "PASS",
        "WARD_ALIVE": "PASS",
        "GUARDIAN_ALIVE": "PASS",
        "SUPERVISOR_ALIVE": "PASS",
        "WARD_NEEDS_GUARDIAN": "PASS",
        "NO_GUARDIANSHIP_IN_FORCE": "PASS",
        "GUARDIAN_FULLY_CAPABLE": "PASS",
        "SUPERVISOR_FULLY_CAPABLE": "PASS",
        "GUARDIAN_SUITABLE": "NEEDS_DOCUMENT",
        "GUARDIAN_CONSENTS": "NEEDS_PERSON",
        "WARD_HEARD": "NEEDS_PERSON",
    }
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion)["WARD_NEED"] == "REPLACED"
    assert papers(conclusion)["SUPERVISOR_IDENTITY_PAPER"] == "REPLACED"
    assert "SUPERVISOR_IDENTITY_PAPER" not in papers(check(CHECK, GIVEN, KNOWN))


@pytest.mark.parametrize("number", [MOTHER, FATHER])
def test_a_parent_who_can_act_leaves_it_to_a_document(number: str) -> None:
    one_lives = without(KNOWN, DEATHS, number)
    conclusion = check(CHECK, GIVEN, one_lives)
    assert states(conclusion)["WARD_NEEDS_GUARDIAN"] == "NEEDS_DOCUMENT"
    assert papers(conclusion)["WARD_NEED"] == "TO_BRING"
    (rule,) = (each for each in conclusion.rules if each.rule.code == "WARD_NEEDS_GUARDIAN")
    assert rule.result.basis == ()


@pytest.mark.parametrize("kind", ["DECLARED_INCAPACITATED", "DECLARED_MISSING"])
def test_a_parent_who_is_incapacitated_or_missing_cannot_act(kind: str) -> None:
    noted = with_rows(without(KNOWN, DEATHS, MOTHER), {NOTES: [declared(MOTHER, kind)]})
    assert need(noted) == "PASS"


def test_a_parent_of_whom_it_is_not_known_leaves_it_open() -> None:
    missing = {f"{DEATHS} {MOTHER}": UnknownReason.SOURCE_FAILED}
    assert need(without(KNOWN, DEATHS, MOTHER), missing=missing) == "UNKNOWN"


def test_a_recognised_father_can_act() -> None:
    recognised = {"event_id": "R", "recognition_kind": "FATHER_RECOGNISES_CHILD",
                  "recognising_id": GUARDIAN, "recognised_id": WARD, "status": "VALID",
                  "birth_event_id": f"B-{WARD}"}  # fmt: skip
    fatherless = changed(KNOWN, BIRTHS, WARD, father_citizen_id=None)
    assert need(with_rows(fatherless, {RECOGNITIONS: [recognised]})) == "NEEDS_DOCUMENT"


@pytest.mark.parametrize(
    ("circumstance", "missing_parents", "expected"),
    [
        ("NORMAL", ("father",), "UNKNOWN"),
        (None, ("father",), "UNKNOWN"),
        ("OUT_OF_WEDLOCK", ("father",), "PASS"),
        ("OUT_OF_WEDLOCK", ("father", "mother"), "UNKNOWN"),
        ("ABANDONED", ("father", "mother"), "PASS"),
        ("PARENT_UNDETERMINED", ("father", "mother"), "PASS"),
    ],
)
def test_a_parent_who_is_not_recorded_is_missing_only_where_the_birth_explains_it(
    circumstance: str | None, missing_parents: tuple[str, ...], expected: str
) -> None:
    gone = {f"{role}_citizen_id": None for role in missing_parents}
    lists = changed(KNOWN, BIRTHS, WARD, birth_circumstance=circumstance, **gone)
    assert need(lists) == expected


def test_a_ward_whose_birth_is_not_in_the_books_is_not_known() -> None:
    assert need(without(KNOWN, BIRTHS, WARD)) == "UNKNOWN"


@pytest.mark.parametrize(
    ("on", "at", "expected"),
    [
        ("2008-11-24", date(2026, 11, 23), "PASS"),  # of age tomorrow
        ("2008-11-23", date(2026, 11, 23), "FAIL"),
        ("2008-11-22", date(2026, 11, 23), "FAIL"),
        ("2008-02-29", date(2026, 2, 28), "PASS"),
        ("2008-02-29", date(2026, 3, 1), "FAIL"),
        ("2008-11-24", date(2026, 11, 24), "FAIL"),
        ("2008", date(2026, 11, 23), "UNKNOWN"),
    ],
)
def test_who_is_of_age_on_the_day_has_no_guardian(on: str, at: date, expected: str) -> None:
    assert need(born(KNOWN, WARD, on), at) == expected


def test_an_adult_who_has_lost_capacity_gets_a_guardian() -> None:
    adult = born(KNOWN, WARD, "1990-01-01")
    noted = with_rows(adult, {NOTES: [declared(WARD, "DECLARED_INCAPACITATED")]})
    assert need(noted) == "PASS"
    assert state("WARD_HEARD", noted) == "PASS"
    restricted = with_rows(adult, {NOTES: [declared(WARD, "DECLARED_RESTRICTED")]})
    assert need(restricted) == "FAIL"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "FAIL"),
        ({"end_date": date(2026, 11, 23)}, "PASS"),
        ({"end_date": date(2026, 11, 24)}, "FAIL"),
        ({"status": "REVOKED"}, "PASS"),
        ({"status": None}, "UNKNOWN"),
        ({"start_date": None}, "UNKNOWN"),
        ({"ward_id": FATHER, "guardian_citizen_id": WARD}, "PASS"),
    ],
)
def test_nobody_has_two_guardians(more: dict[str, Any], expected: str) -> None:
    lists = with_rows(KNOWN, {GUARDIANSHIPS: [guarded(**more)]})
    assert state("NO_GUARDIANSHIP_IN_FORCE", lists) == expected


@pytest.mark.parametrize("role", ["GUARDIAN", "SUPERVISOR"])
def test_a_guardian_and_a_supervisor_have_full_capacity(role: str) -> None:
    rule, number = f"{role}_FULLY_CAPABLE", {"GUARDIAN": GUARDIAN, "SUPERVISOR": SUPERVISOR}[role]
    for kind in ("DECLARED_INCAPACITATED", "DECLARED_RESTRICTED"):
        noted = with_rows(KNOWN, {NOTES: [declared(number, kind)]})
        assert state(rule, noted, SUPERVISED) == "FAIL"
    young = born(KNOWN, number, "2008-11-24")
    assert state(rule, young, SUPERVISED) == "FAIL"
    assert state(rule, young, SUPERVISED, date(2026, 11, 24)) == "PASS"
    missing = {NOTES: UnknownReason.TRUNCATED}
    assert state(rule, KNOWN, SUPERVISED, missing=missing) == "UNKNOWN"


@pytest.mark.parametrize("role", ["WARD", "GUARDIAN", "SUPERVISOR"])
def test_everybody_lives(role: str) -> None:
    number = {"WARD": WARD, "GUARDIAN": GUARDIAN, "SUPERVISOR": SUPERVISOR}[role]
    conclusion = check(CHECK, SUPERVISED, with_rows(KNOWN, {DEATHS: [death(number)]}))
    assert states(conclusion)[f"{role}_ALIVE"] == "FAIL"
    assert conclusion.outcome.name == "NOT_MET"
    unknown = check(CHECK, SUPERVISED, KNOWN, unknown_people=frozenset({number}))
    assert states(unknown)[f"{role}_IDENTIFIED"] == "UNKNOWN"
    assert states(unknown)[f"{role}_ALIVE"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2020-11-24", "PASS"), ("2020-11-23", "NEEDS_PERSON"), ("2020-11-22", "NEEDS_PERSON"),
     ("2020", "UNKNOWN")],
)  # fmt: skip
def test_a_child_of_six_is_heard(on: str, expected: str) -> None:
    assert state("WARD_HEARD", born(KNOWN, WARD, on)) == expected


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more here than that somebody is not born yet.
    unproved = {(f"{role}_ALIVE", BIRTHS) for role in ("WARD", "GUARDIAN", "SUPERVISOR")}
    assert unproved_passes(CHECK, SUPERVISED, KNOWN) == unproved


@pytest.mark.usefixtures("way")
async def test_a_gateway_answers_as_the_rules_do_and_names_no_kin(tmp_path: Path) -> None:
    given = {"guardianship": {"ward": WARD, "guardian": GUARDIAN, "supervisor": SUPERVISOR}}
    async with running(tmp_path, world_of(KNOWN), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        assert states_in(body) == states(check(CHECK, SUPERVISED, KNOWN))
        for number in (MOTHER, FATHER):
            assert number not in str(body)
        (entry,) = gateway.journal()
        roles = [person["role"] for person in entry["persons"]]
        assert roles.count("NAMED") == 3
        assert roles.count("KIN") == 2


@pytest.mark.usefixtures("way")
async def test_nobody_is_their_own_guardian(tmp_path: Path) -> None:
    given = {"guardianship": {"ward": WARD, "guardian": WARD}}
    async with running(tmp_path, world_of(KNOWN), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["SAME_PERSON"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["population", "civil_status"])
async def test_a_database_that_is_down_decides_nothing(tmp_path: Path, name: str) -> None:
    databases = world_of(KNOWN)
    databases.of(name).fault = "down"
    given = {"guardianship": {"ward": WARD, "guardian": GUARDIAN}}
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "UNKNOWN"
        assert [silent["name"] for silent in checked["silent"]] == [name]
        for rule in ("WARD_NEEDS_GUARDIAN", "GUARDIAN_ALIVE", "GUARDIAN_FULLY_CAPABLE"):
            assert states_in(body)[rule] == "UNKNOWN"
