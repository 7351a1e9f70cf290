"""The OpenAPI document: valid, true to the answers, and reproducible."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from connectors.registry import installed_databases
from gateway.catalogue.sections import bind_sections
from gateway.cli.demo import FIRST_SET
from gateway.operations.library import OperationSet, read_operations
from gateway.operations.openapi import fill_example, openapi
from gateway.operations.publish import publish
from gateway.settings import DatabaseSettings, Limits, OperationSettings
from tests.support.faults import Faulty
from tests.support.operation_files import NAME, write
from tests.support.people import HOA, NOBODY, backends
from tests.support.running import CASE_NUMBER, Running, built, running

DATABASES = tuple(installed_databases())
PERSONAS = [
    {"id": "001", "tags": ["married"]},
    {"id": "002", "tags": ["married", "debtor"], "name": "Hòa"},
]
MANY = """query Many(
  $ids: [PersonNumber!]!, $order: Order = OLDEST_FIRST, $short: Boolean! = false
) {
  persons(ids: $ids) {
    id askedAs notices { code message { vi en } detail } ...Names @skip(if: $short)
    civilStatus { marriages(order: $order) { items { eventId status effectiveFrom }
      truncated nextCursor
      source { state asOf fetchedAt message { vi en } coverage { provinces includes { vi } } } } }
  }
}
fragment Names on Person {
  __typename population { identity { item { name: fullName birthDate } source { state } } }
}
"""


def shelf(folder: Path) -> OperationSet:
    make = partial(publish, built(DATABASES), bind_sections(DATABASES), Limits(), True)
    return read_operations(folder, make, OperationSet())


def described(folder: Path, **options: Any) -> Any:
    return openapi(built(DATABASES), shelf(folder).published, version="1", **options)


def test_the_first_set_is_described_validly() -> None:
    document = described(FIRST_SET)
    validate(document)
    names = {operation.header.name for operation in shelf(FIRST_SET).published}
    ids = {operation.header.id for operation in shelf(FIRST_SET).published}
    assert document["paths"].keys() == {f"/operations/{operation}" for operation in names | ids}


def test_odd_operations_are_described_validly(tmp_path: Path) -> None:
    write(tmp_path, "many.graphql", MANY, name="many", cost=100_000)
    write(tmp_path, "name.v1.graphql", purposes="1.000894 1.004873")
    write(tmp_path, "name.v2.graphql", NAME + "\n", version=2)
    document = described(tmp_path)
    validate(document)
    assert document == described(tmp_path)
    newest = document["paths"]["/operations/name"]["post"]
    assert newest["responses"] == document["paths"]["/operations/name.v2"]["post"]["responses"]
    ids = [path["post"]["operationId"] for path in document["paths"].values()]
    assert len(ids) == len(set(ids)) == 5


def parameters(document: Any, name: str) -> dict[str, bool]:
    declared = document["paths"][f"/operations/{name}"]["post"]["parameters"]
    return {parameter["name"]: parameter["required"] for parameter in declared}


def test_headers_are_asked_for_where_they_are_needed(tmp_path: Path) -> None:
    write(tmp_path, "one.graphql", name="one")
    write(tmp_path, "several.graphql", NAME + "\n", name="several", purposes="1.000894 1.004873")
    write(tmp_path, "own.graphql", "{ me { id } }", name="own", purposes=None)
    document = described(tmp_path)
    assert parameters(document, "one") == {
        "X-Case-Number": True, "X-Purpose": False, "X-Request-Id": False
    }  # fmt: skip
    assert parameters(document, "several")["X-Purpose"] is True
    assert parameters(document, "own") == {"X-Request-Id": False}


def test_an_example_is_filled_from_the_first_persona_that_fits() -> None:
    assert fill_example({"id": "@married", "first": 3}, PERSONAS) == {"id": "001", "first": 3}
    assert fill_example({"id": "@married", "name": "@married.name"}, PERSONAS) == {
        "id": "001", "name": "Hòa"
    }  # fmt: skip
    assert fill_example({"id": "@debtor"}, PERSONAS) == {"id": "002"}
    assert fill_example({"id": "@nothing"}, PERSONAS) is None
    assert fill_example({"id": "@debtor.colour"}, PERSONAS) is None
    assert fill_example({}, []) == {}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[tuple[Running, Faulty]]:
    folder = tmp_path / "operations"
    write(folder, "many.graphql", MANY, name="many", cost=100_000)
    write(folder, "name.graphql")
    all_sources = backends()
    civil_status = Faulty(all_sources["civil_status"])
    patient = {name: DatabaseSettings(timeout=120) for name in all_sources}
    settings = OperationSettings(folder=folder, reload_seconds=0, public_catalogue=True)
    faulty = {**all_sources, "civil_status": civil_status}
    async with running(
        tmp_path, faulty, databases_=patient, operations=settings
    ) as running_gateway:
        yield running_gateway, civil_status


async def call(gateway: Running, name: str, variables: object, **headers: str) -> httpx2.Response:
    token = gateway.token(client="partner", purposes=("1.000894",))
    request_headers = {"authorization": f"Bearer {token}", "x-case-number": CASE_NUMBER, **headers}
    return await gateway.client.post(f"/operations/{name}", json=variables, headers=request_headers)


async def conforms(gateway: Running, name: str, answer: httpx2.Response) -> None:
    """Hold an answer against what ``/openapi.json`` says of its status."""
    document = (await gateway.client.get("/openapi.json")).json()
    response = document["paths"][f"/operations/{name}"]["post"]["responses"][
        str(answer.status_code)
    ]
    schema = {
        **response["content"]["application/json"]["schema"],
        "components": document["components"],
    }
    Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize("fault", [None, "down"])
@pytest.mark.parametrize("short", [True, False])
async def test_answers_are_as_described_whatever_the_sources_do(
    gateway: tuple[Running, Faulty], fault: str | None, short: bool
) -> None:
    running_gateway, civil_status = gateway
    civil_status.fault = fault
    variables = {"ids": [HOA, NOBODY], "short": short}
    answer = await call(running_gateway, "many", variables)
    assert answer.status_code == 294
    codes = {error["extensions"]["code"] for error in answer.json()["errors"]}
    assert ("SOURCE_UNAVAILABLE" in codes) is (fault is not None)
    assert ("PERSON_NOT_IDENTIFIED" in codes) is (fault is None or not short)
    await conforms(running_gateway, "many", answer)


@pytest.mark.parametrize(
    ("variables", "headers", "status"),
    [
        ({}, {}, 422),
        ({"id": "1"}, {}, 422),
        ({"id": HOA}, {"authorization": "Bearer nonsense"}, 401),
        ({"id": HOA}, {"x-purpose": "2.000635"}, 403),
        ({"id": HOA}, {"accept": "text/html"}, 406),
        ({"id": "1" * 300_000}, {}, 413),
        ({"id": HOA}, {"content-type": "text/plain"}, 415),
    ],
)
async def test_refusals_are_as_described(
    gateway: tuple[Running, Faulty], variables: object, headers: dict[str, str], status: int
) -> None:
    answer = await call(gateway[0], "name", variables, **headers)
    assert answer.status_code == status
    await conforms(gateway[0], "name", answer)


async def test_what_is_unknown_is_as_described(gateway: tuple[Running, Faulty]) -> None:
    answer = await call(gateway[0], "nothing", {})
    assert answer.status_code == 404
    await conforms(gateway[0], "name", answer)
