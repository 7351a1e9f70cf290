"""Cases that several rules have in common."""

from __future__ import annotations

from collections.abc import Callable

from rules.expression import ColumnTerm, Condition, IdentityOrder, RowVariable, all_of, any_row
from rules.rule import Case, case, in_force

_identity = any_row("population", "identity")


def name_cases(compare: Callable[[ColumnTerm, ColumnTerm], Condition]) -> tuple[Case, ...]:
    """Return the cases that compare the population database's name with births and deaths."""
    entries = (any_row("civil_status", "births"), any_row("civil_status", "deaths"))
    return tuple(_name_case(entry, compare) for entry in entries)


def _name_case(entry: RowVariable, compare: Callable[[ColumnTerm, ColumnTerm], Condition]) -> Case:
    return case(
        (_identity, ("full_name",)),
        (entry, ("full_name",)),
        where=all_of(in_force(entry), compare(_identity["full_name"], entry["full_name"])),
        prevails=entry,
    )


def pair_in_force(lookup: str, columns: tuple[str, ...]) -> Case:
    """Return the case of two entries in force in one list of civil status; neither prevails."""
    first, second = any_row("civil_status", lookup), any_row("civil_status", lookup)
    return case(
        (first, columns),
        (second, columns),
        where=all_of(in_force(first), in_force(second), IdentityOrder(first, second)),
    )
