"""Deferred fragments: which fields may be delivered later, and how a plan is split by it.

GraphQL specification, draft for incremental delivery. Three kinds of fields may be: root fields
that open people or look up records; what stands directly below a person or an organisation at the
root, as a section or a fact; and what stands directly below such a section, as a list. Everywhere
else ``@defer`` is ignored, as the draft permits. A field that is selected outside of all deferred
fragments of its object too comes with that object, and with everything below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from graphql import DocumentNode, GraphQLObjectType, GraphQLSchema
from graphql.execution.collect_fields import (
    CollectedFields,
    DeferUsage,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from gateway.plan.collect import FieldGroup, find_fragments, find_operation, object_type
from gateway.plan.selection import (
    Analysis,
    DeferredFields,
    FragmentShape,
    IncrementShape,
    LookupShape,
    PersonEntry,
    PersonRootShape,
    PersonShape,
    RootEntry,
    SectionShape,
)

#: The response keys down to an object, and what is selected in it.
_Object = tuple[tuple[str, ...], CollectedFields]


def find_deferred_fields(
    schema: GraphQLSchema,
    document: DocumentNode,
    name: str | None,
    values: VariableValues,
    roots: Mapping[str, RootEntry],
) -> DeferredFields | None:
    """Return the fields that may be delivered later; None where there are none.

    ``name``: of the operation. ``document`` must be valid. Of ``values`` only those in directives
    count. ``roots``: of the analysed operation. Costs some 5 us a field of the root, of people and
    of sections.
    """
    collector = _FragmentCollector()
    for path, selected in _objects(schema, document, name, values, roots):
        fields = selected.grouped_field_set
        if not path:  # the other root fields come with the first payload
            fields = {
                key: group
                for key, group in fields.items()
                if isinstance(roots.get(key), PersonRootShape | LookupShape)
            }
        collector.add(path, fields, selected.new_defer_usages)
    return collector.deferred() if collector.fields else None


def _objects(
    schema: GraphQLSchema,
    document: DocumentNode,
    name: str | None,
    values: VariableValues,
    roots: Mapping[str, RootEntry],
) -> Iterator[_Object]:
    """Yield the query, the people at its root, and their sections; what is around comes first."""
    query = schema.query_type
    assert query is not None  # a query was analysed
    operation, fragments = find_operation(document, name), find_fragments(document)

    def below(parent: GraphQLObjectType, group: FieldGroup) -> CollectedFields:
        return collect_subfields(
            schema, fragments, values, operation, parent, group, hide_suggestions=True
        )

    selected = collect_fields(schema, fragments, values, query, operation, hide_suggestions=True)
    yield (), selected
    for key, group in selected.grouped_field_set.items():
        root = roots.get(key)
        if isinstance(root, PersonRootShape):
            person = object_type(query, group[0].node.name.value)
            yield from _objects_of_person((key,), root.person, person, below(person, group), below)


def _objects_of_person(
    path: tuple[str, ...],
    shape: PersonShape,
    person: GraphQLObjectType,
    selected: CollectedFields,
    below: Callable[[GraphQLObjectType, FieldGroup], CollectedFields],
) -> Iterator[_Object]:
    """Yield a person and their sections. ``below``: collects what is selected in a field."""
    yield path, selected
    for key, inner in shape.entries:
        if isinstance(inner, SectionShape):
            group = selected.grouped_field_set[key]
            yield (*path, key), below(object_type(person, group[0].node.name.value), group)


@dataclass(slots=True)
class _FragmentCollector:
    """Collects fragments, object by object. ``fields``: as in ``DeferredFields``, with usages."""

    usages: list[tuple[tuple[str, ...], DeferUsage]] = field(default_factory=list)
    fields: dict[tuple[str, ...], list[DeferUsage]] = field(default_factory=dict)

    def add(
        self,
        path: tuple[str, ...],
        fields: Mapping[str, FieldGroup],
        usages: Iterable[DeferUsage],
    ) -> None:
        """Add ``fields`` of the object at ``path``, with the fragments that begin there."""
        of_object = list(usages)
        self.usages += [(path, usage) for usage in of_object]
        for key, group in fields.items():
            chains = [_chain(details.defer_usage, of_object) for details in group]
            if all(chains):
                innermost = [chain[0] for chain in chains]
                self.fields[(*path, key)] = [
                    chain[0]
                    for chain in chains
                    if not any(_is_among(usage, innermost) for usage in chain[1:])
                ]

    def deferred(self) -> DeferredFields:
        """Return what was found, without fragments that have no field of their own."""
        filled = [usage for usages in self.fields.values() for usage in usages]
        shown = [(path, usage) for path, usage in self.usages if _is_among(usage, filled)]
        places = {id(usage): place for place, (_, usage) in enumerate(shown)}
        fragments = []
        for path, usage in shown:
            parent = usage.parent_defer_usage
            while parent is not None and id(parent) not in places:
                parent = parent.parent_defer_usage
            place = None if parent is None else places[id(parent)]
            fragments.append(FragmentShape(path, usage.label, place))
        fields = {
            place: tuple(sorted({places[id(usage)] for usage in usages}))
            for place, usages in self.fields.items()
        }
        return DeferredFields(tuple(fragments), fields)


def _chain(usage: DeferUsage | None, usages: list[DeferUsage]) -> list[DeferUsage]:
    """Return ``usage`` and those around it, innermost first; only those among ``usages``."""
    chain = []
    while usage is not None:
        if _is_among(usage, usages):
            chain.append(usage)
        usage = usage.parent_defer_usage
    return chain


def _is_among(usage: DeferUsage, usages: Iterable[DeferUsage]) -> bool:
    """Say whether ``usage`` itself is among ``usages``: two may look the same."""
    return any(usage is other for other in usages)


def split_deferred(analysis: Analysis) -> tuple[Analysis, tuple[IncrementShape, ...]]:
    """Return what of an analysed operation comes with its root fields, and what may come later.

    Fields of an object that the same fragments share are one increment.
    """
    if analysis.deferred is None:
        return analysis, ()
    roots = dict(analysis.roots)
    increments: list[IncrementShape] = []
    for key, root in analysis.roots.items():
        if isinstance(root, PersonRootShape):
            split = _SplitPerson(root, analysis.deferred.fields)
            split.add_person(key)
            roots[key] = split.restrict(split.whole)
            increments += split.increments()
    return replace(analysis, roots=roots), tuple(increments)


#: Fields of a person, by response key.
_Entries = dict[str, PersonEntry]


@dataclass(slots=True)
class _SplitPerson:
    """Splits what is selected of people at a root field.

    ``whole``: what comes with them. ``later``: the rest, by object and by its fragments there.
    """

    root: PersonRootShape
    fields: Mapping[tuple[str, ...], tuple[int, ...]]
    whole: _Entries = field(default_factory=dict)
    later: dict[tuple[tuple[str, ...], tuple[int, ...]], _Entries] = field(default_factory=dict)

    def add_person(self, key: str) -> None:
        """Add all fields. ``key``: of the root field."""
        for below, entry in self.root.person.entries:
            entries = self._entries((key,), below)
            entries[below] = entry
            if isinstance(entry, SectionShape):
                entries[below] = self._split_section((key, below), entry)

    def _entries(self, path: tuple[str, ...], key: str) -> _Entries:
        """Return where the field ``key`` of the object at ``path`` belongs."""
        fragments = self.fields.get((*path, key))
        return self.whole if fragments is None else self.later.setdefault((path, fragments), {})

    def _split_section(self, path: tuple[str, ...], section: SectionShape) -> SectionShape:
        """Return what comes with a section, and add the rest."""
        rest = []
        for key, entry in section.entries:
            fragments = self.fields.get((*path, key))
            if fragments is None:
                rest.append((key, entry))
                continue
            nothing: _Entries = {path[1]: replace(section, entries=())}
            entries = self.later.setdefault((path, fragments), nothing)
            before = entries[path[1]]
            assert isinstance(before, SectionShape)
            entries[path[1]] = replace(before, entries=(*before.entries, (key, entry)))
        return replace(section, entries=tuple(rest))

    def increments(self) -> Iterator[IncrementShape]:
        """Yield what may come later."""
        for (path, fragments), entries in self.later.items():
            yield IncrementShape(path, self.restrict(entries), fragments)

    def restrict(self, entries: _Entries) -> PersonRootShape:
        """Return the root field with ``entries`` alone; the same one if these are all."""
        shape = PersonShape(tuple(entries.items()))
        if not self.later:
            return self.root
        selected = set(map(id, shape.lists))
        beside = tuple(
            person_list for person_list in self.root.person.lists if id(person_list) not in selected
        )
        return replace(self.root, person=replace(shape, beside=beside))
