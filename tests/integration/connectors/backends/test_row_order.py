"""Rows come in one order, whoever sorts them, and no key brings more than the gateway asked for.

Covers ``connectors.backends.postgresql_connection``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import pytest

from connectors.backends import postgresql_connection
from connectors.backends.base import Batch, Rows
from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, DUNG, THINGS, UNIONS, thing
from tests.support.backend_servers import write_server
from tests.support.running import TestClock
from tests.support.servers import Server

pytestmark = pytest.mark.services

Make = Callable[..., SqlBackend]

_MAPS = {"unions": RecordMap(missing=("mood",))}


@pytest.fixture
async def make(postgresql: Server) -> AsyncIterator[Make]:
    """Make a backend over the server; closed afterwards."""
    backends: list[SqlBackend] = []

    def make(**settings: Any) -> SqlBackend:
        backends.append(SqlBackend(DATABASE, postgresql.url, **settings))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, int]]:
    """Note of every statement whether it sorts rows, and how many rows it gave."""
    noted: list[tuple[bool, int]] = []
    fetch = PostgresqlSession._fetch

    async def noting(session: PostgresqlSession, text: str, parts: Any) -> Sequence[Any]:
        rows = await fetch(session, text, parts)
        noted.append(("row_number()" in text, len(rows)))
        return rows

    monkeypatch.setattr(PostgresqlSession, "_fetch", noting)
    return noted


async def _write_unions(
    server: Server, rows: Iterable[tuple[str, str, str | None]], *, types: tuple[str, str]
) -> None:
    """Write unions of the first person: event id, person, date, of such types."""
    identity, date = types
    await server.execute(
        "DROP TABLE IF EXISTS unions",
        f"CREATE TABLE unions (event_id {identity}, one_id varchar(12), other_id varchar(12), "
        f"registered_on {date})",
    )
    values = ", ".join(
        f"('{name}', '{person}', NULL, {'NULL' if day is None else repr(day)})"
        for name, person, day in rows
    )
    await server.execute(f"INSERT INTO unions VALUES {values}")


def _ids(batch: Batch) -> dict[str, list[object]]:
    return {key: [row[0] for row in rows.rows] for key, rows in batch.by_key.items()}


async def _fetch(backend: SqlBackend, *keys: str) -> Batch:
    return await backend.fetch(UNIONS, UNIONS.lookups[0], keys)


@pytest.mark.parametrize(
    ("identity", "names"),
    [
        ("text", ["a", "B", "é", "a "]),
        ("varchar(20)", ["a", "B", "é", "a "]),
        ("char(4)", ["a", "B", "é", "aa"]),
        ("bigint", ["9", "10", "-1", "100"]),
        ("numeric", ["9", "10.0", "-1", "100"]),
        ("uuid", [f"{digit}0000000-0000-0000-0000-000000000000" for digit in "af09"]),
    ],
)
@pytest.mark.parametrize(
    ("date", "days"),
    [
        ("text", ["2020", None, "2020-05", "2020-05-06"]),
        ("date", ["2020-05-06", None, "0099-01-01", "2020-05-06"]),
        ("date", ["2020-05-06", "infinity", "2019-05-06", "0044-03-15 BC"]),
        ("timestamp", ["2020-05-06 10:00", None, "2020-05-06 10:00:00.5", "2020-05-06 09:00"]),
        ("timestamptz", ["2020-05-06 10:00+07", None, "2020-05-06 04:00+00", "2020-05-06"]),
    ],
)
async def test_the_order_is_that_of_the_source(
    postgresql: Server,
    make: Make,
    identity: str,
    names: list[str],
    date: str,
    days: list[str | None],
) -> None:
    rows = [
        (names[(place + turn) % 4], person, days[place])
        for turn, person in enumerate([AN, BINH, CHI])
        for place in range(3 if turn else 2)
    ]
    await _write_unions(postgresql, rows, types=(identity, date))
    backend = make(maps=_MAPS, zone="Asia/Ho_Chi_Minh")
    here = await _fetch(backend, AN, BINH, CHI, DUNG)
    statement = backend._lookup_statement(UNIONS, UNIONS.lookups[0])
    ordered = await backend._fetch_ordered(statement, [AN, BINH, CHI, DUNG])
    assert here == ordered
    assert here.by_key[DUNG] == Rows()


async def test_a_key_with_very_many_rows_brings_no_more_than_are_asked_for(
    postgresql: Server, make: Make, statements: list[tuple[bool, int]]
) -> None:
    rows = [(f"e{number:04}", AN, f"{1000 + number}") for number in range(3_000)]
    await _write_unions(postgresql, [*rows, ("b1", BINH, None)], types=("text", "text"))
    batch = await _fetch(make(maps=_MAPS), AN, BINH, CHI)
    assert _ids(batch) == {AN: ["e2999", "e2998", "e2997"], BINH: ["b1"], CHI: []}
    assert [rows.truncated for rows in batch.by_key.values()] == [True, False, False]
    most = 3 * (UNIONS.fetch_limit + 1)
    assert statements == [(False, most), (True, UNIONS.fetch_limit + 2)]


async def test_a_key_beyond_the_limit_is_read_again_by_itself(
    postgresql: Server, make: Make, statements: list[tuple[bool, int]]
) -> None:
    rows = [(f"e{number}", AN, f"202{number}") for number in range(UNIONS.fetch_limit + 1)]
    await _write_unions(postgresql, [*rows, ("b1", BINH, None)], types=("text", "text"))
    backend = make(maps=_MAPS)
    for _ in range(2):
        batch = await _fetch(backend, AN, BINH, CHI)
        assert _ids(batch) == {AN: ["e3", "e2", "e1"], BINH: ["b1"], CHI: []}
    assert statements == [(False, 5), (True, 4)] * 2


async def test_a_lookup_with_many_such_keys_is_sorted_by_the_source_for_a_minute(
    postgresql: Server, make: Make, statements: list[tuple[bool, int]]
) -> None:
    people = [f"0010900000{number:02}" for number in range(6)]
    rows = [
        (f"{person}-{number}", person, f"202{number}") for person in people for number in range(9)
    ]
    await _write_unions(postgresql, rows, types=("text", "text"))
    clock = TestClock()
    backend = make(maps=_MAPS, monotonic=clock.monotonic)
    for _ in range(2):
        batch = await _fetch(backend, *people)
        assert all(rows.truncated for rows in batch.by_key.values())
    most = len(people) * (UNIONS.fetch_limit + 1)
    assert statements == [(False, most), (True, most), (True, most)]
    clock.advance(61)
    await _fetch(backend, DUNG)
    assert statements[3:] == [(False, 0)]


async def test_a_connection_keeps_few_statements(
    postgresql: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_connection, "_STATEMENTS", 2)
    await write_server(postgresql, {"unions": [], "things": [thing("t1")], "cases": []})
    backend = make(pool_size=1)
    lookups = [(record, lookup) for record in (UNIONS, THINGS) for lookup in record.lookups]
    for _ in range(2):
        for record, lookup in lookups:
            await backend.fetch(record, lookup, [AN])
    async with backend._source.use() as session:
        assert isinstance(session, PostgresqlSession)
        assert len(session.connection.prepared) == 2
        await session.probe()
        kept = await session.connection.fetchval(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%_unsorted%'"
        )
    assert kept <= 3
