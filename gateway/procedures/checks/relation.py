"""How two people of a case are related, as far as their own records show it.

Law on Marriage and Family 52/2014/QH13 Art. 3(16)-(19): spouses, parents and children, siblings.
Only records of the two are read: births, marriages, guardianships, and what the population database
says of their families. Whom else these records name is of no concern. A relation that no register
shows may be shown by a document; one that a register could not tell is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.description import Text
from gateway.derived.kin import (
    CHILDREN,
    RECOGNITIONS,
    REGISTERED_FAMILY,
    parents_in,
    recognised_children,
    registered_kin,
)
from gateway.derived.legal_capacity import GUARDIANSHIPS, wardships
from gateway.derived.marriages import DIVORCES, MARRIAGES, marriages_of
from gateway.derived.registers import BIRTHS, DEATHS, NOTES, in_force
from gateway.derived.view import Evidence, LaterReads, UnknownReason
from gateway.procedures.checks.rule import RuleResult

#: The lists of the two, for ``is_close_relative``; spouses are looked at in later waves.
FIRST_LISTS = (
    BIRTHS,
    CHILDREN,
    RECOGNITIONS,
    REGISTERED_FAMILY,
    MARRIAGES,
    DIVORCES,
    DEATHS,
    NOTES,
)
SECOND_LISTS = (BIRTHS, REGISTERED_FAMILY)
#: As many spouses as are looked at.
SPOUSES = 50
SPOUSE_READS = (LaterReads(DEATHS, SPOUSES), LaterReads(NOTES, SPOUSES))
#: The lists of a child, and of a ward.
PARENT_LISTS = (BIRTHS, RECOGNITIONS)
GUARDIAN_LISTS = (GUARDIANSHIPS,)
#: Why registers that answered in full do not show a relation: a document may.
_NOT_IN_REGISTERS = frozenset(
    {UnknownReason.NOT_COVERED, UnknownReason.NOT_RECORDED, UnknownReason.CONTRADICTORY}
)


def unproved(reason: UnknownReason | None, not_shown: Text, not_known: Text) -> RuleResult:
    """Return the result where no register shows a relation; ``reason``: why it may be all the same.

    ``not_shown``: a document has to show it. ``not_known``: a register did not answer in full.
    """
    if reason is None or reason in _NOT_IN_REGISTERS:
        return RuleResult.needs_document(not_shown)
    return RuleResult.unknown(not_known, reason)


def is_close_relative(first: Evidence, second: Evidence) -> tuple[bool, UnknownReason | None]:
    """Say whether the two are shown to be spouses, parent and child, or siblings.

    Where they are not: why they may be all the same. ``first`` needs ``FIRST_LISTS``, ``second``
    ``SECOND_LISTS``.
    """
    findings = list(_findings(first, second))
    if any(is_shown for is_shown, reason in findings if reason is None):
        return True, None
    return False, next((reason for _, reason in findings if reason is not None), None)


def _findings(first: Evidence, second: Evidence) -> Iterator[tuple[bool, UnknownReason | None]]:
    """Yield for each kind of record whether it shows a relation, and why it may be wrong."""
    recognitions = first.list(RECOGNITIONS)
    for child, parent, parent_recognitions in (
        (first, second, recognitions),
        (second, first, None),
    ):
        named = parents_in(child.list(BIRTHS), parent_recognitions, child.numbers)
        parents = {relative.number for relative in named.relatives}
        yield bool(parents & {*parent.numbers}), named.reason
    yield _has_child(first, second), first.list(CHILDREN).reason
    recognised = recognised_children(recognitions, first.numbers)
    yield bool({*recognised} & {*second.numbers}), recognitions.reason
    yield _share_a_parent(first, second), first.list(BIRTHS).reason or second.list(BIRTHS).reason
    yield _are_married(first, second)
    for person, other in ((first, second), (second, first)):
        family = person.list(REGISTERED_FAMILY)
        # The book alone says who is married: this database may not know of a divorce.
        kin = {
            number
            for relation in ("FATHER", "MOTHER", "CHILD")
            for number in registered_kin(family, relation)
        }
        yield bool(kin & {*other.numbers}), family.reason


def _has_child(parent: Evidence, child: Evidence) -> bool:
    births = parent.list(CHILDREN)
    return any(
        in_force(births, row) and births.value(row, "citizen_id") in child.numbers
        for row in births.rows
    )


def _share_a_parent(first: Evidence, second: Evidence) -> bool:
    parents = [
        {
            births.value(row, f"{role}_citizen_id")
            for row in births.rows
            if in_force(births, row)
            for role in ("mother", "father")
        }
        for births in (first.list(BIRTHS), second.list(BIRTHS))
    ]
    return bool((parents[0] & parents[1]) - {None})


def _are_married(first: Evidence, second: Evidence) -> tuple[bool, UnknownReason | None]:
    unions, reason = marriages_of(first)
    today = first.question.today
    with_second = [union.covers(today) for union in unions if union.spouse in second.numbers]
    if None in with_second and True not in with_second:
        return False, reason or UnknownReason.NOT_RECORDED
    return True in with_second, reason


def is_parent(parent: Evidence, child: Evidence) -> tuple[bool, UnknownReason | None]:
    """Say whether the birth in force, or a recognition, names ``parent`` as one of ``child``.

    Where it does not: why they may be all the same. ``child`` needs ``PARENT_LISTS``.
    """
    named = parents_in(child.list(BIRTHS), child.list(RECOGNITIONS), child.numbers)
    numbers = {relative.number for relative in named.relatives}
    is_named = bool(numbers & {*parent.numbers}) and named.reason is None
    return is_named, None if is_named else named.reason


def is_guardian(guardian: Evidence, ward: Evidence) -> tuple[bool, UnknownReason | None]:
    """Say whether ``guardian`` is registered as that of ``ward`` today.

    Where that is not so: why it may be all the same. ``ward`` needs ``GUARDIAN_LISTS``.
    """
    registered = wardships(ward)
    if registered.reason is not None:
        return False, registered.reason
    return any(guardianship.guardian in guardian.numbers for guardianship in registered.value), None
