"""``identification``: who sees whether a person is known, and what it is based on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.catalogue.verification import POPULATION
from gateway.settings import DatabaseSettings, NumberSettings
from tests.support.faults import Faulty
from tests.support.people import (
    DEAD,
    FIRST_HOLDER,
    HOA,
    LAN,
    NOBODY,
    OLD_NUMBER,
    backends,
    population_rows,
)
from tests.support.running import OFFICER, Running, codes, running
from tests.support.worlds import WAYS, answer

QUERY = """query($id: PersonNumber!) { person(id: $id) { id identification
  notices { code reason }
  civilStatus { marriages { items { eventId } source { state } }
    deaths { items { eventId } source { state } } } } }"""
#: Callers who may see civil status and nothing of the population database.
CIVIL_STATUS_ONLY = ("civil_status:read",)
IDENTITY_ONLY = ("civil_status:read", "population.identity:read", "population:sensitive")


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


async def person(
    gateway: Running, number: str, scopes: Sequence[str] = OFFICER
) -> tuple[dict[str, Any], dict[str, Any]]:
    body = await gateway.ask(QUERY, {"id": number}, scopes=scopes)
    return body["data"]["person"], body


def lists(answer: dict[str, Any]) -> dict[str, tuple[str, int | None]]:
    """Return state and number of items of both lists."""
    return {
        name: (
            section_list["source"]["state"],
            None if section_list["items"] is None else len(section_list["items"]),
        )
        for name, section_list in answer["civilStatus"].items()
    }


@pytest.mark.parametrize("number", [HOA, LAN, DEAD, OLD_NUMBER])
async def test_whom_the_population_knows_is_identified(tmp_path: Path, number: str) -> None:
    async with running(tmp_path) as gateway:
        answer, body = await person(gateway, number)
    assert answer["identification"] == "IDENTIFIED"
    assert {state for state, _ in lists(answer).values()} == {"ANSWERED"}
    assert codes(body) == []


@pytest.mark.parametrize("number", [NOBODY, "111111111"])
async def test_a_number_of_nobody_is_not_identified(tmp_path: Path, number: str) -> None:
    async with running(tmp_path) as gateway:
        answer, body = await person(gateway, number)
    assert answer["identification"] == "NOT_IDENTIFIED"
    not_identified = ("NOT_IDENTIFIED", None)
    assert lists(answer) == {"marriages": not_identified, "deaths": not_identified}
    (error,) = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["person"], "PERSON_NOT_IDENTIFIED")
    assert error["extensions"]["lists"] == ["civilStatus.deaths", "civilStatus.marriages"]


@pytest.mark.parametrize("fault", ["down", "refuses", "unmapped", "maintenance", "defect"])
@pytest.mark.parametrize("record", [None, "identity", "earlier_numbers"])
async def test_a_population_that_does_not_answer_leaves_it_undetermined(
    tmp_path: Path, fault: str, record: str | None
) -> None:
    sources = backends()
    population = Faulty(sources[POPULATION], fault)
    population.only = record
    async with running(tmp_path, {**sources, POPULATION: population}) as gateway:
        answer, body = await person(gateway, HOA)
    assert answer["identification"] == "UNDETERMINED"
    assert lists(answer)["deaths"] == ("INCOMPLETE", None)
    state, count = lists(answer)["marriages"]
    assert state == "INCOMPLETE"
    assert count, "rows under the number at hand are shown"
    assert codes(body) == ["NUMBERS_INCOMPLETE"]


async def test_a_population_without_a_url_leaves_it_undetermined(tmp_path: Path) -> None:
    async with running(tmp_path, {"civil_status": backends()["civil_status"]}) as gateway:
        answer, _ = await person(gateway, LAN)
    assert answer["identification"] == "UNDETERMINED"
    assert lists(answer) == {"marriages": ("INCOMPLETE", 1), "deaths": ("INCOMPLETE", None)}


async def test_older_rows_of_the_population_identify_nobody(tmp_path: Path) -> None:
    sources = backends()
    population = Faulty(sources[POPULATION])
    settings = {POPULATION: DatabaseSettings(stale_if_error=60)}
    all_sources = {**sources, POPULATION: population}
    async with running(tmp_path, all_sources, databases_=settings) as gateway:
        before, _ = await person(gateway, DEAD)
        population.fault = "down"
        await gateway.pass_time(1)
        after, _ = await person(gateway, DEAD)
    assert (before["identification"], after["identification"]) == ("IDENTIFIED", "UNDETERMINED")
    assert lists(after)["marriages"] == ("INCOMPLETE", None)


async def test_an_unreadable_identity_identifies_nobody(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"citizen_id": LAN, "sex": "NEITHER"}]
    async with running(tmp_path, backends(population={"identity": rows})) as gateway:
        answer, _ = await person(gateway, LAN)
    assert answer["identification"] == "UNDETERMINED"
    assert lists(answer)["deaths"] == ("INCOMPLETE", None)


async def test_that_an_earlier_number_is_shared_is_told_to_who_may_read_earlier_numbers(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as gateway:
        answer, body = await person(gateway, FIRST_HOLDER)
        fewer, body_without = await person(gateway, FIRST_HOLDER, scopes=IDENTITY_ONLY)
    assert codes(body) == ["NUMBER_SHARED"]
    assert [notice["code"] for notice in answer["notices"]] == ["NUMBER_SHARED"]
    assert codes(body_without) == ["NUMBERS_INCOMPLETE"]
    assert "NUMBERS_INCOMPLETE" in [notice["code"] for notice in fewer["notices"]]
    assert "NUMBER_SHARED" not in str(body_without)
    assert lists(answer) == lists(fewer)


async def test_whoever_may_see_a_list_learns_that_nobody_is_known(tmp_path: Path) -> None:
    """A list that truthfully says "none" would tell it too."""
    async with running(tmp_path) as gateway:
        registered, _ = await person(gateway, LAN, scopes=CIVIL_STATUS_ONLY)
        answer, body = await person(gateway, NOBODY, scopes=CIVIL_STATUS_ONLY)
    assert registered["identification"] == "IDENTIFIED"
    assert registered["notices"] == [{"code": "UNKNOWN", "reason": "DENIED"}]
    assert answer["identification"] == "NOT_IDENTIFIED"
    assert [notice["code"] for notice in answer["notices"]] == ["NOT_IN_POPULATION", "UNKNOWN"]
    assert codes(body) == ["PERSON_NOT_IDENTIFIED"]


@pytest.mark.parametrize("number", [LAN, NOBODY])
async def test_whoever_may_see_no_list_learns_nothing(tmp_path: Path, number: str) -> None:
    async with running(tmp_path) as gateway:
        answer, body = await person(gateway, number, scopes=["elsewhere:read"])
    assert answer["identification"] is None
    assert [notice["code"] for notice in answer["notices"]] == ["UNKNOWN"]
    assert {state for state, _ in lists(answer).values()} == {"DENIED"}
    missing = [
        error["extensions"]["missing"]
        for error in body["errors"]
        if error["path"] == ["person", "identification"]
    ]
    assert missing == [["<database>:read"]]


async def test_only_settings_that_say_so_take_numbers_as_final(tmp_path: Path) -> None:
    numbers = NumberSettings(reference="none")
    sources = backends()
    population = Faulty(sources[POPULATION], "down")
    all_sources = {**sources, POPULATION: population}
    async with running(tmp_path, all_sources, numbers=numbers) as gateway:
        answer, body = await person(gateway, NOBODY)
    assert answer["identification"] == "NOT_CHECKED"
    assert lists(answer) == {"marriages": ("ANSWERED", 0), "deaths": ("ANSWERED", 0)}
    assert codes(body) == []
    assert population.fetched == [], "nobody asks whose number it is"


async def test_a_person_found_in_a_record_is_identified_by_themself(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { identification civilStatus {
      marriages { items { husband { person { identification
        civilStatus { deaths { items { eventId } source { state } } } } } } } } } }"""
    rows = [row for row in population_rows()["identity"] if row["citizen_id"] != HOA]
    no_earlier = {"identity": rows, "earlier_numbers": []}
    async with running(tmp_path, backends(population=no_earlier)) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    assert body["data"]["person"]["identification"] == "IDENTIFIED"
    (marriage,) = body["data"]["person"]["civilStatus"]["marriages"]["items"]
    husband = marriage["husband"]["person"]
    assert husband["identification"] == "NOT_IDENTIFIED"
    assert husband["civilStatus"]["deaths"] == {
        "items": None,
        "source": {"state": "NOT_IDENTIFIED"},
    }
    (error,) = body["errors"]
    path = ["person", "civilStatus", "marriages", "items", 0, "husband", "person"]
    assert (error["path"], error["extensions"]["lists"]) == (path, ["civilStatus.deaths"])


async def test_a_filter_that_leaves_nothing_of_an_incomplete_list_is_not_none(
    tmp_path: Path,
) -> None:
    sources = backends()
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      marriages(status: [SUPERSEDED]) { items { eventId } truncated source { state } } } } }"""
    all_sources = {**sources, POPULATION: Faulty(sources[POPULATION], "down")}
    async with running(tmp_path, all_sources) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    marriages = body["data"]["person"]["civilStatus"]["marriages"]
    assert marriages == {"items": None, "truncated": None, "source": {"state": "INCOMPLETE"}}


async def test_a_single_record_says_whether_it_exists(tmp_path: Path) -> None:
    query = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { population {
      identity { exists item { sex } source { state } } } } }"""
    sources = backends()
    async with running(tmp_path, sources) as gateway:
        body = await gateway.ask(query, {"ids": [LAN, NOBODY]})
    identities = [item["population"]["identity"] for item in body["data"]["persons"]]
    assert [(item["exists"], item["source"]["state"]) for item in identities] == [
        (True, "ANSWERED"),
        (None, "NOT_IDENTIFIED"),
    ]


async def test_a_single_record_that_is_not_there_does_not_exist(tmp_path: Path) -> None:
    numbers = NumberSettings(reference="none")
    query = """query($id: PersonNumber!) { person(id: $id) { population {
      identity { exists item { sex } source { state } } } } }"""
    async with running(tmp_path, numbers=numbers) as gateway:
        body = await gateway.ask(query, {"id": NOBODY})
    identity = body["data"]["person"]["population"]["identity"]
    assert identity == {"exists": False, "item": None, "source": {"state": "ANSWERED"}}
