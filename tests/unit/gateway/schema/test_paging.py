"""Pages of a list add up to the list, and an outdated cursor is refused.

Covers ``gateway.fetch.merge``, ``gateway.plan.cursors``, ``gateway.schema.record_lists``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, answer, world

QUERY = """query($id: PersonNumber!, $first: Int! = 2, $after: String, $order: Order,
    $status: [EventStatus!]) {
  person(id: $id) { civilStatus {
    marriages(first: $first, after: $after, order: $order, status: $status) {
      items { eventId } truncated nextCursor source { state } } } } }"""
STATUSES = ("VALID", "REVOKED", None)


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def marriages(count: int, wife: str = LAN) -> list[Row]:
    return [
        {
            "event_id": f"{wife[-2:]}-{number:03d}",
            "wife_citizen_id": wife,
            "registration_date": None if number % 5 == 4 else f"20{number % 20:02d}-01-01",
            "status": STATUSES[number % 3],
        }
        for number in range(count)
    ]


async def page(gateway: Running, **variables: object) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a page of the list, and the codes of the errors beside it."""
    body = await gateway.ask(QUERY, {"id": LAN, **variables}, EVERY)
    marriages: dict[str, Any] | None = body["data"]["person"]["civilStatus"]["marriages"]
    return marriages, codes(body)


async def pages(gateway: Running, **variables: object) -> list[dict[str, Any]]:
    """Return all pages of the list, from the first on."""
    pages_read: list[dict[str, Any]] = []
    after: object = None
    while not pages_read or after is not None:
        current, errors = await page(gateway, after=after, **variables)
        assert (current is not None, errors) == (True, [])
        assert current is not None
        pages_read.append(current)
        after = current["nextCursor"]
    return pages_read


def events(pages_read: Sequence[dict[str, Any]]) -> list[str]:
    return [item["eventId"] for current in pages_read for item in current["items"]]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"order": "OLDEST_FIRST"}, {"status": ["VALID"]}, {"status": ["VALID"], "first": 1}],
    ids=str,
)
async def test_pages_together_are_the_list(tmp_path: Path, arguments: dict[str, object]) -> None:
    rows = marriages(9)
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        (complete,) = await pages(gateway, **{**arguments, "first": 200})
        pages_read = await pages(gateway, **arguments)
    assert events(pages_read) == events([complete])
    assert [current["nextCursor"] is None for current in pages_read] == [False] * (
        len(pages_read) - 1
    ) + [True]
    assert len(pages_read) > 2
    assert [current["truncated"] for current in pages_read] == [True] * (len(pages_read) - 1) + [
        False
    ]


async def test_the_last_page_says_where_the_source_itself_was_cut(tmp_path: Path) -> None:
    rows = marriages(300)
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        pages_read = await pages(gateway, first=200)
    assert [len(current["items"]) for current in pages_read] == [200, 50]
    assert all(current["truncated"] for current in pages_read)


async def test_a_cursor_fits_its_list_its_arguments_and_its_person_alone(tmp_path: Path) -> None:
    rows = [*marriages(9), *marriages(9, wife=HOA)]
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        current, _ = await page(gateway)
        assert current is not None
        cursor = current["nextCursor"]
        for other in ({"order": "OLDEST_FIRST"}, {"status": ["VALID"]}, {"id": HOA}):
            assert await page(gateway, after=cursor, **other) == (None, ["CURSOR_OUTDATED"])
        longer, errors = await page(gateway, after=cursor, first=7)
    assert errors == []
    assert longer is not None
    assert len(longer["items"]) == 7, "how many a page holds may change"


@pytest.mark.parametrize("change", ["a record more", "a record less", "another order"])
async def test_a_list_that_changed_before_the_cursor_is_begun_again(
    tmp_path: Path, change: str
) -> None:
    rows = marriages(9)
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        (complete,) = await pages(gateway, first=200)
        current, _ = await page(gateway)
    assert current is not None
    first = events([complete])[0]
    changed_rows = {
        "a record more": [*rows, {**rows[0], "event_id": "x", "registration_date": "2025-01-01"}],
        "a record less": [row for row in rows if row["event_id"] != first],
        "another order": [
            {**row, "registration_date": "1999-01-01"} if row["event_id"] == first else row
            for row in rows
        ],
    }[change]
    async with running(tmp_path, backends(civil_status={"marriages": changed_rows})) as gateway:
        outdated = await page(gateway, after=current["nextCursor"])
        restarted, errors = await page(gateway)
    assert outdated == (None, ["CURSOR_OUTDATED"])
    assert (restarted is not None, errors) == (True, [])


async def test_a_change_behind_the_cursor_is_on_the_next_page(tmp_path: Path) -> None:
    rows = marriages(4)
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        current, _ = await page(gateway)
    assert current is not None
    oldest: Row = {**rows[0], "event_id": "x", "registration_date": "1901-01-01"}
    async with running(tmp_path, backends(civil_status={"marriages": [*rows, oldest]})) as gateway:
        following, errors = await page(gateway, after=current["nextCursor"], first=200)
        (complete,) = await pages(gateway, first=200)
    assert errors == []
    assert following is not None
    assert events([current, following]) == events([complete])


async def test_a_cursor_neither_carries_nor_tells_what_is_hidden(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      births(first: 1) { items { eventId } nextCursor } } } }"""
    births: list[Row] = [
        {"event_id": f"B{number}", "citizen_id": HOA, "status": "VALID"} for number in range(3)
    ]
    hidden_row: Row = {"event_id": "A", "citizen_id": HOA, "status": "SUPERSEDED"}
    cursors = []
    for rows in (births, [hidden_row, *births]):
        async with running(
            tmp_path, world({"civil_status": {"births": rows}}), ALL, LIVE
        ) as gateway:
            body = await gateway.ask(query, {"id": HOA}, EVERY)
        cursors.append(body["data"]["person"]["civilStatus"]["births"])
    assert cursors[0] == cursors[1]
    content = base64.urlsafe_b64decode(cursors[0]["nextCursor"])
    assert (len(content), content[:4]) == (20, b"\x00\x00\x00\x01")
    assert HOA.encode() not in content


async def test_a_cursor_makes_nothing_of_a_source_that_fails(tmp_path: Path) -> None:
    rows = marriages(4)
    sources = backends(civil_status={"marriages": rows})
    async with running(tmp_path, sources) as gateway:
        current, _ = await page(gateway)
    assert current is not None
    broken = {**sources, "civil_status": Faulty(sources["civil_status"], "down")}
    async with running(tmp_path, broken) as gateway:
        next_page, errors = await page(gateway, after=current["nextCursor"])
    assert next_page == {
        "items": None,
        "truncated": None,
        "nextCursor": None,
        "source": {"state": "UNAVAILABLE"},
    }
    assert errors == ["SOURCE_UNAVAILABLE"]


async def test_lists_of_things_and_lists_that_hang_on_records_have_pages_too(
    tmp_path: Path,
) -> None:
    query = """query($number: ThingKey!, $after: String) { securityRegistration(number: $number) {
      nextCursor items { parties(first: 2, after: $after) { items { entryId } nextCursor } } } }"""
    rows: dict[str, dict[str, list[Row]]] = {
        "security_measures": {
            "registrations": [{"registration_no": "DK-1", "status": "EFFECTIVE"}],
            "security_parties": [
                {"entry_id": str(number), "registration_no": "DK-1"} for number in range(5)
            ],
        }
    }
    entry_ids: list[str] = []
    after: object = None
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        for _ in range(3):
            scopes = ("security_measures.security_registration:find", *EVERY)
            body = await gateway.ask(query, {"number": "DK-1", "after": after}, scopes)
            assert body.get("errors") is None
            (registration,) = body["data"]["securityRegistration"]["items"]
            entry_ids += [party["entryId"] for party in registration["parties"]["items"]]
            after = registration["parties"]["nextCursor"]
    assert (entry_ids, after) == ([*"01234"], None)
    assert body["data"]["securityRegistration"]["nextCursor"] is None
