"""Relatives as the civil status book names them, and whose numbers those are.

A birth record names the legal parents: after an adoption or a recognition it is entered anew, and
what it replaced is not read (Law on Civil Status 60/2014/QH13 Art. 63-64; Law on Adoption
52/2010/QH12 Art. 24). So a family never tells that somebody was adopted. A recognised parent is a
parent though the birth record was not amended yet (Art. 24-25), unless it names another one or is
not the one that the recognition is about: it was replaced since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.description import Row
from gateway.answer import Identification
from gateway.derived.registers import BIRTHS, has_come, in_force
from gateway.derived.view import Basis, Evidence, Facts, RelatedPerson, UnknownReason

CHILDREN = "civil_status.births_of_children"
RECOGNITIONS = "civil_status.recognitions"
REGISTERED_FAMILY = "population.family"
#: Digits of a present number.
_PRESENT = 12
#: Who recognises whom: whether the first is the parent, and which.
_RECOGNITIONS = {
    "FATHER_RECOGNISES_CHILD": (True, "father"),
    "MOTHER_RECOGNISES_CHILD": (True, "mother"),
    "CHILD_RECOGNISES_FATHER": (False, "father"),
    "CHILD_RECOGNISES_MOTHER": (False, "mother"),
}


@dataclass(frozen=True, slots=True)
class NamedRelative:
    """Somebody whom a record names. ``number``: as written; None: not recorded."""

    number: str | None
    name: str | None
    basis: tuple[Basis, ...]
    role: str = ""


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """Relatives whom records name. ``reason``: why there may be more; None: there are not.

    ``numbers``: as written, of those too who are none on the day of the question.
    """

    relatives: tuple[NamedRelative, ...]
    reason: UnknownReason | None = None
    numbers: frozenset[str | None] = frozenset()


def parents_in(births: Facts, recognitions: Facts | None, numbers: Sequence[str]) -> NamedGroup:
    """Return the parents of the person with ``numbers``; none where a birth names none."""
    rows = [row for row in births.rows if in_force(births, row) is not False]
    if any(in_force(births, row) is None for row in rows):
        return NamedGroup((), UnknownReason.NOT_RECORDED)
    if len({_parent_numbers(births, row) for row in rows}) > 1:
        return NamedGroup((), UnknownReason.CONTRADICTORY)
    if not rows:
        return NamedGroup((), births.reason or UnknownReason.NOT_COVERED)
    row = rows[0]
    named = [_parent(births, row, role) for role in ("mother", "father")]
    parents = [parent for parent in named if parent is not None]
    reason = births.reason
    if recognitions is not None:
        roles = {parent.role for parent in parents}
        event = births.value(row, "event_id")
        for parent, birth_event in recognised_parents(recognitions, numbers):
            if parent.role in roles or birth_event not in {event, None}:
                continue  # the birth record names another, or it was replaced since
            if birth_event is None or not parent.role:
                reason = reason or UnknownReason.NOT_RECORDED
            else:
                parents.append(parent)
        reason = reason or recognitions.reason
    return NamedGroup(tuple(parents), reason)


def _parent_numbers(births: Facts, row: Row) -> tuple[Any, ...]:
    return tuple(births.value(row, f"{role}_citizen_id") for role in ("mother", "father"))


def _parent(births: Facts, row: Row, role: str) -> NamedRelative | None:
    number, name = (births.value(row, f"{role}_{part}") for part in ("citizen_id", "name"))
    if number is None and name is None:
        return None
    return NamedRelative(number, name, births.basis(row), role)


def recognised_parents(
    recognitions: Facts, numbers: Sequence[str]
) -> Iterator[tuple[NamedRelative, str | None]]:
    """Yield the recognised parents, and the event of the birth that each recognition is about.

    Where it is not recorded who recognises whom, either may be the parent.
    """
    for row in recognitions.rows:
        parent, child, role = _recognition(recognitions, row)
        if not role and parent in numbers:
            parent, child = child, parent
        if parent is not None and child in numbers and in_force(recognitions, row):
            relative = NamedRelative(str(parent), None, recognitions.basis(row), role)
            yield relative, recognitions.value(row, "birth_event_id")


def recognised_children(recognitions: Facts, numbers: Sequence[str]) -> list[str]:
    """Return the numbers of children whom a recognition in force gives to the person."""
    children = []
    for row in recognitions.rows:
        parent, child, _ = _recognition(recognitions, row)
        if parent in numbers and child is not None and in_force(recognitions, row):
            children.append(str(child))
    return children


def _recognition(recognitions: Facts, row: Row) -> tuple[Any, Any, str]:
    """Return parent, child and the parent's role; "" where the record does not tell who is who."""
    kind = recognitions.code(row, "recognition_kind") or ""
    first, second = (
        recognitions.value(row, column) for column in ("recognising_id", "recognised_id")
    )
    is_parent_first, role = _RECOGNITIONS.get(kind, (True, ""))
    return (first, second, role) if is_parent_first else (second, first, role)


def children_in(births: Facts, evidence: Evidence) -> NamedGroup:
    """Return the children whom births name, born by the day of the question."""
    day, reason = evidence.question.valid_on, births.reason
    children: list[NamedRelative] = []
    for row in births.rows:
        counts = in_force(births, row)
        is_born = has_come(births.value(row, "birth_date"), day)
        if counts is False or is_born is False:
            continue
        if counts is None or (is_born is None and day < evidence.question.today):
            reason = reason or UnknownReason.NOT_RECORDED
            continue
        number, name = births.value(row, "citizen_id"), births.value(row, "full_name")
        children.append(NamedRelative(number, name, births.basis(row)))
    numbers = frozenset(births.value(row, "citizen_id") for row in births.rows)
    return NamedGroup(tuple(children), reason, numbers)


def registered_kin(family: Facts, relation: str) -> list[str]:
    """Return the numbers of kin of one ``relation`` in the population database (item 15)."""
    return [
        str(family.value(row, "member_id"))
        for row in family.rows
        if family.code(row, "relation") == relation and family.value(row, "member_id") is not None
    ]


def look_up(evidence: Evidence, number: str, *lists: str) -> RelatedPerson | None:
    """Return whose ``number`` is; ``lists`` are to be read of them.

    While that is found out, they are read under the number at hand: it is almost always the only
    one. Not under an old number, which may lead to somebody else.
    """
    person = evidence.person(number)
    if person is None and len(number) == _PRESENT:
        ahead = RelatedPerson((number,), Identification.NOT_CHECKED)
        for name in lists:
            evidence.under(name, ahead.numbers, ahead)
    return person


BIRTH_LISTS = (BIRTHS, CHILDREN, REGISTERED_FAMILY)
