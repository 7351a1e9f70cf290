"""Steps: from an analysed operation and permissions to a plan, which says what is read.

A field that the caller may not see becomes a ``Denial`` in the plan, which the execution counts and
reports. How what was read becomes the answer is not decided here (``gateway.shape.codegen``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Kind, Record, Sensitivity
from gateway.catalogue.checks import CHECK_PERMISSION, CheckBinding
from gateway.catalogue.organisations import FIELD as ORGANISATION
from gateway.catalogue.organisations import lookup_by_number
from gateway.catalogue.own_view import OPEN_BY_KEY, narrow_open_up_to
from gateway.catalogue.read import Read
from gateway.plan.permissions import Permissions, PermissionTable
from gateway.plan.plan import (
    AccessLogPlan,
    CheckPlan,
    ChildListPlan,
    Denial,
    DerivedPlan,
    EntitiesPlan,
    IncrementPlan,
    InterestsPlan,
    ListPlan,
    LookupPlan,
    PersonLinkPlan,
    PersonPlan,
    PersonRootPlan,
    Plan,
    ReportPlan,
    Root,
    RowsPlan,
    TimelinePlan,
    VerifyPlan,
)
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    CheckShape,
    ChildListShape,
    ColumnValue,
    DerivedShape,
    EntitiesShape,
    IncrementShape,
    InterestsShape,
    ListShape,
    LookupShape,
    NextCursor,
    PersonLinkShape,
    PersonRootShape,
    PersonShape,
    RecordIdShape,
    RowEntries,
    RowsShape,
    SectionDatabaseShape,
    SectionReportShape,
    SectionShape,
    StructShape,
    TimelineShape,
    Typename,
    VerifyShape,
)
from gateway.plan.templates import template_of


def plan_steps(
    analysis: Analysis, permissions: Permissions, increments: Sequence[IncrementShape] = ()
) -> Plan:
    """Return the plan of ``analysis`` for callers with ``permissions``, without its functions.

    ``increments``: what may be delivered later; it is no part of ``analysis.roots`` then. Costs
    about 4 us a field.
    """
    table = PermissionTable.build(analysis.needs, permissions)
    planner = _Planner(table)
    roots: dict[str, Root] = {}
    for key, root in analysis.roots.items():
        match root:
            case PersonRootShape():
                roots[key] = planner.plan_person_root(root)
            case EntitiesShape(place, arguments, types):
                plans = {name: planner.plan_person_root(shape) for name, shape in types.items()}
                roots[key] = EntitiesPlan(place, arguments, plans)
            case LookupShape():
                roots[key] = planner.plan_lookup(root)
            case VerifyShape(verification, place, arguments):
                missing = table.missing(verification)
                roots[key] = VerifyPlan(place, verification, arguments, missing)
            case CheckShape(checks, place, arguments):
                missing = table.missing(CHECK_PERMISSION)
                reads = {name: _fresh_reads(check) for name, check in checks.items()}
                roots[key] = CheckPlan(
                    place,
                    checks,
                    reads,
                    arguments,
                    missing,
                    root.is_recheck,
                    root.shows_timestamp,
                    root.takes_cases,
                )
            case Typename():
                roots[key] = root.name
    permitted = tuple(
        (*need, missing) for need, missing in zip(analysis.needs, permissions.lacking, strict=True)
    )
    return Plan(
        analysis.keys,
        roots,
        permitted,
        analysis.dynamic,
        analysis.live,
        fragments=() if analysis.deferred is None else analysis.deferred.fragments,
        deferred_roots=_deferred_roots(analysis),
        increments=tuple(planner.plan_increment(increment) for increment in increments),
    )


def _deferred_roots(analysis: Analysis) -> Mapping[str, tuple[int, ...]]:
    """Return the root fields that may be delivered later, with the places of their fragments."""
    if analysis.deferred is None:
        return {}
    fields = analysis.deferred.fields
    return {key: fields[key,] for key in analysis.roots if (key,) in fields}


def _fresh_reads(check: CheckBinding) -> Mapping[str, Read]:
    """Return the reads of a check: facts that decide are read past the cache (design section 8)."""
    return {name: Read(*pair, fresh=True) for name, pair in check.reads.items()}


@dataclass(slots=True)
class _PersonParts:
    """What is to be read of a person, in the order of the selection."""

    lists: list[ListPlan] = field(default_factory=list)
    reports: list[ReportPlan] = field(default_factory=list)
    derived: list[DerivedPlan] = field(default_factory=list)
    logs: list[AccessLogPlan | InterestsPlan] = field(default_factory=list)
    timelines: list[TimelinePlan] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _RowsParts:
    """What the rows of one list need, in the order of the selection."""

    record: Record
    open_up_to: Sensitivity | None
    mentions: dict[int, None] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)
    links: list[PersonLinkPlan] = field(default_factory=list)
    child_lists: list[ChildListPlan] = field(default_factory=list)
    shows_ids: bool = False


@dataclass(slots=True)
class _Planner:
    """Plans each person once for each view: the citizen's own, and anybody else's.

    ``is_household``: lists of an organisation are read by the number of a person.
    """

    table: PermissionTable
    persons: dict[tuple[PersonShape, bool], PersonPlan] = field(default_factory=dict)
    is_household: bool = False

    def plan_person_root(self, root: PersonRootShape) -> PersonRootPlan:
        person = self.plan_person(root.person, is_own_view=root.name == "me")
        household = None
        if root.name == ORGANISATION:
            planner = _Planner(self.table, is_household=True)
            household = planner.plan_person(root.person, is_own_view=False)
        return PersonRootPlan(root.name, root.place, root.arguments, person, household)

    def plan_increment(self, increment: IncrementShape) -> IncrementPlan:
        root = self.plan_person_root(increment.root)
        for person in (root.person, root.household):
            if person is not None:  # notices are mirrored once, in the first payload
                person.shows_notices = True
        return IncrementPlan(increment.path, root, increment.fragments)

    def plan_lookup(self, shape: LookupShape) -> LookupPlan:
        entry = shape.entry
        rows = self.plan_list(shape.list, OPEN_BY_KEY)
        argument = to_camel_case(entry.argument)
        return LookupPlan(shape.place, argument, shape.arguments, self.table.missing(entry), rows)

    def plan_person(self, shape: PersonShape, is_own_view: bool) -> PersonPlan:
        plan = self.persons.get((shape, is_own_view))
        if plan is not None:
            return plan
        parts = _PersonParts()
        for _, inner in shape.entries:
            match inner:
                case AccessLogShape(place, arguments):
                    parts.logs.append(AccessLogPlan(place, arguments))
                case InterestsShape(place):
                    parts.logs.append(InterestsPlan(place))
                case DerivedShape():
                    parts.derived.append(self.plan_derived(inner, is_own_view))
                case TimelineShape(place, arguments):
                    parts.timelines.append(TimelinePlan(place, arguments))
                case SectionShape():
                    self.plan_section(inner, is_own_view, parts)
        beside = shape.beside if parts.reports else ()
        open_up_to = Sensitivity.RESTRICTED if is_own_view else None
        plan = PersonPlan(
            is_own_view,
            shape.shows_notices,
            shape.identifications,
            tuple(parts.lists),
            tuple(parts.reports),
            tuple(parts.derived),
            tuple(parts.logs),
            tuple(parts.timelines),
            tuple(parts.databases),
            tuple(self.plan_list(listed, open_up_to) for listed in beside),
        )
        self.persons[shape, is_own_view] = plan
        return plan

    def plan_section(self, shape: SectionShape, is_own_view: bool, parts: _PersonParts) -> None:
        open_up_to = Sensitivity.RESTRICTED if is_own_view else None
        for _, inner in shape.entries:
            match inner:
                case SectionReportShape(place, lists, needs_read):
                    reads = tuple(Read(record, lookup) for record, lookup in lists)
                    parts.reports.append(ReportPlan(place, reads, needs_read))
                case SectionDatabaseShape():
                    parts.databases.append(shape.database.name)
                case DerivedShape():
                    parts.derived.append(self.plan_derived(inner, is_own_view))
                case ListShape():
                    parts.lists.append(self.plan_list(inner, open_up_to))

    def plan_derived(self, shape: DerivedShape, is_own_view: bool) -> DerivedPlan:
        computed = shape.computed
        missing = () if is_own_view else self.table.missing(computed.derived)
        reads = {name: Read(*pair) for name, pair in computed.reads.items()}
        return DerivedPlan(shape.place, computed, reads, missing, shape.arguments)

    def plan_list(self, shape: ListShape, open_up_to: Sensitivity | None) -> ListPlan:
        selections: list[RowsPlan] = []
        shows_ids = shows_cursor = False
        for key, inner in shape.entries:
            match inner:
                case NextCursor():
                    shows_cursor = True
                case RowsShape(entries):
                    parts = _RowsParts(shape.record, open_up_to)
                    self.plan_columns(entries, parts)
                    shows_ids |= parts.shows_ids
                    selections.append(_rows_plan(key, parts))
        lookup = shape.lookup
        if self.is_household and lookup.organisation is not None:
            lookup = lookup_by_number(shape.record, lookup)
        return ListPlan(
            shape.place,
            Read(shape.record, lookup),
            open_up_to,
            self.table.missing_in_rows(shape.record, None, open_up_to),
            shape.arguments,
            tuple(selections),
            shape.slots,
            shows_ids,
            shows_cursor,
            template_of(shape, selections, self.table, open_up_to),
        )

    def plan_columns(self, entries: RowEntries, parts: _RowsParts) -> None:
        """Add what a record, or a struct of it, needs to ``parts``."""
        for _, inner in entries:
            match inner:
                case RecordIdShape():
                    parts.shows_ids = True
                case ColumnValue():
                    is_number = inner.kind is Kind.PERSON_NUMBER
                    if not self.is_denied(inner, parts) and is_number:
                        parts.mentions[inner.position] = None
                case StructShape():
                    self.plan_struct(inner, parts)
                case PersonLinkShape():
                    self.plan_link(inner, parts)
                case ChildListShape():
                    if not self.is_denied(inner, parts):
                        open_up_to = narrow_open_up_to(parts.open_up_to, inner.list.record)
                        plan = self.plan_list(inner.list, open_up_to)
                        parts.child_lists.append(ChildListPlan(inner.slot, inner.position, plan))

    def is_denied(
        self, shape: ColumnValue | PersonLinkShape | ChildListShape, parts: _RowsParts
    ) -> bool:
        """Say whether the column is denied, and note the denial."""
        missing = self.table.missing_in_rows(parts.record, shape.position, parts.open_up_to)
        if missing:
            parts.denials.append(Denial(shape.place, missing))
        return bool(missing)

    def plan_struct(self, shape: StructShape, parts: _RowsParts) -> None:
        missing = [
            self.table.missing_in_rows(parts.record, position, parts.open_up_to)
            for position in range(shape.first, shape.last)
        ]
        if all(missing):
            parts.denials.append(Denial(shape.place, missing[0]))
            return
        parts.mentions.update(dict.fromkeys(shape.numbers))
        self.plan_columns(shape.entries, parts)

    def plan_link(self, shape: PersonLinkShape, parts: _RowsParts) -> None:
        if self.is_denied(shape, parts):
            return
        parts.mentions[shape.position] = None
        person = self.plan_person(shape.person, is_own_view=False)
        own_view = self.plan_person(shape.person, is_own_view=True) if self.table.citizen else None
        parts.links.append(
            PersonLinkPlan(shape.place, shape.slot, shape.position, person, own_view, shape.many)
        )


def _rows_plan(key: str, parts: _RowsParts) -> RowsPlan:
    return RowsPlan(
        key,
        tuple(parts.mentions),
        tuple(parts.denials),
        tuple(parts.links),
        tuple(parts.child_lists),
    )
