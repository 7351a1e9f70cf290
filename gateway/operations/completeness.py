"""Completeness: an operation that shows records must show whether they are all that there are.

Design section 6.1: callers of an operation that selects ``items`` without ``source { state }`` and
``truncated`` read an incomplete list as a complete one. Such an operation is not published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    AttributeEntries,
    AttributeShape,
    ChildListShape,
    DerivedShape,
    Exists,
    FieldPlace,
    ListShape,
    LookupShape,
    PersonLinkShape,
    PersonRootShape,
    PersonShape,
    ReportShape,
    RowEntries,
    RowsShape,
    SectionShape,
    StructShape,
    TimelineShape,
    Truncated,
)


@dataclass(frozen=True, slots=True)
class UnqualifiedField:
    """A field that shows records, but not whether they are complete. ``lacks``: what it needs."""

    path: str
    line: int
    lacks: tuple[str, ...]


def find_unqualified(analysis: Analysis) -> Iterator[UnqualifiedField]:
    """Yield the lists, views and logs of an operation that do not say whether they are complete."""
    for key, root in analysis.roots.items():
        if isinstance(root, PersonRootShape):
            yield from _in_person(root.person, (key,))
        elif isinstance(root, LookupShape):
            yield from _in_list(root.list, ())


def _in_person(shape: PersonShape, above: Sequence[str]) -> Iterator[UnqualifiedField]:
    for _, entry in shape.entries:
        if isinstance(entry, AccessLogShape):
            yield from _in_plain(entry.place, above, entry.entries, "items", "state")
        if isinstance(entry, DerivedShape):
            yield from _in_plain(entry.place, above, entry.entries, "value", "state")
            yield from _in_groups(entry.place, above, entry.entries)
        if isinstance(entry, TimelineShape):
            yield from _in_timeline(entry, above)
        if not isinstance(entry, SectionShape):
            continue
        for _, part in entry.entries:
            if isinstance(part, ListShape):
                yield from _in_list(part, above)
            elif isinstance(part, DerivedShape):
                yield from _in_plain(part.place, above, part.entries, "value", "source { state }")


def _in_timeline(shape: TimelineShape, above: Sequence[str]) -> Iterator[UnqualifiedField]:
    attributes = {
        entry.attribute: entry for _, entry in shape.entries if isinstance(entry, AttributeShape)
    }
    gaps = attributes.get("gaps")
    if "edges" in attributes and (gaps is None or not _tells_state(gaps.entries or ())):
        yield _unqualified(shape.place, above, ("gaps { state }",))


def _in_plain(
    place: FieldPlace, above: Sequence[str], entries: AttributeEntries, value: str, state: str
) -> Iterator[UnqualifiedField]:
    attributes = {
        shape.attribute: shape for _, shape in entries if isinstance(shape, AttributeShape)
    }
    source = attributes.get("source")
    shows_state = "state" in attributes or (
        source is not None and _tells_state(source.entries or ())
    )
    if value in attributes and not shows_state:
        yield _unqualified(place, above, (state,))


def _in_groups(
    place: FieldPlace, above: Sequence[str], entries: AttributeEntries
) -> Iterator[UnqualifiedField]:
    """Yield the groups within a fact that show ``items``, but not why there may be more."""
    for key, shape in entries:
        if not isinstance(shape, AttributeShape) or shape.entries is None:
            continue
        below = FieldPlace((*place.steps, key), place.locations)
        attributes = {
            inner.attribute for _, inner in shape.entries if isinstance(inner, AttributeShape)
        }
        if "items" in attributes and "reason" not in attributes:
            yield _unqualified(below, above, ("reason",))
        yield from _in_groups(below, above, shape.entries)


def _in_list(shape: ListShape, above: Sequence[str]) -> Iterator[UnqualifiedField]:
    entries = [entry for _, entry in shape.entries]
    rows = [entry for entry in entries if isinstance(entry, RowsShape)]
    reports = [entry for entry in entries if isinstance(entry, ReportShape)]
    lacks = []
    if not any(_tells_state(report.entries) for report in reports):
        lacks.append("source { state }")
    if not shape.record.single and not any(isinstance(entry, Truncated) for entry in entries):
        lacks.append("truncated")
    if lacks and (rows or any(isinstance(entry, Exists) for entry in entries)):
        yield _unqualified(shape.place, above, tuple(lacks))
    for selection in rows:
        yield from _in_rows(selection.entries, (*above, *shape.place.steps))


def _in_rows(entries: RowEntries, above: Sequence[str]) -> Iterator[UnqualifiedField]:
    for _, entry in entries:
        match entry:
            case ChildListShape():
                yield from _in_list(entry.list, above)
            case PersonLinkShape():
                yield from _in_person(entry.person, (*above, *entry.place.steps))
            case StructShape():
                yield from _in_rows(entry.entries, above)
            case _:
                pass


def _tells_state(entries: AttributeEntries) -> bool:
    return any(
        isinstance(shape, AttributeShape) and shape.attribute == "state" for _, shape in entries
    )


def _unqualified(
    place: FieldPlace, above: Sequence[str], lacks: tuple[str, ...]
) -> UnqualifiedField:
    return UnqualifiedField(".".join((*above, *place.steps)), place.locations[0]["line"], lacks)
