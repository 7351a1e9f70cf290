"""``@requiresScopes`` names the scopes that open a field, and they do open it.

Covers ``gateway.catalogue.scopes``, ``gateway.schema.factory``, ``gateway.schema.build``,
``gateway.schema.field_definitions``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    FieldDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    parse,
    value_from_ast_untyped,
)

from connectors.description import Database, Kind, Lookup, Record
from gateway.catalogue.life_events import SCOPE as EVENTS
from gateway.catalogue.scopes import STATISTICS, scope
from gateway.derived.registry import ALL as DERIVED
from gateway.schema.texts import schema_text
from tests.support.running import Running, built, running
from tests.support.worlds import ALL, LIVE, Row, World, world

NUMBER = "001220000001"
LISTS = [
    (database, record, lookup)
    for database in ALL
    for record in database.records
    for lookup in record.lookups
    if lookup.on is None and lookup.entry is None and not lookup.hidden
]
#: Which protection withholds for the purpose that covers everything.
WITHHELD = {"civil_status.adoptions", "notary.wills", "population.protection_orders"}


def camel(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)


def types() -> dict[str, ObjectTypeDefinitionNode]:
    return {
        node.name.value: node
        for node in parse(schema_text(built(ALL))).definitions
        if isinstance(node, ObjectTypeDefinitionNode)
    }


TYPES = types()


def type_name(kind: TypeNode) -> str:
    while isinstance(kind, ListTypeNode | NonNullTypeNode):
        kind = kind.type
    return str(getattr(kind, "name").value)  # noqa: B009 - a named type is all that is left


def fields_of(name: str) -> dict[str, FieldDefinitionNode]:
    return {field.name.value: field for field in TYPES[name].fields or ()} if name in TYPES else {}


def required(field: FieldDefinitionNode) -> list[list[str]]:
    """Return the scopes in the field's directive; empty where it has none."""
    directives: list[DirectiveNode] = [
        directive
        for directive in field.directives or ()
        if directive.name.value == "requiresScopes"
    ]
    if not directives:
        return []
    ((argument,),) = [tuple(directive.arguments or ()) for directive in directives]
    scopes: list[list[str]] = value_from_ast_untyped(argument.value)
    return scopes


def is_list(field: FieldDefinitionNode) -> bool:
    below = fields_of(type_name(field.type))
    return "source" in below and not below.keys().isdisjoint({"items", "item"})


def every_field() -> Iterator[tuple[str, FieldDefinitionNode]]:
    for name in TYPES:
        for field, definition in fields_of(name).items():
            yield f"{name}.{field}", definition


def test_every_list_and_derived_view_says_which_scopes_open_it() -> None:
    silent = [name for name, item in every_field() if is_list(item) and not required(item)]
    assert silent == []
    for item in DERIVED:
        words = "".join(part.capitalize() for part in item.database.split("_"))
        section = "Person" if item.is_of_person else f"{words}Section"
        assert required(fields_of(section)[camel(item.name)]) == [
            [scope(item.database, item.sensitivity)],
            [scope(f"{item.database}.{item.name}", item.sensitivity)],
        ]


def test_one_scope_of_two_is_enough_for_any_field() -> None:
    """The outer list are alternatives, the inner ones are needed together."""
    for name, field in every_field():
        scopes = required(field)
        if scopes and name.startswith(("Query.", "Mutation.", "Subscription.")):
            assert all(len(alternative) == 1 for alternative in scopes), name
            assert scopes[0][0].endswith((":find", ":verify", ":check", STATISTICS, EVENTS)), name
        elif scopes:
            assert [len(alternative) for alternative in scopes] == [1, 1], name
            (database_scope,), (record,) = scopes
            database, action = database_scope.split(":")
            assert record.startswith(f"{database}."), name
            assert record.endswith(f":{action}"), name


def test_fields_of_structs_say_nothing() -> None:
    structs = {
        field.struct.name
        for database in ALL
        for record in database.records
        for field in record.fields
        if field.struct is not None
    }
    assert structs
    for name in structs:
        assert not [field_name for field_name, field in fields_of(name).items() if required(field)]


def rows(record: Record, lookup: Lookup) -> list[Row]:
    """Return a row that the lookup finds under ``NUMBER``, as far as it needs values."""
    row: Row = {
        column.name: NUMBER if column.field.kind is Kind.PERSON_NUMBER else "2020"
        for column in record.columns
        if column.required
    }
    if lookup.through is None:
        row[lookup.by[0]] = NUMBER
    return [row]


def one_row(database: Database, record: Record, lookup: Lookup) -> World:
    tables = {record.name: rows(record, lookup)}
    if lookup.through is not None:
        other = database.by_name[lookup.through[0]]
        link: Row = {column.name: "2020" for column in other.columns if column.required}
        tables[other.name] = [{**link, lookup.by[0]: NUMBER}]
    person: Row = {"citizen_id": NUMBER}
    population = {"identity": [person]} if record.name != "identity" else {}
    if database.name == "population":
        return world({"population": {**population, **tables}})
    return world({"population": population, database.name: tables})


def selections(record: Record) -> dict[str, str]:
    """Return what to select of each field of a record that its own columns answer."""
    lists = {name for name, field in fields_of(record.type_name).items() if is_list(field)}
    return {
        name: f"{name} {{ {' '.join(_leaves(type_name(field.type)))} }}"
        if type_name(field.type) in TYPES
        else name
        for name, field in fields_of(record.type_name).items()
        if name not in lists
    }


def _leaves(name: str) -> list[str]:
    return ["id"] if name == "Person" else [
        leaf for leaf, field in fields_of(name).items() if type_name(field.type) not in TYPES
    ]  # fmt: skip


async def denial_and_state(
    gateway: Running, record: Record, lookup: Lookup, scopes: Iterable[str]
) -> tuple[set[str], Any]:
    """Return which fields of a row are denied as a whole, and the state of the list."""
    row = "item" if record.single else "items"
    fields = " ".join(selections(record).values())
    query = f"""query($id: PersonNumber!) {{ person(id: $id) {{ {camel(record.database)} {{
      {camel(lookup.name)} {{ {row} {{ {fields} }} source {{ state }} }} }} }} }}"""
    body = await gateway.ask(query, {"id": NUMBER}, scopes=tuple(scopes))
    record_list = body["data"]["person"][camel(record.database)][camel(lookup.name)]
    places = [error["path"][3:] for error in body.get("errors", [])]
    start = 1 if record.single else 2
    return {path[start] for path in places if len(path) == start + 1}, record_list["source"][
        "state"
    ]


@pytest.mark.parametrize("choice", [0, 1], ids=["of the database", "of the record"])
@pytest.mark.parametrize(
    ("database", "record", "lookup"),
    LISTS,
    ids=[f"{item[0].name}.{item[2].name}" for item in LISTS],
)
async def test_the_scopes_that_are_named_open_the_list_and_its_fields_and_no_others_do(
    tmp_path: Path, database: Database, record: Record, lookup: Lookup, choice: int
) -> None:
    section = fields_of("".join(part.capitalize() for part in database.name.split("_")) + "Section")
    opening = required(section[camel(lookup.name)])[choice]
    closer = {
        name: scopes[choice]
        for name, item in fields_of(record.type_name).items()
        if not is_list(item) and (scopes := required(item))
    }
    all_sources = one_row(database, record, lookup)
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        _, without_scope = await denial_and_state(gateway, record, lookup, ["elsewhere:read"])
        fewer, with_scopes = await denial_and_state(gateway, record, lookup, opening)
        all_of_them = {item for scopes in closer.values() for item in scopes}
        none, _ = await denial_and_state(gateway, record, lookup, [*opening, *all_of_them])
    if f"{database.name}.{record.name}" in WITHHELD:
        assert with_scopes == "WITHHELD"
        return
    assert (without_scope, with_scopes) == ("DENIED", "ANSWERED")
    assert fewer == closer.keys()
    assert none == set()
