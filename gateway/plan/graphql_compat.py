"""What the planner relies on in graphql-core 3.3 and strawberry beyond their documented interfaces.

Look here first when either is upgraded. Each function says what it relies on and why.
"""

from __future__ import annotations

from graphql import GraphQLField, ValidationRule
from graphql.error import GraphQLSyntaxError


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
