"""Variables and answers of an operation as JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import is_scalar_type, parse

from connectors.registry import installed_databases
from gateway.operations.json_schema import SCALARS, Components
from tests.support.running import built

DATABASES = tuple(installed_databases())


@pytest.fixture
def components() -> Components:
    return Components(built(DATABASES))


def without_descriptions(components: Components, schema: Any) -> Any:
    """Return a schema with what it refers to in its place, without descriptions."""
    if isinstance(schema, list):
        return [without_descriptions(components, element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return without_descriptions(
            components, components.schemas[schema["$ref"].rpartition("/")[2]]
        )
    return {
        name: without_descriptions(components, part)
        for name, part in schema.items()
        if name != "description"
    }


def answer(components: Components, document: str) -> Any:
    return without_descriptions(components, components.data(parse(document)))


def test_variables_without_a_default_are_required_and_no_others_are_known(
    components: Components,
) -> None:
    document = parse(
        """query ($id: PersonNumber!, $ids: [PersonNumber!], $first: Int! = 5, $order: Order,
          $matching: Matching) { __typename }"""
    )
    root = without_descriptions(components, components.variables(document))
    number = {"type": "string", "pattern": "^([0-9]{12}|[0-9]{9})$"}
    assert root["required"] == ["id"]
    assert root["additionalProperties"] is False
    assert root["properties"]["id"] == number
    assert root["properties"]["ids"] == {"type": ["array", "null"], "items": number}
    assert root["properties"]["first"]["default"] == 5
    order, null = root["properties"]["order"]["oneOf"]
    assert (order["enum"], null) == (["NEWEST_FIRST", "OLDEST_FIRST"], {"type": "null"})
    matching = root["properties"]["matching"]["oneOf"][0]
    assert matching["properties"].keys() == {"name", "birthDate"}
    assert "required" not in matching


def test_every_scalar_of_the_schema_has_a_form(components: Components) -> None:
    scalars = {name for name, kind in components.schema.type_map.items() if is_scalar_type(kind)}
    of_federation = {"_Any"}  # no published operation may take it (gateway.operations.publish)
    assert scalars - of_federation <= SCALARS.keys()


def test_an_answer_has_what_is_selected_by_its_response_key(components: Components) -> None:
    root = answer(components, "{ one: databases { n: name __typename live { state } } }")
    assert root["required"] == ["one"]
    (listed,) = root["properties"].values()
    item = listed["items"] if "items" in listed else listed["oneOf"][0]["items"]
    assert item["required"] == ["n", "__typename", "live"]
    assert item["properties"]["n"] == {"type": "string"}
    assert item["properties"]["__typename"] == {"type": "string", "const": "Database"}
    assert "UNAVAILABLE" in item["properties"]["live"]["properties"]["state"]["enum"]


PERSON = """query ($id: PersonNumber!, $a: Boolean!, $b: Boolean!) { person(id: $id) {
  id @include(if: $a) ...F @skip(if: $b) ... on Person { askedAs } } }
fragment F on Person { id population { identity { item { sex } } } }"""


def test_what_a_variable_leaves_out_is_not_required(components: Components) -> None:
    person = answer(components, PERSON)["properties"]["person"]["oneOf"][0]
    assert person["properties"].keys() == {"id", "population", "askedAs"}
    assert person["required"] == ["askedAs"]


def test_an_object_that_may_be_left_out_is_whole_where_it_is_there(components: Components) -> None:
    person = answer(components, PERSON)["properties"]["person"]["oneOf"][0]
    population = person["properties"]["population"]["oneOf"][0]
    assert population["required"] == ["identity"]


def test_of_an_object_that_is_selected_twice_both_parts_are_there(components: Components) -> None:
    root = answer(
        components,
        """query ($a: Boolean!, $b: Boolean!) { databases { name
          title @include(if: $a) { vi } title @include(if: $b) { en } } }""",
    )
    (listed,) = root["properties"].values()
    item = listed["items"] if "items" in listed else listed["oneOf"][0]["items"]
    title = item["properties"]["title"]
    assert title["properties"].keys() == {"vi", "en"}
    assert "required" not in title
    assert item["required"] == ["name"]


def test_what_is_the_same_has_one_name_and_what_is_not_has_two(components: Components) -> None:
    components.data(parse("{ a: databases { title { vi } } b: databases { title { vi } } }"), "X")
    components.data(parse("{ a: databases { title { vi en } } }"), "Y")
    components.data(parse("{ a: databases { title { vi } owner { en } } }"), "Z")
    names = [name for name in components.schemas if "Text" in name]
    assert names == ["XText", "YText", "ZText", "ZText2"]
