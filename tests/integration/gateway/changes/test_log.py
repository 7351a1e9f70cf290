"""Every event log keeps what was acknowledged, in one order, and never passes over a loss.

One suite over all engines, each a real one. Covers ``gateway.changes.log``,
``gateway.changes.sqlite_log``, ``gateway.changes.last_appends``, ``gateway.changes.retention``,
``gateway.changes.engines``, ``gateway.changes.redis_event_log``,
``gateway.changes.nats_event_log``,
``gateway.changes.nats_connection``, ``gateway.storage.open_sqlite_file``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.changes.engines import EngineName
from gateway.changes.event import LifeEvent
from gateway.changes.log import (
    EventLog,
    EventLogEntry,
    EventLogUnavailable,
    LeaseLost,
    PositionExpired,
)
from gateway.changes.positions import new_epoch, parse_position
from gateway.changes.retention import Retention
from tests.support.caches import file_log
from tests.support.coherence import wait_until
from tests.support.event_logs import (
    DATABASE,
    LEASE,
    Engine,
    EngineServers,
    acquire_in_turn,
    appending_process,
    engine_servers,
    read_all,
)
from tests.support.life_events import followed, life_event, life_events
from tests.support.listed_changes import DEATHS, ListedChanges, PublishingHost, death, publishing
from tests.support.people import HOA
from tests.support.running import TestClock

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServers]:
    with engine_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture(params=["sqlite", "redis", "nats"])
def engine(request: pytest.FixtureRequest, servers: EngineServers, tmp_path: Path) -> Engine:
    return servers.engine(request.param, tmp_path)


async def test_entries_are_what_was_appended_in_its_order(engine: Engine) -> None:
    events = life_events(25)
    async with engine.log("a") as log:
        begin = await log.end()
        first = await log.append("a", events[:10], followed("1"))
        await log.append("a", events[10:], followed("2"))
        entries = await read_all(log, begin, limit=10)
        assert [entry.event for entry in entries] == events
        assert first.position == entries[9].position
        assert await log.end() == entries[-1].position
        positions = [begin, *(entry.position for entry in entries)]
        for earlier, later in pairwise(positions):
            assert log.is_before(earlier, later)
            assert not log.is_before(later, earlier)


async def test_the_order_is_that_of_the_appends_while_the_clock_goes_back(engine: Engine) -> None:
    engine.clock = clock = TestClock()
    events = life_events(12)
    async with engine.log("a") as log:
        begin = await log.end()
        positions = [begin]
        for event in events:
            positions.append((await log.append("a", [event], followed())).position)
            clock.moment -= timedelta(seconds=1)
        entries = await read_all(log, begin, limit=5)
    assert [entry.event for entry in entries] == events
    assert [entry.position for entry in entries] == positions[1:]
    assert all(log.is_before(*pair) for pair in pairwise(positions))
    assert not any(log.is_before(later, earlier) for earlier, later in pairwise(positions))


async def test_a_page_says_whether_the_log_has_more(engine: Engine) -> None:
    async with engine.log("a") as log:
        begin = await log.end()
        assert (await log.read(begin, 5)).is_end
        await log.append("a", life_events(5), followed())
        assert not (await log.read(begin, 4)).is_end
        page = await log.read(begin, 5)
        assert (len(page.entries), page.is_end) == (5, True)


async def test_another_process_reads_the_same_and_positions_of_the_first_count_there(
    engine: Engine,
) -> None:
    async with engine.log("a") as writer, engine.log() as reader:
        begin = await reader.end()
        await writer.append("a", life_events(3), followed())
        entries = await read_all(writer, begin)
        assert await read_all(reader, begin) == entries
        assert await read_all(reader, entries[0].position) == entries[1:]


async def test_publishers_of_two_databases_append_at_once_and_all_readers_agree(
    engine: Engine,
) -> None:
    databases = (DATABASE, "notary")
    written = {
        name: [replace(life_event(), database=name) for _ in range(20)] for name in databases
    }

    async def publish(log: EventLog, database: str) -> None:
        assert await log.acquire(database, database, LEASE)
        for place in range(0, 20, 2):
            page = written[database][place : place + 2]
            await log.append(database, page, followed(str(place), database))

    async def tail(log: EventLog, position: str) -> list[EventLogEntry]:
        entries: list[EventLogEntry] = []
        while len(entries) < 40:
            await log.wait(position, 20)
            entries += (await log.read(position, 100)).entries
            position = entries[-1].position if entries else position
        return entries

    async with engine.log() as first, engine.log() as second, asyncio.timeout(30):
        begin = await first.end()
        tails = [asyncio.create_task(tail(log, begin)) for log in (first, second)]
        await asyncio.gather(publish(first, databases[0]), publish(second, databases[1]))
        entries, same = await asyncio.gather(*tails)
        assert entries == same == await read_all(first, begin)
        for name in databases:
            assert [each.event for each in entries if each.event.database == name] == written[name]


async def test_a_process_that_comes_back_goes_on_where_it_was(engine: Engine) -> None:
    async with engine.log("a") as log:
        begin = await log.end()
        await log.append("a", life_events(3), followed("7"))
        before = await read_all(log, begin)
    async with engine.log() as log:
        assert await read_all(log, begin) == before
        assert (await log.statuses())[DATABASE].checkpoint == "7"


async def test_statuses_are_those_appended_last_of_each_database(engine: Engine) -> None:
    async with engine.log("a") as log:
        assert await log.statuses() == {}
        assert await log.acquire("notary", "a", LEASE)
        await log.append("a", life_events(2), followed("1"))
        civil_status = await log.append("a", [], followed("2"))
        event = replace(life_event(), database="notary")
        notary = await log.append("a", [event], followed(HOA, "notary"))
        assert await log.statuses() == {DATABASE: civil_status, "notary": notary}
        assert log.is_before(civil_status.position, notary.position)
        assert not log.is_before(notary.position, civil_status.position)
        assert notary.position == await log.end()


async def test_a_lease_is_of_one_holder_until_it_ends(engine: Engine) -> None:
    async with engine.log() as log, engine.log() as other:
        assert await log.acquire(DATABASE, "a", 0.2)
        assert await log.acquire(DATABASE, "a", 0.2)
        assert not await other.acquire(DATABASE, "b", LEASE)
        assert await other.acquire("notary", "b", LEASE)
        await acquire_in_turn(other, "b")
        assert not await log.acquire(DATABASE, "a", LEASE)


@pytest.mark.parametrize("make", ["sqlite", "nats"])
async def test_a_lease_that_a_clock_ahead_gave_does_not_outlast_the_clock(
    make: EngineName, servers: EngineServers, tmp_path: Path
) -> None:
    engine, clock = servers.engine(make, tmp_path), TestClock()
    engine.clock = clock
    async with engine.log("a") as first, engine.log() as second:
        clock.moment -= timedelta(seconds=LEASE)
        assert not await second.acquire(DATABASE, "b", LEASE)
        clock.moment -= timedelta(hours=1)
        assert await second.acquire(DATABASE, "b", LEASE)
        with pytest.raises(LeaseLost):
            await first.append("a", life_events(1), followed())


async def test_an_append_of_a_former_holder_is_refused(engine: Engine) -> None:
    async with engine.log() as log, engine.log() as other:
        begin = await log.end()
        assert await log.acquire(DATABASE, "a", 0.2)
        await log.append("a", life_events(1), followed("1"))
        await acquire_in_turn(other, "b")
        with pytest.raises(LeaseLost):
            await log.append("a", life_events(1), followed("2"))
        await other.append("b", life_events(1), followed("3"))
        with pytest.raises(LeaseLost):
            await log.append("a", life_events(1), followed("4"))
        assert len(await read_all(log, begin)) == 2
        assert (await log.statuses())[DATABASE].checkpoint == "3"


async def test_nobody_appends_without_a_lease(engine: Engine) -> None:
    async with engine.log() as log:
        begin = await log.end()
        with pytest.raises(LeaseLost):
            await log.append("a", life_events(1), followed())
        assert (await log.read(begin, 1)).entries == []
        assert await log.statuses() == {}


async def test_a_wait_ends_when_another_process_appends(engine: Engine) -> None:
    async with engine.log("a") as writer, engine.log() as reader:
        begin = await reader.end()
        waits = [asyncio.create_task(reader.wait(begin, 20)) for _ in range(100)]
        for _ in range(3):
            await asyncio.sleep(0)
        appended = await writer.append("a", life_events(1), followed())
        async with asyncio.timeout(10):
            await asyncio.gather(*waits)
        assert len((await reader.read(begin, 5)).entries) == 1
        async with asyncio.timeout(10):
            await reader.wait(begin, 20)  # at once: there are entries
        await reader.wait(appended.position, 0.01)  # and no longer than it may


@pytest.mark.parametrize("text", ["", "0", "0-0", "x" * 40])
async def test_what_is_no_position_is_refused(engine: Engine, text: str) -> None:
    async with engine.log() as log:
        with pytest.raises(ValueError, match="no position"):
            await log.read(text, 1)
        with pytest.raises(ValueError, match="no position"):
            await log.wait(text, 1)


async def test_a_position_of_another_log_has_expired(engine: Engine, tmp_path: Path) -> None:
    options = replace(engine.options, file=tmp_path / "other.sqlite", name=new_epoch())
    async with engine.log("a") as log, replace(engine, options=options).log() as other:
        appended = await log.append("a", life_events(1), followed())
        position = await other.end()
        with pytest.raises(PositionExpired):
            await log.read(position, 1)
        with pytest.raises(PositionExpired):
            log.is_before(position, appended.position)


async def test_beyond_their_number_the_oldest_entries_go_and_positions_say_so(
    engine: Engine,
) -> None:
    engine.options = replace(engine.options, retention=Retention(entries=4))
    async with engine.log("a") as log:
        begin = await log.end()
        await log.append("a", life_events(3), followed())
        positions = [entry.position for entry in await read_all(log, begin)]
        events = life_events(3)
        await log.append("a", events, followed())
        for expired in (begin, positions[0]):
            with pytest.raises(PositionExpired):
                await log.read(expired, 10)
        entries = await read_all(log, positions[2])
        assert [entry.event for entry in entries] == events


@pytest.mark.parametrize("make", ["sqlite", "redis"])
async def test_old_entries_go_with_the_next_append_and_the_last_one_stays(
    make: EngineName, servers: EngineServers, tmp_path: Path
) -> None:
    engine = servers.engine(make, tmp_path)
    engine.clock = clock = TestClock()
    engine.options = replace(engine.options, retention=Retention(seconds=3600))
    async with engine.log("a") as log:
        begin = await log.end()
        appended = await log.append("a", life_events(2), followed())
        clock.advance(3700)
        assert await log.acquire(DATABASE, "a", LEASE)
        await log.append("a", [], followed())
        with pytest.raises(PositionExpired):
            await log.read(begin, 10)
        assert (await log.read(appended.position, 10)).entries == []
        await log.append("a", life_events(1), followed())
        assert len((await log.read(appended.position, 10)).entries) == 1


async def test_a_killed_publisher_leaves_what_was_acknowledged_and_another_goes_on(
    engine: Engine,
) -> None:
    async with engine.log() as log:
        begin = await log.end()
        async with appending_process(engine, "a") as (process, lines):
            acknowledged: list[str] = []
            while len(acknowledged) < 60:
                acknowledged += (await lines.readline()).decode().split()
            os.kill(process.pid, signal.SIGKILL)
            rest = await lines.read()
        acknowledged += b" ".join(rest.splitlines()[: rest.count(b"\n")]).decode().split()
        assert await log.acquire(DATABASE, "a", LEASE)  # as the one that was killed
        rows = [entry.event.row for entry in await read_all(log, begin)]
        assert rows[: len(acknowledged)] == acknowledged
        assert len(rows) <= len(acknowledged) + 3
        status = (await log.statuses())[DATABASE]
        assert len(rows) - 3 <= 3 * int(status.checkpoint or 0) <= len(rows)
        await log.append("a", life_events(1), followed())
        assert len(await read_all(log, begin)) == len(rows) + 1


async def test_a_log_that_was_emptied_is_another_log_and_takes_no_append_after_what_it_lost(
    engine: Engine,
) -> None:
    async with engine.log("a") as log:
        begin = await log.end()
        appended = await log.append("a", life_events(1), followed("1"))
        await engine.empty()
        for expired in (begin, appended.position):
            with pytest.raises(PositionExpired):
                await log.read(expired, 1)
        async with asyncio.timeout(10):
            await log.wait(appended.position, 20)
        assert await log.statuses() == {}
        await log.acquire(DATABASE, "a", LEASE)
        with pytest.raises(LeaseLost):
            await log.append("a", life_events(1), followed("2"))
        assert await log.acquire(DATABASE, "a", LEASE)
        again = await log.append("a", life_events(1), followed("2"))
        with pytest.raises(PositionExpired):
            log.is_before(appended.position, again.position)


async def test_a_position_beyond_the_end_has_expired(engine: Engine) -> None:
    async with engine.log("a") as log:
        appended = await log.append("a", life_events(1), followed("1"))
        position = parse_position(appended.position)
        for beyond in (replace(position, sequence=position.sequence + n) for n in (1, 10)):
            with pytest.raises(PositionExpired):
                await log.read(str(beyond), 1)


async def test_whoever_publishes_to_a_log_that_was_emptied_voids_the_cache(
    engine: Engine, tmp_path: Path
) -> None:
    engine.clock = clock = TestClock()
    cache_log = file_log(tmp_path, clock)
    async with engine.log() as log:
        host = PublishingHost(tmp_path, clock, ListedChanges(clock), log, cache_log)
        await host.open()
        async with publishing(host):
            pass
        position = cache_log.position()
        assert position is not None
        await engine.empty()
        host.source.changes += [death(HOA, "1")]
        async with publishing(host):
            assert cache_log.invalidations.concerns(DEATHS, [], [HOA], position)


@pytest.mark.parametrize("make", ["sqlite", "redis"])
async def test_an_older_copy_does_not_pass_for_the_log_and_takes_no_append_after_what_it_lost(
    make: EngineName, servers: EngineServers, tmp_path: Path
) -> None:
    engine = servers.engine(make, tmp_path)
    async with engine.log("a") as log, engine.log() as reader:
        begin = await log.end()
        copied = await log.append("a", life_events(2), followed("2"))
        restore = servers.copy(engine.options)
        lost = await log.append("a", life_events(2), followed("4"))
        await reader.read(copied.position, 1)
        restore()
        with pytest.raises(PositionExpired):
            await reader.read(lost.position, 1)
        with pytest.raises(LeaseLost):
            await log.append("a", life_events(2), followed("6"))
        assert (await log.statuses())[DATABASE].checkpoint == "2"
        assert await log.acquire(DATABASE, "a", LEASE)
        await log.append("a", life_events(2), followed("4"))
        with pytest.raises(PositionExpired):
            await reader.read(lost.position, 1)
        assert len((await reader.read(copied.position, 5)).entries) == 2
        assert len(await read_all(reader, begin)) == 4


@pytest.mark.parametrize("make", ["redis", "nats"])
async def test_a_killed_server_comes_back_with_all_that_was_acknowledged(
    make: EngineName, servers: EngineServers, tmp_path: Path
) -> None:
    engine, server = servers.engine(make, tmp_path), servers.server(make)
    acknowledged: list[LifeEvent] = []

    async def append() -> None:
        while True:
            events = life_events(3)
            await log.append("a", events, followed(events[-1].row))
            acknowledged.extend(events)

    async with engine.log("a") as log, engine.log() as reader:
        begin = await log.end()
        appends = asyncio.create_task(append())
        await wait_until(lambda: len(acknowledged) > 60)
        waiting = asyncio.create_task(reader.wait(await reader.end(), 60))
        server.stop()
        with pytest.raises(EventLogUnavailable):
            await appends
        with suppress(EventLogUnavailable):
            await waiting
        for call in (log.end(), log.statuses(), log.read(begin, 1), log.wait(begin, 60)):
            with pytest.raises(EventLogUnavailable):
                await call
        server.start()
        entries = await read_all(reader, begin)
        events = [entry.event for entry in entries]
        assert events[: len(acknowledged)] == acknowledged
        assert len(events) <= len(acknowledged) + 3
        for known in acknowledged[-3:]:
            position = entries[events.index(known)].position
            assert (await log.read(position, 1)).entries == entries[events.index(known) + 1 :][:1]
        status = (await log.statuses())[DATABASE]
        assert status.checkpoint in {acknowledged[-1].row, events[-1].row}
