"""Plain variables and arguments, held against graphql-core over generated values."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    get_argument_values,
    is_input_type,
    is_non_null_type,
    parse,
)
from graphql.execution.values import VariableValues, get_variable_values

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.plan.compile import coerce_variables
from gateway.plan.document import InvalidDocument, Operation, describe_document
from gateway.plan.dynamic_arguments import DynamicArguments
from tests.support.people import HOA
from tests.support.running import built

SCHEMA = built((POPULATION, CIVIL_STATUS))
#: Every type that a variable may have, wrapped in each way.
TYPES = [
    form.format(name)
    for name, kind in sorted(SCHEMA.type_map.items())
    if is_input_type(kind) and not name.startswith("__")
    for form in ("{}", "{}!", "[{}]", "[{}!]!")
]
ENUMERATED = [
    name
    for kind in SCHEMA.type_map.values()
    for name in getattr(kind, "values", {})
    if isinstance(getattr(kind, "values", None), dict)
]
VALUES = [
    HOA, "123456789", "1", "", " ", "2000-01-02", "2000-13-02", "1957", "abc", "x" * 101, "é",
    0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**60, 1.0, 1.5, 1e300, True, False, None,
    [], [HOA], [1, None], {}, {"a": 1}, [[HOA]], *ENUMERATED[:20],
]  # fmt: skip


def _operation(definitions: str) -> Operation:
    text = f"query({definitions}) {{ __typename }}"
    return describe_document(SCHEMA, parse(text), text, names_person=False).operation(None)


def _expected(operation: Operation, given: Mapping[str, Any]) -> VariableValues | list[Any]:
    values = get_variable_values(
        SCHEMA, operation.variables, dict(given), max_errors=50, hide_suggestions=True
    )
    return [error.formatted for error in values] if isinstance(values, list) else values


def _coerced(operation: Operation, given: Mapping[str, Any]) -> VariableValues | list[Any]:
    try:
        return coerce_variables(SCHEMA, operation, given)
    except InvalidDocument as error:
        return [fault.formatted for fault in error.errors]


def _outcome(values: VariableValues | list[Any]) -> object:
    """Return what tells values apart, with their types and order: 1, 1.0 and True are equal."""
    if isinstance(values, list):
        return values
    sources = [
        (name, source.signature.name, str(source.signature.type), repr(source.value))
        for name, source in values.sources.items()
    ]
    return repr(values.coerced), sources


@pytest.mark.parametrize("kind", TYPES)
def test_each_value_of_each_type_is_what_graphql_core_says(kind: str) -> None:
    operation = _operation(f"$v: {kind}")
    for value in VALUES:
        given = {"v": value}
        assert _outcome(_coerced(operation, given)) == _outcome(_expected(operation, given)), value
    assert _outcome(_coerced(operation, {})) == _outcome(_expected(operation, {}))


def test_any_mixture_of_variables_is_what_graphql_core_says() -> None:
    draw, faults, plain = Random(11), 0, 0
    for _ in range(1_500):
        kinds = [draw.choice(TYPES) for _ in range(draw.randrange(1, 5))]
        if draw.random() < 0.6:
            kinds = [kind for kind in kinds if "[" not in kind] or ["PersonNumber!"]
        default = " = null" if draw.random() < 0.1 and not kinds[0].endswith("!") else ""
        definitions = [f"$v{place}: {kind}" for place, kind in enumerate(kinds)]
        operation = _operation(", ".join([definitions[0] + default, *definitions[1:]]))
        names = [f"v{place}" for place in range(len(kinds))]
        given = {
            name: HOA if draw.random() < 0.5 else draw.choice(VALUES)
            for name in (*names, "unknown")
            if draw.random() < 0.85
        }
        expected = _expected(operation, given)
        assert _outcome(_coerced(operation, given)) == _outcome(expected), (kinds, given)
        faults += isinstance(expected, list)
        variables = operation.plain_variables
        plain += variables is not None and variables.coerce(given) is not None
    assert faults > 300
    assert plain > 100, "else nothing was compared"


def test_variables_that_are_not_plain_are_left_to_graphql_core() -> None:
    for definitions in ("$v: [String]", "$v: String = null", '$v: String! = "a"', "$v: [[Int!]!]"):
        assert _operation(definitions).plain_variables is None
    plain = _operation("$v: PersonNumber!").plain_variables
    assert plain is not None
    assert plain.coerce({"v": "no number"}) is None
    assert plain.coerce({}) is None
    values = plain.coerce({"v": HOA})
    assert values is not None
    assert values.coerced == {"v": HOA}


def test_types_are_those_of_the_schema_that_is_asked() -> None:
    other = built((POPULATION,))
    operation = _operation("$v: Int!")
    values = coerce_variables(other, operation, {"v": 1})
    kind = values.sources["v"].signature.type
    assert is_non_null_type(kind)
    assert kind.of_type is other.type_map["Int"]


ARGUMENTS = (
    "verifyPerson(id: $a, fullName: $b)", "verifyPerson(id: $a)", 'verifyPerson(id: "1")',
    "person(id: $a)", "persons(ids: $a)", "persons(ids: [$a])", "person(id: $a, matching: $b)",
    "person(id: $a, matching: {fullName: $b})", "databases",
)  # fmt: skip


@pytest.mark.parametrize("text", ARGUMENTS)
def test_arguments_are_what_graphql_core_says(text: str) -> None:
    (operation,) = parse(f"query {{ {text} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (node,) = operation.selection_set.selections
    assert isinstance(node, FieldNode)
    assert SCHEMA.query_type is not None
    definition = SCHEMA.query_type.fields[node.name.value]
    arguments = DynamicArguments(0, definition, node, lambda coerced: coerced)
    for a in (HOA, None, [HOA], "missing"):
        for b in ("Lan", None, {"fullName": "Lan"}, "missing"):
            given: dict[str, object] = {"a": a, "b": b}
            coerced = {name: value for name, value in given.items() if value != "missing"}
            values = VariableValues({}, coerced)
            assert _arguments(arguments.coerce, values) == _arguments(
                lambda values: get_argument_values(definition, node, values, hide_suggestions=True),
                values,
            )


def _arguments(coerce: Any, values: VariableValues) -> object:
    try:
        return list(coerce(values).items())
    except GraphQLError as error:
        return error.formatted


def test_most_arguments_are_plain() -> None:
    assert SCHEMA.query_type is not None
    (operation,) = parse("query { person(id: $a) }").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (node,) = operation.selection_set.selections
    assert isinstance(node, FieldNode)
    definition = SCHEMA.query_type.fields["person"]
    assert DynamicArguments(0, definition, node, lambda coerced: coerced).plain is not None
