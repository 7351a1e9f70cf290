"""Takes new events of a feed into the queue of a webhook, with the position that they end at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog

from gateway.changes.feed import LONGEST_PAGE
from gateway.changes.webhooks.store import WebhookChanges
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery, WebhookProgress
from gateway.webhooks.parts import VisitParts
from gateway.webhooks.slices import FeedItem, PositionLost

log = structlog.get_logger(__name__)


async def take_events(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress
) -> tuple[WebhookProgress, bool] | None:
    """Store new events of the feed as pending, with the position after them.

    Returns the progress, and whether there is more; None where the lease is lost.
    """
    webhooks = parts.webhooks
    room = webhooks.settings.pending - await webhooks.store.count_pending(webhook.id)
    if room <= 0:
        return progress, False
    most = min(room, LONGEST_PAGE)
    try:
        part = await parts.read(webhook, progress.position, most)
    except PositionLost:
        log.warning("events of a webhook may have been missed", webhook=webhook.id)
        part = await parts.read(webhook, None, most)
    if part.end == progress.position and not part.items:
        return progress, part.has_more
    now = parts.now()
    added = [webhooks.seal_delivery(webhook.id, _delivery(item, now)) for item in part.items]
    moved = replace(progress, position=part.end, since=now)
    changes = WebhookChanges(parts.seal_progress(webhook, moved), added=added)
    if not await parts.apply(webhook, changes):
        return None
    return moved, part.has_more


def _delivery(item: FeedItem, now: datetime) -> WebhookDelivery:
    interest = item.interest
    return WebhookDelivery(
        item.event,
        item.position,
        item.after,
        None if interest is None else interest.person,
        None if interest is None else interest.caller.case_number,
        created_at=now,
        decided_at=now,
    )
