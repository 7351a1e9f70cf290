"""What an operation asks for, as plain data: the result of analysis, the input of generation.

A tree of shapes, one for each place in the answer. Nothing here depends on the caller or on the
values of variables, except of those in ``@include`` and ``@skip``, which decide the tree.

``key`` is always a response key (the client's text); ``steps`` are the response keys on the way
from the nearest person or row down to a field, for the paths of errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.description import Database, Kind, Lookup, Record
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.permitted import Need
from gateway.catalogue.sections import DerivedBinding
from gateway.catalogue.verification import Verification
from gateway.errors import Location
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """Where a field stands: in the answer, below its person or row, and in the document."""

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
    """A leaf of a record; ``validity``: whether the code in it is right, in place of the code."""

    place: FieldPlace
    position: int
    kind: Kind
    many: bool
    validity: bool = False


@dataclass(frozen=True, slots=True)
class StructShape:
    """A struct: the columns ``first`` to ``last`` (exclusive).

    ``numbers``: those of them that say whom it is about.

    It is null only if all of it may be seen and all of it is empty.
    """

    place: FieldPlace
    first: int
    last: int
    numbers: tuple[int, ...]
    entries: RowEntries


@dataclass(frozen=True, slots=True)
class PersonLinkShape:
    """A person whose number stands in a row. ``slot``: where the row's list keeps what is found."""

    place: FieldPlace
    slot: int
    position: int
    person: PersonShape


@dataclass(frozen=True, slots=True)
class ChildListShape:
    """A list that hangs on a row, by the column at ``position``."""

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
    """``exists`` of a single record: true, false, or null where it is not known."""


@dataclass(frozen=True, slots=True)
class ReportShape:
    """``source`` of a list."""

    entries: AttributeEntries


ListEntry = Typename | RowsShape | Truncated | Exists | NextCursor | ReportShape


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list of records. ``arguments``: which rows it shows, or how to find out.

    ``slots``: how many person links and child lists its rows have.
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
class NoticesShape:
    """``notices`` of a person."""

    entries: AttributeEntries


@dataclass(frozen=True, slots=True)
class AccessLogShape:
    """``accessLog`` of a person."""

    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    entries: AttributeEntries


PersonEntry = (
    Typename | NumberShape | IdentificationShape | NoticesShape | AccessLogShape | SectionShape
)


@dataclass(frozen=True, slots=True, eq=False)
class PersonShape:
    """A person. Equal to itself only."""

    entries: tuple[tuple[str, PersonEntry], ...]

    @property
    def shows_notices(self) -> bool:
        """Whether notices are selected; of persons at the root they are mirrored otherwise."""
        return any(isinstance(shape, NoticesShape) for _, shape in self.entries)

    @property
    def identifications(self) -> tuple[FieldPlace, ...]:
        """Where it is shown whether the person is identified."""
        shapes = (shape for _, shape in self.entries)
        return tuple(shape.place for shape in shapes if isinstance(shape, IdentificationShape))


@dataclass(frozen=True, slots=True)
class PersonRootShape:
    """A planned root field: ``person``, ``persons`` or ``me``.

    ``arguments``: as they are where no variable is among them.
    """

    name: str
    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    person: PersonShape


@dataclass(frozen=True, slots=True)
class LookupShape:
    """A root field that leads to records by the key of a thing; its list stands at the root."""

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


RootEntry = PersonRootShape | LookupShape | VerifyShape | Typename


@dataclass(frozen=True, slots=True)
class Analysis:
    """An operation, analysed.

    ``keys``: the response keys of all root fields, in order. ``roots``: the planned ones; the
    reference executor answers the others. ``needs``: what must be permitted for some field.
    ``selected``: for each need whether a field selects it; a struct is null or not by all of its
    columns, selected or not. ``dynamic``: arguments to be coerced at each request. ``live``: the
    databases whose state now is selected. ``fields``: how many fields there are.
    """

    name: str | None
    keys: tuple[str, ...]
    roots: Mapping[str, RootEntry]
    needs: tuple[Need, ...]
    selected: tuple[bool, ...]
    dynamic: tuple[DynamicArguments, ...]
    live: frozenset[str]
    fields: int
