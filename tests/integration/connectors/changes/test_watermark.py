"""Polling by the moment of the last change: late commits, page boundaries, missing moments, clocks.

Covers ``connectors.changes.look``, ``connectors.changes.updated_rows``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import Change, ChangeOperation, ChangePage, CheckpointLost
from connectors.changes.watermark import WatermarkOptions, WatermarkSource
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.notary import DATABASE as NOTARY
from connectors.tables import metadata_of
from gateway.changes.derive_events import derive_events
from gateway.databases.publishing import conceals
from tests.integration.connectors.changes.test_outbox import transaction
from tests.support.backend_samples import AN, BINH, DATABASE, UNIONS, thing
from tests.support.change_owners import FileOwner, ServerOwner, SqlOwner
from tests.support.listed_changes import IDS
from tests.support.people import LAN
from tests.support.servers import SERVERS, Server

COLUMNS = ("updated text", "made text")
NOON = "2026-11-30T05:00:00+00:00"
NOW = datetime(2026, 11, 30, 5, 5, tzinfo=UTC)


@asynccontextmanager
async def follow(owner: SqlOwner, **options: Any) -> AsyncIterator[WatermarkSource]:
    usual: dict[str, Any] = {"column": "updated", "records": ("unions",), "overlap": 60.0}
    source = WatermarkSource(DATABASE, owner.url, WatermarkOptions(**{**usual, **options}))
    yield source
    await source.close()


@pytest.fixture
async def owner(tmp_path: Path) -> FileOwner:
    """Own a file whose rows say themselves when they changed."""
    owner = FileOwner(tmp_path / "sample.sqlite")
    await owner.set_up(COLUMNS)
    return owner


def insert(event_id: str, updated: str | None, made: str | None = None) -> str:
    values = ", ".join("NULL" if v is None else f"'{v}'" for v in (event_id, updated, made))
    return f"INSERT INTO unions (event_id, updated, made) VALUES ({values})"


def ids(page: ChangePage) -> list[str]:
    return [change.identity for change in page.changes if isinstance(change, Change)]


def faults(page: ChangePage) -> list[str]:
    return [change.fault for change in page.changes if not isinstance(change, Change)]


def looked(checkpoint: str, **changed: object) -> str:
    """Return a checkpoint that says otherwise."""
    return json.dumps({**json.loads(checkpoint), **changed})


async def since(source: WatermarkSource, moment: str) -> str:
    return looked(await source.start(), since=moment)


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_rows_of_one_moment_are_not_lost_between_two_pages(
    owner: FileOwner, limit: int
) -> None:
    await owner.run(*(insert(name, NOON) for name in ("a", "B", "b", "c", "á", "A")))
    async with follow(owner) as source:
        checkpoint, seen = await since(source, NOON), []
        while True:
            page = await source.read(checkpoint, limit)
            seen += ids(page)
            checkpoint = page.checkpoint
            if not page.has_more:
                break
        assert sorted(seen) == sorted(["a", "B", "b", "c", "á", "A"])


@pytest.mark.parametrize("make", SERVERS)
async def test_rows_of_one_moment_are_not_lost_on_a_server_that_ignores_case(
    make: str, request: pytest.FixtureRequest
) -> None:
    server = ServerOwner(request.getfixturevalue(make))
    await server.set_up(COLUMNS)
    names = ["a", "B", "b", "c", "á", "A"]
    await server.run(*(insert(name, NOON) for name in names))
    async with follow(server) as source:
        page = await source.read(await since(source, NOON), 1)
        seen = ids(page)
        while page.has_more:
            page = await source.read(page.checkpoint, 1)
            seen += ids(page)
        assert sorted(seen) == sorted(names)


@pytest.mark.parametrize("make", SERVERS)
async def test_a_transaction_that_commits_late_is_read_by_the_overlap(
    make: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(make)
    owner = ServerOwner(server)
    moment = "timestamptz" if make == "postgresql" else "timestamp(6) NULL"
    now = "clock_timestamp()" if make == "postgresql" else "NOW(6)"
    await owner.set_up([f"updated {moment}"])
    write = "INSERT INTO unions (event_id, updated) VALUES ('{}', {})"
    async with follow(owner) as source:
        checkpoint = await source.start()
        async with transaction(server) as execute:
            await execute(write.format("early", now))
            await owner.run(write.format("late", now))
            first = await source.read(checkpoint, 10)
            still_open = datetime.now(UTC)
        assert ids(first) == ["late"]
        assert first.complete_until is not None
        assert first.complete_until <= still_open - timedelta(seconds=60)
        second = await source.read(first.checkpoint, 10)
        assert ids(second) == ["early", "late"]
        positions = {change.position for page in (first, second) for change in page.changes}
        assert len(positions) == 2


async def test_rows_without_a_moment_are_reported_once_for_each_number_of_them(
    owner: FileOwner,
) -> None:
    await owner.run(insert("u1", None), insert("u2", None))
    async with follow(owner) as source:
        first = await source.read(await source.start(), 10)
        assert faults(first) == ["updated is missing in 2 rows"]
        assert first.changes[0].record is UNIONS
        second = await source.read(first.checkpoint, 10)
        assert faults(second) == []
        await owner.run(insert("u3", None))
        assert faults(await source.read(second.checkpoint, 10)) == ["updated is missing in 3 rows"]


async def test_many_rows_without_a_moment_are_not_counted_to_the_last(owner: FileOwner) -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1500)"
    await owner.run(f"INSERT INTO unions (event_id) {numbers} SELECT 'u' || x FROM n")
    async with follow(owner) as source:
        page = await source.read(await source.start(), 10)
        assert faults(page) == ["updated is missing in more than 1000 rows"]


async def test_moments_that_are_none_leave_nothing_complete(owner: FileOwner) -> None:
    await owner.run(insert("u1", "yesterday"))
    async with follow(owner) as source:
        page = await source.read(await source.start(), 10)
        assert faults(page) == ["updated has no moments that can be read"]
        assert page.complete_until is None


async def test_a_clock_that_went_back_within_the_overlap_loses_nothing(owner: FileOwner) -> None:
    async with follow(owner) as source:
        checkpoint = await source.start()
        clock = datetime.fromisoformat(json.loads(checkpoint)["clock"])
        ahead = looked(checkpoint, clock=(clock + timedelta(seconds=30)).isoformat())
        assert not (await source.read(ahead, 10)).has_more
        far_ahead = looked(checkpoint, clock=(clock + timedelta(hours=1)).isoformat())
        with pytest.raises(CheckpointLost):
            await source.read(far_ahead, 10)


async def test_an_older_copy_that_was_restored_is_noticed(owner: FileOwner) -> None:
    await owner.run(insert("u1", "2026-11-30T04:00:00+00:00"), insert("u2", NOON))
    async with follow(owner) as source:
        checkpoint = await source.start()
        assert not (await source.read(checkpoint, 10)).has_more
        await owner.run("DELETE FROM unions WHERE event_id = 'u2'")
        with pytest.raises(CheckpointLost):
            await source.read(checkpoint, 10)


async def state(owner: FileOwner, as_of: str) -> None:
    """Have the file say how fresh it is."""
    await owner.run(
        "CREATE TABLE IF NOT EXISTS source_statement (as_of text)",
        "DELETE FROM source_statement",
        f"INSERT INTO source_statement VALUES ('{as_of}')",
    )


async def test_rows_that_a_copy_loads_later_than_they_changed_are_read(owner: FileOwner) -> None:
    await state(owner, "2026-11-28T17:00:00+00:00")
    async with follow(owner) as source:
        page = await source.read(await source.start(), 10)
        assert page.complete_until == datetime(2026, 11, 28, 16, 59, tzinfo=UTC)
        await owner.run(insert("u1", "2026-11-29T08:00:00+00:00"))
        await state(owner, "2026-11-29T17:00:00+00:00")
        page = await source.read(page.checkpoint, 10)
        assert ids(page) == ["u1"]
        assert page.complete_until == datetime(2026, 11, 29, 16, 59, tzinfo=UTC)


async def test_a_copy_that_is_loaded_during_a_look_is_read_by_the_next(owner: FileOwner) -> None:
    await state(owner, "2026-11-28T17:00:00+00:00")
    await owner.run(*(insert(name, "2026-11-28T17:00:00+00:00") for name in ("u1", "u2")))
    async with follow(owner) as source:
        page = await source.read(await source.start(), 1)
        assert page.has_more
        await owner.run(insert("u0", "2026-11-28T16:59:59+00:00"))
        await state(owner, "2026-11-29T17:00:00+00:00")
        page = await source.read(page.checkpoint, 10)
        assert (ids(page), page.complete_until) == (
            ["u2"],
            datetime(2026, 11, 28, 16, 59, tzinfo=UTC),
        )
        assert ids(await source.read(page.checkpoint, 10)) == ["u0", "u1", "u2"]


async def test_a_copy_that_is_replaced_by_an_older_is_noticed_by_its_statement(
    owner: FileOwner,
) -> None:
    await state(owner, "2026-11-29T17:00:00+00:00")
    async with follow(owner) as source:
        checkpoint = await source.start()
        await state(owner, "2026-11-28T17:00:00+00:00")
        with pytest.raises(CheckpointLost):
            await source.read(checkpoint, 10)


@pytest.mark.parametrize("as_of", ["yesterday", "2026-11-29 17:00:00", ""])
async def test_a_statement_that_cannot_be_read_leaves_nothing_complete(
    owner: FileOwner, as_of: str
) -> None:
    await state(owner, as_of)
    async with follow(owner) as source:
        with pytest.raises(SourceUnavailable, match="as_of"):
            await source.start()


async def test_a_copy_that_states_nothing_any_more_is_not_followed_until_it_does(
    owner: FileOwner,
) -> None:
    await state(owner, "2026-11-28T17:00:00+00:00")
    async with follow(owner) as source:
        page = await source.read(await source.start(), 10)
        await owner.run("DELETE FROM source_statement")
        with pytest.raises(SourceUnavailable, match="no longer says"):
            await source.read(page.checkpoint, 10)
        await state(owner, "2026-11-29T17:00:00+00:00")
        assert (await source.read(page.checkpoint, 10)).complete_until is not None


async def test_a_second_update_within_the_same_moment_is_another_change(owner: FileOwner) -> None:
    await owner.run(insert("u1", NOON))
    update = "UPDATE unions SET one_id = '{}' WHERE event_id = 'u1'"
    async with follow(owner) as source:
        checkpoint = await since(source, NOON)
        positions = []
        for person in (AN, BINH):
            await owner.run(update.format(person))
            for _ in range(2):
                (change,) = (await source.read(checkpoint, 10)).changes
                positions.append(change.position)
        assert positions[0] == positions[1] != positions[2] == positions[3]


@pytest.mark.parametrize(
    ("made", "operation"),
    [
        (NOON, ChangeOperation.CREATE),
        ("2026-11-30T04:59:30+00:00", ChangeOperation.CREATE),
        ("2026-11-30T04:00:00+00:00", ChangeOperation.UPDATE),
        (None, ChangeOperation.WRITE),
    ],
)
async def test_creations_are_told_by_the_moment_at_which_a_row_was_made(
    owner: FileOwner, made: str | None, operation: ChangeOperation
) -> None:
    await owner.run(insert("u1", NOON, made))
    async with follow(owner, created_column="made") as source:
        assert source.promise.tells_creations
        page = await source.read(await since(source, "2026-11-30T04:59:00+00:00"), 10)
        assert [c.operation for c in page.changes if isinstance(c, Change)] == [operation]


async def test_a_creation_that_is_told_twice_is_the_same_creation(owner: FileOwner) -> None:
    await owner.run(insert("u1", NOON, NOON), insert("u2", NOON, NOON))
    later = NOON.replace("05:00:00", "05:00:30")
    async with follow(owner, created_column="made") as source:
        checkpoint = await since(source, "2026-11-30T04:59:00+00:00")
        first, other = (await source.read(checkpoint, 10)).changes
        await owner.run(f"UPDATE unions SET updated = '{later}' WHERE event_id = 'u1'")
        _, second = (await source.read(checkpoint, 10)).changes
        checkpoint = await since(source, later)
        (third,) = (await source.read(checkpoint, 10)).changes
    assert isinstance(first, Change)
    assert isinstance(second, Change)
    assert isinstance(other, Change)
    assert isinstance(third, Change)
    assert first.operation is second.operation is ChangeOperation.CREATE
    assert first.position != second.position  # cached rows are void again
    # The same change, which a later look takes for an update.
    assert (third.operation, third.position) == (ChangeOperation.UPDATE, second.position)
    assert first.creation == second.creation == third.creation != other.creation
    assert first.creation is not None


@pytest.mark.parametrize(
    ("made", "updated", "may_be_update"),
    [
        ("05:00:00.250", "05:00:00.250", False),
        ("05:00:00.250", "05:00:00.300", True),
        ("05:00:00", "05:00:00", True),
    ],
    ids=["unchanged", "changed", "of whole seconds"],
)
async def test_a_creation_that_may_have_been_changed_since_says_so(
    owner: FileOwner, made: str, updated: str, may_be_update: bool
) -> None:
    moments = (NOON.replace("05:00:00", time) for time in (updated, made))
    await owner.run(insert("u1", *moments))
    async with follow(owner, created_column="made") as source:
        (change,) = (await source.read(await since(source, NOON), 10)).changes
        assert isinstance(change, Change)
        assert change.operation is ChangeOperation.CREATE
        assert change.may_be_update is may_be_update


@pytest.mark.parametrize("make", SERVERS)
async def test_a_block_that_is_lifted_and_placed_again_within_the_overlap_is_told(
    make: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(make)
    moment = "timestamptz" if make == "postgresql" else "datetime(6)"
    table = metadata_of(NOTARY).tables["preventive_infos"]
    dialect = sa.make_url(f"{make}://").get_dialect()()
    await server.execute(
        str(sa.schema.CreateTable(table).compile(dialect=dialect)),
        f"ALTER TABLE preventive_infos ADD COLUMN made {moment}, ADD COLUMN updated {moment}",
        "INSERT INTO preventive_infos (prevent_id, person_id, level, status, made, updated) VALUES "
        f"('N1', '{LAN}', 'BLOCK', 'ACTIVE', '2026-11-30 05:00:00.1', '2026-11-30 05:00:00.1')",
    )
    options = WatermarkOptions(
        column="updated", created_column="made", records=("preventive_infos",)
    )
    source = WatermarkSource(NOTARY, server.url, options, zone="UTC")
    looks = []
    for status, time in (("ACTIVE", "05:00"), ("LIFTED", "05:02"), ("ACTIVE", "05:03")):
        await server.execute(
            f"UPDATE preventive_infos SET status = '{status}', updated = '2026-11-30 {time}:00.1'"
        )
        for begin in ("04:59", "05:01"):  # what a later look reads again has the same ids
            checkpoint = await since(source, f"2026-11-30T{begin}:00+00:00")
            changes = (await source.read(checkpoint, 10)).changes
            events = derive_events(
                NOTARY, changes, {}, conceals, IDS, NOW, sees_before=False
            ).events
            looks.append([(event.kind.name, event.id) for event in events])
    await source.close()
    first, after, lifted, lifted_again, second, second_again = looks
    kinds = [[kind for kind, _ in look] for look in (first, after, lifted, second)]
    assert kinds == [["BLOCK_PLACED"], [], ["BLOCK_LIFTED"], ["BLOCK_PLACED"]]
    assert (lifted, second) == (lifted_again, second_again)
    assert second != first


async def test_a_source_without_such_a_column_says_so(owner: FileOwner) -> None:
    async with follow(owner) as source:
        assert not source.promise.tells_creations
        assert not source.promise.sees_deletions


async def test_a_look_over_several_records_goes_on_where_a_page_ended(owner: FileOwner) -> None:
    await owner.run(insert("u1", NOON), insert("u2", NOON))
    owner.stamps = {"updated": f"'{NOON}'"}
    for number in range(3):
        await owner.insert("things", thing(f"t{number}", AN))
    async with follow(owner, records=("unions", "things")) as source:
        page = await source.read(await since(source, NOON), 2)
        assert (ids(page), page.has_more, page.complete_until) == (["u1", "u2"], True, None)
        page = await source.read(page.checkpoint, 2)
        assert (ids(page), page.has_more) == (["t0", "t1"], True)
        page = await source.read(page.checkpoint, 2)
        assert (ids(page), page.has_more) == (["t2"], False)


async def test_a_view_under_other_names_can_be_followed(tmp_path: Path) -> None:
    owner = FileOwner(tmp_path / "sample.sqlite")
    await owner.set_up(COLUMNS)
    await owner.run(
        "ALTER TABLE unions RENAME TO theirs",
        "CREATE VIEW unions AS SELECT *, updated AS changed FROM theirs",
        insert("u1", NOON).replace("unions", "theirs"),
    )
    async with follow(owner, column=None, columns={"unions": "changed"}) as source:
        assert ids(await source.read(await since(source, NOON), 10)) == ["u1"]


def test_records_that_declare_the_moment_need_no_setting(tmp_path: Path) -> None:
    WatermarkSource(CIVIL_STATUS, f"sqlite:///{tmp_path}/x", WatermarkOptions())
    with pytest.raises(ValueError, match="name the column"):
        WatermarkSource(DATABASE, f"sqlite:///{tmp_path}/x", WatermarkOptions())
