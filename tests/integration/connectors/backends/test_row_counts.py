"""Counting at the source: every backend that can count says the same of the same rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.backends.base import NotMapped
from connectors.backends.memory import MemoryBackend
from connectors.backends.record_maps import RecordMap
from connectors.backends.row_counts import CountColumn, CountRequest
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import AN, DATABASE, THINGS, UNIONS, thing, union, write_file
from tests.support.backend_servers import MAPS, write_server
from tests.support.servers import Server

SERVICES = pytest.mark.services
BEFORE = date(2026, 11, 1)
BY_YEAR_AND_MOOD = CountRequest(
    UNIONS, (CountColumn("registered_on", by_year=True), CountColumn("mood")), BEFORE
)
Rows = dict[str, list[dict[str, Any]]]
#: Makes a backend that holds rows.
Make = Callable[[Rows], Awaitable[SqlBackend | MemoryBackend]]

WAYS = [
    pytest.param("memory"),
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=SERVICES),
    pytest.param("postgresql theirs", marks=SERVICES),
    pytest.param("mariadb", marks=SERVICES),
    pytest.param("mariadb theirs", marks=SERVICES),
]


@pytest.fixture(params=WAYS)
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        async def make_backend(rows: Rows) -> SqlBackend | MemoryBackend:
            if request.param == "memory":
                return MemoryBackend(DATABASE, rows)
            if request.param == "sqlite":
                write_file(tmp_path / "sample.sqlite", rows, None, DATABASE)
                backend = SqlBackend(DATABASE, f"sqlite:///{tmp_path / 'sample.sqlite'}")
            else:
                name, *theirs = request.param.split()
                server: Server = request.getfixturevalue(name)
                await write_server(server, rows, None, DATABASE, foreign=bool(theirs))
                backend = SqlBackend(DATABASE, server.url, maps=MAPS if theirs else None)
            stack.push_async_callback(backend.close)
            return backend

        yield make_backend


def _whole(**records: list[dict[str, Any]]) -> Rows:
    return {"unions": [], "things": [], "cases": [], "case_parties": [], **records}


async def test_rows_are_counted_by_columns(make: Make) -> None:
    rows = [
        union("u1", AN, registered_on="2020-01-01", mood="CALM"),
        union("u2", AN, registered_on="2020-12-31", mood="CALM"),
        union("u3", AN, registered_on="2021-06-01", mood="LOUD"),
        union("u4", AN, registered_on="2021-06-01", mood=None),
    ]
    backend = await make(_whole(unions=rows))
    counts = await backend.count(BY_YEAR_AND_MOOD)
    assert dict(counts) == {(2020, "CALM"): 2, (2021, "LOUD"): 1, (2021, None): 1}


async def test_rows_of_the_month_under_way_are_left_out_and_undated_rows_are_not(
    make: Make,
) -> None:
    rows = [
        union("u1", AN, registered_on="2026-10-31", mood="CALM"),
        union("u2", AN, registered_on="2026-11-01", mood="CALM"),
        union("u3", AN, registered_on=None, mood="CALM"),
    ]
    backend = await make(_whole(unions=rows))
    counts = await backend.count(BY_YEAR_AND_MOOD)
    assert dict(counts) == {(2026, "CALM"): 1, (None, "CALM"): 1}


async def test_rows_that_hold_what_must_be_absent_are_left_out(make: Make) -> None:
    rows = [thing("t1", AN, title="hidden", open=True), thing("t2", AN, title=None, open=True)]
    backend = await make(_whole(things=rows))
    request = CountRequest(THINGS, (CountColumn("open"),), BEFORE, ("title",))
    assert dict(await backend.count(request)) == {(True,): 1}


async def test_nothing_is_counted_of_an_empty_table(make: Make) -> None:
    backend = await make(_whole())
    assert dict(await backend.count(BY_YEAR_AND_MOOD)) == {}


async def test_many_rows_are_counted_as_they_are(make: Make) -> None:
    rng = Random(7)
    moods, years = ("CALM", "LOUD", None), range(1990, 2026)
    rows = [
        union(f"u{number}", AN, registered_on=f"{rng.choice(years)}-03-01", mood=rng.choice(moods))
        for number in range(500)
    ]
    expected = await MemoryBackend(DATABASE, _whole(unions=rows)).count(BY_YEAR_AND_MOOD)
    backend = await make(_whole(unions=rows))
    assert dict(await backend.count(BY_YEAR_AND_MOOD)) == dict(expected)
    assert sum(expected.values()) == 500


async def test_a_record_that_is_not_stored_is_not_counted(tmp_path: Path) -> None:
    write_file(tmp_path / "sample.sqlite", _whole(), None, DATABASE)
    maps = {"unions": RecordMap(mapped=False)}
    backend = SqlBackend(DATABASE, f"sqlite:///{tmp_path / 'sample.sqlite'}", maps=maps)
    with pytest.raises(NotMapped):
        await backend.count(BY_YEAR_AND_MOOD)
    await backend.close()
