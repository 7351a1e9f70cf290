"""Analysis: from a validated operation to the shapes of its answer.

This module has the root fields, persons and their sections; ``gateway.plan.analyse_lists`` has
lists and what is below them. What neither knows is left to the reference executor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import VariableValues

from gateway.catalogue.checks import CASES, CHECK_PERMISSION, RECHECK
from gateway.catalogue.checks import FIELD as CHECK
from gateway.catalogue.entities import ENTITIES, ENTITY_ROOTS, MATCHING, REPRESENTATIONS
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.organisations import TYPE as ORGANISATION_TYPE
from gateway.catalogue.sections import Bindings, DerivedBinding, ListBinding, SectionBinding
from gateway.catalogue.verification import FIELD as VERIFY
from gateway.derived.event_lists import EventList
from gateway.errors import GatewayError
from gateway.people.entities import EntityKey, parse_representations
from gateway.plan.analyse_lists import ListAnalyser
from gateway.plan.collect import (
    PERSON_ROOTS,
    TYPENAME,
    FieldGroup,
    OperationFields,
    field_place,
    find_fragments,
    find_operation,
    object_type,
)
from gateway.plan.list_arguments import parse_log_arguments
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    AttributeEntries,
    AttributeShape,
    CheckShape,
    DerivedShape,
    EntitiesShape,
    FieldPlace,
    IdentificationShape,
    InterestsShape,
    LookupShape,
    NoticesShape,
    NumberShape,
    PersonEntry,
    PersonRootShape,
    PersonShape,
    RootEntry,
    SectionDatabaseShape,
    SectionEntry,
    SectionReportShape,
    SectionShape,
    StatedDetailsShape,
    TimelineShape,
    Typename,
    VerifyShape,
)
from gateway.plan.timeline_arguments import TimelineArguments, parse_timeline_arguments

#: Makes the shape of a root field, of its type, name, response key and nodes.
_AnalyseRoot = Callable[[GraphQLObjectType, str, str, FieldGroup], RootEntry]


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
    operation = find_operation(document, name)
    if operation.operation is not OperationType.QUERY or schema.query_type is None:
        raise GatewayError("UNSUPPORTED_OPERATION")
    fragments = find_fragments(document)
    analyser = _Analyser(bindings, OperationFields(schema, operation, values, fragments))
    analysis, unplanned = analyser.analyse(schema.query_type)
    return analysis, _restrict(document, operation, unplanned) if unplanned else None


def _restrict(
    document: DocumentNode, operation: OperationDefinitionNode, nodes: tuple[FieldNode, ...]
) -> DocumentNode:
    """Return ``document`` with ``operation`` alone, restricted to ``nodes`` at its root."""
    restricted = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=nodes),
    )
    fragments = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
    return DocumentNode(definitions=(restricted, *fragments))


def _keep_arguments(coerced: Mapping[str, object]) -> Mapping[str, object]:
    return coerced


#: The fields by which a person or an organisation is named.
_NAMES: Mapping[str, NumberShape | StatedDetailsShape] = {
    "id": NumberShape(present=True),
    "askedAs": NumberShape(present=False),
    "code": NumberShape(present=False),
    MATCHING: StatedDetailsShape(),
}


def _parse_entities(
    types: frozenset[str], coerced: Mapping[str, Any]
) -> Mapping[str, tuple[EntityKey, ...]]:
    """Return the arguments of the field of entities, with each representation parsed."""
    return {REPRESENTATIONS: parse_representations(coerced[REPRESENTATIONS], types)}


def _check_log_arguments(coerced: Mapping[str, object]) -> Mapping[str, object]:
    """Return the arguments of an access log; raises GatewayError INVALID_VALUE."""
    parse_log_arguments(coerced)
    return coerced


def _shows_timestamp(entries: AttributeEntries) -> bool:
    """Say whether the time stamp of a check's receipt is selected, in the check or below it."""
    shapes = [shape for _, shape in entries if isinstance(shape, AttributeShape)]
    return any(
        shape.attribute == "timestamp"
        or (shape.attribute == "check" and _shows_timestamp(shape.entries or ()))
        for shape in shapes
    )


class _Analyser(ListAnalyser):
    """Analyses one operation."""

    def analyse(self, query: GraphQLObjectType) -> tuple[Analysis, tuple[FieldNode, ...]]:
        """Return the analysis, and the nodes of the root fields that no plan answers."""
        keys: list[str] = []
        roots: dict[str, RootEntry] = {}
        unplanned: list[FieldNode] = []
        for key, name, group in self.fields.root_fields(query):
            keys.append(key)
            root = self._root(query, name, key, group)
            if root is None:
                unplanned += [details.node for details in group]
            else:
                roots[key] = root
        name_node = self.fields.operation.name
        requirements = self.requirements
        analysis = Analysis(
            name_node.value if name_node else None,
            tuple(keys),
            roots,
            tuple(requirements.needs.values()),
            requirements.are_selected(),
            tuple(requirements.dynamic),
            frozenset(requirements.live),
            self.fields.count,
        )
        return analysis, tuple(unplanned)

    def _root(
        self, query: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> RootEntry | None:
        if name == TYPENAME:
            return Typename(query.name)
        methods: dict[str, _AnalyseRoot] = {
            **dict.fromkeys(PERSON_ROOTS, self._person_root),
            **dict.fromkeys((CHECK, CASES, RECHECK), self._check),
            ENTITIES: self._entities,
            VERIFY: self._verify,
        }
        method = methods.get(name)
        if method is not None:
            return method(query, name, key, group)
        if name in self.bindings.entries:
            return self._lookup(query, self.bindings.entries[name], name, key, group)
        return None

    def _person_root(
        self, query: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> PersonRootShape:
        arguments = self.requirements.parse_arguments(
            query.fields[name], group[0].node, _keep_arguments
        )
        person = self.analyse_person(object_type(query, name), group)
        return PersonRootShape(name, field_place((), key, group), arguments, person)

    def _entities(
        self, query: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> EntitiesShape:
        union = get_named_type(query.fields[name].type)
        assert isinstance(union, GraphQLUnionType)
        types = frozenset(kind.name for kind in union.types)
        arguments = self.requirements.parse_arguments(
            query.fields[name], group[0].node, partial(_parse_entities, types)
        )
        place = field_place((), key, group)
        shapes = {
            kind.name: PersonRootShape(
                ENTITY_ROOTS[kind.name], place, arguments, self.analyse_person(kind, group)
            )
            for kind in union.types
        }
        return EntitiesShape(place, arguments, shapes)

    def _lookup(
        self, query: GraphQLObjectType, entry: EntryPoint, name: str, key: str, group: FieldGroup
    ) -> LookupShape:
        self.requirements.add_need(entry, None)
        arguments = self.requirements.parse_arguments(
            query.fields[name], group[0].node, _keep_arguments
        )
        place = field_place((), key, group)
        listed = ListBinding(entry.record, entry.lookup)
        rows = self.analyse_list(query, name, listed, place, group)
        return LookupShape(entry, place, arguments, rows)

    def _verify(
        self, query: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> VerifyShape:
        verification = self.bindings.verification
        assert verification is not None  # it has a root field
        self.requirements.add_need(verification, None)
        arguments = self.requirements.parse_arguments(
            query.fields[name], group[0].node, _keep_arguments
        )
        entries = self.attributes.analyse(object_type(query, name), group, verification.database)
        return VerifyShape(verification, field_place((), key, group), arguments, entries)

    def _check(
        self, query: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> CheckShape:
        self.requirements.add_need(CHECK_PERMISSION, None)
        arguments = self.requirements.parse_arguments(
            query.fields[name], group[0].node, _keep_arguments
        )
        checks = self.bindings.checks
        databases = sorted({name for check in checks.values() for name in check.databases})
        entries = self.attributes.analyse(object_type(query, name), group, *databases)
        place = field_place((), key, group)
        is_recheck, stamped = name == RECHECK, _shows_timestamp(entries)
        return CheckShape(checks, place, arguments, entries, is_recheck, stamped, name == CASES)

    def analyse_person(self, kind: GraphQLObjectType, group: FieldGroup) -> PersonShape:
        """Return the shape of a person of the operation."""
        return PersonShape(
            tuple(
                (key, self._person_entry(kind, name, key, below))
                for key, name, below in self.fields.fields_below(kind, group)
            )
        )

    def _person_entry(
        self, kind: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> PersonEntry:
        place = field_place((), key, group)
        match name:
            case "__typename":
                return Typename(kind.name)
            case "id" | "askedAs" | "code" | "matching":
                return _NAMES[name]
            case "identification":
                return IdentificationShape(place)
            case "notices":
                return NoticesShape(self.attributes.analyse(object_type(kind, name), group))
            case "accessLog" | "timeline" | "interests":
                return self._pages[name](self, kind, name, place, group)
        return self._part(kind, name, key, group)

    def _part(
        self, kind: GraphQLObjectType, name: str, key: str, group: FieldGroup
    ) -> DerivedShape | SectionShape:
        """Return the shape of what databases say of a person: a derived view, or a section."""
        derived = self.bindings.facts.get(name)
        if derived is not None and kind.name != ORGANISATION_TYPE:
            return self._derived_view(kind, name, derived, field_place((), key, group), group)
        bindings = self.bindings
        is_person = kind.name != ORGANISATION_TYPE
        section = (bindings.sections if is_person else bindings.organisations)[name]
        return self._section(object_type(kind, name), section, (key,), group)

    def _access_log(
        self, kind: GraphQLObjectType, name: str, place: FieldPlace, group: FieldGroup
    ) -> AccessLogShape:
        arguments = self.requirements.parse_arguments(
            kind.fields[name], group[0].node, _check_log_arguments
        )
        entries = self.attributes.analyse(object_type(kind, name), group)
        return AccessLogShape(place, arguments, entries)

    def _interests(
        self, kind: GraphQLObjectType, name: str, place: FieldPlace, group: FieldGroup
    ) -> InterestsShape:
        return InterestsShape(place, self.attributes.analyse(object_type(kind, name), group))

    def _timeline(
        self, kind: GraphQLObjectType, name: str, place: FieldPlace, group: FieldGroup
    ) -> TimelineShape:
        catalogue = self.bindings.events
        arguments = self.requirements.parse_arguments(
            kind.fields[name], group[0].node, partial(parse_timeline_arguments, catalogue)
        )
        # What variables choose is not known yet: it may be anything.
        fixed = arguments if isinstance(arguments, TimelineArguments) else None
        for event_list in catalogue.lists if fixed is None else fixed.lists:
            self._add_event_needs(event_list, None if fixed is None else fixed.kinds)
        entries = self.attributes.analyse(object_type(kind, name), group)
        return TimelineShape(place, arguments, entries)

    _pages: ClassVar[Mapping[str, Callable[..., PersonEntry]]] = {
        "accessLog": _access_log,
        "timeline": _timeline,
        "interests": _interests,
    }

    def _add_event_needs(self, event_list: EventList, kinds: frozenset[str] | None) -> None:
        """Note the dates that a timeline shows of a list, and the key of what hangs on a row."""
        record, parent = event_list.record, event_list.parent
        for event in event_list.events:
            if kinds is None or event.code in kinds:
                self.requirements.add_need(record, None)
                self.requirements.add_selected_column(record, record.positions[event.column])
        if parent is not None and event_list.key is not None:
            self.requirements.add_need(parent.record, None)
            position = parent.record.positions[event_list.key]
            self.requirements.add_need(parent.record, position)

    def _section(
        self,
        kind: GraphQLObjectType,
        section: SectionBinding,
        above: tuple[str, ...],
        group: FieldGroup,
    ) -> SectionShape:
        selected = list(self.fields.fields_below(kind, group))
        lists = [section.lists[name] for _, name, _ in selected if name in section.lists]
        entries: list[tuple[str, SectionEntry]] = []
        for key, name, below in selected:
            place = field_place(above, key, below)
            if name == TYPENAME:
                entries.append((key, Typename(kind.name)))
            elif name in section.lists:
                rows = self.analyse_list(kind, name, section.lists[name], place, below)
                entries.append((key, rows))
            elif name in section.computed:
                view = self._derived_view(kind, name, section.computed[name], place, below)
                entries.append((key, view))
            else:
                database = section.database.name
                inner = self.attributes.analyse(object_type(kind, name), below, database)
                is_database = name == "database"
                shape = (
                    SectionDatabaseShape(inner)
                    if is_database
                    else self._section_report(section, lists, place, inner)
                )
                entries.append((key, shape))
        return SectionShape(section.database, tuple(entries))

    def _derived_view(
        self,
        kind: GraphQLObjectType,
        name: str,
        computed: DerivedBinding,
        place: FieldPlace,
        group: FieldGroup,
    ) -> DerivedShape:
        self.requirements.add_need(computed.derived, None)
        arguments = self.requirements.parse_arguments(
            kind.fields[name], group[0].node, _keep_arguments
        )
        entries = self.attributes.analyse(object_type(kind, name), group, *computed.databases)
        return DerivedShape(place, computed, arguments, entries)

    def _section_report(
        self,
        section: SectionBinding,
        lists: list[ListBinding],
        place: FieldPlace,
        entries: AttributeEntries,
    ) -> SectionReportShape:
        """Return the report of a section over ``lists``, those selected beside it."""
        reads = {listed.lookup.name: (listed.record, listed.lookup) for listed in lists}
        for record, _ in reads.values():
            self.requirements.add_need(record, None)
        if reads:
            return SectionReportShape(place, tuple(reads.values()), False, entries)
        first = section.database.records[0]
        self.requirements.add_need(first, None)
        return SectionReportShape(place, ((first, first.lookups[0]),), True, entries)
