"""The contract of change sources (``connectors.changes.change``): one suite over each source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import pytest
from _pytest.mark.structures import ParameterSet

from connectors.backends.sql import SqlBackend
from connectors.changes.change import (
    Change,
    ChangeOperation,
    ChangePage,
    ChangeSource,
    UnreadableChange,
)
from connectors.changes.debezium import DebeziumOptions, DebeziumSource
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.changes.outbox_tables import outbox_statements
from connectors.changes.watermark import WatermarkOptions, WatermarkSource
from connectors.values import PartialDate
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, THINGS, UNIONS, thing, union
from tests.support.change_owners import FileOwner, ServerOwner, SqlOwner, Values
from tests.support.debezium_writer import TOPIC, DebeziumWriter, NatsWriter, RedisWriter
from tests.support.nats_server import nats_process
from tests.support.partner_changes import Partner
from tests.support.redis_server import redis_process
from tests.support.servers import run_in_thread

SERVICES = pytest.mark.services
Request = pytest.FixtureRequest


class Owner(Protocol):
    """Whoever changes rows of the sample database."""

    async def insert(self, record: str, row: Values) -> None: ...
    async def update(self, record: str, row: Values) -> None: ...
    async def delete(self, record: str, row: Values) -> None: ...
    async def clear(self, record: str) -> None: ...


@dataclass(frozen=True)
class Way:
    """A database whose changes can be followed; ``source``: makes a source of them."""

    owner: Owner
    source: Callable[[], ChangeSource]


@dataclass
class Followed:
    """A database whose changes are followed by an open source."""

    way: Way
    source: ChangeSource

    @property
    def owner(self) -> Owner:
        return self.way.owner


@dataclass(frozen=True)
class Place:
    """Where a way is set up, until the tests of the module have ended."""

    request: Request
    folder: Path
    stack: ExitStack

    def sql_owner(self, make: str, foreign: bool) -> FileOwner | ServerOwner:
        if make == "sqlite":
            return FileOwner(self.folder / "sample.sqlite")
        return ServerOwner(self.request.getfixturevalue(make), foreign)


def _outbox(place: Place, make: str, foreign: bool, holds_rows: bool) -> Way:
    owner = place.sql_owner(make, foreign)

    async def set_up() -> None:
        await owner.set_up()
        statements = outbox_statements(DATABASE, make, maps=owner.maps, holds_rows=holds_rows)
        await owner.run(*statements)

    run_in_thread(set_up())
    options = OutboxOptions(holds_rows=holds_rows)
    return Way(owner, lambda: OutboxSource(DATABASE, owner.url, options, maps=owner.maps))


#: A column with the moment of the last change, and what sets it: text in UTC, or a moment with or
#: without a zone.
_STAMPS = {
    "sqlite": ("updated text", "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"),
    "postgresql": ("updated timestamptz", "clock_timestamp()"),
    "postgresql-theirs": ("updated timestamp", "clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh'"),
    "mariadb": ("updated timestamp(6) NULL", "NOW(6)"),
    "mariadb-theirs": ("updated datetime(6)", "UTC_TIMESTAMP(6) + INTERVAL 7 HOUR"),
}


def _watermark(place: Place, make: str, foreign: bool) -> Way:
    owner = place.sql_owner(make, foreign)
    column, stamp = _STAMPS[owner.make + "-theirs" * (owner.maps is not None)]
    owner.stamps = {"updated": stamp}
    run_in_thread(owner.set_up([column]))
    options = WatermarkOptions(column="updated", overlap=0)
    zone = "Asia/Ho_Chi_Minh" if owner.maps else None
    return Way(
        owner, lambda: WatermarkSource(DATABASE, owner.url, options, maps=owner.maps, zone=zone)
    )


def _debezium(place: Place, kind: str) -> Way:
    writer: DebeziumWriter
    if kind == "nats":
        server = place.stack.enter_context(nats_process(place.folder))
        writer = nats_writer = NatsWriter(f"nats://127.0.0.1:{server.port}", whole_before=True)
        run_in_thread(nats_writer.set_up())
    else:
        redis = place.stack.enter_context(redis_process(place.folder))
        writer = RedisWriter(f"redis://127.0.0.1:{redis.port}", whole_before=False)
    options = DebeziumOptions(topic=TOPIC, whole_before=writer.whole_before)
    return Way(writer, lambda: DebeziumSource(DATABASE, writer.url, options))


def _xroad(_place: Place) -> Way:
    partner = Partner()
    return Way(partner, partner.source)


#: How a database is set up: a function, and what it takes.
_WAYS: dict[str, tuple[Callable[..., Way], *tuple[str | bool, ...]]] = {
    "outbox-sqlite": (_outbox, "sqlite", False, True),
    "outbox-postgresql": (_outbox, "postgresql", False, True),
    "outbox-mariadb": (_outbox, "mariadb", False, True),
    "watermark-sqlite": (_watermark, "sqlite", False),
    "watermark-postgresql": (_watermark, "postgresql", False),
    "watermark-mariadb": (_watermark, "mariadb", False),
    "debezium-nats": (_debezium, "nats"),
    "debezium-redis": (_debezium, "redis"),
    "xroad": (_xroad,),
}
#: Other names and forms, or no rows: what is read of a row differs, and nothing else.
_OTHER_FORMS: dict[str, tuple[Callable[..., Way], *tuple[str | bool, ...]]] = {
    "outbox-sqlite-identities": (_outbox, "sqlite", False, False),
    "outbox-postgresql-theirs": (_outbox, "postgresql", True, True),
    "outbox-mariadb-theirs": (_outbox, "mariadb", True, True),
    "watermark-postgresql-theirs": (_watermark, "postgresql", True),
    "watermark-mariadb-theirs": (_watermark, "mariadb", True),
}


def _parameters(
    ways: Mapping[str, tuple[Callable[..., Way], *tuple[str | bool, ...]]],
) -> list[ParameterSet]:
    return [
        pytest.param(way, id=name, marks=() if "sqlite" in way or len(way) == 1 else SERVICES)
        for name, way in ways.items()
    ]


@pytest.fixture(scope="module", params=_parameters(_WAYS))
def way(request: Request, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Set up a database once for all tests: each looks only at what changes after its start."""
    set_up, *more = request.param
    with ExitStack() as stack:
        yield set_up(Place(request, tmp_path_factory.mktemp("changes"), stack), *more)


other_forms = pytest.mark.parametrize(
    "way", _parameters({**_WAYS, **_OTHER_FORMS}), indirect=True, scope="module"
)


@pytest.fixture
async def followed(way: Way) -> AsyncIterator[Followed]:
    """Give a sample database without rows whose changes are followed."""
    for record in ("unions", "things"):
        await way.owner.clear(record)
    followed = Followed(way, way.source())
    await followed.source.open()
    yield followed
    await followed.source.close()


async def read(source: ChangeSource, checkpoint: str, limit: int = 100) -> list[ChangePage]:
    """Read pages until there is no more."""
    pages = []
    while True:
        page = await source.read(checkpoint, limit)
        pages.append(page)
        checkpoint = page.checkpoint
        if not page.has_more:
            return pages


def changes(pages: list[ChangePage]) -> list[Change]:
    """Return readable changes, each once."""
    every = {c.position: c for page in pages for c in page.changes if isinstance(c, Change)}
    return list(every.values())


def named(pages: list[ChangePage]) -> list[tuple[ChangeOperation, str]]:
    return [(change.operation, change.identity) for change in changes(pages)]


def ids(pages: list[ChangePage]) -> list[str]:
    return [change.identity for change in changes(pages)]


async def test_where_nothing_changed_there_is_an_empty_page(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    page = await followed.source.read(checkpoint, 10)
    assert (list(page.changes), page.has_more) == ([], False)


@other_forms
async def test_a_row_that_was_inserted_is_a_change(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u1", AN, BINH, registered_on="1957-03"))
    (change,) = changes(await read(followed.source, checkpoint))
    assert change.operation in {ChangeOperation.CREATE, ChangeOperation.WRITE}
    assert (change.record, change.identity, change.before) == (UNIONS, "u1", None)
    assert change.after == ("u1", AN, BINH, PartialDate(1957, 3), None)


@other_forms
async def test_an_update_says_what_the_row_is_and_was_as_far_as_is_promised(
    followed: Followed,
) -> None:
    await followed.owner.insert("unions", union("u1", AN, mood="CALM"))
    checkpoint = await followed.source.start()
    await followed.owner.update("unions", union("u1", BINH, mood="LOUD"))
    change = changes(await read(followed.source, checkpoint))[-1]
    assert change.operation in {ChangeOperation.UPDATE, ChangeOperation.WRITE}
    assert change.after == ("u1", BINH, None, None, "LOUD")
    before = ("u1", AN, None, None, "CALM") if followed.source.promise.sees_before else None
    assert change.before == before


@other_forms
async def test_a_deletion_is_seen_where_it_is_promised(followed: Followed) -> None:
    await followed.owner.insert("unions", union("u1", AN))
    await followed.owner.insert("things", thing("t1"))
    checkpoint = await followed.source.start()
    await followed.owner.delete("unions", union("u1"))
    last = changes(await read(followed.source, checkpoint))[-1:]
    if not followed.source.promise.sees_deletions:
        assert [each.operation for each in last] != [ChangeOperation.DELETE]
        return
    assert [(each.operation, each.identity, each.after) for each in last] == [
        (ChangeOperation.DELETE, "u1", None)
    ]
    if followed.source.promise.sees_before:
        assert last[0].before == ("u1", AN, None, None, None)


async def test_what_changed_before_the_start_is_not_reported(followed: Followed) -> None:
    await followed.owner.insert("unions", union("u1", AN))
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u2", AN))
    reported = ids(await read(followed.source, checkpoint))
    assert reported[-1] == "u2"
    assert followed.source.promise.overlap is not None or reported == ["u2"]


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_follow_one_another(followed: Followed, limit: int) -> None:
    checkpoint = await followed.source.start()
    for number in range(5):
        await followed.owner.insert("unions", union(f"u{number}"))
    pages = await read(followed.source, checkpoint, limit)
    assert ids(pages) == ["u0", "u1", "u2", "u3", "u4"]
    assert all(len(page.changes) <= limit for page in pages)


async def test_changes_of_one_row_come_in_their_order(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u1", AN))
    await followed.owner.update("unions", union("u1", BINH))
    await followed.owner.update("unions", union("u1", CHI))
    last = changes(await read(followed.source, checkpoint, 1))[-1]
    assert last.after == ("u1", CHI, None, None, None)


async def test_the_same_change_has_the_same_position_each_time(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u1"))
    await followed.owner.insert("things", thing("t1"))
    first, second = [await read(followed.source, checkpoint) for _ in range(2)]
    assert {c.position for c in changes(first)} == {c.position for c in changes(second)}
    assert len({change.position for change in changes(first)}) == 2


async def test_a_source_goes_on_from_a_checkpoint_after_a_restart(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u1"))
    checkpoint = (await read(followed.source, checkpoint))[-1].checkpoint
    await followed.source.close()
    await followed.owner.insert("unions", union("u2"))
    followed.source = followed.way.source()
    await followed.source.open()
    assert ids(await read(followed.source, checkpoint))[-1] == "u2"


async def test_a_row_that_cannot_be_read_is_a_change_of_somebody(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u1", registered_on="1957-99"))
    await followed.owner.insert("unions", union("u2"))
    pages = await read(followed.source, checkpoint)
    faults = [c for page in pages for c in page.changes if isinstance(c, UnreadableChange)]
    assert {(fault.record, fault.fault) for fault in faults} == {
        (UNIONS, "registered_on cannot be read")
    }
    assert ids(pages) == ["u2"]


async def test_all_is_complete_until_a_moment_that_is_not_in_the_future(
    followed: Followed,
) -> None:
    checkpoint = await followed.source.start()
    await followed.owner.insert("unions", union("u1"))
    until = (await read(followed.source, checkpoint))[-1].complete_until
    assert until is not None
    assert until.tzinfo is UTC
    assert until <= datetime.now(UTC)


async def test_a_change_says_when_it_was_committed(followed: Followed) -> None:
    checkpoint = await followed.source.start()
    before = datetime.now(UTC).replace(microsecond=0)
    await followed.owner.insert("unions", union("u1"))
    (change,) = changes(await read(followed.source, checkpoint))
    assert change.committed_at is not None
    assert before <= change.committed_at <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["", "nothing", "1:2:3:4:5", "{}", "0"])
async def test_what_is_no_checkpoint_is_refused(followed: Followed, text: str) -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        await followed.source.read(text, 10)


async def test_a_source_can_be_closed_twice(followed: Followed) -> None:
    await followed.source.close()
    await followed.source.close()


EVERY_KIND = thing(
    "t1",
    AN,
    title="Nguyễn Thị Ánh \\ 'x' \"y\"",
    amount=Decimal("1250000.50"),
    pieces=2**31 - 1,
    open=True,
    day=date(2024, 2, 29),
    about=PartialDate(1957, 3),
    moment=datetime(2024, 2, 29, 16, tzinfo=UTC),
    mood="LOUD",
    moods=("LOUD", "CALM"),
    names=("Ánh", "Bình"),
    spot_name="Hà Nội",
    spot_since=PartialDate(2025),
    select="drop table things",
)


@other_forms
async def test_a_change_has_the_row_that_a_backend_reads(followed: Followed) -> None:
    if not isinstance(followed.owner, SqlOwner):
        pytest.skip("its rows are not written by SQL")
    checkpoint = await followed.source.start()
    await followed.owner.insert("things", EVERY_KIND)
    (change,) = changes(await read(followed.source, checkpoint))
    backend = SqlBackend(DATABASE, followed.owner.url, maps=followed.owner.maps)
    await backend.open()
    batch = await backend.fetch(THINGS, THINGS.lookups[0], [AN])
    await backend.close()
    assert (change.after,) == batch.by_key[AN].rows
