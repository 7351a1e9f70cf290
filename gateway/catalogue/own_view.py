"""Which records are open without scope and purpose: in the citizen's own view, or to everybody.

Citizens see their own records (design section 7). Whoever finds records by the key of a thing sees
their PUBLIC part (``gateway.catalogue.entry_points``). Both are expressed as the sensitivity up to
which rows are open (``open_up_to``; None: they are not). Only in the citizen's own view is that
more than PUBLIC.
"""

from __future__ import annotations

from connectors.description import Kind, Record, Sensitivity

#: The sensitivity up to which records are open that somebody found by the key of a thing.
OPEN_BY_KEY = Sensitivity.PUBLIC


def is_own_view(open_up_to: Sensitivity | None) -> bool:
    """Say whether rows with this ``open_up_to`` are in the citizen's own view."""
    return open_up_to is not None and open_up_to > OPEN_BY_KEY


def narrow_open_up_to(open_up_to: Sensitivity | None, record: Record) -> Sensitivity | None:
    """Return up to what sensitivity rows of ``record`` are open, below a row with ``open_up_to``.

    Where they name persons (the other party, the lawyer), fields above BASIC may be about those:
    their ethnicity, their telephone number.
    """
    names_persons = any(column.field.kind is Kind.PERSON_NUMBER for column in record.columns)
    if open_up_to is not None and names_persons:
        return min(open_up_to, Sensitivity.BASIC)
    return open_up_to


def is_open(record: Record, position: int | None, open_up_to: Sensitivity | None) -> bool:
    """Say whether a column of ``record`` is open; None: the record itself.

    A record is open in the citizen's own view if BASIC fields are, and to everybody if it has a
    PUBLIC field.
    """
    if open_up_to is None:
        return False
    if position is not None:
        return record.columns[position].sensitivity <= open_up_to
    if is_own_view(open_up_to):
        return open_up_to >= Sensitivity.BASIC
    return any(column.sensitivity <= open_up_to for column in record.columns)
