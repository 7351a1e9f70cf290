"""Every row of the truth table of design section 6: events and the states they lead to.

Covers ``gateway.answer``, ``gateway.schema.shared_types``, ``gateway.schema.sections``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.memory import MemoryBackend
from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Group
from connectors.population import DATABASE as POPULATION
from gateway.answer import State
from gateway.settings import DatabaseSettings, Limits
from tests.support.faults import Faulty
from tests.support.people import DEAD, HOA, LAN, NOBODY, backends
from tests.support.running import OFFICER, Running, codes, running

QUERY = """query($id: PersonNumber!) { person(id: $id) { id civilStatus {
  source { state }
  marriages { items { eventId } truncated source { state message { vi } fetchedAt fromCache asOf } }
} } }"""


async def marriages(gateway: Running, number: str = LAN, **options: Any) -> dict[str, Any]:
    body = await gateway.ask(QUERY, {"id": number}, **options)
    section = body["data"]["person"]["civilStatus"]
    state = section["marriages"]["source"]["state"]
    assert section["source"]["state"] == state
    assert section["marriages"]["items"] != [] or state == "ANSWERED"
    assert section["marriages"]["items"] is None or State[state].has_rows
    section["marriages"]["codes"] = codes(body)
    answer: dict[str, Any] = section["marriages"]
    return answer


async def test_rows_are_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await marriages(gateway)
    assert [row["eventId"] for row in answer["items"]] == ["M1"]
    assert answer["source"]["state"] == "ANSWERED"
    assert answer["source"]["fetchedAt"] is not None
    assert answer["source"]["fromCache"] is False
    assert answer["truncated"] is False
    assert answer["codes"] == []


async def test_no_rows_are_answered_with_an_empty_list(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await marriages(gateway, DEAD)
    assert answer["items"] == []
    assert answer["source"]["state"] == "ANSWERED"
    assert answer["codes"] == []


async def test_no_rows_under_a_number_that_nobody_holds_are_not_none(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await marriages(gateway, NOBODY)
    assert (answer["items"], answer["truncated"]) == (None, None)
    assert answer["source"]["state"] == "NOT_IDENTIFIED"
    assert answer["source"]["fetchedAt"] is not None
    assert answer["codes"] == ["PERSON_NOT_IDENTIFIED"]


async def test_rows_under_a_number_that_nobody_holds_are_shown_as_incomplete(
    tmp_path: Path,
) -> None:
    rows: list[dict[str, object]] = [{"event_id": "M", "wife_citizen_id": NOBODY}]
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        answer = await marriages(gateway, NOBODY)
    assert (answer["items"], answer["truncated"]) == ([{"eventId": "M"}], False)
    assert answer["source"]["state"] == "INCOMPLETE"
    assert answer["codes"] == ["PERSON_NOT_IDENTIFIED"]


async def test_unreadable_rows_leave_the_readable_ones_and_say_partial(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"event_id": "good", "wife_citizen_id": LAN, "registration_date": "2015-01-01"},
        {"event_id": "bad", "wife_citizen_id": LAN, "registration_date": "the day before"},
    ]
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        body = await gateway.ask(QUERY, {"id": LAN})
    answer = body["data"]["person"]["civilStatus"]["marriages"]
    assert [row["eventId"] for row in answer["items"]] == ["good"]
    assert answer["source"]["state"] == "PARTIAL"
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_RECORD"
    assert error["extensions"]["count"] == 1
    assert error["path"] == ["person", "civilStatus", "marriages"]


async def test_all_rows_unreadable_is_never_an_answered_empty_list(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"event_id": "bad", "wife_citizen_id": LAN, "status": "NO_SUCH_STATUS"}
    ]
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        answer = await marriages(gateway)
    assert (answer["items"], answer["source"]["state"]) == (None, "PARTIAL")
    assert answer["codes"] == ["BAD_RECORD"]


@pytest.mark.parametrize("link", [None, "no such case"], ids=["null", "dangling"])
async def test_a_link_that_leads_to_no_row_is_never_an_answered_empty_list(
    tmp_path: Path, link: str | None
) -> None:
    party: dict[str, object] = {
        "entry_id": "P",
        "party_citizen_id": LAN,
        "decision_no": link,
    }
    rows: dict[str, Sequence[dict[str, object]]] = {"enforcement_parties": [party], "cases": []}
    query = (
        "query($id: PersonNumber!) { person(id: $id)"
        " { civilEnforcement { cases { items { decisionNo } source { state } } } } }"
    )
    sources = {**backends(), "civil_enforcement": MemoryBackend(CIVIL_ENFORCEMENT, rows)}
    async with running(tmp_path, sources, (POPULATION, CIVIL_ENFORCEMENT)) as gateway:
        body = await gateway.ask(query, {"id": LAN}, scopes=(*OFFICER, "civil_enforcement:read"))
    answer = body["data"]["person"]["civilEnforcement"]["cases"]
    assert (answer["items"], answer["source"]["state"]) == (None, "PARTIAL")
    assert codes(body) == ["BAD_RECORD"]


async def test_a_failure_within_the_bound_shows_older_rows_as_stale(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    settings = {"civil_status": DatabaseSettings(stale_if_error=60)}
    all_sources = {**sources, "civil_status": source}
    async with running(tmp_path, all_sources, databases_=settings) as gateway:
        first = await marriages(gateway)
        source.fault = "down"
        await gateway.pass_time(59)
        stale = await marriages(gateway)
        await gateway.pass_time(2)
        late = await marriages(gateway)
    assert stale["items"] == first["items"]
    assert stale["source"]["state"] == "STALE"
    assert stale["source"]["fromCache"] is True
    assert stale["source"]["fetchedAt"] == first["source"]["fetchedAt"]
    assert stale["codes"] == []
    assert late["source"]["state"] == "UNAVAILABLE"


async def test_older_rows_stand_in_only_for_the_person_they_belong_to(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    settings = {"civil_status": DatabaseSettings(stale_if_error=60)}
    all_sources = {**sources, "civil_status": source}
    async with running(tmp_path, all_sources, databases_=settings) as gateway:
        await marriages(gateway, LAN)
        source.fault = "down"
        answer = await marriages(gateway, NOBODY)
    assert answer["source"]["state"] == "UNAVAILABLE"


@pytest.mark.parametrize("fault", ["down", "defect"])
async def test_a_source_that_fails_is_unavailable_and_names_nothing_inside(
    tmp_path: Path, fault: str
) -> None:
    sources = backends()
    all_sources = {**sources, "civil_status": Faulty(sources["civil_status"], fault)}
    async with running(tmp_path, all_sources) as gateway:
        body = await gateway.ask(QUERY, {"id": LAN})
    answer = body["data"]["person"]["civilStatus"]["marriages"]
    assert (answer["items"], answer["source"]["state"]) == (None, "UNAVAILABLE")
    assert answer["truncated"] is None
    assert codes(body) == ["SOURCE_UNAVAILABLE"]
    assert "secret" not in str(body)


async def test_a_source_that_hangs_times_out_and_the_others_answer(tmp_path: Path) -> None:
    sources = backends()
    all_sources = {**sources, "civil_status": Faulty(sources["civil_status"], "hangs")}
    settings = {"civil_status": DatabaseSettings(timeout=0.05)}
    query = QUERY.replace("civilStatus {", "population { identity { item { sex } } } civilStatus {")
    async with running(tmp_path, all_sources, databases_=settings) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    person = body["data"]["person"]
    assert person["civilStatus"]["marriages"]["source"]["state"] == "TIMED_OUT"
    assert person["civilStatus"]["marriages"]["items"] is None
    assert person["population"]["identity"]["item"] == {"sex": "FEMALE"}
    assert codes(body) == ["SOURCE_TIMED_OUT"]


async def test_the_deadline_of_the_request_ends_waiting_too(tmp_path: Path) -> None:
    sources = backends()
    all_sources = {**sources, "civil_status": Faulty(sources["civil_status"], "hangs")}
    settings = {"civil_status": DatabaseSettings(timeout=30)}
    limits = Limits(deadline=0.05)
    async with running(tmp_path, all_sources, databases_=settings, limits=limits) as gateway:
        answer = await marriages(gateway)
    assert answer["source"]["state"] == "TIMED_OUT"


async def test_maintenance_is_said_and_the_source_is_not_asked(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    settings = {"civil_status": DatabaseSettings(maintenance=True)}
    async with running(
        tmp_path, {**sources, "civil_status": source}, databases_=settings
    ) as gateway:
        answer = await marriages(gateway)
    assert answer["source"]["state"] == "MAINTENANCE"
    assert answer["codes"] == ["SOURCE_MAINTENANCE"]
    assert source.fetched == []


async def test_a_database_without_backend_is_not_operating(tmp_path: Path) -> None:
    async with running(tmp_path, {"population": backends()["population"]}) as gateway:
        answer = await marriages(gateway)
    assert answer["source"]["state"] == "NOT_OPERATING"
    assert answer["source"]["fetchedAt"] is None
    assert answer["codes"] == []


@pytest.mark.parametrize("group", [group for group in Group if group is not Group.OPERATING])
async def test_a_database_of_another_group_is_not_operating_even_if_reachable(
    tmp_path: Path, group: Group
) -> None:
    two_databases = (POPULATION, replace(CIVIL_STATUS, group=group))
    async with running(tmp_path, databases=two_databases) as gateway:
        answer = await marriages(gateway)
    assert answer["source"]["state"] == "NOT_OPERATING"


async def test_a_record_mapped_to_nothing_is_not_operating(tmp_path: Path) -> None:
    sources = backends()
    all_sources = {**sources, "civil_status": Faulty(sources["civil_status"], "unmapped")}
    async with running(tmp_path, all_sources) as gateway:
        body = await gateway.ask(QUERY, {"id": LAN})
    assert body["data"]["person"]["civilStatus"]["marriages"]["source"]["state"] == "NOT_OPERATING"
    assert "secret" not in str(body)


async def test_a_missing_scope_is_denied_named_and_nothing_is_fetched(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(QUERY, {"id": LAN}, scopes=["population:read"])
    answer = body["data"]["person"]["civilStatus"]["marriages"]
    assert (answer["items"], answer["source"]["state"]) == (None, "DENIED")
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["missing"] == ["civil_status:read"]
    assert source.fetched == []


@pytest.mark.parametrize("number", [HOA, NOBODY])
async def test_adoptions_are_withheld_for_everybody_alike_and_not_fetched(
    tmp_path: Path, number: str
) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    query = QUERY.replace("marriages", "adoptions")
    scopes = (*OFFICER, "civil_status:restricted")
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(query, {"id": number}, scopes=scopes)
        own_answer = await gateway.ask(
            "{ me { civilStatus { adoptions { items { eventId } source { state } } } } }",
            scopes=["me"],
            subject=HOA,
        )
    answer = body["data"]["person"]["civilStatus"]["adoptions"]
    assert (answer["items"], answer["source"]["state"]) == (None, "WITHHELD")
    assert codes(body) == []
    assert own_answer["data"]["me"]["civilStatus"]["adoptions"]["source"]["state"] == "WITHHELD"
    assert source.fetched == []


async def test_a_section_says_the_worst_of_its_lists(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"], "down")
    source.only = "deaths"
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      source { state } marriages { source { state } } deaths { source { state } } } } }"""
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    section = body["data"]["person"]["civilStatus"]
    assert section["marriages"]["source"]["state"] == "ANSWERED"
    assert section["deaths"]["source"]["state"] == "UNAVAILABLE"
    assert section["source"]["state"] == "UNAVAILABLE"


async def test_a_section_asked_alone_asks_for_its_first_record(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    query = "query($id: PersonNumber!) { person(id: $id) { civilStatus { source { state } } } }"
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(query, {"id": LAN})
        source.fault = "down"
        answer = await gateway.ask(query, {"id": LAN})
    assert body["data"]["person"]["civilStatus"]["source"]["state"] == "ANSWERED"
    assert {name for name, _, _ in source.fetched} == {"births"}
    assert answer["data"]["person"]["civilStatus"]["source"]["state"] == "UNAVAILABLE"
    assert codes(answer) == ["SOURCE_UNAVAILABLE"]


async def test_a_section_not_selected_is_not_asked(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        await gateway.ask(
            "query($id: PersonNumber!) { person(id: $id) { id civilStatus @include(if: false) "
            "{ source { state } } } }",
            {"id": LAN},
        )
    assert source.fetched == []


async def test_unreadable_rows_are_logged_by_column_and_never_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, object]] = [
        {"event_id": "bad", "wife_citizen_id": LAN, "registration_date": "the day before"}
    ]
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        await marriages(gateway)
    logged = capsys.readouterr().out
    assert "registration_date cannot be read" in logged
    assert "the day before" not in logged
    assert LAN not in logged
