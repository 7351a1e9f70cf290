"""Faults of citizen IDs: digits that do not fit the person, numbers used after their cancellation.

Planted as ``contradictions`` says. Nobody is given a number that somebody else has.
"""

from __future__ import annotations

from datetime import date, timedelta

from connectors.synthetic.contradiction_ledger import Contradiction, FaultKind, Ledger
from connectors.synthetic.draw import between, pick, stream
from connectors.synthetic.model import Citizen
from connectors.synthetic.places import home, place, provinces
from connectors.values import PartialDate

RULE = "NUMBER_STRUCTURE"


def numbers_from_elsewhere(ledger: Ledger, person: Citizen) -> None:
    """Record numbers that begin with another province: a cluster ran out of the right ones."""
    entry = person.birth_entry
    if entry is None:
        return
    province = next(candidate for candidate in provinces() if candidate.prefix == person.number[:3])
    if province.new_code != entry.home.province.new_code:
        ledger.record(RULE, person, person.number)


def _number_of_other_sex(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """Both registers have the sex that the number denies."""
    if do:
        sex = "MALE" if person.sex == "FEMALE" else "FEMALE"
        for row in (ledger.identity(person), ledger.birth(person)):
            if row is not None:
                row["sex"] = sex
        ledger.record(RULE, person, person.number)
    return person.death_entry is None


def _number_of_other_year(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """Both registers have the year of birth that the number denies."""
    if do:
        born = PartialDate(person.born.year - between(ledger.rng, 1, 4))
        for row in (ledger.identity(person), ledger.birth(person)):
            if row is not None:
                row["birth_date"] = born
        ledger.record(RULE, person, person.number)
    return person.death_entry is None and person.born.year > 1905


def _number_of_other_province(ledger: Ledger, person: Citizen, do: bool) -> bool:
    entry = person.birth_entry
    if do and entry is not None:
        present = entry.home.province.new_code
        elsewhere = pick(
            ledger.rng, [candidate for candidate in provinces() if candidate.new_code != present]
        )
        at = home(ledger.rng, elsewhere)
        ledger.identity(person).update(place("birth_registered_at", at, entry.on))
        ledger.record(RULE, person, person.number)
    return entry is not None


def _birth_under_cancelled_number(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        birth["citizen_id"] = _cancelled(ledger, person, birth["registration_date"])
        ledger.record("CANCELLED_NUMBER", person, _entry_id(ledger), str(birth["event_id"]))
    return birth is not None


def _aid_under_cancelled_number(ledger: Ledger, person: Citizen, do: bool) -> bool:
    cases = [
        row
        for row in ledger.rows.get(("legal_aid", "cases"), ())
        if row["beneficiary_id"] == person.number
    ]
    if do:
        case = pick(ledger.rng, cases)
        case["beneficiary_id"] = _cancelled(ledger, person, case["request_date"])
        ledger.record("CANCELLED_NUMBER", person, _entry_id(ledger), str(case["case_no"]))
    return bool(cases)


def _birth_under_number_before_it_was_cancelled(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """No fault: the entry is as old as the number."""
    birth = ledger.birth(person)
    if do and birth is not None:
        day = birth["registration_date"]
        assert isinstance(day, date)
        birth["citizen_id"] = _cancelled(ledger, person, day + timedelta(days=21))
    return birth is not None


def _cancelled(ledger: Ledger, person: Citizen, used_on: object) -> str:
    """Give somebody a number that was cancelled before the day on which it was used."""
    assert isinstance(used_on, date)
    prefix = person.birth_home.province.number_prefix(person.born)
    number = ledger.family.numbers.citizen_id(prefix, person.sex, person.born)
    row = {
        "entry_id": ledger.new_id("DC"),
        "number": number,
        "citizen_id": person.number,
        "kind": "CANCELLED",
        "valid_until": used_on - timedelta(days=between(ledger.rng, 1, 20)),
        "reason": "xác lập lại do thông tin ban đầu sai",
    }
    ledger.rows.setdefault(("population", "earlier_numbers"), []).append(row)
    return number


def _entry_id(ledger: Ledger) -> str:
    return str(ledger.rows["population", "earlier_numbers"][-1]["entry_id"])


#: Records in which somebody's number is replaced by that of nobody: identity, column of the number.
_RECORDS = (
    ("civil_status", "births", "event_id", "citizen_id"),
    ("civil_status", "deaths", "event_id", "citizen_id"),
    ("legal_aid", "cases", "case_no", "beneficiary_id"),
    ("administrative_violations", "records", "record_no", "violator_citizen_id"),
    ("civil_enforcement", "exit_postponements", "request_no", "person_id"),
)


def plant_unknown_numbers(ledger: Ledger) -> None:
    """Copy rows to citizen IDs that nobody holds; from random numbers of their own."""
    rng = stream(ledger.family.options.seed, ledger.family.index, "unknown numbers")
    rate = ledger.family.options.contradiction_rate
    for database, record, identity, column in _RECORDS:
        rows = [
            row
            for row in ledger.rows.get((database, record), ())
            if row.get(column) and row.get("status") not in ("REVOKED", "SUPERSEDED")
        ]
        if rng.random() >= rate or not rows:
            continue
        copied = ledger.copy(database, record, identity, pick(rng, rows))
        person = pick(rng, ledger.family.people)
        prefix = person.birth_home.province.number_prefix(person.born)
        copied[column] = ledger.family.numbers.citizen_id(prefix, person.sex, person.born)
        contradiction = Contradiction(
            "UNKNOWN_NUMBER", str(copied[column]), (str(copied[identity]),)
        )
        ledger.contradictions.append(contradiction)


KINDS: tuple[FaultKind, ...] = (
    _number_of_other_sex,
    _number_of_other_year,
    _number_of_other_province,
    _birth_under_cancelled_number,
    _aid_under_cancelled_number,
    _birth_under_number_before_it_was_cancelled,
)
