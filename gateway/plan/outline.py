"""The outline of a plan: its fields that read something, with wave and records, as data.

It is to a drawing what ``gateway.plan.explain`` is to a text. Nothing in it depends on what is
stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from connectors.description import Record
from gateway.catalogue.read import Read
from gateway.people.entities import all_must_match
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.plan import (
    CheckPlan,
    ListPlan,
    LookupPlan,
    PersonPlan,
    PersonRootPlan,
    Plan,
    VerifyPlan,
    person_roots,
)
from gateway.plan.timeline_arguments import TimelineArguments


class FieldKind(Enum):
    """What a planned field is.

    NUMBERS: whose a number is. LIST: a list of records. REPORT: a section's own source report. The
    others are worked out of records that the caller need not see.
    """

    NUMBERS = 1
    LIST = 2
    REPORT = 3
    VIEW = 4
    TIMELINE = 5
    VERIFICATION = 6
    CHECK = 7

    @property
    def is_list(self) -> bool:
        """Whether its rows are shown, or their state."""
        return self in {FieldKind.LIST, FieldKind.REPORT}


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A field that reads something.

    ``wave``: from 1. ``path``: response keys from the root. ``records``: what may be read for it;
    one of a list. ``read``: of a list or report, else None. ``row_key``: the response key of its
    rows, None where none are selected.
    """

    kind: FieldKind
    wave: int
    path: tuple[str, ...]
    records: tuple[Record, ...]
    read: Read | None = None
    row_key: str | None = None


def outline_plan(
    plan: Plan, arguments: Sequence[object], numbers: Sequence[Record]
) -> Iterator[PlannedField]:
    """Yield the fields of ``plan`` that read something.

    ``arguments``: ``plan.dynamic``, coerced, slot by slot. ``numbers``: the records by which
    numbers are resolved.
    """
    outline = _Outline(arguments, tuple(numbers))
    for key, root in plan.roots.items():
        if isinstance(root, LookupPlan):
            yield from outline.of_list(root.list, (), 1)
        elif isinstance(root, VerifyPlan):
            records = (root.verification.record, *numbers)
            yield PlannedField(FieldKind.VERIFICATION, 1, (key,), _distinct(records))
        elif isinstance(root, CheckPlan):
            reads = [read for by_list in root.reads.values() for read in by_list.values()]
            records = (*numbers, *(read.record for read in reads))
            yield PlannedField(FieldKind.CHECK, 1, (key,), _distinct(records))
        for opened in person_roots(root):
            yield from outline.of_root(key, opened)


def _distinct(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(dict.fromkeys(records))


@dataclass(frozen=True, slots=True)
class _Outline:
    """Yields the fields of a plan. ``arguments``, ``numbers``: as in ``outline_plan``."""

    arguments: Sequence[object]
    numbers: tuple[Record, ...]

    def resolve(self, value: object) -> object:
        return self.arguments[value.slot] if isinstance(value, DynamicArguments) else value

    def of_root(self, key: str, root: PersonRootPlan) -> Iterator[PlannedField]:
        arguments = self.resolve(root.arguments)
        matches = isinstance(arguments, Mapping) and all_must_match(arguments)
        yield PlannedField(FieldKind.NUMBERS, 1, (key,), self.numbers)
        # Lists are read beside the number, but not before it is known to agree.
        yield from self.of_person(root.person, (key,), 2 if matches else 1)

    def of_person(
        self, plan: PersonPlan, path: tuple[str, ...], wave: int
    ) -> Iterator[PlannedField]:
        for plan_list in plan.lists:
            yield from self.of_list(plan_list, path, wave)
        for derived in plan.derived:
            records = _distinct(read.record for read in derived.reads.values())
            field_path = (*path, *derived.place.steps)
            yield PlannedField(FieldKind.VIEW, wave, field_path, records)
        for timeline in plan.timelines:
            arguments = self.resolve(timeline.arguments)
            if isinstance(arguments, TimelineArguments):
                records = _distinct(event_list.record for event_list in arguments.lists)
                field_path = (*path, *timeline.place.steps)
                yield PlannedField(FieldKind.TIMELINE, wave, field_path, records)
        for report in plan.reports:
            if report.needs_read:
                read, field_path = report.lists[0], (*path, *report.place.steps)
                yield PlannedField(FieldKind.REPORT, wave, field_path, (read.record,), read)

    def of_list(self, plan: ListPlan, above: tuple[str, ...], wave: int) -> Iterator[PlannedField]:
        path, read = (*above, *plan.place.steps), plan.read
        row_key = plan.rows[0].key if plan.rows else None
        yield PlannedField(FieldKind.LIST, wave, path, (read.record,), read, row_key)
        for rows in plan.rows:
            list_path = (*path, rows.key)
            for link in rows.links:
                person = (*list_path, *link.place.steps)
                yield PlannedField(FieldKind.NUMBERS, wave + 1, person, self.numbers)
                yield from self.of_person(link.person, person, wave + 1)
            for child in rows.child_lists:
                yield from self.of_list(child.list, list_path, wave + 1)
