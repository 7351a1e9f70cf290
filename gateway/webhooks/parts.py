"""What visits to webhooks are made with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.changes.webhooks.registry import Webhooks
from gateway.changes.webhooks.store import WebhookChanges
from gateway.changes.webhooks.webhook import (
    Webhook,
    WebhookDelivery,
    WebhookProgress,
    WebhookState,
)
from gateway.webhooks.slices import FeedItem, FeedSlice

#: Seconds after which a feed is asked again that waits for a database.
WAITING_SECONDS = 15.0
#: Reads events of the feed of a webhook after a position, see ``gateway.webhooks.slices``.
ReadSlice = Callable[[Webhook, str | None, int], Awaitable[FeedSlice]]
#: Finds the event of a delivery as the feed shows it now, see ``gateway.webhooks.slices``.
FindItem = Callable[[Webhook, WebhookDelivery], Awaitable[FeedItem | None]]
#: Returns the ids of the interests of the owner of a webhook that have not ended.
ListInterests = Callable[[Webhook], Awaitable[Collection[str]]]
#: Returns a webhook with its rights of now, or the state that follows, see
#: ``gateway.execution.webhook_rights``.
CheckRights = Callable[[Webhook], Webhook | WebhookState]
#: Writes whom deliveries name to the audit journal; durable when it returns.
RecordDeliveries = Callable[[Webhook, Sequence[WebhookDelivery]], Awaitable[None]]

#: Writes which operator did something to the webhook of this id, see
#: ``gateway.execution.record_stops``.
RecordOperator = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class VisitParts:
    """What visits are made with.

    ``holder``: names this process in leases. ``jitter``: returns a number between 0 and 1.
    ``is_closing``: the process ends.
    """

    webhooks: Webhooks
    read: ReadSlice
    find: FindItem
    list_interests: ListInterests
    record: RecordDeliveries
    record_stop: RecordOperator
    record_removal: RecordOperator
    check_rights: CheckRights
    holder: str
    jitter: Callable[[], float]
    is_closing: Callable[[], bool]

    def now(self) -> datetime:
        """Return the present moment."""
        return self.webhooks.clock.now()

    def seal_progress(self, webhook: Webhook, progress: WebhookProgress) -> bytes:
        """Return the progress of a webhook as a store has it."""
        return self.webhooks.seal_progress(webhook.id, progress)

    async def apply(self, webhook: Webhook, changes: WebhookChanges) -> bool:
        """Store changes; False where this process has lost the lease."""
        now = self.now().timestamp()
        return await self.webhooks.store.apply(webhook.id, self.holder, now, changes)
