"""Dead letters that are sent again: all that a replay counts are sent, or die anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.sqlite_store import SqliteWebhooks
from gateway.changes.webhooks.store import SealedDelivery
from gateway.webhooks.deliveries import WebhookDeliveries
from tests.support.people import HOA
from tests.support.running import Running
from tests.support.webhook_receivers import accept, reply
from tests.support.webhooks import NOTARY, hooks, webhook_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with webhook_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


class InterleavedWebhooks(SqliteWebhooks):
    """A store that does something, once, after it has listed dead letters."""

    act: Callable[[], Awaitable[object]] | None = None

    async def dead(self, webhook_id: str, most: int) -> Sequence[SealedDelivery]:
        """List, then act."""
        letters = await super().dead(webhook_id, most)
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
