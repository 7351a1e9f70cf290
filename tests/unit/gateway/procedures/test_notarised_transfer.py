"""P9: whether real property may be transferred before a notary, and who has to sign.

Covers ``gateway.procedures.checks.common_property``,
``gateway.procedures.checks.enforcement_measures``, ``gateway.procedures.checks.optional_role``,
``gateway.procedures.checks.property_transfer``, ``gateway.procedures.checks.real_property``,
``gateway.procedures.checks.security_interests`` and ``gateway.procedures.checks.spouse_consent``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PartialDate, PersonNumber, ThingKey
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.evaluate import CheckConclusion
from gateway.procedures.notarised_transfer import CHECK, NotarisedTransferInput
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import PERSON, TODAY
from tests.support.people import HOA, LAN, NOBODY
from tests.support.running import codes, running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

Row = dict[str, Any]
CODE = "notarised-transfer"
SPOUSE, BUYER, OTHER, FORMER = "001191054321", "001185000001", "001170000009", "001190000007"
CERTIFICATE, ASSET = "BK 0012", "A1"
MARRIAGES, DIVORCES = "civil_status.marriages", "civil_status.divorces"
OWNERS, ASSETS = "notary.owners", "notary.assets"
BY_CERTIFICATE = "notary.asset_by_certificate"
TRANSACTIONS, PARTIES = "notary.asset_transactions", "notary.parties"
ON_PERSON, ON_ASSET = "notary.preventive_infos", "notary.preventive_infos_on_asset"
CASES, MEASURES = "civil_enforcement.cases", "civil_enforcement.measures"
DEBTORS = "civil_enforcement.parties"
REGISTRATIONS, COLLATERAL = "security_measures.registrations", "security_measures.collateral"
SECURITY_PARTIES = "security_measures.parties"

SINGLE = NotarisedTransferInput(
    PersonNumber(PERSON), PersonNumber(BUYER), None, ThingKey(CERTIFICATE)
)
COUPLE = replace(SINGLE, spouse=PersonNumber(SPOUSE))
HOUSE: Row = {"asset_id": ASSET, "certificate_no": CERTIFICATE, "kind": "HOUSE"}
MARRIED: Row = {
    "event_id": "M1", "husband_citizen_id": PERSON, "wife_citizen_id": SPOUSE, "status": "VALID",
    "registration_date": date(2022, 5, 1),
}  # fmt: skip


def identity(number: str, born: PartialDate, marital: str = "MARRIED", **columns: Any) -> Row:
    return {"citizen_id": number, "birth_date": born, "life_status": "ALIVE",
            "marital_status": marital, **columns}  # fmt: skip


def deal(
    number: str = "T1", day: date | None = date(2023, 1, 1), kind: str = "SALE", **columns: Any
) -> Row:
    return {"notarial_no": number, "asset_id": ASSET, "notarised_on": day, "kind": kind,
            "status": "VALID", **columns}  # fmt: skip


def side(number: str | None, role: str = "TRANSFEREE", deed: str = "T1", **columns: Any) -> Row:
    return {"notarial_no": deed, "role": role, "party_citizen_id": number,
            "party_kind": "INDIVIDUAL", **columns}  # fmt: skip


def world_of(*, born: int = 2000, marital: str = "MARRIED", **lists: list[Row]) -> dict[str, Any]:
    """Return the registers: somebody born in 2000 who bought a house, married before that."""
    names = {
        "marriages": MARRIAGES, "divorces": DIVORCES, "owners": OWNERS, "assets": ASSETS,
        "transactions": TRANSACTIONS, "parties": PARTIES, "on_person": ON_PERSON,
        "on_asset": ON_ASSET, "cases": CASES, "measures": MEASURES, "debtors": DEBTORS,
        "registrations": REGISTRATIONS, "security": SECURITY_PARTIES, "collateral": COLLATERAL,
        "deaths": DEATHS, "notes": NOTES, "found": BY_CERTIFICATE,
    }  # fmt: skip
    rows = {
        IDENTITY: [
            identity(PERSON, PartialDate(born, 5, 5), marital),
            identity(SPOUSE, PartialDate(1991, 1, 1)),
            identity(BUYER, PartialDate(1985, 1, 1)),
            identity(OTHER, PartialDate(1970, 1, 1)),
        ],
        BY_CERTIFICATE: [HOUSE],
        ASSETS: [HOUSE],
        OWNERS: [{"asset_id": ASSET, "owner_citizen_id": PERSON}],
        TRANSACTIONS: [deal()],
        PARTIES: [side(PERSON), side(OTHER, "TRANSFEROR")],
        MARRIAGES: [MARRIED],
    }
    return rows | {names[name]: more for name, more in lists.items()}


def unmarried(**lists: list[Row]) -> dict[str, Any]:
    """Return the registers of somebody who was too young to marry on paper, and never did."""
    more: dict[str, Any] = {"marriages": [], **lists}
    return world_of(marital="SINGLE", **more)


def checked(
    given: NotarisedTransferInput, lists: dict[str, Any], at: date = TODAY, **case: Any
) -> CheckConclusion:
    return check(CHECK, given, lists, at, **case)


def state(
    code: str, lists: dict[str, Any], given: NotarisedTransferInput = SINGLE, **case: Any
) -> str:
    return states(checked(given, lists, **case))[code]


def test_somebody_unmarried_needs_the_land_registry_alone() -> None:
    conclusion = checked(SINGLE, unmarried())
    left = {code: name for code, name in states(conclusion).items() if name != "PASS"}
    assert left == {"LAND_REGISTRY": "NEEDS_DOCUMENT", "SELLER_INHERITS": "FAIL"}
    assert {each.group.code: each.state.name for each in conclusion.groups} == {"TITLE": "PASS"}
    assert conclusion.outcome.name == "NEEDS_DOCUMENT"
    (land,) = (each for each in conclusion.rules if each.rule.code == "LAND_REGISTRY")
    assert "not covered by this source" in land.result.sentence.en


# --- spouses ------------------------------------------------------------------------------------


def test_the_spouse_has_to_be_named_and_to_sign_for_what_was_bought_in_the_marriage() -> None:
    assert state("SPOUSE_SIGNS", world_of()) == "NEEDS_PERSON"
    conclusion = checked(COUPLE, world_of())
    assert states(conclusion)["SPOUSE_SIGNS"] == "NEEDS_PERSON"
    assert states(conclusion)["SPOUSE_IS_SPOUSE"] == "PASS"


def test_whoever_is_named_and_is_not_the_spouse_fails() -> None:
    stranger = replace(SINGLE, spouse=PersonNumber(OTHER))
    assert state("SPOUSE_IS_SPOUSE", world_of(), stranger) == "FAIL"
    assert state("SPOUSE_IS_SPOUSE", unmarried(), COUPLE) == "FAIL"


def test_a_spouse_without_a_number_in_the_book_is_not_known() -> None:
    nameless = [{**MARRIED, "wife_citizen_id": None, "wife_name": "Trần Thị Lan"}]
    assert state("SPOUSE_IS_SPOUSE", world_of(marriages=nameless), COUPLE) == "UNKNOWN"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2022, 4, 30), "PASS"),  # the day before the marriage
        (date(2022, 5, 1), "NEEDS_PERSON"),
        (date(2022, 5, 2), "NEEDS_PERSON"),
        (None, "UNKNOWN"),
    ],
)
def test_the_day_of_the_acquisition_decides(day: date | None, expected: str) -> None:
    assert state("SPOUSE_SIGNS", world_of(transactions=[deal(day=day)])) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [(None, "UNKNOWN"), (date(2021, 1, 1), "PASS"), (date(2023, 1, 1), "NEEDS_PERSON"),
     (date(2027, 1, 1), "UNKNOWN")],
)  # fmt: skip
def test_the_notary_may_state_the_day_where_the_database_has_none(
    stated: date | None, expected: str
) -> None:
    lists = world_of(transactions=[], parties=[])
    assert state("SPOUSE_SIGNS", lists, replace(SINGLE, acquired_on=stated)) == expected


def test_what_the_database_says_of_the_day_goes_before_what_is_stated() -> None:
    given = replace(SINGLE, acquired_on=date(2021, 1, 1))
    assert state("SPOUSE_SIGNS", world_of(), given) == "NEEDS_PERSON"


def test_a_spouse_who_is_an_owner_signs_whenever_it_was_acquired() -> None:
    owners = [{"asset_id": ASSET, "owner_citizen_id": number} for number in (PERSON, SPOUSE)]
    lists = world_of(owners=owners, transactions=[], parties=[])
    assert state("SPOUSE_SIGNS", lists, COUPLE) == "NEEDS_PERSON"
    assert state("CO_OWNERS_SIGN", lists, COUPLE) == "PASS"


def test_what_was_acquired_in_a_marriage_that_ended_takes_its_division() -> None:
    divorce = {"event_id": "D1", "marriage_event_id": "M1", "status": "VALID",
               "husband_id": PERSON, "wife_id": SPOUSE,
               "legal_effect_date": date(2025, 6, 1)}  # fmt: skip
    lists = world_of(marital="DIVORCED", divorces=[divorce])
    assert state("SPOUSE_SIGNS", lists) == "NEEDS_DOCUMENT"


def test_an_agreement_of_the_spouses_has_to_be_shown() -> None:
    deals = [deal(), deal("T2", date(2024, 1, 1), "SPOUSAL_PROPERTY_AGREEMENT")]
    assert state("SPOUSE_SIGNS", world_of(transactions=deals)) == "NEEDS_DOCUMENT"


def test_a_marital_status_that_registers_disagree_about_is_not_known() -> None:
    assert state("SPOUSE_SIGNS", world_of(marital="DIVORCED")) == "UNKNOWN"
    assert state("SPOUSE_IS_SPOUSE", world_of(marital="DIVORCED"), COUPLE) == "UNKNOWN"


# --- people -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "not_incapacitated", "acts_alone"),
    [
        ("DECLARED_INCAPACITATED", "FAIL", "NEEDS_PERSON"),
        ("DECLARED_RESTRICTED", "PASS", "NEEDS_PERSON"),
        (None, "PASS", "PASS"),
    ],
)
def test_lost_capacity_bars_and_restricted_capacity_takes_a_representative(
    event: str | None, not_incapacitated: str, acts_alone: str
) -> None:
    note = {"event_id": "N", "event_type": event, "citizen_id": PERSON, "status": "VALID",
            "effective_date": date(2020, 1, 1)}  # fmt: skip
    found = states(checked(SINGLE, unmarried(notes=[note] if event else [])))
    assert found["SELLER_NOT_INCAPACITATED"] == not_incapacitated
    assert found["SELLER_ACTS_ALONE"] == acts_alone
    assert found["BUYER_ACTS_ALONE"] == "PASS"


def test_the_dead_transfer_nothing() -> None:
    death = {"event_id": "D", "citizen_id": PERSON, "status": "VALID",
             "death_date": PartialDate(2026, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    found = states(checked(SINGLE, unmarried(deaths=[death])))
    assert (found["SELLER_ALIVE"], found["BUYER_ALIVE"]) == ("FAIL", "PASS")


@pytest.mark.parametrize(
    ("at", "expected"),
    [(date(2026, 11, 24), "NEEDS_PERSON"), (date(2026, 11, 25), "PASS"),
     (date(2026, 11, 26), "PASS")],
)  # fmt: skip
def test_a_minor_transfers_alone_from_the_eighteenth_birthday_on(at: date, expected: str) -> None:
    lists = unmarried()
    lists[IDENTITY][0]["birth_date"] = PartialDate(2008, 11, 25)
    assert states(checked(SINGLE, lists, at))["SELLER_ACTS_ALONE"] == expected


# --- the property -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([HOUSE], "PASS"),
        ([{**HOUSE, "kind": "LAND_USE_RIGHT"}], "PASS"),
        ([{**HOUSE, "kind": "VEHICLE"}], "FAIL"),
        ([{**HOUSE, "kind": None}], "UNKNOWN"),
        ([], "NEEDS_DOCUMENT"),
        ([HOUSE, {**HOUSE, "asset_id": "A2"}], "UNKNOWN"),
    ],
)
def test_the_certificate_leads_to_one_piece_of_real_property(
    found: list[Row], expected: str
) -> None:
    assert state("REAL_PROPERTY", unmarried(found=found)) == expected


def test_what_the_notaries_do_not_know_leaves_open_what_stands_against_it() -> None:
    found = states(checked(SINGLE, unmarried(found=[])))
    open_rules = {"SELLER_OWNS", "CO_OWNERS_SIGN", "NO_BLOCK", "NO_ENFORCEMENT_MEASURE",
                  "NOT_TRANSFERRED"}  # fmt: skip
    assert {code for code in open_rules if found[code] == "UNKNOWN"} == open_rules


def test_a_certificate_is_found_in_capitals_too_and_an_asset_by_its_number() -> None:
    small = replace(SINGLE, certificate_number=ThingKey("bk 0012"))
    assert state("REAL_PROPERTY", unmarried(), small) == "PASS"
    numbered = replace(SINGLE, certificate_number=None, asset_number=ThingKey("a1"))
    found = states(checked(numbered, unmarried()))
    left = {code for code, name in found.items() if name != "PASS"}
    assert left == {"LAND_REGISTRY", "SELLER_INHERITS"}


@pytest.mark.parametrize(
    ("given", "is_wrong"),
    [
        (SINGLE, False),
        (replace(SINGLE, certificate_number=None), True),
        (replace(SINGLE, asset_number=ThingKey(ASSET)), True),
        (replace(SINGLE, certificate_number=None, asset_number=ThingKey(ASSET)), False),
    ],
)
def test_the_property_is_named_in_one_way(given: NotarisedTransferInput, is_wrong: bool) -> None:
    assert CHECK.find_fault is not None
    assert (CHECK.find_fault(given) is not None) is is_wrong


def owner(number: str | None, **columns: Any) -> Row:
    return {"asset_id": ASSET, "owner_citizen_id": number, **columns}


@pytest.mark.parametrize(
    ("owners", "owns", "others"),
    [
        ([owner(PERSON)], "PASS", "PASS"),
        ([owner(PERSON), owner(OTHER)], "PASS", "NEEDS_PERSON"),
        ([owner(PERSON), owner(None, owner_enterprise_code="0100233488")], "PASS", "NEEDS_PERSON"),
        ([owner(PERSON), owner(None)], "PASS", "UNKNOWN"),
        ([owner(OTHER)], "FAIL", "NEEDS_PERSON"),
        ([owner(None)], "UNKNOWN", "UNKNOWN"),
        ([], "UNKNOWN", "UNKNOWN"),
    ],
)
def test_owners_transfer_what_is_theirs_and_all_of_them_sign(
    owners: list[Row], owns: str, others: str
) -> None:
    found = states(checked(SINGLE, unmarried(owners=owners)))
    assert (found["SELLER_OWNS"], found["CO_OWNERS_SIGN"]) == (owns, others)


DEAD_OWNER = {"event_id": "D", "citizen_id": OTHER, "status": "VALID",
              "death_date": PartialDate(2025, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip


@pytest.mark.parametrize(
    ("deaths", "deals", "sides", "inherits", "title"),
    [
        ([], [], [], "FAIL", "FAIL"),
        ([DEAD_OWNER], [], [], "NEEDS_DOCUMENT", "NEEDS_DOCUMENT"),
        ([DEAD_OWNER], [deal(kind="INHERITANCE_DIVISION")], [side(PERSON, "HEIR")],
         "PASS", "PASS"),
        ([DEAD_OWNER], [deal(kind="INHERITANCE_DIVISION")], [side(SPOUSE, "HEIR")],
         "NEEDS_DOCUMENT", "NEEDS_DOCUMENT"),
        ([DEAD_OWNER], [deal(kind="INHERITANCE_DIVISION", status="CANCELLED")],
         [side(PERSON, "HEIR")], "NEEDS_DOCUMENT", "NEEDS_DOCUMENT"),
    ],
)  # fmt: skip
def test_an_heir_transfers_what_a_notarised_division_gave(
    deaths: list[Row], deals: list[Row], sides: list[Row], inherits: str, title: str
) -> None:
    lists = unmarried(
        owners=[owner(OTHER)], deaths=deaths, transactions=deals, parties=sides
    )  # fmt: skip
    conclusion = checked(SINGLE, lists)
    assert states(conclusion)["SELLER_INHERITS"] == inherits
    assert {each.group.code: each.state.name for each in conclusion.groups} == {"TITLE": title}


def test_whether_an_owner_lives_may_be_unknown_and_nobody_is_named() -> None:
    lists = unmarried(owners=[owner(OTHER)])
    missing = {f"{DEATHS} {OTHER}": UnknownReason.SOURCE_FAILED}
    conclusion = checked(SINGLE, lists, missing=missing)
    (rule,) = (each for each in conclusion.rules if each.rule.code == "SELLER_INHERITS")
    assert rule.result.state.name == "UNKNOWN"
    assert (rule.result.reason, rule.result.basis) == (None, ())


def info(**columns: Any) -> Row:
    return {"prevent_id": "P", "asset_id": ASSET, "level": "BLOCK", "status": "ACTIVE",
            "valid_from": date(2026, 1, 1), **columns}  # fmt: skip


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"on_asset": [info()]}, "FAIL"),
        ({"on_asset": [info(status="LIFTED", lifted_on=TODAY)]}, "PASS"),
        ({"on_asset": [info(valid_from=date(2026, 11, 24))]}, "PASS"),
        ({"on_asset": [info(level=None)]}, "UNKNOWN"),
        ({"on_asset": [info(level="WARN")]}, "PASS"),
        ({"on_person": [info(person_id=PERSON, asset_id=None)]}, "FAIL"),
        ({"on_person": [info(person_id=PERSON, asset_id="A2")]}, "PASS"),
        ({"on_person": [info(person_id=SPOUSE, asset_id=None)]}, "PASS"),
    ],
)
def test_a_block_bars_and_a_warning_is_shown(lists: dict[str, list[Row]], expected: str) -> None:
    conclusion = checked(SINGLE, unmarried(**lists))
    (rule,) = (each for each in conclusion.rules if each.rule.code == "NO_BLOCK")
    assert rule.result.state.name == expected
    is_warned = lists.get("on_asset", [{}])[0].get("level") == "WARN"
    assert ("warnings" in rule.result.sentence.en) is is_warned
    assert bool(rule.result.basis) is (is_warned or expected == "FAIL")


def test_a_block_on_the_spouse_who_is_named_bars_too() -> None:
    lists = world_of(on_person=[info(person_id=SPOUSE, asset_id=None)])
    assert state("NO_BLOCK", lists, COUPLE) == "FAIL"
    assert state("NO_BLOCK", lists, SINGLE) == "PASS"


def measure(**columns: Any) -> Row:
    return {"measure_id": "B", "decision_no": "Q1", "kind": "SEIZE_ASSET",
            "applied_on": date(2026, 1, 1), **columns}  # fmt: skip


ALONE: list[Row] = [{"decision_no": "Q1", "role": "DEBTOR", "party_citizen_id": PERSON}]
TOGETHER: list[Row] = [*ALONE, {"decision_no": "Q1", "role": "DEBTOR", "party_citizen_id": OTHER}]


@pytest.mark.parametrize(
    ("row", "debtors", "expected"),
    [
        (measure(asset_ref="a1"), ALONE, "FAIL"),
        (measure(asset_ref=CERTIFICATE, kind="FORCE_DELIVERY"), TOGETHER, "FAIL"),
        (measure(asset_ref="A1", lifted_on=TODAY), ALONE, "PASS"),
        (measure(asset_ref="A1", applied_on=None), ALONE, "UNKNOWN"),
        (measure(asset_ref="A2"), ALONE, "PASS"),  # another thing of the transferor's
        (measure(asset_ref="elsewhere"), ALONE, "UNKNOWN"),
        (measure(), ALONE, "FAIL"),
        (measure(), TOGETHER, "UNKNOWN"),
        (measure(), [{"decision_no": "Q1", "role": "DEBTOR", "party_citizen_id": OTHER}], "PASS"),
        (measure(kind="DEDUCT_INCOME"), ALONE, "PASS"),
        (measure(kind="FREEZE_ACCOUNT"), ALONE, "PASS"),
        (measure(kind=None), ALONE, "UNKNOWN"),
    ],
)
def test_a_measure_of_enforcement_bars_what_it_concerns(
    row: Row, debtors: list[Row], expected: str
) -> None:
    lists = unmarried(
        cases=[{"decision_no": "Q1"}], measures=[row], debtors=debtors,
        assets=[HOUSE, {"asset_id": "A2", "kind": "VEHICLE"}],
    )  # fmt: skip
    assert state("NO_ENFORCEMENT_MEASURE", lists) == expected


BOUGHT = [side(PERSON), side(OTHER, "TRANSFEROR")]
SOLD = [side(PERSON, "TRANSFEROR", "T2"), side(OTHER, "TRANSFEREE", "T2")]


@pytest.mark.parametrize(
    ("deals", "sides", "expected"),
    [
        ([deal()], BOUGHT, "PASS"),
        ([], [], "PASS"),
        ([deal(), deal("T2", date(2024, 1, 1))], BOUGHT + SOLD, "FAIL"),
        ([deal(), deal("T2", date(2024, 1, 1), "DONATION")], BOUGHT + SOLD, "FAIL"),
        ([deal(), deal("T2", date(2024, 1, 1), status="CANCELLED")], BOUGHT + SOLD, "PASS"),
        ([deal(), deal("T2", date(2024, 1, 1), "LEASE")], BOUGHT + SOLD, "PASS"),
        ([deal(), deal("T2", date(2022, 1, 1))], BOUGHT + SOLD, "PASS"),  # and bought it back
        ([deal(), deal("T2", None)], BOUGHT + SOLD, "UNKNOWN"),
        ([deal(), deal("T2", date(2024, 1, 1), status=None)], BOUGHT + SOLD, "UNKNOWN"),
        ([deal(), deal("T2", date(2024, 1, 1))],
         [*BOUGHT, side(SPOUSE, "TRANSFEROR", "T2"), side(OTHER, "TRANSFEREE", "T2")], "UNKNOWN"),
        ([deal(), deal("T2", date(2024, 1, 1))],
         [*BOUGHT, side(None, "TRANSFEROR", "T2"), side(OTHER, "TRANSFEREE", "T2")], "UNKNOWN"),
        ([deal("T2", date(2024, 1, 1))], SOLD, "FAIL"),
    ],
)  # fmt: skip
def test_what_was_transferred_is_not_transferred_again(
    deals: list[Row], sides: list[Row], expected: str
) -> None:
    lists = unmarried(transactions=deals, parties=sides)
    assert state("NOT_TRANSFERRED", lists) == expected


SECURES: list[Row] = [{"registration_no": "R1", "role": "SECURING", "party_citizen_id": PERSON}]


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        ("EFFECTIVE", "PROPERTY_RIGHT", "NEEDS_DOCUMENT"),
        ("RESTORED", "INSTALLED_MOVABLE", "NEEDS_DOCUMENT"),
        ("EFFECTIVE", "MOTOR_VEHICLE", "PASS"),
        ("DELETED", "PROPERTY_RIGHT", "PASS"),
        ("EFFECTIVE", None, "UNKNOWN"),
        (None, "MOTOR_VEHICLE", "UNKNOWN"),
    ],
)
def test_a_registered_security_counts_where_it_may_concern_a_home(
    status: str | None, kind: str | None, expected: str
) -> None:
    lists = unmarried(
        registrations=[{"registration_no": "R1", "status": status}], security=SECURES,
        collateral=[{"collateral_id": "C", "registration_no": "R1", "collateral_type": kind}],
    )  # fmt: skip
    assert state("NO_REGISTERED_SECURITY", lists) == expected


def test_a_notarised_mortgage_is_told_and_the_land_registry_decides() -> None:
    conclusion = checked(SINGLE, unmarried(transactions=[deal(), deal("T3", kind="MORTGAGE")]))
    (land,) = (each for each in conclusion.rules if each.rule.code == "LAND_REGISTRY")
    assert land.result.state.name == "NEEDS_DOCUMENT"
    assert "mortgaged by a notarised contract" in land.result.sentence.en


# --- editions, papers, and what is not known ----------------------------------------------------


@pytest.mark.parametrize(
    ("at", "laws"),
    [
        (date(2024, 7, 31), ("53/2014", "45/2013", "26/2008")),
        (date(2024, 8, 1), ("53/2014", "31/2024", "26/2008")),
        (date(2025, 6, 30), ("53/2014", "31/2024", "26/2008")),
        (date(2025, 7, 1), ("46/2024", "31/2024", "26/2008")),
        (date(2026, 6, 30), ("46/2024", "31/2024", "26/2008")),
        (date(2026, 7, 1), ("46/2024", "31/2024", "106/2025")),
    ],
)
def test_the_law_in_force_on_the_day_counts(at: date, laws: tuple[str, ...]) -> None:
    edition = CHECK.edition(at)
    assert edition is not None
    assert all(any(law in title for title in edition.law) for law in laws)
    is_new = "106/2025" in laws
    (rule,) = (each for each in checked(SINGLE, unmarried(), at).rules
               if each.rule.code == "NO_ENFORCEMENT_MEASURE")  # fmt: skip
    assert ("152/2026" in rule.rule.law.vi) is is_new


def test_data_replace_cards_and_certificates_of_civil_status() -> None:
    found = papers(checked(COUPLE, world_of()))
    assert found["MARRIAGE_CERTIFICATE"] == found["SELLER_IDENTITY"] == "REPLACED"
    assert found["CERTIFICATE"] == found["LAND_EXTRACT"] == "TO_BRING"
    assert papers(checked(SINGLE, unmarried()))["MARITAL_STATUS"] == "REPLACED"


def test_somebody_whom_nobody_knows_passes_no_rule_about_them() -> None:
    found = states(checked(SINGLE, unmarried(), unknown_people=frozenset({PERSON})))
    about = {"SELLER_IDENTIFIED", "SELLER_ALIVE", "SELLER_NOT_INCAPACITATED",
             "SELLER_ACTS_ALONE", "SPOUSE_SIGNS", "NO_BLOCK",
             "NO_ENFORCEMENT_MEASURE"}  # fmt: skip
    assert {code for code in about if found[code] == "UNKNOWN"} == about


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more here than that somebody is not born yet.
    roles = ("SELLER_ALIVE", "BUYER_ALIVE", "SPOUSE_ALIVE", "SPOUSE_IS_SPOUSE")
    birth_alone = {(code, BIRTHS) for code in roles}
    assert unproved_passes(CHECK, COUPLE, world_of()) <= birth_alone
    assert unproved_passes(CHECK, SINGLE, unmarried()) <= birth_alone


# --- through a gateway --------------------------------------------------------------------------

LIVING: Rows = {
    "civil_status": {
        "marriages": [
            {"event_id": "M1", "husband_citizen_id": HOA, "wife_citizen_id": LAN,
             "registration_date": "2015-01-01", "status": "VALID"}
        ],
    },
    "notary": {
        "assets": [{"asset_id": ASSET, "certificate_no": CERTIFICATE, "kind": "HOUSE"}],
        "asset_owners": [{"entry_id": "E", "asset_id": ASSET, "owner_citizen_id": HOA}],
        "transactions": [{"notarial_no": "T1", "notarised_on": "2020-03-01", "kind": "SALE",
                          "status": "VALID"}],
        "transaction_asset_links": [{"entry_id": "L", "notarial_no": "T1", "asset_id": ASSET}],
        "transaction_parties": [{"entry_id": "S", "notarial_no": "T1", "role": "TRANSFEREE",
                                 "party_citizen_id": HOA, "party_kind": "INDIVIDUAL"}],
    },
}  # fmt: skip
GIVEN = {"notarisedTransfer": {"seller": HOA, "buyer": NOBODY, "spouse": LAN,
                               "certificateNumber": "bk 0012"}}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


@pytest.mark.usefixtures("way")
async def test_the_house_is_found_by_its_certificate(tmp_path: Path) -> None:
    known = world(LIVING)
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, GIVEN)
        found = states_in(body)
        assert (found["REAL_PROPERTY"], found["SELLER_OWNS"]) == ("PASS", "PASS")
        assert found["NOT_TRANSFERRED"] == found["NO_BLOCK"] == "PASS"
        assert found["BUYER_IDENTIFIED"] == "UNKNOWN"
        (entry,) = gateway.journal()
        sections = {section for person in entry["persons"] for section in person["sections"]}
        assert {f"procedures.notarised_transfer.{role}" for role in ("seller", "spouse")} < sections
        # The certificate is looked up in the first wave, beside the people.
        first = [name for name, lookup, _ in known.fetched[:40] if lookup == "asset_by_certificate"]
        assert first == ["notary.assets"]


@pytest.mark.usefixtures("way")
async def test_a_property_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    given = {**GIVEN["notarisedTransfer"], "assetNumber": ASSET}
    async with running(tmp_path, world(LIVING), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, {"notarisedTransfer": given})
        assert codes(body) == ["INVALID_VALUE"]
        twice = {**GIVEN["notarisedTransfer"], "spouse": HOA}
        body = await ask_check(gateway, CODE, {"notarisedTransfer": twice})
        assert codes(body) == ["SAME_PERSON"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("database", "rule"),
    [
        ("population", "SELLER_IDENTIFIED"),
        ("civil_status", "SPOUSE_IS_SPOUSE"),
        ("notary", "NO_BLOCK"),
        ("civil_enforcement", "NO_ENFORCEMENT_MEASURE"),
        ("security_measures", "NO_REGISTERED_SECURITY"),
    ],
)
async def test_a_silent_database_leaves_its_rules_open(
    tmp_path: Path, database: str, rule: str
) -> None:
    known = world(LIVING)
    known.of(database).fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, GIVEN)
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert states_in(body)[rule] == "UNKNOWN"
