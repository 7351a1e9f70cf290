"""A death in force opens wills, to those who settle the estate only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from gateway.procedures.procedure import UNIFIED
from gateway.protection.will import PURPOSE
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER
from tests.support.running import Running, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, World, answer, world

WITHHELD = {"items": None, "source": {"state": "WITHHELD"}}
QUERY = """query($id: PersonNumber!) { person(id: $id) { notary {
  wills { items { notarialNo } source { state } }
  transactions { items { notarialNo kind } truncated source { state } } } } }"""
OWN_VIEW = QUERY.replace("query($id: PersonNumber!) { person(id: $id)", "{ me")


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def death(number: str, status: str | None = "VALID") -> Row:
    return {"event_id": f"death of {number}", "citizen_id": number, "status": status}


def estates(*deaths: Row) -> World:
    """HOA and DEAD made a will each; the civil status books hold ``deaths``."""
    testators = (HOA, DEAD)
    notary: dict[str, list[Row]] = {
        "transactions": [
            {"notarial_no": "1", "kind": "SALE", "notarised_on": "2020-01-01"},
            {"notarial_no": "2", "kind": "WILL", "notarised_on": "2021-01-01"},
        ],
        "transaction_parties": [
            {"entry_id": f"{person}-{number}", "notarial_no": number, "party_citizen_id": person}
            for person in testators
            for number in ("1", "2")
        ],
        "wills": [
            {"notarial_no": f"will of {testator}", "testator_id": testator}
            for testator in testators
        ],
    }
    return world({"notary": notary, "civil_status": {"deaths": list(deaths)}})


async def section(gateway: Running, number: str, **headers: Any) -> dict[str, Any]:
    purpose = headers.pop("x_purpose", PURPOSE)
    token = gateway.token(*headers.pop("scopes", EVERY), purposes=[PURPOSE, UNIFIED])
    reply = await gateway.post(QUERY, {"id": number}, token, x_purpose=purpose)
    notary_section: dict[str, Any] = reply.json()["data"]["person"]["notary"]
    return notary_section


def wills_fetched(of: World) -> bool:
    return any(name == "notary.wills" for name, _, _ in of.fetched)


@pytest.mark.parametrize("purpose", [PURPOSE, UNIFIED])
@pytest.mark.parametrize("number", [HOA, LAN])
async def test_wills_of_the_living_are_withheld_whether_or_not_there_is_one(
    tmp_path: Path, number: str, purpose: str
) -> None:
    all_sources = estates(death(DEAD))
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        notary_section = await section(gateway, number, x_purpose=purpose)
    assert notary_section["wills"] == WITHHELD
    assert not wills_fetched(all_sources)


@pytest.mark.parametrize("status", ["VALID", "AMENDED"])
async def test_a_death_in_force_opens_them_to_who_settles_the_estate(
    tmp_path: Path, status: str
) -> None:
    async with running(tmp_path, estates(death(DEAD, status)), ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD)
    assert notary_section["wills"] == {
        "items": [{"notarialNo": f"will of {DEAD}"}],
        "source": {"state": "ANSWERED"},
    }


async def test_a_dead_person_without_a_will_has_none(tmp_path: Path) -> None:
    async with running(tmp_path, estates(death(LAN)), ALL, LIVE) as gateway:
        notary_section = await section(gateway, LAN)
    assert notary_section["wills"] == {"items": [], "source": {"state": "ANSWERED"}}


async def test_a_death_under_an_earlier_number_opens_them_too(tmp_path: Path) -> None:
    async with running(tmp_path, estates(death(OLD_NUMBER)), ALL, LIVE) as gateway:
        by_present = await section(gateway, HOA)
        by_earlier = await section(gateway, OLD_NUMBER)
    assert by_present["wills"]["items"] == [{"notarialNo": f"will of {HOA}"}]
    assert by_earlier == by_present


@pytest.mark.parametrize("status", ["REVOKED", "SUPERSEDED", None])
async def test_a_death_that_is_not_in_force_does_not_open_them(
    tmp_path: Path, status: str | None
) -> None:
    all_sources = estates(death(DEAD, status))
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD)
    assert notary_section["wills"] == WITHHELD
    assert not wills_fetched(all_sources)


async def test_that_only_the_population_database_says_so_does_not_open_them(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, estates(), ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD)
    assert notary_section["wills"] == WITHHELD


@pytest.mark.parametrize("fault", ["down", "defect", "unmapped"])
async def test_a_death_that_cannot_be_looked_up_does_not_open_them(
    tmp_path: Path, fault: str
) -> None:
    all_sources = estates(death(DEAD))
    all_sources.of("civil_status").fault = fault
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD)
    assert notary_section["wills"] == WITHHELD
    assert not wills_fetched(all_sources)


async def test_a_death_read_earlier_does_not_open_them_while_the_books_cannot_be_asked(
    tmp_path: Path,
) -> None:
    """It may have been revoked since."""
    all_sources = estates(death(DEAD))
    databases = {**LIVE, "civil_status": LIVE["civil_status"].model_copy(update=STALE)}
    async with running(tmp_path, all_sources, ALL, databases) as gateway:
        assert (await section(gateway, DEAD))["wills"] != WITHHELD
        all_sources.of("civil_status").fault = "down"
        assert (await section(gateway, DEAD))["wills"] == WITHHELD


STALE = {"stale_if_error": 300.0}


async def test_where_no_civil_status_is_declared_nothing_opens_them(tmp_path: Path) -> None:
    all_sources = estates(death(DEAD))
    async with running(tmp_path, all_sources, (POPULATION, NOTARY), LIVE_TWO) as gateway:
        notary_section = await section(gateway, DEAD)
    assert notary_section["wills"] == WITHHELD
    assert not wills_fetched(all_sources)


LIVE_TWO = {name: LIVE[name] for name in ("population", "notary")}


async def test_the_death_is_asked_for_without_a_scope_for_civil_status(tmp_path: Path) -> None:
    scopes = [scope for scope in EVERY if scope.startswith("notary:")]
    async with running(tmp_path, estates(death(DEAD)), ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD, scopes=scopes)
    assert notary_section["wills"]["items"] == [{"notarialNo": f"will of {DEAD}"}]


async def test_who_may_not_read_wills_is_denied_before_any_death_is_asked_for(
    tmp_path: Path,
) -> None:
    all_sources = estates(death(DEAD))
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD, scopes=["population:read"])
    assert notary_section["wills"] == {"items": None, "source": {"state": "DENIED"}}
    assert {name.partition(".")[0] for name, _, _ in all_sources.fetched} == {"population"}


async def test_for_other_purposes_the_wills_of_the_dead_are_withheld_too(tmp_path: Path) -> None:
    all_sources = estates(death(DEAD))
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        notary_section = await section(gateway, DEAD, x_purpose=UNIFIED)
    assert notary_section["wills"] == WITHHELD
    assert not wills_fetched(all_sources)


@pytest.mark.parametrize("number", [HOA, DEAD])
@pytest.mark.parametrize("purpose", [PURPOSE, UNIFIED])
async def test_the_kind_will_is_hidden_among_transactions_from_everybody(
    tmp_path: Path, number: str, purpose: str
) -> None:
    async with running(tmp_path, estates(death(DEAD)), ALL, LIVE) as gateway:
        notary_section = await section(gateway, number, x_purpose=purpose)
    assert notary_section["transactions"] == {
        "items": [{"notarialNo": "1", "kind": "SALE"}],
        "truncated": False,
        "source": {"state": "ANSWERED"},
    }


@pytest.mark.parametrize("number", [HOA, DEAD])
@pytest.mark.parametrize("scopes", [("me",), ("me", *EVERY)])
async def test_the_own_view_shows_none_under_any_purpose(
    tmp_path: Path, number: str, scopes: tuple[str, ...]
) -> None:
    all_sources = estates(death(DEAD))
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        token = gateway.token(*scopes, subject=number, purposes=[PURPOSE])
        reply = await gateway.post(OWN_VIEW, None, token, x_purpose=PURPOSE)
    notary_section = reply.json()["data"]["me"]["notary"]
    assert notary_section["wills"] == WITHHELD
    assert [row["kind"] for row in notary_section["transactions"]["items"]] == ["SALE"]
    assert not wills_fetched(all_sources)
