"""Civil status records that were replaced are hidden once their replacement exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.description import Database
from gateway.access.caller import Caller
from gateway.procedures.procedure import UNIFIED
from gateway.protection.adoption import PURPOSE
from gateway.protection.rules import visible_rows
from tests.support.people import HOA, LAN
from tests.support.running import Running, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, World, answer, world

STATUSES = ("VALID", "AMENDED", "REVOKED", "SUPERSEDED")
QUERY = """{ changes { items { eventId } }
  births(status: [SUPERSEDED]) { items { eventId } truncated }
  one: births(first: 1, order: OLDEST_FIRST) { items { eventId } truncated }
  births_: births { items { eventId } } birthsOfChildren { items { eventId } } }"""


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def books() -> World:
    """A birth of HOA's in each state, LAN the mother in all; and changes, one of unknown state."""
    births: list[dict[str, object]] = [
        {
            "event_id": status,
            "citizen_id": HOA,
            "mother_citizen_id": LAN,
            "status": status,
            "registration_date": f"20{place:02d}-01-01",
        }
        for place, status in enumerate(reversed(STATUSES))
    ]
    changes: list[dict[str, object]] = [
        {"event_id": f"{status} change", "citizen_id": HOA, "status": status}
        for status in (None, *STATUSES)
    ]
    return world({"civil_status": {"births": births, "changes": changes}})


async def section(gateway: Running, number: str, purpose: str) -> dict[str, Any]:
    token = gateway.token(*EVERY, purposes=[purpose])
    query = f"query($id: PersonNumber!) {{ person(id: $id) {{ civilStatus {QUERY} }} }}"
    reply = await gateway.post(query, {"id": number}, token, x_purpose=purpose)
    civil_status: dict[str, Any] = reply.json()["data"]["person"]["civilStatus"]
    return civil_status


def events(civil_status: dict[str, Any], name: str) -> list[str]:
    return [row["eventId"] for row in civil_status[name]["items"]]


async def test_a_replaced_record_is_hidden_and_all_others_are_shown(tmp_path: Path) -> None:
    async with running(tmp_path, books(), ALL, LIVE) as gateway:
        civil_status = await section(gateway, HOA, UNIFIED)
        mother = await section(gateway, LAN, UNIFIED)
    assert events(civil_status, "births_") == ["VALID", "AMENDED", "REVOKED"]
    assert events(mother, "birthsOfChildren") == ["VALID", "AMENDED", "REVOKED"]
    assert "SUPERSEDED change" not in events(civil_status, "changes")
    assert "None change" in events(civil_status, "changes")


async def test_asking_for_replaced_records_finds_none_and_counts_none(tmp_path: Path) -> None:
    async with running(tmp_path, books(), ALL, LIVE) as gateway:
        civil_status = await section(gateway, HOA, UNIFIED)
    assert civil_status["births"] == {"items": [], "truncated": False}
    assert civil_status["one"] == {"items": [{"eventId": "REVOKED"}], "truncated": True}


async def test_the_agency_that_registers_adoptions_sees_them(tmp_path: Path) -> None:
    async with running(tmp_path, books(), ALL, LIVE) as gateway:
        civil_status = await section(gateway, HOA, PURPOSE)
    assert events(civil_status, "births") == ["SUPERSEDED"]
    assert events(civil_status, "births_") == list(STATUSES)


@pytest.mark.parametrize("purpose", [None, PURPOSE])
async def test_the_own_view_shows_none_under_any_purpose(
    tmp_path: Path, purpose: str | None
) -> None:
    async with running(tmp_path, books(), ALL, LIVE) as gateway:
        token = gateway.token("me", *EVERY, subject=HOA, purposes=[PURPOSE])
        query = f"{{ me {{ civilStatus {QUERY} }} }}"
        reply = await gateway.post(query, None, token, x_purpose=purpose or "")
    civil_status = reply.json()["data"]["me"]["civilStatus"]
    assert events(civil_status, "births_") == ["VALID", "AMENDED", "REVOKED"]
    assert events(civil_status, "births") == []


@pytest.mark.parametrize(
    "database", [declared for declared in ALL if declared.name != "civil_status"]
)
def test_a_state_called_so_in_another_database_hides_nothing(database: Database) -> None:
    for record in database.records:
        row = ("SUPERSEDED",) * len(record.columns)
        if record.status is not None:
            assert visible_rows(record, (row,), Caller()) == (row,)
