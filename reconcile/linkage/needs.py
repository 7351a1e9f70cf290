"""What linkage reads of the databases: columns by record, of the population and of civil status.

Who has an order that protects an address, and who is adopted, is in no extract: that somebody has
such a record is a secret in itself. It is read from the source when records are linked
(``exclusions``).
"""

from __future__ import annotations

from collections.abc import Mapping

#: Records in which people without a number are named, with the columns of each.
LINKED_RECORDS = ("births", "marriages", "deaths")

_ENTRY = ("event_id", "status", "registration_date", "registration_office_name")
_PARTY = ("name", "citizen_id", "birth_date", "nationality")
_NEEDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("population", "identity"): (
        "citizen_id",
        "full_name",
        "other_name",
        "birth_date",
        "sex",
        "birth_place_as_recorded",
        "birth_place_province_code",
        "life_status",
        "death_or_missing_date",
    ),
    ("population", "residences"): (
        "citizen_id",
        "kind",
        "address_as_recorded",
        "address_province_code",
        "valid_from",
    ),
    ("population", "family"): ("citizen_id", "relation", "name", "member_id"),
    ("population", "earlier_numbers"): ("number", "citizen_id"),
    ("civil_status", "births"): (
        *_ENTRY,
        "citizen_id",
        "full_name",
        "sex",
        "birth_date",
        "birth_place_as_recorded",
        "birth_place_province_code",
        "mother_name",
        "father_name",
    ),
    ("civil_status", "marriages"): (
        *_ENTRY,
        *(f"{role}_{column}" for role in ("husband", "wife") for column in _PARTY),
    ),
    ("civil_status", "deaths"): (
        *_ENTRY,
        "citizen_id",
        "full_name",
        "sex",
        "birth_date",
        "death_date",
        "last_residence_as_recorded",
        "last_residence_province_code",
    ),
}


def linkage_needs() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the columns that linkage reads, by database and record, to be extracted as text."""
    return _NEEDS
