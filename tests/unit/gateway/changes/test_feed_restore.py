"""A feed after an older copy of the event log was restored, and written on.

Interests and cursors of before stand in a store of their own, at numbers that the log uses again.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.changes.log import EventLogPage
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.memory_event_log import InterleavedLog
from tests.support.people import DEAD, HOA, LAN
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, world

BLOCK, MISSED = LifeEventKind.BLOCK_PLACED, LifeEventKind.EVENTS_MISSED
NOTARY = events_caller()

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("gateway")
    async with running(folder, world({}), ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def feeds(gateway: Running, tmp_path: Path) -> AsyncIterator[Feeds]:
    """Feeds over a log in a file."""
    feeds = Feeds(gateway, tmp_path)
    await feeds.open_log(tmp_path / "events.sqlite")
    yield feeds
    await feeds.log.close()


async def back_up(feeds: Feeds) -> None:
    await feeds.log.close()
    shutil.copy(feeds.folder / "events.sqlite", feeds.folder / "copy.sqlite")
    await feeds.open_log(feeds.folder / "events.sqlite")


async def restore(feeds: Feeds) -> None:
    await feeds.log.close()
    for path in feeds.folder.glob("events.sqlite*"):
        path.unlink()
    shutil.copy(feeds.folder / "copy.sqlite", feeds.folder / "events.sqlite")
    await feeds.open_log(feeds.folder / "events.sqlite")


async def happen(feeds: Feeds, person: str, many: int) -> None:
    for _ in range(many):
        await feeds.happen(BLOCK, person)


async def test_an_interest_of_a_history_that_was_lost_shows_what_comes_after_the_notice(
    feeds: Feeds,
) -> None:
    await happen(feeds, LAN, 2)
    await back_up(feeds)
    await happen(feeds, LAN, 5)
    await feeds.register(NOTARY, HOA)
    await restore(feeds)
    page = await feeds.read(NOTARY)
    assert {edge.event.kind for edge in page.edges} == {MISSED}
    event = await feeds.happen(BLOCK, HOA)
    assert await feeds.ids_of(NOTARY, after=page.end_cursor) == [event.id]


async def test_a_cursor_of_before_the_copy_shows_events_of_an_interest_of_the_lost_history(
    feeds: Feeds,
) -> None:
    await happen(feeds, LAN, 1)
    await feeds.register(NOTARY, LAN)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await back_up(feeds)
    await happen(feeds, DEAD, 3)
    await feeds.register(NOTARY, HOA)
    await restore(feeds)
    event = await feeds.happen(BLOCK, HOA)
    assert await feeds.ids_of(NOTARY, after=cursor) == [event.id]


async def test_a_position_of_after_the_restore_does_not_prove_one_of_the_lost_history(
    feeds: Feeds,
) -> None:
    await feeds.register(NOTARY, LAN)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await back_up(feeds)
    await happen(feeds, DEAD, 3)
    await feeds.register(NOTARY, HOA)
    await restore(feeds)
    event = await feeds.happen(BLOCK, HOA)
    await happen(feeds, DEAD, 4)
    await feeds.register(NOTARY, DEAD)
    assert await feeds.ids_of(NOTARY, after=cursor) == [event.id]


async def test_what_neither_numbers_nor_clocks_place_after_an_interest_may_be_missed(
    feeds: Feeds,
) -> None:
    """The clock of the gateway that registered it was ahead."""
    await feeds.register(NOTARY, LAN)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await back_up(feeds)
    await happen(feeds, DEAD, 3)
    feeds.gateway.clock.advance(30)
    await feeds.register(NOTARY, HOA)
    feeds.gateway.clock.advance(-30)
    await restore(feeds)
    event = await feeds.happen(BLOCK, HOA)
    (edge,) = (await feeds.read(NOTARY, after=cursor)).edges
    assert (edge.event.kind, edge.event.database) == (MISSED, event.database)
    assert (edge.interest, edge.event.person) == (None, None)


async def test_a_feed_does_not_begin_after_an_interest_of_the_lost_history(feeds: Feeds) -> None:
    await back_up(feeds)
    await happen(feeds, LAN, 9)
    await feeds.register(NOTARY, HOA)
    await restore(feeds)
    await happen(feeds, HOA, 1)
    feeds.gateway.clock.advance(3_600)
    await feeds.register(NOTARY, LAN)
    page = await feeds.read(NOTARY)
    assert {edge.event.kind for edge in page.edges} == {MISSED}
    assert {edge.event.database for edge in page.edges} == {"civil_status", "notary",
                                                          "civil_enforcement"}  # fmt: skip


async def test_no_page_passes_events_of_an_interest_that_comes_meanwhile_from_the_lost_history(
    feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feeds.register(NOTARY, LAN)
    after = (await feeds.read(NOTARY)).end_cursor
    await back_up(feeds)
    await happen(feeds, DEAD, 3)
    lost_position = await feeds.log.end()
    await restore(feeds)
    event = await feeds.happen(BLOCK, HOA)
    read = feeds.log.read

    async def register_and_read(position: str, limit: int) -> EventLogPage:
        monkeypatch.undo()
        feeds.gateway.clock.advance(-60)
        await feeds.register(NOTARY, HOA, position=lost_position)
        feeds.gateway.clock.advance(60)
        return await read(position, limit)

    monkeypatch.setattr(feeds.log, "read", register_and_read)
    page = await feeds.read(NOTARY, after=after)
    assert (page.edges, page.has_more) == ([], True)
    assert await feeds.ids_of(NOTARY, after=page.end_cursor) == [event.id]


class CountingLog(InterleavedLog):
    """Counts the reads that prove a position."""

    proof_count = 0

    async def read(self, after: str, limit: int) -> EventLogPage:
        self.proof_count += limit == 1
        return await super().read(after, limit)


async def test_positions_are_proven_only_where_they_hide_an_event_and_each_once(
    gateway: Running, tmp_path: Path
) -> None:
    log = CountingLog()
    feeds = Feeds(gateway, tmp_path, log)
    await feeds.register(NOTARY, LAN)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await happen(feeds, HOA, 3)
    for person in (HOA, DEAD):
        await feeds.register(NOTARY, person)
        await happen(feeds, LAN, 1)
    log.proof_count = 0
    page = await feeds.read(NOTARY, after=cursor)
    assert [edge.event.person for edge in page.edges] == [LAN, LAN]
    assert log.proof_count == 1


async def test_a_page_ends_where_it_has_proven_many_positions(
    gateway: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All these people had an event before somebody registered an interest in them."""
    monkeypatch.setattr("gateway.changes.feed.LONGEST_SCAN", 100)
    monkeypatch.setattr("gateway.changes.feed._CHUNK", 10)
    log = CountingLog()
    feeds = Feeds(gateway, tmp_path, log)
    await feeds.register(NOTARY, LAN)
    after = (await feeds.read(NOTARY)).end_cursor
    people = [f"{number:012}" for number in range(30)]
    for person in people:
        await feeds.happen(BLOCK, person)
    for person in people:
        await feeds.register(NOTARY, person)
        await feeds.happen(BLOCK, DEAD)
    event, log.proof_count = await feeds.happen(BLOCK, people[-1]), 0
    page = await feeds.read(NOTARY, after=after)
    assert (page.edges, page.has_more, log.proof_count) == ([], True, 10)
    while page.has_more:
        page = await feeds.read(NOTARY, after=page.end_cursor)
    assert [edge.event.id for edge in page.edges] == [event.id]


async def test_the_clock_of_a_registration_gives_no_event_of_before_it(feeds: Feeds) -> None:
    """In a log that lost nothing, its position alone decides."""
    await feeds.register(NOTARY, LAN)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await happen(feeds, HOA, 1)
    feeds.gateway.clock.moment -= timedelta(seconds=30)
    await feeds.register(NOTARY, HOA)
    feeds.gateway.clock.moment += timedelta(seconds=30)
    assert await feeds.ids_of(NOTARY, after=cursor) == []
