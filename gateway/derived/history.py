"""What a register held on a past day, as far as its records say so.

An entry of the civil status books says when it was made (``registration_date``) and when it was
last changed (``source_updated_at``). An entry that was changed after the day does not say what it
held then; nor does one that was amended, revoked or ended without saying when, nor a record of a
database that keeps neither date. Nothing is guessed in their place (Law on Civil Status
60/2014/QH13 Art. 63: an extract gives the latest content of the book).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from connectors.description import Coded, Record, Row
from gateway.runtime.clock import legal_date

_MADE, _CHANGED = "registration_date", "source_updated_at"
#: Columns that are filled when an entry is changed.
_CHANGES = ("amendments", "ended_on", "end_reason", "end_date", "revoked_by_event_id")


def has_history(record: Record) -> bool:
    """Say whether entries of this kind tell when they were made, and when last changed."""
    return {_MADE, _CHANGED} <= record.positions.keys()


def rows_recorded_by(
    record: Record, rows: Sequence[Row], day: date
) -> tuple[tuple[Row, ...], bool]:
    """Return the rows that the register held at the end of ``day``, and whether that is certain.

    It is not where a row may have been there, or may have said something else.
    """
    if not has_history(record):
        return (), False
    recorded: list[Row] = []
    is_certain = True
    for row in rows:
        created, changed = (row[record.positions[name]] for name in (_MADE, _CHANGED))
        if isinstance(created, date) and created > day:
            continue
        if not isinstance(created, date) or not isinstance(changed, datetime):
            is_certain = False
            continue
        changed_on = legal_date(changed)
        if changed_on > day or (changed_on <= created and _was_changed(record, row)):
            is_certain = False
        else:
            recorded.append(row)
    return tuple(recorded), is_certain


def _was_changed(record: Record, row: Row) -> bool:
    """Say whether an entry shows that it is not as it was made."""
    status = row[record.positions["status"]]
    name = status.name if isinstance(status, Coded) else status
    return name not in {None, "VALID"} or any(
        row[record.positions[column]] for column in _CHANGES if column in record.positions
    )
