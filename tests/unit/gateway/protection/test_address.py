"""The true address of a protected person is visible only to those who protect them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.procedures.procedure import UNIFIED
from gateway.protection.address import PURPOSE
from tests.support.people import HOA, LAN, population_rows
from tests.support.running import running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, World, answer, world

QUERY = """{ population { protectionOrders { items { orderNo trueAddress { communeCode } }
  source { state } } residences { items { address { communeCode } } source { state } } } }"""
WITHHELD = {"items": None, "source": {"state": "WITHHELD"}}
SUBSTITUTE = {"items": [{"address": {"communeCode": "00001"}}], "source": {"state": "ANSWERED"}}


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def population() -> World:
    """HOA is protected, LAN is not; both have an address in the population database."""
    rows = population_rows()
    rows["residences"] = [
        {"entry_id": number, "citizen_id": number, "address_commune_code": "00001"}
        for number in (HOA, LAN)
    ]
    rows["protection_orders"] = [
        {"order_no": "O", "citizen_id": HOA, "true_address_commune_code": "99999"}
    ]
    return world({"population": rows})


async def section(folder: Path, number: str, purpose: str, *scopes: str) -> dict[str, Any]:
    query = f"query($id: PersonNumber!) {{ person(id: $id) {QUERY} }}"
    async with running(folder, population(), ALL, LIVE) as gateway:
        token = gateway.token(*(scopes or EVERY), purposes=[purpose])
        reply = await gateway.post(query, {"id": number}, token, x_purpose=purpose)
    population_section: dict[str, Any] = reply.json()["data"]["person"]["population"]
    return population_section


@pytest.mark.parametrize("number", [HOA, LAN])
async def test_orders_are_withheld_of_everybody_alike_and_the_address_is_the_substitute(
    tmp_path: Path, number: str
) -> None:
    assert await section(tmp_path, number, UNIFIED) == {
        "protectionOrders": WITHHELD,
        "residences": SUBSTITUTE,
    }


@pytest.mark.parametrize("purpose", [PURPOSE, f"{PURPOSE}.H29"])
async def test_who_carries_out_the_order_sees_the_true_address(
    tmp_path: Path, purpose: str
) -> None:
    population_section = await section(tmp_path, HOA, purpose)
    (order,) = population_section["protectionOrders"]["items"]
    assert order == {"orderNo": "O", "trueAddress": {"communeCode": "99999"}}
    assert population_section["residences"] == SUBSTITUTE


async def test_the_purpose_without_the_scope_shows_no_true_address(tmp_path: Path) -> None:
    population_section = await section(tmp_path, HOA, PURPOSE, "population:read")
    assert population_section["protectionOrders"]["items"] == [
        {"orderNo": None, "trueAddress": None}
    ]


@pytest.mark.parametrize("scopes", [("me",), ("me", *EVERY)])
async def test_not_even_the_own_view_shows_it(tmp_path: Path, scopes: tuple[str, ...]) -> None:
    all_sources = population()
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        token = gateway.token(*scopes, subject=HOA, purposes=[PURPOSE])
        reply = await gateway.post(f"{{ me {QUERY} }}", None, token, x_purpose=PURPOSE)
    population_section = reply.json()["data"]["me"]["population"]
    assert population_section == {"protectionOrders": WITHHELD, "residences": SUBSTITUTE}
    assert "99999" not in reply.text
    assert "population.protection_orders" not in [name for name, _, _ in all_sources.fetched]
