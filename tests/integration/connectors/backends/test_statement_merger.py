"""Concurrent lookups merged into one statement: the effect of each on the others.

Covers ``connectors.backends.postgresql_statements``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.backends.base import Batch, NotMapped, SourceUnavailable
from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.sql import SqlBackend
from connectors.backends.statement_merger import MergeLimits
from connectors.description import Lookup, Record
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


async def _first(
    backend: SqlBackend, record: Record, lookup: Lookup | None = None, *keys: str
) -> list[object]:
    batch = await backend.fetch(record, lookup or record.lookups[0], keys or [AN])
    return [row[0] for result in batch.by_key.values() for row in result.rows]


async def _at_once(backend: SqlBackend, *records: Record) -> list[Any]:
    fetches = (_first(backend, record) for record in records or (UNIONS, THINGS, CASES))
    return await asyncio.gather(*fetches, return_exceptions=True)


async def _slow_down(server: Server, seconds: float) -> None:
    await _replace_unions(server, f"CASE WHEN pg_sleep({seconds})::text = '' THEN 'CALM' END")


async def _replace_unions(server: Server, mood: str) -> None:
    await server.execute(
        "DROP TABLE unions",
        f"CREATE VIEW unions AS SELECT 'u1' AS event_id, case_parties.who_id AS one_id, "
        f"NULL AS other_id, NULL AS registered_on, {mood} AS mood FROM case_parties",
    )


async def test_what_is_asked_for_at_once_is_one_statement_on_one_connection(
    server: Server, make: Make
) -> None:
    backend = make()
    assert await _at_once(backend) == [["u1"], ["t1"], ["c1"]]
    assert await server.value(_CONNECTED) == 1
    async with backend._source.use() as session:
        assert isinstance(session, PostgresqlSession)
        texts = await session.connection.fetch(
            "SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'SELECT ARRAY(%'"
        )
    assert len(texts) == 1


async def test_each_has_its_own_keys_and_the_sources_word_on_freshness(make: Make) -> None:
    backend = make()
    batches = await asyncio.gather(
        backend.fetch(THINGS, THINGS.lookups[0], [BINH, AN]),
        backend.fetch(UNIONS, UNIONS.lookups[0], [BINH]),
        backend.fetch(UNIONS, AS_ONE, ["nobody", AN]),
    )
    results = [
        {key: [row[0] for row in rows.rows] for key, rows in batch.by_key.items()}
        for batch in batches
    ]
    assert results == [{BINH: ["t2"], AN: ["t1"]}, {BINH: []}, {"nobody": [], AN: ["u1"]}]
    assert {batch.as_of for batch in batches} == {datetime(2026, 11, 1, tzinfo=UTC)}


async def test_the_same_lookup_twice_is_answered_twice(make: Make) -> None:
    backend = make()
    assert await _at_once(backend, UNIONS, UNIONS, THINGS) == [["u1"], ["u1"], ["t1"]]


async def test_a_table_that_is_not_there_is_not_there_and_the_others_are(
    server: Server, make: Make
) -> None:
    await server.execute("DROP TABLE unions")
    backend = make()
    missing, *others = await _at_once(backend)
    assert isinstance(missing, NotMapped)
    assert others == [["t1"], ["c1"]]


async def test_a_lookup_that_fails_costs_itself_alone_and_goes_alone_for_a_minute(
    server: Server, make: Make
) -> None:
    await _replace_unions(server, "current_setting('no.such')")
    clock = TestClock()
    backend = make(monotonic=clock.monotonic)
    statement_sizes = _record_sizes(backend)
    for _ in range(2):
        failure, *others = await _at_once(backend)
        assert isinstance(failure, SourceUnavailable)
        assert others == [["t1"], ["c1"]]
    assert sorted(statement_sizes) == [1] * 6 + [3], "together once"
    clock.advance(61)
    await _at_once(backend)
    assert sorted(statement_sizes) == [1] * 9 + [3] * 2


async def test_what_was_slow_together_goes_alone_for_a_minute(server: Server, make: Make) -> None:
    await _slow_down(server, 0.2)
    backend = make()
    statement_sizes = _record_sizes(backend)
    assert await _at_once(backend) == [["u1"], ["t1"], ["c1"]]
    tasks = [asyncio.create_task(_first(backend, union)) for union in (UNIONS, THINGS)]
    results = [await task for task in asyncio.as_completed(tasks)]
    assert results == [["t1"], ["u1"]]
    assert statement_sizes == [3, 1, 1]


async def test_one_who_leaves_costs_the_others_nothing(server: Server, make: Make) -> None:
    await _slow_down(server, 0.2)
    backend = make()
    cancelled_task = asyncio.create_task(_first(backend, UNIONS))
    staying = asyncio.create_task(_first(backend, THINGS))
    await _wait_for_running(server, 1)
    cancelled_task.cancel()
    assert await staying == ["t1"]
    assert cancelled_task.cancelled()


async def test_when_all_have_left_the_statement_ends(server: Server, make: Make) -> None:
    await _slow_down(server, 60)
    backend = make()
    tasks = [asyncio.create_task(_first(backend, union)) for union in (UNIONS, THINGS)]
    await _wait_for_running(server, 1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await _wait_for_running(server, 0)
    assert await _first(backend, THINGS) == ["t1"]


async def test_one_who_left_before_anything_was_sent_is_not_asked_for(make: Make) -> None:
    backend = make()
    statement_sizes = _record_sizes(backend)
    tasks = [asyncio.create_task(_first(backend, union)) for union in (UNIONS, THINGS)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    assert await tasks[1] == ["t1"]
    assert statement_sizes == [1]


async def test_types_that_a_row_in_an_array_cannot_carry_are_read_all_the_same(
    server: Server, make: Make
) -> None:
    await server.execute(
        "DROP TYPE IF EXISTS feeling CASCADE",
        "CREATE TYPE feeling AS ENUM ('CALM', 'LOUD')",
        "ALTER TABLE unions ALTER mood TYPE feeling USING 'LOUD'::feeling",
    )
    assert await _at_once(make()) == [["u1"], ["t1"], ["c1"]]
    batch: Batch = await make().fetch(UNIONS, UNIONS.lookups[0], [AN])
    assert str(batch.by_key[AN].rows[0][UNIONS.positions["mood"]]) == "LOUD"


async def test_servers_are_not_made_to_prepare_every_combination(
    make: Make,
) -> None:
    backend = make(merge_limits=MergeLimits(statements=1, meetings=0))
    statement_sizes = _record_sizes(backend)
    await _at_once(backend, UNIONS, THINGS)
    assert await _at_once(backend, THINGS, CASES) == [["t1"], ["c1"]]
    await _at_once(backend, THINGS, UNIONS)
    assert statement_sizes == [2, 1, 1, 2]


async def test_only_what_is_asked_for_at_once_often_goes_together(
    make: Make,
) -> None:
    backend = make(merge_limits=MergeLimits(meetings=2))
    statement_sizes = _record_sizes(backend)
    for _ in range(3):
        assert await _at_once(backend, UNIONS, THINGS) == [["u1"], ["t1"]]
        assert await _at_once(backend, CASES) == [["c1"]]
    assert statement_sizes == [1, 1, 1, 1, 1, 1, 2, 1]


async def test_lookups_of_many_keys_go_by_themselves(make: Make) -> None:
    backend = make(merge_limits=MergeLimits(meetings=0, keys=2))
    statement_sizes = _record_sizes(backend)
    found = await asyncio.gather(
        _first(backend, UNIONS, None, AN, BINH, "nobody"),
        _first(backend, THINGS, None, AN, BINH),
        _first(backend, CASES, None, AN),
    )
    assert list(found) == [["u1"], ["t1", "t2"], ["c1"]]
    assert sorted(statement_sizes) == [1, 2]


async def test_a_server_that_goes_is_gone_for_all_that_were_asked(
    server: Server, make: Make
) -> None:
    await _slow_down(server, 60)
    backend = make()
    statement_sizes = _record_sizes(backend)
    tasks = [asyncio.create_task(_first(backend, union)) for union in (UNIONS, THINGS)]
    await _wait_for_running(server, 1)
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, SourceUnavailable)
    assert statement_sizes == [2]


def _record_sizes(backend: SqlBackend) -> list[int]:
    """Note of every statement how many lookups it answers."""
    sizes: list[int] = []
    begin = backend._merger._begin

    def noting(parts: Any) -> None:
        sizes.append(len(parts))
        begin(parts)

    backend._merger._begin = noting  # type: ignore[method-assign] # looked on
    return sizes


async def _wait_for_running(server: Server, running: int) -> None:
    async with asyncio.timeout(10):
        while await server.value(_RUNNING) != running:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0)
