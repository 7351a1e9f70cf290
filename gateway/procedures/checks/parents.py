"""The parents of somebody by the civil status book, and whether the book names all there are.

Nearly every field of a digitised entry may be missing (domain.md 2.1), so that a parent who is not
named may be missing from the entry alone. Where the circumstances of the birth explain it, nobody
is: the father of a child out of wedlock, both parents of an abandoned child.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.derived.kin import RECOGNITIONS, NamedGroup, parents_in
from gateway.derived.registers import BIRTHS, in_force
from gateway.derived.view import Evidence, Facts, UnknownReason

#: The lists of somebody from which parents are read.
PARENT_LISTS = (BIRTHS, RECOGNITIONS)
#: Circumstances of a birth for which a father, or a mother, is rightly not recorded.
_WITHOUT_FATHER = frozenset({"OUT_OF_WEDLOCK", "ABANDONED", "PARENT_UNDETERMINED"})
_WITHOUT_MOTHER = frozenset({"ABANDONED", "PARENT_UNDETERMINED"})


def recorded_parents(evidence: Evidence) -> NamedGroup:
    """Return the parents of somebody; ``reason``: why there may be more, by law, than are named."""
    births = evidence.list(BIRTHS)
    named = parents_in(births, evidence.list(RECOGNITIONS), evidence.numbers)
    return with_gaps(births, named)


def with_gaps(births: Facts, named: NamedGroup) -> NamedGroup:
    """Return ``named`` with the reason NOT_RECORDED where the births explain no missing parent."""
    if named.reason is not None:
        return named
    roles = {parent.role for parent in named.relatives}
    circumstances = {
        births.code(row, "birth_circumstance")
        for row in births.rows
        if in_force(births, row) is not False
    }
    for role, explained in (("father", _WITHOUT_FATHER), ("mother", _WITHOUT_MOTHER)):
        if role not in roles and not circumstances <= explained:
            return replace(named, reason=UnknownReason.NOT_RECORDED)
    return named
