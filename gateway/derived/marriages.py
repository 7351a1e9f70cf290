"""The marriages of a person as the civil status book has them: from when, until when, to whom.

Law on Marriage and Family 52/2014/QH13 Art. 3(13): a marriage period runs from the registration to
the end; Art. 57: a divorce ends it on the day on which the judgment takes legal effect; Art. 65-67:
the death of a spouse does, or a court's declaration of it, unless that is revoked. Courts send
judgments unevenly (domain.md 2.1), so a marriage without a noted end may have ended: when a later
one begins, an earlier one has ended by then, and nobody knows when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from connectors.description import Row
from gateway.derived.registers import (
    DEATHS,
    NOTES,
    declared,
    first_day,
    has_come,
    in_force,
)
from gateway.derived.view import Basis, Evidence, Facts, RelatedPerson, UnknownReason

MARRIAGES, DIVORCES = "civil_status.marriages", "civil_status.divorces"
DIVORCED, ANNULLED, WIDOWED = "DIVORCE", "ANNULMENT", "DEATH"
_REASONS = {
    "DIVORCE": DIVORCED,
    "ANNULMENT": ANNULLED,
    "DEATH_OF_SPOUSE": WIDOWED,
    "DECLARED_DEAD": WIDOWED,
}


@dataclass(frozen=True, slots=True)
class BookMarriage:
    """A marriage in the book. ``start``, ``end``: dates, perhaps of a year only.

    ``spouse``: the number of the other, ``spouse_name``: the name as written; None: not recorded.
    ``end_reason``: DIVORCED, ANNULLED or WIDOWED. ``is_noted``: the end stands in the book, and is
    not inferred from a death. ``ended_by``: it had ended by this day, as a later marriage shows;
    nobody knows when.
    """

    event: str
    start: Any
    spouse: str | None
    spouse_name: str | None
    basis: tuple[Basis, ...]
    end: Any = None
    end_reason: str | None = None
    is_noted: bool = False
    ended_by: date | None = None

    def covers(self, day: date) -> bool | None:
        """Say whether the spouses were married on ``day``; None: that is not known."""
        begun = has_come(self.start, day)
        if begun is not True:
            return begun
        if self.end is not None:
            ended = has_come(self.end, day)
            return None if ended is None else not ended
        if self.end_reason is not None:
            return None
        if self.ended_by is not None:
            return False if day >= self.ended_by else None
        return True


def marriages_of(evidence: Evidence) -> tuple[list[BookMarriage], UnknownReason | None]:
    """Return the marriages of the person, by their beginning; or why they are not known."""
    marriages, divorces = evidence.list(MARRIAGES), evidence.list(DIVORCES)
    notes = evidence.list(NOTES)
    reason = marriages.reason or divorces.reason or notes.reason
    if reason is not None:
        return [], reason
    unions: list[BookMarriage] = []
    for row in marriages.rows:
        counts = in_force(marriages, row)
        union = _union(evidence, marriages, row)
        if counts is None or union.start is None:
            return [], UnknownReason.NOT_RECORDED
        union = _with_noted_end(union, marriages, row, divorces, notes)
        if counts or union.end_reason == ANNULLED:
            unions.append(union)
    unions = sorted(_without_repeats(unions), key=lambda union: first_day(union.start) or date.min)
    following: list[BookMarriage] = []
    for place, union in enumerate(unions):
        later = [other for other in unions[place + 1 :] if other.end_reason != ANNULLED]
        limit = first_day(later[0].start) if later else None
        if union.end is not None or union.end_reason is not None:
            following.append(union)
            continue
        complete_union, reason = _with_inferred_end(evidence, union, limit)
        if reason is not None:
            return [], reason
        following.append(complete_union)
    return following, None


def _union(evidence: Evidence, marriages: Facts, row: Row) -> BookMarriage:
    parties = [
        (marriages.value(row, f"{role}_citizen_id"), marriages.value(row, f"{role}_name"))
        for role in ("husband", "wife")
    ]
    spouses = [party for party in parties if party[0] not in evidence.numbers]
    start = marriages.value(row, "effective_from") or marriages.value(row, "registration_date")
    spouse, name = spouses[0] if len(spouses) == 1 else (None, None)
    number = None if spouse is None else str(spouse)
    return BookMarriage(marriages.value(row, "event_id"), start, number, name, marriages.basis(row))


def _with_noted_end(
    union: BookMarriage, marriages: Facts, row: Row, divorces: Facts, notes: Facts
) -> BookMarriage:
    """Return the marriage with its end, where the book of marriages, divorces or notes has it."""
    ends: list[tuple[Any, str, tuple[Basis, ...]]] = []
    reason = _REASONS.get(marriages.code(row, "end_reason") or "")
    ended_on = marriages.value(row, "ended_on")
    if reason is not None or ended_on is not None:
        ends.append((ended_on, reason or DIVORCED, ()))
    for note in divorces.rows:
        if in_force(divorces, note) is not False and _is_of(divorces, note, union):
            effect = divorces.value(note, "legal_effect_date")
            ends.append((effect, DIVORCED, divorces.basis(note)))
    for note in notes.rows:
        is_annulment = notes.code(note, "event_type") == "UNLAWFUL_MARRIAGE_ANNULMENT"
        if is_annulment and union.spouse in {
            notes.value(note, "citizen_id"),
            notes.value(note, "spouse_id"),
        }:
            ends.append((notes.value(note, "effective_date"), ANNULLED, notes.basis(note)))
    dated = [end for end in ends if end[0] is not None]
    if not ends:
        return union
    end, end_reason, basis = min(dated or ends, key=lambda end: first_day(end[0]) or date.max)
    return replace(
        union, end=end, end_reason=end_reason, is_noted=True, basis=(*union.basis, *basis)
    )


def _is_of(divorces: Facts, note: Row, union: BookMarriage) -> bool:
    """Say whether a divorce ended this marriage: by its event, else by the other spouse."""
    event = divorces.value(note, "marriage_event_id")
    if event is not None:
        return bool(event == union.event)
    spouses = {divorces.value(note, "husband_id"), divorces.value(note, "wife_id")}
    effect, start = divorces.value(note, "legal_effect_date"), first_day(union.start)
    is_later = effect is None or start is None or effect >= start
    return union.spouse in spouses and is_later


def _without_repeats(unions: list[BookMarriage]) -> Iterator[BookMarriage]:
    """Yield each marriage once: one that was registered again begins on the same day."""
    keys: set[tuple[Any, str | None]] = set()
    for union in unions:
        key = (union.start, union.spouse)
        if union.spouse is None or key not in keys:
            keys.add(key)
            yield union


def _with_inferred_end(
    evidence: Evidence, union: BookMarriage, limit: date | None
) -> tuple[BookMarriage, UnknownReason | None]:
    """Return the marriage with the end that the spouse's death makes; or why it is not known.

    ``limit``: a later marriage of the person's begins then.
    """
    open_union = replace(union, ended_by=limit)
    if union.spouse is None:
        return open_union, None
    spouse = evidence.person(union.spouse)
    if spouse is None or spouse.is_shared:
        return open_union, UnknownReason.NUMBERS_INCOMPLETE
    died, basis, reason = _death_of(evidence, spouse)
    if reason is not None or died is None:
        return open_union, reason
    first = first_day(died)
    if limit is not None and first is not None and first > limit:
        return open_union, None
    return replace(union, end=died, end_reason=WIDOWED, basis=(*union.basis, *basis)), None


def _death_of(
    evidence: Evidence, spouse: RelatedPerson
) -> tuple[Any, tuple[Basis, ...], UnknownReason | None]:
    """Return the day of a spouse's death, and what says so; or why that is not known."""
    deaths = evidence.under(DEATHS, spouse.numbers, spouse)
    notes = evidence.under(NOTES, spouse.numbers, spouse)
    if deaths.reason or notes.reason:
        return None, (), deaths.reason or notes.reason
    for spell in declared(notes, "DECLARED_DEAD"):
        if not spell.is_certain:
            return None, (), UnknownReason.NOT_RECORDED
        if spell.end is None:
            return spell.start, spell.basis, None
    has_note = any(notes.code(row, "event_type") == "DECLARED_DEAD" for row in notes.rows)
    for row in deaths.rows:
        by_court = deaths.code(row, "death_kind") == "DECLARED_DEAD_BY_COURT"
        counts = in_force(deaths, row)
        died = deaths.value(row, "death_date")
        if counts is False or (by_court and has_note):
            continue
        if counts is None or died is None:
            return None, (), UnknownReason.NOT_RECORDED
        return died, deaths.basis(row), None
    return None, (), None
