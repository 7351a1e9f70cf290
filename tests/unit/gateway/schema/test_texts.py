"""The schema as text: for clients, and as a subgraph."""

from __future__ import annotations

from graphql import build_schema, parse

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.registry import installed_databases
from gateway.schema.texts import schema_text, subgraph_text
from tests.support.running import built

SCHEMA = built(installed_databases())


def test_the_text_for_clients_defines_all_that_it_uses() -> None:
    text = schema_text(SCHEMA)
    assert "_entities(representations: [_Any!]!): [_Entity]!" in text
    assert "_service: _Service!" in text
    assert build_schema(text).type_map.keys() >= {"_Any", "_Entity", "_Service"}


def test_a_subgraph_adds_keys_and_says_what_others_supply_and_nothing_else() -> None:
    text, whole = schema_text(SCHEMA), subgraph_text(SCHEMA)
    lines, marked = text.splitlines(), whole.splitlines()
    changed = {new for old, new in zip(lines, marked, strict=False) if old != new}
    assert changed == {
        "  matching: PersonDetails @external @inaccessible",
        "type PersonDetails @inaccessible {",
    }
    assert marked[len(lines) :] == [
        "",
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0",',
        '  import: ["@key", "@external", "@inaccessible"])',
        'extend type Person @key(fields: "id")',
        'extend type Organization @key(fields: "code")',
        'extend type Person @key(fields: "matching { id birthDate name }")',
    ]
    assert parse(whole)


def test_a_schema_without_organisations_has_no_such_entity() -> None:
    text = subgraph_text(built((POPULATION, CIVIL_STATUS)))
    assert "union _Entity = Person\n" in text
    assert "extend type Organization" not in text
