"""Processes publish the changes of a real database: they are killed, and nothing is lost.

Covers ``gateway.changes.publish_changes`` too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEvent
from gateway.changes.log import EventLog, FollowState, SourceStatus
from tests.support.death_register import create_register, enter_deaths
from tests.support.publishing_process import ProcessOptions, publish, publishing_process
from tests.support.server_processes import postgresql_process
from tests.support.servers import Server

pytestmark = pytest.mark.services
NAME = "civil_status"
_PATIENCE = 120.0
PEOPLE = [f"0010800000{number:02}" for number in range(20)]


@pytest_asyncio.fixture
async def register(postgresql: Server) -> Server:
    await create_register(postgresql)
    return postgresql


@pytest_asyncio.fixture
async def options(register: Server, tmp_path: Path) -> ProcessOptions:
    return ProcessOptions(register.url, str(tmp_path))


@pytest_asyncio.fixture
async def log(options: ProcessOptions) -> AsyncIterator[EventLog]:
    log = options.event_log()
    await log.open()
    yield log
    await log.close()


async def status_of(log: EventLog, state: FollowState) -> SourceStatus:
    """Wait until the database is in ``state``, and return its status."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            status = (await log.statuses()).get(NAME)
            if status is not None and status.state is state:
                return status
            await asyncio.sleep(0.02)


class Reader:
    """Reads the log from where it is made."""

    def __init__(self, log: EventLog, begin: str) -> None:
        self._log = log
        self._position = begin
        self.events: list[LifeEvent] = []

    async def until(self, number: int) -> Sequence[LifeEvent]:
        """Read until there are so many events of different ids; return these, the first of each."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                page = await self._log.read(self._position, 1_000)
                self.events += [entry.event for entry in page.entries]
                if page.entries:
                    self._position = page.entries[-1].position
                distinct = {event.id: event for event in reversed(self.events)}
                if len(distinct) >= number:
                    return list(reversed(distinct.values()))
                await self._log.wait(self._position, 1.0)


@pytest.mark.long
async def test_processes_that_are_killed_lose_nothing_and_keep_the_order_of_each_person(
    register: Server, options: ProcessOptions, log: EventLog
) -> None:
    """Two run at any time; whoever runs longest is killed, three times, at random moments."""
    draw, total = Random(83), 240
    deaths = [(f"KT{number:03}", PEOPLE[number % len(PEOPLE)]) for number in range(total)]
    async with AsyncExitStack() as stack:

        async def start() -> asyncio.subprocess.Process:
            return await stack.enter_async_context(publishing_process(options))

        processes = [await start(), await start()]
        await status_of(log, FollowState.FOLLOWED)
        reader = Reader(log, await log.end())
        for kill in range(3):
            begin, end = kill * 60, (kill + 1) * 60
            entering = asyncio.create_task(_enter(register, deaths[begin:end]))
            await reader.until(begin + draw.randrange(1, 50))
            processes.pop(0).kill()
            processes.append(await start())
            await entering
        await _enter(register, deaths[180:])
        events = await reader.until(total)
    assert len(events) == total
    for person in PEOPLE:
        rows = [event.row for event in events if event.person == person]
        assert rows == [identity for identity, number in deaths if number == person]


async def _enter(register: Server, deaths: Sequence[tuple[str, str]]) -> None:
    for start in range(0, len(deaths), 7):
        await enter_deaths(register, deaths[start : start + 7])


async def test_a_database_that_is_stopped_and_started_is_interrupted_and_resumed(
    tmp_path: Path,
) -> None:
    process = postgresql_process(tmp_path / "server")
    process.start()
    server = Server("postgresql", process.port, "postgres", "postgres")
    await create_register(server)
    options = ProcessOptions(server.url, str(tmp_path), lease_seconds=30)
    log = options.event_log()
    await log.open()
    publisher = asyncio.create_task(publish(options, "one"))
    try:
        await status_of(log, FollowState.FOLLOWED)
        reader = Reader(log, await log.end())
        await enter_deaths(server, [("KT0", PEOPLE[0])])
        await reader.until(1)
        process.kill()
        interrupted = await status_of(log, FollowState.INTERRUPTED)
        process.start()
        await enter_deaths(server, [("KT1", PEOPLE[0])])
        events = await reader.until(4)
        resumed = await status_of(log, FollowState.FOLLOWED)
    finally:
        publisher.cancel()
        await asyncio.gather(publisher, return_exceptions=True)
        await log.close()
        process.kill()
    assert [event.kind.name for event in events] == [
        "DEATH",
        "SOURCE_INTERRUPTED",
        "SOURCE_RESUMED",
        "DEATH",
    ]
    assert events[1].since == interrupted.complete_until
    assert interrupted.complete_until is not None
    assert resumed.complete_until is not None
    assert resumed.complete_until > interrupted.complete_until


async def test_a_table_without_its_trigger_is_interrupted_and_its_events_are_missed(
    register: Server, options: ProcessOptions, log: EventLog
) -> None:
    publisher = asyncio.create_task(publish(options, "one"))
    try:
        await status_of(log, FollowState.FOLLOWED)
        reader = Reader(log, await log.end())
        await enter_deaths(register, [("KT0", PEOPLE[0])])
        await reader.until(1)
        await register.execute("ALTER TABLE deaths DISABLE TRIGGER ALL")
        await enter_deaths(register, [("KT1", PEOPLE[0])])
        interrupted = await status_of(log, FollowState.INTERRUPTED)
        await register.execute("ALTER TABLE deaths ENABLE TRIGGER ALL")
        events = await reader.until(4)
    finally:
        publisher.cancel()
        await asyncio.gather(publisher, return_exceptions=True)
    assert [event.kind.name for event in events] == [
        "DEATH",
        "SOURCE_INTERRUPTED",
        "SOURCE_RESUMED",
        "EVENTS_MISSED",
    ]
    assert interrupted.complete_until is not None
    assert events[1].since == events[3].since == interrupted.complete_until
