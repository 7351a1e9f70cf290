"""What a database would have to write as JSON for a list, where that says all that it shows.

Not where something hangs on its rows, where a field is denied, or where a value is more than its
column holds: those lists are read as rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.description import Record, Sensitivity
from connectors.row_template import Constant, RowTemplate, StructTemplate, row_template
from gateway.plan.permissions import PermissionTable
from gateway.plan.plan import RowsPlan
from gateway.plan.selection import (
    ColumnValue,
    ListShape,
    RowEntries,
    RowsShape,
    StructShape,
    Typename,
)

_Entry = int | Constant | StructTemplate


def template_of(
    shape: ListShape,
    selections: Sequence[RowsPlan],
    table: PermissionTable,
    open_up_to: Sensitivity | None,
) -> RowTemplate | None:
    """Return the template of the rows of a list; None: they must be read as rows."""
    rows = [inner for _, inner in shape.entries if isinstance(inner, RowsShape)]
    if len(rows) != 1:
        return None
    (selected,) = selections
    if selected.denials or selected.links or selected.child_lists:
        return None
    entries = _entries(rows[0].entries, shape.record, table, open_up_to)
    return None if entries is None else row_template(entries, selected.mentions)


def _entries(
    entries: RowEntries, record: Record, table: PermissionTable, open_up_to: Sensitivity | None
) -> tuple[tuple[str, _Entry], ...] | None:
    written: list[tuple[str, _Entry]] = []
    for key, inner in entries:
        match inner:
            case Typename(name):
                written.append((key, Constant(name)))
            case ColumnValue(position=position, many=False, validity=False):
                written.append((key, position))
            case StructShape(first=first, last=last):
                columns = range(first, last)
                if any(table.missing_in_rows(record, place, open_up_to) for place in columns):
                    return None
                below = _entries(inner.entries, record, table, open_up_to)
                if below is None:
                    return None
                written.append((key, StructTemplate(first, last, below)))
            case _:
                return None
    return tuple(written)
