"""P8: registering, changing and deleting a security measure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.security_measures import SecurityDeletionGround
from connectors.values import OrganizationCode, PartialDate, PersonNumber, ThingKey
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.evaluate import CheckConclusion
from gateway.procedures.security_registration import (
    CHECK,
    SecurityOperation,
    SecurityRegistrationInput,
    SecurityRequester,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import PERSON, TODAY
from tests.support.people import HOA, LAN
from tests.support.running import codes, running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

Row = dict[str, Any]
CODE = "security-registration"
LENDER, BANK = "001191054321", "0100233488"
REGISTRATIONS, PARTIES = "security_measures.registrations", "security_measures.parties"
BY_NUMBER, OF_THING = (
    "security_measures.registration_by_number", "security_measures.registration"
)  # fmt: skip
BY_CHASSIS = "security_measures.collateral_by_chassis"
CASES, MEASURES = "civil_enforcement.cases", "civil_enforcement.measures"
DEBTORS, CASES_OF_BANK = "civil_enforcement.parties", "civil_enforcement.organisation_cases"

FIRST = SecurityRegistrationInput(
    SecurityOperation.REGISTRATION,
    SecurityRequester.SECURED_PARTY,
    securing_party=PersonNumber(PERSON),
    secured_party=PersonNumber(LENDER),
    chassis_number=ThingKey("vf1-0001"),
)
DELETION = replace(
    FIRST,
    operation=SecurityOperation.DELETION,
    chassis_number=None,
    registration_number=ThingKey("R1"),
    deletion_ground=SecurityDeletionGround.OBLIGATION_ENDED,
)
TO_BANK = replace(FIRST, secured_party=None, secured_organisation=OrganizationCode(BANK))


def registration(**columns: Any) -> Row:
    return {"registration_no": "R1", "status": "EFFECTIVE", **columns}


def party(role: str | None, number: str | None, **columns: Any) -> Row:
    return {"registration_no": "R1", "role": role, "party_citizen_id": number, **columns}


BETWEEN = [party("SECURING", PERSON), party("SECURED", LENDER)]


def registers(**lists: list[Row]) -> dict[str, list[Row]]:
    """Return the registers of two living people; ``registered``: in all lists of registrations."""
    names = {"things": BY_CHASSIS, "parties": PARTIES, "cases": CASES, "measures": MEASURES,
             "debtors": DEBTORS, "deaths": DEATHS}  # fmt: skip
    people = [{"citizen_id": number, "birth_date": PartialDate(1990, 1, 1), "life_status": "ALIVE"}
              for number in (PERSON, LENDER)]  # fmt: skip
    registered = lists.pop("registered", [])
    rows = dict.fromkeys((REGISTRATIONS, BY_NUMBER, OF_THING), registered)
    return {IDENTITY: people, **rows, **{names[name]: more for name, more in lists.items()}}


def checked(
    given: SecurityRegistrationInput, lists: dict[str, list[Row]], at: date = TODAY, **case: Any
) -> CheckConclusion:
    return check(CHECK, given, lists, at, **case)


def state(
    code: str, lists: dict[str, list[Row]], given: SecurityRegistrationInput = FIRST, **case: Any
) -> str:
    return states(checked(given, lists, **case))[code]


def test_a_first_registration_between_two_people_is_met() -> None:
    conclusion = checked(FIRST, registers())
    assert set(states(conclusion).values()) == {"PASS"}
    assert conclusion.outcome.name == "MET"


def test_a_deletion_that_the_secured_party_asks_for_is_met() -> None:
    conclusion = checked(DELETION, registers(registered=[registration()], parties=BETWEEN))
    assert set(states(conclusion).values()) == {"PASS"}
    assert conclusion.outcome.name == "MET"


def test_an_organisation_is_shown_by_a_document() -> None:
    conclusion = checked(TO_BANK, registers())
    found = states(conclusion)
    assert found["SECURED_PARTY_IDENTIFIED"] == found["SECURED_PARTY_ACTIVE"] == "NEEDS_DOCUMENT"
    assert found["SECURING_PARTY_IDENTIFIED"] == "PASS"
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    assert papers(conclusion)["SECURED_PARTY_IDENTITY"] == "TO_BRING"
    (rule,) = (each for each in conclusion.rules if each.rule.code == "SECURED_PARTY_ACTIVE")
    assert "not covered by this source" in rule.result.sentence.en


def test_the_dead_register_nothing() -> None:
    death = {"event_id": "D", "citizen_id": LENDER, "status": "VALID",
             "death_date": PartialDate(2026, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    found = states(checked(FIRST, registers(deaths=[death])))
    assert (found["SECURED_PARTY_ACTIVE"], found["SECURING_PARTY_ACTIVE"]) == ("FAIL", "PASS")


@pytest.mark.parametrize(
    ("given", "is_wrong"),
    [
        (FIRST, False),
        (DELETION, False),
        (replace(FIRST, securing_party=None), True),
        (replace(FIRST, securing_organisation=OrganizationCode(BANK)), True),
        (replace(FIRST, registration_number=ThingKey("R1")), True),
        (replace(DELETION, registration_number=None), True),
        (replace(FIRST, deletion_ground=SecurityDeletionGround.OTHER), True),
        (replace(DELETION, deletion_ground=None), False),
    ],
)
def test_an_input_says_who_and_which_registration(
    given: SecurityRegistrationInput, is_wrong: bool
) -> None:
    assert CHECK.find_fault is not None
    assert (CHECK.find_fault(given) is not None) is is_wrong


@pytest.mark.parametrize(
    ("requester", "parties", "expected"),
    [
        ("SECURED_PARTY", BETWEEN, "PASS"),
        ("SECURING_PARTY", BETWEEN, "PASS"),
        ("TRUSTEE", BETWEEN, "NEEDS_DOCUMENT"),
        ("REPRESENTATIVE", BETWEEN, "NEEDS_DOCUMENT"),
        ("SECURED_PARTY", [BETWEEN[0], party("SECURED", PERSON)], "FAIL"),
        ("SECURED_PARTY", [party("NEW_SECURED", LENDER)], "PASS"),
        ("SECURED_PARTY", [party("SECURED", None)], "UNKNOWN"),
        ("SECURED_PARTY", [party(None, LENDER)], "UNKNOWN"),
    ],
)
def test_a_party_to_the_registration_asks_for_its_deletion(
    requester: str, parties: list[Row], expected: str
) -> None:
    given = replace(DELETION, requester=SecurityRequester[requester])
    lists = registers(registered=[registration()], parties=parties)
    assert state("REQUESTER_ENTITLED", lists, given) == expected


def test_an_organisation_asks_under_its_code() -> None:
    given = replace(DELETION, secured_party=None, secured_organisation=OrganizationCode(BANK))
    banks = [party("SECURED", None, party_enterprise_code=BANK)]
    lists = registers(registered=[registration()], parties=banks)
    assert state("REQUESTER_ENTITLED", lists, given) == "PASS"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([registration()], "PASS"),
        ([registration(status="RESTORED")], "PASS"),
        ([registration(status="DELETED")], "FAIL"),
        ([registration(status="CANCELLED")], "FAIL"),
        ([], "FAIL"),
        ([registration(status=None)], "UNKNOWN"),
        ([registration(), registration(status="DELETED")], "UNKNOWN"),
    ],
)
def test_what_is_deleted_is_in_force(rows: list[Row], expected: str) -> None:
    assert state("REGISTRATION_IN_FORCE", registers(registered=rows), DELETION) == expected


THING = {"chassis_no": "VF1-0001", "collateral_id": "C", "registration_no": "R1"}


@pytest.mark.parametrize(
    ("things", "row", "parties", "contract", "expected"),
    [
        ([], registration(), BETWEEN, None, "PASS"),
        ([THING], registration(), BETWEEN, None, "FAIL"),
        ([THING], registration(status="DELETED"), BETWEEN, None, "PASS"),
        ([{**THING, "withdrawn_at": date(2026, 1, 1)}], registration(registration_no="R9"),
         BETWEEN, None, "PASS"),
        ([THING], registration(secured_contract_number="1/HD"), BETWEEN, "2/HD", "PASS"),
        ([THING], registration(secured_contract_number="1/HD"), BETWEEN, "1/hd", "FAIL"),
        ([THING], registration(), [BETWEEN[0], party("SECURED", HOA)], None, "PASS"),
        ([THING], registration(), [BETWEEN[0], party("SECURED", None)], None, "UNKNOWN"),
        ([THING], registration(status=None), BETWEEN, None, "UNKNOWN"),
        ([THING], registration(), [], None, "UNKNOWN"),
    ],
)  # fmt: skip
def test_the_same_security_over_a_vehicle_is_registered_once(
    things: list[Row], row: Row, parties: list[Row], contract: str | None, expected: str
) -> None:
    given = replace(FIRST, contract_number=contract)
    lists = registers(things=things, registered=[row], parties=parties)
    if "withdrawn_at" in (things[0] if things else {}) or not things:
        lists[OF_THING] = []
    assert state("NOT_REGISTERED_TWICE", lists, given) == expected


def test_without_a_thing_contracts_of_the_same_parties_are_compared() -> None:
    given = replace(FIRST, chassis_number=None)
    assert state("NOT_REGISTERED_TWICE", registers(), given) == "PASS"
    lists = registers(registered=[registration()], parties=BETWEEN)
    assert state("NOT_REGISTERED_TWICE", lists, given) == "NEEDS_DOCUMENT"
    bank = replace(TO_BANK, chassis_number=None)
    assert state("NOT_REGISTERED_TWICE", lists, bank) == "PASS"


def test_land_is_not_covered() -> None:
    land = replace(FIRST, chassis_number=None, is_real_property=True)
    assert state("NOT_REGISTERED_TWICE", registers(), land) == "NEEDS_DOCUMENT"
    deleted = replace(DELETION, is_real_property=True)
    assert state("REGISTRATION_IN_FORCE", registers(), deleted) == "NEEDS_DOCUMENT"


@pytest.mark.parametrize(
    ("ground", "requester", "expected"),
    [
        ("OBLIGATION_ENDED", "SECURED_PARTY", "PASS"),
        ("AGREEMENT", "SECURED_PARTY", "PASS"),
        ("AGREEMENT", "SECURING_PARTY", "NEEDS_PERSON"),
        ("ASSET_GONE", "SECURING_PARTY", "NEEDS_DOCUMENT"),
        ("COURT_JUDGMENT", "SECURED_PARTY", "NEEDS_DOCUMENT"),
        ("OTHER", "SECURING_PARTY", "NEEDS_DOCUMENT"),
        (None, "SECURED_PARTY", "FAIL"),
    ],
)
def test_a_deletion_has_a_ground(ground: str | None, requester: str, expected: str) -> None:
    given = replace(
        DELETION,
        requester=SecurityRequester[requester],
        deletion_ground=SecurityDeletionGround[ground] if ground else None,
    )
    lists = registers(registered=[registration()], parties=BETWEEN)
    assert state("DELETION_GROUND", lists, given) == expected
    assert state("DELETION_GROUND", lists, FIRST) == "PASS"


def measure(**columns: Any) -> Row:
    return {"measure_id": "B", "decision_no": "Q1", "kind": "SUSPEND_REGISTRATION",
            "applied_on": date(2026, 1, 1), **columns}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (measure(), "FAIL"),
        (measure(asset_ref="vf1-0001"), "FAIL"),
        (measure(lifted_on=TODAY), "PASS"),
        (measure(kind="DEDUCT_INCOME"), "PASS"),
        (measure(asset_ref="TS-9"), "UNKNOWN"),
        (measure(applied_on=None), "UNKNOWN"),
    ],
)
def test_a_measure_of_enforcement_suspends_registration(row: Row, expected: str) -> None:
    debtors = [{"decision_no": "Q1", "role": "DEBTOR", "party_citizen_id": PERSON}]
    lists = registers(cases=[{"decision_no": "Q1"}], measures=[row], debtors=debtors)
    assert state("NO_ENFORCEMENT_MEASURE", lists) == expected
    bank = replace(FIRST, securing_party=None, securing_organisation=OrganizationCode(BANK))
    of_bank = [{"decision_no": "Q1", "role": "DEBTOR", "party_enterprise_code": BANK}]
    banks = {**lists, DEBTORS: of_bank, CASES_OF_BANK: [{"decision_no": "Q1"}], CASES: []}
    assert state("NO_ENFORCEMENT_MEASURE", banks, bank) == expected


@pytest.mark.parametrize(
    ("at", "law"),
    [(date(2026, 6, 30), "26/2008"), (date(2026, 7, 1), "152/2026"),
     (date(2026, 7, 2), "152/2026")],
)  # fmt: skip
def test_the_law_of_enforcement_is_that_of_the_day(at: date, law: str) -> None:
    conclusion = checked(FIRST, registers(), at)
    (rule,) = (each for each in conclusion.rules if each.rule.code == "NO_ENFORCEMENT_MEASURE")
    assert law in rule.rule.law.vi
    assert CHECK.edition(date(2023, 1, 14)) is None


def test_the_earlier_registration_is_not_brought_where_the_register_has_it() -> None:
    lists = registers(registered=[registration()], parties=BETWEEN)
    found = papers(checked(DELETION, lists))
    assert (found["EARLIER_REGISTRATION"], found["REQUEST"]) == ("REPLACED", "TO_BRING")
    assert "DELETION_GROUND" not in found
    assert "EARLIER_REGISTRATION" not in papers(checked(FIRST, lists))


@pytest.mark.parametrize(
    ("given", "name", "code"),
    [
        (FIRST, BY_CHASSIS, "NOT_REGISTERED_TWICE"),
        (FIRST, CASES, "NO_ENFORCEMENT_MEASURE"),
        (FIRST, IDENTITY, "SECURED_PARTY_IDENTIFIED"),
        (DELETION, BY_NUMBER, "REGISTRATION_IN_FORCE"),
        (DELETION, PARTIES, "REQUESTER_ENTITLED"),
    ],
)
def test_a_list_that_is_not_known_leaves_its_rule_open(
    given: SecurityRegistrationInput, name: str, code: str
) -> None:
    lists = registers(registered=[registration()], parties=BETWEEN)
    missing = {name: UnknownReason.SOURCE_FAILED}
    assert state(code, lists, given, missing=missing) == "UNKNOWN"


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more here than that somebody is not born yet.
    births = {("SECURING_PARTY_ACTIVE", BIRTHS), ("SECURED_PARTY_ACTIVE", BIRTHS)}
    lists = registers(registered=[registration()], parties=BETWEEN)
    assert unproved_passes(CHECK, DELETION, lists) == births
    assert unproved_passes(CHECK, FIRST, registers()) == births


# --- through a gateway --------------------------------------------------------------------------

REGISTERED: Rows = {
    "population": {
        "identity": [
            {"citizen_id": number, "birth_date": "1990", "life_status": "ALIVE", "sex": "MALE",
             "status": "CURRENT"} for number in (HOA, LAN)
        ]
    },
    "security_measures": {
        "registrations": [{"registration_no": "R1", "status": "EFFECTIVE"}],
        "security_parties": [
            {"entry_id": "1", "registration_no": "R1", "role": "SECURING", "party_citizen_id": HOA},
            {"entry_id": "2", "registration_no": "R1", "role": "SECURED", "party_citizen_id": LAN},
        ],
        "collateral": [{"collateral_id": "C", "registration_no": "R1", "chassis_no": "VF1-0001"}],
    },
}  # fmt: skip
DELETED = {"operation": "DELETION", "requester": "SECURED_PARTY", "securingParty": HOA,
           "securedParty": LAN, "registrationNumber": "r1",
           "deletionGround": "OBLIGATION_ENDED"}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


@pytest.mark.usefixtures("way")
async def test_a_registration_is_found_by_its_number_and_a_vehicle_by_its_chassis(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, world(REGISTERED), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, {"securityRegistration": DELETED})
        assert body["data"]["checkProcedure"]["outcome"] == "MET"
        again = {"operation": "REGISTRATION", "requester": "SECURED_PARTY", "securingParty": HOA,
                 "securedParty": LAN, "chassisNumber": "vf1-0001"}  # fmt: skip
        body = await ask_check(gateway, CODE, {"securityRegistration": again})
        assert states_in(body)["NOT_REGISTERED_TWICE"] == "FAIL"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"securedParty": None, "securedOrganisation": BANK}, None),
        ({"securedParty": None, "securedOrganisation": "0100233480"}, "INVALID_VALUE"),
        ({"securedParty": None, "securedOrganisation": LAN}, "INVALID_VALUE"),
        ({"securedOrganisation": BANK}, "INVALID_VALUE"),
        ({"registrationNumber": None}, "INVALID_VALUE"),
    ],
)
async def test_an_organisation_is_named_by_a_code_that_can_be_right(
    tmp_path: Path, columns: dict[str, str | None], expected: str | None
) -> None:
    async with running(tmp_path, world(REGISTERED), ALL, LIVE) as gateway:
        given = {**DELETED, **columns}
        body = await ask_check(gateway, CODE, {"securityRegistration": given})
        assert codes(body) == ([expected] if expected else [])
        if expected is None:
            assert states_in(body)["SECURED_PARTY_IDENTIFIED"] == "NEEDS_DOCUMENT"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "database", ["population", "civil_status", "civil_enforcement", "security_measures"]
)
async def test_it_is_never_met_while_a_database_is_silent(tmp_path: Path, database: str) -> None:
    known = world(REGISTERED)
    known.of(database).fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, {"securityRegistration": DELETED})
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
