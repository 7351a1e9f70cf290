"""P6: recognition of a parent or a child, as a check.

Covers ``gateway.procedures.checks.relative_evidence``, ``gateway.procedures.checks.optional_role``,
and ``gateway.procedures.checks.consent``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.kin import RECOGNITIONS
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.parent_child_recognition import CHECK, ParentChildRecognitionInput
from tests.support.check_worlds import (
    changed,
    death,
    declared,
    identity,
    marriage,
    people,
    with_rows,
    world_of,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import TODAY, Lists
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, answer

CODE = "1.001022"
MAN, WOMAN, CHILD, OTHER = "001201000001", "001302000002", "001223000003", "001200000004"
GIVEN = ParentChildRecognitionInput(PersonNumber(MAN), PersonNumber(CHILD))
WITH_MOTHER = ParentChildRecognitionInput(
    PersonNumber(MAN), PersonNumber(CHILD), PersonNumber(WOMAN)
)
#: A young mother who never married, her child without a father, and the man who recognises it.
BORN = "2023-04-05"
KNOWN = {
    **people(identity(MAN, "2001-01-01", sex="MALE"), identity(WOMAN, "2002-02-02", sex="FEMALE"),
             identity(OTHER, "2000-03-03", sex="MALE"), identity(CHILD, BORN, sex="MALE")),
}  # fmt: skip
KNOWN = changed(KNOWN, BIRTHS, CHILD, mother_citizen_id=WOMAN)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def state(rule: str, lists: Lists, given: Any = GIVEN, at: date = TODAY, **case: Any) -> str:
    return states(check(CHECK, given, lists, at, **case))[rule]


def recognition(kind: str, first: str, second: str, **more: Any) -> dict[str, Any]:
    return {"event_id": "R", "recognition_kind": kind, "recognising_id": first,
            "recognised_id": second, "status": "VALID", "birth_event_id": f"B-{CHILD}",
            **more}  # fmt: skip


def test_a_child_without_a_father_may_be_recognised() -> None:
    conclusion = check(CHECK, WITH_MOTHER, KNOWN)
    assert states(conclusion) == {
        "PARENT_IDENTIFIED": "PASS",
        "CHILD_IDENTIFIED": "PASS",
        "OTHER_PARENT_IDENTIFIED": "PASS",
        "PARENT_ALIVE": "PASS",
        "CHILD_ALIVE": "PASS",
        "PARENT_NOT_INCAPACITATED": "PASS",
        "KINSHIP_NOT_REGISTERED": "PASS",
        "NO_PRESUMED_FATHER": "PASS",
        "KINSHIP_EVIDENCE": "NEEDS_DOCUMENT",
        "PARENT_REQUESTS": "NEEDS_PERSON",
        "CHILD_AGREES": "PASS",
        "OTHER_PARENT_RECORDED": "PASS",
        "OTHER_PARENT_CONSENTS": "NEEDS_PERSON",
    }
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion) == {
        "APPLICATION_FORM": "TO_BRING",
        "PARENT_IDENTITY_PAPER": "REPLACED",
        "CHILD_IDENTITY_PAPER": "REPLACED",
        "OTHER_PARENT_IDENTITY_PAPER": "REPLACED",
        "BIRTH_CERTIFICATE": "REPLACED",
        "KINSHIP_EVIDENCE": "TO_BRING",
    }


@pytest.mark.parametrize(
    ("column", "number"),
    [("father_citizen_id", MAN), ("father_citizen_id", OTHER), ("mother_citizen_id", MAN)],
)
def test_a_parent_who_is_registered_already_bars_it_whoever_it_is(column: str, number: str) -> None:
    taken = changed(KNOWN, BIRTHS, CHILD, **{column: number})
    conclusion = check(CHECK, GIVEN, taken)
    assert states(conclusion)["KINSHIP_NOT_REGISTERED"] == "FAIL"
    (rule,) = (each for each in conclusion.rules if each.rule.code == "KINSHIP_NOT_REGISTERED")
    assert rule.result.basis == ()
    assert number not in str(rule.result.sentence)
    assert conclusion.outcome.name == "NOT_MET"


def test_a_father_of_whom_only_the_name_is_recorded_is_registered() -> None:
    named = changed(KNOWN, BIRTHS, CHILD, father_name="Ông A")
    assert state("KINSHIP_NOT_REGISTERED", named) == "FAIL"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (recognition("FATHER_RECOGNISES_CHILD", OTHER, CHILD), "FAIL"),
        (recognition("CHILD_RECOGNISES_FATHER", CHILD, OTHER), "FAIL"),
        (recognition("FATHER_RECOGNISES_CHILD", OTHER, CHILD, status="REVOKED"), "PASS"),
        (recognition("FATHER_RECOGNISES_CHILD", OTHER, CHILD, birth_event_id=None), "UNKNOWN"),
        (recognition("FATHER_RECOGNISES_CHILD", OTHER, CHILD, birth_event_id="B-0"), "PASS"),
    ],
)
def test_a_recognition_counts_as_the_register_of_births_does(
    row: dict[str, Any], expected: str
) -> None:
    assert state("KINSHIP_NOT_REGISTERED", with_rows(KNOWN, {RECOGNITIONS: [row]})) == expected


def test_a_mother_is_recognised_beside_a_registered_father() -> None:
    of_father = changed(KNOWN, BIRTHS, CHILD, mother_citizen_id=None, father_citizen_id=OTHER)
    given = ParentChildRecognitionInput(PersonNumber(WOMAN), PersonNumber(CHILD))
    found = states(check(CHECK, given, of_father))
    assert found["KINSHIP_NOT_REGISTERED"] == "PASS"
    assert found["NO_PRESUMED_FATHER"] == "PASS"


@pytest.mark.parametrize("sex", [None, "UNDETERMINED"])
def test_without_the_parent_s_sex_it_is_not_known_which_place_is_meant(sex: str | None) -> None:
    unsexed = changed(KNOWN, IDENTITY, MAN, sex=sex)
    assert state("KINSHIP_NOT_REGISTERED", unsexed) == "UNKNOWN"
    assert state("NO_PRESUMED_FATHER", unsexed) == "UNKNOWN"


def test_a_child_whose_birth_is_not_in_the_books_is_not_known() -> None:
    undigitised = {**KNOWN, BIRTHS: [row for row in KNOWN[BIRTHS] if row["citizen_id"] != CHILD]}
    assert state("KINSHIP_NOT_REGISTERED", undigitised) == "UNKNOWN"
    assert papers(check(CHECK, GIVEN, undigitised))["BIRTH_CERTIFICATE"] == "UNDECIDED"


def married(since: str, until: str | None = None, husband: str = OTHER) -> Lists:
    union = marriage(husband, WOMAN, since)
    divorce = {"event_id": "V", "husband_id": husband, "wife_id": WOMAN, "status": "VALID",
               "marriage_event_id": union["event_id"],
               "legal_effect_date": until and date.fromisoformat(until)}  # fmt: skip
    state = "DIVORCED" if until else "MARRIED"
    known = changed(KNOWN, IDENTITY, WOMAN, marital_status=state)
    return with_rows(known, {MARRIAGES: [union], DIVORCES: [divorce] if until else []})


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2022-01-01", None, "FAIL"),
        ("2023-04-05", None, "FAIL"),  # married on the day of the birth
        ("2023-04-06", None, "PASS"),  # and on the day after
        ("2022-01-01", "2022-06-09", "FAIL"),  # 300 days before the birth
        ("2022-01-01", "2022-06-08", "PASS"),  # 301 days before
        ("2022-08-01", "2022-12-01", "FAIL"),  # within the pregnancy
        ("2022", None, "FAIL"),
        ("2023", None, "UNKNOWN"),
    ],
)
def test_a_husband_of_the_mother_is_presumed_the_father(
    since: str, until: str | None, expected: str
) -> None:
    assert state("NO_PRESUMED_FATHER", married(since, until)) == expected


@pytest.mark.parametrize(("lists", "expected"), [(KNOWN, "UNKNOWN"), (married("2015"), "FAIL")])
def test_a_birth_of_which_the_year_is_known_lies_within_a_marriage_or_is_open(
    lists: Lists, expected: str
) -> None:
    year = identity("", "2023")["birth_date"]
    dated = changed(changed(lists, IDENTITY, CHILD, birth_date=year), BIRTHS, CHILD,
                    birth_date=year)  # fmt: skip
    assert state("NO_PRESUMED_FATHER", dated) == expected


def test_the_mother_s_own_husband_may_recognise_the_child() -> None:
    assert state("NO_PRESUMED_FATHER", married("2022-01-01", husband=MAN)) == "PASS"


def test_a_husband_without_a_number_is_not_known_to_be_another() -> None:
    union = {**marriage("0", WOMAN, "2022-01-01"), "husband_citizen_id": None}
    known = changed(KNOWN, IDENTITY, WOMAN, marital_status="MARRIED")
    assert state("NO_PRESUMED_FATHER", with_rows(known, {MARRIAGES: [union]})) == "UNKNOWN"


def test_a_mother_who_may_have_married_on_paper_leaves_it_open() -> None:
    older = changed(changed(KNOWN, IDENTITY, WOMAN, birth_date=identity("", "1985")["birth_date"]),
                    BIRTHS, WOMAN, birth_date=identity("", "1985")["birth_date"])  # fmt: skip
    assert state("NO_PRESUMED_FATHER", older) == "UNKNOWN"


@pytest.mark.parametrize(("rule", "number"), [("PARENT_ALIVE", MAN), ("CHILD_ALIVE", CHILD)])
def test_the_dead_are_recognised_by_a_court(rule: str, number: str) -> None:
    dead = with_rows(KNOWN, {DEATHS: [death(number, "2025-01-01")]})
    conclusion = check(CHECK, GIVEN, dead)
    assert states(conclusion)[rule] == "FAIL"
    assert conclusion.outcome.name == "NOT_MET"
    missing = {DEATHS: UnknownReason.SOURCE_FAILED}
    assert state(rule, KNOWN, missing=missing) == "UNKNOWN"


def test_who_has_lost_capacity_recognises_nobody() -> None:
    noted = with_rows(KNOWN, {NOTES: [declared(MAN, "DECLARED_INCAPACITATED")]})
    assert state("PARENT_NOT_INCAPACITATED", noted) == "FAIL"


@pytest.mark.parametrize(
    ("born", "at", "expected"),
    [
        ("2017-11-24", date(2026, 11, 23), "PASS"),  # nine tomorrow
        ("2017-11-23", date(2026, 11, 23), "NEEDS_PERSON"),
        ("2017-11-22", date(2026, 11, 23), "NEEDS_PERSON"),
        ("2016-02-29", date(2025, 2, 28), "PASS"),
        ("2016-02-29", date(2025, 3, 1), "NEEDS_PERSON"),
        ("2017", date(2026, 11, 23), "UNKNOWN"),
        ("1990-01-01", date(2026, 11, 23), "NEEDS_PERSON"),
    ],
)
def test_a_child_of_nine_is_asked(born: str, at: date, expected: str) -> None:
    aged = changed(changed(KNOWN, IDENTITY, CHILD, birth_date=identity("", born)["birth_date"]),
                   BIRTHS, CHILD, birth_date=identity("", born)["birth_date"])  # fmt: skip
    assert state("CHILD_AGREES", aged, at=at) == expected


@pytest.mark.parametrize(
    ("born", "expected"),
    [("2008-11-24", "NEEDS_PERSON"), ("2008-11-23", "PASS"), ("2008-11-22", "PASS"),
     ("2008", "UNKNOWN")],
)  # fmt: skip
def test_the_other_parent_of_a_minor_consents(born: str, expected: str) -> None:
    aged = changed(changed(KNOWN, IDENTITY, CHILD, birth_date=identity("", born)["birth_date"]),
                   BIRTHS, CHILD, birth_date=identity("", born)["birth_date"])  # fmt: skip
    assert state("OTHER_PARENT_CONSENTS", aged) == expected


def test_a_dead_parent_consents_to_nothing() -> None:
    dead = with_rows(KNOWN, {DEATHS: [death(WOMAN)]})
    assert state("OTHER_PARENT_CONSENTS", dead, WITH_MOTHER) == "PASS"


def test_who_is_no_parent_of_the_child_consents_for_nobody() -> None:
    given = ParentChildRecognitionInput(PersonNumber(MAN), PersonNumber(CHILD), PersonNumber(OTHER))
    assert state("OTHER_PARENT_RECORDED", KNOWN, given) == "FAIL"
    unnumbered = changed(KNOWN, BIRTHS, CHILD, mother_citizen_id=None, mother_name="Bà B")
    assert state("OTHER_PARENT_RECORDED", unnumbered, given) == "UNKNOWN"
    assert state("OTHER_PARENT_RECORDED", KNOWN) == "PASS"


def test_somebody_whom_nobody_knows_is_not_known() -> None:
    conclusion = check(CHECK, GIVEN, KNOWN, unknown_people=frozenset({MAN}))
    found = states(conclusion)
    assert {found[rule] for rule in ("PARENT_IDENTIFIED", "PARENT_ALIVE",
            "PARENT_NOT_INCAPACITATED", "KINSHIP_NOT_REGISTERED")} == {"UNKNOWN"}  # fmt: skip
    assert papers(conclusion)["PARENT_IDENTITY_PAPER"] == "UNDECIDED"


@pytest.mark.parametrize(
    ("at", "amount", "unit"),
    [(date(2016, 1, 1), 3, "WORKING_DAYS"), (date(2027, 2, 28), 3, "WORKING_DAYS"),
     (date(2027, 3, 1), 24, "HOURS")],
)  # fmt: skip
def test_the_law_in_force_on_the_day_decides(at: date, amount: int, unit: str) -> None:
    edition = CHECK.edition(at)
    assert edition is not None
    assert edition.deadline is not None
    assert (edition.deadline.amount, edition.deadline.unit.name) == (amount, unit)
    assert any("2026" in title for title in edition.law) is (unit == "HOURS")
    assert CHECK.edition(date(2015, 12, 31)) is None


def test_nothing_passes_on_what_is_not_known() -> None:
    assert unproved_passes(CHECK, WITH_MOTHER, KNOWN) == {
        # Births say no more here than that somebody is not born yet.
        ("PARENT_ALIVE", BIRTHS),
        ("CHILD_ALIVE", BIRTHS),
        # The book has the date of birth.
        ("CHILD_AGREES", IDENTITY),
    }


@pytest.mark.usefixtures("way")
async def test_a_gateway_answers_as_the_rules_do_and_names_no_kin(tmp_path: Path) -> None:
    given = {"parentChildRecognition": {"parent": MAN, "child": CHILD}}
    async with running(tmp_path, world_of(married("2022-01-01")), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        assert states_in(body) == states(check(CHECK, GIVEN, married("2022-01-01")))
        assert body["data"]["checkProcedure"]["outcome"] == "NOT_MET"
        for number in (WOMAN, OTHER):
            assert number not in str(body)
        (entry,) = gateway.journal()
        roles = [person["role"] for person in entry["persons"]]
        assert roles.count("NAMED") == 2
        assert roles.count("KIN") == 2  # the mother, and her husband's death


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["population", "civil_status"])
async def test_a_database_that_is_down_decides_nothing(tmp_path: Path, name: str) -> None:
    databases = world_of(KNOWN)
    databases.of(name).fault = "down"
    given = {"parentChildRecognition": {"parent": MAN, "child": CHILD, "otherParent": WOMAN}}
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "UNKNOWN"
        assert [silent["name"] for silent in checked["silent"]] == [name]
        assert states_in(body)["KINSHIP_NOT_REGISTERED"] == "UNKNOWN"
        assert states_in(body)["PARENT_ALIVE"] == "UNKNOWN"
