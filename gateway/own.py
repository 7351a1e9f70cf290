"""What of other records belongs to the citizen's own view (design section 7)."""

from __future__ import annotations

from connectors.description import Kind, Record, Sensitivity


def own_below(own: Sensitivity | None, record: Record) -> Sensitivity | None:
    """Return how much of ``record``, hung on a record of the citizen's own, is theirs to see.

    Where it names persons (the other party, the lawyer), what is kept closer than BASIC may be
    about them: their ethnicity, their telephone number.
    """
    names_persons = any(one.field.kind is Kind.PERSON_NUMBER for one in record.columns)
    return min(own, Sensitivity.BASIC) if own is not None and names_persons else own


def is_own(record: Record, position: int | None, own: Sensitivity | None) -> bool:
    """Say whether a column of ``record`` (None: the record itself) is the citizen's own to see.

    ``own``: up to what sensitivity these rows are theirs, None where they are somebody else's.
    """
    level = Sensitivity.BASIC if position is None else record.columns[position].sensitivity
    return own is not None and level <= own
