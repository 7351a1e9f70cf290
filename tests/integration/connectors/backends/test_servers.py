"""Behaviour of servers only: outages, slow statements, roles and comparison of keys.

Covers ``connectors.backends.server``, ``connectors.backends.mariadb``,
``connectors.backends.mariadb_errors``, ``connectors.backends.postgresql``,
``connectors.backends.postgresql_errors``, ``connectors.backends.calls``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backends.base import NotMapped, SourceUnavailable
from connectors.backends.mariadb import MariadbSession
from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import (
    AN,
    CASES,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    thing,
    union,
)
from tests.support.backend_servers import write_server
from tests.support.copies import Line
from tests.support.servers import HOST, SERVERS, Server

Make = Callable[..., SqlBackend]
#: Seconds that a busy machine may take; what a test is not to wait for takes longer.
_PATIENCE = 30.0

#: A view that finds AN's union, slowly.
_SLOW = {
    "postgresql": "SELECT pg_sleep(60)::text",
    # Not sleep(): that notices by itself when nobody listens any more.
    "mariadb": "SELECT benchmark(1000000000, sha2('x', 512))",
}
_DRIVERS = {"postgresql": "asyncpg", "mariadb": "asyncmy"}
_RUNNING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state = 'active' AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE db = database() "
    "AND command <> 'Sleep' AND id <> connection_id()",
}
_CONNECTED = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE db = database() "
    "AND id <> connection_id()",
}


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> Server:
    """Give a server that holds one union of AN."""
    server: Server = request.getfixturevalue(request.param)
    await write_server(server, {**EMPTY, "unions": [union("u1")]})
    return server


@pytest.fixture
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Make a backend over a server; what was made is closed afterwards."""
    backends: list[SqlBackend] = []

    def make(server: Server, url: str | None = None, **settings: Any) -> SqlBackend:
        options = {
            k: settings.pop(k) for k in list(settings) if k in ServerOptions.__dataclass_fields__
        }
        backends.append(
            SqlBackend(DATABASE, url or server.url, server=ServerOptions(**options), **settings)
        )
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


@asynccontextmanager
async def line_to(server: Server) -> AsyncIterator[Line]:
    """Give a line to the server that can be cut."""
    line = Line(HOST, server.port)
    await line.join()
    try:
        yield line
    finally:
        await line.cut()


async def _unions(backend: SqlBackend, key: str = AN) -> list[object]:
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [key])
    return [row[0] for row in batch.by_key[key].rows]


async def _run(backend: SqlBackend, statement: str) -> None:
    """Run a statement on one of the backend's own connections."""
    async with backend._source.use() as session:
        if isinstance(session, PostgresqlSession):
            await session.connection.execute(statement)
        else:
            assert isinstance(session, MariadbSession)
            await session.connection.execute(sa.text(statement))


async def _wait_for_count(server: Server, statement: str, least: int, most: int) -> None:
    """Wait until a statement of the administrator's gives a number between these."""
    async with asyncio.timeout(_PATIENCE), server.connected() as connection:
        while not least <= await connection.value(statement) <= most:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.002)  # between two looks, not instead of one


async def _until_answered(backend: SqlBackend) -> list[object]:
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                return await _unions(backend)
            except SourceUnavailable:
                await asyncio.sleep(0)


async def _slow_down(server: Server) -> None:
    await server.execute(
        "DROP TABLE unions",
        f"CREATE VIEW unions AS SELECT 'u1' AS event_id, '{AN}' AS one_id, NULL AS other_id, "
        f"NULL AS registered_on, ({_SLOW[server.make]}) AS mood",
    )


# ---- gone and back


async def test_a_server_that_is_not_there_is_unavailable_until_it_is(
    server: Server, make: Make
) -> None:
    async with line_to(server) as line:
        await line.cut()
        backend = make(server, server.at(line.port))
        await backend.open()
        with pytest.raises(SourceUnavailable):
            await _unions(backend)
        with pytest.raises(SourceUnavailable):
            await backend.ping()
        await line.join()
        assert await _until_answered(backend) == ["u1"]
        await backend.ping()


async def test_a_server_that_goes_under_load_is_back_once_it_answers(
    server: Server, make: Make
) -> None:
    async with line_to(server) as line:
        backend = make(server, server.at(line.port))
        assert await asyncio.gather(*(_unions(backend) for _ in range(8))) == [["u1"]] * 8
        fetches = [asyncio.create_task(_unions(backend)) for _ in range(20)]
        await asyncio.sleep(0)
        await line.cut()
        for outcome in await asyncio.gather(*fetches, return_exceptions=True):
            assert outcome == ["u1"] or isinstance(outcome, SourceUnavailable)
        await line.join()
        assert await _until_answered(backend) == ["u1"]
        assert await asyncio.gather(*(_unions(backend) for _ in range(20))) == [["u1"]] * 20
        assert backend.in_use == 0


async def test_connections_that_the_server_closed_while_idle_are_not_used(
    server: Server, make: Make
) -> None:
    async with line_to(server) as line:
        backend = make(server, server.at(line.port))
        await asyncio.gather(*(_unions(backend) for _ in range(8)))
        await line.cut()
        await line.join()
        assert await asyncio.gather(*(_unions(backend) for _ in range(8))) == [["u1"]] * 8


async def test_a_server_that_takes_calls_and_says_nothing_is_unavailable_in_time(
    server: Server, make: Make
) -> None:
    connections = []
    silent = await asyncio.start_server(lambda _reader, writer: connections.append(writer), HOST, 0)
    url = server.at(silent.sockets[0].getsockname()[1])
    patient = make(server, url, connect_timeout=_PATIENCE)
    waiting = asyncio.create_task(_unions(patient))
    async with asyncio.timeout(_PATIENCE):
        while not connections:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.002)  # between two looks, not instead of one
    with pytest.raises(SourceUnavailable):
        await _unions(make(server, url, connect_timeout=0.2))
    assert not waiting.done(), "the time is that of the settings"
    waiting.cancel()
    silent.close()
    for writer in connections:
        writer.transport.abort()


# ---- many at once, cancelled, closed


async def test_more_fetches_than_connections_are_all_answered(server: Server, make: Make) -> None:
    backend = make(server, pool_size=2)
    assert await asyncio.gather(*(_unions(backend) for _ in range(50))) == [["u1"]] * 50
    assert backend.in_use == 0
    await _wait_for_count(
        server, _CONNECTED[server.make], 2, 2
    )  # those of other tests may just end


async def test_a_caller_that_leaves_does_so_at_once_and_its_statement_ends(
    server: Server, make: Make
) -> None:
    await _slow_down(server)
    backend = make(server, pool_size=2, statement_timeout=60)
    fetches = [asyncio.create_task(_unions(backend)) for _ in range(4)]
    await _wait_for_count(server, _RUNNING[server.make], 2, 2)
    for fetch in fetches:
        fetch.cancel()
    async with asyncio.timeout(_PATIENCE):  # the statement takes longer
        results = await asyncio.gather(*fetches, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    await _wait_for_count(server, _RUNNING[server.make], 0, 0)
    batch = await backend.fetch(THINGS, THINGS.lookups[0], [AN])  # the connections are free again
    assert batch.by_key[AN].rows == ()


async def test_fetches_cancelled_anywhere_leave_no_connection_behind(
    server: Server, make: Make
) -> None:
    backend = make(server)
    for turns in range(30):  # each is cancelled a little later on its way than the one before
        fetches = [asyncio.create_task(_unions(backend)) for _ in range(20)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
    async with asyncio.timeout(_PATIENCE):
        while backend.in_use:  # noqa: ASYNC110 - nothing tells when, and nothing sleeps
            await asyncio.sleep(0)
    assert await asyncio.gather(*(_unions(backend) for _ in range(8))) == [["u1"]] * 8
    await _wait_for_count(server, _CONNECTED[server.make], 0, 4)  # those of others may just end


async def test_a_server_that_vanishes_does_not_hold_those_who_leave(
    server: Server, make: Make
) -> None:
    await _slow_down(server)
    async with line_to(server) as line:
        backend = make(server, server.at(line.port), pool_size=1, connect_timeout=0.3)
        fetch = asyncio.create_task(_unions(backend))
        await _wait_for_count(server, _RUNNING[server.make], 1, 1)
        line.refuse()
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        async with asyncio.timeout(_PATIENCE):  # the statement takes longer
            await backend.close()


async def test_closing_waits_for_what_is_in_flight_and_leaves_no_connection(
    server: Server, make: Make
) -> None:
    backend = make(server)
    fetch = asyncio.create_task(_unions(backend))
    await asyncio.sleep(0)
    await backend.close()
    assert await fetch == ["u1"]
    await _wait_for_count(server, _CONNECTED[server.make], 0, 0)
    with pytest.raises(SourceUnavailable):
        await _unions(backend)


# ---- only read, and not for long


async def test_the_server_refuses_to_be_written_to(server: Server, make: Make) -> None:
    backend = make(server)
    for write in ("INSERT INTO unions (event_id) VALUES ('u2')", "CREATE TABLE mine (x int)"):
        with pytest.raises(SourceUnavailable, match=r"ReadOnly|1792"):
            await _run(backend, write)
    assert await _unions(backend) == ["u1"]


async def test_the_server_ends_a_statement_that_runs_too_long(server: Server, make: Make) -> None:
    await _slow_down(server)
    backend = make(server, statement_timeout=0.1)
    with pytest.raises(SourceUnavailable, match=r"QueryCanceled|1969"):
        await _unions(backend)
    assert (await backend.fetch(THINGS, THINGS.lookups[0], [AN])).by_key[AN].rows == ()


async def test_the_reason_names_no_value(server: Server, make: Make) -> None:
    await server.execute("ALTER TABLE unions DROP COLUMN mood")
    with pytest.raises(SourceUnavailable, match=r"^(UndefinedColumnError|OperationalError 1054)$"):
        await _unions(make(server))


async def test_a_table_that_comes_later_is_found(server: Server, make: Make) -> None:
    await server.execute("ALTER TABLE unions RENAME TO aside")
    backend = make(server)
    with pytest.raises(NotMapped):
        await _unions(backend)
    await server.execute("ALTER TABLE aside RENAME TO unions")
    assert await _unions(backend) == ["u1"]


async def test_what_is_to_be_encrypted_never_goes_in_the_clear(server: Server, make: Make) -> None:
    on = {"postgresql": "SELECT current_setting('ssl')", "mariadb": "SELECT @@have_ssl"}
    encrypts = await server.value(on[server.make]) in {"on", "YES"}
    backend = make(server, tls="require")
    if encrypts:
        assert await _unions(backend) == ["u1"]
        return
    with pytest.raises(SourceUnavailable):
        await _unions(backend)


async def test_a_server_that_nobody_vouches_for_is_unavailable(server: Server, make: Make) -> None:
    with pytest.raises(SourceUnavailable):
        await _unions(make(server, tls="verify"))


#: The same moment, in types that know a zone and in types that know none.
_MOMENTS = {
    "postgresql": [
        ("timestamptz", "2024-02-29 17:30:00+00"),
        ("timestamp", "2024-03-01 00:30:00"),
    ],
    "mariadb": [("timestamp", "2024-02-29 17:30:00"), ("datetime", "2024-03-01 00:30:00")],
}


@pytest.mark.parametrize("place", [0, 1], ids=["with zone", "without"])
async def test_moments_and_days_of_the_servers_own_types_are_read(
    server: Server, make: Make, place: int
) -> None:
    kind, text = _MOMENTS[server.make][place]
    await write_server(server, {"things": [thing("t1")]})
    utc = "SET time_zone = '+00:00'" if server.make == "mariadb" else "SET TIME ZONE 'UTC'"
    await server.execute(
        utc,
        *(f"ALTER TABLE things DROP COLUMN {name}" for name in ("moment", "day")),
        *(f"ALTER TABLE things ADD COLUMN {name} {kind} NULL" for name in ("moment", "day")),
        f"UPDATE things SET moment = '{text}', day = '{text}'",
    )
    backend = make(server, maps={"things": RecordMap()}, zone="Asia/Ho_Chi_Minh")
    (row,) = (await backend.fetch(THINGS, THINGS.lookups[0], [AN])).by_key[AN].rows
    values = [row[THINGS.positions[name]] for name in ("moment", "day")]
    assert values == [datetime(2024, 2, 29, 17, 30, tzinfo=UTC), date(2024, 3, 1)]


# ---- what is compared


@pytest.mark.parametrize(
    "stored", ["Hòa", "hòa", "HOA", "hoa ", " hoa", "hoà", "hoa\u0301", "ｈｏａ"]
)
async def test_a_key_finds_its_own_letters_only(server: Server, make: Make, stored: str) -> None:
    similar = [union(f"a{n}", stored) for n in range(9)]  # more than the limit, and first in order
    union_of_both = union(
        "b", stored, "hoa"
    )  # found by its second column, though the first is much alike
    await write_server(server, {"unions": [*similar, union_of_both, union("c", "hoa")]})
    batch = await make(server).fetch(UNIONS, UNIONS.lookups[0], ["hoa"])
    result = batch.by_key["hoa"]
    # "hoa" is no number of a person, so the two rows are unreadable; but they were found.
    assert (result.rows, result.unreadable, result.truncated) == ((), 2, False)


async def test_rows_are_reached_through_their_own_letters_only(server: Server, make: Make) -> None:
    rows = {
        "cases": [{"case_no": "a1"}, {"case_no": "A1"}, {"case_no": "Á1"}],
        "case_parties": [
            {"party_no": "p", "case_no": "A1", "who_id": AN},
            {"party_no": "q", "case_no": "a1", "who_id": "002090000001"},
        ],
    }
    await write_server(server, rows)
    batch = await make(server).fetch(CASES, CASES.lookups[0], [AN])
    assert [row[0] for row in batch.by_key[AN].rows] == ["A1"]


async def test_numbers_in_padded_columns_are_found_and_read(server: Server, make: Make) -> None:
    await write_server(server, {"unions": [union("u1", "012345678")]})
    change = "ALTER COLUMN one_id TYPE" if server.make == "postgresql" else "MODIFY one_id"
    await server.execute(f"ALTER TABLE unions {change} char(12)")
    batch = await make(server).fetch(UNIONS, UNIONS.lookups[0], ["012345678"])
    assert [row[1] for row in batch.by_key["012345678"].rows] == ["012345678"]


@pytest.mark.parametrize("kind", ["bigint", "decimal(12)", "double precision"])
async def test_numbers_of_people_kept_without_their_zeros_are_no_empty_answer(
    server: Server, make: Make, kind: str
) -> None:
    columns = f"event_id varchar(9), one_id {kind}, other_id {kind}, registered_on date, mood text"
    await server.execute(
        "DROP TABLE unions",
        f"CREATE TABLE unions ({columns})",
        f"INSERT INTO unions VALUES ('u1', {AN}, NULL, NULL, NULL)",
    )
    with pytest.raises(SourceUnavailable):
        await _unions(make(server))


async def test_keys_that_are_whole_numbers_at_the_source_are_found(
    server: Server, make: Make
) -> None:
    await server.execute(
        "DROP TABLE case_parties",
        "CREATE TABLE case_parties "
        "(id bigint, vu_viec int, who_id varchar(12), for_id varchar(12))",
        f"INSERT INTO case_parties VALUES (1, 7, '{AN}', NULL), (2, 8, NULL, NULL)",
    )
    record = DATABASE.by_name["case_parties"]
    maps = {"case_parties": RecordMap(columns={"party_no": "id", "case_no": "vu_viec"})}
    keys = ["7", "007", "9", "99999999999", "x"]
    batch = await make(server, maps=maps).fetch(record, record.lookups[0], keys)
    rows_by_key = {key: [row[:2] for row in rows.rows] for key, rows in batch.by_key.items()}
    assert rows_by_key == {"7": [("1", "7")], "007": [], "9": [], "99999999999": [], "x": []}


async def test_a_key_that_no_database_could_hold_finds_nothing(server: Server, make: Make) -> None:
    batch = await make(server).fetch(UNIONS, UNIONS.lookups[0], ["\0", "\ud800", AN])
    assert [len(rows.rows) for rows in batch.by_key.values()] == [0, 0, 1]


async def test_every_column_of_a_lookup_is_searched_by_its_index(
    server: Server, make: Make
) -> None:
    people = [union(f"u{n}", f"{n:012d}", f"{n + 9999:012d}") for n in range(2000)]
    await write_server(server, {"unions": people})
    backend = make(server)
    text = _server_log(backend, server)
    if server.make == "postgresql":
        await server.execute("ANALYZE unions")
        plan = str(await server.value(f"EXPLAIN (FORMAT JSON) {text}"))
        assert "Seq Scan" not in plan
    else:
        await server.execute("ANALYZE TABLE unions")
        plan = str(await server.value(f"EXPLAIN FORMAT=JSON {text}"))
        ways = re.findall(r'"table_name": "unions",\s+"access_type": "(\w+)"', plan)
        assert ways == ["range", "range"]
    assert "ix_unions_1" in plan
    assert "ix_unions_2" in plan


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
async def test_statements_are_not_planned_anew_for_every_call(server: Server, make: Make) -> None:
    backend = make(server, pool_size=1)
    for _ in range(3):
        assert await _unions(backend) == ["u1"]
    async with backend._source.use() as session:
        assert isinstance(session, PostgresqlSession)
        plans = await session.connection.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
            "WHERE statement LIKE '%unions%' AND statement NOT LIKE '%generic_plans%'"
        )
    assert [tuple(plan) for plan in plans] == [(3, 0)]


def _server_log(backend: SqlBackend, server: Server) -> str:
    """Return the statement for two people as it is sent."""
    lookup = backend._lookup_statement(UNIONS, UNIONS.lookups[0])
    dialect = sa.make_url(f"{server.make}+{_DRIVERS[server.make]}://").get_dialect()()
    statement = lookup.statement
    if server.make == "mariadb":
        statement = statement.params(keys=[AN, "000000000007"])
    text = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return text.replace("$1", f"ARRAY['{AN}', '000000000007']")


# ---- the source's own statement


async def test_a_statement_is_read_again_after_ten_seconds(server: Server, make: Make) -> None:
    five, six = (datetime(2026, 11, 1, hour, tzinfo=UTC) for hour in (5, 6))
    await write_server(server, EMPTY, five)
    now = 100.0
    backend = make(server, monotonic=lambda: now)

    async def stated() -> datetime | None:
        return (await backend.fetch(THINGS, THINGS.lookups[0], [AN])).as_of

    assert await stated() == five
    await server.execute(f"UPDATE source_statement SET as_of = '{six.isoformat()}'")
    now += 9.9
    assert await stated() == five
    now += 0.1
    assert await stated() == six
