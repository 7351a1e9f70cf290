"""Code generation: from shapes and permissions to a plan.

Each person and each list becomes one small function that turns rows into dictionaries; nothing is
interpreted field by field. Source is made of our own words and of numbers only. What a client or a
schema wrote (response keys, type names) stands in it as a numbered constant (``'k7'``), which is
exchanged for the text once the source is compiled: dictionaries with constant keys are built in one
instruction.

A field that the caller may not see is the constant None here and a ``Denial`` in the plan, which
the runner counts: generated code knows nothing of errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from stdnum.vn import mst
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Kind, Record, Sensitivity
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.own_view import FOUND, is_own, own_below
from gateway.catalogue.permitted import Missing
from gateway.catalogue.sections import lists_of
from gateway.fetch.read import Read
from gateway.plan.plan import (
    AccessLogPlan,
    ChildListPlan,
    Denial,
    DerivedPlan,
    ListPlan,
    LookupPlan,
    PersonLinkPlan,
    PersonPlan,
    PersonRootPlan,
    Plan,
    ReportPlan,
    Root,
    RowsPlan,
    VerifyPlan,
)
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    AttributeEntries,
    AttributeShape,
    ChildListShape,
    ColumnValue,
    DerivedShape,
    Exists,
    IdentificationShape,
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
    RowEntries,
    RowsShape,
    SectionDatabaseShape,
    SectionReportShape,
    SectionShape,
    StructShape,
    Truncated,
    Typename,
    VerifyShape,
)

#: Kinds whose values orjson does not write by itself in the form that the schema promises.
_AS_TEXT = frozenset({Kind.DECIMAL, Kind.PARTIAL_DATE})

#: What a caller lacks for a column (its place; None: the record itself), empty where nothing is.
Lacking = Mapping[tuple[str, str, int | None], Missing]


def generate(analysis: Analysis, lacking: Sequence[Missing], citizen: bool) -> Plan:
    """Return the plan of ``analysis`` for a caller.

    ``lacking``: for each of ``analysis.needs`` what the caller lacks.
    ``citizen``: it is one who asks, so that records may lead back to their own. Costs about 20 us
    a field, most of it in Python's compiler.
    """
    permitted = tuple((*need, lacks) for need, lacks in zip(analysis.needs, lacking, strict=True))
    known = {(record.database, record.name, place): lacks for record, place, lacks in permitted}
    generator = _Generator(known, citizen)
    roots: dict[str, Root] = {}
    for key, root in analysis.roots.items():
        match root:
            case PersonRootShape():
                person = generator.person(root.person, own=root.name == "me")
                roots[key] = PersonRootPlan(root.name, root.place, root.arguments, person)
            case LookupShape():
                roots[key] = generator.thing(root)
            case VerifyShape():
                roots[key] = generator.verify(root)
            case Typename():
                roots[key] = root.name
    text = generator.finish()
    return Plan(
        analysis.keys,
        roots,
        permitted,
        analysis.dynamic,
        analysis.live,
        text,
    )


def _is_valid(code: object) -> bool:
    return bool(mst.is_valid(str(code)))


@dataclass(slots=True)
class _Below:
    """What generating the rows of one list comes upon."""

    record: Record
    own: Sensitivity | None
    mentions: dict[int, None] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)
    links: list[PersonLinkPlan] = field(default_factory=list)
    hung: list[ChildListPlan] = field(default_factory=list)
    shows_ids: bool = False


@dataclass(slots=True)
class _Generator:
    lacking: Lacking
    citizen: bool
    bound: dict[str, Any] = field(
        default_factory=lambda: {"lists": lists_of, "is_valid": _is_valid, "__builtins__": {
            "str": str, "zip": zip,
        }}
    )  # fmt: skip
    texts: list[str] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    persons: dict[tuple[int, bool], PersonPlan] = field(default_factory=dict)
    others: list[LookupPlan | VerifyPlan] = field(default_factory=list)

    def finish(self) -> str:
        """Compile the functions, each by itself: compiling one holds the interpreter."""
        meant = {constant: text for text, constant in self.constants.items()}
        for number, text in enumerate(self.texts):
            code = _exchanged(compile(text, f"<plan {number}>", "exec"), meant)
            exec(code, self.bound)  # noqa: S102 - our own text
        for plan in self.persons.values():
            plan.shape = self.bound[plan.function]
        for other in self.others:
            other.shape = self.bound[other.function]
        return "\n".join(self.texts)

    def text(self, value: str) -> str:
        """Return the constant that stands for a text in generated code."""
        constant = self.constants.setdefault(value, f"k{len(self.constants)}")
        return f"'{constant}'"

    def empty(self, width: int) -> str:
        """Return the name of a tuple of ``width`` times None."""
        self.bound[f"none{width}"] = (None,) * width
        return f"none{width}"

    def missing(self, record: Record, position: int | None, own: Sensitivity | None) -> Missing:
        """Return what is lacking for a column of ``record``; None: for the record itself."""
        if is_own(record, position, own):
            return ()
        return self.lacking[record.database, record.name, position]

    def function(self, letter: str, argument: str, body: str) -> str:
        name = f"{letter}{len(self.texts)}"
        missing = f"    if {argument} is None:\n        return None\n" if letter == "l" else ""
        self.texts.append(f"def {name}({argument}, live):\n{missing}    return {body}\n")
        return name

    def person(self, shape: PersonShape, own: bool) -> PersonPlan:
        known = self.persons.get((id(shape), own))
        if known is not None:
            return known
        lists: list[ListPlan] = []
        reports: list[ReportPlan] = []
        derived: list[DerivedPlan] = []
        logs: list[AccessLogPlan] = []
        databases: list[str] = []
        parts = []
        for key, inner in shape.entries:
            match inner:
                case Typename(name):
                    value = self.text(name)
                case IdentificationShape():
                    value = "p.identification"
                case NumberShape(present):
                    value = "p.present" if present else "p.asked"
                case NoticesShape(entries):
                    value = f"[{self.plain(entries, 'n')} for n in p.notices]"
                case AccessLogShape(place, arguments, entries):
                    of = f"p.logs[{len(logs)}]"
                    value = f"(None if {of} is None else {self.plain(entries, of)})"
                    logs.append(AccessLogPlan(place, arguments))
                case SectionShape():
                    value = self.section(inner, own, lists, reports, derived, databases)
            parts.append(f"{self.text(key)}: {value}")
        function = self.function("p", "p", _dictionary(parts))
        parts_read = (tuple(lists), tuple(reports), tuple(derived), tuple(logs), tuple(databases))
        shown = shape.identifications
        plan = PersonPlan(own, shape.shows_notices, shown, *parts_read, function)
        self.persons[id(shape), own] = plan
        return plan

    def thing(self, shape: LookupShape) -> LookupPlan:
        """Return the plan of what is found by the key of a thing."""
        function, found = self.list(shape.list, FOUND)
        entry: EntryPoint = shape.entry
        denied = self.lacking[entry.database, entry.name, None]
        plan = LookupPlan(
            shape.place, to_camel_case(entry.argument), shape.arguments, denied, found, function
        )
        self.others.append(plan)
        return plan

    def verify(self, shape: VerifyShape) -> VerifyPlan:
        """Return the plan of a verification."""
        function = self.function("v", "v", self.plain(shape.entries, "v"))
        asked = shape.verification
        denied = self.lacking[asked.database, asked.name, None]
        plan = VerifyPlan(shape.place, asked, shape.arguments, denied, function)
        self.others.append(plan)
        return plan

    def section(
        self,
        shape: SectionShape,
        own: bool,
        lists: list[ListPlan],
        reports: list[ReportPlan],
        derived: list[DerivedPlan],
        databases: list[str],
    ) -> str:
        level = Sensitivity.RESTRICTED if own else None
        parts = []
        for key, inner in shape.entries:
            match inner:
                case Typename(name):
                    value = self.text(name)
                case SectionReportShape(place, reads, alone, entries):
                    value = self.plain(entries, f"p.reports[{len(reports)}]")
                    lists_read = tuple(Read(record, lookup) for record, lookup in reads)
                    reports.append(ReportPlan(place, lists_read, alone))
                case SectionDatabaseShape(entries):
                    value = self.plain(entries, f"p.databases[{len(databases)}]")
                    databases.append(shape.database.name)
                case DerivedShape(place, computed, arguments, entries):
                    of = f"p.derived[{len(derived)}]"
                    value = f"(None if {of} is None else {self.plain(entries, of)})"
                    of_view = (computed.derived.database, computed.derived.name, None)
                    denied = () if own else self.lacking[of_view]
                    derived_reads = {name: Read(*read) for name, read in computed.reads.items()}
                    derived.append(DerivedPlan(place, computed, derived_reads, denied, arguments))
                case ListShape():
                    function, plan = self.list(inner, level)
                    value = f"{function}(p.lists[{len(lists)}], live)"
                    lists.append(plan)
            parts.append(f"{self.text(key)}: {value}")
        return _dictionary(parts)

    def list(self, shape: ListShape, own: Sensitivity | None) -> tuple[str, ListPlan]:
        rows: list[RowsPlan] = []
        shows_ids = shows_cursor = False
        parts = []
        for key, inner in shape.entries:
            match inner:
                case Typename(name):
                    value = self.text(name)
                case Truncated():
                    value = "f.truncated"
                case NextCursor():
                    shows_cursor, value = True, "f.next_cursor"
                case Exists():
                    value = "(None if f.rows is None else f.rows != ())"
                case ReportShape(entries):
                    value = self.plain(entries, "f.report")
                case RowsShape(entries):
                    below = _Below(shape.record, own)
                    value = self.rows(entries, below)
                    shows_ids |= below.shows_ids
                    found = (tuple(below.denials), tuple(below.links), tuple(below.hung))
                    rows.append(RowsPlan(key, tuple(below.mentions), *found))
            parts.append(f"{self.text(key)}: {value}")
        function = self.function("l", "f", _dictionary(parts))
        plan = ListPlan(
            shape.place,
            Read(shape.record, shape.lookup),
            own,
            self.missing(shape.record, None, own),
            shape.arguments,
            tuple(rows),
            shape.slots,
            shows_ids,
            shows_cursor,
        )
        return function, plan

    def rows(self, entries: RowEntries, below: _Below) -> str:
        row = self.row(entries, below)
        slots = sorted([one.slot for one in below.links] + [one.slot for one in below.hung])
        beside = {"i": "f.ids"} if below.shows_ids else {}
        beside |= {f"b{slot}": f"f.below[{slot}]" for slot in slots}
        if beside:
            names, given = ", ".join(["r", *beside]), ", ".join(["f.rows", *beside.values()])
            every = f"[{row} for {names} in zip({given})]"
        else:
            every = f"[{row} for r in f.rows]"
        if below.record.single:
            return f"({every}[0] if f.rows else None)"
        return f"(None if f.rows is None else {every})"

    def row(self, entries: RowEntries, below: _Below) -> str:
        parts = []
        for key, inner in entries:
            match inner:
                case Typename(name):
                    value = self.text(name)
                case RecordIdShape():
                    below.shows_ids, value = True, "i"
                case ColumnValue():
                    value = self.column(inner, below)
                case StructShape():
                    value = self.struct(inner, below)
                case PersonLinkShape():
                    value = self.link(inner, below)
                case ChildListShape():
                    value = self.hung(inner, below)
            parts.append(f"{self.text(key)}: {value}")
        return _dictionary(parts)

    def column(self, shape: ColumnValue, below: _Below) -> str:
        missing = self.missing(below.record, shape.position, below.own)
        if missing:
            below.denials.append(Denial(shape.place, missing))
            return "None"
        if shape.kind is Kind.PERSON_NUMBER:
            below.mentions[shape.position] = None
        value = f"r[{shape.position}]"
        if shape.validity:
            return f"(None if {value} is None else is_valid({value}))"
        if shape.kind not in _AS_TEXT:
            return value
        shown = f"[str(v) for v in {value}]" if shape.many else f"str({value})"
        return f"(None if {value} is None else {shown})"

    def struct(self, shape: StructShape, below: _Below) -> str:
        inside = range(shape.first, shape.last)
        missing = [self.missing(below.record, position, below.own) for position in inside]
        if all(missing):
            below.denials.append(Denial(shape.place, missing[0]))
            return "None"
        below.mentions.update(dict.fromkeys(shape.numbers))
        inner = self.row(shape.entries, below)
        if any(missing):
            return inner
        empty = f"r[{shape.first}] is None"
        rest = shape.last - shape.first - 1
        if rest:
            empty += f" and r[{shape.first + 1}:{shape.last}] == {self.empty(rest)}"
        return f"(None if {empty} else {inner})"

    def link(self, shape: PersonLinkShape, below: _Below) -> str:
        missing = self.missing(below.record, shape.position, below.own)
        if missing:
            below.denials.append(Denial(shape.place, missing))
            return "None"
        below.mentions[shape.position] = None
        other = self.person(shape.person, own=False)
        own = self.person(shape.person, own=True) if self.citizen else None
        below.links.append(PersonLinkPlan(shape.place, shape.slot, shape.position, other, own))
        name = f"b{shape.slot}"
        shown = f"{other.function}({name}, live)"
        if own is not None:
            shown = f"{own.function}({name}, live) if {name}.own else {shown}"
        return f"(None if {name} is None else {shown})"

    def hung(self, shape: ChildListShape, below: _Below) -> str:
        missing = self.missing(below.record, shape.position, below.own)
        if missing:
            below.denials.append(Denial(shape.place, missing))
            return "None"
        function, plan = self.list(shape.list, own_below(below.own, shape.list.record))
        below.hung.append(ChildListPlan(shape.slot, shape.position, plan))
        return f"{function}(b{shape.slot}, live)"

    def plain(self, entries: AttributeEntries, owner: str, depth: int = 0) -> str:
        parts = []
        for key, inner in entries:
            if isinstance(inner, Typename):
                value = self.text(inner.name)
            else:
                value = self.attribute(inner, owner, depth)
            parts.append(f"{self.text(key)}: {value}")
        return _dictionary(parts)

    def attribute(self, shape: AttributeShape, owner: str, depth: int) -> str:
        if shape.special == "lists":
            return f"lists({owner})"
        value = f"live[{owner}.name]" if shape.special else f"{owner}.{shape.attribute}"
        if shape.many and shape.rendered == "value":
            return value
        if shape.many:
            shown = f"[{self.one(shape, f'v{depth}', depth)} for v{depth} in {value}]"
        else:
            shown = self.one(shape, value, depth)
        if shape.nullable and shown != value:
            return f"(None if {value} is None else {shown})"
        return shown

    def one(self, shape: AttributeShape, value: str, depth: int) -> str:
        match shape.rendered:
            case "name":
                return f"{value}.name"
            case "iso":
                return f"{value}.isoformat()"
            case "object":
                assert shape.entries is not None
                return self.plain(shape.entries, value, depth + 1)
            case _:
                return value


def _exchanged(code: CodeType, meant: Mapping[str, str]) -> CodeType:
    """Return ``code`` with each of its text constants in place of what it stands for.

    Generated source has no other texts: functions take and return values, and read attributes.
    """

    def exchange(constant: object) -> object:
        if isinstance(constant, CodeType):
            return _exchanged(constant, meant)
        if isinstance(constant, tuple):
            return tuple(exchange(one) for one in constant)
        return meant.get(constant, constant) if isinstance(constant, str) else constant

    return code.replace(co_consts=tuple(exchange(one) for one in code.co_consts))


def _dictionary(parts: list[str]) -> str:
    return "{" + ", ".join(parts) + "}"
