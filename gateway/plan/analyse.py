"""Analysis: from a validated operation to shapes.

Fields are collected by graphql-core's own functions, so that fragments, type conditions (interfaces
and unions too), directives and merging mean here what they mean to the reference executor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_argument_values,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from connectors.description import Field, Kind, Record
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.permitted import Need, Permitted
from gateway.catalogue.sections import (
    Bindings,
    FieldBinding,
    ListBinding,
    PersonLinkBinding,
    RecordIdBinding,
    SectionBinding,
    ValidityBinding,
)
from gateway.catalogue.verification import FIELD as VERIFY
from gateway.errors import GatewayError, Location
from gateway.plan.list_arguments import parse_list_arguments, parse_log_arguments
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    AttributeEntries,
    AttributeShape,
    ChildListShape,
    ColumnValue,
    DerivedShape,
    DynamicArguments,
    Exists,
    FieldPlace,
    IdentificationShape,
    ListEntry,
    ListShape,
    LookupShape,
    NextCursor,
    NoticesShape,
    NumberShape,
    PersonEntry,
    PersonLinkShape,
    PersonRootShape,
    PersonShape,
    RecordIdShape,
    ReportShape,
    RowEntries,
    RowsShape,
    SectionDatabaseShape,
    SectionEntry,
    SectionReportShape,
    SectionShape,
    StructShape,
    Truncated,
    Typename,
    VerifyShape,
)
from gateway.plan.syntax import walk_nodes

#: Root fields that plans answer, beside verification and the entries that databases declare.
PLANNED = frozenset({"person", "persons", "me"})
_TYPENAME = "__typename"
_REPORT = "source"
#: Fields of plain objects that are no attributes: how generation reads them.
_SPECIAL = {("Database", "live"): "live", ("RecordKind", "lists"): "lists"}

_Group = list[FieldDetails]
_Judged = TypeVar("_Judged")


def analyse(
    schema: GraphQLSchema,
    bindings: Bindings,
    document: DocumentNode,
    name: str | None,
    values: VariableValues,
) -> tuple[Analysis, DocumentNode | None]:
    """Return the shapes of the operation called ``name``, and what plans do not answer of it.

    The latter is a document for the reference executor, None where nothing is left. Of ``values``
    only those in directives count. ``document`` must be valid. Costs about 10 us a field. Raises
    GatewayError UNSUPPORTED_OPERATION for anything but a query, INVALID_VALUE for arguments that
    make no sense.
    """
    operation = _operation(document, name)
    if operation.operation is not OperationType.QUERY or schema.query_type is None:
        raise GatewayError("UNSUPPORTED_OPERATION")
    fragments = {
        node.name.value: FragmentDetails(node)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    analyser = _Analyser(schema, bindings, operation, values, fragments)
    analysis = analyser.all(schema.query_type)
    others = tuple(analyser.others)
    return analysis, _only(document, operation, others) if others else None


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return next(one for one in operations if (one.name and one.name.value) == name)


def coerce_arguments(
    dynamic: Iterable[DynamicArguments], values: VariableValues
) -> tuple[list[object], GraphQLError | None]:
    """Judge the arguments that need variables: for each what a list wants, or the coerced values.

    The second part is an error that only the executor can place (null for what must not be null):
    what it concerns is None then. Raises GatewayError INVALID_VALUE.
    """
    judged: list[object] = []
    failed: GraphQLError | None = None
    for one in dynamic:
        try:
            given = get_argument_values(one.field, one.node, values, hide_suggestions=True)
            judged.append(one.judge(given))
        except GraphQLError as error:
            judged.append(None)
            failed = failed or error
    return judged, failed


def _as_given(given: Mapping[str, object]) -> Mapping[str, object]:
    return given


def _log_arguments(given: Mapping[str, object]) -> Mapping[str, object]:
    """Return the arguments of an access log; raises GatewayError INVALID_VALUE."""
    parse_log_arguments(given)
    return given


def _only(
    document: DocumentNode, operation: OperationDefinitionNode, nodes: tuple[FieldNode, ...]
) -> DocumentNode:
    """Return ``document`` with ``operation`` alone, cut down to ``nodes`` at its root."""
    cut = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=nodes),
    )
    fragments = (one for one in document.definitions if isinstance(one, FragmentDefinitionNode))
    return DocumentNode(definitions=(cut, *fragments))


def _place(above: tuple[str, ...], key: str, group: _Group) -> FieldPlace:
    return FieldPlace((*above, key), _locations(group))


def _locations(group: _Group) -> tuple[Location, ...]:
    """Return where the nodes of a field begin, as graphql-core gives it in errors.

    Read off the tokens: counting lines in the text costs its length for every field.
    """
    tokens = (one.node.loc.start_token for one in group if one.node.loc)
    return tuple({"line": token.line, "column": token.column} for token in tokens)


def _has_variable(node: FieldNode) -> bool:
    arguments = node.arguments or ()
    return any(isinstance(one, VariableNode) for given in arguments for one in walk_nodes(given))


@dataclass(slots=True)
class _Rows:
    """One list while its rows are analysed: hands out slots."""

    record: Record
    slots: int = 0

    def slot(self) -> int:
        self.slots += 1
        return self.slots - 1


@dataclass(slots=True)
class _Analyser:
    schema: GraphQLSchema
    bindings: Bindings
    operation: OperationDefinitionNode
    values: VariableValues
    fragments: dict[str, FragmentDetails]
    needs: dict[tuple[str, str, int | None], Need] = field(default_factory=dict)
    selected: set[tuple[str, str, int | None]] = field(default_factory=set)
    dynamic: list[DynamicArguments] = field(default_factory=list)
    live: set[str] = field(default_factory=set)
    others: list[FieldNode] = field(default_factory=list)
    fields: int = 0

    def all(self, query: GraphQLObjectType) -> Analysis:
        collected = collect_fields(
            self.schema, self.fragments, self.values, query, self.operation, hide_suggestions=True
        )
        roots: dict[str, PersonRootShape | LookupShape | VerifyShape | Typename] = {}
        for key, group in self._groups(collected):
            name = group[0].node.name.value
            if name == _TYPENAME:
                roots[key] = Typename(query.name)
            elif name in PLANNED:
                roots[key] = self._root(query, name, key, group)
            elif name == VERIFY:
                roots[key] = self._verify(query, name, key, group)
            elif name in self.bindings.entries:
                roots[key] = self._thing(query, self.bindings.entries[name], name, key, group)
            else:
                self.others += [one.node for one in group]
        keys = tuple(collected.grouped_field_set)
        named = self.operation.name
        return Analysis(
            named.value if named else None,
            keys, roots, tuple(self.needs.values()), self._asked(), tuple(self.dynamic),
            frozenset(self.live), self.fields,
        )  # fmt: skip

    def _asked(self) -> tuple[bool, ...]:
        return tuple(
            position is None or (record.database, record.name, position) in self.selected
            for record, position in self.needs.values()
        )

    def _groups(self, collected: CollectedFields) -> list[tuple[str, _Group]]:
        self.fields += len(collected.grouped_field_set)
        return list(collected.grouped_field_set.items())

    def _below(self, parent: GraphQLObjectType, group: _Group) -> Iterator[tuple[str, str, _Group]]:
        """Yield response key, field name and nodes of what is selected in ``group``."""
        collected = collect_subfields(
            self.schema, self.fragments, self.values, self.operation, parent, group,
            hide_suggestions=True,
        )  # fmt: skip
        for key, below in self._groups(collected):
            yield key, below[0].node.name.value, below

    def _type(self, parent: GraphQLObjectType, name: str) -> GraphQLObjectType:
        found = get_named_type(parent.fields[name].type)
        assert isinstance(found, GraphQLObjectType)
        return found

    def _arguments(
        self,
        definition: GraphQLField,
        node: FieldNode,
        judge: Callable[[Mapping[str, object]], _Judged],
        record: Record | None = None,
    ) -> _Judged | DynamicArguments:
        """Return what ``judge`` makes of the arguments; raises what it raises."""
        if not _has_variable(node):
            return judge(get_argument_values(definition, node, None, hide_suggestions=True))
        # Kept with the plan: without what is selected below, and without where it stands.
        bare = FieldNode(name=node.name, arguments=node.arguments)
        made = DynamicArguments(len(self.dynamic), definition, bare, judge, record)
        self.dynamic.append(made)
        return made

    def _need(self, record: Permitted, position: int | None) -> None:
        self.needs[record.database, record.name, position] = (record, position)

    def _root(
        self, query: GraphQLObjectType, name: str, key: str, group: _Group
    ) -> PersonRootShape:
        arguments = self._arguments(query.fields[name], group[0].node, _as_given)
        person = self._person(self._type(query, name), group)
        return PersonRootShape(name, _place((), key, group), arguments, person)

    def _thing(
        self, query: GraphQLObjectType, entry: EntryPoint, name: str, key: str, group: _Group
    ) -> LookupShape:
        self._need(entry, None)
        arguments, place = (
            self._arguments(query.fields[name], group[0].node, _as_given),
            _place((), key, group),
        )
        listed = ListBinding(entry.record, entry.lookup)
        return LookupShape(entry, place, arguments, self._list(query, listed, place, name, group))

    def _verify(self, query: GraphQLObjectType, name: str, key: str, group: _Group) -> VerifyShape:
        verification = self.bindings.verification
        assert verification is not None  # it has a root field
        self._need(verification, None)
        arguments = self._arguments(query.fields[name], group[0].node, _as_given)
        plain = self._plain(self._type(query, name), group, verification.database)
        return VerifyShape(verification, _place((), key, group), arguments, plain)

    def _person(self, kind: GraphQLObjectType, group: _Group) -> PersonShape:
        entries: list[tuple[str, PersonEntry]] = []
        for key, name, below in self._below(kind, group):
            if name == _TYPENAME:
                entries.append((key, Typename(kind.name)))
            elif name in {"id", "askedAs"}:
                entries.append((key, NumberShape(present=name == "id")))
            elif name == "identification":
                entries.append((key, IdentificationShape(_place((), key, below))))
            elif name == "notices":
                plain = self._plain(self._type(kind, name), below, None)
                entries.append((key, NoticesShape(plain)))
            elif name == "accessLog":
                arguments = self._arguments(kind.fields[name], below[0].node, _log_arguments)
                plain = self._plain(self._type(kind, name), below, None)
                entries.append((key, AccessLogShape(_place((), key, below), arguments, plain)))
            else:
                section = self.bindings.sections[name]
                shape = self._section(self._type(kind, name), section, (key,), below)
                entries.append((key, shape))
        return PersonShape(tuple(entries))

    def _section(
        self,
        kind: GraphQLObjectType,
        section: SectionBinding,
        above: tuple[str, ...],
        group: _Group,
    ) -> SectionShape:
        selected = list(self._below(kind, group))
        lists = [section.lists[name] for _, name, _ in selected if name in section.lists]
        entries: list[tuple[str, SectionEntry]] = []
        for key, name, below in selected:
            place = _place(above, key, below)
            if name == _TYPENAME:
                entries.append((key, Typename(kind.name)))
            elif name in section.lists:
                entries.append((key, self._list(kind, section.lists[name], place, name, below)))
            elif name in section.computed:
                computed = section.computed[name]
                self._need(computed.derived, None)
                arguments = self._arguments(kind.fields[name], below[0].node, _as_given)
                plain = self._plain(self._type(kind, name), below, section.database.name)
                entries.append((key, DerivedShape(place, computed, arguments, plain)))
            else:
                plain = self._plain(self._type(kind, name), below, section.database.name)
                shape = (
                    SectionDatabaseShape(plain)
                    if name == "database"
                    else self._section_report(section, lists, place, plain)
                )
                entries.append((key, shape))
        return SectionShape(section.database, tuple(entries))

    def _section_report(
        self,
        section: SectionBinding,
        lists: list[ListBinding],
        place: FieldPlace,
        plain: AttributeEntries,
    ) -> SectionReportShape:
        first = section.database.records[0]
        reads = {one.lookup.name: (one.record, one.lookup) for one in lists}
        for record, _ in reads.values() or [(first, None)]:
            self._need(record, None)
        return SectionReportShape(
            place, tuple(reads.values()) or ((first, first.lookups[0]),), not reads, plain
        )

    def _list(
        self,
        parent: GraphQLObjectType,
        listed: ListBinding,
        place: FieldPlace,
        name: str,
        group: _Group,
    ) -> ListShape:
        kind, record = self._type(parent, name), listed.record
        self._need(record, None)
        rows = _Rows(record)
        judge = partial(parse_list_arguments, record)
        asked = self._arguments(parent.fields[name], group[0].node, judge, record)
        entries: list[tuple[str, ListEntry]] = []
        for key, inner, below in self._below(kind, group):
            if inner == _TYPENAME:
                entries.append((key, Typename(kind.name)))
            elif inner in {"items", "item"}:
                row = self._type(kind, inner)
                entries.append((key, RowsShape(self._row(row, rows, (), (), below))))
            elif inner == "truncated":
                entries.append((key, Truncated()))
            elif inner == "nextCursor":
                entries.append((key, NextCursor()))
            elif inner == "exists":
                entries.append((key, Exists()))
            else:
                plain = self._plain(self._type(kind, inner), below, record.database)
                entries.append((key, ReportShape(plain)))
        return ListShape(place, record, listed.lookup, asked, tuple(entries), rows.slots)

    def _row(
        self,
        kind: GraphQLObjectType,
        rows: _Rows,
        path: tuple[str, ...],
        above: tuple[str, ...],
        group: _Group,
    ) -> RowEntries:
        """Return what is selected of a record, or of the struct of it at ``path``."""
        entries: list[
            tuple[
                str,
                Typename
                | RecordIdShape
                | ColumnValue
                | StructShape
                | PersonLinkShape
                | ChildListShape,
            ]
        ] = []
        for key, name, below in self._below(kind, group):
            if name == _TYPENAME:
                entries.append((key, Typename(kind.name)))
                continue
            place = _place(above, key, below)
            match self.bindings.types[kind.name][name]:
                case RecordIdBinding():
                    entries.append((key, RecordIdShape()))
                case FieldBinding(declared) if declared.struct is not None:
                    inner = self._type(kind, name)
                    shape = self._struct(inner, rows, (*path, declared.name), place, below)
                    entries.append((key, shape))
                case FieldBinding(declared):
                    entries.append((key, self._column(rows.record, path, declared, place)))
                case ValidityBinding(declared):
                    value = self._column(rows.record, path, declared, place, validity=True)
                    entries.append((key, value))
                case PersonLinkBinding(declared):
                    entries.append((key, self._link(kind, rows, path, declared, place, below)))
                case ListBinding() as listed:
                    entries.append((key, self._hung(kind, rows, listed, place, name, below)))
        return tuple(entries)

    def _position(self, record: Record, path: tuple[str, ...]) -> int:
        return record.positions["_".join(path)]

    def _column(
        self,
        record: Record,
        path: tuple[str, ...],
        declared: Field,
        place: FieldPlace,
        validity: bool = False,
    ) -> ColumnValue:
        position = self._position(record, (*path, declared.name))
        self._need(record, position)
        self.selected.add((record.database, record.name, position))
        return ColumnValue(place, position, declared.kind, declared.many, validity)

    def _struct(
        self,
        kind: GraphQLObjectType,
        rows: _Rows,
        path: tuple[str, ...],
        place: FieldPlace,
        group: _Group,
    ) -> StructShape:
        inside = [
            position
            for position, column in enumerate(rows.record.columns)
            if column.path[: len(path)] == path
        ]
        for position in inside:
            self._need(rows.record, position)
        columns = rows.record.columns
        numbers = tuple(
            at
            for at in inside
            if columns[at].path[:-1] == path and columns[at].field.kind is Kind.PERSON_NUMBER
        )
        entries = self._row(kind, rows, path, place.steps, group)
        return StructShape(place, inside[0], inside[-1] + 1, numbers, entries)

    def _link(
        self,
        kind: GraphQLObjectType,
        rows: _Rows,
        path: tuple[str, ...],
        declared: Field,
        place: FieldPlace,
        group: _Group,
    ) -> PersonLinkShape:
        number = self._column(rows.record, path, declared, place)
        person = self._person(self._type(kind, group[0].node.name.value), group)
        return PersonLinkShape(place, rows.slot(), number.position, person)

    def _hung(
        self,
        kind: GraphQLObjectType,
        rows: _Rows,
        listed: ListBinding,
        place: FieldPlace,
        name: str,
        group: _Group,
    ) -> ChildListShape:
        assert listed.column is not None
        position = rows.record.positions[listed.column]
        self._need(rows.record, position)
        below = self._list(kind, listed, place, name, group)
        return ChildListShape(place, rows.slot(), position, below)

    def _plain(
        self, kind: GraphQLObjectType, group: _Group, database: str | None
    ) -> AttributeEntries:
        """Return what is selected of an object that is read from attributes.

        ``database``: whose source report this is, None for notices.
        """
        entries: list[tuple[str, Typename | AttributeShape]] = []
        for key, name, below in self._below(kind, group):
            if name == _TYPENAME:
                entries.append((key, Typename(kind.name)))
                continue
            definition = kind.fields[name]
            special = _SPECIAL.get((kind.name, name))
            if special == "live":
                assert database is not None
                self.live.add(database)
            inner = get_named_type(definition.type)
            plain = None
            if isinstance(inner, GraphQLObjectType):
                plain = self._plain(inner, below, database)
            attribute = definition.extensions["strawberry-definition"].python_name
            bare = definition.type.of_type if is_non_null_type(definition.type) else definition.type
            nullable = not is_non_null_type(definition.type)
            shape = AttributeShape(
                attribute, _rendered(inner), nullable, is_list_type(bare), special, plain
            )
            entries.append((key, shape))
        return tuple(entries)


def _rendered(kind: object) -> str:
    """Say how a value of this type becomes JSON: a coded name, ISO text, or as it is."""
    if isinstance(kind, GraphQLEnumType):
        return "name"
    if isinstance(kind, GraphQLScalarType) and kind.name == "DateTime":
        return "iso"
    return "object" if isinstance(kind, GraphQLObjectType) else "value"
