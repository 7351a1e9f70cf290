"""Hidden rows take no place in a list: a full list looks the same with and without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.registry import installed_databases
from gateway.protection.rules import RULES
from tests.support.people import HOA, LAN, backends
from tests.support.running import running

QUERY = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
  courtNotes(first: 200) { items { eventId } truncated source { state } } } } }"""


def notes(number: str, kind: str, count: int) -> list[dict[str, object]]:
    return [
        {
            "event_id": f"{kind}-{number}-{n:03d}",
            "event_type": kind,
            "citizen_id": number,
            "registration_date": "2020-01-01",
            "status": "VALID",
        }
        for n in range(count)
    ]


async def test_a_list_at_its_limit_is_not_truncated_by_what_is_hidden(tmp_path: Path) -> None:
    rows = [*notes(HOA, "DECLARED_MISSING", 200), *notes(LAN, "DECLARED_MISSING", 200)]
    rows += notes(HOA, "ADOPTION", 20)
    async with running(tmp_path, backends(civil_status={"court_notes": rows})) as gateway:
        answers = [await gateway.ask(QUERY, {"id": number}) for number in (HOA, LAN)]
    lists: list[dict[str, Any]] = [
        body["data"]["person"]["civilStatus"]["courtNotes"] for body in answers
    ]
    assert [len(shown_list["items"]) for shown_list in lists] == [200, 200]
    assert [shown_list["truncated"] for shown_list in lists] == [False, False]


def test_every_record_of_which_rows_may_be_hidden_has_a_reserve() -> None:
    concerned = {
        f"{record.database}.{record.name}"
        for database in installed_databases()
        for record in database.records
        if any(rule.may_hide_rows_of(record) for rule in RULES)
    }
    reserved = {
        f"{record.database}.{record.name}"
        for database in installed_databases()
        for record in database.records
        if record.reserve
    }
    # Adoptions are withheld as a whole; their replaced ones are hidden from nobody who sees them.
    assert reserved >= concerned - {"civil_status.adoptions"}
