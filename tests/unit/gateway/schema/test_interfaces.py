"""Interfaces: one fragment for all lists, one id for a record on every path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_non_null_type,
)

from connectors.registry import installed_databases
from gateway.keys.files import drop_former, rotate
from gateway.keys.keyring import SECRET_NAMES
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN
from tests.support.running import OFFICER, Running, built, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, answer, world

SCHEMA = built(installed_databases())
LIST_FRAGMENT = """fragment Whole on RecordList {
  __typename items { __typename recordId } truncated source { state } }"""
MARRIAGE: Row = {
    "event_id": "M1", "husband_citizen_id": HOA, "wife_citizen_id": LAN, "status": "VALID",
    "registration_date": "2015-01-01",
}  # fmt: skip


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def _interface(name: str) -> GraphQLInterfaceType:
    interface = SCHEMA.type_map[name]
    assert isinstance(interface, GraphQLInterfaceType)
    return interface


def _implementing(name: str) -> set[str]:
    return {kind.name for kind in SCHEMA.get_implementations(_interface(name)).objects}


def test_every_record_list_and_section_implements_its_interface() -> None:
    records = [record for database in installed_databases() for record in database.records]
    type_names = {item.type_name for item in records} & SCHEMA.type_map.keys()
    assert _implementing("Record") == type_names
    lists = {f"{item.type_name}List" for item in records if not item.single}
    assert _implementing("RecordList") == lists & SCHEMA.type_map.keys()
    assert len(_implementing("RecordList")) == 42
    assert _implementing("SingleRecord") == {
        f"{item.type_name}Result" for item in records if item.single
    }
    sections = [name for name in SCHEMA.type_map if name.endswith("Section")]
    assert _implementing("Section") == {*sections} - {"Section"}


def test_a_list_that_is_there_always_says_where_it_comes_from() -> None:
    for name in ("RecordList", "SingleRecord"):
        assert is_non_null_type(_interface(name).fields["source"].type)
        for kind in SCHEMA.get_implementations(_interface(name)).objects:
            assert is_non_null_type(kind.fields["source"].type), kind.name


def test_no_field_of_an_object_leads_to_an_interface_and_none_finds_a_record_by_its_id() -> None:
    objects = [item for item in SCHEMA.type_map.values() if isinstance(item, GraphQLObjectType)]
    fields = [field for item in objects for field in item.fields.values()]
    assert not [
        item for item in fields if isinstance(get_named_type(item.type), GraphQLInterfaceType)
    ]
    arguments = [name for field in fields for name in field.args]
    assert "recordId" not in arguments
    assert SCHEMA.query_type is not None
    assert "node" not in SCHEMA.query_type.fields


async def _ask(gateway: Running, query: str, scopes: Sequence[str] = EVERY) -> dict[str, Any]:
    body = await gateway.ask(query, {"id": HOA, "other": LAN}, scopes)
    assert "errors" not in body
    data: dict[str, Any] = body["data"]
    return data


async def test_one_fragment_reads_lists_of_different_databases(tmp_path: Path) -> None:
    query = (
        LIST_FRAGMENT
        + """query($id: PersonNumber!) { person(id: $id) {
      civilStatus { marriages { ...Whole } } notary { transactions { ...Whole } }
      population { identity { ... on SingleRecord { item { recordId } source { state } } } } } }"""
    )
    rows = {"civil_status": {"marriages": [MARRIAGE]}}
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        person = (await _ask(gateway, query))["person"]
    marriages, transactions = person["civilStatus"]["marriages"], person["notary"]["transactions"]
    assert marriages["__typename"] == "MarriageList"
    assert [record["__typename"] for record in marriages["items"]] == ["Marriage"]
    assert (marriages["truncated"], marriages["source"]) == (False, {"state": "ANSWERED"})
    assert transactions["__typename"] == "NotarisedTransactionList"
    assert person["population"]["identity"]["item"]["recordId"]


async def test_a_record_has_one_id_by_whatever_way_it_is_reached(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!, $other: PersonNumber!) {
      husband: person(id: $id) { civilStatus { marriages {
        first: items { recordId wife { person { civilStatus { marriages {
          items { again: recordId } } } } } }
        second: items { eventId recordId } } } }
      wife: person(id: $other) { civilStatus { marriages { items { recordId } } } } }"""
    rows = {"civil_status": {"marriages": [MARRIAGE]}}
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        first, same_answer = await _ask(gateway, query), await _ask(gateway, query)
    assert first == same_answer
    (met,) = first["husband"]["civilStatus"]["marriages"]["first"]
    (kin,) = met["wife"]["person"]["civilStatus"]["marriages"]["items"]
    (second,) = first["husband"]["civilStatus"]["marriages"]["second"]
    (other,) = first["wife"]["civilStatus"]["marriages"]["items"]
    assert {met["recordId"], kin["again"], second["recordId"]} == {other["recordId"]}


async def test_an_id_says_nothing_of_a_row_that_is_hidden(tmp_path: Path) -> None:
    """An original and what replaced it may bear one number: who may see one, sees its plain id."""
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus { births {
      items { recordId status } } } } }"""
    birth: Row = {"event_id": "B1", "citizen_id": HOA, "status": "VALID"}
    answers = []
    for number, hidden_births in enumerate(([], [{**birth, "status": "SUPERSEDED", "note": "x"}])):
        rows = {"civil_status": {"births": [birth, *hidden_births]}}
        async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
            answers.append(await _ask(gateway, query))
        assert len(answers[number]["person"]["civilStatus"]["births"]["items"]) == 1
    assert answers[0] == answers[1]


async def test_who_may_not_see_an_identity_cannot_tell_by_the_id_that_it_changed(
    tmp_path: Path,
) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { administrativeViolations { sanctions {
      items { recordId } } } } }"""
    violation: Row = {"decision_no": "QD-1", "violator_citizen_id": HOA}
    answers = []
    for number in ("QD-1", "QD-2"):
        rows = {"administrative_violations": {"sanctions": [{**violation, "decision_no": number}]}}
        async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
            for scopes in (("administrative_violations:read",), EVERY):
                body = await gateway.ask(query, {"id": HOA}, scopes)
                (row,) = body["data"]["person"]["administrativeViolations"]["sanctions"]["items"]
                answers.append(row["recordId"])
    denied_before, seen_before, denied_after, seen_after = answers
    assert denied_before == denied_after
    assert len({denied_before, seen_before, seen_after}) == 3


async def test_ids_outlive_the_rotation_of_every_key(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages {
      items { recordId } } } } }"""
    answers = []
    for step in (None, rotate, drop_former):
        async with running(tmp_path) as gateway:
            body = await gateway.ask(query, {"id": HOA})
            answers.append(body["data"]["person"]["civilStatus"]["marriages"]["items"])
            settings = gateway.service.resources.settings
        if step is None:
            for name in (*SECRET_NAMES, "token"):
                rotate(settings, name)  # type: ignore[arg-type]  # one of the names
        else:
            drop_former(settings, "record_id")
    assert answers[0] == answers[1]
    # Only once the former key is dropped does every client begin with an empty cache.
    assert {record["recordId"] for record in answers[2]}.isdisjoint(
        record["recordId"] for record in answers[0]
    )


async def test_a_section_names_its_database_as_its_lists_do(tmp_path: Path) -> None:
    query = """fragment Shown on Database { name group coverage { provinces } live { state } }
      query($id: PersonNumber!) { person(id: $id) { civilStatus {
        ... on Section { database { ...Shown } }
        marriages { source { database { ...Shown } } } } } }"""
    narrowed = DatabaseSettings(timeout=120, provinces=("01",))
    async with running(tmp_path, databases_={"civil_status": narrowed}) as gateway:
        body = await gateway.ask(query, {"id": HOA}, OFFICER)
    assert codes(body) == []
    section = body["data"]["person"]["civilStatus"]
    assert section["database"]["coverage"] == {"provinces": ["01"]}
    assert section["database"] == section["marriages"]["source"]["database"]


async def test_a_section_that_is_asked_for_nothing_else_names_its_database(tmp_path: Path) -> None:
    query = "query($id: PersonNumber!) { person(id: $id) { notary { database { name } } } }"
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        assert await _ask(gateway, query) == {
            "person": {"notary": {"database": {"name": "notary"}}}
        }
