"""P10: what the databases can say of a debtor's means."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PartialDate, PersonNumber, ThingKey
from gateway.derived.life_status import LifeState
from gateway.derived.marital_status import MaritalState
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.evaluate import CheckConclusion
from gateway.procedures.enforcement_verification import (
    CHECK,
    DebtorMeans,
    EnforcementVerificationInput,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import PERSON, TODAY
from tests.support.people import HOA, LAN
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

Row = dict[str, Any]
CODE = "enforcement-verification"
CASES, CASE_PARTIES = "civil_enforcement.cases", "civil_enforcement.parties"
JUDGMENT, RESIDENCES = "civil_enforcement.judgment", "population.residences"
ASSETS, TRANSACTIONS, PARTIES = "notary.assets", "notary.transactions", "notary.parties"
REGISTRATIONS, COLLATERAL = "security_measures.registrations", "security_measures.collateral"
SECURITY_PARTIES = "security_measures.parties"
ASKED = EnforcementVerificationInput(PersonNumber(PERSON), ThingKey("12/qđ"))
OTHER = "001170000009"


def registers(**lists: list[Row]) -> dict[str, list[Row]]:
    """Return the registers of a debtor, too young to marry on paper, who has a home and a car."""
    names = {
        "cases": CASES, "case_parties": CASE_PARTIES, "judgment": JUDGMENT,
        "residences": RESIDENCES, "assets": ASSETS, "transactions": TRANSACTIONS,
        "parties": PARTIES, "registrations": REGISTRATIONS, "collateral": COLLATERAL,
        "security": SECURITY_PARTIES, "deaths": DEATHS,
    }  # fmt: skip
    rows: dict[str, list[Row]] = {
        IDENTITY: [{"citizen_id": PERSON, "birth_date": PartialDate(2000, 5, 5),
                    "life_status": "ALIVE", "marital_status": "SINGLE"}],
        RESIDENCES: [{"citizen_id": PERSON, "kind": "PERMANENT", "valid_from": date(2010, 1, 1),
                      "address_as_recorded": "Hà Nội"}],
        CASES: [{"decision_no": "12/QĐ", "judgment_no": "5/BA"}],
        CASE_PARTIES: [{"decision_no": "12/QĐ", "role": "DEBTOR", "party_citizen_id": PERSON}],
        JUDGMENT: [{"judgment_no": "5/BA", "issue_date": date(2025, 1, 1),
                    "effective_date": date(2025, 2, 1)}],
        ASSETS: [{"asset_id": "A1", "kind": "HOUSE"}, {"asset_id": "A2", "kind": "VEHICLE"}],
        REGISTRATIONS: [{"registration_no": "R1", "status": "EFFECTIVE"}],
        SECURITY_PARTIES: [{"registration_no": "R1", "role": "SECURING",
                            "party_citizen_id": PERSON}],
        COLLATERAL: [{"collateral_id": "C", "registration_no": "R1",
                      "collateral_type": "MOTOR_VEHICLE"}],
    }  # fmt: skip
    return rows | {names[name]: more for name, more in lists.items()}


def checked(lists: dict[str, list[Row]], at: date = TODAY, **case: Any) -> CheckConclusion:
    return check(CHECK, ASKED, lists, at, **case)


def state(code: str, lists: dict[str, list[Row]]) -> str:
    return states(checked(lists))[code]


def means_of(conclusion: CheckConclusion) -> DebtorMeans | None:
    means = conclusion.results["debtor_means"]
    assert means is None or isinstance(means, DebtorMeans)
    return means


def test_what_is_known_of_the_means_is_counted() -> None:
    conclusion = checked(registers())
    assert set(states(conclusion).values()) == {"PASS"}
    assert conclusion.outcome.name == "MET"
    assert means_of(conclusion) == DebtorMeans(
        LifeState.ALIVE, MaritalState.NEVER_MARRIED, 1, 2, 1, 0
    )


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (ASSETS, "assets"),
        (REGISTRATIONS, "secured_things"),
        (COLLATERAL, "secured_things"),
        (TRANSACTIONS, "transfers_since_judgment"),
        (JUDGMENT, "transfers_since_judgment"),
        (RESIDENCES, "residences"),
        (DEATHS, "life"),
    ],
)
@pytest.mark.parametrize("reason", [UnknownReason.SOURCE_FAILED, UnknownReason.TRUNCATED])
def test_nothing_is_counted_of_a_list_that_is_not_whole(
    name: str, field: str, reason: UnknownReason
) -> None:
    conclusion = checked(registers(), missing={name: reason})
    means = means_of(conclusion)
    assert means is not None
    assert getattr(means, field) is None
    assert conclusion.outcome.name == "UNKNOWN"


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({}, "PASS"),
        ({"cases": [{"decision_no": "12/QĐ", "judgment_no": "5/BA"}] * 2}, "UNKNOWN"),
        ({"cases": []}, "FAIL"),
        ({"case_parties": []}, "FAIL"),
        ({"case_parties": [{"decision_no": "12/QĐ", "role": "CREDITOR",
                            "party_citizen_id": PERSON}]}, "FAIL"),
        ({"case_parties": [{"decision_no": "12/QĐ", "role": None,
                            "party_citizen_id": PERSON}]}, "UNKNOWN"),
    ],
)  # fmt: skip
def test_the_means_are_those_of_whoever_owes_by_the_decision(
    lists: dict[str, list[Row]], expected: str
) -> None:
    conclusion = checked(registers(**lists))
    assert states(conclusion)["DEBTOR_OF_DECISION"] == expected
    assert (means_of(conclusion) is None) is (expected != "PASS")


def test_a_case_is_found_by_the_number_of_its_judgment_too() -> None:
    given = EnforcementVerificationInput(PersonNumber(PERSON), ThingKey("5/ba"))
    assert states(check(CHECK, given, registers()))["DEBTOR_OF_DECISION"] == "PASS"


def test_the_dead_have_no_means() -> None:
    death = {"event_id": "D", "citizen_id": PERSON, "status": "VALID",
             "death_date": PartialDate(2026, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    assert state("DEBTOR_ALIVE", registers(deaths=[death])) == "FAIL"


def test_whoever_is_registered_nowhere_is_looked_for_on_site() -> None:
    conclusion = checked(registers(residences=[]))
    assert states(conclusion)["RESIDENCE_KNOWN"] == "NEEDS_DOCUMENT"
    assert papers(conclusion)["RESIDENCE"] == "TO_BRING"


def test_a_marital_status_that_the_books_do_not_tell_is_not_known() -> None:
    lists = registers()
    lists[IDENTITY][0]["marital_status"] = "WIDOWED"
    conclusion = checked(lists)
    assert states(conclusion)["MARITAL_STATUS_KNOWN"] == "UNKNOWN"
    means = means_of(conclusion)
    assert means is not None
    assert means.marital_status is None


def deed(day: date | None = date(2025, 6, 1), kind: str | None = "SALE", **columns: Any) -> Row:
    return {"notarial_no": "T1", "notarised_on": day, "kind": kind, "status": "VALID", **columns}


def role(name: str | None, number: str = PERSON) -> Row:
    return {"notarial_no": "T1", "role": name, "party_citizen_id": number}


@pytest.mark.parametrize(
    ("row", "party", "expected"),
    [
        (deed(), role("TRANSFEROR"), "FAIL"),
        (deed(kind="DONATION"), role("TRANSFEROR"), "FAIL"),
        (deed(kind="SPOUSAL_PROPERTY_AGREEMENT"), role("SPOUSE"), "FAIL"),
        (deed(kind="RENUNCIATION"), role("HEIR"), "FAIL"),
        (deed(date(2025, 1, 31)), role("TRANSFEROR"), "PASS"),  # the day before it took effect
        (deed(date(2025, 2, 1)), role("TRANSFEROR"), "FAIL"),
        (deed(date(2025, 2, 2)), role("TRANSFEROR"), "FAIL"),
        (deed(), role("TRANSFEREE"), "PASS"),
        (deed(kind="LEASE"), role("LESSOR"), "PASS"),
        (deed(status="CANCELLED"), role("TRANSFEROR"), "PASS"),
        (deed(None), role("TRANSFEROR"), "UNKNOWN"),
        (deed(kind=None), role("TRANSFEROR"), "UNKNOWN"),
        (deed(status=None), role("TRANSFEROR"), "UNKNOWN"),
        (deed(), role(None), "UNKNOWN"),
        (deed(), role("TRANSFEROR", OTHER), "UNKNOWN"),  # the debtor's part is under no number
    ],
)
def test_what_was_given_away_since_the_judgment_is_dispersal(
    row: Row, party: Row, expected: str
) -> None:
    conclusion = checked(registers(transactions=[row], parties=[party]))
    assert states(conclusion)["NO_DISPERSAL"] == expected
    means = means_of(conclusion)
    assert means is not None
    counted = {"FAIL": 1, "PASS": 0, "UNKNOWN": None}
    assert means.transfers_since_judgment == counted[expected]


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2024, 12, 31), "PASS"), (date(2025, 1, 1), "UNKNOWN")]
)
def test_a_judgment_without_its_day_of_effect_counts_from_its_issue_at_the_earliest(
    day: date, expected: str
) -> None:
    judgment = [{"judgment_no": "5/BA", "issue_date": date(2025, 1, 1)}]
    lists = registers(judgment=judgment, transactions=[deed(day)], parties=[role("TRANSFEROR")])
    assert state("NO_DISPERSAL", lists) == expected
    assert state("NO_DISPERSAL", registers(judgment=[])) == "UNKNOWN"


@pytest.mark.parametrize(
    ("row", "party", "thing", "expected"),
    [
        ({"status": "DELETED"}, "SECURING", {}, 0),
        ({}, "SECURED", {}, 0),
        ({}, "SECURING", {"withdrawn_at": date(2026, 1, 1)}, 0),
        ({}, "NEW_SECURING", {}, 1),
        ({"status": None}, "SECURING", {}, None),
        ({}, None, {}, None),
    ],
)
def test_what_secures_a_debt_is_counted(
    row: Row, party: str | None, thing: Row, expected: int | None
) -> None:
    lists = registers(
        registrations=[{"registration_no": "R1", "status": "EFFECTIVE", **row}],
        security=[{"registration_no": "R1", "role": party, "party_citizen_id": PERSON}],
        collateral=[{"collateral_id": "C", "registration_no": "R1",
                     "collateral_type": "MACHINERY", **thing}],
    )  # fmt: skip
    conclusion = checked(lists)
    means = means_of(conclusion)
    assert means is not None
    assert means.secured_things == expected
    known = states(conclusion)["SECURED_ASSETS_KNOWN"]
    assert known == ("UNKNOWN" if expected is None else "PASS")


@pytest.mark.parametrize(
    ("at", "law"),
    [
        (date(2026, 6, 30), "26/2008"),
        (date(2026, 7, 1), "106/2025"),
        (date(2026, 7, 2), "106/2025"),
    ],
)
def test_the_law_of_the_day_counts(at: date, law: str) -> None:
    edition = checked(registers(), at).edition
    assert law in edition.law[0]
    assert "không bao gồm" in edition.papers[-1].title.vi


def test_what_these_databases_do_not_cover_is_brought() -> None:
    found = papers(checked(registers()))
    assert found["LAND_AND_VEHICLES"] == found["ACCOUNTS_AND_INCOME"] == "TO_BRING"
    assert found["NOTARIES"] == found["CIVIL_STATUS"] == found["RESIDENCE"] == "REPLACED"


def test_somebody_whom_nobody_knows_is_not_known_in_any_rule() -> None:
    conclusion = checked(registers(), unknown_people=frozenset({PERSON}))
    assert set(states(conclusion).values()) == {"UNKNOWN"}
    assert means_of(conclusion) is None


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more here than that somebody is not born yet.
    assert unproved_passes(CHECK, ASKED, registers()) == {("DEBTOR_ALIVE", BIRTHS)}


# --- through a gateway --------------------------------------------------------------------------

OWING: Rows = {
    "population": {
        "identity": [{"citizen_id": HOA, "birth_date": "2000-02-03", "life_status": "ALIVE",
                      "sex": "MALE", "marital_status": "SINGLE", "status": "CURRENT"}],
        "residences": [{"entry_id": "N", "citizen_id": HOA, "kind": "PERMANENT",
                        "valid_from": "2010-01-01", "address_as_recorded": "Hà Nội"}],
    },
    "civil_enforcement": {
        "cases": [{"decision_no": "12/QĐ", "judgment_no": "5/BA", "status": "ENFORCING"}],
        "enforcement_parties": [{"entry_id": "P", "decision_no": "12/QĐ", "role": "DEBTOR",
                                 "party_citizen_id": HOA}],
        "judgment": [{"judgment_no": "5/BA", "effective_date": "2025-02-01"}],
    },
    "notary": {
        "assets": [{"asset_id": "A1", "kind": "HOUSE"}],
        "asset_owners": [{"entry_id": "E", "asset_id": "A1", "owner_citizen_id": HOA}],
    },
}  # fmt: skip
GIVEN = {"enforcementVerification": {"debtor": HOA, "decisionNumber": "12/qđ"}}
QUERY = """query($input: CheckInput!) {
  checkProcedure(code: "enforcement-verification", input: $input) {
    outcome results { debtorMeans {
      life maritalStatus residences assets securedThings transfersSinceJudgment } } } }"""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


@pytest.mark.usefixtures("way")
async def test_the_means_are_answered(tmp_path: Path) -> None:
    async with running(tmp_path, world(OWING), ALL, LIVE) as gateway:
        token = gateway.token("procedures:check", purposes=[CODE])
        body = (await gateway.post(QUERY, {"input": GIVEN}, token, x_purpose=CODE)).json()
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "MET"
        assert checked["results"]["debtorMeans"] == {
            "life": "ALIVE", "maritalStatus": "NEVER_MARRIED", "residences": 1, "assets": 1,
            "securedThings": 0, "transfersSinceJudgment": 0,
        }  # fmt: skip
        stranger = {"enforcementVerification": {"debtor": LAN, "decisionNumber": "12/QĐ"}}
        answer = await gateway.post(QUERY, {"input": stranger}, token, x_purpose=CODE)
        assert answer.json()["data"]["checkProcedure"]["results"]["debtorMeans"] is None


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "database",
    ["population", "civil_status", "civil_enforcement", "security_measures", "notary"],
)
async def test_it_is_never_met_while_a_database_is_silent(tmp_path: Path, database: str) -> None:
    known = world(OWING)
    known.of(database).fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, GIVEN)
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert "UNKNOWN" in states_in(body).values()
