"""Faults of places: another province of birth, another residence, names of before the mergers.

Planted as ``contradictions`` says.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from connectors.synthetic.book import Rows
from connectors.synthetic.contradiction_ledger import IN_FORCE, FaultKind, Ledger
from connectors.synthetic.draw import pick
from connectors.synthetic.model import Citizen
from connectors.synthetic.names import without_marks
from connectors.synthetic.numbers import NEW_PROVINCES_SINCE
from connectors.synthetic.places import Columns, Home, Province, home, place, provinces


def _put(row: Columns, field: str, place_columns: Columns) -> None:
    """Write a place in the place of another."""
    for name in ("as_recorded", "as_of", "country", "commune_code", "province_code"):
        row.pop(f"{field}_{name}", None)
    row |= place_columns


def _elsewhere(ledger: Ledger, not_in: Collection[object]) -> Home:
    """Return a place outside the present provinces ``not_in``."""
    other_provinces = [province for province in provinces() if province.new_code not in not_in]
    return home(ledger.rng, pick(ledger.rng, other_provinces))


def _born_elsewhere(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        at = _elsewhere(ledger, {person.birth_home.province.new_code})
        # What was written before 2009 is compared with a code only.
        coded = person.born.year < 2009 or ledger.rng.random() < 0.5
        _put(birth, "birth_place", place("birth_place", at, person.born, coded=coded))
        ledger.record("PLACE", person, person.number, str(birth["event_id"]))
    return birth is not None and person.born < NEW_PROVINCES_SINCE


def _born_abroad(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        _put(
            birth, "birth_place", {"birth_place_as_recorded": "Praha", "birth_place_country": "CZ"}
        )
        ledger.record("PLACE", person, person.number, str(birth["event_id"]))
    return birth is not None


def _has_other_name(province: Province) -> bool:
    """Whether a province was merged into one that has another's name."""
    partners = [partner for partner in provinces() if partner.new_code == province.new_code]
    name = without_marks(province.name.removeprefix("TP. "))
    return len(partners) > 1 and name not in without_marks(province.new_name)


def _present_name(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """The population database writes the place of birth as it is called today."""
    birth, at = ledger.birth(person), person.birth_home
    today = ledger.family.options.today
    if do and birth is not None:
        _put(ledger.identity(person), "birth_place", place("birth_place", at, today))
        ledger.record("PLACE_FORM", person, person.number, str(birth["event_id"]))
    return birth is not None and _has_other_name(at.province) and person.born < NEW_PROVINCES_SINCE


def _address_on(rows: Rows, person: Citizen, day: object) -> Columns | None:
    """Return the permanent residence of somebody on a day, from the day after it began."""
    for row in rows["population", "residences"]:
        since, until = row["valid_from"], row.get("valid_until")
        if row["citizen_id"] != person.number or row["kind"] != "PERMANENT":
            continue
        assert isinstance(day, date)
        assert isinstance(since, date)
        if since < day and (until is None or (isinstance(until, date) and day <= until)):
            return row
    return None


def _lived_elsewhere(
    ledger: Ledger, person: Citizen, do: bool, row: Columns | None, field: str, day: str
) -> bool:
    address = None if row is None else _address_on(ledger.rows, person, row[day])
    if do and row is not None and address is not None:
        residences = ledger.rows["population", "residences"]
        at = _elsewhere(
            ledger,
            {
                residence["address_province_code"]
                for residence in residences
                if residence["citizen_id"] == person.number
            },
        )
        _put(row, field, place(field, at, ledger.family.options.today, street=True))
        ledger.record("RESIDENCE", person, str(address["entry_id"]), str(row["event_id"]))
    return address is not None


def _died_elsewhere(ledger: Ledger, person: Citizen, do: bool) -> bool:
    death = ledger.death(person)
    return _lived_elsewhere(ledger, person, do, death, "last_residence", "death_date")


def _confirmed_elsewhere(ledger: Ledger, person: Citizen, do: bool) -> bool:
    rows = ledger.rows.get(("civil_status", "marital_status_confirmations"), ())
    confirmation = next(
        (row for row in rows if row["citizen_id"] == person.number and row["status"] in IN_FORCE),
        None,
    )
    return _lived_elsewhere(ledger, person, do, confirmation, "residence", "issued_on")


KINDS: tuple[FaultKind, ...] = (
    _born_elsewhere,
    _born_abroad,
    _present_name,
    _died_elsewhere,
    _confirmed_elsewhere,
)
