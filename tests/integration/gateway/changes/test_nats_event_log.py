"""What only NATS does: it removes entries by itself, and loses them beside their status."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import nats
import pytest

from gateway.changes.log import FollowState, LeaseLost, PositionExpired
from gateway.changes.positions import parse_position
from gateway.changes.retention import Retention
from tests.support.event_logs import DATABASE, LEASE, Engine, nats_engine, read_all
from tests.support.life_events import followed, life_event, life_events
from tests.support.nats_server import NatsServer, nats_process
from tests.support.people import HOA

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nats")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[NatsServer]:
    with nats_process(folder) as server:
        yield server


@pytest.fixture
def engine(server: NatsServer) -> Engine:
    return nats_engine(server)


async def remove_entry(server: NatsServer, engine: Engine, position: str) -> None:
    """Lose an entry as a machine without power does, beside a status that it wrote before."""
    client = await nats.connect(f"nats://127.0.0.1:{server.port}")
    await client.jetstream().delete_msg(engine.options.name, parse_position(position).sequence)
    await client.close()


async def test_old_entries_go_and_positions_at_the_end_still_count(engine: Engine) -> None:
    engine.options = replace(engine.options, retention=Retention(seconds=0.3))
    async with engine.log("a") as log:
        begin = await log.end()
        appended = await log.append("a", life_events(2), followed())
        async with asyncio.timeout(20):
            with suppress(PositionExpired):
                while True:
                    await log.read(begin, 10)
                    await asyncio.sleep(0.02)
        assert (await log.read(appended.position, 10)).entries == []
        assert (await log.statuses())[DATABASE] == appended
        event = life_event()
        with pytest.raises(LeaseLost):  # what proved that nobody took the lease is gone too
            await log.append("a", [event], followed())
        assert await log.acquire(DATABASE, "a", LEASE)
        await log.append("a", [event], followed())
        assert [entry.event for entry in await read_all(log, appended.position)] == [event]


async def test_a_status_whose_entries_are_lost_is_an_interruption_and_nothing_follows_it(
    server: NatsServer, engine: Engine
) -> None:
    async with engine.log("a") as log:
        begin = await log.end()
        appended = await log.append("a", life_events(3), followed("3"))
        await remove_entry(server, engine, appended.position)
        with pytest.raises(PositionExpired):
            await log.read(begin, 10)
        with pytest.raises(LeaseLost):
            await log.append("a", life_events(1), followed("4"))
        status = (await log.statuses())[DATABASE]
        lost = (FollowState.INTERRUPTED, "", None)
        assert (status.state, status.checkpoint, status.complete_until) == lost
        assert await log.acquire(DATABASE, "a", LEASE)
        await log.statuses()
        again = await log.append("a", life_events(1), followed("4"))
        assert (await log.statuses())[DATABASE] == again


async def test_takeovers_are_no_entries(engine: Engine) -> None:
    async with engine.log("a") as log, engine.log() as other:
        begin = await log.end()
        for database in ("notary", "population"):
            assert await other.acquire(database, "b", LEASE)
        assert await log.end() == begin
        event = life_event()
        await log.append("a", [event], followed())
        page = await log.read(begin, 1)
        assert ([entry.event for entry in page.entries], page.is_end) == ([event], True)


async def test_an_event_that_is_appended_again_at_once_stands_there_once(engine: Engine) -> None:
    async with engine.log("a") as log:
        begin, events = await log.end(), life_events(2)
        first = await log.append("a", events, followed("1"))
        assert await log.append("a", events, followed("1")) == first
        assert len(await read_all(log, begin)) == 2


async def test_nats_has_no_number_of_a_person(folder: Path, engine: Engine) -> None:
    async with engine.log("a") as log:
        await log.append("a", life_events(3), followed(HOA))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".blk" for path in files)
    assert not any(HOA.encode() in path.read_bytes() for path in files)


async def test_an_event_that_another_process_appended_does_not_let_a_former_one_go_on(
    engine: Engine,
) -> None:
    async with engine.log("a") as former, engine.log("a") as present:
        begin, events = await present.end(), life_events(2)
        await present.append("a", events[:1], followed("1"))
        with pytest.raises(LeaseLost):
            await former.append("a", events, followed("2"))
        assert [entry.event for entry in await read_all(present, begin)] == events[:1]
        assert (await present.statuses())[DATABASE].checkpoint == "1"
