"""Whether a person lives, has died or is missing, on a day (tình trạng sống).

Law on Civil Status 60/2014/QH13 Art. 32-34: deaths are entered in the book, which prevails where
another database differs (Art. 60(2)). Civil Code 91/2015/QH13 Art. 68-73: a court declares somebody
missing or dead from the day on which its decision takes effect, until the decision that revokes
it. Death registration is often late or left out (domain.md section 5), so the book alone does not
say that somebody lives: the population database has to say so too, and where it says otherwise the
answer is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.description import Coded, Row, Text
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
    RelatedPerson,
    UnknownReason,
)

#: The lists that say whether somebody lives.
LIFE_LISTS = (DEATHS, NOTES, IDENTITY)


class LifeState(Coded):
    """Whether a person lives."""

    ALIVE = "còn sống", "alive"
    DEAD = "đã chết", "dead"
    MISSING = "mất tích", "declared missing"


@dataclass(frozen=True, slots=True)
class LifeRecords:
    """What says whether somebody lives: entries of deaths, court notes and the identity."""

    deaths: Facts
    notes: Facts
    identity: Facts

    @property
    def reason(self) -> UnknownReason | None:
        """Why some of them may be missing; None: none is."""
        return self.deaths.reason or self.notes.reason or self.identity.reason


def records_of(evidence: Evidence, relative: RelatedPerson) -> LifeRecords:
    """Return what says whether a relative lives."""
    keys = relative.numbers
    return LifeRecords(*(evidence.under(name, keys, relative) for name in LIFE_LISTS))


def life_status(evidence: Evidence) -> Conclusion:
    """Return the LifeState on the day of the question."""
    if is_unborn(evidence):
        return Conclusion.unknown(UnknownReason.NOT_BORN)
    records = LifeRecords(*(evidence.list(name) for name in LIFE_LISTS))
    return life_on(records, evidence.question.valid_on)


def life_on(records: LifeRecords, day: date) -> Conclusion:
    """Return the LifeState on ``day`` of somebody who was born by then."""
    death = _death_on(records, day)
    if death.reason is not None or death.value is LifeState.DEAD:
        return death
    for spell in declared(records.notes, "DECLARED_MISSING"):
        covers = spell.covers(day)
        if covers is None:
            return Conclusion.unknown(UnknownReason.NOT_RECORDED)
        if covers:
            return Conclusion.of(LifeState.MISSING, spell.basis)
    return _by_population(records.identity, day)


def _death_on(records: LifeRecords, day: date) -> Conclusion:
    """Return DEAD, or that nothing in the book says so (value None), or why it is not known."""
    deaths, notes = records.deaths, records.notes
    doubt: UnknownReason | None = None
    spells = list(declared(notes, "DECLARED_DEAD"))
    for row in deaths.rows:
        if spells and deaths.code(row, "death_kind") == "DECLARED_DEAD_BY_COURT":
            continue  # the notes say from when to when
        has_died = _has_died(deaths, row, day)
        counts = in_force(deaths, row)
        is_by_court = deaths.code(row, "death_kind") == "DECLARED_DEAD_BY_COURT"
        if counts and has_died and (notes.reason is None or not is_by_court):
            return Conclusion.of(LifeState.DEAD, deaths.basis(row))
        if counts is not False and has_died is not False:
            doubt = UnknownReason.NOT_RECORDED
    for spell in spells:
        covers = spell.covers(day)
        if covers and notes.reason is None:
            return Conclusion.of(LifeState.DEAD, spell.basis)
        if covers is not False:
            doubt = UnknownReason.NOT_RECORDED
    return Conclusion(None, deaths.reason or notes.reason or doubt)


def _has_died(deaths: Facts, row: Row, day: date) -> bool | None:
    """Say whether the death of an entry had come; without its date, once it was registered."""
    died = deaths.value(row, "death_date")
    if died is not None:
        return has_come(died, day)
    return True if has_come(deaths.value(row, "registration_date"), day) else None


def _by_population(identity: Facts, day: date) -> Conclusion:
    """Return ALIVE if the population database says so; the book has no death on that day."""
    state = identity_value(identity, "life_status")
    if state.reason is not None or state.value is None:
        return Conclusion.unknown(state.reason or UnknownReason.NOT_RECORDED)
    if state.value != "ALIVE":
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
    needs_full_coverage=True,
)
