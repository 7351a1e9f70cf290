"""Who acts for a minor or for an adult without capacity, on a day (người đại diện, giám hộ).

Civil Code 91/2015/QH13 Art. 136: parents represent their minor children, guardians their wards;
Art. 47: a guardian is for minors without parents who can, and for adults without capacity. A
guardian by law need not be registered (Art. 46, 52-53), so that nobody can be named where the book
has none. (The articles are not quoted in domain.md: an assumption.) Parents are those of the birth
record in force, as far as they live and are not incapacitated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connectors.description import Coded, Text
from connectors.values import PersonNumber
from gateway.derived.legal_capacity import (
    GUARDIANSHIPS,
    CapacityState,
    Wardship,
    legal_capacity,
    wardships,
)
from gateway.derived.life_status import LifeState, life_on, records_of
from gateway.derived.registers import (
    BIRTHS,
    DEATHS,
    IDENTITY,
    NOTES,
    declared,
    in_force,
)
from gateway.derived.view import (
    PERSON,
    Basis,
    Conclusion,
    DerivedView,
    Evidence,
    LaterReads,
    UnknownReason,
)


class RepresentationNeed(Coded):
    """Why somebody else acts for a person."""

    NONE = "không cần", "nobody has to"
    MINOR = "người chưa thành niên", "minor"
    INCAPACITATED = "mất năng lực hành vi dân sự", "incapacitated"
    COGNITION_DIFFICULTY = (
        "có khó khăn trong nhận thức, làm chủ hành vi",
        "difficulty in cognition or control of acts",
    )


class RepresentativeRole(Coded):
    """In what role somebody acts for a person."""

    MOTHER = "mẹ", "mother"
    FATHER = "cha", "father"
    GUARDIAN = "người giám hộ", "guardian"


@dataclass(frozen=True, slots=True)
class PersonRepresentative:
    """Người đại diện / Somebody who acts for a person."""

    role: Annotated[RepresentativeRole, Text("tư cách", "in what role")]
    citizen_id: Annotated[PersonNumber | None, Text("số định danh", "number")]
    name: Annotated[str | None, Text("họ, chữ đệm và tên như ghi", "name as recorded")]


@dataclass(frozen=True, slots=True)
class Representation:
    """Việc đại diện / Who acts for a person, and why."""

    need: Annotated[RepresentationNeed, Text("lý do", "why")]
    representatives: Annotated[
        list[PersonRepresentative], Text("người đại diện", "who acts for the person")
    ]


_ADULTS = {
    CapacityState.INCAPACITATED: RepresentationNeed.INCAPACITATED,
    CapacityState.COGNITION_DIFFICULTY: RepresentationNeed.COGNITION_DIFFICULTY,
}


def guardianship(evidence: Evidence) -> Conclusion:
    """Return the Representation on the day of the question."""
    capacity = legal_capacity(evidence)
    if capacity.reason is not None:
        return Conclusion.unknown(capacity.reason)
    assert isinstance(capacity.value, CapacityState)
    if capacity.value in {CapacityState.FULL, CapacityState.ENDED}:
        return Conclusion.of(Representation(RepresentationNeed.NONE, []), capacity.basis)
    if capacity.value is CapacityState.RESTRICTED:
        return Conclusion.unknown(UnknownReason.NOT_RECORDED)  # the decision names who
    wards = wardships(evidence).value
    need = _ADULTS.get(capacity.value, RepresentationNeed.MINOR)
    if wards:
        representatives = [_guardian(wardship) for wardship in wards]
        bases = [wardship.basis for wardship in wards]
        return Conclusion.of(Representation(need, representatives), *bases)
    if need is not RepresentationNeed.MINOR:
        return Conclusion.unknown(UnknownReason.NOT_COVERED)
    return _parents(evidence)


def _guardian(wardship: Wardship) -> PersonRepresentative:
    number = None if wardship.guardian is None else PersonNumber(wardship.guardian)
    return PersonRepresentative(RepresentativeRole.GUARDIAN, number, wardship.name)


def _parents(evidence: Evidence) -> Conclusion:
    """Return the parents who can act for a minor."""
    births = evidence.list(BIRTHS)
    rows = [row for row in births.rows if in_force(births, row)]
    if births.reason is not None or len(rows) != 1:
        missing = UnknownReason.CONTRADICTORY if rows else UnknownReason.NOT_COVERED
        return Conclusion.unknown(births.reason or missing)
    (row,) = rows
    able: list[PersonRepresentative] = []
    bases: list[tuple[Basis, ...]] = [births.basis(row)]
    reasons: list[UnknownReason] = []
    for role in (RepresentativeRole.MOTHER, RepresentativeRole.FATHER):
        place = role.name.lower()
        number, name = (births.value(row, f"{place}_{part}") for part in ("citizen_id", "name"))
        if number is None and name is None:
            continue  # not known who
        can_act, basis = can_act_as_parent(evidence, number)
        if isinstance(can_act, UnknownReason):
            reasons.append(can_act)
        elif can_act:
            able.append(PersonRepresentative(role, PersonNumber(str(number)), name))
            bases.append(basis)
    if reasons:
        return Conclusion.unknown(reasons[0])
    if not able:
        return Conclusion.unknown(UnknownReason.NOT_COVERED)
    return Conclusion.of(Representation(RepresentationNeed.MINOR, able), *bases)


def can_act_as_parent(
    evidence: Evidence, number: object
) -> tuple[bool | UnknownReason, tuple[Basis, ...]]:
    """Say whether a parent lives and is not incapacitated, or why that is not known."""
    if number is None:
        return UnknownReason.NOT_RECORDED, ()
    parent = evidence.person(str(number))
    if parent is None or parent.is_shared:
        return UnknownReason.NUMBERS_INCOMPLETE, ()
    records, day = records_of(evidence, parent), evidence.question.valid_on
    life = life_on(records, day)
    reason = life.reason or (None if life.value is LifeState.DEAD else records.reason)
    if reason is not None:
        return reason, ()
    if life.value is not LifeState.ALIVE:
        return False, ()
    spells = [spell.covers(day) for spell in declared(records.notes, "DECLARED_INCAPACITATED")]
    if any(spells):
        return False, ()
    return UnknownReason.NOT_RECORDED if None in spells else True, life.basis


DERIVED = DerivedView(
    database=PERSON,
    name="guardianship",
    type_name="GuardianshipFact",
    title=Text(
        "ai đại diện cho người chưa thành niên, người mất năng lực",
        "who acts for a minor or incapacitated person",
    ),
    value=Representation,
    lists=(BIRTHS, DEATHS, NOTES, GUARDIANSHIPS, IDENTITY),
    later=(LaterReads(DEATHS, 2), LaterReads(NOTES, 2), LaterReads(IDENTITY, 2)),
    people=2,
    compute=guardianship,
    needs_full_coverage=True,
)
