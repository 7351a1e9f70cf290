"""On real databases, a revoked right or a dropped table is UNAVAILABLE, not NOT_OPERATING."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.backends.base import Backend, NotMapped, SourceRefused
from connectors.backends.memory import MemoryBackend
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.xroad.stand_in import Behaviour, StandIn
from gateway.answer import State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.backend_samples import (
    AN,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    thing,
    union,
    write_file,
)
from tests.support.backend_servers import write_server
from tests.support.servers import SERVERS, Server
from tests.support.xroad import NAMES, over_xroad

_SECRET = "chìa khóa"
_ROWS = {**EMPTY, "unions": [union("u1")], "things": [thing("t1")]}


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> Server:
    """Give a server that holds the sample's tables."""
    server: Server = request.getfixturevalue(request.param)
    await write_server(server, _ROWS)
    return server


@pytest.fixture
async def reader(server: Server) -> AsyncIterator[str]:
    """Make a user who may read each table, by rights that can be revoked one by one."""
    name = f"reader_{secrets.token_hex(4)}"
    if server.make == "postgresql":
        await server.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{_SECRET}'",
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
        )
        yield name
        await server.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
        return
    grants = (f"GRANT SELECT ON {table} TO {name}@'%'" for table in _ROWS)
    await server.execute(f"CREATE USER {name}@'%' IDENTIFIED BY '{_SECRET}'", *grants)
    yield name
    await server.execute(f"DROP USER {name}@'%'")


def _source(backend: Backend) -> Source:
    return Source(DATABASE, backend, DatabaseSettings(timeout=120), SystemClock())


def _backend(server: Server, user: str) -> SqlBackend:
    options = ServerOptions(password=lambda: _SECRET)
    return SqlBackend(DATABASE, server.at(server.port, user), server=options)


async def _states(source: Source) -> list[State]:
    """Return the states of AN's unions and things."""
    states = []
    for record in (UNIONS, THINGS):
        (answer,) = await source.fetch(Read(record, record.lookups[0]), [AN], 20)
        states.append(answer.report.state)
    return states


@pytest.mark.services
async def test_a_schema_that_may_no_longer_be_used_is_unavailable(postgresql: Server) -> None:
    await write_server(postgresql, _ROWS)
    name = f"reader_{secrets.token_hex(4)}"
    await postgresql.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD '{_SECRET}'",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
        "REVOKE USAGE ON SCHEMA public FROM public",
    )
    backend = _backend(postgresql, name)
    source = _source(backend)
    try:  # from the start on: nothing was ever read, and the table is there all the same
        assert [await _states(source) for _ in range(8)] == [[State.UNAVAILABLE] * 2] * 8
        assert source.breaker.state is BreakerState.CLOSED
        findings = {
            (finding.topic, finding.advice) for finding in (await backend.examine()).findings
        }
        assert findings == {("tables", "GRANT USAGE ON its schema to the role")}
        await postgresql.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        assert await _states(source) == [State.ANSWERED] * 2
        await postgresql.execute(f"REVOKE USAGE ON SCHEMA public FROM {name}")
        assert await _states(source) == [State.UNAVAILABLE] * 2
    finally:
        await backend.close()
        await postgresql.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


async def test_a_table_that_may_no_longer_be_read_is_unavailable_and_opens_no_breaker(
    server: Server, reader: str
) -> None:
    backend = _backend(server, reader)
    source = _source(backend)
    assert await _states(source) == [State.ANSWERED] * 2
    user = reader if server.make == "postgresql" else f"{reader}@'%'"
    await server.execute(f"REVOKE SELECT ON unions FROM {user}")
    with pytest.raises(SourceRefused):
        await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    states = [await _states(source) for _ in range(30)]
    assert states == [[State.UNAVAILABLE, State.ANSWERED]] * 30
    assert source.breaker.state is BreakerState.CLOSED
    await backend.close()


async def test_a_dropped_table_is_unavailable(server: Server, reader: str) -> None:
    backend = _backend(server, reader)
    source = _source(backend)
    assert await _states(source) == [State.ANSWERED] * 2
    await server.execute("DROP TABLE unions")
    assert await _states(source) == [State.UNAVAILABLE, State.ANSWERED]
    await backend.close()


async def test_a_table_that_was_seen_at_the_start_and_dropped_is_unavailable(
    server: Server, reader: str
) -> None:
    backend = _backend(server, reader)
    source = _source(backend)
    source.tables.note_examined(await backend.examine())
    await server.execute("DROP TABLE unions")
    assert await _states(source) == [State.UNAVAILABLE, State.ANSWERED]
    await backend.close()


async def test_a_table_dropped_from_a_file_is_unavailable(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sample.sqlite", _ROWS)
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    source = _source(backend)
    source.tables.note_examined(await backend.examine())
    assert await _states(source) == [State.ANSWERED] * 2
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TABLE unions")
    assert await _states(source) == [State.UNAVAILABLE, State.ANSWERED]
    await backend.close()


async def test_a_record_that_a_provider_no_longer_keeps_is_unavailable() -> None:
    provider = StandIn(DATABASE, MemoryBackend(DATABASE, _ROWS), *NAMES)
    backend = over_xroad(provider, shared=True)
    source = _source(backend)
    assert await _states(source) == [State.ANSWERED] * 2
    provider.backend = MemoryBackend(DATABASE, {"things": _ROWS["things"]})
    with pytest.raises(NotMapped):
        await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    assert await _states(source) == [State.UNAVAILABLE, State.ANSWERED]
    provider.behaviour = Behaviour(error="server.serverproxy.unknown_service")
    assert await _states(source) == [State.UNAVAILABLE] * 2
    await backend.close()
