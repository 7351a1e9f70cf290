"""Lookups merged into one statement: which are, and what is known where one of them fails.

Covers ``connectors.backends.postgresql_statements``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.backends.base import Batch, LookupKeys, NotMapped, SourceUnavailable
from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.sql import SqlBackend
from connectors.backends.statement_merger import MergeLimits
from connectors.description import Record
from tests.support.backend_samples import (
    AN,
    BINH,
    CASES,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    thing,
    union,
)
from tests.support.backend_servers import write_server
from tests.support.running import TestClock
from tests.support.servers import Server

pytestmark = pytest.mark.services

Make = Callable[..., SqlBackend]

AS_ONE = UNIONS.lookups[1]
_CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()"
)
_RUNNING = f"{_CONNECTED} AND state = 'active'"
#: Those that wait in ``_slow_down``: what is read before them is over.
_SLEEPING = f"{_CONNECTED} AND wait_event = 'PgSleep'"


@pytest.fixture
async def server(postgresql: Server) -> Server:
    """Give a server that holds a union, a thing and a case of AN."""
    case = {"case_no": "c1"}
    party = {"party_no": "p1", "case_no": "c1", "who_id": AN}
    await write_server(
        postgresql,
        {
            **EMPTY,
            "unions": [union("u1")],
            "things": [thing("t1"), thing("t2", BINH)],
            "cases": [case],
            "case_parties": [party],
        },
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    return postgresql


@pytest.fixture
async def make(server: Server) -> AsyncIterator[Make]:
    """Make a backend over the server that merges at once what it may; closed afterwards."""
    backends: list[SqlBackend] = []

    def make(**settings: Any) -> SqlBackend:
        settings = {"merge_limits": MergeLimits(meetings=0), **settings}
        backends.append(SqlBackend(DATABASE, server.url, **settings))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


async def _slow_down(server: Server, seconds: float) -> None:
    await _replace_unions(server, f"CASE WHEN pg_sleep({seconds})::text = '' THEN 'CALM' END")


async def _replace_unions(server: Server, mood: str) -> None:
    await server.execute(
        "DROP TABLE unions",
        f"CREATE VIEW unions AS SELECT 'u1' AS event_id, case_parties.who_id AS one_id, "
        f"NULL AS other_id, NULL AS registered_on, {mood} AS mood FROM case_parties",
    )


def _lookups(*records: Record) -> list[LookupKeys]:
    return [LookupKeys(record, record.lookups[0], [AN]) for record in records]


ALL = _lookups(UNIONS, THINGS, CASES)


def _ids(batches: list[Batch]) -> list[list[object]]:
    return [[row[0] for rows in batch.by_key.values() for row in rows.rows] for batch in batches]


def _groups(backend: SqlBackend, lookups: list[LookupKeys]) -> list[list[int]]:
    return [sorted(places) for places in backend.group_lookups(lookups)]


async def _alone(backend: SqlBackend, *records: Record) -> list[list[object]]:
    return _ids([await backend.fetch(*lookup) for lookup in _lookups(*records)])


async def test_several_lookups_are_one_statement_on_one_connection(
    server: Server, make: Make
) -> None:
    backend = make()
    assert _ids(await backend.fetch_together(ALL)) == [["u1"], ["t1"], ["c1"]]
    assert await server.value(_CONNECTED) == 1
    async with backend._source.use() as session:
        assert isinstance(session, PostgresqlSession)
        texts = await session.connection.fetch(
            "SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'SELECT ARRAY(%'"
        )
    assert len(texts) == 1


async def test_each_has_its_own_keys_and_the_sources_word_on_freshness(make: Make) -> None:
    batches = await make().fetch_together(
        [
            LookupKeys(THINGS, THINGS.lookups[0], [BINH, AN]),
            LookupKeys(UNIONS, UNIONS.lookups[0], [BINH]),
            LookupKeys(UNIONS, AS_ONE, ["nobody", AN]),
        ]
    )
    results = [
        {key: [row[0] for row in rows.rows] for key, rows in batch.by_key.items()}
        for batch in batches
    ]
    assert results == [{BINH: ["t2"], AN: ["t1"]}, {BINH: []}, {"nobody": [], AN: ["u1"]}]
    assert {batch.as_of for batch in batches} == {datetime(2026, 11, 1, tzinfo=UTC)}


async def test_the_same_lookup_a_second_time_goes_alone(make: Make) -> None:
    assert _groups(make(), _lookups(UNIONS, UNIONS, THINGS)) == [[1], [0, 2]]


async def test_lookups_of_which_one_has_no_table_go_alone_for_a_minute(
    server: Server, make: Make
) -> None:
    await server.execute("DROP TABLE unions")
    clock = TestClock()
    backend = make(monotonic=clock.monotonic)
    with pytest.raises(SourceUnavailable):
        await backend.fetch_together(ALL)
    assert _groups(backend, ALL) == [[0], [1], [2]]
    with pytest.raises(NotMapped):
        await _alone(backend, UNIONS)
    assert await _alone(backend, THINGS, CASES) == [["t1"], ["c1"]]
    clock.advance(61)
    assert _groups(backend, ALL) == [[0, 1, 2]]


async def test_a_record_that_is_not_kept_goes_alone(make: Make) -> None:
    unkept = replace(UNIONS, name="elsewhere")
    assert _groups(make(), _lookups(unkept, THINGS, CASES)) == [[0], [1, 2]]


async def test_what_was_slow_together_goes_alone_for_a_minute(server: Server, make: Make) -> None:
    await _slow_down(server, 0.2)
    backend = make()
    assert _ids(await backend.fetch_together(ALL)) == [["u1"], ["t1"], ["c1"]]
    assert _groups(backend, ALL) == [[0], [1], [2]]


async def test_a_caller_that_leaves_ends_the_statement_and_what_was_slow_goes_alone(
    server: Server, make: Make
) -> None:
    await _slow_down(server, 60)
    clock = TestClock()
    backend = make(monotonic=clock.monotonic)
    leaving = asyncio.create_task(backend.fetch_together(ALL))
    await _wait_for_running(server, 1, _SLEEPING)
    clock.advance(1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await _wait_for_running(server, 0)
    assert await _alone(backend, THINGS) == [["t1"]]
    assert _groups(backend, ALL) == [[0], [1], [2]]


async def test_types_that_a_row_in_an_array_cannot_carry_are_read_all_the_same(
    server: Server, make: Make
) -> None:
    await server.execute(
        "DROP TYPE IF EXISTS feeling CASCADE",
        "CREATE TYPE feeling AS ENUM ('CALM', 'LOUD')",
        "ALTER TABLE unions ALTER mood TYPE feeling USING 'LOUD'::feeling",
    )
    batch = await make().fetch(UNIONS, UNIONS.lookups[0], [AN])
    assert str(batch.by_key[AN].rows[0][UNIONS.positions["mood"]]) == "LOUD"


async def test_servers_are_not_made_to_prepare_every_combination(make: Make) -> None:
    backend = make(merge_limits=MergeLimits(statements=1, meetings=0))
    assert _groups(backend, _lookups(UNIONS, THINGS)) == [[0, 1]]
    assert _groups(backend, _lookups(THINGS, CASES)) == [[0], [1]]
    assert _groups(backend, _lookups(THINGS, UNIONS)) == [[0, 1]]


async def test_only_what_is_asked_for_at_once_often_goes_together(make: Make) -> None:
    backend = make(merge_limits=MergeLimits(meetings=2))
    pair = _lookups(UNIONS, THINGS)
    assert [len(_groups(backend, pair)) for _ in range(3)] == [2, 2, 1]


async def test_lookups_of_many_keys_go_alone(make: Make) -> None:
    backend = make(merge_limits=MergeLimits(meetings=0, keys=2))
    lookups = [
        LookupKeys(UNIONS, UNIONS.lookups[0], [AN, BINH, "nobody"]),
        LookupKeys(THINGS, THINGS.lookups[0], [AN, BINH]),
        LookupKeys(CASES, CASES.lookups[0], [AN]),
    ]
    assert _groups(backend, lookups) == [[0], [1, 2]]


async def test_a_server_that_goes_is_gone_for_all_that_were_asked(
    server: Server, make: Make
) -> None:
    await _slow_down(server, 60)
    backend = make()
    asking = asyncio.create_task(backend.fetch_together(ALL))
    await _wait_for_running(server, 1)
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(SourceUnavailable):
        await asking


async def _wait_for_running(server: Server, running: int, what: str = _RUNNING) -> None:
    async with asyncio.timeout(10):
        while await server.value(what) != running:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0)
