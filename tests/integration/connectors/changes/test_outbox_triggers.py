"""Triggers of outboxes on real servers: what they do not see is never said to be complete.

Covers ``connectors.changes.mariadb_triggers``, ``connectors.changes.postgresql_triggers``,
``connectors.changes.sqlite_triggers``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from connectors.backends.record_maps import RecordMap
from connectors.changes.change import Change, CheckpointLost
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.changes.outbox_tables import outbox_statements
from connectors.changes.outbox_triggers import TriggersMissing
from tests.support.backend_samples import DATABASE
from tests.support.change_owners import FileOwner, ServerOwner
from tests.support.servers import SERVERS, Server

Owner = FileOwner | ServerOwner
OPTIONS = OutboxOptions(records=("unions",))
ALWAYS = ", ".join(
    f"ENABLE ALWAYS TRIGGER justice_gateway_outbox_{name}" for name in ("row", "all")
)


async def set_up(owner: Owner) -> Owner:
    await owner.set_up()
    await owner.run(*statements(owner.make))
    return owner


def statements(make: str) -> list[str]:
    return outbox_statements(DATABASE, make, records=["unions"])


def triggers(make: str) -> list[str]:
    return [each for each in statements(make) if each.startswith("CREATE TRIGGER")]


def name_of(make: str) -> str:
    """Return the trigger of updates."""
    plain = "justice_gateway_outbox"
    return f"{plain}_row" if make == "postgresql" else f"{plain}_unions_u"


def trigger_of(make: str) -> str:
    """Return the statement that makes the trigger of updates."""
    return next(each for each in triggers(make) if f"{name_of(make)}" in each)


async def drop(owner: Owner) -> None:
    on = " ON unions" if owner.make == "postgresql" else ""
    await owner.run(f"DROP TRIGGER {name_of(owner.make)}{on}")


@asynccontextmanager
async def follow(
    owner: Owner,
    options: OutboxOptions = OPTIONS,
    *,
    url: str | None = None,
    clock: Callable[[], float] = monotonic,
) -> AsyncIterator[OutboxSource]:
    source = OutboxSource(DATABASE, url or owner.url, options, monotonic=clock)
    yield source
    await source.close()


class MovingClock:
    """A clock that moves on by a minute each time, so that each read looks at the triggers."""

    def __init__(self, step: float = 60.0) -> None:
        self.step, self.seconds = step, 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


@pytest.fixture(params=["sqlite", *SERVERS])
async def owner(request: pytest.FixtureRequest, tmp_path: Path) -> Owner:
    if request.param == "sqlite":
        return await set_up(FileOwner(tmp_path / "sample.sqlite"))
    return await set_up(ServerOwner(request.getfixturevalue(request.param)))


@pytest.fixture
async def postgresql_owner(postgresql: Server) -> Owner:
    return await set_up(ServerOwner(postgresql))


async def test_changes_without_their_trigger_are_never_said_to_be_complete(owner: Owner) -> None:
    async with follow(owner, clock=MovingClock()) as source:
        page = await source.read(await source.start(), 10)
        assert page.complete_until is not None
        await drop(owner)
        missing = rf"trigger {name_of(owner.make)} of unions is missing"
        with pytest.raises(TriggersMissing, match=missing):
            await source.read(page.checkpoint, 10)
        with pytest.raises(TriggersMissing, match=missing):
            await source.start()
        await owner.run(trigger_of(owner.make))
        with pytest.raises(CheckpointLost):
            await source.read(page.checkpoint, 10)
        again = await source.read(await source.start(), 10)
        assert again.complete_until is not None


async def test_a_trigger_that_was_gone_between_two_looks_is_noticed_by_whoever_follows(
    owner: Owner,
) -> None:
    async with follow(owner) as source:
        checkpoint = (await source.read(await source.start(), 10)).checkpoint
    await drop(owner)
    await owner.run("INSERT INTO unions (event_id) VALUES ('u1')", trigger_of(owner.make))
    async with follow(owner) as other:
        with pytest.raises(CheckpointLost):
            await other.read(checkpoint, 10)


async def test_the_checkpoint_of_triggers_that_stay_is_good_for_another_process(
    owner: Owner,
) -> None:
    async with follow(owner) as source:
        checkpoint = await source.start()
    async with follow(owner) as other:
        assert (await other.read(checkpoint, 10)).complete_until is not None
        before_marks = checkpoint.partition("#")[0]
        page = await other.read(before_marks, 10)
        assert (before_marks, page.checkpoint) == (page.checkpoint.partition("#")[0], checkpoint)


async def test_a_table_made_anew_has_no_triggers(owner: Owner) -> None:
    async with follow(owner, clock=MovingClock()) as source:
        checkpoint = await source.start()
        await owner.run("DROP TABLE unions", "CREATE TABLE unions (event_id varchar(9))")
        with pytest.raises(TriggersMissing, match="of unions is missing"):
            await source.read(checkpoint, 10)


async def test_a_trigger_that_writes_something_else_is_none_of_the_outbox(owner: Owner) -> None:
    await drop(owner)
    await owner.run(trigger_of(owner.make).replace("event_id", "mood"))
    async with follow(owner) as source:
        with pytest.raises(TriggersMissing, match="has another form"):
            await source.start()


async def test_an_outbox_that_the_application_writes_needs_no_triggers(owner: Owner) -> None:
    await drop(owner)
    async with follow(owner, OutboxOptions(records=("unions",), by_triggers=False)) as source:
        checkpoint = await source.start()
        assert "#" not in checkpoint
        assert (await source.read(checkpoint, 10)).complete_until is not None


async def test_several_missing_triggers_are_all_named_to_the_doctor(owner: Owner) -> None:
    async with follow(owner, OutboxOptions()) as source:
        with pytest.raises(TriggersMissing) as missing:
            await source.start()
    tables = {record.table for record in DATABASE.records} - {"unions"}
    assert {fault.split(" of ")[1].split()[0] for fault in missing.value.faults} == tables


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DISABLE TRIGGER ALL", "is disabled"),
        ("ENABLE REPLICA TRIGGER justice_gateway_outbox_row", "ENABLE ALWAYS TRIGGER"),
    ],
)
async def test_a_trigger_that_does_not_run_is_as_good_as_none(
    postgresql_owner: Owner, statement: str, fault: str
) -> None:
    async with follow(postgresql_owner) as source:
        checkpoint = await source.start()
        await postgresql_owner.run(f"ALTER TABLE unions {statement}")
        with pytest.raises(TriggersMissing, match=fault):
            await source.read(checkpoint, 10)
        await postgresql_owner.run(f"ALTER TABLE unions {ALWAYS}")
        with pytest.raises(CheckpointLost):
            await source.read(checkpoint, 10)


async def test_a_trigger_switched_off_and_on_again_leaves_a_trace(
    postgresql_owner: Owner,
) -> None:
    async with follow(postgresql_owner) as source:
        checkpoint = await source.start()
        switch = "ALTER TABLE unions {} TRIGGER ALL"
        await postgresql_owner.run(switch.format("DISABLE"), switch.format("ENABLE"))
        with pytest.raises(CheckpointLost):
            await source.read(checkpoint, 10)


async def test_a_function_that_writes_no_outbox_is_none(postgresql_owner: Owner) -> None:
    function = "CREATE OR REPLACE FUNCTION justice_gateway_outbox_write() RETURNS trigger"
    await postgresql_owner.run(f"{function} LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    async with follow(postgresql_owner) as source:
        with pytest.raises(TriggersMissing, match="has another form"):
            await source.start()


async def test_each_partition_and_each_table_that_inherits_needs_its_trigger(
    postgresql_owner: Owner,
) -> None:
    columns = ", ".join(f"{column.name} text" for column in DATABASE.by_name["unions"].columns)
    await postgresql_owner.run(
        "DROP TABLE unions",
        f"CREATE TABLE unions ({columns}) PARTITION BY LIST (event_id)",
        "CREATE TABLE unions_1 PARTITION OF unions FOR VALUES IN ('u1')",
        *triggers("postgresql"),
    )
    async with follow(postgresql_owner) as source:
        checkpoint = await source.start()
        await postgresql_owner.run("ALTER TABLE unions_1 DISABLE TRIGGER ALL")
        with pytest.raises(TriggersMissing, match="_row of unions_1 is disabled"):
            await source.read(checkpoint, 10)
        await postgresql_owner.run(
            "DROP TABLE unions",
            f"CREATE TABLE unions ({columns})",
            *triggers("postgresql"),
            "CREATE TABLE unions_2 () INHERITS (unions)",
        )
        with pytest.raises(TriggersMissing, match="_row of unions_2 is missing"):
            await source.start()


async def test_a_view_has_no_triggers(postgresql_owner: Owner) -> None:
    await postgresql_owner.run(
        "ALTER TABLE unions RENAME TO marriages", "CREATE VIEW unions AS SELECT * FROM marriages"
    )
    async with follow(postgresql_owner) as source:
        with pytest.raises(TriggersMissing, match="unions is no table"):
            await source.start()


async def test_a_table_that_a_subscription_writes_needs_triggers_that_always_run(
    postgresql_owner: Owner,
) -> None:
    await postgresql_owner.run(
        "CREATE SUBSCRIPTION copy CONNECTION '' PUBLICATION p WITH (connect = false)",
        "INSERT INTO pg_subscription_rel SELECT oid, CAST('unions' AS regclass), 'r', NULL "
        "FROM pg_subscription WHERE subname = 'copy'",
        "CREATE TABLE source_statement (as_of timestamptz)",
        "INSERT INTO source_statement VALUES (now())",
    )
    try:
        async with follow(postgresql_owner) as source:
            with pytest.raises(TriggersMissing, match="ENABLE ALWAYS TRIGGER"):
                await source.start()
            await postgresql_owner.run(f"ALTER TABLE unions {ALWAYS}")
            assert await source.start()
    finally:
        await postgresql_owner.run(
            "ALTER SUBSCRIPTION copy SET (slot_name = NONE)",
            "DROP SUBSCRIPTION copy",
            "DROP TABLE source_statement",
        )


async def test_a_reader_on_mariadb_needs_no_right_but_to_read_outbox_and_views(
    mariadb: Server,
) -> None:
    owner = await set_up(ServerOwner(mariadb))
    tables = [f"justice_gateway_outbox{name}" for name in ("", "_triggers", "_transactions")]
    await owner.run(
        "CREATE OR REPLACE USER outbox_reader@'127.0.0.1'",
        "CREATE OR REPLACE USER outbox_reader@localhost",
        *(
            f"GRANT SELECT ON {table} TO outbox_reader@{host}"
            for table in tables
            for host in ("'127.0.0.1'", "localhost")
        ),
    )
    try:
        async with follow(owner, url=mariadb.at(mariadb.port, "outbox_reader")) as source:
            assert await source.start()
            await drop(owner)
        async with follow(owner, url=mariadb.at(mariadb.port, "outbox_reader")) as source:
            with pytest.raises(TriggersMissing, match="is missing"):
                await source.start()
    finally:
        await owner.run("DROP USER outbox_reader@'127.0.0.1', outbox_reader@localhost")


async def test_between_two_looks_nothing_is_complete_beyond_the_last(mariadb: Server) -> None:
    owner, clock = await set_up(ServerOwner(mariadb)), MovingClock(step=0)
    async with follow(owner, clock=clock) as source:
        first = await source.read(await source.start(), 10)
        await drop(owner)
        second = await source.read(first.checkpoint, 10)
        assert (second.complete_until, second.checkpoint) == (
            first.complete_until,
            first.checkpoint,
        )
        clock.step = 60
        with pytest.raises(TriggersMissing):
            await source.read(second.checkpoint, 10)


@pytest.mark.parametrize("make", SERVERS)
async def test_a_table_in_another_schema_writes_the_outbox_wherever_its_writer_is(
    make: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(make)
    owner = ServerOwner(server)
    await owner.set_up()
    other, default = f"{server.name}_other", server.name if make == "mariadb" else "public"
    schema, like = ("DATABASE", "LIKE unions") if make == "mariadb" else ("SCHEMA", "(LIKE unions)")
    maps = {"unions": RecordMap(table=f"{other}.unions")}
    outbox = f"{default}.justice_gateway_outbox"
    await owner.run(f"CREATE {schema} {other}", f"CREATE TABLE {other}.unions {like}")
    try:
        await owner.run(
            *outbox_statements(DATABASE, make, maps=maps, table=outbox, records=["unions"])
        )
        options = OutboxOptions(records=("unions",), table=outbox)
        source = OutboxSource(DATABASE, owner.url, options, maps=maps)
        checkpoint = await source.start()
        elsewhere = other if make == "mariadb" else None
        write = f"INSERT INTO {other}.unions (event_id) VALUES ('u1')"
        await server.execute(write, database=elsewhere)
        page = await source.read(checkpoint, 10)
        await source.close()
        assert [change.identity for change in page.changes if isinstance(change, Change)] == ["u1"]
    finally:
        await owner.run(f"DROP {schema} {other}" + " CASCADE" * (make == "postgresql"))


async def test_a_writer_with_another_search_path_writes_the_same_outbox(
    postgresql_owner: Owner,
) -> None:
    async with follow(postgresql_owner) as source:
        checkpoint = await source.start()
        write = "INSERT INTO public.unions (event_id) VALUES ('u1')"
        await postgresql_owner.run("SET search_path = ''", write)
        page = await source.read(checkpoint, 10)
        assert [change.identity for change in page.changes if isinstance(change, Change)] == ["u1"]


async def test_tables_of_one_name_in_two_schemas_of_mariadb_have_triggers_of_their_own(
    mariadb: Server,
) -> None:
    owner = ServerOwner(mariadb)
    await owner.set_up()
    other, outbox = f"{mariadb.name}_other", f"{mariadb.name}.justice_gateway_outbox"
    maps = {
        "things": RecordMap(table=f"{other}.unions"),
        "unions": RecordMap(table=f"{mariadb.name}.unions"),
    }
    await owner.run(f"CREATE DATABASE {other}", f"CREATE TABLE {other}.unions LIKE things")
    try:
        await owner.run(*outbox_statements(DATABASE, "mariadb", maps=maps, table=outbox))
        options = OutboxOptions(table=outbox)
        source = OutboxSource(DATABASE, owner.url, options, maps=maps)
        assert await source.start()
        await source.close()
        await owner.run(f"DROP TRIGGER {other}.justice_gateway_outbox_unions_u")
        source = OutboxSource(DATABASE, owner.url, options, maps=maps)
        with pytest.raises(TriggersMissing, match="outbox_unions_u of unions is missing"):
            await source.start()
        await source.close()
    finally:
        await owner.run(f"DROP DATABASE {other}")


def test_mariadb_needs_the_schema_of_the_outbox_where_a_table_is_in_another() -> None:
    maps = {"unions": RecordMap(table="other.unions")}
    with pytest.raises(ValueError, match="schema of the outbox"):
        outbox_statements(DATABASE, "mariadb", maps=maps, records=["unions"])
    with pytest.raises(ValueError, match="schema of the outbox"):
        OutboxSource(DATABASE, "mariadb://root@127.0.0.1/x", OPTIONS, maps=maps)
