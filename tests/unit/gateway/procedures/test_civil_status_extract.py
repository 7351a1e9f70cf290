"""P5: of what there is an extract, and who may ask for it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.kin import RECOGNITIONS
from gateway.derived.legal_capacity import GUARDIANSHIPS
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.civil_status_extract import CHECK, CivilStatusExtractInput, ExtractKind
from tests.support.books import (
    Lists,
    Row,
    birth,
    death,
    divorce,
    identity,
    marriage,
    together,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import PERSON, TODAY
from tests.support.people import HOA, LAN
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

CHANGES = "civil_status.changes"
SUBJECT, REQUESTER, SPOUSE = PERSON, "001191054321", "001192054321"
ENTRY = f"KS {SUBJECT}"
ALONE = {
    "REQUESTER_IS_SUBJECT": "PASS",
    "REQUESTER_IS_PARENT": "FAIL",
    "REQUESTER_IS_GUARDIAN": "FAIL",
    "REQUESTER_AUTHORISED": "FAIL",
}
MET = {
    "SUBJECT_IDENTIFIED": "PASS",
    "REQUESTER_IDENTIFIED": "PASS",
    "REQUESTER_ALIVE": "PASS",
    "RECORD_EXISTS": "PASS",
    "LATEST_CONTENT": "PASS",
    **ALONE,
}


def given(kind: str = "BIRTH", requester: str | None = None) -> CivilStatusExtractInput:
    number = None if requester is None else PersonNumber(requester)
    return CivilStatusExtractInput(PersonNumber(SUBJECT), ExtractKind[kind], number)


def registers(*several: Lists, born: str = "1990-05-05", **entry: Any) -> Lists:
    people = [identity(SUBJECT, born), identity(REQUESTER, "1970-01-01")]
    return together({IDENTITY: people, BIRTHS: [birth(SUBJECT, born, **entry)]}, *several)


def state(rule: str, lists: Lists, asked: CivilStatusExtractInput | None = None) -> str:
    return states(check(CHECK, asked or given(), lists))[rule]


def test_everybody_gets_an_extract_of_their_birth() -> None:
    conclusion = check(CHECK, given(), registers())
    assert states(conclusion) == MET
    assert conclusion.outcome.name == "MET"
    assert papers(conclusion) == {
        "APPLICATION_FORM": "TO_BRING", "REQUESTER_IDENTITY_PAPER": "REPLACED"
    }  # fmt: skip


def wardship(guardian: str, **more: Any) -> Row:
    return {"event_id": "GH", "status": "VALID", "ward_id": SUBJECT, "reason": "MINOR",
            "guardian_citizen_id": guardian, "start_date": date(2020, 1, 1), **more}  # fmt: skip


RECOGNITION = {"event_id": "NC", "status": "VALID", "recognising_id": REQUESTER,
               "recognised_id": SUBJECT, "birth_event_id": ENTRY,
               "recognition_kind": "MOTHER_RECOGNISES_CHILD"}  # fmt: skip
CHANGE = {"event_id": "TD", "status": "VALID", "citizen_id": SUBJECT, "target_event_id": ENTRY,
          "registration_date": date(2026, 5, 4)}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "entry"),
    [
        ("BIRTH", BIRTHS, None),
        ("MARRIAGE", MARRIAGES, marriage(SUBJECT, SPOUSE)),
        ("DIVORCE", DIVORCES, divorce(SUBJECT, SPOUSE, date(2024, 6, 1))),
        ("DEATH", DEATHS, death(SUBJECT)),
        ("GUARDIANSHIP", GUARDIANSHIPS, wardship(REQUESTER)),
        ("PARENT_CHILD_RECOGNITION", RECOGNITIONS, RECOGNITION),
        ("CHANGE", CHANGES, {**CHANGE, "target_event_id": "another"}),
    ],
)
def test_each_kind_of_extract_needs_an_entry_of_its_kind(
    kind: str, name: str, entry: Row | None
) -> None:
    known = registers({name: [entry]}) if entry else registers()
    assert state("RECORD_EXISTS", known, given(kind)) == "PASS"
    none = {**known, name: []}
    assert state("RECORD_EXISTS", none, given(kind)) == "FAIL"
    for lists in (known, none):  # "none" is concluded from the complete list alone
        for reason in (UnknownReason.SOURCE_FAILED, UnknownReason.TRUNCATED):
            conclusion = check(CHECK, given(kind), lists, missing={name: reason})
            assert states(conclusion)["RECORD_EXISTS"] == "UNKNOWN"
            assert states(conclusion)["LATEST_CONTENT"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("VALID", "PASS"),
        ("AMENDED", "PASS"),
        ("SUPERSEDED", "FAIL"),
        ("REVOKED", "FAIL"),
        (None, "UNKNOWN"),
    ],
)
def test_an_entry_that_is_not_in_force_is_none(status: str | None, expected: str) -> None:
    rules = states(check(CHECK, given(), registers(status=status)))
    assert (rules["RECORD_EXISTS"], rules["LATEST_CONTENT"]) == (expected, expected)


@pytest.mark.parametrize(
    ("entry", "change", "expected"),
    [
        ({"status": "AMENDED"}, {}, "PASS"),
        ({"status": "AMENDED", "amendments": ("TD",)}, {}, "PASS"),
        ({"status": "AMENDED", "amendments": ("another",),
          "source_updated_at": datetime(2026, 5, 3, tzinfo=UTC)}, {}, "FAIL"),
        ({"source_updated_at": datetime(2026, 5, 3, 3, tzinfo=UTC)}, {}, "FAIL"),
        # 17:00 UTC is midnight in Hanoi.
        ({"source_updated_at": datetime(2026, 5, 3, 16, 59, tzinfo=UTC)}, {}, "FAIL"),
        ({"source_updated_at": datetime(2026, 5, 3, 17, tzinfo=UTC)}, {}, "PASS"),
        ({}, {}, "UNKNOWN"),
        ({"source_updated_at": datetime(2026, 5, 3, tzinfo=UTC)},
         {"registration_date": None}, "UNKNOWN"),
        ({}, {"status": None}, "UNKNOWN"),
        ({}, {"status": "REVOKED"}, "PASS"),
        ({}, {"target_event_id": "another"}, "PASS"),
        ({"source_updated_at": datetime(2026, 5, 3, tzinfo=UTC)},
         {"target_event_id": None}, "UNKNOWN"),
    ],
)  # fmt: skip
def test_the_entry_has_every_change_that_was_registered(
    entry: dict[str, Any], change: dict[str, Any], expected: str
) -> None:
    known = registers({CHANGES: [{**CHANGE, **change}]}, **entry)
    assert state("LATEST_CONTENT", known) == expected


@pytest.mark.parametrize("name", [CHANGES, BIRTHS])
def test_changes_that_are_not_known_leave_the_content_open(name: str) -> None:
    missing = {name: UnknownReason.SOURCE_FAILED}
    conclusion = check(CHECK, given(), registers(), missing=missing)
    assert states(conclusion)["LATEST_CONTENT"] == "UNKNOWN"
    assert conclusion.outcome.name == "UNKNOWN"


def test_the_dead_ask_for_nothing_but_somebody_authorised_may() -> None:
    gone = registers({DEATHS: [death(SUBJECT)]})
    conclusion = check(CHECK, given("DEATH"), gone)
    assert states(conclusion)["REQUESTER_ALIVE"] == "FAIL"
    asked = check(CHECK, given("DEATH", REQUESTER), gone)
    assert states(asked)["REQUESTER_ALIVE"] == "PASS"
    assert asked.outcome.name == "NEEDS_DOCUMENT"
    assert papers(asked)["AUTHORISATION"] == "TO_BRING"


def test_no_requester_has_died() -> None:
    known = registers({DEATHS: [death(REQUESTER)]})
    conclusion = check(CHECK, given("BIRTH", REQUESTER), known)
    assert states(conclusion)["REQUESTER_ALIVE"] == "FAIL"


@pytest.mark.parametrize(
    ("born", "entry", "expected"),
    [
        ("2008-11-24", {"mother_citizen_id": REQUESTER}, "PASS"),
        ("2008-11-23", {"mother_citizen_id": REQUESTER}, "FAIL"),
        ("2008-11-22", {"mother_citizen_id": REQUESTER}, "FAIL"),
        ("2008", {"mother_citizen_id": REQUESTER}, "UNKNOWN"),
        ("2015-01-01", {"father_citizen_id": REQUESTER}, "PASS"),
        ("2015-01-01", {"mother_citizen_id": SPOUSE}, "FAIL"),
        ("2015-01-01", {"mother_citizen_id": REQUESTER, "status": "SUPERSEDED"}, "NEEDS_DOCUMENT"),
    ],
)
def test_a_parent_asks_for_a_minor_child(born: str, entry: dict[str, Any], expected: str) -> None:
    known = registers(born=born, **entry)
    assert state("REQUESTER_IS_PARENT", known, given("BIRTH", REQUESTER)) == expected


def test_a_parent_who_recognised_the_child_is_one() -> None:
    known = registers({RECOGNITIONS: [RECOGNITION]}, born="2015-01-01")
    conclusion = check(CHECK, given("BIRTH", REQUESTER), known)
    assert states(conclusion)["REQUESTER_IS_PARENT"] == "PASS"
    assert conclusion.outcome.name == "MET"
    assert papers(conclusion)["REPRESENTATION_PAPER"] == "REPLACED"
    assert "AUTHORISATION" not in papers(conclusion)


def test_the_day_of_the_procedure_decides_who_is_a_minor() -> None:
    known = registers(born="2008-11-24", mother_citizen_id=REQUESTER)
    asked = given("BIRTH", REQUESTER)
    assert states(check(CHECK, asked, known, TODAY))["REQUESTER_IS_PARENT"] == "PASS"
    next_day = date(2026, 11, 24)
    assert states(check(CHECK, asked, known, next_day))["REQUESTER_IS_PARENT"] == "FAIL"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (wardship(REQUESTER), "PASS"),
        (wardship(SPOUSE), "FAIL"),
        (wardship(REQUESTER, end_date=date(2026, 1, 1)), "FAIL"),
        (wardship(REQUESTER, status="REVOKED"), "FAIL"),
        (wardship(REQUESTER, start_date=None), "UNKNOWN"),
        (wardship(REQUESTER, ward_id=SPOUSE, supervisor_id=SUBJECT), "FAIL"),
    ],
)
def test_a_guardian_asks_for_the_ward(entry: Row, expected: str) -> None:
    known = registers({GUARDIANSHIPS: [entry]})
    assert state("REQUESTER_IS_GUARDIAN", known, given("BIRTH", REQUESTER)) == expected


def test_who_else_asks_shows_an_authorisation() -> None:
    conclusion = check(CHECK, given("BIRTH", REQUESTER), registers(mother_citizen_id=SPOUSE))
    rules = states(conclusion)
    assert rules == {
        **MET,
        "REQUESTER_IS_SUBJECT": "FAIL",
        "REQUESTER_AUTHORISED": "NEEDS_DOCUMENT",
    }
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion)["AUTHORISATION"] == "TO_BRING"
    assert "REPRESENTATION_PAPER" not in papers(conclusion)


@pytest.mark.parametrize("name", [BIRTHS, RECOGNITIONS, GUARDIANSHIPS])
def test_a_representation_that_a_silent_register_may_show_is_not_known(name: str) -> None:
    missing = {name: UnknownReason.SOURCE_FAILED}
    known = registers(born="2015-01-01")
    conclusion = check(CHECK, given("MARRIAGE", REQUESTER), known, missing=missing)
    (group,) = conclusion.groups
    assert group.state.name == "UNKNOWN"
    assert papers(conclusion)["REPRESENTATION_PAPER"] == "UNDECIDED"


def test_rules_about_relatives_show_no_record_and_no_reason() -> None:
    known = registers({GUARDIANSHIPS: [wardship(SPOUSE)]}, mother_citizen_id=SPOUSE)
    conclusion = check(CHECK, given("BIRTH", REQUESTER), known)
    for each in conclusion.rules:
        if each.rule.code in {"REQUESTER_IS_PARENT", "REQUESTER_IS_GUARDIAN"}:
            assert (each.result.basis, each.result.reason) == ((), None)


def test_people_whom_nobody_knows_are_not_known() -> None:
    for number in (SUBJECT, REQUESTER):
        unknown = frozenset({number})
        conclusion = check(CHECK, given("BIRTH", REQUESTER), registers(), unknown_people=unknown)
        assert conclusion.outcome.name == "UNKNOWN"
    unknown = frozenset({SUBJECT})
    rules = states(check(CHECK, given(), registers(), unknown_people=unknown))
    for code in ("SUBJECT_IDENTIFIED", "REQUESTER_ALIVE", "RECORD_EXISTS", "LATEST_CONTENT"):
        assert rules[code] == "UNKNOWN"


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more there than that somebody is not born yet.
    alive = {("REQUESTER_ALIVE", BIRTHS)}
    assert unproved_passes(CHECK, given(), registers()) == alive
    child = registers(born="2015-01-01", mother_citizen_id=REQUESTER)
    by_parent = {("REQUESTER_IS_PARENT", IDENTITY)}  # the birth has the date too
    assert unproved_passes(CHECK, given("BIRTH", REQUESTER), child) == alive | by_parent
    ward = registers({GUARDIANSHIPS: [wardship(REQUESTER)]})
    assert unproved_passes(CHECK, given("BIRTH", REQUESTER), ward) == alive


@pytest.mark.parametrize(
    ("at", "law"),
    [
        (date(2027, 2, 28), "Luật Hộ tịch 60/2014/QH13, Điều 63-64"),
        (date(2027, 3, 1), "Luật Hộ tịch (sửa đổi) năm 2026"),
    ],
)
def test_the_law_of_the_day_decides(at: date, law: str) -> None:
    assert check(CHECK, given(), registers(), at).edition.law[0] == law


# Through a whole gateway.
CODE = "2.000635"


def asked(kind: str = "MARRIAGE", **more: object) -> dict[str, object]:
    return {"civilStatusExtract": {"subject": HOA, "kind": kind, **more}}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def books() -> Rows:
    wedding: dict[str, object] = {
        "event_id": "M", "status": "VALID", "husband_citizen_id": HOA, "wife_citizen_id": LAN,
        "effective_from": "2022-03-01",
    }  # fmt: skip
    return {"civil_status": {"marriages": [wedding]}}


@pytest.mark.usefixtures("way")
async def test_a_gateway_checks_an_extract(tmp_path: Path) -> None:
    async with running(tmp_path, world(books()), ALL, LIVE) as gateway:
        scopes = ("procedures:check", "civil_status:read", "population:read")
        body = await ask_check(gateway, CODE, asked(), scopes=scopes)
        assert states_in(body) == MET
        assert body["data"]["checkProcedure"]["outcome"] == "MET"
        (rule,) = (
            rule
            for rule in body["data"]["checkProcedure"]["rules"]
            if rule["code"] == "RECORD_EXISTS"
        )
        assert [basis["record"] for basis in rule["evidence"]] == ["marriages"]
        none = await ask_check(gateway, CODE, asked("DIVORCE"))
        assert none["data"]["checkProcedure"]["outcome"] == "NOT_MET"
        other = await ask_check(gateway, CODE, asked(requester=LAN))
        # He is of age: nobody acts for him as a parent.
        assert states_in(other)["REQUESTER_IS_PARENT"] == "FAIL"
        assert other["data"]["checkProcedure"]["outcome"] == "NEEDS_DOCUMENT"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("silent", ["population", "civil_status"])
async def test_a_silent_database_leaves_it_open(tmp_path: Path, silent: str) -> None:
    databases = world(books())
    databases.of(silent).fault = "down"
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, asked())
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert states_in(body)["RECORD_EXISTS"] == "UNKNOWN"
