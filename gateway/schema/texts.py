"""A schema as text, for clients and for the builder of a federated graph."""

from __future__ import annotations

from functools import lru_cache

from graphql import GraphQLSchema
from strawberry.printer import print_schema

from gateway.catalogue.entities import ENTITY_KEYS, MATCHING, PERSON_TYPE
from gateway.plan.graphql_compat import strawberry_schema

#: The version of Apollo Federation that has all that the text uses.
_LINK = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.0",
  import: ["@key", "@external", "@inaccessible"])"""
#: The key by which a subgraph sends what its records state about a person (decision 94). The number
#: is in the object, since a router sends the smallest key that it can: a subgraph without ``id`` of
#: a person leaves only this one.
_MATCHING_KEY = f'extend type {PERSON_TYPE} @key(fields: "{MATCHING} {{ id birthDate name }}")'
#: Other subgraphs supply its fields, and clients of the graph do not see them.
_OF_OTHERS = (
    (f"  {MATCHING}: PersonDetails\n", f"  {MATCHING}: PersonDetails @external @inaccessible\n"),
    ("type PersonDetails {", "type PersonDetails @inaccessible {"),
)


@lru_cache(maxsize=4)
def schema_text(schema: GraphQLSchema) -> str:
    """Return ``schema`` in the schema definition language, as kept in ``schema.graphql``.

    Costs 65 ms the first time, which is most of a start with a schema that is built already.
    """
    return print_schema(strawberry_schema(schema)).rstrip() + "\n"


@lru_cache(maxsize=4)
def subgraph_text(schema: GraphQLSchema) -> str:
    """Return ``schema`` as the builder of a federated graph reads it: with the keys of entities.

    They stand apart, as extensions: ``schema.graphql`` is without them, since a directive that a
    text uses and does not define is an error to most tools.
    """
    keys = [
        f'extend type {name} @key(fields: "{field}")'
        for name, field in ENTITY_KEYS.items()
        if name in schema.type_map
    ]
    text = schema_text(schema)
    for definition, marked in _OF_OTHERS:
        text = text.replace(definition, marked)
    return "\n".join([text, _LINK, *keys, _MATCHING_KEY]) + "\n"
