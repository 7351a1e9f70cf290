"""Statistics through a whole gateway: tables, suppression, months, failures.

Covers ``gateway.schema.statistics``, ``gateway.statistics.dimensions`` and
``gateway.fetch.counts``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.xroad.backend import XroadBackend
from tests.support.people import HOA
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, LIVE, Rows, world
from tests.support.xroad import options

QUERY = """query($groupBy: [String!]!, $record: String!, $from: Int, $to: Int) {
  statistics(database: "civil_status", record: $record, groupBy: $groupBy,
             fromYear: $from, toYear: $to) {
    countedBefore dimensions { name values { code } } cells { values count } total
    method { vi } source { state message { en } } } }"""


def divorces(count: int, **columns: str) -> list[dict[str, object]]:
    usual = {
        "event_type": "DIVORCE",
        "status": "VALID",
        "divorce_kind": "CONTESTED",
        "registration_date": "2025-05-05",
        **columns,
    }
    return [{"event_id": f"{sorted(usual.items())} {each}", **usual} for each in range(count)]


def civil_status(*rows: list[dict[str, object]]) -> Rows:
    return {"civil_status": {"divorces": [row for several in rows for row in several]}}


async def ask(
    gateway: Running,
    *group_by: str,
    record: str = "divorces",
    years: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    variables = {"groupBy": list(group_by), "record": record, **(years or {})}
    token = gateway.token("statistics", purposes=())
    answer = await gateway.post(QUERY, variables, token, x_purpose="", x_case_number="")
    body: dict[str, Any] = answer.json()
    return body


def counts(body: Mapping[str, Any]) -> dict[tuple[str, ...], int | None]:
    cells = body["data"]["statistics"]["cells"]
    return {tuple(cell["values"]): cell["count"] for cell in cells}


MANY = civil_status(
    divorces(103),
    divorces(208, divorce_kind="CONSENSUAL"),
    divorces(4, divorce_kind="FOREIGN"),
    divorces(61, registration_date="2024-01-01"),
    divorces(57, status="SUPERSEDED"),
)


async def test_records_are_counted_by_dimensions(tmp_path: Path) -> None:
    async with running(tmp_path, world(MANY), ALL, LIVE) as gateway:
        body = await ask(gateway, "YEAR")
        shown = {values: count for values, count in counts(body).items() if count is not None}
        assert body["data"]["statistics"]["countedBefore"] == "2026-11-01"
        assert set(shown) <= {("2024",), ("2025",)}
        assert abs((shown.get(("2025",)) or 315) - 315) < 5
        # What was replaced is hidden from everybody, and not counted.
        assert abs(body["data"]["statistics"]["total"] - 376) < 5
        assert all(count % 5 == 0 for count in shown.values())


async def test_small_cells_and_what_tells_them_are_suppressed_like_zero(tmp_path: Path) -> None:
    async with running(tmp_path, world(MANY), ALL, LIVE) as gateway:
        shown = counts(await ask(gateway, "DIVORCE_KIND"))
        assert set(shown) == {("CONTESTED",), ("CONSENSUAL",), ("FOREIGN",), ("UNKNOWN",)}
        assert shown["FOREIGN",] is None
        assert shown["UNKNOWN",] is None
        assert shown["CONSENSUAL",] is not None


async def test_rows_of_this_month_and_rows_that_come_later_change_nothing(tmp_path: Path) -> None:
    backends = world(MANY)
    async with running(tmp_path, backends, ALL, LIVE) as gateway:
        before = await ask(gateway, "YEAR", "DIVORCE_KIND")
    more = {
        **MANY,
        "civil_status": {"divorces": [*MANY["civil_status"]["divorces"], *divorces(500)]},
    }
    async with running(tmp_path, world(more), ALL, LIVE) as gateway:
        assert await ask(gateway, "YEAR", "DIVORCE_KIND") == before
        gateway.clock.moment = datetime(2026, 12, 1, 1, tzinfo=UTC)
        later = await ask(gateway, "YEAR", "DIVORCE_KIND")
        assert later["data"]["statistics"]["countedBefore"] == "2026-12-01"
        assert later != before


async def test_a_database_that_is_down_is_null_and_never_zero(tmp_path: Path) -> None:
    backends = world(MANY)
    backends.of("civil_status").fault = "down"
    async with running(tmp_path, backends, ALL, LIVE) as gateway:
        body = await ask(gateway, "YEAR")
        table = body["data"]["statistics"]
        assert (table["cells"], table["total"]) == (None, None)
        assert table["source"]["state"] == "UNAVAILABLE"
        assert codes(body) == ["SOURCE_UNAVAILABLE"]
        backends.of("civil_status").fault = None
        assert (await ask(gateway, "YEAR"))["data"]["statistics"]["cells"] is not None


@pytest.mark.parametrize(
    ("group_by", "years"),
    [
        (("MOOD",), {}),
        (("ETHNICITY",), {}),
        (("YEAR", "YEAR"), {}),
        (("YEAR", "DIVORCE_KIND", "STATUS", "SEX"), {}),
        (("YEAR",), {"from": 2025, "to": 2024}),
        (("STATUS",), {"from": 2024}),
    ],
)
async def test_bad_input_is_refused(
    tmp_path: Path, group_by: tuple[str, ...], years: dict[str, int]
) -> None:
    async with running(tmp_path, world(MANY), ALL, LIVE) as gateway:
        body = await ask(gateway, *group_by, years=years)
        assert codes(body) == ["INVALID_VALUE"]
        assert body["data"] == {"statistics": None}


async def test_a_dimension_does_not_stand_beside_its_coarser_form(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(gateway, "PROVINCE", "PROVINCE_BEFORE", record="births")
        assert codes(body) == ["INVALID_VALUE"]


async def test_years_narrow_what_is_shown_and_not_what_is_counted(tmp_path: Path) -> None:
    async with running(tmp_path, world(MANY), ALL, LIVE) as gateway:
        whole, narrow = await ask(gateway, "YEAR"), await ask(gateway, "YEAR", years={"from": 2025})
        assert set(counts(narrow)) == {("2025",), ("2026",)}
        assert counts(narrow).items() <= counts(whole).items()


async def test_what_the_law_withholds_is_not_counted(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(gateway, record="adoptions")
        assert body["data"]["statistics"]["source"]["state"] == "WITHHELD"
        assert body["data"]["statistics"]["cells"] is None


async def test_each_query_is_in_the_journal_and_needs_its_scope(tmp_path: Path) -> None:
    async with running(tmp_path, world(MANY), ALL, LIVE) as gateway:
        await ask(gateway, "YEAR")
        (entry,) = gateway.journal()
        assert entry["persons"] == []
        assert entry["sections"] == {"civil_status.divorces": "ANSWERED"}
        token = gateway.token("population:read")
        refused = await gateway.post(QUERY, {"groupBy": [], "record": "divorces"}, token)
        assert codes(refused.json()) == ["FORBIDDEN"]
        anonymous = await gateway.post(QUERY, {"groupBy": [], "record": "divorces"})
        assert codes(anonymous.json()) == ["UNAUTHENTICATED"]


async def test_the_journal_has_what_was_counted_beside_people_who_were_read(
    tmp_path: Path,
) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { population { identity { exists } } }
      statistics(database: "civil_status", record: "divorces", groupBy: []) { total } }"""
    async with running(tmp_path, world(MANY), ALL, LIVE) as gateway:
        await gateway.post(query, {"id": HOA}, gateway.token("statistics", "population:read"))
        (entry,) = gateway.journal()
        assert entry["sections"]["civil_status.divorces"] == "ANSWERED"
        assert entry["sections"]["population.identity"] == "ANSWERED"


async def test_processes_that_make_a_snapshot_at_once_show_the_same(tmp_path: Path) -> None:
    """Two views of one month would tell what changed between them."""
    more = civil_status(MANY["civil_status"]["divorces"], divorces(500))
    folder = tmp_path / "statistics"
    async with (
        running(tmp_path / "first", world(MANY), ALL, LIVE, statistics=folder) as first,
        running(tmp_path / "second", world(more), ALL, LIVE, statistics=folder) as second,
    ):
        answers = await asyncio.gather(ask(first, "YEAR"), ask(second, "YEAR"))
    assert counts(answers[0]) == counts(answers[1])
    assert [path.suffix for path in folder.iterdir()] == [".json"]


async def test_a_source_that_answers_about_people_alone_is_null_with_its_reason(
    tmp_path: Path,
) -> None:
    """Over X-Road nothing is counted: a message names who asks, and a snapshot is everybody's."""
    backends = {**world(MANY), "civil_status": XroadBackend(CIVIL_STATUS, options())}
    async with running(tmp_path, backends, ALL, LIVE) as gateway:
        table = (await ask(gateway, "YEAR"))["data"]["statistics"]
    assert (table["cells"], table["total"]) == (None, None)
    assert table["source"]["state"] == "NOT_OPERATING"
    assert "does not count records" in table["source"]["message"]["en"]
