"""What a webhook takes of its feed while interests end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.changes.feed import require_events
from tests.support.memory_event_log import InterleavedLog
from tests.support.people import HOA, LAN
from tests.support.running import Running
from tests.support.webhooks import NOTARY, Hooks, hooks

BLOCK = LifeEventKind.BLOCK_PLACED

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    async with hooks(gateway, tmp_path, log=InterleavedLog()) as at:
        yield at


@pytest.mark.parametrize("before", [0, 1])
async def test_an_interest_that_ends_while_the_feed_is_read_keeps_no_other_event_back(
    at: Hooks, before: int
) -> None:
    log = at.feeds.log
    assert isinstance(log, InterleavedLog)
    (interest,) = await at.feeds.register(NOTARY, HOA)
    await at.feeds.register(NOTARY, LAN)
    await at.register()
    await at.visit()
    expected: list[str] = []

    async def end_and_happen() -> None:
        await at.feeds.parts.interests.end(require_events(NOTARY), [interest.id])
        await at.feeds.happen(BLOCK, HOA)
        expected.append((await at.feeds.happen(BLOCK, LAN)).id)

    log.calls, log.before, log.act = 0, before, end_and_happen
    assert await at.visit() == 1
    assert [event["id"] for each in at.endpoint.deliveries for event in each.events] == expected
