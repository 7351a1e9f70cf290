"""Values of variables and arguments that are plain, without graphql-core.

graphql-core looks up the type of each variable again for every request. Where all variables of an
operation are of scalars or enumerations and have no default, which is so of most, types are looked
up once for a document. Each value is then coerced by the same method of its type that graphql-core
calls (``coerce_input_value``). Whatever else a value or a variable is goes to graphql-core, which
alone says what is wrong with it. ``tests/unit/gateway/plan/test_variables.py`` holds both equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    VariableNode,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import VariableValues, VariableValueSource

#: The types of values that are coerced here.
_PLAIN = frozenset({str, int, float, bool})


@dataclass(frozen=True, slots=True)
class PlainVariable:
    """A variable of a scalar or an enumeration, without a default.

    ``coerce``: the method of its type; raises for what is none of its values.
    """

    signature: GraphQLVariableSignature
    is_required: bool
    coerce: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class PlainVariables:
    """All variables of an operation; their types are those of ``schema``."""

    schema: GraphQLSchema
    variables: tuple[PlainVariable, ...]

    def coerce(self, inputs: Mapping[str, object]) -> VariableValues | None:
        """Return the values of the variables; None: ask graphql-core. A microsecond each."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for variable in self.variables:
            signature = variable.signature
            name = signature.name
            value = inputs.get(name, Undefined)
            if type(value) in _PLAIN:
                try:
                    result = variable.coerce(value)
                except Exception:  # graphql-core says what is wrong
                    return None
                if result is Undefined:
                    return None
                coerced[name] = result
            elif variable.is_required or (value is not None and value is not Undefined):
                return None
            elif value is None:
                coerced[name] = None
            sources[name] = VariableValueSource(signature, value)
        return VariableValues(sources, coerced)


def plain_variables(
    schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]
) -> PlainVariables | None:
    """Return the variables of an operation if all are plain, else None."""
    variables = []
    for definition in definitions:
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError) or definition.default_value is not None:
            return None
        is_required = is_non_null_type(signature.type)
        leaf = signature.type.of_type if is_non_null_type(signature.type) else signature.type
        if not is_leaf_type(leaf):
            return None
        variables.append(PlainVariable(signature, is_required, leaf.coerce_input_value))
    return PlainVariables(schema, tuple(variables))


@dataclass(frozen=True, slots=True)
class PlainArgument:
    """An argument that is a variable. ``name``: by which the value is handed on."""

    name: str
    variable: str
    is_required: bool


def plain_arguments(field: GraphQLField, node: FieldNode) -> tuple[PlainArgument, ...] | None:
    """Return the arguments of ``node`` in the order of ``field``; None where any is not plain.

    Plain are those that are a variable, or left out, and have no default.
    """
    values = {argument.name.value: argument.value for argument in node.arguments or ()}
    arguments = []
    for name, argument in field.args.items():
        if argument.default is not None or argument.default_value is not Undefined:
            return None
        value, is_required = values.get(name), is_non_null_type(argument.type)
        if isinstance(value, VariableNode):
            out_name = argument.out_name or name
            arguments.append(PlainArgument(out_name, value.name.value, is_required))
        elif value is not None or is_required:
            return None
    return tuple(arguments)


def plain_argument_values(
    arguments: Sequence[PlainArgument], coerced: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the values of ``arguments``; None: ask graphql-core, which says what is wrong."""
    values: dict[str, Any] = {}
    for argument in arguments:
        value = coerced.get(argument.variable, Undefined)
        if argument.is_required and (value is None or value is Undefined):
            return None
        if value is not Undefined:
            values[argument.name] = value
    return values
