"""Numbers in the spellings of spreadsheets are found and read where settings allow it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.number_spellings import normalise_number, spellings
from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import (
    AN,
    BINH,
    CASES,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    RawRows,
    thing,
    union,
    write_file,
)
from tests.support.backend_servers import write_server
from tests.support.servers import Server

OLD = "012345678"
NORMALISED = {record.name: RecordMap(normalised=True) for record in DATABASE.records}
Make = Callable[..., Awaitable[SqlBackend]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (AN, AN),
        (f" {AN}", AN),
        (f"{AN}\r\n", AN),
        (f"\ufeff{AN}\u00a0", AN),
        (f"'{AN}", AN),
        ("001.090.000.001", AN),
        ("001 090 000 001", AN),
        ("1090000001", AN),
        ("1090000001.0", AN),
        (" 12345678\r", OLD),
        (OLD, OLD),
        ("79190000001", "079190000001"),
    ],
)
def test_a_spelling_of_a_number_is_that_number(text: str, number: str) -> None:
    assert normalise_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "00109000001",
        "0109000001",
        "1234567",
        "1.09E+09",
        "0010900000011",
        "1090000001a",
    ],
)
def test_what_is_meant_to_be_no_one_number_stays_as_it_is(text: str) -> None:
    assert normalise_number(text) == text


@pytest.mark.parametrize("number", [AN, BINH, OLD, "079190000001", "123456789"])
def test_every_spelling_that_is_looked_up_is_of_that_number(number: str) -> None:
    all_spellings = spellings(number)
    assert all_spellings[0] == number
    assert len(set(all_spellings)) == len(all_spellings) <= 22
    assert {normalise_number(text) for text in all_spellings} == {number}


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(make, marks=pytest.mark.services) for make in ("postgresql", "mariadb")),
    ]
)
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    """Make a backend over the given rows, with numbers in every spelling or not."""
    backends: list[SqlBackend] = []

    async def make(rows: RawRows, spelt: bool = True) -> SqlBackend:
        maps = NORMALISED if spelt else None
        if request.param == "sqlite":
            path = write_file(tmp_path / f"{secrets.token_hex(4)}.sqlite", {**EMPTY, **rows})
            backends.append(SqlBackend(DATABASE, f"sqlite:///{path}", maps=maps))
        else:
            server: Server = request.getfixturevalue(request.param)
            await write_server(server, {**EMPTY, **rows})
            backends.append(SqlBackend(DATABASE, server.url, maps=maps))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


async def _ids(backend: SqlBackend, record: Any, key: str) -> list[object]:
    batch = await backend.fetch(record, record.lookups[0], [key])
    assert batch.by_key[key].unreadable == 0
    return [row[0] for row in batch.by_key[key].rows]


async def test_rows_are_found_by_every_spelling_and_read_as_the_number(make: Make) -> None:
    rows = [thing(f"t{place:02d}", text) for place, text in enumerate(spellings(AN))]
    backend = await make({"things": [*rows, thing("t99", BINH)]})
    batch = await backend.fetch(THINGS, THINGS.lookups[0], [AN])
    owners = {row[THINGS.positions["owner_id"]] for row in batch.by_key[AN].rows}
    assert (len(batch.by_key[AN].rows), owners) == (22, {AN})
    assert await _ids(backend, THINGS, BINH) == ["t99"]


async def test_without_the_setting_a_spelling_is_another_text(make: Make) -> None:
    backend = await make({"things": [thing("t1", "1090000001"), thing("t2")]}, spelt=False)
    assert await _ids(backend, THINGS, AN) == ["t2"]


async def test_rows_of_several_spellings_are_in_one_order_and_cut_as_one(make: Make) -> None:
    rows = [
        union("u1", AN, registered_on="2001-01-01"),
        union("u2", f"{AN} ", registered_on="2004-01-01"),
        union("u3", "1090000001", registered_on="2003-01-01"),
        union("u4", f"{AN}\r", registered_on="2002-01-01"),
        union("u5", f" {AN}"),
    ]
    backend = await make({"unions": rows})
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    assert [row[0] for row in batch.by_key[AN].rows] == ["u2", "u3", "u4"]
    assert batch.by_key[AN].truncated


async def test_a_row_with_two_spellings_of_one_number_is_given_once(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN, f"{AN}\r")]})
    assert await _ids(backend, UNIONS, AN) == ["u1"]


async def test_rows_that_are_found_through_others_are_found_by_every_spelling(make: Make) -> None:
    parties = [
        {"party_no": "p1", "case_no": "c1", "who_id": f" {AN}", "for_id": "1090000001"},
        {"party_no": "p2", "case_no": "c2", "who_id": f"{AN}\t"},
        {"party_no": "p3", "case_no": "c3", "who_id": BINH},
    ]
    backend = await make(
        {"cases": [{"case_no": f"c{n}"} for n in (1, 2, 3)], "case_parties": parties}
    )
    assert await _ids(backend, CASES, AN) == ["c1", "c2"]


def test_each_spelling_is_searched_by_the_columns_index(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sample.sqlite", {"things": [thing("t1")]})
    marks = ", ".join("?" * 22)
    with closing(sqlite3.connect(path)) as file:
        text = f"EXPLAIN QUERY PLAN SELECT * FROM things WHERE owner_id IN ({marks})"
        (step,) = file.execute(text, spellings(AN))
    assert "USING INDEX ix_things_owner_id" in step[3]
