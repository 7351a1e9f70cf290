"""Analysis of lists: their rows, the columns and structs in them, and what hangs on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from graphql import GraphQLObjectType

from connectors.description import Field, Kind, Record
from gateway.catalogue.sections import (
    Bindings,
    FieldBinding,
    ListBinding,
    PersonLinkBinding,
    RecordIdBinding,
    ValidityBinding,
)
from gateway.plan.attributes import AttributeAnalyser
from gateway.plan.collect import (
    TYPENAME,
    FieldGroup,
    OperationFields,
    field_place,
    object_type,
)
from gateway.plan.list_arguments import parse_list_arguments
from gateway.plan.requirements import Requirements
from gateway.plan.selection import (
    ChildListShape,
    ColumnValue,
    Exists,
    FieldPlace,
    ListEntry,
    ListShape,
    NextCursor,
    PersonLinkShape,
    PersonShape,
    RecordIdShape,
    ReportShape,
    RowEntries,
    RowEntry,
    RowsShape,
    StructShape,
    Truncated,
    Typename,
)


@dataclass(slots=True)
class _Slots:
    """The record of a list, and the slots that its links and child lists have got so far."""

    record: Record
    count: int = 0

    def take(self) -> int:
        self.count += 1
        return self.count - 1


@dataclass(frozen=True, slots=True)
class _Struct:
    """Where in a row fields are analysed.

    ``path``: names of the structs around them. ``above``: their response keys.
    """

    path: tuple[str, ...] = ()
    above: tuple[str, ...] = ()


class ListAnalyser(ABC):
    """Analyses the lists of one operation.

    A base class, because persons have lists whose rows lead to persons. Two objects that knew each
    other would keep the tree of the document alive until a full garbage collection.
    """

    def __init__(self, bindings: Bindings, fields: OperationFields) -> None:
        self.bindings = bindings
        self.fields = fields
        self.requirements = Requirements()
        self.attributes = AttributeAnalyser(fields, self.requirements)

    @abstractmethod
    def analyse_person(self, kind: GraphQLObjectType, group: FieldGroup) -> PersonShape:
        """Return the shape of a person whom a row leads to."""

    def analyse_list(
        self,
        parent: GraphQLObjectType,
        name: str,
        listed: ListBinding,
        place: FieldPlace,
        group: FieldGroup,
    ) -> ListShape:
        """Return the shape of the list that is the field ``name`` of ``parent``."""
        kind, record = object_type(parent, name), listed.record
        self.requirements.add_need(record, None)
        slots = _Slots(record)
        arguments = self.requirements.parse_arguments(
            parent.fields[name], group[0].node, partial(parse_list_arguments, record), record
        )
        entries = tuple(
            (key, self._list_entry(kind, inner, slots, below))
            for key, inner, below in self.fields.fields_below(kind, group)
        )
        return ListShape(place, record, listed.lookup, arguments, entries, slots.count)

    def _list_entry(
        self, kind: GraphQLObjectType, name: str, slots: _Slots, group: FieldGroup
    ) -> ListEntry:
        match name:
            case "__typename":
                return Typename(kind.name)
            case "items" | "item":
                return RowsShape(self._row(object_type(kind, name), slots, _Struct(), group))
            case "truncated":
                return Truncated()
            case "nextCursor":
                return NextCursor()
            case "exists":
                return Exists()
            case _:
                database = slots.record.database
                report = self.attributes.analyse(object_type(kind, name), group, database)
                return ReportShape(report)

    def _row(
        self, kind: GraphQLObjectType, slots: _Slots, within: _Struct, group: FieldGroup
    ) -> RowEntries:
        """Return what is selected of a record, or of a struct of it."""
        entries: list[tuple[str, RowEntry]] = []
        for key, name, below in self.fields.fields_below(kind, group):
            if name == TYPENAME:
                entries.append((key, Typename(kind.name)))
            else:
                place = field_place(within.above, key, below)
                entries.append((key, self._row_entry(kind, name, slots, within, place, below)))
        return tuple(entries)

    def _row_entry(
        self,
        kind: GraphQLObjectType,
        name: str,
        slots: _Slots,
        within: _Struct,
        place: FieldPlace,
        group: FieldGroup,
    ) -> RowEntry:
        match self.bindings.types[kind.name][name]:
            case RecordIdBinding():
                return RecordIdShape()
            case FieldBinding(declared) if declared.struct is not None:
                inner = _Struct((*within.path, declared.name), place.steps)
                return self._struct(object_type(kind, name), slots, inner, place, group)
            case FieldBinding(declared):
                return self._column(slots.record, within.path, declared, place)
            case ValidityBinding(declared):
                return self._column(slots.record, within.path, declared, place, validity=True)
            case PersonLinkBinding(declared):
                position = self._column(slots.record, within.path, declared, place).position
                person = self.analyse_person(object_type(kind, name), group)
                return PersonLinkShape(place, slots.take(), position, person, declared.many)
            case ListBinding() as listed:
                return self._child_list(kind, name, slots, listed, place, group)

    def _column(
        self,
        record: Record,
        path: tuple[str, ...],
        declared: Field,
        place: FieldPlace,
        validity: bool = False,
    ) -> ColumnValue:
        position = record.positions["_".join((*path, declared.name))]
        self.requirements.add_selected_column(record, position)
        return ColumnValue(place, position, declared.kind, declared.many, validity)

    def _struct(
        self,
        kind: GraphQLObjectType,
        slots: _Slots,
        struct: _Struct,
        place: FieldPlace,
        group: FieldGroup,
    ) -> StructShape:
        record, path = slots.record, struct.path
        positions = [
            position
            for position, column in enumerate(record.columns)
            if column.path[: len(path)] == path
        ]
        for position in positions:
            self.requirements.add_need(record, position)
        numbers = tuple(
            position
            for position in positions
            if record.columns[position].path[:-1] == path
            and record.columns[position].field.kind is Kind.PERSON_NUMBER
        )
        entries = self._row(kind, slots, struct, group)
        return StructShape(place, positions[0], positions[-1] + 1, numbers, entries)

    def _child_list(
        self,
        kind: GraphQLObjectType,
        name: str,
        slots: _Slots,
        listed: ListBinding,
        place: FieldPlace,
        group: FieldGroup,
    ) -> ChildListShape:
        assert listed.column is not None
        position = slots.record.positions[listed.column]
        self.requirements.add_need(slots.record, position)
        below = self.analyse_list(kind, name, listed, place, group)
        return ChildListShape(place, slots.take(), position, below)
