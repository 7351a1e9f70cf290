"""The arguments of lists, nested lists, and fields that the caller may not see.

Covers ``gateway.plan.dynamic_arguments``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Row
from connectors.values import PartialDate
from gateway.plan.list_arguments import ListArguments, select_page
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends
from tests.support.running import OFFICER, codes, running

_MARRIAGES: list[dict[str, object]] = [
    {"event_id": "a", "registration_date": "2001-05-01", "status": "REVOKED"},
    {"event_id": "b", "registration_date": "2010-01-31", "status": "VALID"},
    {"event_id": "c", "registration_date": "2020-12-31", "status": "VALID"},
    {"event_id": "d", "status": "VALID"},
    {"event_id": "e", "registration_date": "2010-01-31"},
]
MARRIAGES = [{"wife_citizen_id": LAN, **row} for row in _MARRIAGES]


@pytest.mark.parametrize(
    ("arguments", "expected", "more"),
    [
        ("", "cbead", False),
        ("(order: OLDEST_FIRST)", "aebcd", False),
        ("(first: 2)", "cb", True),
        ("(first: 5)", "cbead", False),
        ('(from: "2010-01-31")', "cbed", False),
        ('(to: "2010-01-31")', "bead", False),
        ('(from: "2010-01-31", to: "2010-01-31")', "bed", False),
        ('(from: "2030-01-01")', "d", False),
        ("(status: [REVOKED])", "ea", False),
        ("(status: [REVOKED, VALID], first: 1)", "c", True),
        ("(status: [])", "e", False),
        ("(status: null, from: null, order: null)", "cbead", False),
    ],
)
async def test_lists_are_filtered_ordered_and_cut_as_asked(
    tmp_path: Path, arguments: str, expected: str, more: bool
) -> None:
    query = f"""query($id: PersonNumber!) {{ person(id: $id) {{ civilStatus {{
      marriages{arguments} {{
        items {{ eventId }} truncated nextCursor source {{ state }} }} }} }} }}"""
    async with running(tmp_path, backends(civil_status={"marriages": MARRIAGES})) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    marriages = body["data"]["person"]["civilStatus"]["marriages"]
    assert "".join(row["eventId"] for row in marriages["items"]) == expected
    assert (marriages["nextCursor"] is not None) is more
    assert marriages["truncated"] is more
    assert marriages["source"]["state"] == "ANSWERED"


@pytest.mark.parametrize(
    "arguments",
    [
        "(first: 0)",
        "(first: 201)",
        "(first: $n)",
        '(from: "2020-01-02", to: "2020-01-01")',
        '(after: "")',
        '(after: "ệ")',
        '(after: "AAAAAQAAAAAAAAAAAAAAAAAAAAA")',
    ],
)
async def test_arguments_that_make_no_sense_refuse_the_operation(
    tmp_path: Path, arguments: str
) -> None:
    query = f"""query($id: PersonNumber!, $n: Int! = 201) {{
      person(id: $id) {{ civilStatus {{
        marriages{arguments} {{ items {{ eventId }} }}
        deaths(first: $n) @skip(if: true) {{ truncated }}
      }} }} }}"""
    sources = backends()
    source = Faulty(sources["civil_status"])
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    assert "data" not in body
    assert codes(body) == ["INVALID_VALUE"]
    assert source.fetched == []


async def test_arguments_of_what_is_left_out_refuse_nothing(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!, $n: Int! = 201, $not: Boolean!) {
      person(id: $id) { civilStatus { marriages(first: $n) @skip(if: $not) { truncated }
        deaths { truncated } } } }"""
    async with running(tmp_path) as gateway:
        left_out = await gateway.ask(query, {"id": LAN, "not": True})
        body = await gateway.ask(query, {"id": LAN, "not": False})
    assert left_out["data"]["person"]["civilStatus"] == {"deaths": {"truncated": False}}
    assert codes(body) == ["INVALID_VALUE"]


async def test_more_rows_than_a_source_is_asked_for_are_truncated(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"event_id": f"{n:04d}", "wife_citizen_id": LAN, "registration_date": "2001-01-01"}
        for n in range(300)
    ]
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      all: marriages(first: 200) { items { eventId } truncated }
      none: marriages(status: [SUPERSEDED], to: "1999-01-01") { items { eventId } truncated }
    } } }"""
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    section = body["data"]["person"]["civilStatus"]
    assert len(section["all"]["items"]) == 200
    assert section["all"]["truncated"] is True
    # Nothing among the rows that were read fits; there are rows that were not read.
    assert section["none"] == {"items": None, "truncated": True}


def test_a_date_known_by_year_only_is_kept_wherever_it_may_lie() -> None:
    record = CIVIL_STATUS.by_name["deaths"]
    assert record.date is not None
    place = record.positions[record.date]
    row: Row = tuple(
        PartialDate(1990) if column == place else None for column in range(len(record.columns))
    )

    def is_shown(since: Any, until: Any) -> bool:
        return select_page(record, [row], ListArguments(since=since, until=until))[0] == (row,)

    year = PartialDate(1990)
    assert is_shown(PartialDate(1990, 6, 1).first, None)
    assert is_shown(None, year.first)
    assert not is_shown(PartialDate(1991).first, None)
    assert not is_shown(None, PartialDate(1989).last)


async def test_fields_beyond_the_scope_are_null_with_one_error_and_a_count(tmp_path: Path) -> None:
    query = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { civilStatus { marriages {
      items { eventId husband { citizenId ethnicity } } source { state } } } } }"""
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"ids": [LAN, HOA]}, scopes=["civil_status:read"])
    lan = body["data"]["persons"][0]["civilStatus"]["marriages"]
    assert lan["items"] == [{"eventId": "M1", "husband": {"citizenId": HOA, "ethnicity": None}}]
    assert lan["source"]["state"] == "ANSWERED"
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["missing"] == ["civil_status:sensitive"]
    assert error["extensions"]["count"] == 3
    assert error["path"][-1] == "ethnicity"


async def test_a_denied_field_is_denied_whether_or_not_there_is_a_value(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { population { identity {
      item { sex ethnicity other } } } } }"""
    async with running(tmp_path) as gateway:
        full = await gateway.ask(query, {"id": HOA}, scopes=["population:read"])
        empty = await gateway.ask(query, {"id": LAN}, scopes=["population:read"])
    assert [error["path"] for error in full["errors"]] == [e["path"] for e in empty["errors"]]
    assert codes(full) == codes(empty) == ["FORBIDDEN", "FORBIDDEN"]


async def test_a_record_scope_opens_that_record_only(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      marriages { source { state } } deaths { source { state } } } } }"""
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"id": LAN}, scopes=["civil_status.marriages:read"])
    section = body["data"]["person"]["civilStatus"]
    assert section["marriages"]["source"]["state"] == "ANSWERED"
    assert section["deaths"]["source"]["state"] == "DENIED"


async def test_lists_that_hang_on_a_record_are_fetched_in_one_further_step(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["population"])
    query = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { population { identity { item {
      householdMembers { items { name member { id } } truncated source { state } } } } } } }"""
    async with running(tmp_path, {**sources, "population": source}) as gateway:
        body = await gateway.ask(query, {"ids": [HOA, LAN, HOA]})
    members = [
        person["population"]["identity"]["item"]["householdMembers"]
        for person in body["data"]["persons"]
    ]
    assert members[0]["items"] == [{"name": "Trần Thị Lan", "member": {"id": LAN}}]
    assert members[0]["source"]["state"] == "ANSWERED"
    # Her residence file number is not recorded: nothing can be asked for, and that is not "none".
    incomplete = {"items": None, "truncated": None, "source": {"state": "INCOMPLETE"}}
    assert members[1] == incomplete
    (error,) = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["persons", 1], "KEY_NOT_RECORDED")
    assert error["extensions"]["lists"] == ["population.identity.item.householdMembers"]
    key_lists = [keys for name, _, keys in source.fetched if name == "household_members"]
    assert key_lists == [("HK1",)]


async def test_a_hung_list_whose_source_fails_is_unknown_and_not_empty(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["population"], "down")
    source.only = "household_members"
    query = """query($id: PersonNumber!) { person(id: $id) { population { identity {
      source { state } item { householdMembers { items { name } source { state } } } } } } }"""
    async with running(tmp_path, {**sources, "population": source}) as gateway:
        body = await gateway.ask(query, {"id": HOA})
    identity = body["data"]["person"]["population"]["identity"]
    assert identity["source"]["state"] == "ANSWERED"
    assert identity["item"]["householdMembers"] == {
        "items": None,
        "source": {"state": "UNAVAILABLE"},
    }
    assert codes(body) == ["SOURCE_UNAVAILABLE"]


async def test_parents_find_their_children_and_both_parents_lead_to_persons(tmp_path: Path) -> None:
    births: list[dict[str, object]] = [
        {"event_id": "B1", "citizen_id": "001220000001", "mother_citizen_id": LAN,
         "father_citizen_id": HOA, "amendments": '["C1"]'},
    ]  # fmt: skip
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      births { items { eventId } }
      birthsOfChildren { items { eventId amendments mother { person { id } } birthPlace { country }
        father { person { civilStatus { marriages { items { eventId } } } } } } } } } }"""
    scopes = (*OFFICER, "civil_status:restricted")
    async with running(tmp_path, backends(civil_status={"births": births})) as gateway:
        body = await gateway.ask(query, {"id": LAN}, scopes=scopes)
    section = body["data"]["person"]["civilStatus"]
    assert section["births"]["items"] == []
    (child,) = section["birthsOfChildren"]["items"]
    assert child["mother"] == {"person": {"id": LAN}}
    assert child["amendments"] == ["C1"]
    assert child["birthPlace"] is None
    father = child["father"]["person"]["civilStatus"]["marriages"]["items"]
    assert [row["eventId"] for row in father] == ["M1", "M0"]
    assert "errors" not in body
