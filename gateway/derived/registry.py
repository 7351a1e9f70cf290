"""Derived views: what is worked out of records, in place of the records themselves.

Domain.md section 4: predicate answers before raw attributes. Each is one file with its rule and the
law; ``ALL`` shows them all.
"""

from __future__ import annotations

from gateway.derived import (
    active_block,
    conflicts,
    family,
    guardianship,
    legal_capacity,
    life_status,
    marital_status,
    residence,
    unsanctioned,
)
from gateway.derived.view import DerivedView

#: In the order of the schema.
ALL: tuple[DerivedView, ...] = (
    unsanctioned.DERIVED,
    life_status.DERIVED,
    marital_status.DERIVED,
    legal_capacity.DERIVED,
    guardianship.DERIVED,
    residence.DERIVED,
    active_block.DERIVED,
    family.DERIVED,
    conflicts.DERIVED,
)


def derived_of(database: str) -> tuple[DerivedView, ...]:
    """Return the derived views of a database; ``PERSON``: those that are fields of Person."""
    return tuple(view for view in ALL if view.database == database)
