"""The catalogue: every declared database with its group and its live state.

Covers ``gateway.catalogue.sections``, ``gateway.fetch.liveness``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Coverage, Database, Group, Text
from connectors.population import DATABASE as POPULATION
from connectors.registry import installed_databases
from gateway.schema.build import build_schema
from gateway.settings import DatabaseSettings, RecordSettings
from tests.support.faults import Faulty
from tests.support.people import HOA, backends
from tests.support.running import running

CATALOGUE = """query($group: Group) { databases(group: $group) {
  name title { vi en } owner { vi } legalBasis group
  coverage { provinces since includes { en } excludes { vi en } }
  records { name typeName lists title { en } } live { state checkedAt } } }"""


def generated_database(number: int) -> Database:
    """Declare a database that nobody has, with a record of its own."""

    @record(
        ("Bản ghi", "Entry"),
        lookups=[lookup(f"entries_{number}", "Bản ghi", "Entries", by="citizen_id")],
        identity="entry_id",
    )
    class Entry:
        entry_id: str = field("mã", "Id", BASIC)
        citizen_id: str | None = field("số định danh", "Number", BASIC)

    Entry.__name__ = f"Entry{number}"
    return database(
        f"made_up_{number}",
        title=(f"Cơ sở dữ liệu {number}", f"Database {number}"),
        owner=("Bộ", "Ministry"),
        legal_basis=(),
        group=list(Group)[number % 4],
        records=[Entry],
    )


async def test_the_seven_databases_are_there_with_owner_group_and_legal_basis(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, databases=installed_databases()) as gateway:
        body = await gateway.ask(CATALOGUE, scopes=("operate",))
    by_name = {database["name"]: database for database in body["data"]["databases"]}
    assert list(by_name) == [
        "population",
        "administrative_violations",
        "civil_enforcement",
        "civil_status",
        "legal_aid",
        "notary",
        "security_measures",
    ]
    assert by_name["administrative_violations"]["owner"]["vi"] == "Bộ Công an"
    assert by_name["notary"]["group"] == "UNDER_CONSTRUCTION"
    assert by_name["notary"]["live"] == {"state": "NOT_OPERATING", "checkedAt": None}
    assert by_name["security_measures"]["coverage"]["excludes"] != []
    assert by_name["civil_status"]["live"]["state"] == "ANSWERED"
    births = by_name["civil_status"]["records"][0]
    assert (births["typeName"], births["lists"]) == ("Birth", ["births", "birthsOfChildren"])
    assert all(database["title"]["vi"] and database["title"]["en"] for database in by_name.values())


async def test_a_hundred_and_twenty_more_are_as_easy(tmp_path: Path) -> None:
    all_databases = (*installed_databases(), *(generated_database(number) for number in range(120)))
    async with running(tmp_path, databases=all_databases) as gateway:
        body = await gateway.ask(CATALOGUE)
        planned = await gateway.ask(CATALOGUE, {"group": "PLANNED"})
        person = await gateway.ask(
            "query($id: PersonNumber!) { person(id: $id) { madeUp7 { source { state } } } }",
            {"id": HOA},
            scopes=("made_up_7:read",),
        )
    assert len(body["data"]["databases"]) == 127
    assert {database["group"] for database in planned["data"]["databases"]} == {"PLANNED"}
    assert person["data"]["person"]["madeUp7"]["source"]["state"] == "NOT_OPERATING"


async def test_the_live_state_is_asked_only_when_it_is_selected(tmp_path: Path) -> None:
    sources = backends()
    all_databases = {**sources, "civil_status": Faulty(sources["civil_status"], "down")}
    async with running(tmp_path, all_databases) as gateway:
        live = await gateway.ask("{ databases { name live { state checkedAt } } }")
    states = {database["name"]: database["live"] for database in live["data"]["databases"]}
    assert states["population"]["state"] == "ANSWERED"
    assert states["civil_status"]["state"] == "UNAVAILABLE"
    assert states["civil_status"]["checkedAt"] is not None


async def test_settings_change_the_group_and_narrow_the_coverage(tmp_path: Path) -> None:
    excluded = Text("tàu bay", "aircraft")
    declared = Coverage(provinces=("01", "79"), since=date(2000, 1, 1), excludes=(excluded,))
    covered = replace(CIVIL_STATUS, coverage=declared)
    settings = {
        "population": DatabaseSettings(group=Group.BUILT_NOT_OPERATING),
        "civil_status": DatabaseSettings(provinces=("79", "48"), since=date(1990, 1, 1)),
    }
    query = """query($id: PersonNumber!) { databases { group }
      person(id: $id) { civilStatus { births { source { coverage {
        provinces since excludes { en } } database { name coverage { provinces } } } } } } }"""
    async with running(tmp_path, databases=(POPULATION, covered), databases_=settings) as gateway:
        body = await gateway.ask(query, {"id": HOA})
    assert [database["group"] for database in body["data"]["databases"]] == [
        "BUILT_NOT_OPERATING",
        "OPERATING",
    ]
    source = body["data"]["person"]["civilStatus"]["births"]["source"]
    # Settings narrow what is declared and never widen it.
    assert source["coverage"] == {
        "provinces": ["79"],
        "since": "2000-01-01",
        "excludes": [{"en": "aircraft"}],
    }
    assert source["database"]["coverage"]["provinces"] == ["79"]


async def test_settings_say_whether_there_are_records_without_a_number(tmp_path: Path) -> None:
    records = {"births": RecordSettings(unnumbered=True)}
    settings = {"civil_status": DatabaseSettings(unnumbered=False, records=records)}
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      births { source { coverage { unnumbered } } } deaths { source { coverage { unnumbered } } } }
      population { identity { source { coverage { unnumbered } } } } } }"""
    async with running(tmp_path, databases_=settings) as gateway:
        body = await gateway.ask(query, {"id": HOA})
    person = body["data"]["person"]
    lists = [*person["civilStatus"].values(), person["population"]["identity"]]
    assert [record_list["source"]["coverage"]["unnumbered"] for record_list in lists] == [
        True,
        False,
        None,
    ]


def test_two_declarations_of_one_type_name_are_refused_with_both_places() -> None:
    first, other = generated_database(1), generated_database(2)
    renamed = replace(other, records=(replace(other.records[0], type_name="Entry1"),))
    with pytest.raises(ValueError, match=r"Entry1: \S+test_catalogue\.py:\d+, \S+\.py:\d+"):
        build_schema([first, renamed])
