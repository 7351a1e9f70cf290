"""What of records may be seen without scope and purpose: the citizen's own, or anybody's.

Citizens see what is theirs (design section 7). Whoever finds a thing sees the PUBLIC part of what
the register says of it (``gateway.catalogue.entry_points``). Both are said by the sensitivity up to
which rows are open; that it is the citizen's own view is another thing than that it is open to
everybody.
"""

from __future__ import annotations

from connectors.description import Kind, Record, Sensitivity

#: Up to what sensitivity the rows are open that somebody found by the key of a thing.
FOUND = Sensitivity.PUBLIC


def is_citizens(own: Sensitivity | None) -> bool:
    """Say whether rows that are open up to ``own`` are those of the citizen who asks."""
    return own is not None and own > FOUND


def narrow_open_up_to(own: Sensitivity | None, record: Record) -> Sensitivity | None:
    """Return how much of ``record``, hung on a record that is open up to ``own``, is open too.

    Where it names persons (the other party, the lawyer), what is kept closer than BASIC may be
    about them: their ethnicity, their telephone number.
    """
    names_persons = any(column.field.kind is Kind.PERSON_NUMBER for column in record.columns)
    return min(own, Sensitivity.BASIC) if own is not None and names_persons else own


def is_open(record: Record, position: int | None, own: Sensitivity | None) -> bool:
    """Say whether a column of ``record`` (None: the record itself) may be seen for what it is.

    ``own``: up to what sensitivity these rows are open, None where they are somebody else's. A
    record is there for citizens as a BASIC field is, and for others if any of it is PUBLIC.
    """
    if own is None:
        return False
    if position is not None:
        return record.columns[position].sensitivity <= own
    if is_citizens(own):
        return own >= Sensitivity.BASIC
    return any(column.sensitivity <= own for column in record.columns)
