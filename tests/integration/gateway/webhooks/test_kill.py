"""Nothing is lost when a process that delivers is killed, and each person's events keep order.

Covers ``gateway.webhooks.deliveries``: processes that take over from one another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.interests import Interest
from gateway.changes.log import FollowState, SourceStatus
from gateway.changes.sealed_interests import SealedInterests
from gateway.changes.sqlite_interests import SqliteInterests
from gateway.changes.webhooks.registry import Webhooks
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_ring
from gateway.runtime.clock import SystemClock
from gateway.settings import Settings
from tests.support.feeds import ALL_KINDS, events_caller
from tests.support.people import HOA, LAN
from tests.support.webhook_process import event_log, process_settings, webhook_process
from tests.support.webhook_receivers import Received, Receiver, accept, receiver
from tests.support.webhooks import with_token

PEOPLE = (HOA, LAN, "001090000001")
NOTARY = events_caller()


@pytest.mark.long
async def test_no_event_is_lost_when_a_process_is_killed(tmp_path: Path) -> None:
    async with receiver(tmp_path / "endpoint") as endpoint:
        settings = process_settings(tmp_path, endpoint.roots)
        create_missing(settings, demo=True)
        await follow(settings, endpoint)
        happened = await happen(settings)
        ids = [event.id for event in happened]

        def behave(received: Received) -> bytes | None:
            endpoint.is_silent = len(endpoint.deliveries) == 2
            return accept(received)

        endpoint.behave = behave
        async with webhook_process(tmp_path, endpoint.roots) as process:
            await until(endpoint, lambda: len(endpoint.deliveries) == 3)
            process.kill()  # two batches were accepted, and the third is on its way
        endpoint.is_silent = False
        endpoint.released.set()
        async with webhook_process(tmp_path, endpoint.roots):
            await until(endpoint, lambda: set(endpoint.event_ids) >= set(ids))
        arrived = [*dict.fromkeys(endpoint.event_ids)]
        assert len(arrived) == len(ids), "nothing else was sent"
        for person in PEOPLE:
            of_person = [event.id for event in happened if event.person == person]
            assert [each for each in arrived if each in of_person] == of_person


async def until(endpoint: Receiver, is_so: Callable[[], bool]) -> None:
    """Wait for requests until something is so."""
    async with asyncio.timeout(120):
        while not is_so():
            endpoint.arrived.clear()
            await endpoint.arrived.wait()


async def follow(settings: Settings, endpoint: Receiver) -> None:
    """Register interests in everybody, and the endpoint."""
    log, now = event_log(settings), datetime.now(UTC)
    position = await log.end()
    store = SqliteInterests(settings.path(settings.interests.file))
    interests = [
        Interest(
            person,
            NOTARY,
            person,
            frozenset({person}),
            ALL_KINDS,
            now,
            now + timedelta(days=1),
            position,
        )
        for person in PEOPLE
    ]
    keys = load_ring(settings, "cache")
    assert await SealedInterests(store, keys).put(interests, 99, now)
    webhooks = Webhooks.from_settings(settings, SystemClock())
    assert webhooks is not None
    await webhooks.register(with_token(settings, NOTARY), endpoint.url, (), position, 60)
    await log.close()


async def happen(settings: Settings) -> Sequence[LifeEvent]:
    """Append eight events of each person, in turn."""
    log, now = event_log(settings), datetime.now(UTC)
    events = [
        LifeEvent(
            f"{number}-{person}",
            LifeEventKind.MARRIAGE,
            "civil_status",
            person,
            "marriages",
            f"R{number}",
            None,
            now,
            now,
        )
        for number in range(8)
        for person in PEOPLE
    ]
    status = SourceStatus("civil_status", FollowState.FOLLOWED, now, "c", now, "")
    assert await log.acquire("civil_status", "test", 60)
    await log.append("test", events, status)
    await log.close()
    return events
