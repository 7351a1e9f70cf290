"""Shapes: what an operation selects, as data. The result of analysis, the input of planning.

A tree with one shape for each field of the answer. Nothing here depends on the caller, or on the
values of variables other than those in ``@include`` and ``@skip``, which decide the tree.

``entries`` are pairs of a response key (the client's text) and what stands there, in the order of
the selection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.description import Database, Kind, Lookup, Record
from gateway.catalogue.checks import CheckBinding
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.permitted import Need
from gateway.catalogue.sections import DerivedBinding
from gateway.catalogue.verification import Verification
from gateway.errors import Location
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.timeline_arguments import TimelineArguments


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """Where a field stands.

    ``steps``: the response keys from the nearest person or row down to the field, for the paths of
    errors. ``locations``: of its nodes in the document.
    """

    steps: tuple[str, ...]
    locations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Typename:
    """``__typename``."""

    name: str


@dataclass(frozen=True, slots=True)
class AttributeShape:
    """A field of an object that is read from Python attributes (source reports, notices).

    ``rendering``: how a value becomes JSON. ``special``: names what is no attribute.
    """

    attribute: str
    rendering: str
    is_nullable: bool
    is_list: bool
    special: str | None = None
    entries: AttributeEntries | None = None


AttributeEntries = tuple[tuple[str, "Typename | AttributeShape"], ...]


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A leaf of a record, read from the column at ``position``.

    ``validity``: the field says whether the code in the column is valid, in place of the code.
    """

    place: FieldPlace
    position: int
    kind: Kind
    many: bool
    validity: bool = False


@dataclass(frozen=True, slots=True)
class StructShape:
    """A struct: the columns ``first`` to ``last`` (exclusive).

    ``numbers``: those of them that hold the numbers of the persons it is about. It is null only if
    all of it may be seen and all of it is empty.
    """

    place: FieldPlace
    first: int
    last: int
    numbers: tuple[int, ...]
    entries: RowEntries


@dataclass(frozen=True, slots=True)
class PersonLinkShape:
    """A person whose number stands in a row.

    ``slot``: the list's column of results for this field. ``position``: the column of the number.
    ``many``: the column holds several numbers, and the field is a list of people.
    """

    place: FieldPlace
    slot: int
    position: int
    person: PersonShape
    many: bool = False


@dataclass(frozen=True, slots=True)
class ChildListShape:
    """A list that hangs on a row by the column at ``position``; ``slot`` as in a person link."""

    place: FieldPlace
    slot: int
    position: int
    list: ListShape


@dataclass(frozen=True, slots=True)
class RecordIdShape:
    """``recordId`` of a record."""


RowEntry = Typename | RecordIdShape | ColumnValue | StructShape | PersonLinkShape | ChildListShape
RowEntries = tuple[tuple[str, RowEntry], ...]


@dataclass(frozen=True, slots=True)
class RowsShape:
    """``items`` of a list, or ``item`` of a single record."""

    entries: RowEntries


@dataclass(frozen=True, slots=True)
class Truncated:
    """``truncated`` of a list."""


@dataclass(frozen=True, slots=True)
class NextCursor:
    """``nextCursor`` of a list."""


@dataclass(frozen=True, slots=True)
class Exists:
    """``exists`` of a single record: true, false, or null if that is not known."""


@dataclass(frozen=True, slots=True)
class ReportShape:
    """``source`` of a list."""

    entries: AttributeEntries


ListEntry = Typename | RowsShape | Truncated | Exists | NextCursor | ReportShape


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list of records.

    ``arguments``: which rows it shows, dynamic if variables decide. ``slots``: how many person
    links and child lists its rows have.
    """

    place: FieldPlace
    record: Record
    lookup: Lookup
    arguments: ListArguments | DynamicArguments
    entries: tuple[tuple[str, ListEntry], ...]
    slots: int


@dataclass(frozen=True, slots=True)
class SectionReportShape:
    """``source`` of a section: of the ``lists`` selected in it.

    ``needs_read``: none is selected; ``lists`` is the first of the section, read for this alone.
    """

    place: FieldPlace
    lists: tuple[tuple[Record, Lookup], ...]
    needs_read: bool
    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class SectionDatabaseShape:
    """``database`` of a section."""

    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class DerivedShape:
    """A derived view of a person."""

    place: FieldPlace
    computed: DerivedBinding
    arguments: Mapping[str, object] | DynamicArguments
    entries: AttributeEntries


SectionEntry = Typename | ListShape | SectionReportShape | SectionDatabaseShape | DerivedShape


@dataclass(frozen=True, slots=True)
class SectionShape:
    """A section of a person."""

    database: Database
    entries: tuple[tuple[str, SectionEntry], ...]


@dataclass(frozen=True, slots=True)
class NumberShape:
    """``id`` (``present``) or ``askedAs`` of a person."""

    present: bool


@dataclass(frozen=True, slots=True)
class IdentificationShape:
    """``identification`` of a person."""

    place: FieldPlace


@dataclass(frozen=True, slots=True)
class StatedDetailsShape:
    """``matching`` of a person, which other subgraphs state and the gateway never: null."""


@dataclass(frozen=True, slots=True)
class NoticesShape:
    """``notices`` of a person."""

    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class AccessLogShape:
    """``accessLog`` of a person."""

    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class InterestsShape:
    """``interests`` in a person: a list, null where it is not known."""

    place: FieldPlace
    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class TimelineShape:
    """``timeline`` of a person."""

    place: FieldPlace
    arguments: TimelineArguments | DynamicArguments
    entries: AttributeEntries


PersonEntry = (
    Typename
    | NumberShape
    | StatedDetailsShape
    | IdentificationShape
    | NoticesShape
    | AccessLogShape
    | InterestsShape
    | DerivedShape
    | TimelineShape
    | SectionShape
)


@dataclass(frozen=True, slots=True, eq=False)
class PersonShape:
    """A person. Equal to itself only.

    ``beside``: lists of the same person that are selected, and not among ``entries``.
    """

    entries: tuple[tuple[str, PersonEntry], ...]
    beside: tuple[ListShape, ...] = ()

    @property
    def lists(self) -> Iterator[ListShape]:
        """The lists of all sections."""
        for _, section in self.entries:
            if isinstance(section, SectionShape):
                yield from (shape for _, shape in section.entries if isinstance(shape, ListShape))

    @property
    def shows_notices(self) -> bool:
        """Whether notices are selected; if not, those of persons at the root are mirrored."""
        return any(isinstance(shape, NoticesShape) for _, shape in self.entries)

    @property
    def identifications(self) -> tuple[FieldPlace, ...]:
        """Where ``identification`` is selected."""
        shapes = (shape for _, shape in self.entries)
        return tuple(shape.place for shape in shapes if isinstance(shape, IdentificationShape))


@dataclass(frozen=True, slots=True)
class PersonRootShape:
    """A root field that opens people: ``person``, ``persons`` or ``me``.

    ``arguments``: coerced, dynamic if variables are among them.
    """

    name: str
    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    person: PersonShape


@dataclass(frozen=True, slots=True)
class EntitiesShape:
    """The root field that opens entities, in the order of their representations.

    ``types``: what is selected of an entity of each type, as of the root field that opens what it
    is.
    """

    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    types: Mapping[str, PersonRootShape]


@dataclass(frozen=True, slots=True)
class LookupShape:
    """A root field that finds records by the key of a thing; their list stands at the root."""

    entry: EntryPoint
    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    list: ListShape


@dataclass(frozen=True, slots=True)
class VerifyShape:
    """A root field that verifies a person."""

    verification: Verification
    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class CheckShape:
    """A root field that checks a procedure. ``checks``: those that there are, by name.

    ``is_recheck``: what is checked stands in a receipt. ``shows_timestamp``: the time stamp of the
    receipt is selected. ``takes_cases``: it checks a queue of cases.
    """

    checks: Mapping[str, CheckBinding]
    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    entries: AttributeEntries
    is_recheck: bool = False
    shows_timestamp: bool = False
    takes_cases: bool = False


RootEntry = PersonRootShape | EntitiesShape | LookupShape | VerifyShape | CheckShape | Typename


@dataclass(frozen=True, slots=True)
class FragmentShape:
    """A fragment that may be delivered later.

    ``path``: the response keys down to the object that it is a fragment of: nothing for the query,
    the key of a root field for people, and that of a section below it. ``parent``: the place of the
    deferred fragment around it.
    """

    path: tuple[str, ...]
    label: str | None
    parent: int | None


@dataclass(frozen=True, slots=True)
class DeferredFields:
    """What of an operation may be delivered later.

    ``fields``: by the response keys down to a field, the places of the fragments that it belongs
    to, sorted.
    """

    fragments: tuple[FragmentShape, ...]
    fields: Mapping[tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class IncrementShape:
    """Fields of a person, or of a section of theirs, that are delivered together, later.

    ``path``: as in ``FragmentShape``. ``root``: with these fields alone. ``fragments``: the places
    of those that they belong to.
    """

    path: tuple[str, ...]
    root: PersonRootShape
    fragments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """An operation, analysed.

    ``keys``: the response keys of all root fields, in order. ``roots``: the planned ones; the
    reference executor answers the others. ``needs``: what must be permitted for some field.
    ``selected``: for each need whether a field selects it; a struct is null or not by all of its
    columns, selected or not. ``dynamic``: arguments to be coerced at each request. ``live``: the
    databases whose state now is selected. ``fields``: how many fields there are. ``deferred``: what
    may be delivered later, None for nothing.
    """

    name: str | None
    keys: tuple[str, ...]
    roots: Mapping[str, RootEntry]
    needs: tuple[Need, ...]
    selected: tuple[bool, ...]
    dynamic: tuple[DynamicArguments, ...]
    live: frozenset[str]
    fields: int
    deferred: DeferredFields | None = None
