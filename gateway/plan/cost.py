"""Cost: how much an operation may make the gateway read, at most, before anything is read.

One unit is one key asked of one list, or one row that may be shown. A list costs its key and as
many rows as its ``first`` lets through (declared ``limit`` at most; one for a single record); what
hangs on its rows costs that many times as much. A person costs the three reads by which a number is
resolved, and their lists. The bound depends on the document and its variables alone: not on the
caller, nor on what is stored, so that it gives nothing away (design section 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.plan.shapes import (
    Analysis,
    Arguments,
    HungShape,
    LinkShape,
    ListShape,
    PersonShape,
    RootShape,
    RowEntries,
    RowsShape,
    SectionReportShape,
    SectionShape,
    StructShape,
)
from gateway.schema.lists import Wanted

#: Reads by which a number is resolved to a person.
_RESOLVING = 3


def cost(analysis: Analysis, arguments: Sequence[object]) -> int:
    """Return the most that ``analysis`` may cost. ``arguments``: what came of its dynamic ones.

    Arguments that were refused cost nothing: nothing is read for them. Costs about 1 us a list.
    """
    total = 0
    for root in analysis.roots.values():
        if isinstance(root, RootShape):
            total += _persons(root, arguments) * _person(root.person, arguments)
    return total


def _persons(root: RootShape, arguments: Sequence[object]) -> int:
    if root.name != "persons":
        return 1
    given = root.arguments
    judged = arguments[given.slot] if isinstance(given, Arguments) else given
    return len(judged["ids"]) if isinstance(judged, Mapping) else 0


def _person(shape: PersonShape, arguments: Sequence[object]) -> int:
    total = _RESOLVING
    for _, section in shape.entries:
        if isinstance(section, SectionShape):
            for _, inner in section.entries:
                if isinstance(inner, ListShape):
                    total += _list(inner, arguments)
                elif isinstance(inner, SectionReportShape) and inner.alone:
                    total += 1
    return total


def _list(shape: ListShape, arguments: Sequence[object]) -> int:
    judged = shape.wanted
    wanted = arguments[judged.slot] if isinstance(judged, Arguments) else judged
    if not isinstance(wanted, Wanted):
        return 0
    rows = 1 if shape.record.single else min(wanted.first, shape.record.limit)
    below = sum(
        _row(inner.entries, arguments) for _, inner in shape.entries if isinstance(inner, RowsShape)
    )
    return 1 + rows * (1 + below)


def _row(entries: RowEntries, arguments: Sequence[object]) -> int:
    total = 0
    for _, inner in entries:
        match inner:
            case StructShape():
                total += _row(inner.entries, arguments)
            case LinkShape():
                total += _person(inner.person, arguments)
            case HungShape():
                total += _list(inner.list, arguments)
            case _:
                pass
    return total
