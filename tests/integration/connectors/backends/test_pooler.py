"""Behind a pooler that assigns connections per transaction, no session state is left.

Covers ``connectors.backends.postgresql_connection``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.backends.base import SourceUnavailable
from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import (
    AN,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    union,
)
from tests.support.backend_servers import write_server
from tests.support.pgbouncer import pgbouncer
from tests.support.servers import Server

pytestmark = pytest.mark.services

#: More than a busy machine takes.
_OPTIONS = ServerOptions(transaction_pooling=True, statement_timeout=30.0)
_IMPATIENT = replace(_OPTIONS, statement_timeout=0.2)


@pytest.fixture
async def url(postgresql: Server, tmp_path: Path) -> AsyncIterator[str]:
    """Return where a backend reaches PostgreSQL through PgBouncer."""
    await write_server(postgresql, {**EMPTY, "unions": [union("u1")]})
    with pgbouncer(postgresql, tmp_path) as port:
        yield postgresql.at(port)


@pytest.fixture
async def backend(url: str) -> AsyncIterator[SqlBackend]:
    """Make a backend that reaches PostgreSQL through PgBouncer."""
    backend = SqlBackend(DATABASE, url, server=_OPTIONS)
    yield backend
    await backend.close()


async def _unions(backend: SqlBackend) -> list[object]:
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    return [row[0] for row in batch.by_key[AN].rows]


async def test_many_callers_share_few_connections(backend: SqlBackend) -> None:
    assert await asyncio.gather(*(_unions(backend) for _ in range(50))) == [["u1"]] * 50
    await backend.ping()


async def test_lookups_asked_for_at_once_are_answered_at_once(backend: SqlBackend) -> None:
    fetches = [(UNIONS, UNIONS.lookups[0]), (THINGS, THINGS.lookups[0])]
    for _ in range(12):  # often enough to go as one statement
        unions, things = await asyncio.gather(*(backend.fetch(*fetch, [AN]) for fetch in fetches))
    assert [row[0] for row in unions.by_key[AN].rows] == ["u1"]
    assert things.by_key[AN].rows == ()


async def test_cancelled_callers_leave_no_transaction_behind(
    backend: SqlBackend, postgresql: Server
) -> None:
    for turns in range(0, 60, 3):
        fetches = [asyncio.create_task(_unions(backend)) for _ in range(6)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
    assert await asyncio.gather(*(_unions(backend) for _ in range(8))) == [["u1"]] * 8
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state"
    assert await postgresql.value(f"{statement} LIKE 'idle in transaction%'") == 0


async def test_statements_only_read_and_end_in_time(backend: SqlBackend, url: str) -> None:
    async def run(backend: SqlBackend, statement: str) -> None:
        async with backend._source.use() as session:
            assert isinstance(session, PostgresqlSession)
            async with session.bounded():
                await session.connection.execute(statement)

    with pytest.raises(SourceUnavailable, match="ReadOnly"):
        await run(backend, "INSERT INTO unions (event_id) VALUES ('u2')")
    impatient = SqlBackend(DATABASE, url, server=_IMPATIENT)
    with pytest.raises(SourceUnavailable, match="QueryCanceled"):
        await run(impatient, "SELECT pg_sleep(60)")
    await impatient.close()


async def test_the_bounds_are_proven_where_they_count(backend: SqlBackend) -> None:
    assert {finding.topic for finding in (await backend.examine()).findings} == {"role"}
