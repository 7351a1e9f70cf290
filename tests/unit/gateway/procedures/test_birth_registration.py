"""P3: whether a birth can be registered, and who is entered as the father.

Covers ``gateway.procedures.checks.paternity``, ``gateway.procedures.checks.evidence_on_day`` and
``gateway.procedures.checks.optional_role``.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.kin import CHILDREN
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.birth_registration import CHECK, BirthRegistrationInput
from tests.support.books import (
    Lists,
    Row,
    birth,
    day,
    death,
    divorce,
    identity,
    marriage,
    note,
    together,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import PERSON, TODAY
from tests.support.people import HOA, LAN
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

MOTHER, HUSBAND, OTHER = PERSON, "001088011111", "001087022222"
CHILD, TWIN = "001226000001", "001226000002"
BORN = date(2026, 11, 1)
MET = {
    "MOTHER_IDENTIFIED": "PASS",
    "FATHER_IDENTIFIED": "PASS",
    "MOTHER_ALIVE_AT_BIRTH": "PASS",
    "BIRTH_NOTIFICATION": "NEEDS_DOCUMENT",
    "CHILD_NOT_REGISTERED": "PASS",
    "PATERNITY": "PASS",
    "REGISTRATION_PERIOD": "PASS",
}


def given(father: str | None = HUSBAND, born: date = BORN, **more: Any) -> BirthRegistrationInput:
    number = None if father is None else PersonNumber(father)
    return BirthRegistrationInput(PersonNumber(MOTHER), born, number, **more)


def registers(*several: Lists, marital: str | None = "MARRIED", **more: Any) -> Lists:
    """Return a mother who could not marry before the books were electronic, and ``several``."""
    known = [identity(MOTHER, "2001-05-05", marital_status=marital, **more)]
    return together(
        {IDENTITY: [*known, identity(HUSBAND), identity(OTHER)]},
        {BIRTHS: [birth(MOTHER, "2001-05-05")]},
        *several,
    )


def couple(**more: Any) -> Lists:
    return {MARRIAGES: [marriage(HUSBAND, MOTHER, "2022-03-01", **more)]}


def registered(born: str | None = "2026-11-01", number: str = CHILD, **more: Any) -> Row:
    row = {**birth(number, born or "2026", mother_citizen_id=MOTHER), **more}
    return row if born else {**row, "birth_date": None}


def state(rule: str, lists: Lists, asked: BirthRegistrationInput | None = None) -> str:
    return states(check(CHECK, asked or given(), lists))[rule]


def test_a_child_of_a_couple_needs_the_notification_of_birth_alone() -> None:
    conclusion = check(CHECK, given(), registers(couple()))
    assert states(conclusion) == MET
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion) == {
        "APPLICATION_FORM": "TO_BRING", "BIRTH_NOTIFICATION": "TO_BRING",
        "MOTHER_IDENTITY_PAPER": "REPLACED", "FATHER_IDENTITY_PAPER": "REPLACED",
        "MARRIAGE_CERTIFICATE": "REPLACED",
    }  # fmt: skip


def test_the_number_of_a_notification_is_compared_with_it() -> None:
    stated = given(birth_notification_no="CS-1")
    assert state("BIRTH_NOTIFICATION", registers(couple()), stated) == "NEEDS_DOCUMENT"


@pytest.mark.parametrize(
    ("days", "expected", "word"),
    [
        (-1, "FAIL", "sau"),
        (0, "PASS", "đúng hạn"),
        (59, "PASS", "đúng hạn"),
        (60, "PASS", "đúng hạn"),
        (61, "PASS", "Quá hạn"),
    ],
)
def test_a_late_registration_is_one_all_the_same(days: int, expected: str, word: str) -> None:
    asked = given(born=TODAY - timedelta(days=days))
    conclusion = check(CHECK, asked, registers(couple()))
    (period,) = (each for each in conclusion.rules if each.rule.code == "REGISTRATION_PERIOD")
    assert period.result.state.name == expected
    assert word in period.result.sentence.vi


def test_the_period_counts_to_the_day_of_the_procedure() -> None:
    conclusion = check(CHECK, given(born=date(2027, 1, 5)), registers(couple()), date(2027, 1, 5))
    assert states(conclusion)["REGISTRATION_PERIOD"] == "PASS"


def test_a_birth_before_1900_is_not_known() -> None:
    rules = states(check(CHECK, given(born=date(1899, 12, 31)), registers(couple())))
    assert rules["REGISTRATION_PERIOD"] == "UNKNOWN"
    assert "PASS" not in (rules["MOTHER_ALIVE_AT_BIRTH"], rules["PATERNITY"])
    first_day = states(check(CHECK, given(born=date.min), registers(couple())))
    assert first_day["REGISTRATION_PERIOD"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("entry", "more", "expected"),
    [
        (registered(), {}, "FAIL"),
        (registered("2026-10-31"), {}, "PASS"),
        (registered("2026-11-02"), {}, "PASS"),
        (registered("2026-11"), {}, "UNKNOWN"),
        (registered(None), {}, "UNKNOWN"),
        (registered(status="AMENDED"), {}, "FAIL"),
        (registered(status="SUPERSEDED"), {}, "FAIL"),
        (registered(status="REVOKED"), {}, "PASS"),
        (registered(status=None), {}, "UNKNOWN"),
        (registered("2026-10-31", status=None), {}, "PASS"),
        (registered(birth_notification_no="CS-1"), {"birth_notification_no": " CS-1 "}, "FAIL"),
        (registered("2026-10-01", birth_notification_no="CS-1"),
         {"birth_notification_no": "CS-1"}, "FAIL"),
        (registered(birth_notification_no="CS-1"), {"birth_notification_no": "CS-2"}, "PASS"),
        (registered(), {"children_at_birth": 2}, "UNKNOWN"),
        (registered(), {"children_at_birth": 1}, "FAIL"),
    ],
)  # fmt: skip
def test_a_birth_is_registered_once(entry: Row, more: dict[str, Any], expected: str) -> None:
    known = registers(couple(), {CHILDREN: [entry]})
    assert state("CHILD_NOT_REGISTERED", known, given(**more)) == expected


def test_the_last_of_two_twins_has_been_registered_too() -> None:
    twins = [registered(), registered(number=TWIN)]
    known = registers(couple(), {CHILDREN: twins})
    assert state("CHILD_NOT_REGISTERED", known, given(children_at_birth=2)) == "FAIL"
    assert state("CHILD_NOT_REGISTERED", known, given(children_at_birth=3)) == "UNKNOWN"


@pytest.mark.parametrize(
    ("mother", "expected"), [(None, "UNKNOWN"), (MOTHER, "FAIL"), (OTHER, "PASS")]
)
def test_an_entry_of_the_father_without_a_mother_may_be_of_the_child(
    mother: str | None, expected: str
) -> None:
    entry = birth(CHILD, "2026-11-01", mother_citizen_id=mother, father_citizen_id=HUSBAND)
    known = registers(couple(), {CHILDREN: [entry]})
    assert state("CHILD_NOT_REGISTERED", known) == expected


def test_whether_a_child_is_registered_shows_no_record() -> None:
    conclusion = check(CHECK, given(), registers(couple(), {CHILDREN: [registered()]}))
    (rule,) = (each for each in conclusion.rules if each.rule.code == "CHILD_NOT_REGISTERED")
    assert (rule.result.basis, rule.result.reason) == ((), None)
    assert CHECK.unprotected == {CHILDREN}


def parted(effect: date) -> Lists:
    return together(couple(), {DIVORCES: [divorce(HUSBAND, MOTHER, effect)]})


def widowed(died: str) -> Lists:
    return together(couple(), {DEATHS: [death(HUSBAND, died)]})


LIMIT = BORN - timedelta(days=300)


@pytest.mark.parametrize(
    ("father", "marital", "books", "expected", "paper"),
    [
        (HUSBAND, "MARRIED", couple(), "PASS", "MARRIAGE_CERTIFICATE"),
        (OTHER, "MARRIED", couple(), "NEEDS_DOCUMENT", "COURT_DECISION"),
        (None, "MARRIED", couple(), "NEEDS_DOCUMENT", "COURT_DECISION"),
        (HUSBAND, "SINGLE", {}, "NEEDS_DOCUMENT", "RECOGNITION_PAPERS"),
        (None, "SINGLE", {}, "PASS", None),
        (HUSBAND, "DIVORCED", parted(LIMIT), "PASS", "MARRIAGE_CERTIFICATE"),
        (None, "DIVORCED", parted(LIMIT), "NEEDS_DOCUMENT", "COURT_DECISION"),
        (None, "DIVORCED", parted(LIMIT - timedelta(days=1)), "PASS", None),
        (OTHER, "DIVORCED", parted(LIMIT - timedelta(days=1)), "NEEDS_DOCUMENT",
         "RECOGNITION_PAPERS"),
        (HUSBAND, "WIDOWED", widowed("2026-09-01"), "PASS", "MARRIAGE_CERTIFICATE"),
        (HUSBAND, "WIDOWED", widowed("2026"), "UNKNOWN", "MARRIAGE_CERTIFICATE"),
        (HUSBAND, "DIVORCED", couple(), "UNKNOWN", "MARRIAGE_CERTIFICATE"),
        (HUSBAND, "MARRIED", {MARRIAGES: [marriage(HUSBAND, MOTHER, "2026-11-02")]},
         "NEEDS_DOCUMENT", "RECOGNITION_PAPERS"),
        (HUSBAND, "MARRIED", {MARRIAGES: [marriage(HUSBAND, MOTHER, "2026-11-01")]}, "PASS",
         "MARRIAGE_CERTIFICATE"),
        (HUSBAND, "MARRIED", couple(husband_citizen_id=None), "UNKNOWN", "MARRIAGE_CERTIFICATE"),
    ],
)  # fmt: skip
def test_the_marriages_of_the_mother_make_the_father(
    father: str | None, marital: str, books: Lists, expected: str, paper: str | None
) -> None:
    conclusion = check(CHECK, given(father), registers(books, marital=marital))
    assert states(conclusion)["PATERNITY"] == expected
    special = {"MARRIAGE_CERTIFICATE", "COURT_DECISION", "RECOGNITION_PAPERS"}
    assert papers(conclusion).keys() & special == ({paper} if paper else set())


def test_two_husbands_within_300_days_leave_the_father_open() -> None:
    again = marriage(OTHER, MOTHER, "2026-06-01", event_id="KH2")
    books = together(parted(date(2026, 5, 1)), {MARRIAGES: [again]})
    conclusion = check(CHECK, given(), registers(books))
    (rule,) = (each for each in conclusion.rules if each.rule.code == "PATERNITY")
    assert rule.result.reason is UnknownReason.CONTRADICTORY


def test_an_annulled_marriage_makes_no_father() -> None:
    annulled = couple(status="REVOKED", end_reason="ANNULMENT", ended_on=day("2023-01-01"))
    conclusion = check(CHECK, given(None), registers(annulled, marital="SINGLE"))
    assert states(conclusion)["PATERNITY"] == "PASS"


def test_the_evidence_is_the_marriage_with_the_father_who_is_stated() -> None:
    for father, marital, names in (
        (HUSBAND, "WIDOWED", {MARRIAGES}), (OTHER, "WIDOWED", set()), (None, "WIDOWED", set())
    ):  # fmt: skip
        known = registers(widowed("2026-09-01"), marital=marital)
        conclusion = check(CHECK, given(father), known)
        (rule,) = (each for each in conclusion.rules if each.rule.code == "PATERNITY")
        assert {basis.facts.name for basis in rule.result.basis} == names


def test_a_mother_who_could_have_married_on_paper_leaves_the_father_open() -> None:
    known = registers(marital="SINGLE")
    known[IDENTITY][0]["birth_date"] = day("1980-05-05")
    known[BIRTHS] = []
    assert state("PATERNITY", known, given(None)) == "UNKNOWN"


@pytest.mark.parametrize(
    ("died", "expected"),
    [("2026-11-02", "PASS"), ("2026-11-01", "PASS"), ("2026-10-31", "FAIL"), ("2026", "UNKNOWN")],
)
def test_the_mother_may_have_died_at_the_birth_but_not_before(died: str, expected: str) -> None:
    gone: dict[str, Any] = {"life_status": "DEAD", "death_or_missing_date": day(died)}
    known = registers(couple(), {DEATHS: [death(MOTHER, died)]}, **gone)
    assert state("MOTHER_ALIVE_AT_BIRTH", known) == expected


def test_a_mother_declared_dead_is_dead_until_that_is_revoked() -> None:
    gone = note(MOTHER, "DECLARED_DEAD")
    assert state("MOTHER_ALIVE_AT_BIRTH", registers(couple(), {NOTES: [gone]})) == "FAIL"
    back = note(MOTHER, "DECLARED_DEAD_REVOKED", date(2026, 1, 1))
    known = registers(couple(), {NOTES: [gone, back]})
    assert state("MOTHER_ALIVE_AT_BIRTH", known) == "PASS"


def test_parents_whom_nobody_knows_are_not_known() -> None:
    for number, rule in ((MOTHER, "MOTHER_IDENTIFIED"), (HUSBAND, "FATHER_IDENTIFIED")):
        unknown = frozenset({number})
        rules = states(check(CHECK, given(), registers(couple()), unknown_people=unknown))
        assert rules[rule] == rules["CHILD_NOT_REGISTERED"] == rules["PATERNITY"] == "UNKNOWN"
    rules = states(check(CHECK, given(None), registers(marital="SINGLE")))
    assert rules["FATHER_IDENTIFIED"] == "PASS"


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more there than that somebody is not born yet.
    expected = {("MOTHER_ALIVE_AT_BIRTH", BIRTHS)}
    assert unproved_passes(CHECK, given(), registers(couple())) == expected
    assert unproved_passes(CHECK, given(None), registers(marital="SINGLE")) == expected


@pytest.mark.parametrize(
    ("at", "law", "unit"),
    [
        (date(2027, 2, 28), "Luật Hộ tịch 60/2014/QH13, Điều 13-16", "DAYS"),
        (date(2027, 3, 1), "Luật Hộ tịch (sửa đổi) năm 2026", "HOURS"),
    ],
)
def test_the_law_of_the_day_decides(at: date, law: str, unit: str) -> None:
    edition = check(CHECK, given(), registers(couple()), at).edition
    assert edition.law[0] == law
    assert edition.deadline is not None
    assert edition.deadline.unit.name == unit


# Through a whole gateway.
CODE = "1.001193"
INPUT = {"birthRegistration": {"mother": LAN, "father": HOA, "birthDate": "2026-11-01"}}
PEOPLE: Rows = {
    "population": {
        "identity": [
            {"citizen_id": LAN, "birth_date": "2001-05-05", "sex": "FEMALE",
             "life_status": "ALIVE", "marital_status": "MARRIED", "status": "CURRENT"},
            {"citizen_id": HOA, "birth_date": "1990-02-03", "sex": "MALE", "life_status": "ALIVE",
             "marital_status": "MARRIED", "status": "CURRENT"},
        ]
    },
}  # fmt: skip
MARRIED: list[dict[str, object]] = [
    {"event_id": "M", "status": "VALID", "husband_citizen_id": HOA, "wife_citizen_id": LAN,
     "effective_from": "2022-03-01"}
]  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def family(*children: dict[str, object]) -> Rows:
    return {**PEOPLE, "civil_status": {"marriages": list(MARRIED), "births": list(children)}}


@pytest.mark.usefixtures("way")
async def test_a_gateway_checks_a_birth(tmp_path: Path) -> None:
    async with running(tmp_path, world(family()), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, INPUT)
        assert states_in(body) == MET
        assert body["data"]["checkProcedure"]["outcome"] == "NEEDS_DOCUMENT"
        assert "errors" not in body


@pytest.mark.usefixtures("way")
async def test_a_birth_that_was_replaced_after_an_adoption_was_registered(tmp_path: Path) -> None:
    adopted: dict[str, object] = {
        "event_id": "B", "status": "SUPERSEDED", "citizen_id": CHILD, "full_name": "Trần An",
        "birth_date": "2026-11-01", "mother_citizen_id": LAN,
    }  # fmt: skip
    async with running(tmp_path, world(family(adopted)), ALL, LIVE) as gateway:
        scopes = ("procedures:check", "civil_status:read", "population:read")
        body = await ask_check(gateway, CODE, INPUT, scopes=scopes)
        assert states_in(body) == {**MET, "CHILD_NOT_REGISTERED": "FAIL"}
        assert CHILD not in str(body)
        assert "An" not in str(body["data"]["checkProcedure"]["rules"])
        (rule,) = (
            rule for rule in body["data"]["checkProcedure"]["rules"]
            if rule["code"] == "CHILD_NOT_REGISTERED"
        )  # fmt: skip
        assert (rule["evidence"], rule["reason"]) == ([], None)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("silent", ["population", "civil_status"])
async def test_a_silent_database_leaves_it_open(tmp_path: Path, silent: str) -> None:
    databases = world(family())
    databases.of(silent).fault = "down"
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, INPUT)
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert states_in(body)["PATERNITY"] == "UNKNOWN"
        assert states_in(body)["CHILD_NOT_REGISTERED"] == "UNKNOWN"
