"""The report of an executed plan says what was read, and nothing that the answer does not say.

Covers ``gateway.execution.plan_report``, ``gateway.fetch.traced_reads`` and
``gateway.plan.outline``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.base import Backend
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings, Limits
from tests.support.faults import Faulty, Gated
from tests.support.people import HOA, LAN, NOBODY, backends
from tests.support.running import CASE_NUMBER, OFFICER, Running, running

MARRIAGES = """query($id: PersonNumber!) { person(id: $id) {
  civilStatus { marriages { items { eventId } } } } }"""
WIFE = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } source { state } } }
  civilStatus { marriages { items { wife { person {
    population { identity { item { fullName } } } } } } }
    courtNotes { items { eventId } } adoptions { items { eventId } }
    divorces { items { wife { population { residences { items { entryId } } } } } } } } }"""


async def answer(
    gateway: Running,
    document: str = MARRIAGES,
    scopes: tuple[str, ...] = OFFICER,
    variables: Mapping[str, object] | None = None,
    purpose: str = UNIFIED,
) -> dict[str, Any]:
    """Return the answer to a request for a plan."""
    reply = await gateway.client.post(
        "/graphql",
        json={
            "query": document,
            "variables": variables or {"id": HOA},
            "extensions": {"plan": True},
        },
        headers={
            "authorization": f"Bearer {gateway.token(*scopes, 'plans', purposes=[purpose])}",
            "x-purpose": purpose,
            "x-case-number": CASE_NUMBER,
        },
    )
    body: dict[str, Any] = reply.json()
    return body


async def fetches(*arguments: Any, **named: Any) -> dict[str, dict[str, Any]]:
    """Return the entries of the report, by kind, wave and records."""
    body = await answer(*arguments, **named)
    return {
        f"{entry['kind']} {entry['wave']} {entry['database']}.{'+'.join(entry['records'])}": entry
        for entry in body["extensions"]["execution"]["fetches"]
    }


def faulty(database: str, fault: str | None) -> dict[str, Backend]:
    known = backends()
    return {**known, database: Faulty(known[database], fault)}


async def test_each_list_of_a_wave_has_an_entry_with_its_keys_and_the_rows_of_the_answer(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as gateway:
        entries = await fetches(gateway, WIFE)
    assert list(entries) == [
        "NUMBERS 1 population.identity",
        "LIST 1 population.identity",
        "LIST 1 civil_status.marriages",
        "NUMBERS 2 population.identity",
        "LIST 2 population.identity",
        "LIST 1 civil_status.court_notes",
        "LIST 1 civil_status.adoptions",
        "LIST 1 civil_status.divorces",
        "LIST 2 population.residences",
    ]
    marriages = entries["LIST 1 civil_status.marriages"]
    assert marriages["paths"] == ["person.civilStatus.marriages"]
    assert (marriages["state"], marriages["asked"]) == ("ANSWERED", True)
    assert (marriages["rows"], marriages["places"], marriages["unanswered"]) == (2, 1, 0)
    assert (marriages["form"], marriages["cache"]) == ("ROWS", "NOT_CACHED")
    wife = entries["LIST 2 population.identity"]
    assert (wife["rows"], wife["keys"]) == (1, 1)


async def test_what_nothing_leads_to_was_not_read(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        residences = (await fetches(gateway, WIFE))["LIST 2 population.residences"]
    assert (residences["asked"], residences["state"], residences["rows"]) == (False, None, None)
    assert "keys" not in residences


async def test_earlier_numbers_and_rows_that_a_rule_hides_are_not_counted(tmp_path: Path) -> None:
    """Hòa has an earlier number, and a second court note, on an adoption."""
    async with running(tmp_path) as gateway:
        entries = await fetches(gateway, WIFE)
    assert entries["LIST 1 civil_status.marriages"]["keys"] == 1
    assert entries["LIST 1 civil_status.court_notes"]["rows"] == 1


async def test_what_is_denied_or_withheld_is_said_and_has_no_rows(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        entries = await fetches(gateway, WIFE, ("civil_status:read", "civil_status:sensitive"))
    identity = entries["LIST 1 population.identity"]
    assert (identity["state"], identity["missing"]) == ("DENIED", ["population:read"])
    assert entries["LIST 1 civil_status.adoptions"]["state"] == "WITHHELD"
    for entry in (identity, entries["LIST 1 civil_status.adoptions"]):
        assert not {"rows", "keys", "asked"} & entry.keys()


async def test_me_of_somebody_who_is_no_citizen_is_denied_as_a_whole(tmp_path: Path) -> None:
    document = "{ me { civilStatus { marriages { items { eventId } } } } }"
    async with running(tmp_path) as gateway:
        entries = await fetches(gateway, document)
    assert {entry["state"] for entry in entries.values()} == {"DENIED"}
    assert entries["LIST 1 civil_status.marriages"]["missing"] == ["me"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [("down", "UNAVAILABLE"), ("maintenance", "MAINTENANCE"), ("unmapped", "NOT_OPERATING")],
)
async def test_a_database_that_fails_has_its_state_and_no_rows(
    tmp_path: Path, fault: str, state: str
) -> None:
    async with running(tmp_path, faulty("civil_status", fault)) as gateway:
        marriages = (await fetches(gateway))["LIST 1 civil_status.marriages"]
    assert (marriages["state"], marriages["rows"], marriages["unanswered"]) == (state, None, 1)
    assert marriages["breakerOpen"] is False


async def test_a_database_behind_an_open_breaker_was_not_asked(tmp_path: Path) -> None:
    settings = {"civil_status": DatabaseSettings(timeout=120, breaker_failures=1)}
    async with running(tmp_path, faulty("civil_status", "down"), databases_=settings) as gateway:
        first = (await fetches(gateway))["LIST 1 civil_status.marriages"]
        second = (await fetches(gateway))["LIST 1 civil_status.marriages"]
    assert first["asked"] is True
    assert (second["asked"], second["breakerOpen"]) == (False, True)
    assert second["state"] == "UNAVAILABLE"
    assert second["databaseMilliseconds"] == 0


async def test_what_does_not_come_in_time_was_asked_and_timed_out(tmp_path: Path) -> None:
    sources = faulty("civil_status", "hangs")
    async with running(tmp_path, sources, limits=Limits(deadline=0.05)) as gateway:
        marriages = (await fetches(gateway))["LIST 1 civil_status.marriages"]
    assert (marriages["state"], marriages["rows"]) == ("TIMED_OUT", None)


async def test_rows_from_the_cache_are_said_to_be_and_older_ones_beside_their_failure(
    tmp_path: Path,
) -> None:
    known = backends()
    civil_status = Faulty(known["civil_status"])
    settings = {"civil_status": DatabaseSettings(timeout=120, fresh=60, stale_if_error=3600)}
    async with running(
        tmp_path, {**known, "civil_status": civil_status}, databases_=settings
    ) as gateway:
        entries = [(await fetches(gateway))["LIST 1 civil_status.marriages"] for _ in range(2)]
        await gateway.pass_time(600)
        civil_status.fault = "down"
        entries.append((await fetches(gateway))["LIST 1 civil_status.marriages"])
    assert [entry["cache"] for entry in entries] == ["LOOKED_UP"] * 3
    assert [entry["cachedKeys"] for entry in entries] == [0, 1, 0]
    assert [entry["staleKeys"] for entry in entries] == [0, 0, 1]
    assert [entry["state"] for entry in entries] == ["ANSWERED", "ANSWERED", "UNAVAILABLE"]
    assert [entry["asked"] for entry in entries] == [True, False, True]


async def test_the_time_is_split_into_waiting_and_the_database(tmp_path: Path) -> None:
    known = backends()
    gated = Gated(known["civil_status"], "marriages")
    async with running(tmp_path, {**known, "civil_status": gated}) as gateway:
        asking = asyncio.create_task(answer(gateway))
        await gated.is_waiting.wait()
        gateway.clock.advance(0.25)
        gated.gate.set()
        report = (await asking)["extensions"]["execution"]
    (marriages,) = (entry for entry in report["fetches"] if entry["kind"] == "LIST")
    assert (marriages["waitMilliseconds"], marriages["databaseMilliseconds"]) == (0, 250)
    assert report["milliseconds"] == report["readMilliseconds"] == 250
    assert report["prepareMilliseconds"] == report["gatewayMilliseconds"] == 0


async def test_nobody_else_is_in_the_report(tmp_path: Path) -> None:
    """Requests that come together are executed together, but for those with a report."""
    known = backends()
    gated = Gated(known["civil_status"], "marriages")
    async with running(tmp_path, {**known, "civil_status": gated}) as gateway:
        scopes = (*OFFICER, "plans")
        others = [
            asyncio.create_task(gateway.ask(MARRIAGES, {"id": number}, scopes))
            for number in (LAN, NOBODY)
        ]
        asking = asyncio.create_task(answer(gateway))
        await gated.is_waiting.wait()
        gated.gate.set()
        body = await asking
        await asyncio.gather(*others)
    marriages = body["extensions"]["execution"]["fetches"][1]
    assert (marriages["keys"], marriages["rows"]) == (1, 2)


async def test_a_view_tells_its_databases_and_not_whom_it_read(tmp_path: Path) -> None:
    document = "query($id: PersonNumber!) { person(id: $id) { maritalStatus { value } } }"
    scopes = ("person:read",)
    async with running(tmp_path) as gateway:
        entries = await fetches(gateway, document, scopes)
    async with running(tmp_path / "down", faulty("civil_status", "down")) as gateway:
        failed = await fetches(gateway, document, scopes)
    views = {name: entry for name, entry in entries.items() if entry["kind"] == "VIEW"}
    assert {entry["database"] for entry in views.values()} == {"population", "civil_status"}
    for entry in views.values():
        assert not {"keys", "rows", "databaseMilliseconds"} & entry.keys()
        assert entry["state"] is None
    states = {entry["database"]: entry["state"] for entry in failed.values()}
    assert states["civil_status"] == "UNAVAILABLE"


async def test_beside_a_view_a_list_counts_its_own_reads_alone(tmp_path: Path) -> None:
    """The view reads the same list of the spouse."""
    document = """query($id: PersonNumber!) { person(id: $id) { maritalStatus { value }
      civilStatus { marriages { items { eventId } } } } }"""
    async with running(tmp_path) as gateway:
        marriages = (await fetches(gateway, document, (*OFFICER, "person:read")))[
            "LIST 1 civil_status.marriages"
        ]
    assert (marriages["keys"], marriages["rows"]) == (1, 2)


async def test_the_answer_and_the_journal_are_those_of_a_request_without_a_report(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as gateway:
        reported = await answer(gateway, WIFE)
        plain = await gateway.ask(WIFE, {"id": HOA}, (*OFFICER, "plans"))
        first, second = gateway.journal()
    assert reported["data"] == plain["data"]
    assert reported.get("errors") == plain.get("errors")
    assert "execution" not in plain["extensions"]
    for field in ("sections", "persons", "codes", "result", "document"):
        assert first[field] == second[field]


async def test_other_callers_get_no_report(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        reply = await gateway.client.post(
            "/graphql",
            json={"query": MARRIAGES, "variables": {"id": HOA}, "extensions": {"plan": True}},
            headers={
                "authorization": f"Bearer {gateway.token(*OFFICER)}",
                "x-purpose": UNIFIED,
                "x-case-number": CASE_NUMBER,
            },
        )
    assert "extensions" not in reply.json()


async def test_beside_a_view_a_list_does_not_say_what_could_not_be_read_of_kin(
    tmp_path: Path,
) -> None:
    """The view reads the spouse's notes of death too, of which one is unreadable."""
    document = """query($id: PersonNumber!) { person(id: $id) { maritalStatus { value }
      civilStatus { deaths { items { eventId } source { state } } } } }"""
    deaths: list[dict[str, object]] = [
        {"event_id": "D1", "citizen_id": LAN, "registration_date": "no date"}
    ]
    async with running(tmp_path, backends(civil_status={"deaths": deaths})) as gateway:
        of_husband = (await fetches(gateway, document, (*OFFICER, "person:read")))[
            "LIST 1 civil_status.deaths"
        ]
        of_wife = (await fetches(gateway, document, (*OFFICER, "person:read"), {"id": LAN}))[
            "LIST 1 civil_status.deaths"
        ]
    assert of_wife["state"] == "PARTIAL"
    assert of_husband["state"] == "ANSWERED"
