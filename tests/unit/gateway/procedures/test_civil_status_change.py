"""P6: change, correction and supplement of civil status, as a check."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status.notes import CivilStatusChangeKind as Kind
from connectors.values import PersonNumber
from gateway.derived.marriages import MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.civil_status_change import CHECK, ChangedEntry, CivilStatusChangeInput
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
from tests.support.checks import (
    ask_check,
    case_of,
    check,
    papers,
    states,
    states_in,
    unproved_passes,
)
from tests.support.evidence import TODAY, Lists
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, answer

CODE = "1.004859"
SUBJECT, SPOUSE = "001090000001", "001190000002"
KNOWN = changed(
    people(identity(SUBJECT, "1990-05-06")), BIRTHS, SUBJECT,
    mother_ethnicity="Tày", father_ethnicity="Kinh",
)  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def of(kind: Kind = Kind.CORRECTION, entry: ChangedEntry | None = None) -> CivilStatusChangeInput:
    return CivilStatusChangeInput(PersonNumber(SUBJECT), kind, entry)


def state(rule: str, lists: Lists, given: Any = None, at: date = TODAY, **case: Any) -> str:
    return states(check(CHECK, given or of(), lists, at, **case))[rule]


def born(on: str) -> Lists:
    day = identity("", on)["birth_date"]
    aged = changed(KNOWN, IDENTITY, SUBJECT, birth_date=day)
    return changed(aged, BIRTHS, SUBJECT, birth_date=day)


def body_on(at: date, lists: Lists, kind: Kind) -> str:
    edition = CHECK.edition(at)
    assert edition is not None
    case, _ = case_of(CHECK, of(kind), lists, at)
    return edition.body_for(case).en


def test_an_adult_corrects_the_birth() -> None:
    conclusion = check(CHECK, of(), KNOWN)
    assert states(conclusion) == {
        "SUBJECT_IDENTIFIED": "PASS",
        "SUBJECT_ALIVE": "PASS",
        "KIND_FITS_ENTRY": "PASS",
        "RECORD_EXISTS": "PASS",
        "GROUNDS": "NEEDS_DOCUMENT",
        "ETHNICITY_OF_PARENT": "PASS",
        "SUBJECT_AGREES": "NEEDS_PERSON",
        "REPRESENTATIVE_CONSENTS": "PASS",
    }
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion)["CIVIL_STATUS_PAPER"] == "REPLACED"
    assert papers(conclusion)["GROUNDS"] == "TO_BRING"


@pytest.mark.parametrize(
    ("rows", "expected", "paper"),
    [
        ([{"status": "AMENDED"}], "PASS", "REPLACED"),
        ([{"status": "REVOKED"}], "FAIL", "REPLACED"),
        ([{"status": None}], "UNKNOWN", "UNDECIDED"),
        ([{"status": "REVOKED"}, {"status": "VALID"}], "PASS", "REPLACED"),
        ([], "NEEDS_DOCUMENT", "TO_BRING"),
    ],
)
def test_the_entry_has_to_be_in_the_book_or_to_be_shown(
    rows: list[dict[str, Any]], expected: str, paper: str
) -> None:
    (birth,) = KNOWN[BIRTHS]
    lists: Lists = {**KNOWN, BIRTHS: [{**birth, **row} for row in rows]}
    conclusion = check(CHECK, of(), lists)
    assert states(conclusion)["RECORD_EXISTS"] == expected
    assert papers(conclusion)["CIVIL_STATUS_PAPER"] == paper


@pytest.mark.parametrize(
    ("entry", "rows"),
    [
        (ChangedEntry.MARRIAGE, {MARRIAGES: [marriage(SUBJECT, SPOUSE, "2015-01-01")]}),
        (ChangedEntry.DEATH, {DEATHS: [death(SUBJECT)]}),
    ],
)
def test_other_entries_are_corrected_but_not_changed(
    entry: ChangedEntry, rows: dict[str, list[dict[str, Any]]]
) -> None:
    assert state("RECORD_EXISTS", with_rows(KNOWN, rows), of(entry=entry)) == "PASS"
    assert state("RECORD_EXISTS", KNOWN, of(entry=entry)) == "NEEDS_DOCUMENT"
    fits = {kind.name: state("KIND_FITS_ENTRY", KNOWN, of(kind, entry)) for kind in Kind}
    assert fits == {"CHANGE": "FAIL", "CORRECTION": "PASS", "SUPPLEMENT": "PASS",
                    "ETHNICITY_REDETERMINATION": "FAIL"}  # fmt: skip
    assert {state("KIND_FITS_ENTRY", KNOWN, of(kind)) for kind in Kind} == {"PASS"}


def test_the_dead_change_nothing_but_the_entry_of_their_death() -> None:
    dead = with_rows(KNOWN, {DEATHS: [death(SUBJECT)]})
    assert state("SUBJECT_ALIVE", dead) == "FAIL"
    found = states(check(CHECK, of(entry=ChangedEntry.DEATH), dead))
    assert found["SUBJECT_ALIVE"] == found["SUBJECT_AGREES"] == "PASS"
    assert found["REPRESENTATIVE_CONSENTS"] == "NEEDS_PERSON"


@pytest.mark.parametrize(
    ("mother", "father", "expected"),
    [
        ("Tày", "Kinh", "PASS"),
        ("Kinh", " kinh", "NEEDS_DOCUMENT"),
        (None, "Kinh", "UNKNOWN"),
        ("Tày", None, "UNKNOWN"),
    ],
)
def test_an_ethnicity_is_redetermined_between_two_groups(
    mother: str | None, father: str | None, expected: str
) -> None:
    lists = changed(KNOWN, BIRTHS, SUBJECT, mother_ethnicity=mother, father_ethnicity=father)
    given = of(Kind.ETHNICITY_REDETERMINATION)
    assert state("ETHNICITY_OF_PARENT", lists, given) == expected
    assert state("ETHNICITY_OF_PARENT", lists, of(Kind.CHANGE)) == "PASS"
    conclusion = check(CHECK, given, lists)
    (rule,) = (each for each in conclusion.rules if each.rule.code == "ETHNICITY_OF_PARENT")
    assert rule.result.basis == ()
    assert rule.result.reason is None


def test_an_ethnicity_is_not_known_without_the_birth() -> None:
    given = of(Kind.ETHNICITY_REDETERMINATION)
    assert state("ETHNICITY_OF_PARENT", {**KNOWN, BIRTHS: []}, given) == "UNKNOWN"
    missing = {BIRTHS: UnknownReason.STALE}
    assert state("ETHNICITY_OF_PARENT", KNOWN, given, missing=missing) == "UNKNOWN"


@pytest.mark.parametrize(
    ("on", "at", "expected"),
    [
        ("2017-11-24", date(2026, 11, 23), "PASS"),
        ("2017-11-23", date(2026, 11, 23), "NEEDS_PERSON"),
        ("2017-11-22", date(2026, 11, 23), "NEEDS_PERSON"),
        ("2016-02-29", date(2025, 2, 28), "PASS"),
        ("2016-02-29", date(2025, 3, 1), "NEEDS_PERSON"),
        ("2017", date(2026, 11, 23), "UNKNOWN"),
    ],
)
def test_a_child_of_nine_agrees(on: str, at: date, expected: str) -> None:
    assert state("SUBJECT_AGREES", born(on), at=at) == expected


@pytest.mark.parametrize(
    ("on", "at", "expected"),
    [
        ("2008-11-24", date(2026, 11, 23), "NEEDS_PERSON"),
        ("2008-11-24", date(2026, 11, 24), "PASS"),
        ("2008-11-23", date(2026, 11, 23), "PASS"),
        ("2008", date(2026, 11, 23), "UNKNOWN"),
    ],
)
def test_parents_consent_for_a_minor(on: str, at: date, expected: str) -> None:
    assert state("REPRESENTATIVE_CONSENTS", born(on), at=at) == expected


def test_a_guardian_consents_for_who_has_lost_capacity() -> None:
    noted = with_rows(KNOWN, {NOTES: [declared(SUBJECT, "DECLARED_INCAPACITATED")]})
    assert state("REPRESENTATIVE_CONSENTS", noted) == "NEEDS_PERSON"
    missing = {NOTES: UnknownReason.SOURCE_FAILED}
    assert state("REPRESENTATIVE_CONSENTS", KNOWN, missing=missing) == "UNKNOWN"


@pytest.mark.parametrize(
    ("on", "at", "kind", "words"),
    [
        ("2011-06-30", date(2025, 6, 30), Kind.CORRECTION, "of the district"),
        ("2011-07-01", date(2025, 6, 30), Kind.CORRECTION, "commune People"),
        ("2011-06-29", date(2025, 6, 30), Kind.CHANGE, "of the district"),
        ("2011", date(2025, 6, 30), Kind.CHANGE, "(for those below fourteen"),
        ("1990-01-01", date(2025, 6, 30), Kind.SUPPLEMENT, "commune People"),
        ("2020-01-01", date(2025, 6, 30), Kind.ETHNICITY_REDETERMINATION, "of the district"),
        ("1990-01-01", date(2025, 7, 1), Kind.CORRECTION, "commune People"),
        ("1990-01-01", date(2027, 3, 1), Kind.ETHNICITY_REDETERMINATION, "commune People"),
    ],
)
def test_the_competent_body_goes_by_age_and_kind_until_districts_were_abolished(
    on: str, at: date, kind: Kind, words: str
) -> None:
    assert words in body_on(at, born(on), kind)


@pytest.mark.parametrize(
    ("at", "amount"), [(date(2025, 12, 10), 3), (date(2027, 2, 28), 3), (date(2027, 3, 1), 24)]
)
def test_the_law_of_the_day_decides(at: date, amount: int) -> None:
    edition = CHECK.edition(at)
    assert edition is not None
    assert edition.deadline is not None
    assert edition.deadline.amount == amount


def test_papers_were_brought_before_data_replaced_them() -> None:
    at = date(2025, 12, 9)
    assert papers(check(CHECK, of(), KNOWN, at))["CIVIL_STATUS_PAPER"] == "TO_BRING"


def test_somebody_whom_nobody_knows_is_not_known() -> None:
    conclusion = check(CHECK, of(), KNOWN, unknown_people=frozenset({SUBJECT}))
    found = states(conclusion)
    assert {found[rule] for rule in ("SUBJECT_IDENTIFIED", "SUBJECT_ALIVE",
            "REPRESENTATIVE_CONSENTS")} == {"UNKNOWN"}  # fmt: skip


@pytest.mark.parametrize("kind", [Kind.CORRECTION, Kind.ETHNICITY_REDETERMINATION])
def test_nothing_passes_on_what_is_not_known(kind: Kind) -> None:
    not_asked = {("ETHNICITY_OF_PARENT", BIRTHS)} if kind is Kind.CORRECTION else set()
    assert unproved_passes(CHECK, of(kind), KNOWN) == not_asked | {
        # The entry itself proves that it is there.
        ("RECORD_EXISTS", BIRTHS),
        ("RECORD_EXISTS", MARRIAGES),
        ("RECORD_EXISTS", DEATHS),
        # Births say no more here than that somebody is not born yet.
        ("SUBJECT_ALIVE", BIRTHS),
    }


@pytest.mark.usefixtures("way")
async def test_a_gateway_answers_as_the_rules_do(tmp_path: Path) -> None:
    given = {"civilStatusChange": {"subject": SUBJECT, "kind": "ETHNICITY_REDETERMINATION"}}
    async with running(tmp_path, world_of(KNOWN), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        expected = states(check(CHECK, of(Kind.ETHNICITY_REDETERMINATION), KNOWN))
        assert states_in(body) == expected
        earlier = await ask_check(gateway, CODE, given, date(2025, 6, 30))
        competent = earlier["data"]["checkProcedure"]["competentBody"]
        assert "district" in competent["en"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["population", "civil_status"])
async def test_a_database_that_is_down_decides_nothing(tmp_path: Path, name: str) -> None:
    databases = world_of(KNOWN)
    databases.of(name).fault = "down"
    given = {"civilStatusChange": {"subject": SUBJECT, "kind": "CHANGE", "entry": "BIRTH"}}
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "UNKNOWN"
        assert [silent["name"] for silent in checked["silent"]] == [name]
        assert states_in(body)["SUBJECT_ALIVE"] == "UNKNOWN"
