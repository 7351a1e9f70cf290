"""P6: domestic adoption, as a check."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status.family import RelationBeforeAdoption as Relation
from connectors.values import PersonNumber
from gateway.derived.legal_capacity import GUARDIANSHIPS
from gateway.derived.marital_status import CONFIRMATIONS
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.parentage import ADOPTIONS
from gateway.procedures.domestic_adoption import CHECK, DomesticAdoptionInput
from tests.support.check_worlds import (
    birth,
    changed,
    death,
    declared,
    identity,
    marriage,
    with_rows,
    world_of,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import TODAY, Lists
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, answer

CODE = "2.001263"
CHILD, ADOPTER, SPOUSE = "001218000001", "001195000002", "001094000003"
MOTHER, FATHER = "001196000004", "001095000005"
ELDERS = tuple(f"00106{place}000000" for place in range(6))
SINGLE = DomesticAdoptionInput(PersonNumber(CHILD), PersonNumber(ADOPTER))
COUPLE = DomesticAdoptionInput(PersonNumber(CHILD), PersonNumber(ADOPTER), PersonNumber(SPOUSE))


def never_married(number: str) -> dict[str, Any]:
    return {"event_id": f"C-{number}", "citizen_id": number, "status": "VALID",
            "marital_status": "NEVER_MARRIED", "issued_on": date(2026, 11, 1)}  # fmt: skip


#: A child of eight, whose parents' parents are known, and a single woman who was never married.
KNOWN: Lists = {
    IDENTITY: [
        identity(CHILD, "2018-05-06"),
        identity(ADOPTER, "1995-01-01", sex="FEMALE"),
        identity(SPOUSE, "1994-02-02", sex="MALE"),
        identity(MOTHER, "1996-03-03", sex="FEMALE"),
        identity(FATHER, "1995-04-04", sex="MALE"),
    ],
    BIRTHS: [
        birth(CHILD, "2018-05-06", mother=MOTHER, father=FATHER),
        birth(MOTHER, "1996-03-03", mother=ELDERS[0], father=ELDERS[1]),
        birth(FATHER, "1995-04-04", mother=ELDERS[2], father=ELDERS[3]),
        birth(ADOPTER, "1995-01-01", mother=ELDERS[4], father=ELDERS[5]),
        birth(SPOUSE, "1994-02-02"),
    ],
    CONFIRMATIONS: [never_married(ADOPTER)],
}
MARRIED: Lists = changed(
    with_rows(KNOWN, {MARRIAGES: [marriage(SPOUSE, ADOPTER, "2020-01-01")]}),
    IDENTITY, ADOPTER, marital_status="MARRIED",
)  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def state(rule: str, lists: Lists, given: Any = SINGLE, at: date = TODAY, **case: Any) -> str:
    return states(check(CHECK, given, lists, at, **case))[rule]


def by(relation: Relation | None, spouse: str | None = None) -> DomesticAdoptionInput:
    number = None if spouse is None else PersonNumber(spouse)
    return DomesticAdoptionInput(PersonNumber(CHILD), PersonNumber(ADOPTER), number, relation)


def born(lists: Lists, number: str, on: str) -> Lists:
    day = identity("", on)["birth_date"]
    return changed(changed(lists, IDENTITY, number, birth_date=day), BIRTHS, number, birth_date=day)


def adoption(**more: Any) -> dict[str, Any]:
    return {"event_id": "A", "child_id": CHILD, "adopter_father_id": FATHER, "status": "VALID",
            "handover_date": date(2020, 1, 1), **more}  # fmt: skip


def test_a_single_person_may_adopt() -> None:
    conclusion = check(CHECK, SINGLE, KNOWN)
    assert states(conclusion) == {
        "CHILD_IDENTIFIED": "PASS",
        "ADOPTER_IDENTIFIED": "PASS",
        "SPOUSE_IDENTIFIED": "PASS",
        "CHILD_ALIVE": "PASS",
        "ADOPTER_ALIVE": "PASS",
        "SPOUSE_ALIVE": "PASS",
        "CHILD_YOUNG_ENOUGH": "PASS",
        "NOT_ADOPTED": "PASS",
        "SINGLE_OR_COUPLE": "PASS",
        "ADOPTER_FULLY_CAPABLE": "PASS",
        "SPOUSE_FULLY_CAPABLE": "PASS",
        "ADOPTER_OLDER": "PASS",
        "SPOUSE_OLDER": "PASS",
        "RELATION_SHOWN": "PASS",
        "NO_BARRED_KIN": "PASS",
        "ADOPTER_MEANS": "NEEDS_DOCUMENT",
        "CRIMINAL_RECORD": "NEEDS_DOCUMENT",
        "ADOPTERS_REQUEST": "NEEDS_PERSON",
        "PARENTS_CONSENT": "NEEDS_PERSON",
        "CHILD_AGREES": "PASS",
    }
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion) == {
        "APPLICATION": "TO_BRING",
        "CHILD_IDENTITY_PAPER": "REPLACED",
        "ADOPTER_IDENTITY_PAPER": "REPLACED",
        "BIRTH_CERTIFICATE": "REPLACED",
        "MARITAL_STATUS": "REPLACED",
        "CRIMINAL_RECORD": "TO_BRING",
        "ADOPTER_MEANS": "TO_BRING",
        "CHILD_HEALTH": "TO_BRING",
    }


def test_a_couple_may_adopt_together() -> None:
    found = states(check(CHECK, COUPLE, MARRIED))
    assert found["SINGLE_OR_COUPLE"] == "PASS"
    assert found["SPOUSE_FULLY_CAPABLE"] == found["SPOUSE_OLDER"] == "PASS"


@pytest.mark.parametrize(
    ("on", "at", "relation", "expected"),
    [
        ("2010-11-24", date(2026, 11, 23), None, "PASS"),  # sixteen tomorrow
        ("2010-11-23", date(2026, 11, 23), None, "FAIL"),
        ("2010-11-22", date(2026, 11, 23), None, "FAIL"),
        ("2010-11-24", date(2026, 11, 24), None, "FAIL"),
        ("2012-02-29", date(2028, 2, 28), None, "PASS"),
        ("2012-02-29", date(2028, 2, 29), None, "FAIL"),
        ("2008-11-24", date(2026, 11, 23), Relation.STEP, "PASS"),
        ("2008-11-24", date(2026, 11, 23), Relation.AUNT_UNCLE, "PASS"),
        ("2008-11-23", date(2026, 11, 23), Relation.STEP, "FAIL"),
        ("2008-11-24", date(2026, 11, 23), Relation.UNRELATED, "FAIL"),
        ("2010", date(2026, 11, 23), None, "UNKNOWN"),
    ],
)
def test_a_child_is_below_sixteen_or_eighteen(
    on: str, at: date, relation: Relation | None, expected: str
) -> None:
    assert state("CHILD_YOUNG_ENOUGH", born(KNOWN, CHILD, on), by(relation), at) == expected


@pytest.mark.parametrize(
    ("adopter", "child", "expected"),
    [
        ("1998-05-06", "2018-05-06", "PASS"),
        ("1998-05-07", "2018-05-06", "FAIL"),
        ("1998-05-05", "2018-05-06", "PASS"),
        ("1996-02-29", "2016-02-28", "FAIL"),
        ("1996-02-29", "2016-02-29", "PASS"),
        ("1998", "2018-05-06", "UNKNOWN"),
        ("1997", "2018-05-06", "PASS"),
        ("1999", "2018-05-06", "FAIL"),
    ],
)
def test_an_adopter_is_twenty_years_older_or_a_relative(
    adopter: str, child: str, expected: str
) -> None:
    lists = born(born(KNOWN, ADOPTER, adopter), CHILD, child)
    assert state("ADOPTER_OLDER", lists) == expected
    assert state("ADOPTER_OLDER", lists, by(Relation.AUNT_UNCLE)) == "PASS"


def test_a_spouse_who_adopts_is_twenty_years_older_too() -> None:
    young = born(MARRIED, SPOUSE, "1999-01-01")
    assert state("SPOUSE_OLDER", young, COUPLE) == "FAIL"
    step = by(Relation.STEP, SPOUSE)
    assert state("SPOUSE_OLDER", young, step) == "PASS"
    noted = with_rows(MARRIED, {NOTES: [declared(SPOUSE, "DECLARED_INCAPACITATED")]})
    assert state("SPOUSE_FULLY_CAPABLE", noted, COUPLE) == "FAIL"
    assert state("SPOUSE_FULLY_CAPABLE", noted, step) == "PASS"


@pytest.mark.parametrize(
    ("lists", "given", "expected"),
    [
        (KNOWN, SINGLE, "PASS"),
        (KNOWN, COUPLE, "FAIL"),
        (MARRIED, SINGLE, "FAIL"),
        (MARRIED, COUPLE, "PASS"),
        (MARRIED, by(None, MOTHER), "FAIL"),
        ({**KNOWN, CONFIRMATIONS: []}, SINGLE, "UNKNOWN"),
        (changed(MARRIED, IDENTITY, ADOPTER, marital_status="DIVORCED"), COUPLE, "UNKNOWN"),
    ],
)
def test_a_single_person_adopts_or_both_spouses(lists: Lists, given: Any, expected: str) -> None:
    assert state("SINGLE_OR_COUPLE", lists, given) == expected


def test_a_divorced_person_adopts_alone() -> None:
    divorce = {"event_id": "V", "husband_id": SPOUSE, "wife_id": ADOPTER, "status": "VALID",
               "marriage_event_id": f"M-{SPOUSE}-{ADOPTER}",
               "legal_effect_date": date(2024, 1, 1)}  # fmt: skip
    lists = changed(with_rows(MARRIED, {DIVORCES: [divorce]}), IDENTITY, ADOPTER,
                    marital_status="DIVORCED")  # fmt: skip
    assert state("SINGLE_OR_COUPLE", lists) == "PASS"
    assert state("SINGLE_OR_COUPLE", lists, COUPLE) == "FAIL"


def test_a_spouse_without_a_number_in_the_book_is_not_known() -> None:
    unnumbered = {**marriage(SPOUSE, ADOPTER, "2020-01-01"), "husband_citizen_id": None}
    lists = {**MARRIED, MARRIAGES: [unnumbered]}
    assert state("SINGLE_OR_COUPLE", lists, COUPLE) == "UNKNOWN"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "FAIL"),
        ({"adopter_father_id": None, "adopter_mother_id": ADOPTER}, "FAIL"),
        ({"termination_date": date(2026, 11, 23)}, "PASS"),
        ({"termination_date": date(2026, 11, 24)}, "FAIL"),
        ({"status": "REVOKED"}, "PASS"),
        ({"status": None}, "UNKNOWN"),
        ({"child_id": MOTHER, "adopter_father_id": CHILD}, "PASS"),
    ],
)
def test_a_child_is_adopted_once(more: dict[str, Any], expected: str) -> None:
    conclusion = check(CHECK, SINGLE, with_rows(KNOWN, {ADOPTIONS: [adoption(**more)]}))
    assert states(conclusion)["NOT_ADOPTED"] == expected
    (rule,) = (each for each in conclusion.rules if each.rule.code == "NOT_ADOPTED")
    assert rule.result.basis == ()
    assert rule.result.reason is None


def test_adoptions_that_are_not_known_are_not_none() -> None:
    for reason in (UnknownReason.TRUNCATED, UnknownReason.NOT_OPERATING):
        assert state("NOT_ADOPTED", KNOWN, missing={ADOPTIONS: reason}) == "UNKNOWN"


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ({"mother_citizen_id": ELDERS[0]}, "PASS"),  # the mother's half-sister
        ({"father_citizen_id": ELDERS[3]}, "PASS"),  # the father's half-sister
        ({}, "FAIL"),
        ({"mother_citizen_id": None}, "UNKNOWN"),
    ],
)
def test_an_aunt_has_a_parent_in_common_with_a_parent(
    parents: dict[str, Any], expected: str
) -> None:
    lists = changed(KNOWN, BIRTHS, ADOPTER, **parents)
    assert state("RELATION_SHOWN", lists, by(Relation.AUNT_UNCLE)) == expected
    assert state("RELATION_SHOWN", lists) == "PASS"


def test_a_step_parent_is_married_to_a_parent() -> None:
    step = by(Relation.STEP, MOTHER)
    to_mother = changed(
        with_rows(KNOWN, {MARRIAGES: [marriage(ADOPTER, MOTHER, "2022-01-01")]}),
        IDENTITY, ADOPTER, marital_status="MARRIED",
    )  # fmt: skip
    assert state("RELATION_SHOWN", to_mother, step) == "PASS"
    assert state("RELATION_SHOWN", MARRIED, by(Relation.STEP, SPOUSE)) == "FAIL"
    assert state("RELATION_SHOWN", KNOWN, by(Relation.STEP)) == "FAIL"
    unproved = {**KNOWN, CONFIRMATIONS: []}
    assert state("RELATION_SHOWN", unproved, by(Relation.STEP)) == "UNKNOWN"
    motherless = changed(MARRIED, BIRTHS, CHILD, mother_citizen_id=None)
    assert state("RELATION_SHOWN", motherless, by(Relation.STEP, SPOUSE)) == "UNKNOWN"


@pytest.mark.parametrize(
    ("number", "parents", "expected"),
    [
        (MOTHER, {"mother_citizen_id": ADOPTER}, "FAIL"),  # a grandmother
        (FATHER, {"mother_citizen_id": ADOPTER}, "FAIL"),
        (CHILD, {"mother_citizen_id": ADOPTER}, "FAIL"),  # the mother herself
        (ADOPTER, {"father_citizen_id": FATHER}, "FAIL"),  # a half-sister
        (ADOPTER, {"father_citizen_id": None}, "UNKNOWN"),
        (MOTHER, {"mother_citizen_id": None}, "UNKNOWN"),
        (MOTHER, {"mother_citizen_id": None, "mother_name": "Bà C"}, "UNKNOWN"),
        (CHILD, {"father_citizen_id": None}, "UNKNOWN"),
    ],
)
def test_grandparents_and_siblings_do_not_adopt(
    number: str, parents: dict[str, Any], expected: str
) -> None:
    assert state("NO_BARRED_KIN", changed(KNOWN, BIRTHS, number, **parents)) == expected


def test_an_abandoned_child_has_no_kin_by_the_book() -> None:
    abandoned = changed(KNOWN, BIRTHS, CHILD, mother_citizen_id=None, father_citizen_id=None,
                        birth_circumstance="ABANDONED")  # fmt: skip
    assert state("NO_BARRED_KIN", abandoned) == "PASS"
    assert state("RELATION_SHOWN", abandoned, by(Relation.AUNT_UNCLE)) == "FAIL"


def test_an_adopter_has_full_capacity_on_the_day() -> None:
    restricted = with_rows(KNOWN, {NOTES: [declared(ADOPTER, "DECLARED_RESTRICTED")]})
    assert state("ADOPTER_FULLY_CAPABLE", restricted) == "FAIL"
    missing = {GUARDIANSHIPS: UnknownReason.SOURCE_FAILED}
    assert state("ADOPTER_FULLY_CAPABLE", KNOWN, missing=missing) == "UNKNOWN"


def test_relatives_need_not_show_their_means() -> None:
    conclusion = check(CHECK, by(Relation.STEP), KNOWN)
    assert states(conclusion)["ADOPTER_MEANS"] == "PASS"
    assert "ADOPTER_MEANS" not in papers(conclusion)


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2017-11-24", "PASS"), ("2017-11-23", "NEEDS_PERSON"), ("2017-11-22", "NEEDS_PERSON"),
     ("2017", "UNKNOWN")],
)  # fmt: skip
def test_a_child_of_nine_consents(on: str, expected: str) -> None:
    assert state("CHILD_AGREES", born(KNOWN, CHILD, on)) == expected


@pytest.mark.parametrize("role", ["CHILD", "ADOPTER", "SPOUSE"])
def test_everybody_lives_and_is_known(role: str) -> None:
    number = {"CHILD": CHILD, "ADOPTER": ADOPTER, "SPOUSE": SPOUSE}[role]
    dead = with_rows(MARRIED, {DEATHS: [death(number)]})
    assert state(f"{role}_ALIVE", dead, COUPLE) == "FAIL"
    unknown = check(CHECK, COUPLE, MARRIED, unknown_people=frozenset({number}))
    assert states(unknown)[f"{role}_IDENTIFIED"] == "UNKNOWN"
    assert unknown.outcome.name in {"UNKNOWN", "NOT_MET"}


@pytest.mark.parametrize("at", [date(2016, 1, 1), date(2027, 2, 28), date(2027, 3, 1)])
def test_the_law_on_adoption_keeps_its_period(at: date) -> None:
    edition = CHECK.edition(at)
    assert edition is not None
    assert edition.deadline is not None
    assert (edition.deadline.amount, edition.deadline.unit.name) == (30, "DAYS")
    assert any("52/2010" in title for title in edition.law)
    assert any("2026" in title for title in edition.law) is (at == date(2027, 3, 1))


#: A half-sister of the mother.
AUNT = changed(KNOWN, BIRTHS, ADOPTER, mother_citizen_id=ELDERS[0])
#: Births say no more there than that somebody is not born yet; the book has the date of birth.
PROVED_ELSEWHERE = {
    ("CHILD_ALIVE", BIRTHS),
    ("ADOPTER_ALIVE", BIRTHS),
    ("CHILD_YOUNG_ENOUGH", IDENTITY),
    ("CHILD_AGREES", IDENTITY),
    ("ADOPTER_OLDER", IDENTITY),
}


@pytest.mark.parametrize(
    ("given", "lists", "more"),
    [
        (SINGLE, KNOWN, set()),
        # The entry of the marriage proves it.
        (
            COUPLE,
            MARRIED,
            {("SPOUSE_ALIVE", BIRTHS), ("SPOUSE_OLDER", IDENTITY), ("SINGLE_OR_COUPLE", BIRTHS)},
        ),
        # No difference in age is asked of an aunt.
        (by(Relation.AUNT_UNCLE), AUNT, {("ADOPTER_OLDER", BIRTHS)}),
    ],
)
def test_nothing_passes_on_what_is_not_known(
    given: Any, lists: Lists, more: set[tuple[str, str]]
) -> None:
    assert unproved_passes(CHECK, given, lists) == PROVED_ELSEWHERE | more


@pytest.mark.usefixtures("way")
async def test_a_gateway_answers_as_the_rules_do_and_names_no_kin(tmp_path: Path) -> None:
    lists = with_rows(KNOWN, {ADOPTIONS: [adoption()]})
    given = {"domesticAdoption": {"child": CHILD, "adopter": ADOPTER}}
    async with running(tmp_path, world_of(lists), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        assert states_in(body) == states(check(CHECK, SINGLE, lists))
        assert states_in(body)["NOT_ADOPTED"] == "FAIL"
        for number in (MOTHER, FATHER, *ELDERS):
            assert number not in str(body)
        (entry,) = gateway.journal()
        assert [person["role"] for person in entry["persons"]].count("NAMED") == 2


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["population", "civil_status"])
async def test_a_database_that_is_down_decides_nothing(tmp_path: Path, name: str) -> None:
    databases = world_of(MARRIED)
    databases.of(name).fault = "down"
    given = {"domesticAdoption": {"child": CHILD, "adopter": ADOPTER, "spouse": SPOUSE}}
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "UNKNOWN"
        assert [silent["name"] for silent in checked["silent"]] == [name]
        assert states_in(body)["SINGLE_OR_COUPLE"] == "UNKNOWN"
        if name == "civil_status":
            assert states_in(body)["NOT_ADOPTED"] == "UNKNOWN"
