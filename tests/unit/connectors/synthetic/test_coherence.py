"""Over 20,000 people, databases contradict each other only where the truth plants a conflict.

Covers ``connectors.synthetic.population_rows``, ``connectors.synthetic.civil_status_rows``,
``connectors.synthetic.vital_rows``, ``connectors.synthetic.union_rows``.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from datetime import date

import pytest

from connectors.codec import decode_value, encode_text
from connectors.description import Kind, Record
from connectors.synthetic import PersonTruth
from connectors.synthetic.draw import age_on
from tests.support.synthetic_people import (
    DATABASES,
    Row,
    Sample,
    all_rows,
    first,
    last,
    number_columns,
    the_world,
)
from tests.unit.connectors.synthetic.test_registers import derived_status

STATUSES_IN_FORCE = ("VALID", "AMENDED")
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
    return the_world()


@pytest.fixture(scope="module")
def identity(world: Sample) -> dict[str, Row]:
    return {str(row["citizen_id"]): row for row in world.population("identity")}


def whats(person: PersonTruth) -> set[str]:
    return {conflict.what for conflict in person.conflicts}


def compatible(first_value: object, second_value: object) -> bool:
    return first(first_value) <= last(second_value) and first(second_value) <= last(first_value)


def day_of_departure(person: PersonTruth) -> date:
    """Return the day of death or disappearance, the last possible day for the living."""
    return person.missing_since or person.death_date or date.max


def folded(text: object) -> str:
    """Return a name without its tone marks and their places, as NFC and NFD write it alike."""
    return "".join(c for c in unicodedata.normalize("NFD", str(text)) if c.isalpha() or c == " ")


@pytest.mark.long
def test_every_value_can_be_read_and_identities_are_unique(world: Sample) -> None:
    for record, rows in all_rows(world):
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
        (filing.record, filing.event_id, filing.number)
        for person in world.people.values()
        for filing in person.filed_under
    }
    filings = set()
    for record, rows in all_rows(world):
        columns = [c.name for c in record.columns if c.field.kind is Kind.PERSON_NUMBER]
        for row in rows if record.database != "population" else ():
            for value in (row[name] for name in columns if name in row):
                for number in value if isinstance(value, tuple) else (value,):
                    if number not in world.people:
                        assert number in world.holder
                        filings.add((record.name, row[record.identity], number))
    assert filings == filed
    assert {name for name, _, _ in filings} >= {"births", "marriages", "sanctions", "records"}


def test_names_birth_dates_and_sexes_agree_everywhere(world: Sample) -> None:
    compared: dict[str, int] = defaultdict(int)
    for record, rows in all_rows(world):
        for key, start in number_columns(record):
            for row in rows:
                number = world.holder_of(row, key)
                if number is None:
                    continue
                person = world.people[number]
                compared[record.database] += 1
                _agrees(record, row, start, person)
    assert compared.keys() == {database.name for database in DATABASES}
    assert sum(compared.values()) > 150_000


def _agrees(record: Record, row: Row, start: str, person: PersonTruth) -> None:
    record_name, planted = f"{record.database}.{record.name}", whats(person)
    name = row.get(f"{start}name", row.get(f"{start}full_name"))
    if name is not None:
        allowed = {person.full_name, person.former_name}
        folds = {folded(spelling) for spelling in allowed if spelling}
        assert name in allowed or (
            "NAME_FORM" in planted
            and record_name == "civil_status.births"
            and folded(name) in folds
        ), record_name
    born = row.get(f"{start}birth_date")
    if born is not None:
        expected = "BIRTH_DATE" not in planted or record.database != "population"
        assert compatible(born, person.birth_date) == expected, record_name
    sex = row.get(f"{start}sex")
    assert sex in (None, person.sex), record_name


def test_nothing_is_done_before_birth_or_after_death(world: Sample) -> None:
    for database, record, when, columns in DEEDS:
        checked = 0
        for row in world.rows[database, record]:
            for number in filter(None, (world.holder_of(row, column) for column in columns)):
                if when in row:
                    checked += 1
                    person = world.people[number]
                    assert first(row[when]) < day_of_departure(person), (record, when)
                    assert person.birth_date <= last(row[when]), (record, when)
        assert checked, (record, when)


def test_parties_live_when_a_record_is_made(world: Sample) -> None:
    for database, record, when, parties in PARTIES:
        declared = next(source for source in DATABASES if source.name == database).by_name[record]
        key = declared.identity
        first_days = {row[key]: first(row[when]) for row in world.rows[database, record]}
        for row in world.rows[database, parties]:
            number = world.holder_of(row, "party_citizen_id")
            if number is None:
                continue
            person, day = world.people[number], first_days[row[key]]
            assert person.birth_date < day < day_of_departure(person), parties
            if row["role"] not in ("HEIR", "RELATED", "CREDITOR", "TRANSFEREE"):
                assert age_on(person.birth_date, day) >= 18, (parties, row["role"])


def test_life_and_death_agree(world: Sample, identity: dict[str, Row]) -> None:
    deaths = {
        world.holder_of(row, "citizen_id"): row
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


def test_kinship_agrees_between_births_and_family_members(world: Sample) -> None:
    kin: dict[tuple[str, object], set[str]] = defaultdict(set)
    for row in world.population("family"):
        kin[str(row["citizen_id"]), row["relation"]].add(str(row["member_id"]))
    compared = 0
    for row in world.civil("births"):
        child = world.holder_of(row, "citizen_id")
        if row["status"] not in STATUSES_IN_FORCE or child is None:
            continue
        for relation in ("MOTHER", "FATHER"):
            parent = world.holder_of(row, f"{relation.lower()}_citizen_id")
            compared += parent is not None
            assert kin[child, relation] == {
                number_of_parent for number_of_parent in (parent,) if number_of_parent
            }
            assert parent is None or child in kin[parent, "CHILD"]
    assert compared > 20_000
    for (number, kind), relatives in list(kin.items()):
        if kind == "SPOUSE":
            partners = {
                number_of_parent.spouse_id
                for number_of_parent in world.people[number].marital_history
            }
            assert relatives <= partners


def test_spouses_are_of_age_and_legal_aid_and_sanctions_fit_the_age(world: Sample) -> None:
    for row in world.civil("marriages"):
        for role, age in (("husband", 20), ("wife", 18)):
            person = world.people[world.holder_of(row, f"{role}_citizen_id") or ""]
            assert age_on(person.birth_date, last(row["effective_from"])) >= age
    limits = {"CHILD": (0, 15), "ACCUSED_16_18": (16, 17), "VICTIM_16_18": (16, 17),
              "ELDERLY": (60, 200)}  # fmt: skip
    for row in world.rows["legal_aid", "cases"]:
        person = world.people[world.holder_of(row, "beneficiary_id") or ""]
        low, high = limits.get(str(row["beneficiary_category"]), (0, 200))
        assert low <= age_on(person.birth_date, first(row["request_date"])) <= high
    for row in world.rows["administrative_violations", "sanctions"]:
        number = world.holder_of(row, "violator_citizen_id")
        if number is not None:
            age = age_on(world.people[number].birth_date, first(row["decision_date"]))
            assert age >= (14 if row["main_sanction"] == "WARNING" else 16)


def test_ethnic_groups_agree(world: Sample, identity: dict[str, Row]) -> None:
    for row in world.rows["legal_aid", "beneficiary"]:
        assert row["ethnicity"] == identity[str(row["citizen_id"])]["ethnicity"]
    for row in world.rows["legal_aid", "cases"]:
        if row["beneficiary_category"] == "ETHNIC_MINORITY_SPECIAL_AREA":
            assert identity[str(row["beneficiary_id"])]["ethnicity"] != "Kinh"
