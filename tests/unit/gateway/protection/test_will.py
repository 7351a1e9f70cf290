"""Nobody learns of a will: neither from the list of wills nor from the transactions."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.backends.memory import MemoryBackend
from connectors.description import Group
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.people import DEAD, HOA, LAN, backends
from tests.support.running import running

SCOPES = ("population:read", "notary:read", "notary:sensitive", "notary:restricted")
LIVE = {"notary": DatabaseSettings(group=Group.OPERATING)}
QUERY = """query($id: PersonNumber!) { person(id: $id) { notary {
  wills { items { notarialNo } source { state } }
  transactions { items { notarialNo kind } truncated source { state } } } } }"""


def notary() -> MemoryBackend:
    rows: dict[str, list[dict[str, object]]] = {record.name: [] for record in NOTARY.records}
    rows["transactions"] = [
        {"notarial_no": "1", "kind": "SALE", "notarised_on": "2020-01-01"},
        {"notarial_no": "2", "kind": "WILL", "notarised_on": "2021-01-01"},
    ]
    rows["transaction_parties"] = [
        {"entry_id": f"{person}-{number}", "notarial_no": number, "party_citizen_id": person}
        for person in (HOA, DEAD)
        for number in ("1", "2")
    ]
    rows["wills"] = [
        {"notarial_no": f"{n}", "testator_id": person} for n, person in enumerate((HOA, DEAD))
    ]
    return MemoryBackend(NOTARY, rows)


@pytest.mark.parametrize("number", [HOA, DEAD, LAN])
async def test_wills_are_withheld_alike_whether_or_not_there_is_one(
    tmp_path: Path, number: str
) -> None:
    source = Faulty(notary())
    everything = {**backends(), "notary": source}
    async with running(tmp_path, everything, (POPULATION, NOTARY), LIVE) as gateway:
        body = await gateway.ask(QUERY, {"id": number}, scopes=SCOPES)
    section = body["data"]["person"]["notary"]
    assert section["wills"] == {"items": None, "source": {"state": "WITHHELD"}}
    assert "wills" not in [name for name, _, _ in source.fetched]
    kinds = [row["kind"] for row in section["transactions"]["items"]]
    assert kinds == ([] if number == LAN else ["SALE"])
    assert section["transactions"]["source"]["state"] == "ANSWERED"


async def test_the_testators_own_view_shows_none_either(tmp_path: Path) -> None:
    query = QUERY.replace("query($id: PersonNumber!) { person(id: $id)", "{ me")
    everything = {**backends(), "notary": notary()}
    async with running(tmp_path, everything, (POPULATION, NOTARY), LIVE) as gateway:
        body = await gateway.ask(query, scopes=("me",), subject=HOA)
    section = body["data"]["me"]["notary"]
    assert section["wills"]["source"]["state"] == "WITHHELD"
    assert [row["kind"] for row in section["transactions"]["items"]] == ["SALE"]
