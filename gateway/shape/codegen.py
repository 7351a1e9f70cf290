"""Code generation: response functions, which turn what a plan read into the answer.

Each person and each list becomes one small function that turns rows into dictionaries; nothing is
interpreted field by field. A field that the caller may not see is the constant None here and a
``Denial`` in the plan: generated code knows nothing of errors. It reads what
``gateway.plan.results`` describes, in the order in which ``gateway.plan.steps`` plans to read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.description import Kind, Record, Sensitivity
from gateway.catalogue.own_view import OPEN_BY_KEY, narrow_open_up_to
from gateway.plan.defer import split_deferred
from gateway.plan.permissions import Permissions, PermissionTable
from gateway.plan.plan import EntitiesPlan, Plan
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    CheckShape,
    ChildListShape,
    ColumnValue,
    DerivedShape,
    EntitiesShape,
    Exists,
    IdentificationShape,
    InterestsShape,
    ListShape,
    LookupShape,
    NextCursor,
    NoticesShape,
    NumberShape,
    PersonLinkShape,
    PersonRootShape,
    PersonShape,
    RecordIdShape,
    ReportShape,
    RootEntry,
    RowEntries,
    RowsShape,
    SectionDatabaseShape,
    SectionReportShape,
    SectionShape,
    StatedDetailsShape,
    StructShape,
    TimelineShape,
    Truncated,
    Typename,
    VerifyShape,
)
from gateway.plan.steps import plan_steps
from gateway.shape.attributes import render_object, render_report
from gateway.shape.function_source import FunctionSource, dictionary

#: Kinds whose values orjson does not write by itself in the form that the schema promises.
_AS_TEXT = frozenset({Kind.DECIMAL, Kind.PARTIAL_DATE})


def compile_plan(analysis: Analysis, permissions: Permissions) -> Plan:
    """Return the plan of ``analysis`` for callers with ``permissions``, ready to be run.

    Costs about 20 us a field, most of it in Python's compiler. What a caller may see is the
    constant None in the functions, so that a plan must not be used for other permissions.
    """
    whole = analysis.roots
    analysis, increments = split_deferred(analysis)
    plan = plan_steps(analysis, permissions, increments)
    generator = _Generator(PermissionTable.build(analysis.needs, permissions))
    names = {
        (key, name): generator.root_function(root)
        for key, entry in analysis.roots.items()
        for name, root in _functions_of(entry)
    }
    names_later = [generator.root_function(increment.root) for increment in increments]
    functions = generator.source.compile()
    for (key, name), function in names.items():
        root = plan.roots[key]
        if isinstance(root, EntitiesPlan):
            root.types[name].render = functions[function]
        else:
            assert not isinstance(root, str)
            root.render = functions[function]
    for increment, name in zip(plan.increments, names_later, strict=True):
        increment.root.render = functions[name]
    orders = {increment.path: _order(whole, increment.path) for increment in increments}
    if plan.deferred_roots:
        orders[()] = plan.keys
    return replace(plan, source_text=generator.source.text, orders=orders)


def _order(roots: Mapping[str, RootEntry], path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the response keys of the person, or the section of a person, at ``path``."""
    root = roots[path[0]]
    assert isinstance(root, PersonRootShape)
    entries: Sequence[tuple[str, object]] = root.person.entries
    if path[1:]:
        section = dict(entries)[path[1]]
        assert isinstance(section, SectionShape)
        entries = section.entries
    return tuple(key for key, _ in entries)


#: A root field, or an entity of one type, that has a function of its own.
_Rendered = PersonRootShape | LookupShape | VerifyShape | CheckShape


def _functions_of(root: RootEntry) -> Iterator[tuple[str, _Rendered]]:
    """Yield what of a root field has a function: it itself, or an entity of each type by name."""
    if isinstance(root, EntitiesShape):
        yield from root.types.items()
    elif not isinstance(root, Typename):
        yield "", root


@dataclass(slots=True)
class _PersonCounts:
    """How many of each part of a person have been generated: the next one's place in its list."""

    lists: int = 0
    reports: int = 0
    derived: int = 0
    logs: int = 0
    timelines: int = 0
    databases: int = 0


@dataclass(slots=True)
class _RowNames:
    """What the rows of one list need beside their columns: ``slots``, and their ids."""

    record: Record
    open_up_to: Sensitivity | None
    slots: list[int] = field(default_factory=list)
    shows_ids: bool = False


@dataclass(slots=True)
class _Generator:
    """Generates each person once for each view: the citizen's own, and anybody else's."""

    table: PermissionTable
    source: FunctionSource = field(default_factory=FunctionSource)
    persons: dict[tuple[PersonShape, bool], str] = field(default_factory=dict)

    def root_function(self, root: _Rendered) -> str:
        """Return the name of the function of a root field."""
        match root:
            case PersonRootShape():
                return self.person_function(root.person, is_own_view=root.name == "me")
            case LookupShape():
                return self.list_function(root.list, OPEN_BY_KEY)
            case VerifyShape() | CheckShape():
                body = render_object(self.source, root.entries, "v")
                return self.source.add_function("v", "v", body, is_null_for_none=False)

    def person_function(self, shape: PersonShape, is_own_view: bool) -> str:
        function = self.persons.get((shape, is_own_view))
        if function is not None:
            return function
        counts = _PersonCounts()
        parts = []
        for key, inner in shape.entries:
            match inner:
                case Typename(name):
                    value = self.source.quote(name)
                case IdentificationShape():
                    value = "p.identification"
                case NumberShape(present):
                    value = "p.present_number" if present else "p.requested_number"
                case StatedDetailsShape():
                    value = "None"
                case NoticesShape(entries):
                    value = f"[{render_object(self.source, entries, 'n')} for n in p.notices]"
                case AccessLogShape():
                    log = f"p.logs[{counts.logs}]"
                    counts.logs += 1
                    shown = render_object(self.source, inner.entries, log)
                    value = f"(None if {log} is None else {shown})"
                case InterestsShape(_, entries):
                    interests = f"p.logs[{counts.logs}]"
                    counts.logs += 1
                    shown = render_object(self.source, entries, "i")
                    value = f"(None if {interests} is None else [{shown} for i in {interests}])"
                case DerivedShape():
                    value = self.render_derived(inner, counts)
                case TimelineShape():
                    timeline = f"p.timelines[{counts.timelines}]"
                    counts.timelines += 1
                    shown = render_object(self.source, inner.entries, timeline)
                    value = f"(None if {timeline} is None else {shown})"
                case SectionShape():
                    value = self.render_section(inner, is_own_view, counts)
            parts.append(f"{self.source.quote(key)}: {value}")
        function = self.source.add_function("p", "p", dictionary(parts), is_null_for_none=False)
        self.persons[shape, is_own_view] = function
        return function

    def render_section(self, shape: SectionShape, is_own_view: bool, counts: _PersonCounts) -> str:
        open_up_to = Sensitivity.RESTRICTED if is_own_view else None
        parts = []
        for key, inner in shape.entries:
            match inner:
                case Typename(name):
                    value = self.source.quote(name)
                case SectionReportShape():
                    report = f"p.reports[{counts.reports}]"
                    counts.reports += 1
                    value = render_report(self.source, inner.entries, report)
                case SectionDatabaseShape(entries):
                    database = f"p.databases[{counts.databases}]"
                    counts.databases += 1
                    value = render_object(self.source, entries, database)
                case DerivedShape():
                    value = self.render_derived(inner, counts)
                case ListShape():
                    function = self.list_function(inner, open_up_to)
                    value = f"{function}(p.lists[{counts.lists}], live)"
                    counts.lists += 1
            parts.append(f"{self.source.quote(key)}: {value}")
        return dictionary(parts)

    def render_derived(self, shape: DerivedShape, counts: _PersonCounts) -> str:
        derived = f"p.derived[{counts.derived}]"
        counts.derived += 1
        shown = render_object(self.source, shape.entries, derived)
        return f"(None if {derived} is None else {shown})"

    def list_function(self, shape: ListShape, open_up_to: Sensitivity | None) -> str:
        parts = []
        for key, inner in shape.entries:
            match inner:
                case Typename(name):
                    value = self.source.quote(name)
                case Truncated():
                    value = "f.truncated"
                case NextCursor():
                    value = "f.next_cursor"
                case Exists():
                    value = "(None if f.rows is None else f.rows != ())"
                case ReportShape(entries):
                    value = render_report(self.source, entries, "f.report")
                case RowsShape(entries):
                    value = self.render_rows(entries, _RowNames(shape.record, open_up_to))
            parts.append(f"{self.source.quote(key)}: {value}")
        return self.source.add_function("l", "f", dictionary(parts), is_null_for_none=True)

    def render_rows(self, entries: RowEntries, names: _RowNames) -> str:
        row = self.render_row(entries, names)
        columns = {"i": "f.ids"} if names.shows_ids else {}
        columns |= {f"b{slot}": f"f.below[{slot}]" for slot in sorted(names.slots)}
        if columns:
            variables = ", ".join(["r", *columns])
            values = ", ".join(["f.rows", *columns.values()])
            rows = f"[{row} for {variables} in zip({values})]"
        else:
            rows = f"[{row} for r in f.rows]"
        if names.record.single:
            return f"(f.text or ({rows}[0] if f.rows else None))"
        return f"(f.text or (None if f.rows is None else {rows}))"

    def render_row(self, entries: RowEntries, names: _RowNames) -> str:
        """Return the expression of a record, or of a struct of it."""
        parts = []
        for key, inner in entries:
            match inner:
                case Typename(name):
                    value = self.source.quote(name)
                case RecordIdShape():
                    names.shows_ids, value = True, "i"
                case StructShape():
                    value = self.render_struct(inner, names)
                case _ if self.is_denied(inner.position, names):
                    value = "None"
                case ColumnValue():
                    value = _render_column(inner)
                case PersonLinkShape():
                    names.slots.append(inner.slot)
                    value = self.render_link(inner)
                case ChildListShape():
                    names.slots.append(inner.slot)
                    open_up_to = narrow_open_up_to(names.open_up_to, inner.list.record)
                    function = self.list_function(inner.list, open_up_to)
                    value = f"{function}(b{inner.slot}, live)"
            parts.append(f"{self.source.quote(key)}: {value}")
        return dictionary(parts)

    def is_denied(self, position: int, names: _RowNames) -> bool:
        return bool(self.table.missing_in_rows(names.record, position, names.open_up_to))

    def render_struct(self, shape: StructShape, names: _RowNames) -> str:
        denied = [self.is_denied(position, names) for position in range(shape.first, shape.last)]
        if all(denied):
            return "None"
        inner = self.render_row(shape.entries, names)
        if any(denied):
            return inner
        is_empty = f"r[{shape.first}] is None"
        rest = shape.last - shape.first - 1
        if rest:
            nones = self.source.add_nones(rest)
            is_empty += f" and r[{shape.first + 1}:{shape.last}] == {nones}"
        return f"(None if {is_empty} else {inner})"

    def render_link(self, shape: PersonLinkShape) -> str:
        person = "q" if shape.many else f"b{shape.slot}"
        shown = f"{self.person_function(shape.person, is_own_view=False)}({person}, live)"
        if self.table.citizen:
            own_view = self.person_function(shape.person, is_own_view=True)
            shown = f"{own_view}({person}, live) if {person}.is_own_view else {shown}"
        value = f"(None if {person} is None else {shown})"
        if not shape.many:
            return value
        people = f"b{shape.slot}"
        return f"(None if {people} is None else [{value} for q in {people}])"


def _render_column(shape: ColumnValue) -> str:
    value = f"r[{shape.position}]"
    if shape.validity:
        return f"(None if {value} is None else is_valid({value}))"
    if shape.kind not in _AS_TEXT:
        return value
    shown = f"[str(v) for v in {value}]" if shape.many else f"str({value})"
    return f"(None if {value} is None else {shown})"
