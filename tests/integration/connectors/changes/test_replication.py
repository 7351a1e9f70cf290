"""Servers that write their rows from another's log have to say how fresh they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from connectors.backends.base import SourceUnavailable
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.changes.outbox_tables import outbox_statements
from connectors.changes.watermark import WatermarkOptions, WatermarkSource
from tests.support.backend_samples import AN, BINH, DATABASE, union
from tests.support.change_owners import ServerOwner
from tests.support.server_processes import (
    galera_process,
    postgresql_process,
    postgresql_standby_process,
)
from tests.support.servers import Server, run_in_thread

pytestmark = pytest.mark.services
OUTBOX = "justice_gateway_outbox"
#: What a server shows that took something over from another.
AFTER_REPLICATION = "SET GLOBAL gtid_slave_pos = '7-7-7'"


@asynccontextmanager
async def follow_moments(
    owner: ServerOwner, record: str = "unions"
) -> AsyncIterator[WatermarkSource]:
    options = WatermarkOptions(column="updated", records=(record,), overlap=60.0)
    source = WatermarkSource(DATABASE, owner.url, options)
    yield source
    await source.close()


@asynccontextmanager
async def follow_outbox(
    owner: ServerOwner, overlap: float | None = None, by_triggers: bool = True
) -> AsyncIterator[OutboxSource]:
    options = OutboxOptions(records=("unions",), overlap=overlap, by_triggers=by_triggers)
    source = OutboxSource(DATABASE, owner.url, options)
    yield source
    await source.close()


@asynccontextmanager
async def statement(owner: ServerOwner) -> AsyncIterator[None]:
    """Have the server say how fresh it is."""
    kind = "timestamptz" if owner.make == "postgresql" else "varchar(40)"
    await owner.run(
        f"CREATE TABLE source_statement (as_of {kind})",
        "INSERT INTO source_statement VALUES ('2026-11-29T17:00:00+00:00')",
    )
    try:
        yield
    finally:
        await owner.run("DROP TABLE source_statement")


@asynccontextmanager
async def subscription(owner: ServerOwner, table: str) -> AsyncIterator[None]:
    """Have a subscription write a table, as far as the catalogue says."""
    await owner.run(
        "CREATE SUBSCRIPTION copy CONNECTION '' PUBLICATION p WITH (connect = false)",
        f"INSERT INTO pg_subscription_rel SELECT oid, CAST('{table}' AS regclass), 'r', NULL "
        "FROM pg_subscription WHERE subname = 'copy'",
    )
    try:
        yield
    finally:
        await owner.run("ALTER SUBSCRIPTION copy SET (slot_name = NONE)", "DROP SUBSCRIPTION copy")


@pytest.mark.parametrize("is_read_only", [0, 1], ids=["takes_writes", "read_only"])
async def test_a_server_of_mariadb_that_was_a_replica_has_to_say_how_fresh_it_is(
    mariadb: Server, is_read_only: int
) -> None:
    owner = ServerOwner(mariadb)
    await owner.set_up(["updated timestamp(6) NULL"])
    async with follow_moments(owner) as source:
        assert await source.start()
        try:
            await owner.run(AFTER_REPLICATION, f"SET GLOBAL read_only = {is_read_only}")
            with pytest.raises(SourceUnavailable, match="replica"):
                await source.start()
            async with statement(owner):
                page = await source.read(await source.start(), 10)
            assert page.complete_until == datetime(2026, 11, 29, 16, 59, tzinfo=UTC)
        finally:
            await owner.run("SET GLOBAL gtid_slave_pos = ''", "SET GLOBAL read_only = 0")
        assert await source.start()


@pytest.fixture(scope="module")
def galera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a node of a cluster of MariaDB, the only one."""
    process = galera_process(tmp_path_factory.mktemp("galera") / "server")
    process.start()
    server = Server("mariadb", process.port, "root", "sample")
    try:
        run_in_thread(server.execute("CREATE DATABASE sample", database=""))
        yield server
    finally:
        process.kill()


async def test_a_node_of_a_cluster_of_mariadb_has_to_say_how_fresh_it_is(galera: Server) -> None:
    owner = ServerOwner(galera)
    await owner.set_up(["updated timestamp(6) NULL"])
    await owner.run(*outbox_statements(DATABASE, owner.make, records=["unions"]))
    for follow in (follow_moments, follow_outbox):
        async with follow(owner) as source:
            with pytest.raises(SourceUnavailable, match="node of a cluster"):
                await source.start()
    async with statement(owner):
        async with follow_moments(owner) as moments:
            assert await moments.start()
        async with follow_outbox(owner) as outbox:  # other nodes may have transactions open
            with pytest.raises(SourceUnavailable, match="set overlap"):
                await outbox.start()
        async with follow_outbox(owner, overlap=60.0) as outbox:
            page = await outbox.read(await outbox.start(), 10)
            assert page.complete_until == datetime(2026, 11, 29, 17, tzinfo=UTC)


async def test_a_table_that_a_subscription_writes_has_to_say_how_fresh_it_is(
    postgresql: Server,
) -> None:
    owner = ServerOwner(postgresql)
    await owner.set_up(["updated timestamptz"])
    async with subscription(owner, "unions"):
        async with follow_moments(owner) as source:
            with pytest.raises(SourceUnavailable, match="subscription"):
                await source.start()
        async with follow_moments(owner, "things") as source:
            assert await source.start()
        async with statement(owner), follow_moments(owner) as source:
            assert await source.start()


@pytest.mark.parametrize(
    ("whole", "part", "written"),
    [("unions", "unions_part", "unions_part"), ("unions_whole", "unions", "unions_whole")],
    ids=["partition", "partitioned"],
)
async def test_a_subscription_that_writes_partitions_or_what_they_belong_to_is_recognised(
    postgresql: Server, whole: str, part: str, written: str
) -> None:
    owner = ServerOwner(postgresql)
    await owner.set_up(["updated timestamptz"])
    await owner.run(
        "ALTER TABLE unions RENAME TO unions_former",
        f"CREATE TABLE {whole} (LIKE unions_former) PARTITION BY LIST (event_id)",
        f"CREATE TABLE {part} PARTITION OF {whole} DEFAULT",
        "DROP TABLE unions_former",
    )
    async with follow_moments(owner) as source:
        assert await source.start()
        async with subscription(owner, written):
            with pytest.raises(SourceUnavailable, match="subscription"):
                await source.start()


@pytest.mark.parametrize("written", ["unions", OUTBOX], ids=["record", "outbox"])
async def test_an_outbox_of_what_a_subscription_writes_has_to_say_how_fresh_it_is(
    postgresql: Server, written: str
) -> None:
    owner = ServerOwner(postgresql)
    await owner.set_up()
    await owner.run(*outbox_statements(DATABASE, owner.make, records=["unions"]))
    async with follow_outbox(owner, by_triggers=False) as source:
        checkpoint = await source.start()
        async with subscription(owner, written):
            with pytest.raises(SourceUnavailable, match="subscription"):
                await source.start()
            with pytest.raises(SourceUnavailable, match="subscription"):
                await source.read(checkpoint, 10)
            async with statement(owner):
                page = await source.read(checkpoint, 10)
        assert page.complete_until == datetime(2026, 11, 29, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def standby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Give a primary of PostgreSQL with the sample database, and its standby."""
    folder = tmp_path_factory.mktemp("standby")
    processes = [postgresql_process(folder / "primary")]
    processes[0].start()
    primary = Server("postgresql", processes[0].port, "postgres", "sample")
    try:
        run_in_thread(primary.execute("CREATE DATABASE sample", database=""))
        processes.append(postgresql_standby_process(folder / "standby", processes[0]))
        processes[1].start()
        yield primary, Server("postgresql", processes[1].port, "postgres", "sample")
    finally:
        for process in processes[::-1]:
            process.kill()


async def test_an_outbox_on_a_standby_tells_what_can_be_read_there(
    standby: tuple[Server, Server],
) -> None:
    """A change is told once its row is replayed: nobody reads the former row after that."""
    primary, replica = standby
    owner = ServerOwner(primary)
    await owner.set_up()
    await owner.run(*outbox_statements(DATABASE, owner.make, records=["unions"]))
    await owner.insert("unions", union("u1", AN))
    async with follow_outbox(ServerOwner(replica)) as source:
        await replayed(primary, replica)
        checkpoint = await source.start()
        await replica.execute("SELECT pg_wal_replay_pause()")
        await owner.update("unions", union("u1", BINH))
        committed = await primary.value("SELECT max(committed_at) FROM justice_gateway_outbox")
        page = await source.read(checkpoint, 10)
        assert (page.changes, page.has_more) == ([], False)
        assert page.complete_until is not None
        assert page.complete_until < committed
        await replica.execute("SELECT pg_wal_replay_resume()")
        async with asyncio.timeout(60):
            while not page.changes:
                page = await source.read(checkpoint, 10)
        assert await replica.value("SELECT one_id FROM unions") == BINH
        assert len(page.changes) == 1


async def replayed(primary: Server, replica: Server) -> None:
    """Wait until the standby has all that the primary has committed."""
    end = await primary.value("SELECT pg_current_wal_lsn()::text")
    async with asyncio.timeout(60):
        while not await replica.value(f"SELECT pg_last_wal_replay_lsn() >= '{end}'"):
            continue
