"""An unreadable value costs its own row, and no other row or caller."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncmy.constants import FIELD_TYPE

from connectors.backends import mariadb
from connectors.backends.base import Batch, Rows
from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from connectors.backends.statement_merger import MergeLimits
from connectors.description import Record
from connectors.tables import STATEMENT_TABLE
from tests.support.backend_samples import (
    AN,
    BINH,
    CASES,
    CHI,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    thing,
    union,
    write_file,
)
from tests.support.backend_servers import write_server
from tests.support.running import TestClock
from tests.support.servers import SERVERS, Server

Make = Callable[..., SqlBackend]
services = pytest.mark.services

ROWS = {
    **EMPTY,
    "things": [thing("t1"), thing("t2"), thing("t3"), thing("t4", BINH), thing("t5", CHI)],
    "unions": [union("u1", AN, registered_on="2001"), union("u2", BINH, AN), union("u3", CHI)],
}


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make a backend over a server; what was made is closed afterwards."""
    backends: list[SqlBackend] = []

    def make(url: str, **settings: Any) -> SqlBackend:
        backends.append(SqlBackend(DATABASE, url, **settings))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


@pytest.fixture
async def encoded(postgresql: Server) -> AsyncIterator[Callable[[str], Any]]:
    """Make databases in other encodings than UTF-8, with the sample's rows; drop them."""
    names = []

    async def create(encoding: str) -> Server:
        names.append(f"{encoding.lower()}_{secrets.token_hex(4)}")
        await postgresql.execute(
            f"CREATE DATABASE {names[-1]} ENCODING '{encoding}' TEMPLATE template0 "
            "LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        server = replace(postgresql, name=names[-1])
        await write_server(server, ROWS)
        return server

    yield create
    for name in names:
        await postgresql.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def _fetch(backend: SqlBackend, record: Record, *keys: str) -> dict[str, Rows]:
    batch = await backend.fetch(record, record.lookups[0], keys)
    assert not batch.failed
    return dict(batch.by_key)


def _summary(rows_by_key: dict[str, Rows]) -> dict[str, tuple[list[object], int]]:
    """Return by key the identities of the rows, and how many could not be read."""
    return {
        key: ([row[0] for row in rows.rows], rows.unreadable) for key, rows in rows_by_key.items()
    }


EXPECTED = {AN: (["t1", "t3"], 1), BINH: (["t4"], 0), CHI: (["t5"], 0)}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "20203-05-01"),
        ("date", "0044-03-15 BC"),
        ("date", "infinity"),
        ("date", "-infinity"),
        ("timestamp", "20203-05-01"),
        ("timestamp", "infinity"),
        ("timestamptz", "20203-05-01"),
        ("timestamptz", "-infinity"),
        ("numeric", "NaN"),
        ("numeric", "infinity"),
    ],
)
@services
async def test_a_value_that_python_has_no_room_for_costs_its_row(
    postgresql: Server, make: Make, kind: str, value: str
) -> None:
    await write_server(postgresql, ROWS)
    column = {"date": "day", "numeric": "amount"}.get(kind, "moment")
    await postgresql.execute(
        f"ALTER TABLE things ALTER {column} TYPE {kind} USING NULL",
        f"UPDATE things SET {column} = '{value}' WHERE thing_id = 't2'",
    )
    backend = make(postgresql.url, maps={"things": RecordMap()}, zone="Asia/Ho_Chi_Minh")
    assert _summary(await _fetch(backend, THINGS, AN, BINH, CHI)) == EXPECTED


@services
async def test_the_last_day_that_python_knows_is_read_where_it_is_recorded(
    postgresql: Server, make: Make
) -> None:
    await write_server(postgresql, ROWS)
    await postgresql.execute(
        "ALTER TABLE things ALTER day TYPE date USING '9999-12-31'",
        "ALTER TABLE things ALTER moment TYPE timestamptz USING '0001-01-01 00:00:00+00'",
    )
    row = (await _fetch(make(postgresql.url), THINGS, BINH))[BINH].rows[0]
    assert row[THINGS.positions["day"]] == date(9999, 12, 31)
    assert row[THINGS.positions["moment"]] == datetime(1, 1, 1, tzinfo=UTC)


@services
async def test_an_infinite_date_costs_its_row_among_lookups_that_go_together(
    postgresql: Server, make: Make
) -> None:
    await write_server(postgresql, ROWS)
    await postgresql.execute(
        "ALTER TABLE things ALTER day TYPE date USING NULL",
        "UPDATE things SET day = 'infinity' WHERE thing_id = 't2'",
    )
    backend = make(postgresql.url, merge_limits=MergeLimits(meetings=0))
    things, unions = await asyncio.gather(
        _fetch(backend, THINGS, AN, BINH, CHI), _fetch(backend, UNIONS, AN)
    )
    assert _summary(things) == EXPECTED
    assert _summary(unions) == {AN: (["u1", "u2"], 0)}


@pytest.mark.parametrize(("encoding", "byte"), [("SQL_ASCII", "e0"), ("WIN1252", "81")])
@services
async def test_a_byte_of_no_letter_costs_its_row(
    encoded: Callable[[str], Any], make: Make, encoding: str, byte: str
) -> None:
    server = await encoded(encoding)
    await server.execute(f"UPDATE things SET title = E'\\x{byte}' WHERE thing_id = 't2'")
    backend = make(server.url)
    for _ in range(2):
        assert _summary(await _fetch(backend, THINGS, AN, BINH, CHI)) == EXPECTED
    assert _summary(await _fetch(backend, UNIONS, AN, CHI)) == {
        AN: (["u1", "u2"], 0),
        CHI: (["u3"], 0),
    }


@services
async def test_a_byte_of_no_letter_costs_its_row_among_lookups_that_go_together(
    encoded: Callable[[str], Any], make: Make
) -> None:
    server = await encoded("SQL_ASCII")
    await server.execute("UPDATE things SET title = E'\\xe0' WHERE thing_id = 't2'")
    backend = make(server.url, merge_limits=MergeLimits(meetings=0))
    things, unions = await asyncio.gather(
        _fetch(backend, THINGS, AN, BINH, CHI), _fetch(backend, UNIONS, AN)
    )
    assert _summary(things) == EXPECTED
    assert _summary(unions) == {AN: (["u1", "u2"], 0)}


@services
async def test_a_key_in_letters_that_the_server_lacks_costs_itself_and_is_not_none(
    encoded: Callable[[str], Any], make: Make
) -> None:
    results = _summary(await _fetch(make((await encoded("LATIN1")).url), THINGS, "Đ1", BINH))
    assert results == {"Đ1": ([], 1), BINH: (["t4"], 0)}


#: Columns of views that fail where the thing is ``t2``.
_FAILS = {
    "postgresql": [
        "(1 / (length(thing_id) - CASE thing_id WHEN 't2' THEN 2 ELSE 1 END))::text",
        "(SELECT thing_id FROM (VALUES (1), (2)) AS v WHERE thing_id = 't2' OR column1 = 1)",
    ],
    "mariadb": [
        "cast(cast(thing_id <> 't2' AS unsigned) - 1 AS char)",
        "(SELECT v.x FROM (SELECT 'a' AS x UNION ALL SELECT 'b') v "
        "WHERE thing_id = 't2' OR v.x = 'a')",
    ],
}


@pytest.mark.parametrize("make_of_server", SERVERS)
@pytest.mark.parametrize("place", [0, 1], ids=["out of range", "not one"])
async def test_a_view_that_fails_at_one_row_costs_nobody_else_theirs(
    request: pytest.FixtureRequest, make: Make, make_of_server: str, place: int
) -> None:
    server: Server = request.getfixturevalue(make_of_server)
    await write_server(server, ROWS)
    computed = _FAILS[server.make][place]
    names = [f"{computed} AS title" if column.name == "title" else _quoted(server, column.name)
             for column in THINGS.columns]  # fmt: skip
    await server.execute(
        "ALTER TABLE things RENAME TO theirs",
        f"CREATE VIEW things AS SELECT {', '.join(names)} FROM theirs",
    )
    results = _summary(await _fetch(make(server.url), THINGS, AN, BINH, CHI))
    assert results.pop(AN)[1] == 1
    assert results == {BINH: (["t4"], 0), CHI: (["t5"], 0)}


def _quoted(server: Server, name: str) -> str:
    return f'"{name}"' if server.make == "postgresql" else f"`{name}`"


@pytest.mark.parametrize("make_of_server", SERVERS)
async def test_a_moment_that_has_no_day_in_the_zone_costs_its_row(
    request: pytest.FixtureRequest, make: Make, make_of_server: str
) -> None:
    server: Server = request.getfixturevalue(make_of_server)
    await write_server(server, ROWS)
    kind = "timestamptz" if server.make == "postgresql" else "datetime"
    change = "ALTER COLUMN {} TYPE {} USING NULL" if kind == "timestamptz" else "MODIFY {} {}"
    await server.execute(
        *(f"ALTER TABLE things {change.format(column, kind)}" for column in ("day", "moment")),
        "UPDATE things SET day = '9999-12-31 23:59:59' WHERE thing_id = 't2'",
        "UPDATE things SET moment = '9999-12-31 23:59:59'",
    )
    zone = "America/New_York" if kind == "datetime" else "Asia/Ho_Chi_Minh"
    backend = make(server.url, maps={"things": RecordMap()}, zone=zone)
    results = await _fetch(backend, THINGS, AN, BINH)
    # A day kept in New York is that day; its moment is of the year 10000 in UTC, which is none.
    unreadable = {"datetime": (3, 1), "timestamptz": (1, 0)}[kind]
    assert tuple(rows.unreadable for rows in results.values()) == unreadable


@services
async def test_a_statement_of_freshness_that_is_no_moment_is_none(
    postgresql: Server, make: Make
) -> None:
    await write_server(postgresql, ROWS, "9999-12-31T23:59:59-12:00")
    batch = await make(postgresql.url).fetch(THINGS, THINGS.lookups[0], [BINH])
    assert (batch.as_of, len(batch.by_key[BINH].rows)) == (None, 1)


@pytest.mark.parametrize(
    "statement",
    ["SELECT 'today' AS at", "SELECT (SELECT 1 UNION ALL SELECT 2) AS as_of"],
    ids=["no such column", "no value"],
)
@pytest.mark.parametrize("make_of_server", SERVERS)
async def test_a_statement_of_freshness_that_fails_is_none_and_costs_no_row(
    request: pytest.FixtureRequest, make: Make, make_of_server: str, statement: str
) -> None:
    server: Server = request.getfixturevalue(make_of_server)
    await write_server(server, ROWS)
    await server.execute(f"CREATE VIEW {STATEMENT_TABLE} AS {statement}")
    batch = await make(server.url).fetch(THINGS, THINGS.lookups[0], [BINH])
    assert (batch.as_of, len(batch.by_key[BINH].rows)) == (None, 1)


@services
async def test_rows_beside_a_spoilt_one_stay_in_order_and_are_cut(
    encoded: Callable[[str], Any], make: Make
) -> None:
    server = await encoded("SQL_ASCII")
    await server.execute(
        "DELETE FROM unions",
        *(f"INSERT INTO unions VALUES ('n{y}', '{AN}', NULL, '{y}', NULL)"
          for y in range(2001, 2007)),
        "UPDATE unions SET mood = E'\\xe0' WHERE event_id IN ('n2005', 'n2001')",
    )  # fmt: skip
    result = (await _fetch(make(server.url), UNIONS, AN))[AN]
    assert [row[0] for row in result.rows] == ["n2006", "n2004", "n2003"]
    assert (result.unreadable, result.truncated) == (1, True)


@services
async def test_who_has_a_spoilt_row_is_asked_for_apart_for_a_minute(
    encoded: Callable[[str], Any], make: Make
) -> None:
    server = await encoded("SQL_ASCII")
    await server.execute("UPDATE things SET title = E'\\xe0' WHERE thing_id = 't2'")
    clock = TestClock()
    backend = make(server.url, monotonic=clock.monotonic)
    together_with = _record_merged_keys(backend)
    for _ in range(2):
        assert _summary(await _fetch(backend, THINGS, BINH, AN, CHI)) == EXPECTED
        assert _summary(await _fetch(backend, THINGS, AN)) == {AN: EXPECTED[AN]}
    await server.execute("UPDATE things SET title = 'a' WHERE thing_id = 't2'")
    assert _summary(await _fetch(backend, THINGS, AN)) == {AN: (["t1", "t2", "t3"], 0)}
    clock.advance(61)
    assert _summary(await _fetch(backend, THINGS, BINH, AN)) == {
        BINH: (["t4"], 0),
        AN: (["t1", "t2", "t3"], 0),
    }
    assert together_with == [[BINH, AN, CHI], [BINH, CHI], [BINH, AN]]


def _record_merged_keys(backend: SqlBackend) -> list[list[str]]:
    """Note the keys of every statement that is asked for with others."""
    noted: list[list[str]] = []
    find = backend._merger.find

    async def noting(lookup: Any, keys: Any, most: Any = None) -> Any:
        noted.append(list(keys))
        return await find(lookup, keys, most)

    backend._merger.find = noting  # type: ignore[method-assign] # looked on
    return noted


@services
async def test_keys_that_could_not_be_told_apart_are_unknown_and_not_none(
    encoded: Callable[[str], Any], make: Make
) -> None:
    """So many people have unreadable rows that the statements of an isolation do not suffice."""
    crowd = [f"0010900{number:05d}" for number in range(60)]
    things = [thing(f"c{place}", number) for place, number in enumerate(crowd)]
    server = await encoded("SQL_ASCII")
    await write_server(server, {**ROWS, "things": [*ROWS["things"], *things]})
    await server.execute("UPDATE things SET title = E'\\xe0' WHERE thing_id LIKE 'c%'")
    keys = [*crowd, BINH, CHI]
    batch: Batch = await make(server.url).fetch(THINGS, THINGS.lookups[0], keys)
    assert set(batch.failed) == set(crowd)
    assert _summary(dict(batch.by_key)) == {BINH: (["t4"], 0), CHI: (["t5"], 0)}


@services
async def test_what_a_driver_left_unread_is_nobody_elses_answer(
    mariadb_rows: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converted(text: str) -> datetime:
        if text.startswith("2001"):
            raise ValueError("no such moment")
        return datetime(2024, 1, 1, tzinfo=UTC)

    monkeypatch.setitem(mariadb._CONVERSIONS, FIELD_TYPE.TIMESTAMP, converted)
    backend = make(mariadb_rows.url, pool_size=1, maps={"things": RecordMap()})
    for _ in range(3):
        assert _summary(await _fetch(backend, THINGS, AN, BINH, CHI)) == EXPECTED
        assert _summary(await _fetch(backend, UNIONS, CHI)) == {CHI: (["u3"], 0)}
    assert _summary(await _fetch(backend, CASES, AN)) == {AN: ([], 0)}


@pytest.fixture
async def mariadb_rows(mariadb: Server) -> Server:
    """Give a server on which the moment of one thing is of 2001."""
    await write_server(mariadb, ROWS)
    await mariadb.execute(
        "ALTER TABLE things MODIFY moment timestamp NULL",
        "UPDATE things SET moment = '2024-01-01'",
        "UPDATE things SET moment = '2001-01-01' WHERE thing_id = 't2'",
    )
    return mariadb


async def test_a_view_of_a_file_that_fails_at_one_row_costs_nobody_else_theirs(
    tmp_path: Path, make: Make
) -> None:
    path = write_file(tmp_path / "sample.sqlite", ROWS)
    with closing(sqlite3.connect(path)) as file, file:
        columns = ", ".join(
            "json_extract(title, '$.a') AS title" if column.name == "title" else f'"{column.name}"'
            for column in THINGS.columns
        )
        file.execute("UPDATE things SET title = '{' WHERE thing_id = 't2'")
        file.execute("ALTER TABLE things RENAME TO theirs")
        file.execute(f"CREATE VIEW things AS SELECT {columns} FROM theirs")
    results = _summary(await _fetch(make(f"sqlite:///{path}"), THINGS, AN, BINH, CHI))
    assert results.pop(AN)[1] == 1
    assert results == {BINH: (["t4"], 0), CHI: (["t5"], 0)}


async def test_a_row_under_another_spelling_of_a_number_costs_nobody_else_theirs(
    tmp_path: Path, make: Make
) -> None:
    path = write_file(tmp_path / "sample.sqlite", ROWS)
    with closing(sqlite3.connect(path)) as file, file:
        columns = ", ".join(
            "json_extract(title, '$.a') AS title" if column.name == "title" else f'"{column.name}"'
            for column in THINGS.columns
        )
        file.execute("UPDATE things SET title = NULL")
        file.execute(f"UPDATE things SET title = '{{', owner_id = '{AN} ' WHERE thing_id = 't2'")
        file.execute("ALTER TABLE things RENAME TO theirs")
        file.execute(f"CREATE VIEW things AS SELECT {columns} FROM theirs")
    backend = make(f"sqlite:///{path}", maps={"things": RecordMap(normalised=True)})
    for _ in range(2):
        results = _summary(await _fetch(backend, THINGS, AN, BINH, CHI))
        assert results.pop(AN) == (["t1", "t3"], 1)
        assert results == {BINH: (["t4"], 0), CHI: (["t5"], 0)}
