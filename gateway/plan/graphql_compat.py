"""What the gateway relies on in graphql-core and strawberry beyond their documented interfaces.

Holds for graphql-core 3.3.2 and strawberry 0.341.2, the lowest versions that ``pyproject.toml``
allows. Look here first when either is upgraded: each function says what it relies on and why, and
``tests/unit/gateway/plan/test_graphql_compat.py`` fails where that is gone.
"""

from __future__ import annotations

import strawberry
from graphql import GraphQLField, GraphQLSchema, ValidationRule
from graphql.error import GraphQLSyntaxError


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return the graphql-core schema that a strawberry schema is built around (``_schema``).

    Documents are validated and planned with it, without strawberry's executor. Strawberry has no
    public name for it.
    """
    return schema._schema


def strawberry_schema(schema: GraphQLSchema) -> strawberry.Schema:
    """Return the strawberry schema around ``schema``, which alone can print its directives.

    Strawberry leaves itself there for its own converters (``_strawberry_schema``).
    """
    wrapper: strawberry.Schema = vars(schema)["_strawberry_schema"]
    return wrapper


def attribute_name(field: GraphQLField) -> str:
    """Return the Python attribute that a field made by strawberry is read from.

    Strawberry keeps its own definition in the extensions of the field. Nothing public leads from
    the GraphQL name, in camel case, back to it.
    """
    name: str = field.extensions["strawberry-definition"].python_name
    return name


def exceeded_parser_limit(error: GraphQLSyntaxError) -> str | None:
    """Return ``depth`` or ``tokens`` if the parser stopped at that limit, None for a syntax error.

    The parser raises the same class for both; only its message tells them apart.
    """
    if not error.message.endswith(" Parsing aborted."):
        return None
    return "depth" if "nested" in error.message else "tokens"


def release_rule(rule: ValidationRule) -> None:
    """Cut a validation rule that has run from what it holds.

    graphql-core's visitors refer to their own methods and to the tree. Each is a cycle that keeps
    the tree alive until a full garbage collection (``gateway.plan.syntax``).
    """
    vars(rule).clear()
