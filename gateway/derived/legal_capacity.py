"""Whether a person may act for themself, on a day (năng lực hành vi dân sự).

Civil Code 91/2015/QH13 Art. 20-21: full capacity from the age of eighteen; below it by the ages of
six and fifteen (ages as in the Code, which domain.md does not quote: an assumption). Art. 22-24,
domain.md 2.1: a court declares somebody incapacitated or restricted, from the day on which its
decision takes effect until it is revoked; the guardianship of an adult with difficulty in cognition
says so. Restriction alone bars no marriage (domain.md 3.1). It ends with death (Art. 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.description import Coded, Sensitivity, Text
from gateway.derived.life_status import LifeState, life_status
from gateway.derived.registers import (
    BIRTHS,
    DEATHS,
    IDENTITY,
    NOTES,
    Statement,
    birth_date,
    declared,
    first_day,
    has_come,
    in_force,
    last_day,
)
from gateway.derived.view import (
    PERSON,
    Basis,
    Conclusion,
    DerivedView,
    Evidence,
    Facts,
    UnknownReason,
)

GUARDIANSHIPS = "civil_status.guardianships"
_ADULT = 18


class CapacityState(Coded):
    """Whether a person may act for themself."""

    FULL = "đầy đủ", "full"
    MINOR_UNDER_6 = "chưa đủ sáu tuổi", "below six years of age"
    MINOR_6_TO_15 = "từ đủ sáu đến chưa đủ mười lăm tuổi", "from six to below fifteen"
    MINOR_15_TO_18 = "từ đủ mười lăm đến chưa đủ mười tám tuổi", "from fifteen to below eighteen"
    INCAPACITATED = "mất năng lực hành vi dân sự", "incapacitated"
    COGNITION_DIFFICULTY = (
        "có khó khăn trong nhận thức, làm chủ hành vi",
        "difficulty in cognition or control of acts",
    )
    RESTRICTED = "bị hạn chế năng lực hành vi dân sự", "restricted in capacity"
    ENDED = "chấm dứt do chết", "ended by death"


#: From which age on a minor is which.
_AGES = (
    (15, CapacityState.MINOR_15_TO_18),
    (6, CapacityState.MINOR_6_TO_15),
    (0, CapacityState.MINOR_UNDER_6),
)


#: The states that follow from the age alone.
BY_AGE = frozenset({CapacityState.FULL, *(state for _, state in _AGES)})


def legal_capacity(evidence: Evidence) -> Conclusion:
    """Return the CapacityState on the day of the question."""
    life = life_status(evidence)
    if life.reason is not None:
        return Conclusion.unknown(life.reason)
    if life.value is LifeState.DEAD:
        return Conclusion.of(CapacityState.ENDED, life.basis)
    declaration = _declared(evidence)
    if declaration.reason is not None or declaration.value is not None:
        return declaration
    born = birth_date(evidence.list(BIRTHS), evidence.list(IDENTITY))
    return age_state(born, evidence.question.valid_on)


def _declared(evidence: Evidence) -> Conclusion:
    """Return what a court or a guardianship says, with value None where nothing does."""
    notes, day = evidence.list(NOTES), evidence.question.valid_on
    wards = wardships(evidence)
    if notes.reason is not None or wards.reason is not None:
        return Conclusion.unknown(notes.reason or wards.reason or UnknownReason.NOT_RECORDED)
    for kind, state in (
        ("DECLARED_INCAPACITATED", CapacityState.INCAPACITATED),
        ("DECLARED_RESTRICTED", CapacityState.RESTRICTED),
    ):
        for spell in declared(notes, kind):
            covers = spell.covers(day)
            if covers is None:
                return Conclusion.unknown(UnknownReason.NOT_RECORDED)
            if covers:
                return Conclusion.of(state, spell.basis)
    for wardship in wards.value:
        if wardship.reason == "INCAPACITATED":
            return Conclusion.unknown(UnknownReason.CONTRADICTORY)  # no court has said so
        if wardship.reason == "COGNITION_DIFFICULTY":
            return Conclusion.of(CapacityState.COGNITION_DIFFICULTY, wardship.basis)
    return Conclusion(None)


@dataclass(frozen=True, slots=True)
class Wardship:
    """A guardianship over the person. ``guardian``, ``name``: as recorded. ``reason``: its code."""

    reason: str | None
    guardian: str | None
    name: str | None
    basis: tuple[Basis, ...]


def wardships(evidence: Evidence) -> Statement:
    """Return the guardianships over the person on the day of the question, or why not known."""
    entries, day = evidence.list(GUARDIANSHIPS), evidence.question.valid_on
    if entries.reason is not None:
        return Statement(reason=entries.reason)
    holding: list[Wardship] = []
    for row in entries.rows:
        if entries.value(row, "ward_id") not in evidence.numbers:
            continue
        counts, holds = in_force(entries, row), _holds(entries, row, day)
        if counts is False or holds is False:
            continue
        if counts is None or holds is None:
            return Statement(reason=UnknownReason.NOT_RECORDED)
        guardian = entries.value(row, "guardian_citizen_id")
        name = entries.value(row, "guardian_name")
        wardship = Wardship(entries.code(row, "reason"), guardian, name, entries.basis(row))
        holding.append(wardship)
    return Statement(tuple(holding))


def _holds(entries: Facts, row: object, day: date) -> bool | None:
    assert isinstance(row, tuple)
    start, end = entries.value(row, "start_date"), entries.value(row, "end_date")
    if end is not None and end <= day:
        return False
    return has_come(start, day)


def age_state(born: Statement, day: date) -> Conclusion:
    """Return the CapacityState that follows from the age alone."""
    if born.reason is not None:
        return Conclusion.unknown(born.reason)
    states = {_state_at(limit, day) for limit in (first_day(born.value), last_day(born.value))}
    if len(states) > 1:
        return Conclusion.unknown(UnknownReason.NOT_RECORDED)
    return Conclusion.of(states.pop(), born.basis)


def _state_at(born: date | None, day: date) -> CapacityState:
    assert born is not None
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    if age >= _ADULT:
        return CapacityState.FULL
    return next((state for limit, state in _AGES if age >= limit), CapacityState.MINOR_UNDER_6)


DERIVED = DerivedView(
    database=PERSON,
    name="legal_capacity",
    type_name="LegalCapacityFact",
    title=Text("năng lực hành vi dân sự", "whether the person may act for themself"),
    value=CapacityState,
    lists=(BIRTHS, DEATHS, NOTES, GUARDIANSHIPS, IDENTITY),
    compute=legal_capacity,
    sensitivity=Sensitivity.SENSITIVE,
    needs_full_coverage=True,
)
