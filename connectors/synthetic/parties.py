"""Columns of those whom records of property, security and enforcement name."""

from __future__ import annotations

from datetime import date
from random import Random

from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.organisations import Organisation
from connectors.synthetic.places import Columns, place, year_only
from connectors.synthetic.property_model import Owner

#: Records of before this day that came from older systems know little of their parties.
_ELECTRONIC_SINCE = date(2016, 1, 1)


def party(
    field: str, owner: Owner, day: date, number: str | None = None, *, residence: bool = True
) -> Columns:
    """Return the columns of somebody named in a record of ``day``, under ``number`` if given."""
    if isinstance(owner, Organisation):
        return owner.party(field)
    row: Columns = {f"{field}_kind": "INDIVIDUAL"}
    if not isinstance(owner, Citizen):
        row[f"{field}_name"] = owner.name
        row[f"{field}_birth_date"] = year_only(owner.year)
        row[f"{field}_nationality"] = "VN"
        return row | place(f"{field}_residence", owner.home, day)
    row[f"{field}_name"] = owner.name_on(day).full
    row[f"{field}_citizen_id"] = number or owner.number
    row[f"{field}_nationality"] = "VN"
    if day < _ELECTRONIC_SINCE:
        row[f"{field}_birth_date"] = year_only(owner.born.year)
        return row
    row[f"{field}_birth_date"] = owner.born
    if residence:
        row |= place(f"{field}_residence", owner.home_on(day), day, street=True)
    old = next((e for e in owner.earlier if e.kind == "IDENTITY_CARD_9"), None)
    card = old is not None and day < old.until
    row[f"{field}_id_document_kind"] = "IDENTITY_CARD_9" if card else "CITIZEN_CARD"
    row[f"{field}_id_document_number"] = old.number if old and card else owner.number
    return row


def filed_number(
    family: Family, rng: Random, owner: Owner, record: str, entry: str, day: date
) -> str | None:
    """Return the number under which a party is filed, None for an organisation.

    Like ``Book.number``: some old entries are under an earlier number, and the truth knows which.
    """
    if not isinstance(owner, Citizen):
        return None
    if owner.earlier and rng.random() < family.options.earlier_number_rate:
        earlier = owner.earlier[-1]
        shared = any(kind == "SHARED_NUMBER" for kind, _ in owner.conflicts)
        if day < earlier.until and not shared:
            owner.filed.append((record, entry, earlier.number))
            return earlier.number
    return owner.number
