"""Outboxes on real servers: transactions that commit late, and rows that are gone.

Covers ``connectors.changes.outbox_rows``, ``connectors.changes.sequence_order``,
``connectors.changes.sql_reader``, ``connectors.changes.transaction_order``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncmy
import asyncpg
import pytest

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import (
    Change,
    ChangeOperation,
    ChangePage,
    CheckpointLost,
    UnreadableChange,
)
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.changes.outbox_tables import outbox_statements, purge_statement
from tests.support.backend_samples import DATABASE, UNIONS, union
from tests.support.change_owners import FileOwner, ServerOwner, SqlOwner
from tests.support.servers import HOST, SERVERS, Server

OUTBOX = "justice_gateway_outbox"


@asynccontextmanager
async def follow(owner: SqlOwner, **options: Any) -> AsyncIterator[OutboxSource]:
    options = {"records": ("unions",), **options}
    source = OutboxSource(DATABASE, owner.url, OutboxOptions(**options))
    yield source
    await source.close()


async def set_up(owner: FileOwner | ServerOwner) -> None:
    await owner.set_up()
    await owner.run(*outbox_statements(DATABASE, owner.make, records=["unions"]))


@pytest.fixture(params=SERVERS)
async def owner(request: pytest.FixtureRequest) -> ServerOwner:
    owner = ServerOwner(request.getfixturevalue(request.param))
    await set_up(owner)
    return owner


@asynccontextmanager
async def transaction(server: Server) -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
    """Run statements in a transaction that commits at the end of the block."""
    if server.make == "postgresql":
        pg = await asyncpg.connect(
            host=HOST, port=server.port, user=server.user, database=server.name
        )
        try:
            async with pg.transaction():
                yield pg.execute
        finally:
            await pg.close()
        return
    mariadb: Any = await asyncmy.connect(
        host=HOST, port=server.port, user=server.user, database=server.name
    )
    try:
        async with mariadb.cursor() as cursor:
            yield cursor.execute
        await mariadb.commit()
    finally:
        await mariadb.ensure_closed()


async def roll_back(server: Server, statement: str) -> None:
    async with transaction(server) as execute:
        await execute(statement)
        raise ZeroDivisionError


def ids(*pages: ChangePage) -> list[str]:
    return [c.identity for page in pages for c in page.changes if isinstance(c, Change)]


def insert(event_id: str) -> str:
    return f"INSERT INTO unions (event_id) VALUES ('{event_id}')"


async def test_a_transaction_that_commits_late_is_not_missed(owner: ServerOwner) -> None:
    async with follow(owner) as source:
        checkpoint = await source.start()
        async with transaction(owner.server) as execute:
            await execute(insert("early"))
            await owner.run(insert("late"))
            meanwhile = await source.read(checkpoint, 10)
            assert "early" not in ids(meanwhile)
        after = await source.read(meanwhile.checkpoint, 10)
        while after.has_more:
            after = await source.read(after.checkpoint, 10)
        assert "early" in ids(after)
        assert set(ids(meanwhile, after)) == {"early", "late"}


async def test_what_commits_late_is_committed_after_all_that_is_said_to_be_complete(
    owner: ServerOwner,
) -> None:
    async with follow(owner) as source:
        checkpoint = await source.start()
        async with transaction(owner.server) as execute:
            await execute(insert("early"))
            await owner.run(insert("late"))
            meanwhile = await source.read(checkpoint, 10)
            still_open = datetime.now(UTC)
        assert meanwhile.complete_until is not None
        assert meanwhile.complete_until <= still_open
        if "late" not in ids(meanwhile):
            page = await source.read(meanwhile.checkpoint, 10)
            (late,) = [c for c in page.changes if isinstance(c, Change) and c.identity == "late"]
            assert late.committed_at is not None
            assert meanwhile.complete_until <= late.committed_at


async def test_what_is_rolled_back_holds_nobody_up(owner: ServerOwner) -> None:
    async with follow(owner) as source:
        checkpoint = await source.start()
        with pytest.raises(ZeroDivisionError):
            await roll_back(owner.server, insert("never"))
        await owner.run(insert("u1"))
        page = await source.read(checkpoint, 10)
        assert (ids(page), page.has_more) == (["u1"], False)


async def test_a_transaction_open_when_the_source_starts_is_not_missed(
    owner: ServerOwner,
) -> None:
    async with follow(owner) as source:
        async with transaction(owner.server) as execute:
            await execute(insert("early"))
            await owner.run(insert("late"))
            checkpoint = await source.start()
        page = await source.read(checkpoint, 10)
        while page.has_more:
            page = await source.read(page.checkpoint, 10)
        assert "early" in ids(page)


async def test_a_transaction_of_mariadb_that_is_open_for_whatever_time_is_not_missed(
    mariadb: Server,
) -> None:
    owner = ServerOwner(mariadb)
    await set_up(owner)
    async with follow(owner) as source:
        checkpoint = await source.start()
        async with transaction(mariadb) as execute:
            await execute(insert("early"))
            await owner.run(insert("late"))
            page = await source.read(checkpoint, 10)
            # As if it had been open for hours: what was read since is older than any overlap.
            place, _, mark = page.checkpoint.partition("#")
            floor, top, number, written, *more = place.split(":")
            earlier = "committed_at = committed_at - INTERVAL 5 HOUR"
            await owner.run(f"UPDATE {OUTBOX} SET {earlier} WHERE id = {top}")
            written = str(int(written) - 5 * 3_600_000_000)
            place = ":".join((floor, top, number, written, *more))
            page = await source.read(f"{place}#{mark}", 10)
            page = await source.read(page.checkpoint, 10)
        pages = [await source.read(page.checkpoint, 10)]
        while pages[-1].has_more:
            pages.append(await source.read(pages[-1].checkpoint, 10))
        assert "early" in ids(*pages)


async def test_mariadb_is_not_followed_where_open_transactions_cannot_be_seen(
    mariadb: Server,
) -> None:
    owner = ServerOwner(mariadb)
    await set_up(owner)
    await owner.run(f"DROP VIEW {OUTBOX}_transactions")
    async with follow(owner) as source:
        with pytest.raises(SourceUnavailable, match="open transactions"):
            await source.start()
    async with follow(owner, overlap=60.0) as source:  # its owner answers for it
        page = await source.read(await source.start(), 10)
        assert page.complete_until is not None


@pytest.fixture(params=["sqlite", *SERVERS])
async def any_owner(request: pytest.FixtureRequest, tmp_path: Path) -> FileOwner | ServerOwner:
    if request.param == "sqlite":
        owner: FileOwner | ServerOwner = FileOwner(tmp_path / "sample.sqlite")
    else:
        owner = ServerOwner(request.getfixturevalue(request.param))
    await set_up(owner)
    return owner


async def test_an_older_copy_that_was_restored_is_noticed(
    any_owner: FileOwner | ServerOwner,
) -> None:
    async with follow(any_owner) as source:
        checkpoint = await source.start()
        await any_owner.run(insert("u1"), insert("u2"))
        page = await source.read(checkpoint, 10)
        await any_owner.run(f"DELETE FROM {OUTBOX} WHERE identity = 'u2'")
        with pytest.raises(CheckpointLost):
            await source.read(page.checkpoint, 10)
        assert await source.start()


async def test_a_cluster_restored_from_a_dump_counts_its_transactions_anew(
    postgresql: Server,
) -> None:
    owner = ServerOwner(postgresql)
    await set_up(owner)
    async with follow(owner) as source:
        checkpoint = await source.start()
        await owner.run(insert("u1"))
        checkpoint = (await source.read(checkpoint, 10)).checkpoint
        # The dump has rows of transactions that the new cluster will not reach for long.
        of_old_cluster = "4611686018427387904"
        await owner.run(f"UPDATE {OUTBOX} SET transaction_id = '{of_old_cluster}'", insert("u2"))
        _, _, rest = checkpoint.partition(":")
        with pytest.raises(CheckpointLost):
            await source.read(f"{of_old_cluster}:{rest}", 10)
        checkpoint = await source.start()
        await owner.run(insert("u3"))
        assert ids(await source.read(checkpoint, 10)) == ["u3"]


async def test_what_the_owner_purges_daily_is_not_what_has_to_be_read(
    any_owner: FileOwner | ServerOwner,
) -> None:
    async with follow(any_owner, overlap=0) as source:
        checkpoint = await source.start()
        await any_owner.run(insert("u1"), insert("u2"))
        page = await source.read(checkpoint, 10)
        await any_owner.run(purge_statement(any_owner.make, -1))
        await any_owner.run(insert("u3"))
        assert ids(await source.read(page.checkpoint, 10)) == ["u3"]


async def test_an_emptied_table_is_a_change_of_somebody(postgresql: Server) -> None:
    owner = ServerOwner(postgresql)
    await set_up(owner)
    async with follow(owner) as source:
        checkpoint = await source.start()
        await owner.run("TRUNCATE unions")
        (change,) = (await source.read(checkpoint, 10)).changes
        assert isinstance(change, UnreadableChange)
        assert (change.record, change.fault) == (UNIONS, "the table was emptied")


async def test_rows_of_other_users_of_an_outbox_are_passed_over(
    any_owner: FileOwner | ServerOwner,
) -> None:
    other = f"INSERT INTO {OUTBOX} (record, operation, identity) VALUES ('{{}}', '{{}}', '1')"
    async with follow(any_owner) as source:
        checkpoint = await source.start()
        await any_owner.run(other.format("theirs", "c"), other.format("unions", "h"))
        page = await source.read(checkpoint, 10)
        assert (list(page.changes), page.checkpoint != checkpoint) == ([], True)


async def test_a_copy_is_complete_only_as_far_as_it_says(tmp_path: Path) -> None:
    owner = FileOwner(tmp_path / "sample.sqlite")
    await set_up(owner)
    await owner.run(
        "CREATE TABLE source_statement (as_of text)",
        "INSERT INTO source_statement VALUES ('2026-11-29T17:00:00+00:00')",
    )
    async with follow(owner) as source:
        page = await source.read(await source.start(), 10)
        assert page.complete_until == datetime(2026, 11, 29, 17, tzinfo=UTC)


async def test_a_copy_that_is_being_loaded_is_not_complete_by_the_clock_of_its_server(
    any_owner: FileOwner | ServerOwner,
) -> None:
    kind = "timestamptz" if any_owner.make == "postgresql" else "varchar(40)"
    await any_owner.run(
        f"CREATE TABLE source_statement (as_of {kind})",
        "INSERT INTO source_statement VALUES ('2026-11-29T17:00:00+00:00')",
    )
    try:
        async with follow(any_owner, by_triggers=False) as source:
            checkpoint = await source.start()
            page = await source.read(checkpoint, 10)
            assert page.complete_until == datetime(2026, 11, 29, 17, tzinfo=UTC)
            await any_owner.run("DELETE FROM source_statement")
            for place in (checkpoint, page.checkpoint):
                with pytest.raises(SourceUnavailable, match="no longer says"):
                    await source.read(place, 10)
            await any_owner.run("INSERT INTO source_statement VALUES ('2026-11-30T17:00:00+00:00')")
            page = await source.read(page.checkpoint, 10)
            assert page.complete_until == datetime(2026, 11, 30, 17, tzinfo=UTC)
    finally:
        await any_owner.run("DROP TABLE source_statement")


async def test_an_outbox_that_begins_to_state_its_freshness_goes_on_doing_so(
    tmp_path: Path,
) -> None:
    owner = FileOwner(tmp_path / "sample.sqlite")
    await set_up(owner)
    async with follow(owner, by_triggers=False) as source:
        page = await source.read(await source.start(), 10)
        await owner.run(
            "CREATE TABLE source_statement (as_of text)",
            "INSERT INTO source_statement VALUES ('2026-11-29T17:00:00+00:00')",
        )
        page = await source.read(page.checkpoint, 10)
        await owner.run("DROP TABLE source_statement")
        with pytest.raises(SourceUnavailable, match="no longer says"):
            await source.read(page.checkpoint, 10)
        with pytest.raises(ValueError, match="no checkpoint"):
            await source.read(f"{page.checkpoint}#more", 10)


async def test_a_database_without_an_outbox_is_unavailable_not_unchanged(tmp_path: Path) -> None:
    owner = FileOwner(tmp_path / "sample.sqlite")
    await owner.set_up()
    async with follow(owner) as source:
        with pytest.raises(SourceUnavailable):
            await source.start()
        with pytest.raises(SourceUnavailable):
            await source.read("0:0:0:0:0:0", 10)


async def test_only_the_changes_of_chosen_records_are_read(tmp_path: Path) -> None:
    owner = FileOwner(tmp_path / "sample.sqlite")
    await owner.set_up()
    await owner.run(*outbox_statements(DATABASE, "sqlite"))
    async with follow(owner, records=("unions",)) as source:
        checkpoint = await source.start()
        await owner.insert("unions", union("u1"))
        await owner.insert("things", {"thing_id": "t1"})
        assert ids(await source.read(checkpoint, 10)) == ["u1"]
    with pytest.raises(ValueError, match="keeps no record deaths"):
        OutboxSource(DATABASE, owner.url, OutboxOptions(records=("deaths",)))


async def test_a_former_row_that_cannot_be_read_was_there(tmp_path: Path) -> None:
    owner = FileOwner(tmp_path / "sample.sqlite")
    await set_up(owner)
    async with follow(owner, by_triggers=False) as source:
        checkpoint = await source.start()
        await owner.insert("unions", union("u1"))
        await owner.run(
            f"UPDATE {OUTBOX} SET operation = 'w', row_before = '{{\"event_id\": \"u1\"}}'"
        )
        (change,) = (await source.read(checkpoint, 10)).changes
    assert isinstance(change, Change)
    assert (change.operation, change.before) == (ChangeOperation.UPDATE, None)
