"""Over 20,000 people no database contradicts another, except where the truth says so."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from connectors.administrative_violations import DATABASE as VIOLATIONS
from connectors.civil_enforcement import DATABASE as ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.codec import decode_value, encode_text
from connectors.description import Kind, Record
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY_MEASURES
from connectors.synthetic import Options, PersonTruth, clusters
from connectors.synthetic.draw import age_on
from connectors.values import PartialDate
from tests.unit.connectors.synthetic.synthetic_sample import Row, Sample
from tests.unit.connectors.synthetic.test_synthetic_registers import derived_status

DATABASES = (
    POPULATION,
    CIVIL_STATUS,
    SECURITY_MEASURES,
    LEGAL_AID,
    ENFORCEMENT,
    VIOLATIONS,
    NOTARY,
)
STANDING = ("VALID", "AMENDED")
MARITAL_GAPS = {"MARRIAGE_NOT_REGISTERED", "DIVORCE_NOT_NOTED", "SPOUSE_DEATH_NOT_REGISTERED"}

#: What somebody did or was party to on a day: record, date, and who (a column of it, or of the
#: parties that hang on it by the record's identity).
DEEDS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("civil_status", "marriages", "effective_from", ("husband_citizen_id", "wife_citizen_id")),
    ("civil_status", "divorces", "legal_effect_date", ("husband_id", "wife_id")),
    ("civil_status", "births", "birth_date", ("mother_citizen_id",)),
    ("civil_status", "births", "registration_date", ("requester_citizen_id",)),
    ("civil_status", "marital_status_confirmations", "issued_on", ("citizen_id",)),
    ("civil_status", "changes", "registration_date", ("citizen_id",)),
    ("civil_status", "guardianships", "start_date", ("ward_id", "guardian_citizen_id")),
    ("civil_status", "recognitions", "registration_date", ("recognising_id", "recognised_id")),
    ("civil_status", "adoptions", "handover_date", ("child_id",)),
    ("legal_aid", "cases", "request_date", ("beneficiary_id",)),
    ("legal_aid", "cases", "assigned_date", ("beneficiary_id",)),
    ("legal_aid", "cases", "completed_date", ("beneficiary_id",)),
    ("administrative_violations", "records", "made_on", ("violator_citizen_id",)),
    ("administrative_violations", "sanctions", "decision_date", ("violator_citizen_id",)),
    ("administrative_violations", "handling_decisions", "valid_from", ("citizen_id",)),
    ("notary", "transactions", "notarised_on", ("requester_citizen_id",)),
    ("notary", "wills", "notarised_on", ("testator_id",)),
    ("civil_enforcement", "verifications", "verified_on", ("debtor_citizen_id",)),
    ("civil_enforcement", "exit_postponements", "valid_from", ("person_id",)),
    ("security_measures", "registrations", "registered_on", ("requester_citizen_id",)),
)
PARTIES: tuple[tuple[str, str, str, str], ...] = (
    ("notary", "transactions", "notarised_on", "transaction_parties"),
    ("security_measures", "registrations", "registered_on", "security_parties"),
    ("civil_enforcement", "cases", "decision_date", "enforcement_parties"),
)


@pytest.fixture(scope="module")
def world() -> Sample:
    """The whole population, once."""
    options = Options(people=20_000)
    return Sample(options, list(clusters(options)))


@pytest.fixture(scope="module")
def identity(world: Sample) -> dict[str, Row]:
    return {str(row["citizen_id"]): row for row in world.population("identity")}


def everything(world: Sample) -> Iterator[tuple[Record, list[Row]]]:
    for database in DATABASES:
        for record in database.records:
            yield record, world.rows[database.name, record.name]


def whats(person: PersonTruth) -> set[str]:
    return {one.what for one in person.conflicts}


def first(value: object) -> date:
    """Return the first day that a date of a row can mean."""
    return PartialDate.parse(str(value)).first


def last(value: object) -> date:
    return PartialDate.parse(str(value)).last


def compatible(one: object, other: object) -> bool:
    return first(one) <= last(other) and first(other) <= last(one)


def gone(person: PersonTruth) -> date:
    """Return the day of death or disappearance, the last possible day for the living."""
    return person.missing_since or person.death_date or date.max


def folded(text: object) -> str:
    """Return a name without its tone marks and their places, as NFC and NFD write it alike."""
    return "".join(c for c in unicodedata.normalize("NFD", str(text)) if c.isalpha() or c == " ")


def test_every_value_can_be_read_and_identities_are_unique(world: Sample) -> None:
    for record, rows in everything(world):
        assert rows, f"no rows of {record.database}.{record.name}"
        assert len({row[record.identity] for row in rows}) == len(rows), record.name
        required = {column.name for column in record.columns if column.required}
        for row in rows:
            assert required <= row.keys()
            for name, value in row.items():
                if type(value) is not str or record.column(name).field.kind is not Kind.STRING:
                    decode_value(record.column(name), encode_text(value))


def test_every_number_is_somebodys_and_earlier_ones_are_where_the_truth_says(
    world: Sample,
) -> None:
    filed = {
        (one.record, one.event_id, one.number)
        for person in world.people.values()
        for one in person.filed_under
    }
    found = set()
    for record, rows in everything(world):
        columns = [c.name for c in record.columns if c.field.kind is Kind.PERSON_NUMBER]
        for row in rows if record.database != "population" else ():
            for number in (str(row[name]) for name in columns if name in row):
                if number not in world.people:
                    assert number in world.holder
                    found.add((record.name, row[record.identity], number))
    assert found == filed
    assert {name for name, _, _ in found} >= {"births", "marriages", "sanctions", "records"}


def test_names_birth_dates_and_sexes_agree_everywhere(world: Sample) -> None:
    compared: dict[str, int] = defaultdict(int)
    for record, rows in everything(world):
        for key, start in _named(record):
            for row in rows:
                number = world.who(row, key)
                if number is None:
                    continue
                person = world.people[number]
                compared[record.database] += 1
                _agrees(record, row, start, person)
    assert compared.keys() == {one.name for one in DATABASES}
    assert sum(compared.values()) > 150_000


def _named(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the columns that hold a number, with what the names beside it begin with."""
    names = {column.name for column in record.columns}
    for name in names:
        if name.endswith("citizen_id"):
            yield name, name.removesuffix("citizen_id")
    if "member_id" in names:
        yield "member_id", ""


def _agrees(record: Record, row: Row, start: str, person: PersonTruth) -> None:
    where, planted = f"{record.database}.{record.name}", whats(person)
    written = row.get(f"{start}name", row.get(f"{start}full_name"))
    if written is not None:
        allowed = {person.full_name, person.former_name}
        folds = {folded(one) for one in allowed if one}
        assert written in allowed or (
            "NAME_FORM" in planted and where == "civil_status.births" and folded(written) in folds
        ), where
    born = row.get(f"{start}birth_date")
    if born is not None:
        expected = "BIRTH_DATE" not in planted or record.database != "population"
        assert compatible(born, person.birth_date) == expected, where
    sex = row.get(f"{start}sex")
    assert sex in (None, person.sex), where


def test_nothing_is_done_before_birth_or_after_death(world: Sample) -> None:
    for database, record, when, who in DEEDS:
        checked = 0
        for row in world.rows[database, record]:
            for number in filter(None, (world.who(row, column) for column in who)):
                if when in row:
                    checked += 1
                    person = world.people[number]
                    assert first(row[when]) < gone(person), (record, when)
                    assert person.birth_date <= last(row[when]), (record, when)
        assert checked, (record, when)


def test_parties_live_when_a_record_is_made(world: Sample) -> None:
    for database, record, when, parties in PARTIES:
        declared = next(one for one in DATABASES if one.name == database).by_name[record]
        key = declared.identity
        made = {row[key]: first(row[when]) for row in world.rows[database, record]}
        for row in world.rows[database, parties]:
            number = world.who(row, "party_citizen_id")
            if number is None:
                continue
            person, day = world.people[number], made[row[key]]
            assert person.birth_date < day < gone(person), parties
            if row["role"] not in ("HEIR", "RELATED", "CREDITOR", "TRANSFEREE"):
                assert age_on(person.birth_date, day) >= 18, (parties, row["role"])


def test_life_and_death_agree(world: Sample, identity: dict[str, Row]) -> None:
    deaths = {
        world.who(row, "citizen_id"): row
        for row in world.civil("deaths")
        if row["status"] != "REVOKED"
    }
    for number, person in world.people.items():
        dead_here, dead_there = identity[number]["life_status"] == "DEAD", number in deaths
        if dead_here != dead_there:
            assert whats(person) & {"LIFE_STATUS", "DEATH_NOT_REGISTERED"}
        elif dead_here:
            dates = identity[number]["death_or_missing_date"], deaths[number]["death_date"]
            assert compatible(*dates)
        if dead_here:
            assert "LIFE_STATUS" not in whats(person)


def test_marital_status_agrees_between_civil_status_and_population(
    world: Sample, identity: dict[str, Row]
) -> None:
    derived = derived_status(world)
    disagree = 0
    for number, person in world.people.items():
        if person.life_state == "DEAD":
            continue
        status = derived.get(number, "SINGLE")
        if identity[number]["marital_status"] != status:
            disagree += 1
            assert whats(person) & (MARITAL_GAPS | {"MARITAL_STATUS"})
    assert disagree


def spouse_on(person: PersonTruth, day: date) -> str | None:
    for spell in person.marital_history:
        if spell.start <= day and (spell.end is None or day < spell.end):
            return spell.spouse_id
    return None


def status_on(person: PersonTruth, day: date) -> str:
    """Return the marital status in law on a day, from the history alone."""
    if spouse_on(person, day) is not None:
        return "MARRIED"
    ended = [one for one in person.marital_history if one.end is not None and one.end <= day
             and one.ended_by != "ANNULMENT"]  # fmt: skip
    if not ended:
        return "SINGLE"
    return "DIVORCED" if ended[-1].ended_by == "DIVORCE" else "WIDOWED"


def test_notaries_and_enforcement_know_the_spouse_of_the_day(world: Sample) -> None:
    signed = {
        row["notarial_no"]: row["notarised_on"] for row in world.rows["notary", "transactions"]
    }
    named = 0
    for row in world.rows["notary", "transaction_parties"]:
        number, spouse = world.who(row, "party_citizen_id"), world.who(row, "spouse_id")
        if number is not None and spouse is not None:
            named += 1
            assert spouse_on(world.people[number], first(signed[row["notarial_no"]])) == spouse
        elif number is not None and row["role"] == "TRANSFEROR":
            assert spouse_on(world.people[number], first(signed[row["notarial_no"]])) is None
    assert named > 1_000
    for row in world.rows["civil_enforcement", "verifications"]:
        number = world.who(row, "debtor_citizen_id")
        if number is not None:
            status = status_on(world.people[number], first(row["verified_on"]))
            assert row["marital_status"] == status


def test_common_property_is_sold_by_both_spouses(world: Sample) -> None:
    """Law on Marriage and Family 52/2014/QH13 Art. 35: both dispose of a common home."""
    sales = {
        row["notarial_no"]: first(row["notarised_on"])
        for row in world.rows["notary", "transactions"]
        if row["kind"] in ("SALE", "DONATION")
    }
    sellers: dict[object, set[str]] = defaultdict(set)
    for row in world.rows["notary", "transaction_parties"]:
        number = world.who(row, "party_citizen_id")
        if row["notarial_no"] in sales and row["role"] == "TRANSFEROR" and number is not None:
            sellers[row["notarial_no"]].add(number)
    pairs = [(no, people) for no, people in sellers.items() if len(people) > 1]
    assert len(pairs) > 50
    joint = sum(
        spouse_on(world.people[one], sales[no]) in people
        for no, people in pairs
        for one in list(people)[:1]
    )
    assert joint / len(pairs) > 0.5


def test_kinship_agrees_between_births_and_family_members(world: Sample) -> None:
    kin: dict[tuple[str, object], set[str]] = defaultdict(set)
    for row in world.population("family"):
        kin[str(row["citizen_id"]), row["relation"]].add(str(row["member_id"]))
    compared = 0
    for row in world.civil("births"):
        child = world.who(row, "citizen_id")
        if row["status"] not in STANDING or child is None:
            continue
        for relation in ("MOTHER", "FATHER"):
            parent = world.who(row, f"{relation.lower()}_citizen_id")
            compared += parent is not None
            assert kin[child, relation] == {one for one in (parent,) if one}
            assert parent is None or child in kin[parent, "CHILD"]
    assert compared > 20_000
    for (number, relation), others in list(kin.items()):
        if relation == "SPOUSE":
            partners = {one.spouse_id for one in world.people[number].marital_history}
            assert others <= partners


def test_spouses_are_of_age_and_legal_aid_and_sanctions_fit_the_age(world: Sample) -> None:
    for row in world.civil("marriages"):
        for role, age in (("husband", 20), ("wife", 18)):
            person = world.people[world.who(row, f"{role}_citizen_id") or ""]
            assert age_on(person.birth_date, last(row["effective_from"])) >= age
    limits = {"CHILD": (0, 15), "ACCUSED_16_18": (16, 17), "VICTIM_16_18": (16, 17),
              "ELDERLY": (60, 200)}  # fmt: skip
    for row in world.rows["legal_aid", "cases"]:
        person = world.people[world.who(row, "beneficiary_id") or ""]
        low, high = limits.get(str(row["beneficiary_category"]), (0, 200))
        assert low <= age_on(person.birth_date, first(row["request_date"])) <= high
    for row in world.rows["administrative_violations", "sanctions"]:
        number = world.who(row, "violator_citizen_id")
        if number is not None:
            age = age_on(world.people[number].birth_date, first(row["decision_date"]))
            assert age >= (14 if row["main_sanction"] == "WARNING" else 16)


def test_ethnic_groups_agree(world: Sample, identity: dict[str, Row]) -> None:
    for row in world.rows["legal_aid", "beneficiary"]:
        assert row["ethnicity"] == identity[str(row["citizen_id"])]["ethnicity"]
    for row in world.rows["legal_aid", "cases"]:
        if row["beneficiary_category"] == "ETHNIC_MINORITY_SPECIAL_AREA":
            assert identity[str(row["beneficiary_id"])]["ethnicity"] != "Kinh"


def test_what_is_seized_is_blocked_at_the_notary_and_not_sold(world: Sample) -> None:
    """Decree 152/2026/NĐ-CP Art. 111."""
    state = {row["asset_id"]: row["transaction_status"] for row in world.rows["notary", "assets"]}
    blocks: dict[object, list[tuple[date, date]]] = defaultdict(list)
    for row in world.rows["notary", "preventive_infos"]:
        if row["level"] == "BLOCK" and "asset_id" in row:
            end = first(row["lifted_on"]) if "lifted_on" in row else date.max
            assert ("lifted_on" in row) == (row["status"] == "LIFTED")
            blocks[row["asset_id"]].append((first(row["valid_from"]), end))
    seized = 0
    for row in world.rows["civil_enforcement", "measures"]:
        if "asset_ref" in row:
            seized += 1
            applied, standing = first(row["applied_on"]), "lifted_on" not in row
            held = blocks[row["asset_ref"]]
            assert any(start <= applied < end for start, end in held)
            if standing:
                assert any(end == date.max for _, end in held)
    assert seized > 50
    for asset, told in state.items():
        held = any(end == date.max for _, end in blocks[asset])
        assert (told == "đang bị ngăn chặn giao dịch") == held
    deeds = {row["notarial_no"]: row for row in world.rows["notary", "transactions"]}
    for link in world.rows["notary", "transaction_asset_links"]:
        deed = deeds[link["notarial_no"]]
        if deed["kind"] in ("SALE", "DONATION", "MORTGAGE", "LEASE"):
            signed = first(deed["notarised_on"])
            assert not any(start <= signed < end for start, end in blocks[link["asset_id"]])


def test_debtors_own_what_is_seized_from_them(world: Sample) -> None:
    debtors: dict[object, set[str | None]] = defaultdict(set)
    for row in world.rows["civil_enforcement", "enforcement_parties"]:
        if row["role"] == "DEBTOR":
            debtors[row["decision_no"]].add(world.who(row, "party_citizen_id"))
    owners: dict[object, set[str | None]] = defaultdict(set)
    for row in world.rows["notary", "asset_owners"]:
        owners[row["asset_id"]].add(world.who(row, "owner_citizen_id"))
    for row in world.rows["civil_enforcement", "measures"]:
        if "asset_ref" in row and "lifted_on" not in row:
            heirs = {
                heir
                for debtor in debtors[row["decision_no"]]
                if debtor is not None and world.people[debtor].life_state != "ALIVE"
                for heir in owners[row["asset_ref"]]
            }
            assert owners[row["asset_ref"]] & (debtors[row["decision_no"]] | heirs)


def test_vehicles_are_the_same_at_the_notary_and_among_the_securities(world: Sample) -> None:
    plates = {
        row["chassis_no"]: row.get("plate_no")
        for row in world.rows["notary", "assets"]
        if "chassis_no" in row
    }
    matched = 0
    for row in world.rows["security_measures", "collateral"]:
        if row.get("chassis_no") in plates:
            matched += 1
            assert row["plate_no"] == plates[row["chassis_no"]]
    assert matched > 20


def test_nobody_learns_where_a_protected_person_lives(world: Sample) -> None:
    protected = {one.id: one.protection for one in world.people.values() if one.protection}
    assert len(protected) >= 20
    secret = [one.true_address for one in protected.values()]
    tails = {one.partition(",")[0] for one in secret}
    for record, rows in everything(world):
        if record.name == "protection_orders":
            assert {str(row["citizen_id"]) for row in rows} == protected.keys()
            continue
        addresses = [c.name for c in record.columns if c.name.endswith("_as_recorded")]
        for row in rows:
            for value in row.values():
                if isinstance(value, str) and "/" in value and value.partition(",")[0] in tails:
                    assert not any(one in value for one in secret)
            for name in addresses:
                _substituted(world, record, row, name)


def _substituted(world: Sample, record: Record, row: Row, name: str) -> None:
    """Where a row gives the address of a protected person, it is the substitute or an old one."""
    start = name.removesuffix("residence_as_recorded")
    key = "citizen_id" if name == "address_as_recorded" else f"{start}citizen_id"
    number = world.who(row, key) if key in row else None
    order = world.people[number].protection if number is not None else None
    if order is None or not name.endswith(("residence_as_recorded", "address_as_recorded")):
        return
    street = order.substitute_address.partition(", phường")[0].partition(", xã")[0]
    home = str(row[name]).startswith(f"{street}, ")
    moved = "valid_until" in row or record.name != "residences"
    assert home or moved
    if isinstance(row.get("decision_date", row.get("request_date")), date | datetime):
        assert home
