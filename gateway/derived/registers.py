"""What several facts read off the registers: entries in force, court declarations, birth dates.

The civil status book prevails over other databases where they differ (Law on Civil Status
60/2014/QH13 Art. 60(2)). A date of which only the year is known decides nothing within that year.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.description import Row
from connectors.values import PartialDate
from gateway.derived.view import Basis, Evidence, Facts, UnknownReason

#: The statuses of entries of the civil status book that count; others were cancelled or replaced.
IN_FORCE = frozenset({"VALID", "AMENDED"})
BIRTHS, DEATHS, NOTES = "civil_status.births", "civil_status.deaths", "civil_status.court_notes"
IDENTITY = "population.identity"


def first_day(value: Any) -> date | None:
    """Return the first day that a date can mean; None: there is none."""
    return value.first if isinstance(value, PartialDate) else value


def last_day(value: Any) -> date | None:
    """Return the last day that a date can mean; None: there is none."""
    return value.last if isinstance(value, PartialDate) else value


def has_come(value: Any, day: date) -> bool | None:
    """Say whether a date is ``day`` or before it; None: that is not known."""
    first, last = first_day(value), last_day(value)
    if first is None or last is None:
        return None
    if last <= day:
        return True
    return False if first > day else None


def in_force(entries: Facts, row: Row) -> bool | None:
    """Say whether an entry of the book counts; None: its status is not recorded."""
    status = entries.code(row, "status")
    return None if status is None else status in IN_FORCE


@dataclass(frozen=True, slots=True)
class Spell:
    """From when to when a declaration held. ``end`` None: it holds.

    ``is_certain``: False where start or end are not recorded.
    """

    start: date | None
    end: date | None
    is_certain: bool
    basis: tuple[Basis, ...]

    def covers(self, day: date) -> bool | None:
        """Say whether it held on ``day``; None: that is not known."""
        if self.start is not None and day < self.start:
            return False
        if self.end is not None and day >= self.end:
            return False
        return True if self.is_certain else None


def declared(notes: Facts, kind: str) -> Iterator[Spell]:
    """Yield the spells of a court's declarations of ``kind`` (Civil Code 91/2015/QH13 Art. 22-73).

    One ends when the decision that revokes it takes effect.
    """
    by_event = {notes.value(row, "event_id"): row for row in notes.rows}
    for row in notes.rows:
        if notes.code(row, "event_type") != kind:
            continue
        start = notes.value(row, "effective_date")
        revoking = by_event.get(notes.value(row, "revoked_by_event_id"))
        if revoking is None:
            revoking = _next_revocation(notes, f"{kind}_REVOKED", start)
        counts = in_force(notes, row)
        end = None if revoking is None else notes.value(revoking, "effective_date")
        is_open = revoking is None and counts is True
        is_certain = start is not None and (is_open or end is not None)
        rows = (row,) if revoking is None else (row, revoking)
        yield Spell(start, end, is_certain, notes.basis(*rows))


def _next_revocation(notes: Facts, kind: str, start: date | None) -> Row | None:
    """Return the first decision of ``kind`` in force that took effect after ``start``."""
    later = [
        row
        for row in notes.rows
        if notes.code(row, "event_type") == kind
        and in_force(notes, row)
        and notes.value(row, "effective_date") is not None
        and (start is None or notes.value(row, "effective_date") > start)
    ]
    return min(later, key=lambda row: notes.value(row, "effective_date"), default=None)


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that records say, with what says it; or ``reason``: why it is not known."""

    value: Any = None
    reason: UnknownReason | None = None
    basis: tuple[Basis, ...] = ()


def birth_date(births: Facts, identity: Facts) -> Statement:
    """Return the date of birth: as the birth is registered, else as the population database has it.

    Where the book has the year alone, and the other agrees with it, the other one.
    """
    if births.reason is not None:  # another entry in force may say otherwise
        return Statement(reason=births.reason)
    written = identity_value(identity, "birth_date")
    rows = [row for row in births.rows if in_force(births, row)]
    dates = {births.value(row, "birth_date") for row in rows} - {None}
    if len(dates) > 1:
        return Statement(reason=UnknownReason.CONTRADICTORY)
    if not dates:
        is_missing = written.reason is None and written.value is None
        return Statement(reason=UnknownReason.NOT_RECORDED) if is_missing else written
    (in_book,) = dates
    other, basis = written.value, births.basis(*rows)
    if other is None or in_book.day is not None or other.day is None:
        return Statement(in_book, None, basis)
    if in_book.first <= other.first <= in_book.last:
        return Statement(other, None, (*basis, *written.basis))
    return Statement(in_book, None, basis)


def identity_value(identity: Facts, column: str) -> Statement:
    """Return what the population database says of the person; its value may be None."""
    if identity.reason is not None:
        return Statement(reason=identity.reason)
    values = {identity.value(row, column) for row in identity.rows}
    if len(values) > 1:
        return Statement(reason=UnknownReason.CONTRADICTORY)
    if not values:
        return Statement(reason=UnknownReason.NOT_IDENTIFIED)
    return Statement(values.pop(), None, identity.basis(*identity.rows))


def is_unborn(evidence: Evidence) -> bool:
    """Say whether the person was not born yet on the day of the question, as far as is known."""
    born = birth_date(evidence.list(BIRTHS), evidence.list(IDENTITY)).value
    return has_come(born, evidence.question.valid_on) is False
