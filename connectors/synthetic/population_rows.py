"""Rows of the population database: the 26 items of Law 26/2023 Art. 9 (``domain.md`` 2.7).

They agree with what happened, but for the deviations that ``conflicts`` planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from connectors.synthetic.book import Rows
from connectors.synthetic.conflicts import last_marital_status
from connectors.synthetic.draw import Weighted, age_on, between, birthday, later, stream
from connectors.synthetic.households import Household, households
from connectors.synthetic.model import Citizen, Family, Union
from connectors.synthetic.places import Columns, Home, home, place, province

_BLOOD = Weighted([("O", 45.0), ("B", 30.0), ("A", 20.0), ("AB", 5.0)])
_CARDS_SINCE = date(2021, 1, 4)
_ISSUER = "Cục Cảnh sát quản lý hành chính về trật tự xã hội"
_MIGRATION_RATE = 0.08


@dataclass(slots=True)
class _Register:
    """The rows of one cluster while they are written."""

    family: Family
    rng: Random
    rows: Rows
    entries: int = 0

    def add(self, record: str, row: Columns) -> None:
        self.rows.setdefault(("population", record), []).append(row)

    def entry_id(self) -> str:
        self.entries += 1
        return f"DC-{self.family.index:05d}-{self.entries:05d}"


def add(family: Family, rows: Rows) -> None:
    """Write the rows of the population database for a cluster."""
    rng = stream(family.options.seed, family.index, "population")
    register = _Register(family, rng, rows)
    lodging: dict[int, tuple[Household, str]] = {}
    for household in households(family, rng):
        lodging |= {member.index: (household, kind) for member, kind in household.members}
        _household(register, household)
    for person in family.people:
        register.add("identity", _identity(register, person, lodging.get(person.index)))
        _residences(register, person)
        _relatives(register, person)
        for earlier in person.earlier:
            row: Columns = {
                "entry_id": register.entry_id(),
                "number": earlier.number,
                "citizen_id": person.number,
                "kind": earlier.kind,
                "valid_until": earlier.until,
                "reason": earlier.reason,
            }
            register.add("earlier_numbers", row)


def _identity(
    register: _Register, person: Citizen, lodging: tuple[Household, str] | None
) -> Columns:
    rng, today = register.rng, register.family.options.today
    name, written = person.name, person.born
    row: Columns = {
        "citizen_id": person.number,
        "family_name": name.family,
        "given_name": name.given_name,
        "full_name": name.full,
        "birth_date": person.planted.get("birth", written),
        "sex": person.sex,
        "ethnicity": person.group,
        "religion": person.religion,
        "nationality": "VN",
    }
    if name.middle:
        row["middle_name"] = name.middle
    if person.former_name is not None and person.adoption is None:
        row["other_name"] = person.former_name.full
    row |= place("birth_place", person.birth_home, person.born)
    if person.birth_entry is not None:
        row |= place("birth_registered_at", person.birth_entry.home, person.birth_entry.on)
    elder = person.father or person.mother or person
    row |= place("native_place", elder.birth_home, person.born)
    if rng.random() < 0.3:
        row["blood_group"] = _BLOOD.draw(rng)
    if lodging is not None:
        row["residence_file_no"] = lodging[0].file_no
        row["household_relation"] = lodging[1]
    row |= _life(register, person)
    alive = row["life_status"] == "ALIVE"
    if alive and age_on(person.born, today) >= 14:
        row |= _card(rng, person, today)
    row["status"] = _status(register, person, today)
    return row


def _life(register: _Register, person: Citizen) -> Columns:
    """Return marital and life status; the status at death for the dead."""
    if person.died is not None and "life" not in person.planted:
        row: Columns = {"life_status": "DEAD", "death_or_missing_date": person.died}
    elif person.missing is not None and person.returned is None and person.died is None:
        row = {"life_status": "MISSING", "death_or_missing_date": person.declared_missing}
    else:
        row = {"life_status": "ALIVE"}
    row["marital_status"] = last_marital_status(person, register.family.options.today)
    planted = person.planted.get("marital")
    if isinstance(planted, tuple):
        row["marital_status"] = planted[0]
    return row


def _card(rng: Random, person: Citizen, today: date) -> Columns:
    issued = min(later(rng, max(_CARDS_SINCE, birthday(person.born, 14)), 5, 1900), today)
    age = age_on(person.born, issued)
    row: Columns = {"card_issued_on": issued, "card_issued_at": _ISSUER}
    next_age = next((limit for limit in (25, 40, 60) if age < limit - 2), None)
    if next_age is not None:  # Law 26/2023 Art. 21: renewed at 14, 25, 40 and 60
        row["card_expires_on"] = birthday(person.born, next_age)
    if age >= 16 and rng.random() < 0.8:
        row["phone"] = f"09{between(rng, 0, 99_999_999):08d}"
        if rng.random() < 0.25:
            row["email"] = f"nguoidan{person.number[-6:]}@example.vn"
    return row


def _status(register: _Register, person: Citizen, today: date) -> str:
    """Return whether the data are being corrected: some with a deviation, few others."""
    chance = 0.3 if "birth" in person.planted else 0.002
    return "UNDER_CORRECTION" if register.rng.random() < chance else "CURRENT"


def _residences(register: _Register, person: Citizen) -> None:
    """Write where somebody is registered: at home, and elsewhere for those who left for work."""
    rng, today = register.rng, register.family.options.today
    gone = person.died if "life" not in person.planted else None
    if person.moved is not None:
        _residence(register, person, "PERMANENT", person.birth_home, person.born, person.moved)
    since = person.moved or person.born
    _residence(register, person, "PERMANENT", person.home, since, gone)
    age = age_on(person.born, today)
    if gone is None and 18 <= age < 50 and rng.random() < _MIGRATION_RATE:
        elsewhere = home(rng, province(rng))
        start = later(rng, birthday(person.born, 18), 0, (today - birthday(person.born, 18)).days)
        if person.protection is not None:  # only the substitute; the draws stay those of anybody
            rng.random()
            return
        _residence(register, person, "TEMPORARY", elsewhere, start, None)
        _residence(register, person, "CURRENT", elsewhere, start, None)
        if rng.random() < 0.1:
            _residence(register, person, "ABSENT", person.home, start, None)


def _residence(
    register: _Register, person: Citizen, kind: str, where: Home, since: date, until: date | None
) -> None:
    row: Columns = {
        "entry_id": register.entry_id(),
        "citizen_id": person.number,
        "kind": kind,
        "valid_from": since,
    }
    row |= place("address", where, register.family.options.today, street=True)
    if until is not None:
        row["valid_until"] = until
    register.add("residences", row)


def _relatives(register: _Register, person: Citizen) -> None:
    """Write item 15: parents, spouse, children, representatives."""
    kin: list[tuple[str, Citizen]] = []
    if person.father is not None:
        kin.append(("FATHER", person.father))
    if person.mother is not None:
        kin.append(("MOTHER", person.mother))
    union = _union(register, person)
    if union is not None:
        kin.append(("SPOUSE", union.spouse(person)))
    kin += [("CHILD", child) for child in person.children]
    if person.ward is not None:
        kin.append(("LEGAL_REPRESENTATIVE", person.ward.guardian))
    kin += [("REPRESENTED", ward) for ward in person.guardian_of]
    for relation, other in kin:
        row: Columns = {
            "entry_id": register.entry_id(),
            "citizen_id": person.number,
            "relation": relation,
            "name": other.name.full,
            "member_id": other.number,
            "nationality": "VN",
        }
        if other.earlier and other.earlier[0].kind == "IDENTITY_CARD_9":
            row["old_number"] = other.earlier[0].number
        register.add("family", row)


def _union(register: _Register, person: Citizen) -> Union | None:
    """Return the marriage that the population database believes in."""
    planted = person.planted.get("marital")
    if isinstance(planted, tuple):
        union = planted[1]
        return union if isinstance(union, Union) else None
    if person.died is not None:
        return None
    return person.union_on(register.family.options.today)


def _household(register: _Register, household: Household) -> None:
    for member, relation in household.members:
        row: Columns = {
            "entry_id": register.entry_id(),
            "residence_file_no": household.file_no,
            "relation": relation,
            "name": member.name.full,
            "member_id": member.number,
        }
        register.add("household_members", row)
