"""The registers agree with each other and the truth, except for planted conflicts.

Covers ``connectors.synthetic.book``, ``connectors.synthetic.conflicts``,
``connectors.synthetic.bond_rows``, ``connectors.synthetic.truth``.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.codec import decode_value, encode_text
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PLANTED, PersonTruth
from connectors.values import PartialDate
from tests.support.synthetic_people import Row, Sample, the_sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return the_sample()


STATUSES_IN_FORCE = ("VALID", "AMENDED")


def compatible(left: object, right: object) -> bool:
    """Whether two dates, of which one may be incomplete, can be the same day."""
    first = PartialDate.parse(str(left))
    second = PartialDate.parse(str(right))
    return first.first <= second.last and second.first <= first.last


def whats(person: PersonTruth) -> set[str]:
    return {conflict.what for conflict in person.conflicts}


@pytest.fixture(scope="module")
def identity(sample: Sample) -> dict[str, Row]:
    return {str(row["citizen_id"]): row for row in sample.population("identity")}


def test_every_value_decodes_to_itself(sample: Sample) -> None:
    for database in (POPULATION, CIVIL_STATUS):
        for record in database.records:
            rows = sample.rows[database.name, record.name]
            for name, _, value in {(n, type(v), v) for row in rows for n, v in row.items()}:
                read = decode_value(record.column(name), encode_text(value))
                assert encode_text(read) == encode_text(value)
            required = {column.name for column in record.columns if column.required}
            assert all(required <= row.keys() for row in rows)


def test_identities_are_unique_within_each_record(sample: Sample) -> None:
    for database in (POPULATION, CIVIL_STATUS):
        for record in database.records:
            rows = sample.rows[database.name, record.name]
            assert rows, f"no rows of {record.name}"
            assert len({row[record.identity] for row in rows}) == len(rows)


def test_everybody_has_an_identity_that_says_the_truth_unless_planted(
    sample: Sample, identity: dict[str, Row]
) -> None:
    assert identity.keys() == sample.people.keys()
    for number, person in sample.people.items():
        row, planted = identity[number], whats(person)
        assert row["full_name"] == person.full_name
        assert row["sex"] == person.sex
        assert compatible(row["birth_date"], person.birth_date) == ("BIRTH_DATE" not in planted)
        assert (row["life_status"] == person.life_state) == ("LIFE_STATUS" not in planted)
        if "LIFE_STATUS" not in planted:
            agrees = row["marital_status"] == person.marital_status
            assert agrees == ("MARITAL_STATUS" not in planted)


def test_births_say_the_truth_and_name_the_legal_parents(sample: Sample) -> None:
    registered = set()
    for row in sample.civil("births"):
        person = sample.people[sample.holder_of(row, "citizen_id") or ""]
        assert row["sex"] == person.sex
        assert compatible(row["birth_date"], person.birth_date)
        if row["status"] not in STATUSES_IN_FORCE:
            continue
        assert person.id not in registered
        registered.add(person.id)
        assert (row["full_name"] == person.full_name) == ("NAME_FORM" not in whats(person))
        assert sample.holder_of(row, "mother_citizen_id") == person.mother_id
        assert sample.holder_of(row, "father_citizen_id") == person.father_id
    for person in sample.people.values():
        assert (person.id in registered) == ("BIRTH_NOT_REGISTERED" not in whats(person))


def test_births_replaced_after_an_adoption_name_the_parents_by_birth(sample: Sample) -> None:
    replaced = [row for row in sample.civil("births") if row["status"] == "SUPERSEDED"]
    assert replaced
    events = {row["event_id"] for row in sample.civil("births")}
    for row in replaced:
        person = sample.people[sample.holder_of(row, "citizen_id") or ""]
        assert person.adopted
        assert sample.holder_of(row, "mother_citizen_id") == person.birth_mother_id
        assert sample.holder_of(row, "father_citizen_id") == person.birth_father_id
        amendments = row["amendments"]
        assert isinstance(amendments, tuple)
        assert set(amendments) <= events


def test_deaths_say_the_truth(sample: Sample) -> None:
    registered = set()
    for row in sample.civil("deaths"):
        person = sample.people[sample.holder_of(row, "citizen_id") or ""]
        if row["status"] == "REVOKED":
            assert person.life_state == "ALIVE"
            continue
        registered.add(person.id)
        assert person.life_state == "DEAD"
        assert compatible(row["death_date"], person.death_date)
    for person in sample.people.values():
        noted = person.id in registered
        assert noted == (
            person.life_state == "DEAD" and "DEATH_NOT_REGISTERED" not in whats(person)
        )


def derived_status(sample: Sample) -> dict[str, str]:
    """Derive everybody's present marital status from civil status alone (domain.md 2.1)."""
    dead = {
        sample.holder_of(row, "citizen_id")
        for row in sample.civil("deaths")
        if row["status"] != "REVOKED"
    }
    divorced = {row["marriage_event_id"] for row in sample.civil("divorces")}
    ends: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in sample.civil("marriages"):
        if row["status"] == "REVOKED":
            continue
        pair = sample.holder_of(row, "husband_citizen_id"), sample.holder_of(row, "wife_citizen_id")
        for first, second in (pair, pair[::-1]):
            is_divorced = row["event_id"] in divorced or row.get("end_reason") == "DIVORCE"
            status = "DIVORCED" if is_divorced else "WIDOWED" if second in dead else "MARRIED"
            ends[str(first)].append((str(row["effective_from"]), status))
    return {
        number: "MARRIED" if "MARRIED" in {s for _, s in spells} else max(spells)[1]
        for number, spells in ends.items()
    }


def test_the_marital_status_of_the_living_follows_from_civil_status(sample: Sample) -> None:
    derived = derived_status(sample)
    gaps = {"MARRIAGE_NOT_REGISTERED", "DIVORCE_NOT_NOTED", "SPOUSE_DEATH_NOT_REGISTERED"}
    compared = 0
    for person in sample.people.values():
        if person.life_state == "DEAD" or whats(person) & gaps:
            continue
        compared += 1
        assert derived.get(person.id, "SINGLE") == person.marital_status
    assert compared > 4_000


def test_ends_noted_at_marriages_are_true_and_point_to_an_event(sample: Sample) -> None:
    events = {
        row["event_id"]
        for record in ("divorces", "deaths", "court_notes")
        for row in sample.civil(record)
    }
    ended_count = noted = 0
    for row in sample.civil("marriages"):
        husband = sample.people[sample.holder_of(row, "husband_citizen_id") or ""]
        wife = sample.holder_of(row, "wife_citizen_id")
        spell = next(
            candidate
            for candidate in husband.marital_history
            if candidate.spouse_id == wife and compatible(row["effective_from"], candidate.start)
        )
        ended_count += spell.end is not None
        if "ended_on" in row:
            noted += 1
            assert (row["ended_on"], row["end_reason"]) == (spell.end, spell.ended_by)
            assert row["end_event_id"] in events
    assert 0.5 < noted / ended_count < 0.95


def test_divorces_take_effect_after_the_judgment(sample: Sample) -> None:
    for row in sample.civil("divorces"):
        judged, effective = row["judgment_date"], row["legal_effect_date"]
        assert isinstance(judged, date)
        assert isinstance(effective, date)
        assert judged < effective


def test_family_rows_follow_the_truth_and_the_planted_marital_status(
    sample: Sample, identity: dict[str, Row]
) -> None:
    kin: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in sample.population("family"):
        assert row["name"] == sample.people[str(row["member_id"])].full_name
        kin[str(row["citizen_id"]), str(row["relation"])].add(str(row["member_id"]))
    for number, person in sample.people.items():
        assert kin[number, "CHILD"] == set(person.children)
        assert kin[number, "MOTHER"] == {parent for parent in (person.mother_id,) if parent}
        assert kin[number, "FATHER"] == {parent for parent in (person.father_id,) if parent}
        assert kin[number, "REPRESENTED"] == set(person.guardian_of)
        if person.life_state == "ALIVE":
            married = identity[number]["marital_status"] == "MARRIED"
            assert bool(kin[number, "SPOUSE"]) == married


def test_households_hold_every_living_person_once(sample: Sample, identity: dict[str, Row]) -> None:
    members = [str(row["member_id"]) for row in sample.population("household_members")]
    assert len(set(members)) == len(members)
    files = {
        str(row["member_id"]): row["residence_file_no"]
        for row in sample.population("household_members")
    }
    for number, person in sample.people.items():
        is_resident = person.life_state == "ALIVE" and number in files
        assert is_resident or person.life_state != "ALIVE" or _is_returned(sample, number)
        assert identity[number].get("residence_file_no") == files.get(number)
    size = len(members) / len(set(files.values()))
    assert 2.8 < size < 4.2


def _is_returned(sample: Sample, number: str) -> bool:
    return any(
        row["event_type"] == "DECLARED_MISSING_REVOKED"
        and sample.holder_of(row, "citizen_id") == number
        for row in sample.civil("court_notes")
    )


def test_every_planted_conflict_can_be_seen_in_the_rows(
    sample: Sample, identity: dict[str, Row]
) -> None:
    conflict_kinds = {
        conflict.what for person in sample.people.values() for conflict in person.conflicts
    }
    assert conflict_kinds >= set(PLANTED)
    numbers: dict[str, set[str]] = defaultdict(set)
    for row in sample.population("earlier_numbers"):
        numbers[str(row["number"])].add(str(row["citizen_id"]))
    for person in sample.people.values():
        for planted in person.conflicts:
            if planted.what == "SHARED_NUMBER":
                number, other = planted.detail.split()
                assert numbers[number] == {person.id, other}


def test_entries_under_earlier_numbers_are_where_the_truth_says(sample: Sample) -> None:
    filed = {
        (filing.record, filing.event_id, filing.number)
        for person in sample.people.values()
        for filing in person.filed_under
        if filing.record in CIVIL_STATUS.by_name
    }
    filings = set()
    for (database, record), rows in sample.rows.items():
        if database != "civil_status":
            continue
        for row in rows:
            for column, value in row.items():
                numbered = column.endswith(("citizen_id", "_id")) and "event" not in column
                if numbered and isinstance(value, str) and value not in sample.people:
                    filings.add((record, row["event_id"], value))
    assert filings == filed
    assert len(filings) > 100
    assert any(len(number) == 12 for _, _, number in filings)


def test_no_free_text_tells_of_an_adoption(sample: Sample) -> None:
    for record in ("births", "changes", "court_notes", "marriages", "guardianships"):
        for row in sample.civil(record):
            for column, value in row.items():
                if isinstance(value, str) and column != "event_type":
                    assert "nuôi" not in value


def test_entries_are_made_after_the_event_and_before_today(sample: Sample) -> None:
    today = sample.options.today
    for row in sample.civil("births"):
        registered, born = row["registration_date"], row["birth_date"]
        assert isinstance(registered, date)
        assert registered < today
        assert PartialDate.parse(str(born)).first < registered
    for row in sample.civil("deaths"):
        registered = row["registration_date"]
        assert isinstance(registered, date)
        assert PartialDate.parse(str(row["death_date"])).first <= registered < today
