"""Legal aid, sanctions and protected addresses follow the law and the truth.

Covers ``connectors.synthetic.aid_cases``, ``connectors.synthetic.aid_providers``,
``connectors.synthetic.legal_aid_rows``, ``connectors.synthetic.offences``,
``connectors.synthetic.violations``, ``connectors.synthetic.violation_rows``,
``connectors.synthetic.parties``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

import pytest

from connectors.administrative_violations import DATABASE as VIOLATIONS
from connectors.codec import decode_value, encode_text
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.synthetic import PersonTruth, PopulationOptions, clusters, personas
from connectors.synthetic.draw import age_on
from connectors.synthetic.violations import months_later
from tests.support.synthetic_people import Row, Sample, the_sample

HARDSHIP = {"NEAR_POOR", "MONTHLY_ALLOWANCE"}
NEEDS_HARDSHIP = {
    "ACCUSED_NEAR_POOR",
    "MARTYR_FAMILY",
    "AGENT_ORANGE",
    "ELDERLY",
    "DISABLED",
    "VICTIM_16_18",
    "DOMESTIC_VIOLENCE_VICTIM",
    "TRAFFICKING_VICTIM",
    "HIV",
}


@pytest.fixture(scope="module")
def sample() -> Sample:
    return the_sample()


def aid(sample: Sample, record: str) -> list[Row]:
    return sample.rows["legal_aid", record]


def violations(sample: Sample, record: str) -> list[Row]:
    return sample.rows["administrative_violations", record]


def day(value: object) -> date:
    assert isinstance(value, date)
    return value


def beneficiary(sample: Sample, row: Row) -> PersonTruth:
    return sample.people[str(row["beneficiary_id"])]


def day_of_departure(person: PersonTruth) -> date:
    """Return the day from which somebody can't act any more."""
    return person.missing_since or person.death_date or date.max


def in_order(days: Iterable[object]) -> bool:
    dated = [day(value) for value in days if value is not None]
    return dated == sorted(dated)


@pytest.mark.parametrize("database", [LEGAL_AID, VIOLATIONS], ids=lambda source: str(source.name))
def test_every_value_decodes_to_itself_and_identities_are_unique(
    sample: Sample, database: object
) -> None:
    assert database in (LEGAL_AID, VIOLATIONS)
    for record in (LEGAL_AID if database is LEGAL_AID else VIOLATIONS).records:
        rows = sample.rows[record.database, record.name]
        assert len({row[record.identity] for row in rows}) == len(rows) > 0
        for name, _, value in {(n, type(v), v) for row in rows for n, v in row.items()}:
            read = decode_value(record.column(name), encode_text(value))
            assert encode_text(read) == encode_text(value)
        required = {column.name for column in record.columns if column.required}
        assert all(required <= row.keys() for row in rows)


def test_beneficiaries_meet_their_category(sample: Sample) -> None:
    ethnicity = {str(r["citizen_id"]): r["ethnicity"] for r in sample.population("identity")}
    categories = set()
    for row in aid(sample, "cases"):
        category, proof = str(row["beneficiary_category"]), row["hardship_proof"]
        person = beneficiary(sample, row)
        age = age_on(person.birth_date, day(row["request_date"]))
        categories.add(category)
        assert (proof in HARDSHIP) == (category in NEEDS_HARDSHIP)
        assert (category == "CHILD") <= (age < 16)
        assert category.endswith("_16_18") <= (16 <= age < 18)
        assert (category == "ELDERLY") <= (age >= 60)
        if category == "ETHNIC_MINORITY_SPECIAL_AREA":
            assert ethnicity[person.id] != "Kinh"
        if category == "ACCUSED_NEAR_POOR":
            assert (proof, row.get("field_of_law", "CRIMINAL")) == ("NEAR_POOR", "CRIMINAL")
    assert len(categories) >= 8


def test_members_of_a_household_share_its_hardship(sample: Sample) -> None:
    household = {
        str(row["member_id"]): str(row["residence_file_no"])
        for row in sample.population("household_members")
    }
    proofs: dict[str, set[object]] = defaultdict(set)
    for row in aid(sample, "cases"):
        file_no = household.get(str(row["beneficiary_id"]))
        poor = row["beneficiary_category"] == "POOR_HOUSEHOLD"
        if file_no is not None and (poor or row["hardship_proof"] == "NEAR_POOR"):
            proofs[file_no].add("POOR" if poor else "NEAR_POOR")
    assert proofs
    assert all(len(levels) == 1 for levels in proofs.values())


def test_cases_run_in_order_with_a_status_that_fits(sample: Sample) -> None:
    names = ("request_date", "accepted_date", "assigned_date", "completed_date")
    for row in aid(sample, "cases"):
        person, days = beneficiary(sample, row), [row.get(name) for name in names]
        assert in_order([*days, row.get("file_handover_date"), sample.options.today])
        assert all(day(value) < day_of_departure(person) for value in days if value is not None)
        accepted = row["acceptance_status"] == "ACCEPTED"
        assert accepted == ("accepted_date" in row) == ("status" in row)
        assert (row["acceptance_status"] == "REFUSED") == ("refusal_ground" in row)
        assert (row.get("status") == "COMPLETED") == ("completed_date" in row)
        assert ("assigned_date" in row) == ("assigned_person_id" in row)
        if "completed_date" in row:
            assert "assigned_date" in row
        if row.get("form") == "LITIGATION":
            assert "proceeding_stage" in row
        else:
            assert not {"proceeding_stage", "court_case_no"} & row.keys()
        if row["acceptance_status"] == "PENDING_DOCS":
            assert sample.options.today - day(row["request_date"]) < timedelta(days=10)


def test_a_case_has_one_provider_and_its_own_people(sample: Sample) -> None:
    province = {str(r["organisation_id"]): str(r["organisation_id"]).split(".")[1]
                for r in aid(sample, "providers")}  # fmt: skip
    employer = {r["person_id"]: r["organisation_id"] for r in aid(sample, "aid_persons")}
    assert len(province) == 3 * 34
    open_until: dict[str, date] = {}
    for row in sorted(aid(sample, "cases"), key=lambda case: str(case["request_date"])):
        assert province[str(row["centre_id"])] == row["province_code"]
        if "assigned_person_id" in row:
            assert employer[row["assigned_person_id"]] == row["centre_id"]
        person = str(row["beneficiary_id"])
        assert open_until.get(person, date.min) < day(row["request_date"])
        last = row.get("completed_date")
        if row["acceptance_status"] == "ACCEPTED":
            open_until[person] = day(last) if last else day(row["accepted_date"])


def test_the_timeline_tells_what_the_case_says(sample: Sample) -> None:
    events: dict[object, dict[object, object]] = defaultdict(dict)
    for row in aid(sample, "timeline"):
        events[row["case_no"]][row["kind"]] = row["event_date"]
    columns = {
        "REQUESTED": "request_date",
        "ACCEPTED": "accepted_date",
        "ASSIGNED": "assigned_date",
        "COMPLETED": "completed_date",
        "FILE_HANDED_OVER": "file_handover_date",
    }
    cases = aid(sample, "cases")
    assert events.keys() == {row["case_no"] for row in cases}
    for row in cases:
        timeline = events[row["case_no"]]
        assert {k: timeline.get(k) for k in columns} == {k: row.get(c) for k, c in columns.items()}
        assert (row.get("status") in ("DISCONTINUED", "TRANSFERRED")) == bool(
            timeline.keys() & {"DISCONTINUED", "TRANSFERRED"}
        )


def test_every_case_has_a_beneficiary_with_that_entitlement(sample: Sample) -> None:
    beneficiaries = {row["citizen_id"] for row in aid(sample, "beneficiary")}
    entitled = {
        (row["citizen_id"], row["category"]): (row["valid_from"], row.get("valid_until"))
        for row in aid(sample, "entitlements")
    }
    cases = aid(sample, "cases")
    assert beneficiaries == {row["beneficiary_id"] for row in cases}
    assert entitled.keys() == {(r["beneficiary_id"], r["beneficiary_category"]) for r in cases}
    for row in aid(sample, "entitlements"):
        key = row["citizen_id"], row["category"]
        first = min(
            day(case["request_date"])
            for case in cases
            if (case["beneficiary_id"], case["beneficiary_category"]) == key
        )
        assert day(row["valid_from"]) <= first <= day(row.get("valid_until", date.max))


def test_sanctions_fall_on_those_old_enough_while_they_live(sample: Sample) -> None:
    for row in violations(sample, "sanctions"):
        number = sample.holder_of(row, "violator_citizen_id")
        if number is None:
            continue
        person, decided = sample.people[number], day(row["decision_date"])
        age = age_on(person.birth_date, decided)
        assert decided < day_of_departure(person)
        assert age >= 14
        assert ("fine_amount" in row) == (row["main_sanction"] == "FINE")
        assert row["main_sanction"] == "WARNING" or age >= 16
        assert row["violator_sex"] == person.sex
        if "fine_amount" in row:
            assert 100_000 <= float(str(row["fine_amount"])) <= 60_000_000
        else:
            assert not {"additional_sanctions", "remedial_measures"} & row.keys()


def test_records_lead_to_decisions_and_these_to_acts_and_executions(sample: Sample) -> None:
    sanctions = {row["decision_no"]: row for row in violations(sample, "sanctions")}
    records = {row["record_no"]: row for row in violations(sample, "records")}
    assert {row["decision_no"] for row in violations(sample, "acts")} == sanctions.keys()
    assert {r["record_no"] for r in sanctions.values() if "record_no" in r} == records.keys()
    for row in sanctions.values():
        assert (row["procedure"] == "ON_SPOT") == ("record_no" not in row)
        if "record_no" in row:
            record = records[row["record_no"]]
            assert 0 <= (day(row["decision_date"]) - day(record["made_on"])).days <= 7
            parties = [{k: v for k, v in r.items() if k.startswith("violator_")
                        and k not in ("violator_sex", "violator_licence_no")}
                       for r in (row, record)]  # fmt: skip
            assert parties[0] == parties[1]
    paid: dict[object, float] = defaultdict(float)
    for row in violations(sample, "executions"):
        decision = sanctions[row["decision_no"]]
        paid[row["decision_no"]] += float(str(row.get("amount_paid", 0)))
        for name in ("executed_on", "completed_on", "expired_on"):
            if name in row:
                assert day(decision["decision_date"]) <= day(row[name]) < sample.options.today
        if "expired_on" in row:
            assert decision["status"] == "EXPIRED"
            assert row["expired_on"] == months_later(day(decision["decision_date"]), 12)
        if "completed_on" in row:
            assert decision["status"] == "EXECUTED"
    for number, amount in paid.items():
        fine = float(str(sanctions[number].get("fine_amount", 0)))
        assert amount <= fine
        if sanctions[number]["status"] == "EXPIRED":
            assert amount == 0


def test_the_truth_knows_which_sanctions_still_count(sample: Sample) -> None:
    """Law 15/2012/QH13 Art. 7, computed again from the rows alone."""
    today, ends = sample.options.today, {}
    for row in violations(sample, "executions"):
        end_day = row.get("completed_on") or row.get("expired_on")
        if end_day is not None:
            ends[row["decision_no"]] = day(end_day)
    expired: dict[str, list[bool]] = defaultdict(list)
    for row in violations(sample, "sanctions"):
        number = sample.holder_of(row, "violator_citizen_id")
        if number is None:
            continue
        months, end_day = (
            6 if row["main_sanction"] == "WARNING" else 12,
            ends.get(row["decision_no"]),
        )
        is_expired = end_day is not None and months_later(end_day, months) < today
        truth = {sanction.decision_no: sanction for sanction in sample.people[number].sanctions}
        assert truth[str(row["decision_no"])].expired == is_expired
        expired[number].append(is_expired)
    for person in sample.people.values():
        dates = expired.get(person.id, [])
        assert len(dates) == len(person.sanctions)
        assert ("fined" in person.tags) == (False in dates)
        assert ("fined_expired" in person.tags) == (bool(dates) and False not in dates)


def test_no_sanction_falls_into_the_period_of_an_earlier_one(sample: Sample) -> None:
    several = [person.sanctions for person in sample.people.values() if len(person.sanctions) > 1]
    assert several
    for sanctions in several:
        for earlier, following in pairwise(sanctions):
            assert earlier.counts_until is not None
            assert earlier.counts_until < following.decided


def test_some_offenders_are_companies_and_some_are_under_an_earlier_number(sample: Sample) -> None:
    sanctions = violations(sample, "sanctions")
    companies = [row for row in sanctions if row["violator_kind"] == "ORGANISATION"]
    names = {person.full_name for person in sample.people.values()}
    assert companies
    for row in companies:
        assert "violator_citizen_id" not in row
        assert row["violator_enterprise_code"] == row["violator_licence_no"]
        assert row["violator_representative"] in names
    old = [row for row in sanctions if len(str(row.get("violator_citizen_id", ""))) == 9]
    assert old
    for row in old:
        person = sample.people[sample.holder_of(row, "violator_citizen_id") or ""]
        filed = {(filing.record, filing.event_id, filing.number) for filing in person.filed_under}
        number = row["violator_citizen_id"]
        assert ("sanctions", row["decision_no"], number) in filed
        assert "record_no" not in row or ("records", row["record_no"], number) in filed


def test_measures_are_for_few_adults(sample: Sample) -> None:
    rows = violations(sample, "handling_decisions")
    assert 0 < len(rows) < len(sample.people) / 200
    for row in rows:
        person = sample.people[str(row["citizen_id"])]
        assert age_on(person.birth_date, day(row["valid_from"])) >= 18
        assert day(row["valid_from"]) < day_of_departure(person)
        truth = next(
            handling for handling in person.handled if handling.decision_no == row["decision_no"]
        )
        assert truth.completed_on == row.get("completed_on")


def test_rates_are_those_of_a_demo(sample: Sample) -> None:
    people = len(sample.people)
    adults = [person for person in sample.people.values() if person.life_state == "ALIVE"
              and age_on(person.birth_date, sample.options.today) >= 18]  # fmt: skip
    assert 0.01 < sum(bool(person.legal_aid) for person in sample.people.values()) / people < 0.025
    assert 0.02 < sum("fined" in adult.tags for adult in adults) / len(adults) < 0.07
    assert 0.03 < sum("fined_expired" in adult.tags for adult in adults) / len(adults) < 0.08
    assert 0.001 < sum("protected" in adult.tags for adult in adults) / len(adults) < 0.006


@pytest.mark.parametrize("seed", [1, 7, 2026, 4711])
def test_a_demo_of_two_thousand_shows_every_one_as_a_living_adult(seed: int) -> None:
    people = [
        person for c in clusters(PopulationOptions(people=2_000, seed=seed)) for person in c.truth
    ]
    cast = personas(people)
    truth = {person.id: person for person in people}
    for tag in ("legal_aid", "fined", "fined_expired", "protected"):
        faces = [truth[str(persona["id"])] for persona in cast if tag in str(persona["tags"])]
        assert any(
            face.life_state == "ALIVE" and age_on(face.birth_date, PopulationOptions(1).today) >= 18
            for face in faces
        ), tag
