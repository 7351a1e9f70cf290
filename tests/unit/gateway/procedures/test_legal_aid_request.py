"""P7: request for legal aid, as a check.

Covers ``gateway.settings.procedures``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PersonNumber
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.residence import RESIDENCES
from gateway.procedures.legal_aid_request import (
    CASES,
    CHECK,
    ENTITLEMENTS,
    LegalAidRequestInput,
    LegalMatter,
)
from gateway.settings import load
from tests.support.check_worlds import changed, death, identity, people, with_rows, world_of
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import TODAY, Lists
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, answer

CODE = "2.000829"
APPLICANT = "001090000001"
CATEGORIES = ("MERITORIOUS", "POOR_HOUSEHOLD", "DISABLED", "HIV", "TRAFFICKING_VICTIM")
#: An adult of the Kinh in Hà Nội.
KNOWN: Lists = {
    **people(identity(APPLICANT, "1990-05-06", ethnicity="Kinh")),
    RESIDENCES: [
        {"entry_id": "R", "citizen_id": APPLICANT, "kind": "PERMANENT",
         "address_commune_code": "00070", "address_province_code": "01",
         "valid_from": date(2015, 1, 1)}
    ],
}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def of(matter: LegalMatter = LegalMatter.CIVIL, **more: Any) -> LegalAidRequestInput:
    return LegalAidRequestInput(PersonNumber(APPLICANT), matter, more.pop("province", "01"), **more)


def state(rule: str, lists: Lists, given: Any = None, at: date = TODAY, **case: Any) -> str:
    return states(check(CHECK, given or of(), lists, at, **case))[rule]


def group(code: str, lists: Lists, given: Any = None, at: date = TODAY, **case: Any) -> str:
    conclusion = check(CHECK, given or of(), lists, at, **case)
    return {each.group.code: each.state.name for each in conclusion.groups}[code]


def born(on: str, lists: Lists = KNOWN) -> Lists:
    day = identity("", on)["birth_date"]
    aged = changed(lists, IDENTITY, APPLICANT, birth_date=day)
    return changed(aged, BIRTHS, APPLICANT, birth_date=day)


def entitled(category: str | None, **more: Any) -> Lists:
    row = {"entry_id": "E", "citizen_id": APPLICANT, "category": category,
           "valid_from": date(2025, 1, 1), **more}  # fmt: skip
    return with_rows(KNOWN, {ENTITLEMENTS: [row]})


def assisted(**more: Any) -> Lists:
    row = {"case_no": "V", "beneficiary_id": APPLICANT, "status": "IN_PROGRESS",
           "acceptance_status": "ACCEPTED", "field_of_law": "CIVIL", "court_case_no": "12/2026",
           **more}  # fmt: skip
    return with_rows(KNOWN, {CASES: [row]})


def test_an_adult_shows_a_category_by_a_document() -> None:
    conclusion = check(CHECK, of(), KNOWN)
    assert states(conclusion) == {
        "APPLICANT_IDENTIFIED": "PASS",
        "APPLICANT_ALIVE": "PASS",
        "FIELD_COVERED": "PASS",
        "CHILD": "FAIL",
        "ELDERLY_AGE": "FAIL",
        "ELDERLY_HARDSHIP": "NEEDS_DOCUMENT",
        "VICTIM_AGE": "FAIL",
        "VICTIM_STATUS": "NEEDS_DOCUMENT",
        "ACCUSED_AGE": "FAIL",
        "ACCUSED_STATUS": "NEEDS_DOCUMENT",
        "ETHNIC_MINORITY": "FAIL",
        "SPECIAL_AREA": "NEEDS_DOCUMENT",
        "RECORDED_ENTITLEMENT": "FAIL",
        "OTHER_CATEGORY": "NEEDS_DOCUMENT",
        "RESIDES_IN_PROVINCE": "PASS",
        "CASE_IN_PROVINCE": "FAIL",
        "NO_OTHER_PROVIDER": "PASS",
    }
    assert {each.group.code: each.state.name for each in conclusion.groups} == {
        "ELDERLY": "FAIL",
        "VICTIM_16_18": "FAIL",
        "ACCUSED_16_18": "FAIL",
        "ETHNIC_MINORITY_SPECIAL_AREA": "FAIL",
        "BENEFICIARY": "NEEDS_DOCUMENT",
        "PLACE": "PASS",
    }
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion) == {
        "REQUEST": "TO_BRING",
        "APPLICANT_IDENTITY_PAPER": "REPLACED",
        "CATEGORY": "TO_BRING",
        "CASE_DOCUMENTS": "TO_BRING",
    }


def test_a_child_is_entitled_by_age_alone() -> None:
    conclusion = check(CHECK, of(), born("2015-01-01"))
    assert conclusion.outcome.name == "MET"
    assert "CATEGORY" not in papers(conclusion)


@pytest.mark.parametrize(
    ("on", "at", "child", "between"),
    [
        ("2010-11-24", date(2026, 11, 23), "PASS", "FAIL"),  # sixteen tomorrow
        ("2010-11-23", date(2026, 11, 23), "FAIL", "NEEDS_DOCUMENT"),
        ("2010-11-22", date(2026, 11, 23), "FAIL", "NEEDS_DOCUMENT"),
        ("2010-11-24", date(2026, 11, 24), "FAIL", "NEEDS_DOCUMENT"),
        ("2008-11-24", date(2026, 11, 23), "FAIL", "NEEDS_DOCUMENT"),  # eighteen tomorrow
        ("2008-11-23", date(2026, 11, 23), "FAIL", "FAIL"),
        ("2008-02-29", date(2026, 2, 28), "FAIL", "NEEDS_DOCUMENT"),
        ("2008-02-29", date(2026, 3, 1), "FAIL", "FAIL"),
        ("2010", date(2026, 11, 23), "UNKNOWN", "UNKNOWN"),
    ],
)
def test_ages_count_on_the_day_of_the_procedure(
    on: str, at: date, child: str, between: str
) -> None:
    lists = born(on)
    assert state("CHILD", lists, at=at) == child
    assert group("VICTIM_16_18", lists, at=at) == between
    assert group("ACCUSED_16_18", lists, at=at) == between


@pytest.mark.parametrize(
    ("on", "expected"),
    [("1966-11-24", "FAIL"), ("1966-11-23", "NEEDS_DOCUMENT"), ("1966-11-22", "NEEDS_DOCUMENT"),
     ("1966", "UNKNOWN")],
)  # fmt: skip
def test_the_elderly_show_hardship(on: str, expected: str) -> None:
    assert group("ELDERLY", born(on)) == expected
    if expected == "NEEDS_DOCUMENT":
        recorded = with_rows(born(on), {ENTITLEMENTS: entitled("ELDERLY")[ENTITLEMENTS]})
        assert group("ELDERLY", recorded) == "PASS"


@pytest.mark.parametrize("category", CATEGORIES)
def test_whoever_is_recorded_is_entitled_and_nothing_says_why(category: str) -> None:
    conclusion = check(CHECK, of(), entitled(category))
    assert states(conclusion)["RECORDED_ENTITLEMENT"] == "PASS"
    assert conclusion.outcome.name == "MET"
    assert "CATEGORY" not in papers(conclusion)
    (rule,) = (each for each in conclusion.rules if each.rule.code == "RECORDED_ENTITLEMENT")
    assert rule.result.basis == ()
    others = check(CHECK, of(), entitled("AGENT_ORANGE"))
    assert states(others) == states(conclusion)


@pytest.mark.parametrize(
    ("more", "at", "expected"),
    [
        ({"valid_until": date(2026, 11, 22)}, TODAY, "FAIL"),
        ({"valid_until": date(2026, 11, 23)}, TODAY, "PASS"),
        ({"valid_until": date(2026, 11, 23)}, date(2026, 11, 24), "FAIL"),
        ({"valid_from": date(2026, 11, 24)}, TODAY, "FAIL"),
        ({"valid_from": date(2026, 11, 24)}, date(2026, 11, 24), "PASS"),
        ({"valid_from": None}, TODAY, "UNKNOWN"),
    ],
)
def test_an_entitlement_is_in_force_on_the_day(
    more: dict[str, Any], at: date, expected: str
) -> None:
    assert state("RECORDED_ENTITLEMENT", entitled("DISABLED", **more), at=at) == expected


def test_entitlements_that_are_not_known_are_not_none() -> None:
    missing = {ENTITLEMENTS: UnknownReason.TRUNCATED}
    conclusion = check(CHECK, of(), KNOWN, missing=missing)
    found = states(conclusion)
    assert found["RECORDED_ENTITLEMENT"] == found["VICTIM_STATUS"] == "UNKNOWN"
    assert conclusion.outcome.name == "UNKNOWN"
    uncategorised = entitled(None)
    assert state("VICTIM_STATUS", uncategorised) == "UNKNOWN"


@pytest.mark.parametrize(
    ("ethnicity", "areas", "minority", "area", "both"),
    [
        ("Tày", set(), "PASS", "NEEDS_DOCUMENT", "NEEDS_DOCUMENT"),
        ("Tày", {"00070"}, "PASS", "PASS", "PASS"),
        ("Tày", {"00071"}, "PASS", "FAIL", "FAIL"),
        (" kinh ", {"00070"}, "FAIL", "PASS", "FAIL"),
        (None, {"00070"}, "UNKNOWN", "PASS", "UNKNOWN"),
    ],
)
def test_a_minority_in_an_area_of_extreme_difficulty(
    ethnicity: str | None, areas: set[str], minority: str, area: str, both: str
) -> None:
    lists = changed(KNOWN, IDENTITY, APPLICANT, ethnicity=ethnicity)
    case: dict[str, Any] = {"special_areas": frozenset(areas)}
    assert state("ETHNIC_MINORITY", lists, **case) == minority
    assert state("SPECIAL_AREA", lists, **case) == area
    assert group("ETHNIC_MINORITY_SPECIAL_AREA", lists, **case) == both


def test_a_residence_without_its_commune_is_not_known_to_be_outside() -> None:
    lists = changed(KNOWN, RESIDENCES, APPLICANT, address_commune_code=None)
    assert state("SPECIAL_AREA", lists, special_areas=frozenset({"00070"})) == "UNKNOWN"
    assert state("SPECIAL_AREA", {**KNOWN, RESIDENCES: []},
                 special_areas=frozenset({"00070"})) == "UNKNOWN"  # fmt: skip


@pytest.mark.parametrize("matter", list(LegalMatter))
def test_business_and_commerce_are_excluded(matter: LegalMatter) -> None:
    expected = "FAIL" if matter is LegalMatter.BUSINESS_COMMERCE else "PASS"
    assert state("FIELD_COVERED", KNOWN, of(matter)) == expected


@pytest.mark.parametrize(
    ("given", "resides", "happened", "place"),
    [
        (of(), "PASS", "FAIL", "PASS"),
        (of(province="79"), "FAIL", "FAIL", "FAIL"),
        (of(province="79", case_province="79"), "FAIL", "PASS", "PASS"),
        (of(province="79", case_province="074"), "FAIL", "PASS", "PASS"),  # Bình Dương of old
        (of(province="79", case_province="01"), "FAIL", "FAIL", "FAIL"),
        (of(province="XX", case_province="01"), "UNKNOWN", "UNKNOWN", "UNKNOWN"),
    ],
)
def test_the_applicant_resides_or_the_case_happened_in_the_province(
    given: LegalAidRequestInput, resides: str, happened: str, place: str
) -> None:
    assert state("RESIDES_IN_PROVINCE", KNOWN, given) == resides
    assert state("CASE_IN_PROVINCE", KNOWN, given) == happened
    assert group("PLACE", KNOWN, given) == place


def test_a_residence_of_which_no_province_is_known_leaves_it_open() -> None:
    lists = changed(KNOWN, RESIDENCES, APPLICANT, address_province_code=None)
    assert state("RESIDES_IN_PROVINCE", lists) == "UNKNOWN"
    assert state("RESIDES_IN_PROVINCE", {**KNOWN, RESIDENCES: []}) == "UNKNOWN"
    missing = {RESIDENCES: UnknownReason.SOURCE_FAILED}
    assert state("RESIDES_IN_PROVINCE", KNOWN, missing=missing) == "UNKNOWN"


@pytest.mark.parametrize(
    ("more", "court_case_no", "expected"),
    [
        ({}, "12/2026", "FAIL"),
        ({}, " 12/2026", "FAIL"),
        ({}, "13/2026", "PASS"),
        ({}, None, "UNKNOWN"),
        ({"court_case_no": None}, "12/2026", "UNKNOWN"),
        ({"court_case_no": None, "field_of_law": "LAND"}, "12/2026", "PASS"),
        ({"court_case_no": None, "field_of_law": None}, "12/2026", "UNKNOWN"),
        ({"status": "COMPLETED"}, "12/2026", "PASS"),
        ({"status": "DISCONTINUED"}, "12/2026", "PASS"),
        ({"status": "TRANSFERRED"}, "12/2026", "UNKNOWN"),
        ({"status": None}, "12/2026", "UNKNOWN"),
        ({"acceptance_status": "REFUSED"}, "12/2026", "PASS"),
        ({"acceptance_status": "PENDING_DOCS"}, "12/2026", "UNKNOWN"),
    ],
)
def test_no_two_providers_take_one_case(
    more: dict[str, Any], court_case_no: str | None, expected: str
) -> None:
    given = of(court_case_no=court_case_no)
    assert state("NO_OTHER_PROVIDER", assisted(**more), given) == expected


def test_cases_that_are_not_known_are_not_none() -> None:
    for reason in (UnknownReason.NOT_COVERED, UnknownReason.SOURCE_FAILED):
        assert state("NO_OTHER_PROVIDER", KNOWN, missing={CASES: reason}) == "UNKNOWN"


def test_the_dead_and_the_unknown_ask_for_nothing() -> None:
    dead = with_rows(KNOWN, {DEATHS: [death(APPLICANT)]})
    assert state("APPLICANT_ALIVE", dead) == "FAIL"
    unknown = check(CHECK, of(), KNOWN, unknown_people=frozenset({APPLICANT}))
    assert states(unknown)["APPLICANT_IDENTIFIED"] == "UNKNOWN"
    assert unknown.outcome.name == "UNKNOWN"


def test_there_is_no_law_before_2018() -> None:
    assert CHECK.edition(date(2017, 12, 31)) is None
    assert CHECK.edition(date(2018, 1, 1)) is not None


@pytest.mark.parametrize("lists", [KNOWN, born("2015-01-01"), entitled("HIV")])
def test_nothing_passes_on_what_is_not_known(lists: Lists) -> None:
    unproved = unproved_passes(CHECK, of(), lists) - {
        # Births say no more there than that somebody is not born yet; the book has the birth date.
        ("APPLICANT_ALIVE", BIRTHS),
        ("CHILD", IDENTITY),
    }
    # An entitlement that is recorded proves itself.
    assert unproved <= {("RECORDED_ENTITLEMENT", ENTITLEMENTS)}


@pytest.mark.usefixtures("way")
async def test_a_gateway_answers_as_the_rules_do(tmp_path: Path) -> None:
    lists = changed(KNOWN, IDENTITY, APPLICANT, ethnicity="Tày")
    given = {"legalAidRequest": {"applicant": APPLICANT, "matter": "CIVIL", "province": "01"}}
    communes = {"special_area_communes": ["00070"]}
    async with running(tmp_path, world_of(lists), ALL, LIVE, procedures=communes) as gateway:
        body = await ask_check(gateway, CODE, given)
        areas = frozenset({"00070"})
        assert states_in(body) == states(check(CHECK, of(), lists, special_areas=areas))
        assert states_in(body)["SPECIAL_AREA"] == "PASS"
        assert body["data"]["checkProcedure"]["outcome"] == "MET"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["population", "civil_status", "legal_aid"])
async def test_a_database_that_is_down_decides_nothing(tmp_path: Path, name: str) -> None:
    databases = world_of(born("2015-01-01"))
    databases.of(name).fault = "down"
    given = {"legalAidRequest": {"applicant": APPLICANT, "matter": "LAND", "province": "01"}}
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "UNKNOWN"
        assert [silent["name"] for silent in checked["silent"]] == [name]


def test_the_list_of_areas_takes_codes_of_communes_only(tmp_path: Path) -> None:
    assert load(folder=tmp_path).procedures.special_area_communes == ()
    with pytest.raises(ValueError, match="special_area_communes"):
        load(folder=tmp_path, procedures={"special_area_communes": ["xã Đồng Văn"]})
