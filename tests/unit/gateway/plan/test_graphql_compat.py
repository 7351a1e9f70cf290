"""The installed graphql-core and strawberry have the internals that the gateway relies on."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, GraphQLSyntaxError, ValidationRule, parse, validate
from graphql.validation import ValidationContext

from gateway.plan.graphql_compat import (
    attribute_name,
    core_schema,
    exceeded_parser_limit,
    release_rule,
    strawberry_schema,
)


@strawberry.type
class Query:
    birth_date: str | None = None


def test_a_strawberry_schema_and_the_core_schema_lead_to_each_other() -> None:
    schema = strawberry.Schema(query=Query)
    core = core_schema(schema)
    assert core.query_type is not None
    assert strawberry_schema(core) is schema


def test_a_field_leads_to_the_attribute_that_it_is_read_from() -> None:
    core = core_schema(strawberry.Schema(query=Query))
    assert core.query_type is not None
    assert attribute_name(core.query_type.fields["birthDate"]) == "birth_date"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + "a{" * 1000 + "b" + "}" * 1001, "depth"),
        ("{" + "a " * 100 + "}", "tokens"),
        ("{a", None),
        ('{a "Parsing aborted."}', None),
    ],
)
def test_the_parsers_limits_are_told_from_faults_in_the_text(text: str, limit: str | None) -> None:
    with pytest.raises(GraphQLSyntaxError) as raised:
        parse(text, max_lexical_tokens=50 if limit == "tokens" else None)
    assert exceeded_parser_limit(raised.value) == limit


def test_a_released_rule_does_not_keep_the_document() -> None:
    rules: list[ValidationRule] = []

    class Looks(ValidationRule):
        def enter_field(self, *_: Any) -> None: ...

    def make(context: ValidationContext) -> ValidationRule:
        rules.append(Looks(context))
        return rules[-1]

    def validated() -> weakref.ref[DocumentNode]:
        document = parse("{birthDate}")
        schema = core_schema(strawberry.Schema(query=Query))
        assert validate(schema, document, [make]) == []  # type: ignore[list-item]
        for rule in rules:
            release_rule(rule)
        return weakref.ref(document)

    gc.collect()
    gc.disable()
    try:
        assert validated()() is None
    finally:
        gc.enable()
