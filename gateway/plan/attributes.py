"""Objects of the answer that are read from Python attributes: reports, notices, databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from gateway.plan.collect import TYPENAME, FieldGroup, OperationFields
from gateway.plan.graphql_compat import attribute_name
from gateway.plan.requirements import Requirements
from gateway.plan.selection import AttributeEntries, AttributeShape, Typename

#: Fields that are no attributes: how generated code reads them.
_SPECIAL = {("Database", "live"): "live", ("RecordKind", "lists"): "lists"}


@dataclass(frozen=True, slots=True)
class AttributeAnalyser:
    """Analyses selections of such objects."""

    fields: OperationFields
    requirements: Requirements

    def analyse(
        self, kind: GraphQLObjectType, group: FieldGroup, *databases: str
    ) -> AttributeEntries:
        """Return what is selected of an object of type ``kind``.

        ``databases``: those that the object reports on, none for notices and access logs.
        """
        entries: list[tuple[str, Typename | AttributeShape]] = []
        for key, name, below in self.fields.fields_below(kind, group):
            if name == TYPENAME:
                entries.append((key, Typename(kind.name)))
            else:
                entries.append((key, self._attribute(kind, name, below, databases)))
        return tuple(entries)

    def _attribute(
        self, kind: GraphQLObjectType, name: str, group: FieldGroup, databases: Sequence[str]
    ) -> AttributeShape:
        definition = kind.fields[name]
        special = _SPECIAL.get((kind.name, name))
        if special == "live":
            assert databases
            self.requirements.live.update(databases)
        is_nullable = not is_non_null_type(definition.type)
        bare = definition.type if is_nullable else definition.type.of_type
        inner = get_named_type(definition.type)
        entries = None
        if isinstance(inner, GraphQLObjectType):
            entries = self.analyse(inner, group, *databases)
        return AttributeShape(
            attribute_name(definition),
            _rendering(inner),
            is_nullable,
            is_list_type(bare),
            special,
            entries,
        )


def _rendering(kind: object) -> str:
    """Return how a value of this type becomes JSON: a coded name, ISO text, or as it is."""
    if isinstance(kind, GraphQLEnumType):
        return "name"
    if isinstance(kind, GraphQLScalarType) and kind.name == "DateTime":
        return "iso"
    if isinstance(kind, GraphQLScalarType) and kind.name in {"PartialDate", "Decimal"}:
        return "text"
    return "object" if isinstance(kind, GraphQLObjectType) else "value"
