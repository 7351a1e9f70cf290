"""The changes of a database are published in order, once the cache is void, and none is lost.

Covers ``gateway.changes.publisher``, ``gateway.changes.published``, ``gateway.changes.metrics`` and
``gateway.changes.backoff`` too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.changes.change import UnreadableChange
from gateway.cache.invalidations import Invalidation, KnownInvalidations, LogUnavailable, Position
from gateway.changes.event import LifeEvent
from gateway.changes.log import LONGEST_LEASE, FollowState, SourceStatus
from gateway.changes.metrics import FAILURES, FOLLOWED, LEASE
from gateway.changes.publish_changes import KNOWN_INTERVAL
from gateway.changes.publisher import ChangePublisher
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.changes.sqlite_log import SqliteEventLog
from gateway.keys.keyring import Keyring
from gateway.storage.sealing import Sealing
from tests.support.caches import SECRET
from tests.support.life_events import followed
from tests.support.listed_changes import (
    DEATHS,
    PublishingHost,
    death,
    publishing,
    settled,
    sqlite_event_log,
    until,
)
from tests.support.metrics import value_of
from tests.support.people import DEAD, HOA, LAN

NAME = "civil_status"
EVENTS_MISSED = "EVENTS_MISSED"


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[PublishingHost]:
    host = PublishingHost.in_folder(tmp_path)
    await host.open()
    yield host
    await host.log.close()


async def kinds(host: PublishingHost) -> list[tuple[str, str | None]]:
    return [(event.kind.name, event.person) for event in await host.events()]


async def status(host: PublishingHost) -> SourceStatus:
    return (await host.log.statuses())[NAME]


async def test_the_first_start_tells_of_what_changes_from_now_on(host: PublishingHost) -> None:
    host.source.changes += [death(DEAD, "1")]
    async with publishing(host):
        host.source.changes += [death(HOA, "2"), death(LAN, "3")]
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA), ("DEATH", LAN)]


async def test_complete_until_moves_while_nothing_happens(host: PublishingHost) -> None:
    async with publishing(host):
        before = (await status(host)).complete_until
        await settled(host)
        after = (await status(host)).complete_until
    assert before is not None
    assert after is not None
    assert before < after
    assert await host.events() == []


async def test_a_source_whose_clock_is_ahead_is_not_complete_in_the_future(
    host: PublishingHost,
) -> None:
    host.source.clock_ahead = timedelta(hours=1)
    async with publishing(host):
        await settled(host)
        complete_until = (await status(host)).complete_until
    assert complete_until is not None
    assert complete_until <= host.clock.now()


async def test_the_log_hears_that_nothing_happened_once_a_heartbeat(host: PublishingHost) -> None:
    async with publishing(host, host.parts(heartbeat_seconds=60)):
        begun = await status(host)
        await settled(host)
        assert (await status(host)).position == begun.position


async def test_cached_rows_are_void_before_the_event_can_be_read(host: PublishingHost) -> None:
    known = host.invalidations.invalidations
    waits: list[tuple[bool, int]] = []

    async def sleep(seconds: float) -> None:
        is_void = known.concerns(DEATHS, [], [HOA], position)
        waits.append((is_void, len(await host.events())))
        await host.sleep(seconds)

    position = Position("", 0)
    async with publishing(host, replace(host.parts(), sleep=sleep)):
        position = host.invalidations.position() or position
        waits.clear()
        host.source.changes += [death(HOA, "1")]
        await until(lambda: (True, 0) in waits)
        await settled(host)
    assert (False, 1) not in waits
    assert await kinds(host) == [("DEATH", HOA)]


@pytest.mark.parametrize("step", [5, -3_600], ids=["forward", "back"])
async def test_a_step_of_the_clock_neither_ends_nor_prolongs_the_wait_for_the_cache(
    host: PublishingHost, step: float
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds > KNOWN_INTERVAL:  # until the lease is renewed: the clock stands still
            await asyncio.sleep(0)
            return
        waits.append(seconds)
        if len(waits) == 1 and host.source.changes:
            host.clock.moment += timedelta(seconds=step)
        await host.sleep(seconds)

    async with publishing(host, replace(host.parts(), sleep=sleep)):
        waits.clear()
        host.source.changes += [death(HOA, "1")]
        await settled(host)
        assert sum(waits) == pytest.approx(host.invalidations.known_within)
        host.source.changes += [death(LAN, "2")]
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA), ("DEATH", LAN)]


class _BrokenLog:
    """An invalidation log that takes nothing until it is mended."""

    def __init__(self, host: PublishingHost) -> None:
        self._log = host.invalidations
        self.invalidations: KnownInvalidations = host.invalidations.invalidations
        self.known_within = host.invalidations.known_within
        self.refused = 0
        self.is_broken = False

    async def open(self) -> None:
        await self._log.open()

    async def close(self) -> None:
        await self._log.close()

    def position(self) -> Position | None:
        return self._log.position()

    async def invalidate(self, invalidations: Sequence[Invalidation]) -> datetime:
        if self.is_broken:
            self.refused += 1
            raise LogUnavailable
        return await self._log.invalidate(invalidations)

    async def is_effective_everywhere(self) -> bool:
        return False


async def test_no_event_is_told_while_the_cache_cannot_be_voided(host: PublishingHost) -> None:
    broken = _BrokenLog(host)
    async with publishing(host, replace(host.parts(), invalidations=broken)):
        broken.is_broken = True
        host.source.changes += [death(HOA, "1")]
        await until(lambda: broken.refused > 2)
        assert await host.events() == []
        broken.is_broken = False
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA)]


async def test_an_interruption_is_told_once_with_the_moment_of_the_last_complete_events(
    host: PublishingHost,
) -> None:
    async with publishing(host):
        complete_until = (await status(host)).complete_until
        host.source.stop()
        failures = value_of(FAILURES, NAME, "source")
        await until(lambda: value_of(FAILURES, NAME, "source") > failures + 3)
        interrupted = await status(host)
        assert interrupted.state is FollowState.INTERRUPTED
        assert interrupted.complete_until is not None
        assert complete_until is not None
        assert interrupted.complete_until >= complete_until
        (event,) = await host.events()
        assert (event.kind.name, event.since) == (
            "SOURCE_INTERRUPTED",
            interrupted.complete_until,
        )
        host.source.fault = None
        host.source.changes += [death(HOA, "1")]
        await settled(host)
    told = await kinds(host)
    assert told == [("SOURCE_INTERRUPTED", None), ("SOURCE_RESUMED", None), ("DEATH", HOA)]
    assert (await status(host)).state is FollowState.FOLLOWED


async def test_maintenance_interrupts_a_database(host: PublishingHost) -> None:
    async with publishing(host):
        host.is_suspended = True
        await until(lambda: value_of(FOLLOWED, NAME) == 0)
        stands = (await status(host)).complete_until
        host.source.changes += [death(HOA, "1")]
        assert (await status(host)).complete_until == stands
        host.is_suspended = False
        await settled(host)
    told = await kinds(host)
    assert told == [("SOURCE_INTERRUPTED", None), ("SOURCE_RESUMED", None), ("DEATH", HOA)]


async def test_a_lost_checkpoint_is_told_and_voids_the_database(host: PublishingHost) -> None:
    async with publishing(host):
        pass
    position = host.invalidations.position()
    assert position is not None
    complete_until = (await status(host)).complete_until
    host.source.changes += [death(HOA, "1"), death(LAN, "2")]
    host.source.lost_before = 2
    async with publishing(host):
        host.source.changes += [death(DEAD, "3")]
        await settled(host)
    told = await host.events()
    assert [(event.kind.name, event.person) for event in told] == [
        (EVENTS_MISSED, None),
        ("DEATH", DEAD),
    ]
    assert told[0].since == complete_until
    assert host.invalidations.invalidations.concerns(DEATHS, [], [HOA], position)


async def test_a_change_after_an_older_copy_was_restored_is_new_at_a_position_of_before(
    host: PublishingHost,
) -> None:
    async with publishing(host):
        host.source.changes += [death(HOA, "1")]
        await settled(host)
        host.source.changes.clear()
        await settled(host)
        position = host.invalidations.position()
        host.source.changes += [death(LAN, "1")]
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA), (EVENTS_MISSED, None), ("DEATH", LAN)]
    assert position is not None
    assert host.invalidations.invalidations.concerns(DEATHS, [], [LAN], position)


async def test_a_checkpoint_of_another_source_is_as_good_as_lost(host: PublishingHost) -> None:
    async with publishing(host):
        pass
    log = sqlite_event_log(host.folder, host.clock)
    assert await log.acquire(NAME, "first", 30)
    await log.append("first", [], replace(await status(host), checkpoint="of an outbox"))
    await log.close()
    async with publishing(host):
        pass
    assert [kind for kind, _ in await kinds(host)] == [EVENTS_MISSED]


async def test_what_happened_before_the_first_answer_of_a_database_may_be_missed(
    host: PublishingHost,
) -> None:
    host.source.stop()
    task = asyncio.create_task(ChangePublisher(host.parts()).run())
    failures = value_of(FAILURES, NAME, "source")
    await until(lambda: value_of(FAILURES, NAME, "source") > failures + 1)
    assert (await status(host)).state is FollowState.INTERRUPTED
    assert (await status(host)).complete_until is None
    host.source.changes += [death(HOA, "1")]
    host.source.fault = None
    await settled(host)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [kind for kind, _ in await kinds(host)] == [
        "SOURCE_INTERRUPTED",
        "SOURCE_RESUMED",
        EVENTS_MISSED,
    ]


@pytest.mark.parametrize("others", [["notary"], []], ids=["beside others", "alone"])
async def test_who_has_a_position_is_told_that_events_of_before_a_database_was_followed_are_missed(
    host: PublishingHost, others: Sequence[str]
) -> None:
    for other in others:
        assert await host.log.acquire(other, "first", 30)
        await host.log.append("first", [], followed("1", other))
    host.source.changes += [death(HOA, "1")]
    async with publishing(host):
        host.source.changes += [death(LAN, "2")]
        await settled(host)
    missed, event = await host.events_after(host.begin)
    assert (missed.kind.name, missed.database, missed.since) == (EVENTS_MISSED, NAME, None)
    assert event.person == LAN


async def test_who_has_a_position_in_a_log_that_was_emptied_is_told_that_events_are_missed(
    host: PublishingHost,
) -> None:
    async with publishing(host):
        pass
    for file in host.folder.glob("events.sqlite*"):
        file.unlink()
    position = await host.log.end()
    host.source.changes += [death(HOA, "1")]
    async with publishing(host):
        await settled(host)
    (missed,) = await host.events_after(position)
    assert (missed.kind.name, missed.since) == (EVENTS_MISSED, None)


async def test_a_change_that_cannot_be_read_is_told_as_events_that_may_be_missed(
    host: PublishingHost,
) -> None:
    async with publishing(host):
        host.source.changes += [death(HOA, "1"), UnreadableChange(DEATHS, "2", "death_date")]
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA), (EVENTS_MISSED, None)]


async def test_a_change_that_a_source_reports_again_is_published_once(
    host: PublishingHost,
) -> None:
    async with publishing(host):
        host.source.changes += [death(HOA, "1"), death(HOA, "1")]
        await settled(host)
        host.source.changes += [death(HOA, "1")]
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA)]


async def test_another_process_goes_on_where_the_first_ended_with_the_same_ids(
    host: PublishingHost,
) -> None:
    async with publishing(host):
        host.source.changes += [death(HOA, "1")]
        await settled(host)
    ended = await status(host)
    async with publishing(host, host.parts("second")):
        host.source.changes += [death(LAN, "2")]
        await settled(host)
    assert await kinds(host) == [("DEATH", HOA), ("DEATH", LAN)]
    assert ended.checkpoint == "1"


async def test_a_process_without_the_lease_publishes_nothing(host: PublishingHost) -> None:
    assert await host.log.acquire(NAME, "another", LONGEST_LEASE)
    task = asyncio.create_task(ChangePublisher(host.parts()).run())
    host.source.changes += [death(HOA, "1")]
    begun = host.clock.monotonic()
    await until(lambda: host.clock.monotonic() > begun + 60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await host.log.statuses() == {}
    assert value_of(LEASE, NAME) == 0


async def test_a_lease_that_is_lost_ends_the_publishing_at_once(host: PublishingHost) -> None:
    async with publishing(host):
        host.clock.advance(1_000)
        assert await host.log.acquire(NAME, "another", LONGEST_LEASE)
        host.source.changes += [death(HOA, "1")]
        await until(lambda: value_of(LEASE, NAME) == 0)
    assert await host.events() == []


class _SwallowingLog(SqliteEventLog):
    """A log whose renewal swallows a cancellation, as ``asyncio.wait_for`` may."""

    is_slow = is_renewing = False

    async def acquire(self, database: str, holder: str, seconds: float) -> bool:
        is_held = await super().acquire(database, holder, seconds)
        if self.is_slow:
            self.is_slow, self.is_renewing = False, True
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return is_held


async def test_a_renewal_that_swallows_its_end_does_not_hold_the_lease_for_nobody(
    host: PublishingHost,
) -> None:
    broken = _BrokenLog(host)
    broken.is_broken = False
    sealed = SealedEvents(Sealing(Keyring(SECRET), USE))
    slow = _SwallowingLog(host.folder / "events.sqlite", sealed, host.clock, Retention())
    await slow.open()
    async with publishing(host, replace(host.parts(), log=slow, invalidations=broken)):
        slow.is_slow = True
        await until(lambda: slow.is_renewing)
        broken.is_broken = True
        host.source.changes += [death(HOA, "1")]
        await until(lambda: broken.refused > 1)
        broken.is_broken = False
        await settled(host)
    await slow.close()
    assert await kinds(host) == [("DEATH", HOA)]


async def test_a_defect_of_a_source_does_not_end_the_publisher(host: PublishingHost) -> None:
    async with publishing(host):
        host.source.fault = RuntimeError("a defect")
        defects = value_of(FAILURES, NAME, "defect")
        await until(lambda: value_of(FAILURES, NAME, "defect") > defects)
        host.source.fault = None
        host.source.changes += [death(HOA, "1")]
        await settled(host)
    assert ("DEATH", HOA) in await kinds(host)


async def test_many_changes_are_published_in_order(host: PublishingHost) -> None:
    async with publishing(host, host.parts(page=50)):
        people = [f"0011900{number:05}" for number in range(220)]
        host.source.changes += [death(person, str(at)) for at, person in enumerate(people)]
        await settled(host)
    told: list[LifeEvent] = await host.events()
    assert [event.person for event in told] == people
    assert (await status(host)).checkpoint == "220"
