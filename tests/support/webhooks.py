"""Webhooks of a running gateway, with an endpoint on this machine."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.access.caller import Caller
from gateway.changes.changes import Changes
from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.registry import Webhooks
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery, WebhookProgress
from gateway.settings import ChangeSettings, WebhookSettings
from gateway.webhooks.deliveries import WebhookDeliveries
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.running import Running, running
from tests.support.webhook_receivers import Receiver, receiver
from tests.support.worlds import ALL, LIVE, world

NOTARY = replace(events_caller(), agency="notary office", token_id="t-1")


@dataclass
class Hooks:
    """What a test of webhooks has at hand."""

    gateway: Running
    feeds: Feeds
    endpoint: Receiver
    deliveries: WebhookDeliveries

    @property
    def webhooks(self) -> Webhooks:
        """The webhooks of the gateway."""
        webhooks = self.gateway.service.resources.webhooks
        assert webhooks is not None
        return webhooks

    async def register(
        self, caller: Caller = NOTARY, kinds: Collection[LifeEventKind] = ()
    ) -> Webhook:
        """Register the endpoint for events from now on."""
        position = await self.feeds.log.end()
        registered = await self.webhooks.register(caller, self.endpoint.url, kinds, position, 60)
        assert registered.webhook is not None
        return registered.webhook

    async def visit(self) -> int:
        """Deliver what is due; returns how many events were accepted."""
        return await self.deliveries.visit()

    async def progress(self, webhook: Webhook) -> WebhookProgress:
        """Return how far a webhook has got."""
        sealed = await self.webhooks.store.get(webhook.id)
        assert sealed is not None
        progress = self.webhooks.open(sealed).progress
        assert progress is not None
        return progress

    async def pending(self, webhook: Webhook) -> list[WebhookDelivery]:
        """Return what a webhook is still to send."""
        sealed = await self.webhooks.store.pending(webhook.id, 10_000)
        opened = [self.webhooks.open_delivery(webhook.id, each) for each in sealed]
        return [each for each in opened if each is not None]

    async def dead(self, webhook: Webhook) -> list[str]:
        """Return the ids of the events that could not be sent."""
        return [each.event.id for each in await self.webhooks.dead_letters(webhook.id, 10_000)]

    def another_process(self) -> WebhookDeliveries:
        """Return what would deliver the same webhooks in another process."""
        return WebhookDeliveries(self.gateway.app, self.webhooks)


def settings_of(endpoint: Receiver, **options: Any) -> WebhookSettings:
    """Return settings with which this machine may be called; tests look themselves."""
    values: dict[str, Any] = {
        "enabled": True,
        "allowed_networks": ("127.0.0.0/8",),
        "roots": endpoint.roots,
        "interval_seconds": 300,
        "timeout": 60,
        "first_delay": 10,
        "longest_delay": 1_000,
        **options,
    }
    return WebhookSettings(**values)


@asynccontextmanager
async def hooks(folder: Path, **options: Any) -> AsyncIterator[Hooks]:
    """Run a gateway whose databases hold nothing, with an event log in memory, and an endpoint."""
    async with receiver(folder / "endpoint") as endpoint:
        changes = ChangeSettings(webhooks=settings_of(endpoint, **options))
        async with running(
            folder, world({}), ALL, databases_=LIVE, purposes=PURPOSES, changes=changes
        ) as gateway:
            await gateway.app.state.webhooks.close()
            feeds = Feeds(gateway, folder / secrets.token_hex(4))
            resources = replace(
                gateway.service.resources,
                changes=Changes(changes, feeds.log, dict.fromkeys(feeds.followed)),  # type: ignore[arg-type]
                interests=feeds.parts.interests,
            )
            gateway.app.state.service = replace(gateway.service, resources=resources)
            assert resources.webhooks is not None
            deliveries = WebhookDeliveries(gateway.app, resources.webhooks)
            yield Hooks(gateway, feeds, endpoint, deliveries)
