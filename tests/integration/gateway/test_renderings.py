"""Lists that PostgreSQL writes: when they are, and what happens where they cannot be.

Covers ``gateway.execution.renderings``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.base import NOBODY, Asker, Batch, SourceUnavailable
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database, Kind, Lookup, Record
from connectors.population import DATABASE as POPULATION
from connectors.row_template import RowTemplate
from gateway.settings import DatabaseSettings, RenderingSettings
from tests.support.backend_servers import write_server
from tests.support.loaded import Site, site
from tests.support.people import civil_status_rows, population_rows
from tests.support.running import OFFICER, Running, running
from tests.support.servers import Server

pytestmark = pytest.mark.services

PEOPLE = [f"001090{place:06}" for place in range(12)]
MARRIAGES = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { id civilStatus { marriages {
  items { status registrationDate wife { citizenId name } } truncated source { state } } } } }"""
#: The types of columns in which a table of marriages keeps what is no text.
_TYPES: Mapping[Kind, str] = {
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
    Kind.DECIMAL: "numeric",
    Kind.INTEGER: "integer",
}


class Watched(SqlBackend):
    """Notes the keys of marriages that are written or fetched, and fails while ``is_down``."""

    def __init__(self, database: Database, url: str) -> None:
        patient = ServerOptions(connect_timeout=20, statement_timeout=20)
        super().__init__(database, url, server=patient)
        self.rendered: list[tuple[str, ...]] = []
        self.fetched: list[tuple[str, ...]] = []
        self.is_down = False

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        if record.name == "marriages":
            self.fetched.append(tuple(keys))
        return await super().fetch(record, lookup, keys, asker)

    async def render(
        self, record: Record, lookup: Lookup, keys: Sequence[str], template: RowTemplate
    ) -> Batch:
        self.rendered.append(tuple(keys))
        if self.is_down:
            raise SourceUnavailable("down")
        return await super().render(record, lookup, keys, template)


@pytest.fixture
def place(postgresql: Server) -> Iterator[Site]:
    """Give a database for each of the two, with people of whom every third has a marriage."""
    with site(postgresql, ["population", "civil_status"]) as databases:
        yield databases


async def _fill(place: Site, **changes: Mapping[str, object]) -> None:
    """Fill the databases; ``changes``: of the marriage of a person, by ``m`` and their place."""
    people = population_rows()
    people["identity"] = [
        {"citizen_id": number, "full_name": "Nguyễn Văn An", "status": "CURRENT"}
        for number in PEOPLE
    ]
    rows = civil_status_rows()
    rows["marriages"] = [
        {
            "event_id": f"M{at}",
            "husband_citizen_id": PEOPLE[at],
            "wife_citizen_id": "001191000001",
            "wife_name": 'Trần "Thị" Lan',
            "registration_date": date(2015, 1, 1 + at),
            "status": "VALID",
            **changes.get(f"m{at}", {}),
        }
        for at in range(0, len(PEOPLE), 3)
    ]
    await write_server(place.databases["population"], people, described=POPULATION)
    await write_server(place.databases["civil_status"], rows, described=CIVIL_STATUS)
    # Columns without values came out as texts.
    marriages = CIVIL_STATUS.by_name["marriages"]
    alter = "ALTER TABLE marriages ALTER {0} TYPE {1} USING {0}::text::{1}"
    await place.databases["civil_status"].execute(
        *(
            alter.format(column.name, _TYPES[column.field.kind])
            for column in marriages.columns
            if column.field.kind in _TYPES and not column.field.many
        )
    )


@asynccontextmanager
async def _gateway(
    folder: Path, place: Site, **rendering: Any
) -> AsyncIterator[tuple[Running, Watched]]:
    civil_status = Watched(CIVIL_STATUS, place.databases["civil_status"].url)
    backends = {
        "population": SqlBackend(POPULATION, place.databases["population"].url),
        "civil_status": civil_status,
    }
    settings = RenderingSettings(**{"keys": 5, "uses": 0, **rendering})
    patient = DatabaseSettings(timeout=60, breaker_failures=0)
    async with running(
        folder, backends, databases_={"civil_status": patient}, rendering=settings
    ) as gateway:
        yield gateway, civil_status


async def _answer(gateway: Running, people: Sequence[str]) -> dict[str, Any]:
    body = await gateway.ask(MARRIAGES, {"ids": list(people)}, OFFICER)
    body.pop("extensions", None)
    return body


async def test_lists_of_many_people_are_written_and_say_the_same_as_rows(
    tmp_path: Path, place: Site
) -> None:
    await _fill(place)
    async with _gateway(tmp_path / "rows", place, enabled=False) as (gateway, database):
        rows = await _answer(gateway, PEOPLE)
        assert database.rendered == []
    async with _gateway(tmp_path / "written", place) as (gateway, database):
        assert await _answer(gateway, PEOPLE) == rows
        assert [set(keys) for keys in database.rendered] == [set(PEOPLE)]
        assert database.fetched == []
    marriages = rows["data"]["persons"][0]["civilStatus"]["marriages"]
    assert marriages["items"][0]["wife"]["name"] == 'Trần "Thị" Lan'


async def test_a_few_people_and_a_new_operation_are_read_as_rows(
    tmp_path: Path, place: Site
) -> None:
    await _fill(place)
    async with _gateway(tmp_path, place, uses=2) as (gateway, database):
        for _ in range(2):
            await _answer(gateway, PEOPLE)
        assert database.rendered == []
        await _answer(gateway, PEOPLE[:4])
        assert database.rendered == []
        await _answer(gateway, PEOPLE)
        assert len(database.rendered) == 1


async def test_who_has_a_row_that_cannot_be_read_is_read_as_rows_and_nobody_else(
    tmp_path: Path, place: Site
) -> None:
    await _fill(place, m3={"wife_citizen_id": "không rõ"})
    async with _gateway(tmp_path, place) as (gateway, database):
        body = await _answer(gateway, PEOPLE)
    states = [person["civilStatus"]["marriages"] for person in body["data"]["persons"]]
    assert states[3] == {"items": None, "truncated": None, "source": {"state": "PARTIAL"}}
    assert [marriage["source"]["state"] for marriage in states[:3]] == ["ANSWERED"] * 3
    assert database.fetched == [(PEOPLE[3],)]


async def test_rows_that_a_rule_hides_are_left_out_without_another_read(
    tmp_path: Path, place: Site
) -> None:
    await _fill(place, m3={"status": "SUPERSEDED"})
    async with _gateway(tmp_path, place) as (gateway, database):
        body = await _answer(gateway, PEOPLE)
    shown = [person["civilStatus"]["marriages"] for person in body["data"]["persons"]]
    assert (
        shown[3] == shown[1] == {"items": [], "truncated": False, "source": {"state": "ANSWERED"}}
    )
    assert database.fetched == []


async def test_a_database_that_fails_is_not_asked_for_rows_as_well(
    tmp_path: Path, place: Site
) -> None:
    await _fill(place)
    async with _gateway(tmp_path, place) as (gateway, database):
        database.is_down = True
        body = await _answer(gateway, PEOPLE)
    for person in body["data"]["persons"]:
        marriages = person["civilStatus"]["marriages"]
        assert marriages == {"items": None, "truncated": None, "source": {"state": "UNAVAILABLE"}}
    assert database.fetched == []
    assert len(database.rendered) == 2, "it is tried twice, as ever"


async def test_rows_that_are_cached_are_not_written(tmp_path: Path, place: Site) -> None:
    await _fill(place)
    cached = DatabaseSettings(timeout=60, fresh=60)
    civil_status = Watched(CIVIL_STATUS, place.databases["civil_status"].url)
    backends = {
        "population": SqlBackend(POPULATION, place.databases["population"].url),
        "civil_status": civil_status,
    }
    rendering = RenderingSettings(keys=1, uses=0)
    async with running(
        tmp_path, backends, databases_={"civil_status": cached}, rendering=rendering
    ) as gateway:
        await _answer(gateway, PEOPLE)
    assert civil_status.rendered == []
    assert civil_status.fetched != []
