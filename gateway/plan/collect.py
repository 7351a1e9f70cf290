"""Fields of an operation, collected by graphql-core's own functions.

Fragments, type conditions (interfaces and unions too), directives and merging therefore mean in a
plan what they mean to the reference executor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from gateway.catalogue.organisations import FIELD as ORGANISATION
from gateway.errors import Location
from gateway.plan.selection import FieldPlace

#: The nodes of one field: those that share a response key, merged.
FieldGroup = list[FieldDetails]
TYPENAME = "__typename"
#: Root fields that open people, or an organisation.
PERSON_ROOTS = frozenset({"person", "persons", "me", ORGANISATION})


@dataclass(slots=True)
class OperationFields:
    """The fields of one operation. ``count``: how many have been collected so far.

    ``values``: only those of variables in ``@include`` and ``@skip`` count.
    """

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    values: VariableValues
    fragments: dict[str, FragmentDetails]
    count: int = 0

    def root_fields(self, query: GraphQLObjectType) -> Iterator[tuple[str, str, FieldGroup]]:
        """Yield response key, name and nodes of each root field."""
        return self._iterate(
            collect_fields(
                self.schema,
                self.fragments,
                self.values,
                query,
                self.operation,
                hide_suggestions=True,
            )
        )

    def fields_below(
        self, parent: GraphQLObjectType, group: FieldGroup
    ) -> Iterator[tuple[str, str, FieldGroup]]:
        """Yield response key, name and nodes of each field selected in ``group``."""
        return self._iterate(
            collect_subfields(
                self.schema,
                self.fragments,
                self.values,
                self.operation,
                parent,
                group,
                hide_suggestions=True,
            )
        )

    def _iterate(self, collected: CollectedFields) -> Iterator[tuple[str, str, FieldGroup]]:
        self.count += len(collected.grouped_field_set)
        for key, group in collected.grouped_field_set.items():
            yield key, group[0].node.name.value, group


def find_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation of ``document`` called ``name``."""
    return next(
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (node.name.value if node.name else None) == name
    )


def find_fragments(document: DocumentNode) -> dict[str, FragmentDetails]:
    """Return the fragments of ``document``, by name."""
    return {
        node.name.value: FragmentDetails(node)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def object_type(parent: GraphQLObjectType, name: str) -> GraphQLObjectType:
    """Return the object type of the field of ``parent`` called ``name``."""
    kind = get_named_type(parent.fields[name].type)
    assert isinstance(kind, GraphQLObjectType)
    return kind


def field_place(above: tuple[str, ...], key: str, group: FieldGroup) -> FieldPlace:
    """Return where a field stands. ``above``: response keys from its person or row down."""
    return FieldPlace((*above, key), _locations(group))


def _locations(group: FieldGroup) -> tuple[Location, ...]:
    """Return where the nodes of a field begin, as graphql-core gives it in errors.

    Read off the tokens: counting lines in the text costs its length for every field.
    """
    tokens = (details.node.loc.start_token for details in group if details.node.loc)
    return tuple({"line": token.line, "column": token.column} for token in tokens)
