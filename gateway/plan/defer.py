"""Deferred fragments of people: which fields may be delivered later, and how a plan is split by it.

GraphQL specification, draft for incremental delivery. The unit is what stands directly below a
person or an organisation at the root: a section, a derived view. Deeper down and at the root
itself ``@defer`` is ignored, as the draft permits. A field that is selected outside of all deferred
fragments too belongs to the first payload, with everything below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from graphql import DocumentNode, GraphQLSchema
from graphql.execution.collect_fields import DeferUsage, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from gateway.plan.collect import (
    PERSON_ROOTS,
    FieldGroup,
    find_fragments,
    find_operation,
    object_type,
)
from gateway.plan.selection import (
    Analysis,
    DeferredFields,
    FragmentShape,
    IncrementShape,
    PersonRootShape,
    PersonShape,
)


def find_deferred_fields(
    schema: GraphQLSchema,
    document: DocumentNode,
    name: str | None,
    values: VariableValues,
) -> DeferredFields | None:
    """Return the fields of people that may be delivered later; None where there are none.

    ``name``: of the operation.     ``document`` must be valid. Of ``values`` only those in
    directives count. Costs some 5 us a field of the root and of people.
    """
    query = schema.query_type
    assert query is not None  # a query was analysed
    operation, fragments = find_operation(document, name), find_fragments(document)
    found = _Found()
    roots = collect_fields(schema, fragments, values, query, operation, hide_suggestions=True)
    for key, group in roots.grouped_field_set.items():
        field_name = group[0].node.name.value
        if field_name in PERSON_ROOTS:
            below = collect_subfields(
                schema,
                fragments,
                values,
                operation,
                object_type(query, field_name),
                group,
                hide_suggestions=True,
            )
            found.add_root(key, below.grouped_field_set, below.new_defer_usages)
    return found.deferred() if found.fields else None


@dataclass(slots=True)
class _Found:
    """Collects fragments, root by root. ``fields``: as in ``DeferredFields``, with usages."""

    usages: list[tuple[str, DeferUsage]] = field(default_factory=list)
    fields: dict[tuple[str, str], list[DeferUsage]] = field(default_factory=dict)

    def add_root(
        self, key: str, fields: Mapping[str, FieldGroup], usages: Iterable[DeferUsage]
    ) -> None:
        """Add the fields of the people at ``key``."""
        of_root = list(usages)
        self.usages += [(key, usage) for usage in of_root]
        for below, group in fields.items():
            chains = [_chain(details.defer_usage, of_root) for details in group]
            if all(chains):
                innermost = [chain[0] for chain in chains]
                around = [usage for chain in chains for usage in chain[1:]]
                self.fields[key, below] = [
                    usage for usage in innermost if not _is_among(usage, around)
                ]

    def deferred(self) -> DeferredFields:
        """Return what was found, without fragments that have no field of their own."""
        filled = [usage for usages in self.fields.values() for usage in usages]
        shown = [(key, usage) for key, usage in self.usages if _is_among(usage, filled)]
        places = {id(usage): place for place, (_, usage) in enumerate(shown)}
        fragments = []
        for key, usage in shown:
            parent = usage.parent_defer_usage
            while parent is not None and id(parent) not in places:
                parent = parent.parent_defer_usage
            place = None if parent is None else places[id(parent)]
            fragments.append(FragmentShape(key, usage.label, place))
        fields = {
            place: tuple(sorted({places[id(usage)] for usage in usages}))
            for place, usages in self.fields.items()
        }
        return DeferredFields(tuple(fragments), fields)


def _chain(usage: DeferUsage | None, usages: list[DeferUsage]) -> list[DeferUsage]:
    """Return ``usage`` and those around it, innermost first; only those below the person."""
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
    """Return what of an analysed operation belongs to the first payload, and what may come later.

    Fields that the same fragments share are one increment.
    """
    deferred = analysis.deferred
    if deferred is None:
        return analysis, ()
    roots = dict(analysis.roots)
    increments: list[IncrementShape] = []
    for key, root in analysis.roots.items():
        if not isinstance(root, PersonRootShape):
            continue
        groups: dict[tuple[int, ...], list[str]] = {}
        for below, _ in root.person.entries:
            groups.setdefault(deferred.fields.get((key, below), ()), []).append(below)
        for fragments, keys in groups.items():
            part = _restrict(root, keys)
            if fragments:
                increments.append(IncrementShape(key, part, fragments))
            else:
                roots[key] = part
        if () not in groups:
            roots[key] = _restrict(root, ())
    return replace(analysis, roots=roots), tuple(increments)


def _restrict(root: PersonRootShape, keys: Iterable[str]) -> PersonRootShape:
    """Return ``root`` with the fields under ``keys`` alone."""
    selected = frozenset(keys)
    entries = tuple(entry for entry in root.person.entries if entry[0] in selected)
    return replace(root, person=PersonShape(entries))
