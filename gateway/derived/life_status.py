"""Whether a person lives, has died or is missing, on a day (tình trạng sống).

Law on Civil Status 60/2014/QH13 Art. 32-34: deaths are entered in the book, which prevails where
another database differs (Art. 60(2)). Civil Code 91/2015/QH13 Art. 68-73: a court declares somebody
missing or dead from the day on which its decision takes effect, until the decision that revokes
it. Death registration is often late or left out (domain.md section 5), so the book alone does not
say that somebody lives: the population database has to say so too, and where it says otherwise the
answer is not known.
"""

from __future__ import annotations

from connectors.description import Coded, Text
from gateway.derived.registers import (
    BIRTHS,
    DEATHS,
    IDENTITY,
    NOTES,
    declared,
    has_come,
    identity_value,
    in_force,
    is_unborn,
)
from gateway.derived.view import (
    PERSON,
    Conclusion,
    DerivedView,
    Evidence,
    Facts,
    UnknownReason,
)


class LifeState(Coded):
    """Whether a person lives."""

    ALIVE = "còn sống", "alive"
    DEAD = "đã chết", "dead"
    MISSING = "mất tích", "declared missing"


def life_status(evidence: Evidence) -> Conclusion:
    """Return the LifeState on the day of the question."""
    if is_unborn(evidence):
        return Conclusion.unknown(UnknownReason.NOT_BORN)
    death = death_on(evidence)
    if death.reason is not None or death.value is LifeState.DEAD:
        return death
    notes, day = evidence.list(NOTES), evidence.question.valid_on
    for spell in declared(notes, "DECLARED_MISSING"):
        covers = spell.covers(day)
        if covers is None:
            return Conclusion.unknown(UnknownReason.NOT_RECORDED)
        if covers:
            return Conclusion.of(LifeState.MISSING, spell.basis)
    return _by_population(evidence)


def death_on(evidence: Evidence) -> Conclusion:
    """Return DEAD, or that nothing in the book says so (value None), or why it is not known."""
    deaths, notes, day = evidence.list(DEATHS), evidence.list(NOTES), evidence.question.valid_on
    doubt: UnknownReason | None = None
    by_court = False
    for row in deaths.rows:
        if deaths.code(row, "death_kind") == "DECLARED_DEAD_BY_COURT":
            by_court = True  # the notes say from when to when
            continue
        counts = in_force(deaths, row)
        date_of_death = deaths.value(row, "death_date")
        if date_of_death is None:
            date_of_death = deaths.value(row, "registration_date")
            has_died = True if has_come(date_of_death, day) else None
        else:
            has_died = has_come(date_of_death, day)
        if counts and has_died:
            return Conclusion.of(LifeState.DEAD, deaths.basis(row))
        if counts is not False and has_died is not False:
            doubt = UnknownReason.NOT_RECORDED
    spells = list(declared(notes, "DECLARED_DEAD"))
    covering = [spell for spell in spells if spell.covers(day)]
    if covering and notes.reason is None:
        return Conclusion.of(LifeState.DEAD, covering[0].basis)
    doubt = doubt or deaths.reason or notes.reason
    if any(spell.covers(day) is None for spell in spells):
        doubt = doubt or UnknownReason.NOT_RECORDED
    if by_court and not spells and doubt is None:
        return _declared_without_note(deaths, evidence)
    return Conclusion(None, doubt)


def _declared_without_note(deaths: Facts, evidence: Evidence) -> Conclusion:
    """Return what a death says that a court declared, where its decision is not noted."""
    day = evidence.question.valid_on
    for row in deaths.rows:
        has_died = has_come(deaths.value(row, "death_date"), day)
        if in_force(deaths, row) and has_died:
            return Conclusion.of(LifeState.DEAD, deaths.basis(row))
        if has_died is not False:
            return Conclusion.unknown(UnknownReason.NOT_RECORDED)
    return Conclusion(None)


def _by_population(evidence: Evidence) -> Conclusion:
    """Return ALIVE if the population database says so; the book has no death on that day."""
    identity, day = evidence.list(IDENTITY), evidence.question.valid_on
    state = identity_value(identity, "life_status")
    if state.reason is not None:
        return Conclusion.unknown(state.reason)
    name = state.value.name if isinstance(state.value, Coded) else state.value
    if name is None:
        return Conclusion.unknown(UnknownReason.NOT_RECORDED)
    if name != "ALIVE":
        since = identity_value(identity, "death_or_missing_date").value
        if has_come(since, day) is not False:
            return Conclusion.unknown(UnknownReason.CONTRADICTORY)
    return Conclusion.of(LifeState.ALIVE, state.basis)


DERIVED = DerivedView(
    database=PERSON,
    name="life_status",
    type_name="LifeStatusFact",
    title=Text(
        "người này còn sống, đã chết hay mất tích",
        "whether the person lives, has died or is missing",
    ),
    value=LifeState,
    lists=(BIRTHS, DEATHS, NOTES, IDENTITY),
    compute=life_status,
)
