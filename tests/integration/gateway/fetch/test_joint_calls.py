"""Lists of one database that are read by one call: what one of them does to the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from connectors.backends.base import NOBODY
from connectors.backends.sql import SqlBackend
from connectors.backends.statement_merger import MergeLimits
from connectors.description import Record
from gateway.answer import Answer, State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.coalescing import ReadWaiter
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.backend_samples import AN, BINH, CASES, DATABASE, EMPTY, THINGS, UNIONS, union
from tests.support.backend_samples import thing as thing_of
from tests.support.backend_servers import write_server
from tests.support.servers import Server

pytestmark = pytest.mark.services

Make = Callable[..., Source]

_RECORDS = (UNIONS, THINGS, CASES)


@pytest.fixture
async def server(postgresql: Server) -> Server:
    """Give a server that holds a union, a thing and a case of AN."""
    await write_server(
        postgresql,
        {
            **EMPTY,
            "unions": [union("u1")],
            "things": [thing_of("t1"), thing_of("t2", BINH)],
            "cases": [{"case_no": "c1"}],
            "case_parties": [{"party_no": "p1", "case_no": "c1", "who_id": AN}],
        },
    )
    return postgresql


@pytest.fixture
async def make(server: Server) -> AsyncIterator[Make]:
    """Make a source over the server that merges at once what it may; closed afterwards."""
    sources: list[Source] = []

    def make(timeout: float = 20, **settings: Any) -> Source:
        backend = SqlBackend(DATABASE, server.url, merge_limits=MergeLimits(meetings=0))
        database_settings = DatabaseSettings.model_validate({"timeout": timeout, **settings})
        sources.append(Source(DATABASE, backend, database_settings, SystemClock()))
        return sources[-1]

    yield make
    for source in sources:
        await source.close()


async def _ask(
    source: Source, *records: Record, keys: Sequence[str] = (AN,), seconds: float = 20
) -> list[tuple[State, list[object] | None]]:
    """Ask for lists at once; return the state of each, and what identifies its rows."""
    loop = asyncio.get_running_loop()
    arrived: list[asyncio.Future[Sequence[Answer] | None]] = []
    for record in records or _RECORDS:
        future: asyncio.Future[Sequence[Answer] | None] = loop.create_future()

        def deliver(
            _: ReadWaiter,
            answers: Sequence[Answer] | None,
            future: asyncio.Future[Sequence[Answer] | None] = future,
        ) -> None:
            future.set_result(answers)

        source.ask(Read(record, record.lookups[0]), keys, seconds, NOBODY, deliver)
        arrived.append(future)
    results = []
    for answers in await asyncio.gather(*arrived):
        assert answers is not None
        rows = answers[0].rows
        results.append((answers[0].report.state, None if rows is None else [r[0] for r in rows]))
    return results


_WHOLE = [(State.ANSWERED, ["u1"]), (State.ANSWERED, ["t1"]), (State.ANSWERED, ["c1"])]


def _calls(database: str = DATABASE.name) -> float:
    labels = {"database": database}
    return REGISTRY.get_sample_value("justice_gateway_source_seconds_count", labels) or 0.0


async def test_lists_of_one_database_are_one_call(make: Make) -> None:
    source = make()
    before = _calls()
    assert await _ask(source) == _WHOLE
    assert _calls() - before == 1


async def test_who_asks_for_one_list_at_the_same_time_is_answered_by_the_same_call(
    make: Make,
) -> None:
    source = make()
    before = _calls()
    both = await asyncio.gather(_ask(source), _ask(source, UNIONS, keys=[BINH, AN]))
    assert list(both) == [_WHOLE, [(State.ANSWERED, [])]]
    assert _calls() - before == 1


async def test_a_list_with_too_many_keys_has_a_call_beside_that_of_the_others(make: Make) -> None:
    source = make()
    before = _calls()
    many = [AN, *(f"{number:012}" for number in range(20))]
    both = await asyncio.gather(_ask(source, UNIONS, keys=many), _ask(source, THINGS, CASES))
    assert [*both[0], *both[1]] == _WHOLE
    assert _calls() - before == 2


async def test_a_value_that_fails_one_list_costs_that_list_only(server: Server, make: Make) -> None:
    await _replace_unions(server, "(1 / (length(who_id) - 12))::text")
    source = make()
    for _ in range(8):
        failed, *others = await _ask(source)
        assert failed[0] in {State.PARTIAL, State.UNAVAILABLE}
        assert failed[1] != ["u1"]
        assert others == _WHOLE[1:]
    assert source.breaker.state is BreakerState.CLOSED


async def test_a_table_that_is_not_there_costs_its_own_list_only(
    server: Server, make: Make
) -> None:
    await server.execute("DROP TABLE unions")
    source = make()
    for _ in range(8):
        assert await _ask(source) == [(State.NOT_OPERATING, None), *_WHOLE[1:]]
    await server.execute("CREATE TABLE unions (event_id text)")
    assert (await _ask(source))[1:] == _WHOLE[1:]
    assert source.breaker.state is BreakerState.CLOSED


async def test_a_table_that_goes_is_unavailable_and_the_others_are_answered(
    server: Server, make: Make
) -> None:
    source = make()
    assert await _ask(source) == _WHOLE
    await server.execute("DROP TABLE unions")
    assert await _ask(source) == [(State.UNAVAILABLE, None), *_WHOLE[1:]]


async def test_a_list_that_does_not_come_in_time_costs_that_list_only(
    server: Server, make: Make
) -> None:
    await _replace_unions(server, "CASE WHEN pg_sleep(60)::text = '' THEN 'CALM' END")
    source = make(timeout=0.3)
    for _ in range(2):
        async with asyncio.timeout(60):
            while (answers := await _ask(source)) != [(State.TIMED_OUT, None), *_WHOLE[1:]]:
                # On a busy machine others may be late too, and say so.
                assert answers[0] == (State.TIMED_OUT, None)
                for answer, whole in zip(answers, _WHOLE, strict=True):
                    assert answer in (whole, (State.TIMED_OUT, None))


async def test_while_the_breaker_is_open_nothing_is_asked_and_nothing_is_said_to_be_none(
    server: Server, make: Make
) -> None:
    source = make(breaker_failures=1)
    assert await _ask(source) == _WHOLE
    source.breaker.count(source.breaker.enter() or 0, succeeded=False)
    source.breaker.count(source.breaker.enter() or 0, succeeded=False)
    assert source.breaker.state is BreakerState.OPEN
    before = _calls()
    assert await _ask(source) == [(State.UNAVAILABLE, None)] * 3
    assert _calls() == before


async def test_connections_that_were_closed_meanwhile_cost_no_answer(
    server: Server, make: Make
) -> None:
    source = make()
    assert await _ask(source) == _WHOLE
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await _ask(source) == _WHOLE


async def test_at_shutdown_whoever_waits_is_told_that_nothing_comes(
    server: Server, make: Make
) -> None:
    await _replace_unions(server, "CASE WHEN pg_sleep(60)::text = '' THEN 'CALM' END")
    source = make()
    delivered: list[object] = []
    for record in _RECORDS:
        read = Read(record, record.lookups[0])
        source.ask(read, [AN], 20, NOBODY, lambda _, answers: delivered.append(answers))
    for _ in range(5):  # turns of the loop
        await asyncio.sleep(0)
    await source.close()
    assert delivered == [None, None, None]


async def _replace_unions(server: Server, mood: str) -> None:
    await server.execute(
        "DROP TABLE unions",
        "CREATE VIEW unions AS SELECT 'u1' AS event_id, case_parties.who_id AS one_id, "
        f"NULL AS other_id, NULL AS registered_on, {mood} AS mood FROM case_parties",
    )
