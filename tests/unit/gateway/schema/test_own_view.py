"""The own view shows citizens their records, and of others only what those records hold.

Covers ``gateway.catalogue.own_view``.
"""

from __future__ import annotations

from pathlib import Path

from connectors.backends.memory import MemoryBackend
from connectors.civil_enforcement import DATABASE as ENFORCEMENT
from connectors.description import Database, Group
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.population import DATABASE as POPULATION
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN, backends
from tests.support.running import running

Row = dict[str, object]


def memory(database: Database, **rows: list[Row]) -> MemoryBackend:
    return MemoryBackend(
        database, {record.name: rows.get(record.name, []) for record in database.records}
    )


async def test_a_beneficiary_sees_the_lawyer_and_not_the_lawyers_number(tmp_path: Path) -> None:
    aid = memory(
        LEGAL_AID,
        cases=[
            {
                "case_no": "1",
                "beneficiary_id": HOA,
                "assigned_person_id": "P1",
                "beneficiary_category": "POOR_HOUSEHOLD",
            }
        ],
        aid_persons=[{"person_id": "P1", "name": "Luật sư Lan", "citizen_id": LAN}],
    )
    query = """{ me { legalAid { cases { items { beneficiaryCategory
      assignedPerson { item { name citizenId } source { state } } } } } } }"""
    live = {"legal_aid": DatabaseSettings(group=Group.OPERATING)}
    sources = {**backends(), "legal_aid": aid}
    async with running(tmp_path, sources, (POPULATION, LEGAL_AID), live) as gateway:
        body = await gateway.ask(query, scopes=("me",), subject=HOA)
    (case,) = body["data"]["me"]["legalAid"]["cases"]["items"]
    assert case == {
        "beneficiaryCategory": "POOR_HOUSEHOLD",
        "assignedPerson": {
            "item": {"name": "Luật sư Lan", "citizenId": None},
            "source": {"state": "ANSWERED"},
        },
    }
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert LAN not in str(body)


async def test_a_debtor_sees_the_creditors_name_and_not_their_ethnicity_or_telephone(
    tmp_path: Path,
) -> None:
    enforcement = memory(
        ENFORCEMENT,
        cases=[{"decision_no": "1"}],
        enforcement_parties=[
            {"entry_id": "a", "decision_no": "1", "role": "DEBTOR", "party_citizen_id": HOA},
            {
                "entry_id": "b",
                "decision_no": "1",
                "role": "CREDITOR",
                "party_citizen_id": LAN,
                "party_name": "Trần Thị Lan",
                "party_ethnicity": "Tày",
                "phone": "0900000000",
            },
        ],
    )
    query = """{ me { civilEnforcement { cases { items { parties { items {
      role phone party { name ethnicity } } source { state } } } } } } }"""
    sources = {**backends(), "civil_enforcement": enforcement}
    async with running(tmp_path, sources, (POPULATION, ENFORCEMENT)) as gateway:
        body = await gateway.ask(query, scopes=("me",), subject=HOA)
    (case,) = body["data"]["me"]["civilEnforcement"]["cases"]["items"]
    creditor = next(party for party in case["parties"]["items"] if party["role"] == "CREDITOR")
    assert creditor["party"] == {"name": "Trần Thị Lan", "ethnicity": None}
    assert creditor["phone"] is None
    assert "Tày" not in str(body)
    assert "0900000000" not in str(body)
