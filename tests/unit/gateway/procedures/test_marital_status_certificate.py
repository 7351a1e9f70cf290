"""P2: which marital status is certified, for what, and since when.

Covers ``gateway.procedures.checks.residence`` and
``gateway.procedures.checks.civil_status_editions``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.marital_status import CONFIRMATIONS, MaritalState
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.residence import RESIDENCES
from gateway.procedures.marital_status_certificate import (
    CHECK,
    CertificatePurpose,
    MaritalStatusCertificateInput,
    MaritalStatusToCertify,
)
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
from tests.support.people import DEAD, HOA, LAN, NOBODY
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

FIANCEE, SPOUSE = "001195054321", "001191054321"
OTHER = MaritalStatusCertificateInput(PersonNumber(PERSON), CertificatePurpose.OTHER)
WEDDING = MaritalStatusCertificateInput(
    PersonNumber(PERSON), CertificatePurpose.MARRIAGE, PersonNumber(FIANCEE)
)
MET = {
    "APPLICANT_IDENTIFIED": "PASS",
    "APPLICANT_ALIVE": "PASS",
    "INTENDED_SPOUSE_STATED": "PASS",
    "AGE_OF_MARRIAGE": "PASS",
    "APPLICANT_RESIDENT": "PASS",
    "MARITAL_STATUS": "PASS",
}


def home(since: str | None = "2001-05-05", until: str | None = None, **more: Any) -> Row:
    return {"entry_id": f"CT {since}", "citizen_id": PERSON, "kind": "PERMANENT",
            "valid_from": since and date.fromisoformat(since),
            "valid_until": until and date.fromisoformat(until), **more}  # fmt: skip


def registers(
    *several: Lists, born: str = "2001-05-05", marital: str | None = "SINGLE", **more: Any
) -> Lists:
    """Return a man who was too young to marry before the books were electronic, and ``several``."""
    applicant = identity(PERSON, born, sex="MALE", marital_status=marital, **more)
    known = {IDENTITY: [applicant, identity(FIANCEE, sex="FEMALE")]}
    return together(known, {BIRTHS: [birth(PERSON, born)]}, *several)


def at_home(**lists: list[Row]) -> Lists:
    return {RESIDENCES: [home()], **lists}


def state(rule: str, lists: Lists, given: Any = OTHER, at: date = TODAY, **case: Any) -> str:
    return states(check(CHECK, given, lists, at, **case))[rule]


@pytest.mark.parametrize("given", [OTHER, WEDDING])
def test_a_bachelor_is_certified_as_never_married(given: MaritalStatusCertificateInput) -> None:
    conclusion = check(CHECK, given, registers(at_home()))
    assert states(conclusion) == MET
    assert conclusion.outcome.name == "MET"
    certified = MaritalStatusToCertify(MaritalState.NEVER_MARRIED, date(2021, 5, 5), TODAY)
    assert conclusion.results == {"marital_status_certificate": certified}


@pytest.mark.parametrize(
    ("marital", "books", "status"),
    [
        ("MARRIED", {}, "MARRIED"),
        ("DIVORCED", {DIVORCES: [divorce(PERSON, SPOUSE, date(2024, 6, 1))]}, "DIVORCED"),
        ("WIDOWED", {DEATHS: [death(SPOUSE, "2024-06-01")]}, "WIDOWED"),
        ("DIVORCED", {}, None),
    ],
)
def test_each_marriage_and_its_end_make_the_status(
    marital: str, books: Lists, status: str | None
) -> None:
    union = {MARRIAGES: [marriage(PERSON, SPOUSE, "2022-03-01")]}
    known = registers(at_home(), union, books, marital=marital)
    conclusion = check(CHECK, OTHER, known)
    result = conclusion.results["marital_status_certificate"]
    assert result.status is (status and MaritalState[status])
    assert states(conclusion)["MARITAL_STATUS"] == ("PASS" if status else "UNKNOWN")


def test_nobody_gets_a_certificate_for_a_marriage_who_is_married() -> None:
    union = {MARRIAGES: [marriage(PERSON, SPOUSE, "2022-03-01")]}
    known = registers(at_home(), union, marital="MARRIED")
    conclusion = check(CHECK, WEDDING, known)
    assert states(conclusion) == {**MET, "MARITAL_STATUS": "FAIL"}
    assert conclusion.outcome.name == "NOT_MET"
    assert state("MARITAL_STATUS", known) == "PASS"


def test_the_evidence_has_no_record_of_the_spouse() -> None:
    union = {MARRIAGES: [marriage(PERSON, SPOUSE, "2022-03-01")]}
    ended = {DEATHS: [death(SPOUSE, "2024-06-01")]}
    conclusion = check(CHECK, OTHER, registers(at_home(), union, ended, marital="WIDOWED"))
    bases = [basis for rule in conclusion.rules for basis in rule.result.basis]
    assert MARRIAGES in {basis.facts.name for basis in bases}
    assert not any(SPOUSE in basis.row and basis.facts.name == DEATHS for basis in bases)


@pytest.mark.parametrize(
    ("purpose", "spouse", "expected"),
    [
        ("MARRIAGE", FIANCEE, "PASS"),
        ("MARRIAGE", None, "FAIL"),
        ("OTHER", None, "PASS"),
        ("PROPERTY_TRANSACTION", None, "PASS"),
        ("PROPERTY_TRANSACTION", FIANCEE, "FAIL"),
    ],
)
def test_a_certificate_for_a_marriage_alone_names_the_intended_spouse(
    purpose: str, spouse: str | None, expected: str
) -> None:
    number = None if spouse is None else PersonNumber(spouse)
    given = MaritalStatusCertificateInput(PersonNumber(PERSON), CertificatePurpose[purpose], number)
    assert state("INTENDED_SPOUSE_STATED", registers(at_home()), given) == expected


def test_an_intended_spouse_whom_nobody_knows_is_not_known() -> None:
    unknown = frozenset({FIANCEE})
    conclusion = check(CHECK, WEDDING, registers(at_home()), unknown_people=unknown)
    assert states(conclusion)["INTENDED_SPOUSE_STATED"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("sex", "born", "expected"),
    [
        ("MALE", "2006-11-24", "FAIL"),
        ("MALE", "2006-11-23", "PASS"),
        ("MALE", "2006-11-22", "PASS"),
        ("FEMALE", "2008-11-24", "FAIL"),
        ("FEMALE", "2008-11-23", "PASS"),
        ("FEMALE", "2008-11-22", "PASS"),
        ("MALE", "2006", "UNKNOWN"),
        (None, "1990-05-05", "UNKNOWN"),
        ("UNDETERMINED", "1990-05-05", "UNKNOWN"),
    ],
)
def test_men_are_of_age_at_twenty_and_women_at_eighteen(
    sex: str | None, born: str, expected: str
) -> None:
    known = registers(at_home())
    known[IDENTITY][0] |= {"sex": sex, "birth_date": day(born)}
    known[BIRTHS] = []
    assert state("AGE_OF_MARRIAGE", known) == expected


@pytest.mark.parametrize(
    ("at", "expected"), [(date(2027, 2, 28), "FAIL"), (date(2027, 3, 1), "PASS")]
)
def test_who_was_born_on_29_february_is_of_age_on_1_march(at: date, expected: str) -> None:
    known = registers(at_home(), born="2008-02-29")
    known[IDENTITY][0]["birth_date"] = day("2007-03-01")
    known[BIRTHS] = []
    assert state("AGE_OF_MARRIAGE", known, at=at) == expected


@pytest.mark.parametrize(
    ("homes", "expected", "since"),
    [
        ([home("1999-01-01")], "PASS", date(2021, 5, 5)),
        ([home("2022-01-01")], "PASS", date(2022, 1, 1)),
        ([home("2001-05-05", "2022-01-01"), home("2022-01-01")], "PASS", date(2021, 5, 5)),
        ([home("2001-05-05", "2021-12-31"), home("2022-01-01")], "PASS", date(2021, 5, 5)),
        ([home("2001-05-05", "2021-12-30"), home("2022-01-01")], "PASS", date(2022, 1, 1)),
        ([home("2023-01-01", kind="TEMPORARY")], "PASS", date(2023, 1, 1)),
        ([home(None)], "PASS", None),
        ([home(None), home("2023-01-01", kind="TEMPORARY")], "PASS", None),
        ([home("2023-01-01", kind="CURRENT")], "PASS", None),
        ([home("2001-05-05", "2022-01-01")], "NEEDS_DOCUMENT", None),
        ([home("2023-01-01", kind="ABSENT")], "NEEDS_DOCUMENT", None),
        ([], "NEEDS_DOCUMENT", None),
    ],
)
def test_the_period_runs_from_the_age_of_marriage_while_residences_follow_each_other(
    homes: list[Row], expected: str, since: date | None
) -> None:
    conclusion = check(CHECK, OTHER, registers({RESIDENCES: homes}))
    assert states(conclusion)["APPLICANT_RESIDENT"] == expected
    result = conclusion.results["marital_status_certificate"]
    assert (result.period_from, result.period_to) == (since, since and TODAY)


def test_a_birth_of_which_the_day_is_not_known_leaves_the_period_open() -> None:
    known = registers(at_home(), born="2001")
    result = check(CHECK, OTHER, known).results["marital_status_certificate"]
    assert result == MaritalStatusToCertify(MaritalState.NEVER_MARRIED, None, None)


@pytest.mark.parametrize(
    ("books", "life"),
    [
        ({DEATHS: [death(PERSON)]}, "DEAD"),
        ({NOTES: [note(PERSON, "DECLARED_MISSING")]}, "MISSING"),
    ],
)
def test_the_dead_and_the_missing_get_none(books: Lists, life: str) -> None:
    conclusion = check(CHECK, OTHER, registers(at_home(), books, life_status=life))
    assert states(conclusion)["APPLICANT_ALIVE"] == "FAIL"
    assert conclusion.results == {"marital_status_certificate": None}


def test_an_applicant_whom_nobody_knows_is_not_known_in_any_rule() -> None:
    unknown = frozenset({PERSON})
    conclusion = check(CHECK, OTHER, registers(at_home()), unknown_people=unknown)
    rules = states(conclusion)
    assert rules.pop("INTENDED_SPOUSE_STATED") == "PASS"  # it is about the purpose
    assert set(rules.values()) == {"UNKNOWN"}
    assert conclusion.results == {"marital_status_certificate": None}


def test_data_replace_the_papers_and_what_is_not_known_leaves_them_open() -> None:
    known = registers(at_home())
    replaced = {"APPLICATION_FORM": "TO_BRING", "APPLICANT_IDENTITY_PAPER": "REPLACED",
                "RESIDENCE_PAPER": "REPLACED"}  # fmt: skip
    assert papers(check(CHECK, OTHER, known)) == replaced
    silent = {MARRIAGES: UnknownReason.SOURCE_FAILED, RESIDENCES: UnknownReason.STALE}
    assert papers(check(CHECK, OTHER, known, missing=silent)) == {
        **replaced, "RESIDENCE_PAPER": "UNDECIDED", "END_OF_MARRIAGE_PAPER": "UNDECIDED"
    }  # fmt: skip
    nowhere = check(CHECK, OTHER, registers({RESIDENCES: []}))
    assert papers(nowhere)["RESIDENCE_PAPER"] == "TO_BRING"


def test_the_end_of_a_marriage_needs_no_paper_where_the_books_have_it() -> None:
    union = {MARRIAGES: [marriage(PERSON, SPOUSE, "2022-03-01")]}
    ended = {DIVORCES: [divorce(PERSON, SPOUSE, date(2024, 6, 1))]}
    parted = check(CHECK, OTHER, registers(at_home(), union, ended, marital="DIVORCED"))
    assert papers(parted)["END_OF_MARRIAGE_PAPER"] == "REPLACED"
    married = check(CHECK, OTHER, registers(at_home(), union, marital="MARRIED"))
    assert "END_OF_MARRIAGE_PAPER" not in papers(married)


def test_an_earlier_certificate_for_a_marriage_is_handed_in() -> None:
    issued = {"event_id": "XN", "status": "VALID", "citizen_id": PERSON, "purpose": "MARRIAGE",
              "marital_status": "NEVER_MARRIED", "issued_on": date(2026, 1, 5)}  # fmt: skip
    known = registers(at_home(), {CONFIRMATIONS: [issued]})
    assert papers(check(CHECK, WEDDING, known))["EARLIER_CERTIFICATE"] == "TO_BRING"
    assert "EARLIER_CERTIFICATE" not in papers(check(CHECK, OTHER, known))
    assert "EARLIER_CERTIFICATE" not in papers(check(CHECK, WEDDING, registers(at_home())))


@pytest.mark.parametrize(
    ("at", "law", "deadline", "paper"),
    [
        (date(2025, 12, 9), "Luật Hộ tịch 60/2014/QH13, Điều 3", (3, "WORKING_DAYS"), "TO_BRING"),
        (date(2025, 12, 10), "Luật Hộ tịch 60/2014/QH13, Điều 3", (3, "WORKING_DAYS"), "REPLACED"),
        (date(2027, 2, 28), "Luật Hộ tịch 60/2014/QH13, Điều 3", (3, "WORKING_DAYS"), "REPLACED"),
        (date(2027, 3, 1), "Luật Hộ tịch (sửa đổi) năm 2026", (24, "HOURS"), "REPLACED"),
    ],
)
def test_the_law_of_the_day_decides(
    at: date, law: str, deadline: tuple[int, str], paper: str
) -> None:
    conclusion = check(CHECK, OTHER, registers(at_home()), at)
    edition = conclusion.edition
    assert edition.law[0] == law
    assert edition.deadline is not None
    assert (edition.deadline.amount, edition.deadline.unit.name) == deadline
    assert papers(conclusion)["APPLICANT_IDENTITY_PAPER"] == paper


def test_there_was_another_law_before_2016() -> None:
    assert CHECK.edition(date(2015, 12, 31)) is None
    assert CHECK.edition(date(2016, 1, 1)) is CHECK.editions[0]


def test_nothing_passes_on_what_is_not_known() -> None:
    union = {MARRIAGES: [marriage(PERSON, SPOUSE, "2022-03-01")]}
    ended = {DIVORCES: [divorce(PERSON, SPOUSE, date(2024, 6, 1))]}
    parted = registers(at_home(), union, ended, marital="DIVORCED")
    # Births say no more there than that somebody is not born yet.
    expected = {("APPLICANT_ALIVE", BIRTHS)}
    assert unproved_passes(CHECK, WEDDING, registers(at_home())) == expected
    assert unproved_passes(CHECK, OTHER, parted) == expected


# Through a whole gateway.
CODE = "1.004873"
HOMES: list[dict[str, object]] = [
    {"entry_id": "CT", "citizen_id": HOA, "kind": "PERMANENT", "valid_from": "2001-05-05"}
]


def hoa(**more: object) -> Rows:
    """Return Hòa as somebody of 25 years, unmarried unless ``more`` says otherwise."""
    person: dict[str, object] = {
        "citizen_id": HOA, "birth_date": "2001-05-05", "sex": "MALE", "life_status": "ALIVE",
        "marital_status": "SINGLE", "status": "CURRENT", **more,
    }  # fmt: skip
    fiancee: dict[str, object] = {
        "citizen_id": LAN,
        "birth_date": "1991",
        "sex": "FEMALE",
        "life_status": "ALIVE",
    }
    dead: dict[str, object] = {
        "citizen_id": DEAD,
        "birth_date": "1950",
        "sex": "MALE",
        "life_status": "DEAD",
    }
    return {"population": {"identity": [person, fiancee, dead], "residences": list(HOMES)}}


def given(purpose: str = "OTHER", **more: object) -> dict[str, object]:
    return {"maritalStatusCertificate": {"applicant": HOA, "purpose": purpose, **more}}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


RESULT = """query($code: String!, $input: CheckInput!) {
  checkProcedure(code: $code, input: $input) {
    results { maritalStatusCertificate { status periodFrom periodTo } isConsideredUnsanctioned }
  } }"""


@pytest.mark.usefixtures("way")
async def test_a_gateway_says_what_to_certify(tmp_path: Path) -> None:
    async with running(tmp_path, world(hoa()), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given("MARRIAGE", intendedSpouse=LAN))
        assert body["data"]["checkProcedure"]["outcome"] == "MET"
        assert states_in(body) == MET
        token = gateway.token("procedures:check", purposes=[CODE])
        variables = {"code": CODE, "input": given()}
        asked = (await gateway.post(RESULT, variables, token, x_purpose=CODE)).json()
        certified = {
            "status": "NEVER_MARRIED", "periodFrom": "2021-05-05", "periodTo": "2026-11-23"
        }  # fmt: skip
        assert asked["data"]["checkProcedure"]["results"] == {
            "maritalStatusCertificate": certified,
            "isConsideredUnsanctioned": None,  # another procedure says that
        }


@pytest.mark.usefixtures("way")
async def test_a_gateway_knows_the_dead_the_married_and_nobody(tmp_path: Path) -> None:
    married: Rows = {
        **hoa(marital_status="MARRIED"),
        "civil_status": {
            "marriages": [
                {"event_id": "M", "status": "VALID", "husband_citizen_id": HOA,
                 "wife_citizen_id": LAN, "effective_from": "2022-03-01"}
            ]
        },
    }  # fmt: skip
    async with running(tmp_path, world(married), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given("MARRIAGE", intendedSpouse=DEAD))
        assert body["data"]["checkProcedure"]["outcome"] == "NOT_MET"
        assert states_in(body)["MARITAL_STATUS"] == "FAIL"
        assert LAN not in str(body)
        nobody = {"maritalStatusCertificate": {"applicant": NOBODY, "purpose": "OTHER"}}
        body = await ask_check(gateway, CODE, nobody)
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("silent", ["population", "civil_status"])
async def test_a_silent_database_leaves_it_open(tmp_path: Path, silent: str) -> None:
    databases = world(hoa())
    databases.of(silent).fault = "down"
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given())
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert states_in(body)["MARITAL_STATUS"] == "UNKNOWN"
        assert [each["name"] for each in body["data"]["checkProcedure"]["silent"]] == [silent]
