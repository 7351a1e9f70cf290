"""Takes new events of a feed into the queue of a webhook, with the position that they end at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from gateway.changes.feed import LONGEST_PAGE
from gateway.changes.webhooks.store import ResealedDelivery, WebhookChanges
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery, WebhookProgress
from gateway.webhooks.parts import VisitParts
from gateway.webhooks.slices import FeedItem, PositionLost

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What came of it. ``has_more``: there may be more at once.

    ``is_behind``: what the feed already has may stand there once more, and was not read again yet.
    """

    progress: WebhookProgress
    has_more: bool
    is_behind: bool


async def take_events(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress
) -> TakeResult | None:
    """Store new events of the feed as pending, with the position after them.

    An event that is pending or a dead letter already, since the log has it twice, gets the position
    at which it was read last: the log may have lost the former one.

    Returns None where the lease is lost.
    """
    webhooks = parts.webhooks
    room = webhooks.settings.pending - await webhooks.store.count_pending(webhook.id)
    if room <= 0:
        return TakeResult(progress, False, False)
    most = min(room, LONGEST_PAGE)
    try:
        part = await parts.read(webhook, progress.position, most)
    except PositionLost:
        log.warning("events of a webhook may have been missed", webhook=webhook.id)
        part = await parts.read(webhook, None, most)
    is_behind = part.has_more or part.is_waiting
    if part.end == progress.position and not part.items:
        return TakeResult(progress, part.has_more, is_behind)
    now = parts.now()
    added = [webhooks.seal_delivery(webhook.id, _delivery(item, now)) for item in part.items]
    moved = replace(progress, position=part.end, since=now)
    resealed = await _reseal_repeated(parts, webhook, part.items)
    changes = WebhookChanges(parts.seal_progress(webhook, moved), added=added, resealed=resealed)
    if not await parts.apply(webhook, changes):
        return None
    return TakeResult(moved, part.has_more, is_behind)


async def _reseal_repeated(
    parts: VisitParts, webhook: Webhook, items: Sequence[FeedItem]
) -> list[ResealedDelivery]:
    """Return the deliveries that there are of these events, with the places of these items."""
    webhooks, item_of = parts.webhooks, {item.event.id: item for item in items}
    deliveries = []
    for sealed in await webhooks.store.find(webhook.id, item_of.keys()):
        delivery, item = webhooks.open_delivery(webhook.id, sealed), item_of[sealed.event]
        if delivery is not None:
            delivery = replace(delivery, position=item.position, after=item.after)
            value = webhooks.seal_delivery(webhook.id, delivery).value
            deliveries.append(ResealedDelivery(sealed.event, sealed.value, value))
    return deliveries


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
        interest_id=None if interest is None else interest.id,
    )
