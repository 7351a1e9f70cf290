"""A schema as text, for clients and for the builder of a federated graph."""

from __future__ import annotations

from functools import lru_cache

from graphql import GraphQLSchema
from strawberry.printer import print_schema

from gateway.catalogue.entities import ENTITY_KEYS
from gateway.plan.graphql_compat import strawberry_schema

#: The version of Apollo Federation that has all that the text uses.
_FEDERATION = "https://specs.apollo.dev/federation/v2.0"


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
    link = f'extend schema @link(url: "{_FEDERATION}", import: ["@key"])'
    keys = [
        f'extend type {name} @key(fields: "{field}")'
        for name, field in ENTITY_KEYS.items()
        if name in schema.type_map
    ]
    return "\n".join([schema_text(schema), link, *keys]) + "\n"
