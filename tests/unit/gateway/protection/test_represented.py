"""A representative does not learn of legal aid or protection."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.description import Record
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.population import DATABASE as POPULATION
from connectors.reconciliation import DATABASE as RECONCILIATION
from gateway.access.caller import Caller
from gateway.protection.represented import is_closed
from gateway.protection.rules import is_withheld
from tests.support.hidden_rows import aided, common, under_protection
from tests.support.people import LAN
from tests.support.running import running
from tests.support.worlds import (
    ALL,
    EVERY,
    LIVE,
    WAYS,
    World,
    acting,
    answer,
    together,
    world,
)

CHILD = "001220000001"
STATES = """{ me { legalAid { cases { items { caseNo } source { state } }
  beneficiary { item { citizenId } source { state } } source { state } }
  population { protectionOrders { items { orderNo } source { state } } } } }"""
REPRESENTATIVE = Caller(citizen=CHILD, representative=LAN)


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def child() -> World:
    return world(together(common(CHILD), aided(CHILD), under_protection(CHILD)))


@pytest.mark.parametrize("scopes", [("me",), ("me", *EVERY)])
async def test_legal_aid_and_protection_are_withheld_from_a_parent_and_not_fetched(
    tmp_path: Path, scopes: tuple[str, ...]
) -> None:
    all_sources = child()
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        token = acting(gateway, LAN, CHILD, scopes=scopes)
        reply = await gateway.post(STATES, None, token, x_purpose="", x_case_number="")
    withheld = {"source": {"state": "WITHHELD"}}
    assert reply.json() == {
        "data": {
            "me": {
                "legalAid": {
                    "cases": {"items": None, **withheld},
                    "beneficiary": {"item": None, **withheld},
                    **withheld,
                },
                "population": {"protectionOrders": {"items": None, **withheld}},
            }
        }
    }
    assert all_sources.of("legal_aid").fetched == []
    assert "population.protection_orders" not in [name for name, _, _ in all_sources.fetched]


async def test_the_child_sees_the_legal_aid_that_it_got(tmp_path: Path) -> None:
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        body = await gateway.ask(STATES, scopes=("me",), subject=CHILD)
    legal_aid = body["data"]["me"]["legalAid"]
    assert legal_aid["cases"]["items"] == [{"caseNo": f"{CHILD} case"}]
    assert legal_aid["beneficiary"]["item"] == {"citizenId": CHILD}


@pytest.mark.parametrize(
    "record",
    [*LEGAL_AID.records, *RECONCILIATION.records],
    ids=lambda record: f"{record.database}.{record.name}",
)
@pytest.mark.parametrize("is_own_view", [True, False])
def test_legal_aid_and_what_may_tell_of_it_are_withheld_from_representatives(
    record: Record, is_own_view: bool
) -> None:
    assert is_withheld(record, REPRESENTATIVE, is_own_view)
    assert not is_withheld(record, Caller(citizen=CHILD), is_own_view)


def test_nothing_else_is_withheld_from_them_that_the_person_sees() -> None:
    person = Caller(citizen=CHILD)
    differing = {
        f"{record.database}.{record.name}"
        for database in ALL
        for record in database.records
        if is_withheld(record, REPRESENTATIVE, True) is not is_withheld(record, person, True)
    }
    assert differing == {f"legal_aid.{record.name}" for record in LEGAL_AID.records}
    assert is_withheld(POPULATION.by_name["protection_orders"], REPRESENTATIVE, True)


@pytest.mark.parametrize(
    ("sections", "purpose", "closed"),
    [
        (["legal_aid.cases"], None, True),
        (["civil_status.births", "legal_aid.beneficiary"], None, True),
        (["population.protection_orders"], None, True),
        (["population.identity"], "2.000829", True),
        (["population.identity"], "2.000829.H38", True),
        ([], "address-protection", True),
        (["population.identity"], "1.004837", False),
        (["population.identity"], None, False),
        ([], None, False),
    ],
)
def test_look_ups_for_legal_aid_and_protection_are_not_in_the_log_that_they_see(
    sections: list[str], purpose: str | None, closed: bool
) -> None:
    assert is_closed(sections, purpose) is closed
