"""Listeners get every entry once and in order, however slow they are, or learn what is lost.

The log is a real one, in a file of SQLite.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.changes.event import LifeEvent
from gateway.changes.follower import Follower, Listener, RecentEntries
from gateway.changes.log import (
    EventLog,
    EventLogEntry,
    EventLogPage,
    EventLogUnavailable,
    PositionExpired,
)
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import SealedEvents
from gateway.changes.sqlite_log import SqliteEventLog
from gateway.runtime.clock import SystemClock
from tests.support.event_logs import DATABASE, LEASE
from tests.support.life_events import SEALED, followed, life_event, life_events


@dataclass(frozen=True, slots=True)
class CountedEvents(SealedEvents):
    """Counts the entries that are opened."""

    opened: list[bytes]

    def open_event(self, entry: bytes) -> LifeEvent:
        self.opened.append(entry)
        return SealedEvents.open_event(self, entry)


class LogWithFailingWaits(SqliteEventLog):
    """Each of ``failures`` fails a wait; ``waits`` gets an item as each wait begins."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SEALED, SystemClock(), Retention(entries=50))
        self.failures: list[Exception] = []
        self.waits: asyncio.Queue[None] = asyncio.Queue()

    async def wait(self, after: str, seconds: float) -> None:
        self.waits.put_nowait(None)
        if self.failures:
            raise self.failures.pop()
        await super().wait(after, seconds)


@dataclass
class Publisher:
    """A log and what appends to it; ``opened``: by whom it is followed."""

    log: EventLog
    path: Path
    opened: list[bytes]

    async def append(self, events: list[LifeEvent]) -> None:
        assert await self.log.acquire(DATABASE, "a", LEASE)
        await self.log.append("a", events, followed())


def log_in(path: Path, retention: Retention, opened: list[bytes]) -> EventLog:
    events = CountedEvents(SEALED.sealing, opened)
    return SqliteEventLog(path / "log" / "events.sqlite", events, SystemClock(), retention)


@pytest.fixture
async def publisher(tmp_path: Path) -> AsyncIterator[Publisher]:
    opened: list[bytes] = []
    log = log_in(tmp_path, Retention(entries=50), opened)
    yield Publisher(log, tmp_path, opened)
    await log.close()


@pytest.fixture
async def follower(publisher: Publisher) -> AsyncIterator[Follower]:
    follower = Follower(publisher.log, recent=4)
    yield follower
    await follower.close()


async def take(listener: Listener, many: int) -> list[LifeEvent]:
    """Return the next events of a listener."""
    events: list[LifeEvent] = []
    async with asyncio.timeout(20):
        while len(events) < many:
            page = await listener.next_page(None, limit=3)
            events += [entry.event for entry in page.entries]
    return events


async def test_a_thousand_listeners_get_every_entry_which_is_opened_once(
    publisher: Publisher, follower: Follower
) -> None:
    begin, events = await publisher.log.end(), life_events(3)
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(follower.listen(begin)) for _ in range(1000)]
        await listeners[0].next_page(0.1)  # the follower has begun
        tracemalloc.start()
        takes = [asyncio.create_task(take(each, 3)) for each in listeners]
        await asyncio.sleep(0)
        for event in events:
            await publisher.append([event])
        assert await asyncio.gather(*takes) == [events] * 1000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(publisher.opened) == 3
    assert peak < 30 * 2**20


async def test_a_listener_that_falls_behind_reads_the_log(
    publisher: Publisher, follower: Follower
) -> None:
    begin, events = await publisher.log.end(), life_events(30)
    async with follower.listen(begin) as slow, follower.listen(begin) as quick:
        for place in range(0, 30, 3):
            await publisher.append(events[place : place + 3])
            assert await take(quick, 3) == events[place : place + 3]
        assert await take(slow, 30) == events
        await publisher.append(more := life_events(2))
        assert await take(slow, 2) == await take(quick, 2) == more


async def test_those_who_come_back_to_one_position_have_a_page_opened_once(
    publisher: Publisher, follower: Follower
) -> None:
    begin, events = await publisher.log.end(), life_events(5)
    await publisher.append(events)
    async with follower.listen(begin) as first, follower.listen(begin) as second:
        assert await take(first, 5) == await take(second, 5) == events
    assert len(publisher.opened) == 5


async def test_an_empty_page_says_that_the_log_had_no_more(
    publisher: Publisher, follower: Follower
) -> None:
    async with follower.listen(await publisher.log.end()) as listener:
        page = await listener.next_page(0.1)
        assert (page.entries, page.is_end) == ([], True)


async def test_a_listener_whose_next_entry_was_removed_is_told(
    publisher: Publisher, follower: Follower
) -> None:
    begin = await publisher.log.end()
    await publisher.append(life_events(60))
    async with follower.listen(begin) as listener:
        with pytest.raises(PositionExpired):
            await listener.next_page(20)


async def test_a_log_that_is_lost_is_told_to_all_who_wait(
    publisher: Publisher, follower: Follower
) -> None:
    async with follower.listen(await publisher.log.end()) as listener:
        await publisher.append(life_events(1))
        await take(listener, 1)
        waiting = asyncio.create_task(listener.next_page(20))
        await asyncio.sleep(0)
        for file in (publisher.path / "log").iterdir():
            file.unlink()
        with pytest.raises(PositionExpired):
            await waiting


def point(link: Path, target: Path) -> None:
    """Let a symbolic link point to ``target`` from now on, at once: readers may make what lacks."""
    new = link.with_suffix(".new")
    new.symlink_to(target)
    new.replace(link)


async def test_a_log_that_cannot_be_read_is_told_and_followed_again(
    publisher: Publisher, follower: Follower
) -> None:
    folder, away, no_folder = (publisher.path / name for name in ("log", "away", "no_folder"))
    no_folder.write_text("not a folder")
    away.mkdir()
    folder.symlink_to(away)
    async with follower.listen(await publisher.log.end()) as listener:
        await publisher.append(life_events(1))
        await take(listener, 1)
        point(folder, no_folder)
        with pytest.raises(EventLogUnavailable):
            await listener.next_page(20)
        with pytest.raises(EventLogUnavailable):
            await listener.next_page(0.01)
        point(folder, away)
        event = life_event()
        await publisher.append([event])
        async with asyncio.timeout(20):
            while True:
                try:
                    page = await anext(listener)
                except EventLogUnavailable:
                    continue
                break
        assert [entry.event for entry in page.entries] == [event]


@pytest.mark.parametrize("failure", [EventLogUnavailable("away"), RuntimeError("a defect")])
async def test_a_wait_that_fails_after_a_page_adds_no_entry_twice(
    tmp_path: Path, failure: Exception
) -> None:
    log, events = LogWithFailingWaits(tmp_path / "events.sqlite"), life_events(20)
    publisher, follower = Publisher(log, tmp_path, []), Follower(log, recent=4)
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        stack.push_async_callback(log.close)
        stack.push_async_callback(follower.close)
        listener = await stack.enter_async_context(follower.listen(await log.end()))
        await log.waits.get()
        log.failures.append(failure)
        await publisher.append(events[:5])
        await log.waits.get()  # fails, after the page was added
        await log.waits.get()  # the log is followed again
        assert await take(listener, 5) == events[:5]
        for place in range(5, 20, 5):  # more than are kept
            await publisher.append(events[place : place + 5])
            assert await take(listener, 5) == events[place : place + 5]
        assert not (await listener.next_page(0.01)).entries  # raises if nobody follows the log


def test_recent_entries_are_added_once() -> None:
    entries, recent = [EventLogEntry(str(n), life_event()) for n in range(1, 4)], RecentEntries(2)
    recent.begin("0")
    recent.add(EventLogPage(entries[:2], is_end=True))
    recent.add(EventLogPage(entries, is_end=True))
    assert recent.page("0", 9) == EventLogPage(entries, is_end=True)


async def test_closing_leaves_nobody_waiting(publisher: Publisher) -> None:
    follower = Follower(publisher.log)
    async with follower.listen(await publisher.log.end()) as listener:
        waiting = asyncio.create_task(listener.next_page(20))
        await asyncio.sleep(0.01)
        await follower.close()
        with pytest.raises(EventLogUnavailable):
            await waiting
