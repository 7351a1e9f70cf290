"""Invalidation by operators (mutation), database owners (HTTP) and the command line.

Covers ``gateway.cli.cache``, ``gateway.http.invalidations``, ``gateway.schema.invalidation``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.keys.files import create_missing
from gateway.settings import DatabaseSettings, load
from tests.support.people import HOA, LAN
from tests.support.running import OFFICER, OPERATOR, Running, codes, running

CACHED_DATABASES = {
    name: DatabaseSettings(timeout=120, fresh=600) for name in ("population", "civil_status")
}
MARRIAGES = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages {
  items { certificateNo } source { fromCache } } } } }"""
INVALIDATE = """mutation($person: PersonNumber, $database: String, $record: String) {
  invalidate(person: $person, database: $database, record: $record) { effectiveBy } }"""
OWNER = ("civil_status:invalidate",)


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, databases_=CACHED_DATABASES) as running_gateway:
        yield running_gateway


async def _cached(gateway: Running, number: str = HOA) -> bool:
    body = await gateway.ask(MARRIAGES, {"id": number}, scopes=OFFICER)
    result: bool = body["data"]["person"]["civilStatus"]["marriages"]["source"]["fromCache"]
    return result


async def _call(gateway: Running, body: object, *scopes: str, **headers: str) -> httpx2.Response:
    request_headers = (
        {"authorization": f"Bearer {gateway.token(*scopes)}", **headers} if scopes else headers
    )
    return await gateway.client.post("/invalidations", json=body, headers=request_headers)


async def test_an_operator_has_rows_read_anew_and_is_told_from_when_on(gateway: Running) -> None:
    assert [await _cached(gateway), await _cached(gateway)] == [False, True]
    body = await gateway.ask(INVALIDATE, {"person": HOA}, scopes=OPERATOR)
    effective = datetime.fromisoformat(body["data"]["invalidate"]["effectiveBy"])
    assert 0 <= (effective - gateway.clock.now()).total_seconds() <= 1
    assert not await _cached(gateway)


async def test_the_owner_of_a_database_does_the_same_over_http(gateway: Running) -> None:
    await _cached(gateway)
    body = {"database": "civil_status", "record": "marriages", "persons": [LAN]}
    answer = await _call(gateway, body, *OWNER)
    assert answer.status_code == 200
    effective = datetime.fromisoformat(answer.json()["effectiveBy"])
    assert 0 <= (effective - gateway.clock.now()).total_seconds() <= 1
    assert not await _cached(gateway), "the spouse's copy too"
    (entry,) = [entry for entry in gateway.journal() if "invalidate" in str(entry["operation"])]
    assert entry["operation"] == "invalidate civil_status.marriages, 1 times"
    assert entry["persons"] == []
    assert LAN not in str(entry)


@pytest.mark.parametrize("concerned", ["births", "population"])
async def test_what_is_not_concerned_stays(gateway: Running, concerned: str) -> None:
    await _cached(gateway)
    body = {"database": "civil_status", "record": "births", "persons": [HOA]}
    scopes = OWNER
    if concerned == "population":
        body, scopes = {"database": "population", "persons": [HOA]}, ("population:invalidate",)
    assert (await _call(gateway, body, *scopes)).status_code == 200
    assert await _cached(gateway)


@pytest.mark.parametrize(
    ("body", "scopes", "status", "code"),
    [
        ({"database": "civil_status"}, (), 401, "UNAUTHENTICATED"),
        ({"database": "civil_status"}, ("civil_status:read",), 403, "FORBIDDEN"),
        ({"database": "population"}, OWNER, 403, "FORBIDDEN"),
        ({"persons": [HOA]}, OWNER, 403, "FORBIDDEN"),
        ({}, OPERATOR, 422, "INVALID_VALUE"),
        ({"database": "nobody"}, OPERATOR, 422, "INVALID_VALUE"),
        ({"database": "civil_status", "record": "none"}, OWNER, 422, "INVALID_VALUE"),
        ({"record": "births", "persons": [HOA]}, OPERATOR, 422, "INVALID_VALUE"),
        ({"database": "civil_status", "persons": ["12"]}, OWNER, 422, "INVALID_PERSON_NUMBER"),
        ({"database": "civil_status", "persons": HOA}, OWNER, 422, "BAD_REQUEST"),
        ({"database": "civil_status", "persons": []}, OWNER, 422, "BAD_REQUEST"),
        ({"database": "civil_status", "persons": None}, OWNER, 422, "BAD_REQUEST"),
        ({"database": ["civil_status"]}, OWNER, 422, "BAD_REQUEST"),
        ({"database": "civil_status", "person": HOA}, OWNER, 422, "BAD_REQUEST"),
        (["civil_status"], OWNER, 422, "BAD_REQUEST"),
        (
            {"database": "civil_status", "persons": [f"{number:012d}" for number in range(1001)]},
            OWNER,
            422,
            "TOO_MANY_PERSONS",
        ),
    ],
)
async def test_what_makes_no_sense_or_is_not_permitted_has_a_code_and_drops_nothing(
    gateway: Running, body: object, scopes: tuple[str, ...], status: int, code: str
) -> None:
    await _cached(gateway)
    answer = await _call(gateway, body, *scopes)
    assert (answer.status_code, codes(answer.json())) == (status, [code])
    assert HOA not in answer.text
    assert await _cached(gateway)


async def test_it_is_posted(gateway: Running) -> None:
    answer = await gateway.client.get(
        "/invalidations", headers={"authorization": f"Bearer {gateway.token(*OWNER)}"}
    )
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_only_operators_may_by_mutation(gateway: Running) -> None:
    body = await gateway.ask(INVALIDATE, {"database": "civil_status"}, scopes=OWNER + OFFICER)
    assert codes(body) == ["FORBIDDEN"]


@pytest.mark.parametrize("variables", [{}, {"database": "nobody"}, {"record": "births"}])
async def test_a_mutation_that_makes_no_sense_has_a_code(
    gateway: Running, variables: dict[str, Any]
) -> None:
    assert codes(await gateway.ask(INVALIDATE, variables, scopes=OPERATOR)) == ["INVALID_VALUE"]


async def test_where_it_cannot_be_recorded_nothing_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUSTICE_GATEWAY_REDIS__URL", raising=False)
    (tmp_path / "cache" / "invalidations.jsonl").mkdir(parents=True)
    async with running(tmp_path, databases_=CACHED_DATABASES) as gateway:
        await _not_recorded(gateway)


async def _not_recorded(gateway: Running) -> None:
    answer = await _call(gateway, {"database": "civil_status"}, *OWNER)
    assert (answer.status_code, codes(answer.json())) == (503, ["INVALIDATION_FAILED"])
    body = await gateway.ask(INVALIDATE, {"database": "civil_status"}, scopes=OPERATOR)
    assert codes(body) == ["INVALIDATION_FAILED"]


async def test_the_command_reaches_a_gateway_that_runs(gateway: Running) -> None:
    await _cached(gateway)
    config = gateway.folder / "gateway.toml"
    config.write_text("demo = true\n")
    arguments = ["cache", "invalidate", "--person", HOA, "--config", str(config)]
    result = await _invoked(arguments)
    assert result.exit_code == 0, result.output
    assert "effective by 20" in result.output
    gateway.clock.advance(1)
    assert not await _cached(gateway)


async def _invoked(arguments: list[str]) -> Any:
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


@pytest.mark.parametrize(
    "arguments",
    [["--person", "12"], ["--database", "nobody"], ["--record", "births", "--person", HOA], []],
)
def test_the_command_refuses_what_makes_no_sense(tmp_path: Path, arguments: list[str]) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("demo = true\n")
    create_missing(load(config), demo=True)
    result = CliRunner().invoke(app, ["cache", "invalidate", *arguments, "--config", str(config)])
    assert result.exit_code in {1, 2}
    assert not (tmp_path / "cache").exists()
