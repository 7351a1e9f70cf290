"""A representative of a child or ward, and the records that decide whether they may ask."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from connectors.description import Database
from tests.support.people import LAN, population_rows
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, LIVE, Row, World, acting, world

#: A boy who comes of age on the day after the tests' today (23 November 2026).
CHILD, BIRTHDAY = "001208000001", "2008-11-24"
AUTHORISATION = "1234/2026"
ME = """{ me { id civilStatus { births { items { ethnicity } } courtNotes { items { eventId } } }
  legalAid { cases { source { state } } } } }"""


def birth(born: str | None = BIRTHDAY, status: str | None = "VALID", **named: str) -> Row:
    parents = named or {"mother_citizen_id": LAN}
    return {"event_id": "B", "citizen_id": CHILD, "birth_date": born, "status": status,
            "ethnicity": "Kinh", **parents}  # fmt: skip


def guardianship(**changed: Any) -> Row:
    usual = {"ward_id": CHILD, "guardian_citizen_id": LAN, "start_date": "2020-01-01"}
    return {"event_id": "G", "status": "VALID", **usual, **changed}


def death(number: str = CHILD, status: str = "VALID") -> Row:
    return {"event_id": "D", "citizen_id": number, "status": status}


def books(**records: list[Row]) -> World:
    """The civil status books hold ``records``, the population database the child too."""
    population = population_rows()
    child: Row = {"citizen_id": CHILD, "life_status": "ALIVE", "status": "CURRENT"}
    population["identity"].append(child)
    aid: dict[str, list[Row]] = {"cases": [{"case_no": "1", "beneficiary_id": CHILD}]}
    return world({"population": population, "civil_status": records, "legal_aid": aid})


def authorised(changed: Row | None = None, *parties: tuple[str, str]) -> World:
    """CHILD, of whose age nothing is known here, authorised LAN before a notary."""
    usual: Row = {"notarial_no": AUTHORISATION, "kind": "AUTHORISATION", "status": "VALID"}
    roles = parties or (("PRINCIPAL", CHILD), ("AGENT", LAN))
    entries: list[Row] = [
        {"entry_id": f"{place}", "notarial_no": AUTHORISATION, "role": role,
         "party_citizen_id": number}
        for place, (role, number) in enumerate(roles)
    ]  # fmt: skip
    transactions: list[Row] = [{**usual, **(changed or {})}]
    return world({"notary": {"transactions": transactions, "transaction_parties": entries}})


async def ask(
    gateway: Running,
    representative: str = LAN,
    represented: str = CHILD,
    authorisation: str | None = None,
) -> httpx2.Response:
    token = acting(gateway, representative, represented, authorisation)
    return await gateway.post(ME, None, token, x_purpose="", x_case_number="")


async def verdict(
    folder: Path,
    rows: World,
    representative: str = LAN,
    represented: str = CHILD,
    authorisation: str | None = None,
    later: timedelta = timedelta(0),
    databases: tuple[Database, ...] = ALL,
) -> str:
    """Return "shown", or the code with which the request is refused."""
    live = {database.name: LIVE[database.name] for database in databases}
    async with running(folder, rows, databases, live) as gateway:
        gateway.clock.advance(later.total_seconds())
        query = "{ me { id } }"
        token = acting(gateway, representative, represented, authorisation)
        reply = await gateway.post(query, None, token, x_purpose="", x_case_number="")
    body = reply.json()
    if "errors" not in body:
        assert body["data"]["me"]["id"] == represented
        return "shown"
    (code,) = codes(body)
    assert "data" not in body
    status = {"REPRESENTATION_DENIED": 403, "REPRESENTATION_UNCHECKED": 503}[code]
    assert reply.status_code == status
    assert reply.headers.get("retry-after") == ("5" if status == 503 else None)
    return code.removeprefix("REPRESENTATION_")
