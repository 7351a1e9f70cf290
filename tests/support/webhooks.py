"""Webhooks of a running gateway, with an endpoint on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.access.caller import Caller
from gateway.changes.changes import Changes
from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.address import AddressPolicy
from gateway.changes.webhooks.registry import Webhooks
from gateway.changes.webhooks.sender import WebhookSender
from gateway.changes.webhooks.sqlite_store import SqliteWebhooks
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery, WebhookProgress
from gateway.keys.keyring import load_signing
from gateway.settings import ChangeSettings, Settings, WebhookSettings
from gateway.webhooks.deliveries import WebhookDeliveries
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.memory_event_log import MemoryEventLog
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
    recorded: int

    def journal(self) -> list[dict[str, Any]]:
        """Return the entries in the journal since the test began."""
        return self.gateway.journal()[self.recorded :]

    @property
    def webhooks(self) -> Webhooks:
        """The webhooks of the gateway."""
        webhooks = self.gateway.service.resources.webhooks
        assert webhooks is not None
        return webhooks

    async def register(
        self, caller: Caller = NOTARY, kinds: Collection[LifeEventKind] = ()
    ) -> Webhook:
        """Register the endpoint for events from now on, with a token of the gateway's own key."""
        position, caller = await self.feeds.log.end(), self.with_token(caller)
        registered = await self.webhooks.register(caller, self.endpoint.url, kinds, position, 60)
        assert registered.webhook is not None
        return registered.webhook

    def with_token(self, caller: Caller) -> Caller:
        """Return a caller as one whose token the gateway's own key signed."""
        return with_token(self.gateway.service.resources.settings, caller)

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
        return [each.event.id for each in await self.webhooks.dead_letters(webhook, 10_000)]

    def another_process(self) -> WebhookDeliveries:
        """Return what would deliver the same webhooks in another process."""
        return WebhookDeliveries(self.gateway.app, self.webhooks)


def with_token(settings: Settings, caller: Caller) -> Caller:
    """Return a caller as one whose token the gateway's own key signed."""
    return replace(
        caller,
        purposes=frozenset({caller.purpose or ""}),
        issuer=settings.access.issuer,
        signing_key=load_signing(settings, "token")[0].thumbprint(),
    )


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
async def webhook_gateway(folder: Path) -> AsyncIterator[Running]:
    """Run a gateway with webhooks whose databases hold nothing; it delivers none by itself."""
    changes = ChangeSettings(webhooks=WebhookSettings(enabled=True, interval_seconds=300))
    async with running(
        folder, world({}), ALL, databases_=LIVE, purposes=PURPOSES, changes=changes
    ) as gateway:
        await gateway.app.state.webhooks.close()
        yield gateway


@asynccontextmanager
async def hooks(
    gateway: Running, folder: Path, log: MemoryEventLog | None = None, **options: Any
) -> AsyncIterator[Hooks]:
    """Give a gateway an event log in memory, no webhooks yet, and an endpoint; all new."""
    async with receiver(folder / "endpoint") as endpoint:
        feeds = Feeds(gateway, folder, log or MemoryEventLog())
        resources = gateway.service.resources
        assert resources.webhooks is not None
        settings = settings_of(endpoint, **options)
        policy = AddressPolicy.from_settings(settings)
        webhooks = replace(
            resources.webhooks,
            store=SqliteWebhooks(folder / "webhooks.sqlite"),
            settings=settings,
            policy=policy,
            sender=WebhookSender.make(policy, endpoint.roots, settings.timeout),
            _attempts={},
        )
        followed: Any = dict.fromkeys(feeds.followed)
        changes = Changes(ChangeSettings(), feeds.log, followed)
        resources = replace(
            resources, changes=changes, interests=feeds.parts.interests, webhooks=webhooks
        )
        gateway.app.state.service = replace(gateway.service, resources=resources)
        deliveries = WebhookDeliveries(gateway.app, webhooks)
        yield Hooks(gateway, feeds, endpoint, deliveries, len(gateway.journal()))
