"""P4: whether a death can be registered, and by whom.

Covers ``gateway.procedures.checks.relation``.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.kin import CHILDREN, RECOGNITIONS, REGISTERED_FAMILY
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.death_registration import CHECK, DeathRegistrationInput
from tests.support.books import (
    Lists,
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
from tests.support.people import HOA, LAN, NOBODY
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

DECEASED, REQUESTER, PARENT = PERSON, "001191054321", "001060000001"
DIED = date(2026, 11, 20)
MET = {
    "DECEASED_IDENTIFIED": "PASS",
    "DEATH_NOT_REGISTERED": "PASS",
    "DECEASED_RECORDED_ALIVE": "PASS",
    "DEATH_NOTICE": "NEEDS_DOCUMENT",
    "REQUESTER_IDENTIFIED": "PASS",
    "REQUESTER_ENTITLED": "PASS",
    "REGISTRATION_PERIOD": "PASS",
}
MARRIED: Lists = {MARRIAGES: [marriage(DECEASED, REQUESTER)]}


def given(
    requester: str | None = REQUESTER, died: date = DIED, **more: Any
) -> DeathRegistrationInput:
    number = None if requester is None else PersonNumber(requester)
    return DeathRegistrationInput(PersonNumber(DECEASED), died, number, **more)


def registers(*several: Lists, **more: Any) -> Lists:
    return together({IDENTITY: [identity(DECEASED, **more), identity(REQUESTER)]}, *several)


def state(rule: str, lists: Lists, asked: DeathRegistrationInput | None = None) -> str:
    return states(check(CHECK, asked or given(), lists))[rule]


def test_a_widow_needs_the_notice_of_death_alone() -> None:
    conclusion = check(CHECK, given(), registers(MARRIED))
    assert states(conclusion) == MET
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion) == {
        "APPLICATION_FORM": "TO_BRING", "DEATH_NOTICE": "TO_BRING",
        "REQUESTER_IDENTITY_PAPER": "REPLACED", "RELATION_PAPER": "REPLACED",
    }  # fmt: skip


def test_the_number_of_a_notice_is_compared_with_it() -> None:
    stated = given(death_notice_no="BT-1")
    assert state("DEATH_NOTICE", registers(MARRIED), stated) == "NEEDS_DOCUMENT"


@pytest.mark.parametrize(
    ("days", "expected", "word"),
    [
        (-1, "FAIL", "sau"),
        (0, "PASS", "đúng hạn"),
        (14, "PASS", "đúng hạn"),
        (15, "PASS", "đúng hạn"),
        (16, "PASS", "Quá hạn"),
    ],
)
def test_a_late_registration_is_one_all_the_same(days: int, expected: str, word: str) -> None:
    conclusion = check(CHECK, given(died=TODAY - timedelta(days=days)), registers(MARRIED))
    (period,) = (each for each in conclusion.rules if each.rule.code == "REGISTRATION_PERIOD")
    assert period.result.state.name == expected
    assert word in period.result.sentence.vi


def test_a_death_before_1900_is_not_known() -> None:
    asked = given(died=date(1899, 12, 31))
    assert state("REGISTRATION_PERIOD", registers(MARRIED), asked) == "UNKNOWN"


BY_COURT = {"death_kind": "DECLARED_DEAD_BY_COURT"}


@pytest.mark.parametrize(
    ("books", "registered", "alive"),
    [
        ({DEATHS: [death(DECEASED)]}, "FAIL", "FAIL"),
        ({DEATHS: [death(DECEASED, status="AMENDED")]}, "FAIL", "FAIL"),
        ({DEATHS: [death(DECEASED, status="REVOKED")]}, "PASS", "PASS"),
        ({DEATHS: [death(DECEASED, status=None)]}, "UNKNOWN", "UNKNOWN"),
        ({DEATHS: [death(DECEASED, **BY_COURT)]}, "FAIL", "FAIL"),
        ({DEATHS: [death(DECEASED, **BY_COURT)], NOTES: [note(DECEASED, "DECLARED_DEAD")]},
         "FAIL", "FAIL"),
        ({DEATHS: [death(DECEASED, **BY_COURT)],
          NOTES: [note(DECEASED, "DECLARED_DEAD"),
                  note(DECEASED, "DECLARED_DEAD_REVOKED", date(2026, 3, 1))]}, "PASS", "PASS"),
        ({DEATHS: [death(DECEASED, **BY_COURT)],
          NOTES: [{**note(DECEASED, "DECLARED_DEAD"), "effective_date": None}]},
         "UNKNOWN", "UNKNOWN"),
        ({NOTES: [note(DECEASED, "DECLARED_DEAD")]}, "PASS", "FAIL"),
        ({NOTES: [note(DECEASED, "DECLARED_MISSING")]}, "PASS", "PASS"),
        ({}, "PASS", "PASS"),
    ],
)  # fmt: skip
def test_a_death_is_registered_once_and_of_somebody_who_is_not_dead(
    books: Lists, registered: str, alive: str
) -> None:
    rules = states(check(CHECK, given(), registers(MARRIED, books)))
    assert (rules["DEATH_NOT_REGISTERED"], rules["DECEASED_RECORDED_ALIVE"]) == (registered, alive)


def test_a_death_that_the_population_database_alone_knows_is_contradictory() -> None:
    gone = {"life_status": "DEAD", "death_or_missing_date": day("2026-11-20")}
    conclusion = check(CHECK, given(), registers(MARRIED, **gone))
    (rule,) = (each for each in conclusion.rules if each.rule.code == "DECEASED_RECORDED_ALIVE")
    assert rule.result.reason is UnknownReason.CONTRADICTORY


PARENTS: dict[str, Any] = {"mother_citizen_id": PARENT, "father_citizen_id": None}
RECOGNITION = {"event_id": "NC", "status": "VALID", "recognising_id": REQUESTER,
               "recognised_id": DECEASED, "birth_event_id": f"KS {DECEASED}",
               "recognition_kind": "MOTHER_RECOGNISES_CHILD"}  # fmt: skip


def member(of: str, who: str, relation: str) -> Lists:
    return {REGISTERED_FAMILY: [{"citizen_id": of, "member_id": who, "relation": relation}]}


@pytest.mark.parametrize(
    ("books", "expected"),
    [
        (MARRIED, "PASS"),
        ({MARRIAGES: [marriage(DECEASED, REQUESTER)],
          DIVORCES: [divorce(DECEASED, REQUESTER, date(2024, 1, 1))]}, "NEEDS_DOCUMENT"),
        ({MARRIAGES: [marriage(DECEASED, REQUESTER, status="REVOKED")]}, "NEEDS_DOCUMENT"),
        ({BIRTHS: [birth(DECEASED, mother_citizen_id=REQUESTER)]}, "PASS"),
        ({BIRTHS: [birth(DECEASED, mother_citizen_id=REQUESTER, status="SUPERSEDED")]},
         "NEEDS_DOCUMENT"),
        ({BIRTHS: [birth(REQUESTER, mother_citizen_id=DECEASED)]}, "PASS"),
        ({CHILDREN: [birth(REQUESTER, father_citizen_id=DECEASED)]}, "PASS"),
        ({BIRTHS: [birth(DECEASED, **PARENTS), birth(REQUESTER, **PARENTS)]}, "PASS"),
        ({BIRTHS: [birth(DECEASED), birth(REQUESTER)]}, "NEEDS_DOCUMENT"),
        ({BIRTHS: [birth(DECEASED)], RECOGNITIONS: [RECOGNITION]}, "PASS"),
        (member(DECEASED, REQUESTER, "CHILD"), "PASS"),
        (member(REQUESTER, DECEASED, "MOTHER"), "PASS"),
        (member(DECEASED, REQUESTER, "SPOUSE"), "NEEDS_DOCUMENT"),
        (member(DECEASED, REQUESTER, "REPRESENTED"), "NEEDS_DOCUMENT"),
        ({}, "NEEDS_DOCUMENT"),
    ],
)  # fmt: skip
def test_a_relation_is_shown_by_the_records_of_the_two_or_by_a_document(
    books: Lists, expected: str
) -> None:
    conclusion = check(CHECK, given(), registers(books))
    assert states(conclusion)["REQUESTER_ENTITLED"] == expected
    paper = "REPLACED" if expected == "PASS" else "TO_BRING"
    assert papers(conclusion)["RELATION_PAPER"] == paper


@pytest.mark.parametrize(
    "name", [BIRTHS, CHILDREN, RECOGNITIONS, REGISTERED_FAMILY, MARRIAGES, DIVORCES, NOTES]
)
def test_a_relation_that_a_silent_register_may_show_is_not_known(name: str) -> None:
    books = {BIRTHS: [birth(DECEASED), birth(REQUESTER)]}
    missing = {name: UnknownReason.SOURCE_FAILED}
    conclusion = check(CHECK, given(), registers(books), missing=missing)
    assert states(conclusion)["REQUESTER_ENTITLED"] == "UNKNOWN"
    assert papers(conclusion)["RELATION_PAPER"] == "UNDECIDED"


def test_a_relation_shows_no_record_and_no_reason() -> None:
    conclusion = check(CHECK, given(), registers({BIRTHS: [birth(DECEASED, **PARENTS)]}))
    (rule,) = (each for each in conclusion.rules if each.rule.code == "REQUESTER_ENTITLED")
    assert (rule.result.basis, rule.result.reason) == ((), None)
    assert PARENT not in str(rule.result.sentence)


def test_nobody_who_has_died_registers_a_death() -> None:
    books = {DEATHS: [death(REQUESTER)]}
    assert state("REQUESTER_ENTITLED", registers(MARRIED, books)) == "FAIL"
    missing = {NOTES: [note(REQUESTER, "DECLARED_MISSING")]}
    assert state("REQUESTER_ENTITLED", registers(MARRIED, missing)) == "FAIL"


def test_somebody_has_to_come_where_nobody_is_stated() -> None:
    conclusion = check(CHECK, given(None), registers(MARRIED))
    rules = states(conclusion)
    assert rules == {**MET, "REQUESTER_ENTITLED": "NEEDS_PERSON"}
    assert papers(conclusion) == {"APPLICATION_FORM": "TO_BRING", "DEATH_NOTICE": "TO_BRING"}


def test_people_whom_nobody_knows_are_not_known() -> None:
    deceased = frozenset({DECEASED})
    rules = states(check(CHECK, given(), registers(MARRIED), unknown_people=deceased))
    for code in ("DECEASED_IDENTIFIED", "DEATH_NOT_REGISTERED", "DECEASED_RECORDED_ALIVE",
                 "REQUESTER_ENTITLED"):  # fmt: skip
        assert rules[code] == "UNKNOWN"
    requester = frozenset({REQUESTER})
    rules = states(check(CHECK, given(), registers(MARRIED), unknown_people=requester))
    assert rules["REQUESTER_IDENTIFIED"] == rules["REQUESTER_ENTITLED"] == "UNKNOWN"


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more there than that somebody is not born yet.
    alive = {("DECEASED_RECORDED_ALIVE", BIRTHS)}
    # One record that shows a relation is enough: the marriage needs no birth, nor the other way.
    others = {BIRTHS, CHILDREN, RECOGNITIONS, REGISTERED_FAMILY}
    by_marriage = {("REQUESTER_ENTITLED", name) for name in others}
    assert unproved_passes(CHECK, given(), registers(MARRIED)) == alive | by_marriage
    by_birth = {("REQUESTER_ENTITLED", name) for name in
                {RECOGNITIONS, CHILDREN, REGISTERED_FAMILY, MARRIAGES, DIVORCES}}  # fmt: skip
    children = registers({BIRTHS: [birth(REQUESTER, mother_citizen_id=DECEASED)]})
    assert unproved_passes(CHECK, given(), children) == alive | by_birth
    assert unproved_passes(CHECK, given(None), registers()) == alive


@pytest.mark.parametrize(
    ("at", "law"),
    [
        (date(2027, 2, 28), "Luật Hộ tịch 60/2014/QH13, Điều 32-34"),
        (date(2027, 3, 1), "Luật Hộ tịch (sửa đổi) năm 2026"),
    ],
)
def test_the_law_of_the_day_decides(at: date, law: str) -> None:
    assert check(CHECK, given(), registers(MARRIED), at).edition.law[0] == law


# Through a whole gateway.
CODE = "1.000656"
INPUT = {"deathRegistration": {"deceased": HOA, "requester": LAN, "deathDate": "2026-11-20"}}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def couple() -> Rows:
    wedding: dict[str, object] = {
        "event_id": "M", "status": "VALID", "husband_citizen_id": HOA, "wife_citizen_id": LAN,
        "effective_from": "2022-03-01",
    }  # fmt: skip
    return {"civil_status": {"marriages": [wedding]}}


@pytest.mark.usefixtures("way")
async def test_a_gateway_checks_a_death(tmp_path: Path) -> None:
    async with running(tmp_path, world(couple()), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, INPUT)
        assert states_in(body) == MET
        assert body["data"]["checkProcedure"]["outcome"] == "NEEDS_DOCUMENT"
        stranger = {"deceased": HOA, "requester": NOBODY, "deathDate": "2026-11-20"}
        body = await ask_check(gateway, CODE, {"deathRegistration": stranger})
        assert states_in(body)["REQUESTER_ENTITLED"] == "UNKNOWN"


@pytest.mark.usefixtures("way")
async def test_a_child_by_a_birth_that_was_replaced_shows_no_relation(tmp_path: Path) -> None:
    before: dict[str, object] = {
        "event_id": "B1", "status": "SUPERSEDED", "citizen_id": HOA, "mother_citizen_id": LAN
    }  # fmt: skip
    now: dict[str, object] = {
        "event_id": "B2", "status": "VALID", "citizen_id": HOA, "mother_name": "Phạm Thị Mơ"
    }  # fmt: skip
    rows: Rows = {"civil_status": {"births": [before, now]}}
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        scopes = ("procedures:check", "civil_status:read", "population:read")
        body = await ask_check(gateway, CODE, INPUT, scopes=scopes)
        assert states_in(body)["REQUESTER_ENTITLED"] == "NEEDS_DOCUMENT"
        assert "Mơ" not in str(body)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("silent", ["population", "civil_status"])
async def test_a_silent_database_leaves_it_open(tmp_path: Path, silent: str) -> None:
    databases = world(couple())
    databases.of(silent).fault = "down"
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, INPUT)
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert states_in(body)["DEATH_NOT_REGISTERED"] == "UNKNOWN"
        assert states_in(body)["REQUESTER_ENTITLED"] == "UNKNOWN"
