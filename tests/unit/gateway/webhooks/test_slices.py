"""What becomes of a delivery whose entry the event log has lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.webhooks.sender import SendOutcome
from gateway.changes.webhooks.webhook import Webhook
from tests.support.people import HOA, LAN
from tests.support.restorable_log import RestorableLog
from tests.support.running import Running
from tests.support.webhook_receivers import accept, reply
from tests.support.webhooks import NOTARY, Hooks, hooks

BLOCK = LifeEventKind.BLOCK_PLACED

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def log(gateway: Running, tmp_path: Path) -> AsyncIterator[RestorableLog]:
    log = RestorableLog(tmp_path, gateway.clock)
    yield log
    await log.close()


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path, log: RestorableLog) -> AsyncIterator[Hooks]:
    async with hooks(gateway, tmp_path, cast("Any", log)) as at:
        yield at


async def lose_pending(at: Hooks, log: RestorableLog) -> tuple[Webhook, LifeEvent]:
    """Have an event wait that the log loses, while it keeps the place before it."""
    await at.feeds.happen(BLOCK, LAN)
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    await log.back_up()
    at.endpoint.behave = lambda received: reply(503)
    event = await at.feeds.happen(BLOCK, HOA)
    await at.visit()
    await log.restore()
    return webhook, event


async def accepted(at: Hooks) -> list[str]:
    """Return the ids of the events that are sent once the endpoint accepts."""
    at.endpoint.behave = accept
    at.gateway.clock.advance(120)
    await at.visit()
    return at.endpoint.event_ids[1:]


async def test_an_event_that_was_published_again_at_another_place_is_sent(
    at: Hooks, log: RestorableLog
) -> None:
    webhook, event = await lose_pending(at, log)
    notice = await at.feeds.happen(LifeEventKind.SOURCE_INTERRUPTED, None, database="notary")
    await at.feeds.append([event], "notary", at.feeds.now)
    assert await accepted(at) == [event.id, notice.id]
    assert await at.pending(webhook) == []


async def test_an_event_that_was_not_published_again_becomes_a_dead_letter(
    at: Hooks, log: RestorableLog
) -> None:
    webhook, event = await lose_pending(at, log)
    notice = await at.feeds.happen(LifeEventKind.SOURCE_INTERRUPTED, None, database="notary")
    assert await accepted(at) == [notice.id]
    (letter,) = await at.webhooks.dead_letters(webhook, 9)
    assert (letter.event.id, letter.outcome) == (event.id, SendOutcome.EXPIRED)


@pytest.mark.parametrize("attempts", [1, 25], ids=["dead", "pending"])
async def test_a_delivery_gets_the_place_at_which_its_event_was_published_again(
    gateway: Running, tmp_path: Path, log: RestorableLog, attempts: int
) -> None:
    async with hooks(gateway, tmp_path, cast("Any", log), attempts=attempts) as at:
        webhook, event = await lose_pending(at, log)
        notice = await at.feeds.happen(LifeEventKind.SOURCE_INTERRUPTED, None, database="notary")
        before = await log.end()
        await at.feeds.append([event], "notary", at.feeds.now)
        await at.visit()
        letters = await at.webhooks.dead_letters(webhook, 9)
        by_id = {each.event.id: each for each in [*await at.pending(webhook), *letters]}
        delivery = by_id.pop(event.id)
        assert (delivery.position, delivery.after) == (await log.end(), before)
        assert (delivery.attempts, delivery.outcome) == (1, SendOutcome.REFUSED)
        assert [*by_id] == [notice.id]


async def test_an_event_is_no_dead_letter_before_the_log_was_read_to_its_end(
    gateway: Running, tmp_path: Path, log: RestorableLog
) -> None:
    """The place before it is lost too, and so is that of the webhook, which begins anew."""
    async with hooks(gateway, tmp_path, cast("Any", log), pending=3) as at:
        await at.feeds.register(NOTARY, HOA, LAN)
        webhook = await at.register()
        await at.feeds.happen(BLOCK, HOA)
        await at.visit()
        await log.back_up()
        at.endpoint.behave = lambda received: reply(503)
        events = [await at.feeds.happen(BLOCK, person) for person in (HOA, LAN)]
        await at.visit()
        await log.restore()
        await at.feeds.append(events, "notary", at.feeds.now)
        at.endpoint.requests.clear()
        await accepted(at)
        await accepted(at)
        assert {event.id for event in events} <= set(at.endpoint.event_ids)
        assert await at.dead(webhook) == []
