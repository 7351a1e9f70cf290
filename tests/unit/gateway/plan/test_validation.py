"""Validation reports the same errors as graphql-core, in the same order."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_schema,
    get_introspection_query,
    parse,
    specified_rules,
)
from graphql import validate as by_graphql_core
from hypothesis import given
from hypothesis import strategies as st

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.plan.validation import rules_for, validate
from tests.support.generated import PATIENT
from tests.support.running import built

PERSON = "query Q($id: PersonNumber!) {person(id: $id) {%s}}"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return built((POPULATION, CIVIL_STATUS))


def _agree(schema: GraphQLSchema, text: str) -> int:
    """Hold that both say the same of a document; return how many faults it has."""
    document = parse(text)
    errors = validate(schema, document, rules_for(schema), 1_000, hide_suggestions=True)
    reference_errors = by_graphql_core(schema, document, max_errors=1_000, hide_suggestions=True)
    assert [str(error) for error in errors] == [str(error) for error in reference_errors]
    return len(errors)


@pytest.mark.parametrize(
    "text",
    [
        PERSON % "id",
        PERSON % "...F" + "fragment F on Person {id askedAs notices {code}}",
        PERSON % '... @defer(label: "a") {id} ... @defer(if: false) {askedAs}',
        get_introspection_query(),
        "query A {__typename} query B {databases {name title {vi en}}}",
    ],
)
def test_what_is_valid_is_valid(schema: GraphQLSchema, text: str) -> None:
    assert _agree(schema, text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "{nothing}",
        "{databases}",
        "{databases {name {vi}}}",
        "{databases {...F}}",
        "{...F} fragment F on Query {...G} fragment G on Query {...F}",
        "{__typename} fragment F on Query {__typename}",
        "{__typename} fragment F on Nothing {a}",
        "{__typename ... on Person {id}}",
        "{a: databases {b: name} a: databases {b: group}}",
        "query Q($v: Int) {__typename}",
        "{databases(group: $g) {name}}",
        "query Q($g: Int) {databases(group: $g) {name}}",
        "query Q($g: Nothing) {databases(group: $g) {name}}",
        "query Q($g: Person) {__typename}",
        "query Q($g: Group, $g: Group) {databases(group: $g) {name}}",
        "query Q($n: Int = {a: 1, a: 1}) {__typename}",
        "{databases(group: OPERATING, group: OPERATING) {name}}",
        "{databases(group: NOTHING) {name}}",
        "{databases(nothing: 1) {name}}",
        "{person {id}}",
        "{__typename @nothing}",
        "{__typename @skip}",
        "{__typename @skip(if: true) @skip(if: true)}",
        "query @skip(if: true) {__typename}",
        "{__typename} {__typename}",
        "query A {__typename} query A {__typename}",
        "subscription {__typename}",
        "mutation {__typename} type A {b: Int}",
        "{__typename @defer}",
        '{... @defer(label: "a") {__typename} ... @defer(label: "a") {__typename}}',
        "query($l: String) {... @defer(label: $l) {__typename}}",
        "mutation {... @defer {__typename}}",
        "{databases @stream {name}}",
    ],
)
def test_a_fault_is_found_and_told_as_graphql_core_tells_it(
    schema: GraphQLSchema, text: str
) -> None:
    assert _agree(schema, text) > 0


NAMES = st.sampled_from(
    ["__typename", "databases", "person", "id", "name", "nothing", "...F", "a: name", "a: id",
     "...on Person", "...on Query", "databases(group: $g)", "id @skip(if: $g)"]
)  # fmt: skip
Selections = list[tuple[str, list[Any]]]
SELECTIONS: st.SearchStrategy[Selections] = st.recursive(
    st.lists(NAMES, min_size=1, max_size=3).map(lambda names: [(name, []) for name in names]),
    lambda below: st.lists(st.tuples(NAMES, below), min_size=1, max_size=3),
    max_leaves=8,
)


def _as_text(selections: Selections) -> str:
    parts = []
    for name, below in selections:
        empty = name.startswith("...on") and not below
        inner = _as_text(below) if below else "{id}" if empty else ""
        parts.append(name if name == "...F" else f"{name} {inner}")
    return "{" + " ".join(parts) + "}"


@PATIENT
@given(SELECTIONS, SELECTIONS)
def test_both_say_the_same_of_any_document(
    schema: GraphQLSchema,
    query: Selections,
    fragment: Selections,
) -> None:
    _agree(schema, f"query($g: Group) {_as_text(query)} fragment F on Query {_as_text(fragment)}")


def test_no_rule_is_left_out_but_those_of_directives_that_a_schema_has_not(
    schema: GraphQLSchema,
) -> None:
    assert rules_for(schema) == tuple(specified_rules)  # it has @defer
    plain = build_schema("type Query { a: Int }")
    left_out = {rule.__name__ for rule in set(specified_rules) - set(rules_for(plain))}
    assert len(left_out) == 4
    assert all("Stream" in name for name in left_out)


def test_it_stops_at_the_most_errors_that_are_told(schema: GraphQLSchema) -> None:
    document = parse("{" + " ".join(f"f{number}" for number in range(50)) + "}")
    assert len(validate(schema, document, rules_for(schema), 20, hide_suggestions=True)) == 20
