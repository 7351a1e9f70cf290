"""Data contracts fit the standard, and say what is declared.

The schema is that of the standard itself: github.com/bitol-io/open-data-contract-standard,
``schema/odcs-json-schema-v3.1.0.json``, Apache License 2.0 (tests/support/odcs).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from connectors.description import Database, Group, Sensitivity
from gateway.fetch.source import Source
from gateway.pages.contract import make_contract, write_contract
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.pages import LOCAL
from tests.support.running import Running, built, running
from tests.support.worlds import ALL, LIVE, world

STANDARD = Path(__file__).parents[3] / "support" / "odcs" / "odcs-json-schema-v3.1.0.json"
#: libyaml's, where it is installed: a contract is thousands of lines.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ALIKE = pytest.mark.parametrize("database", ALL, ids=lambda each: each.name)


def contract_of(database: Database, **settings: Any) -> dict[str, Any]:
    source = Source(database, None, DatabaseSettings(**settings), SystemClock())
    return make_contract(source, built(ALL), "1.2.3")


def properties(contract: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all properties, those within others too."""
    rest = [each for record in contract["schema"] for each in record["properties"]]
    while rest:
        shown = rest.pop()
        yield shown
        rest += shown.get("properties", ())


@ALIKE
def test_a_contract_fits_the_standard(database: Database) -> None:
    standard = json.loads(STANDARD.read_text("utf-8"))
    contract = contract_of(database)
    read = yaml.load(write_contract(contract), _LOADER)
    assert read == contract
    jsonschema.Draft201909Validator(standard).validate(read)


@ALIKE
def test_every_column_of_the_schema_is_there_with_its_sensitivity(database: Database) -> None:
    shown = built(ALL).type_map
    columns = [
        column
        for record in database.records
        if record.type_name in shown
        for column in record.columns
    ]
    leaves = [each for each in properties(contract_of(database)) if "properties" not in each]
    assert len(leaves) == len(columns)
    classes = sorted(each["classification"] for each in leaves)
    assert classes == sorted(column.sensitivity.name.lower() for column in columns)


def test_lifecycle_owner_and_law_are_those_declared() -> None:
    notary = next(each for each in ALL if each.name == "notary")
    contract = contract_of(notary)
    assert (contract["status"], contract["team"]["name"]) == ("draft", notary.owner.vi)
    assert "support" not in contract
    values = {each["property"]: each["value"] for each in contract["customProperties"]}
    assert values["legalBasis"] == list(notary.legal_basis)
    operating = contract_of(notary, group=Group.OPERATING, contact="024 6273 9718")
    assert operating["status"] == "active"
    assert operating["support"][0]["channel"] == "024 6273 9718"
    planned = contract_of(notary, group=Group.PLANNED)
    assert planned["status"] == "proposed"


def test_only_what_is_declared_is_promised() -> None:
    population = next(each for each in ALL if each.name == "population")
    contract = contract_of(population)
    assert "slaProperties" not in contract
    assert "not stated" in contract["description"]["limitations"]
    for shown in properties(contract):
        is_certain = any(rule["metric"] == "nullValues" for rule in shown.get("quality", ()))
        assert is_certain is shown["required"]


def test_a_contract_that_says_something_else_has_another_version() -> None:
    notary = next(each for each in ALL if each.name == "notary")
    first, again = contract_of(notary), contract_of(notary)
    changed = contract_of(notary, contact="024")
    assert first["version"] == again["version"]
    assert first["version"].startswith("1.2.3+")
    assert changed["version"] != first["version"]


async def test_the_age_of_cached_rows_is_a_service_level(tmp_path: Path) -> None:
    cached = {**LIVE, "notary": DatabaseSettings(timeout=120, fresh=60, stale_if_error=600)}
    async with running(tmp_path, world({}), ALL, cached) as gateway:
        levels = (await download(gateway, "notary"))["slaProperties"]
    assert {each["property"]: each["value"] for each in levels} == {
        "latency": 60, "latencyOnFailure": 600
    }  # fmt: skip


async def download(gateway: Running, name: str) -> dict[str, Any]:
    answer = await gateway.client.get(f"{LOCAL}/catalogue/{name}/contract.yaml")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/yaml")
    assert f'filename="{name}.odcs.yaml"' in answer.headers["content-disposition"]
    contract: dict[str, Any] = yaml.safe_load(answer.content)
    return contract


async def test_a_contract_is_for_those_who_may_see_the_schema(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE, public_schema=False) as gateway:
        address = f"{LOCAL}/catalogue/notary/contract.yaml"
        for scopes, status in (((), 401), (("population:read",), 403), (("introspect",), 200)):
            headers = {"authorization": f"Bearer {gateway.token(*scopes)}"} if scopes else {}
            answer = await gateway.client.get(address, headers=headers)
            assert answer.status_code == status
            assert ("classification" in answer.text) is (status == 200)


def test_sensitivities_are_classes() -> None:
    legal_aid = next(each for each in ALL if each.name == "legal_aid")
    classes = {each["classification"] for each in properties(contract_of(legal_aid))}
    assert classes <= {level.name.lower() for level in Sensitivity}
    assert "sensitive" in classes
