"""Maintenance: what operators may do, and what everybody sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.runtime.append_only_file import READ_EVERY
from gateway.settings import DatabaseSettings, MaintenanceWindow
from tests.support.people import HOA
from tests.support.running import OPERATOR, Running, codes, running

PLAN = """mutation($database: String!, $begins: DateTime, $ends: DateTime) {
  planMaintenance(database: $database, begins: $begins, ends: $ends) {
    id database begins ends } }"""
END = "mutation($id: String!) { endMaintenance(id: $id) { id ends } }"
CATALOGUE = "{ databases { name live { state breaker maintenance { id begins ends } } } }"
IDENTITY = """query($id: PersonNumber!) { person(id: $id) { population { identity {
  item { fullName } source { state message { vi en } } } }
  civilStatus { births { source { state } } } } }"""


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as running_gateway:
        yield running_gateway


async def _operate(gateway: Running, document: str, **variables: object) -> dict[str, Any]:
    return await gateway.ask(document, variables, scopes=OPERATOR)


async def _live(gateway: Running) -> dict[str, Any]:
    body = await gateway.ask(CATALOGUE, scopes=OPERATOR)
    database = next(item for item in body["data"]["databases"] if item["name"] == "population")
    live: dict[str, Any] = database["live"]
    return live


async def test_maintenance_begins_at_once_and_ends_when_an_operator_ends_it(
    gateway: Running,
) -> None:
    planned = (await _operate(gateway, PLAN, database="population"))["data"]["planMaintenance"]
    assert planned["ends"] is None
    gateway.clock.advance(READ_EVERY)
    body = await gateway.ask(IDENTITY, {"id": HOA})
    identity = body["data"]["person"]["population"]["identity"]
    assert (identity["item"], identity["source"]["state"]) == (None, "MAINTENANCE")
    assert "SOURCE_MAINTENANCE" in codes(body)
    assert body["data"]["person"]["civilStatus"]["births"]["source"]["state"] == "INCOMPLETE"
    live = await _live(gateway)
    assert (live["state"], live["breaker"]) == ("MAINTENANCE", "CLOSED")
    await _operate(gateway, END, id=planned["id"])
    gateway.clock.advance(READ_EVERY)
    body = await gateway.ask(IDENTITY, {"id": HOA})
    assert body["data"]["person"]["population"]["identity"]["source"]["state"] == "ANSWERED"


async def test_planned_maintenance_shows_in_the_catalogue_before_it_begins(
    gateway: Running,
) -> None:
    times = {"begins": "2026-11-24T22:00:00+07:00", "ends": "2026-11-25T04:00:00+07:00"}
    body = await _operate(gateway, PLAN, database="population", **times)
    gateway.clock.advance(READ_EVERY)
    (window,) = (await _live(gateway))["maintenance"]
    assert window["id"] == body["data"]["planMaintenance"]["id"]
    assert {name: datetime.fromisoformat(window[name]) for name in times} == {
        name: datetime.fromisoformat(moment) for name, moment in times.items()
    }


@pytest.mark.parametrize(
    "variables",
    [
        {"database": "nobodys"},
        {"database": "population", "ends": "2020-01-01T00:00:00Z"},
        {"database": "population", "begins": "2026-12-24T22:00:00"},
        {
            "database": "population",
            "begins": "2027-01-02T00:00:00Z",
            "ends": "2027-01-01T00:00:00Z",
        },
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_planned(
    gateway: Running, variables: dict[str, str]
) -> None:
    body = await _operate(gateway, PLAN, **variables)
    assert (body["data"], codes(body)) == ({"planMaintenance": None}, ["INVALID_VALUE"])
    gateway.clock.advance(READ_EVERY)
    assert (await _live(gateway))["maintenance"] == []


async def test_what_is_not_planned_cannot_be_ended(gateway: Running) -> None:
    assert codes(await _operate(gateway, END, id="none")) == ["INVALID_VALUE"]


async def test_who_is_no_operator_changes_nothing(gateway: Running) -> None:
    answer = await gateway.post(PLAN, {"database": "population"}, gateway.token("introspect"))
    assert (answer.status_code, codes(answer.json())) == (403, ["FORBIDDEN"])
    answer = await gateway.post(PLAN, {"database": "population"})
    assert (answer.status_code, codes(answer.json())) == (401, ["UNAUTHENTICATED"])
    gateway.clock.advance(READ_EVERY)
    assert (await _live(gateway))["maintenance"] == []


async def test_each_change_leaves_an_entry_in_the_journal(gateway: Running) -> None:
    await _operate(gateway, PLAN, database="population")
    (entry,) = gateway.journal()
    assert (entry["client"], entry["result"], entry["persons"]) == ("test-client", "ANSWERED", [])


async def test_windows_that_settings_give_show_and_hold_too(tmp_path: Path) -> None:
    window = MaintenanceWindow(begins=datetime.fromisoformat("2026-11-01T00:00:00+07:00"))
    settings = DatabaseSettings(maintenance_windows=(window,))
    async with running(tmp_path, databases_={"population": settings}) as gateway:
        live = await _live(gateway)
        assert live["maintenance"][0]["id"] is None
        assert live["state"] == "MAINTENANCE"
