"""Dead letters that are sent again: all that a replay counts are sent, or die anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.registry import MOST_DEAD_LETTERS
from gateway.changes.webhooks.sqlite_store import SqliteWebhooks
from gateway.changes.webhooks.store import SealedDelivery, WebhookChanges
from gateway.changes.webhooks.webhook import Webhook, missed_delivery
from gateway.webhooks.deliveries import WebhookDeliveries
from tests.support.people import HOA
from tests.support.running import Running
from tests.support.webhook_receivers import accept, reply
from tests.support.webhooks import NOTARY, Hooks, hooks

pytestmark = pytest.mark.asyncio(loop_scope="module")


class InterleavedWebhooks(SqliteWebhooks):
    """A store that does something, once, after it has listed dead letters."""

    act: Callable[[], Awaitable[object]] | None = None

    async def dead(self, webhook_id: str, most: int, skip: int = 0) -> Sequence[SealedDelivery]:
        """List, then act."""
        letters = await super().dead(webhook_id, most, skip)
        act, self.act = self.act, None
        if act is not None:
            await act()
        return letters


async def test_a_letter_that_is_sent_again_is_not_forgotten_for_its_age(
    gateway: Running, tmp_path: Path
) -> None:
    async with hooks(gateway, tmp_path, attempts=1) as at:
        await at.feeds.register(NOTARY, HOA, days=80)
        webhook = await at.register()
        at.endpoint.behave = lambda _: reply(503)
        event = await at.feeds.happen(LifeEventKind.BLOCK_PLACED)
        await at.visit()
        assert await at.dead(webhook) == [event.id]
        at.endpoint.behave = accept
        at.gateway.clock.advance(30 * 86_400 + 1)
        await at.webhooks.renew(at.with_token(NOTARY), webhook.id)
        store = InterleavedWebhooks(tmp_path / "webhooks.sqlite")
        deliveries = WebhookDeliveries(at.gateway.app, replace(at.webhooks, store=store))
        counts = []

        async def send_again() -> None:
            counts.append(await at.webhooks.replay(NOTARY, webhook.id, None, None))

        store.act = send_again
        await deliveries.visit()
        assert counts == [1]
        await at.visit()
        assert at.endpoint.event_ids == [event.id, event.id]


async def let_die(at: Hooks, webhook: Webhook, *ids: str) -> None:
    """Give a webhook dead letters of now."""
    now, store, progress = at.feeds.now, at.webhooks.store, await at.progress(webhook)
    letters = [
        at.webhooks.seal_delivery(
            webhook.id, replace(missed_delivery(webhook, event_id, now), died_at=now)
        )
        for event_id in ids
    ]
    assert await store.claim(webhook.id, "h", now.timestamp(), now.timestamp() + 60)
    sealed = at.webhooks.seal_progress(webhook.id, progress)
    for changes in (WebhookChanges(sealed, added=letters), WebhookChanges(sealed, dead=letters)):
        assert await store.apply(webhook.id, "h", now.timestamp(), changes)
    await store.release(webhook.id, "h")


async def test_a_letter_behind_many_others_is_sent_again(gateway: Running, tmp_path: Path) -> None:
    async with hooks(gateway, tmp_path) as at:
        webhook = await at.register()
        await let_die(at, webhook, *(f"e{number}" for number in range(MOST_DEAD_LETTERS)))
        at.gateway.clock.advance(60)
        await let_die(at, webhook, "last", "of all")
        caller = at.with_token(NOTARY)
        assert await at.webhooks.replay(caller, webhook.id, {"last", "no such"}, None) == 1
        since = at.feeds.now - timedelta(seconds=1)
        assert await at.webhooks.replay(caller, webhook.id, {"e1"}, since) == 0
        assert await at.webhooks.replay(caller, webhook.id, None, since) == 1
        assert [each.event.id for each in await at.pending(webhook)] == ["last", "of all"]
        assert await at.webhooks.replay(caller, webhook.id, None, None) == MOST_DEAD_LETTERS
        assert await at.webhooks.replay(caller, webhook.id, {"last"}, None) == 0
