"""The truth about a person, whatever the registers say. Tests read it; the gateway never does."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import date

from connectors.synthetic.conflicts import last_marital_status
from connectors.synthetic.dealings import AidCase, Handling, ProtectedAddress, Sanction
from connectors.synthetic.draw import age_on
from connectors.synthetic.model import Citizen, Family, Union
from connectors.synthetic.property_model import Estate
from connectors.synthetic.property_truth import (
    CaseRole,
    OwnedAsset,
    Possessions,
    SecurityRole,
    possessions,
)
from connectors.synthetic.protection import protected_address


@dataclass(frozen=True, slots=True)
class MaritalSpell:
    """One marriage of a person; ``ended_by`` is a MarriageEndReason or None."""

    spouse_id: str
    start: date
    end: date | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Filing:
    """That a person's part of an entry is under an earlier number."""

    record: str
    event_id: str
    number: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A disagreement of the registers that the generator planted, or a gap that it left.

    ``what``: BIRTH_DATE, MARITAL_STATUS, NAME_FORM, LIFE_STATUS, SHARED_NUMBER are planted;
    BIRTH_, DEATH_, SPOUSE_DEATH_, MARRIAGE_NOT_REGISTERED and DIVORCE_NOT_NOTED are gaps.
    """

    what: str
    detail: str


#: Conflicts in which both registers speak, and differently.
PLANTED = ("BIRTH_DATE", "MARITAL_STATUS", "NAME_FORM", "LIFE_STATUS", "SHARED_NUMBER")


@dataclass(frozen=True, slots=True)
class PersonTruth:
    """One person. ``mother_id`` and ``father_id`` are the legal parents.

    ``birth_mother_id`` / ``birth_father_id`` are those at birth: they differ after an adoption for
    which the birth was registered anew. ``children`` are by law, adopted ones included.
    """

    id: str
    full_name: str
    sex: str
    birth_date: date
    life_state: str
    death_date: date | None
    missing_since: date | None
    mother_id: str | None
    father_id: str | None
    birth_mother_id: str | None
    birth_father_id: str | None
    marital_status: str
    marital_history: tuple[MaritalSpell, ...]
    children: tuple[str, ...]
    earlier_numbers: tuple[str, ...]
    filed_under: tuple[Filing, ...]
    former_name: str | None
    founder: bool
    adopted: bool
    adopted_children: tuple[str, ...]
    guardian_of: tuple[str, ...]
    ward_of: str | None
    incapacitated: bool
    conflicts: tuple[Conflict, ...]
    legal_aid: tuple[AidCase, ...]
    sanctions: tuple[Sanction, ...]
    handled: tuple[Handling, ...]
    protection: ProtectedAddress | None
    assets: tuple[OwnedAsset, ...]
    enforcement_cases: tuple[CaseRole, ...]
    securities: tuple[SecurityRole, ...]
    transactions: tuple[str, ...]
    wills: tuple[str, ...]
    tags: tuple[str, ...]

    def as_json(self) -> str:
        """Return the truth as one line of JSON: names as here, dates in ISO form."""
        return _ENCODER.encode(self)


def _plain(value: object) -> object:
    """Return a truth, a nested value or a date in a form that JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_plain, check_circular=False)


def truths(family: Family, estate: Estate | None = None) -> tuple[PersonTruth, ...]:
    """Return the truth about everybody in a cluster, whose property is ``estate``."""
    property_of = possessions(estate)
    return tuple(
        _truth(person, property_of[person.index], family.options.today) for person in family.people
    )


def _truth(person: Citizen, property_of: Possessions, today: date) -> PersonTruth:
    state = _life_state(person)
    marital = last_marital_status(person, today)
    return PersonTruth(
        id=person.number,
        full_name=person.name.full,
        sex=person.sex,
        birth_date=person.born,
        life_state=state,
        death_date=person.died,
        missing_since=person.missing if person.returned is None else None,
        mother_id=_number(person.mother),
        father_id=_number(person.father),
        birth_mother_id=_number(person.birth_mother),
        birth_father_id=_number(person.birth_father),
        marital_status=marital,
        marital_history=tuple(_spell(union, person) for union in person.unions),
        children=tuple(child.number for child in person.children),
        earlier_numbers=tuple(earlier.number for earlier in person.earlier),
        filed_under=tuple(Filing(*filing) for filing in person.filed),
        former_name=person.former_name.full if person.former_name else None,
        founder=person.founder,
        adopted=person.adoption is not None,
        adopted_children=tuple(child.number for child in person.adopted),
        guardian_of=tuple(ward.number for ward in person.guardian_of),
        ward_of=_number(person.ward.guardian) if person.ward else None,
        incapacitated=person.incapacitated is not None,
        conflicts=tuple(Conflict(*conflict) for conflict in person.conflicts),
        legal_aid=tuple(person.aid),
        sanctions=tuple(person.sanctions),
        handled=tuple(person.handled),
        protection=protected_address(person, today),
        assets=tuple(property_of.assets),
        enforcement_cases=tuple(property_of.cases),
        securities=tuple(property_of.securities),
        transactions=tuple(property_of.transactions),
        wills=tuple(property_of.wills),
        tags=_tags(person, state, marital, today) + property_of.tags(),
    )


def _life_state(person: Citizen) -> str:
    if person.died is not None:
        return "DEAD"
    return "MISSING" if person.missing is not None and person.returned is None else "ALIVE"


def _number(person: Citizen | None) -> str | None:
    return None if person is None else person.number


def _spell(union: Union, person: Citizen) -> MaritalSpell:
    return MaritalSpell(union.spouse(person).number, union.start, union.end, union.reason)


def _tags(person: Citizen, state: str, marital: str, today: date) -> tuple[str, ...]:
    """Return the tags of design section 10 that these two databases can fill."""
    kin = [p for p in (person.mother, person.father) if p is not None] + person.children
    kin += [
        u.spouse(person) for u in person.unions if u.reason in ("DEATH_OF_SPOUSE", "DECLARED_DEAD")
    ]
    facts = {
        "married": state == "ALIVE" and marital == "MARRIED",
        "divorced": state == "ALIVE" and marital == "DIVORCED",
        "widowed": state == "ALIVE" and marital == "WIDOWED",
        "deceased": state == "DEAD",
        "minor": state == "ALIVE" and age_on(person.born, today) < 18,
        "adopted": person.adoption is not None,
        "old_number": bool(person.filed),
        "conflicting_data": any(kind in PLANTED for kind, _ in person.conflicts),
        "legal_aid": bool(person.aid),
        "fined": any(not sanction.expired for sanction in person.sanctions),
        "fined_expired": bool(person.sanctions)
        and all(sanction.expired for sanction in person.sanctions),
        "protected": person.protection is not None,
        "bereaved": state == "ALIVE" and any(relative.died is not None for relative in kin),
    }
    return tuple(tag for tag, holds in facts.items() if holds)
