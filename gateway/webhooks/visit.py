"""A visit to a webhook: takes new events of its feed, and sends what is due, until nothing is.

Whoever visits has the lease of the webhook. What is taken of the feed is stored together with the
position that it ends at, and forgotten only once the endpoint has accepted it, so that nothing is
lost wherever a process dies: it is sent again. The right to send an event is decided when it is
sent: anew, where the feed was not read just before, and confirmed right before it leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from gateway.changes.webhooks.sender import SendOutcome
from gateway.changes.webhooks.store import SealedDelivery, WebhookChanges
from gateway.changes.webhooks.webhook import (
    Webhook,
    WebhookDelivery,
    WebhookProgress,
    missed_delivery,
)
from gateway.runtime.tasks import end_tasks
from gateway.storage.unavailable import StoreUnavailable
from gateway.telemetry import metrics
from gateway.webhooks.confirm import confirm_batch
from gateway.webhooks.decide import decide_batch
from gateway.webhooks.parts import VisitParts
from gateway.webhooks.payload import encode_events
from gateway.webhooks.rights import hold_to_rights
from gateway.webhooks.schedule import BatchResult, choose_batch, expire, next_moment, settle
from gateway.webhooks.take import TakeResult, take_events

log = structlog.get_logger(__name__)

#: Seconds after which a webhook is looked at again in any case: others may have replayed it.
LONGEST_REST = 10.0
#: Dead letters that are looked at in one visit, for those that are too old.
_MOST_OLD = 20


@dataclass(frozen=True, slots=True)
class VisitResult:
    """What came of a visit. ``accepted``: events. ``rest``: seconds until the next one at most."""

    accepted: int
    rest: float = LONGEST_REST


@dataclass(frozen=True, slots=True)
class _Step:
    """What came of one attempt. ``next_at`` None: there may be more to send at once."""

    accepted: int = 0
    next_at: float | None = None


async def visit(parts: VisitParts, webhook_id: str) -> VisitResult:
    """Visit a webhook, unless another process does.

    Raises StoreUnavailable, and GatewayError where the feed or the audit journal cannot be reached.
    """
    accepted = 0
    if not await _claim(parts, webhook_id):
        return VisitResult(0)
    keeper = asyncio.create_task(_keep_lease(parts, webhook_id))
    try:
        while not parts.is_closing():
            step = await _step(parts, webhook_id)
            accepted += step.accepted
            if step.next_at is not None:
                rest = step.next_at - parts.now().timestamp()
                return VisitResult(accepted, min(max(rest, 0.0), LONGEST_REST))
            if not await _claim(parts, webhook_id):
                break
    finally:
        await end_tasks(keeper)
        await parts.webhooks.store.release(webhook_id, parts.holder)
    return VisitResult(accepted)


async def _claim(parts: VisitParts, webhook_id: str) -> bool:
    """Take the lease of a webhook, or extend it; False where another process has it."""
    now, seconds = parts.now().timestamp(), parts.webhooks.settings.lease_seconds
    return await parts.webhooks.store.claim(webhook_id, parts.holder, now, now + seconds)


async def _keep_lease(parts: VisitParts, webhook_id: str) -> None:
    """Extend the lease again and again, until another process has it, or the visit ends."""
    is_held = True
    while is_held:
        await asyncio.sleep(parts.webhooks.settings.lease_seconds / 3)
        with suppress(StoreUnavailable):  # it may be back before the lease is over
            is_held = await _claim(parts, webhook_id)


async def _step(parts: VisitParts, webhook_id: str) -> _Step:
    """Take new events of the feed, and send at most one batch."""
    latest = parts.now().timestamp() + LONGEST_REST
    opened = await _open(parts, webhook_id)
    if opened is None:
        return _Step(next_at=latest)
    webhook, progress = await hold_to_rights(parts, *opened)
    if progress.state.is_stopped:
        await _forget_pending(parts, webhook, progress)
        return _Step(next_at=latest)
    if progress.state.is_paused:
        await _tidy(parts, webhook, progress, ())
        return _Step(next_at=latest)
    result = await take_events(parts, webhook, progress)
    if result is None:
        return _Step(next_at=latest)
    step = await _send(parts, webhook, result, latest)
    return replace(step, next_at=None) if result.has_more else step


async def _open(parts: VisitParts, webhook_id: str) -> tuple[Webhook, WebhookProgress] | None:
    """Return a webhook and its progress, all sealed with the current key by then.

    None: it cannot be read, or has changed meanwhile.
    """
    webhooks = parts.webhooks
    sealed = await webhooks.store.get(webhook_id)
    registered = None if sealed is None else webhooks.open(sealed)
    if sealed is None or registered is None:
        return None
    webhook, progress = registered.webhook, registered.progress
    operator = webhooks.removing_operator(sealed)
    if operator is not None and progress is not None and not progress.state.is_stopped:
        await webhooks.stop(webhook_id, operator)
    elif operator is not None and webhook is None:
        await parts.record_removal(webhook_id, operator)
        await webhooks.store.end(webhook_id, sealed.client)
    if webhook is None or progress is None or not await webhooks.reseal(sealed, webhook):
        return None
    resealed = await webhooks.resealed(webhook.id)
    if resealed or not webhooks.is_current(sealed.progress):
        changes = WebhookChanges(parts.seal_progress(webhook, progress), resealed=resealed)
        if not await parts.apply(webhook, changes):
            return None
    return webhook, progress


async def _forget_pending(parts: VisitParts, webhook: Webhook, progress: WebhookProgress) -> None:
    """Forget what a webhook that is stopped was still to send, and its dead letters in time."""
    store, settings = parts.webhooks.store, parts.webhooks.settings
    pending = [delivery.event for delivery in await store.pending(webhook.id, settings.pending)]
    old = await _old_letters(parts, webhook)
    if pending or old:
        changes = WebhookChanges(
            parts.seal_progress(webhook, progress), settled=pending, forgotten=old
        )
        await parts.apply(webhook, changes)


async def _send(parts: VisitParts, webhook: Webhook, take: TakeResult, latest: float) -> _Step:
    """Send the next batch, if one is due, and store what comes of it."""
    now, settings, progress = parts.now(), parts.webhooks.settings, take.progress
    pending = await _pending(parts, webhook)
    expired = expire(pending, now, settings)
    ids = {delivery.event.id for delivery in expired}
    remaining = [delivery for delivery in pending if delivery.event.id not in ids]
    batch = choose_batch(remaining, now, settings.batch)
    if now.timestamp() < progress.retry_at or not batch:
        await _tidy(parts, webhook, progress, expired)
        return _Step(next_at=next_moment(remaining, progress, latest))
    decision = await decide_batch(parts, webhook, batch, is_behind=take.is_behind)
    if decision.permitted and not await _claim(parts, webhook.id):
        return _Step(next_at=latest)
    confirmation = await confirm_batch(parts, webhook, decision.permitted)
    result, permitted = BatchResult(progress), confirmation.permitted
    if permitted:
        await parts.record(
            webhook, [delivery for delivery in permitted if not delivery.is_recorded]
        )
        result = await _attempt(parts, webhook, progress, permitted)
    died = [*expired, *decision.dead, *result.dead]
    changes = WebhookChanges(
        parts.seal_progress(webhook, result.progress),
        replaced=_seal(
            parts, webhook, [*decision.waiting, *confirmation.undecided, *result.replaced]
        ),
        dead=_seal(parts, webhook, died),
        settled=[*decision.withdrawn, *result.settled],
    )
    metrics.WEBHOOK_DEAD_LETTERS.inc(len(died))
    if not await parts.apply(webhook, changes):
        return _Step(len(result.settled), latest)
    is_stopped = result.progress.state.is_stopped
    return _Step(len(result.settled), latest if is_stopped else None)


async def _pending(parts: VisitParts, webhook: Webhook) -> list[WebhookDelivery]:
    """Return what is to be sent; what cannot be opened becomes EVENTS_MISSED."""
    store, settings = parts.webhooks.store, parts.webhooks.settings
    return [
        parts.webhooks.open_delivery(webhook.id, sealed)
        or missed_delivery(webhook, sealed.event, parts.now())
        for sealed in await store.pending(webhook.id, settings.pending)
    ]


async def _attempt(
    parts: VisitParts,
    webhook: Webhook,
    progress: WebhookProgress,
    batch: Sequence[WebhookDelivery],
) -> BatchResult:
    """Send a batch, once; returns what follows from it."""
    content_type, body = encode_events(batch)
    reply = await parts.webhooks.send(webhook.url, content_type, body)
    metrics.WEBHOOK_DELIVERIES.labels(reply.outcome.name.lower()).inc(len(batch))
    settings = parts.webhooks.settings
    result = settle(batch, reply, progress, parts.now(), settings, parts.jitter())
    if reply.outcome is not SendOutcome.ACCEPTED:
        log.info(
            "a webhook failed",
            webhook=webhook.id,
            outcome=reply.outcome.name,
            status=reply.status,
            failures=result.progress.failures,
        )
    return result


async def _tidy(
    parts: VisitParts,
    webhook: Webhook,
    progress: WebhookProgress,
    expired: Sequence[WebhookDelivery],
) -> None:
    """Store what has become a dead letter, and forget dead letters that are too old."""
    old = await _old_letters(parts, webhook)
    if expired or old:
        metrics.WEBHOOK_DEAD_LETTERS.inc(len(expired))
        changes = WebhookChanges(
            parts.seal_progress(webhook, progress),
            dead=_seal(parts, webhook, expired),
            forgotten=old,
        )
        await parts.apply(webhook, changes)


async def _old_letters(parts: VisitParts, webhook: Webhook) -> list[str]:
    """Return the events of dead letters that are too old to be kept.

    Of those that cannot be read it is not known since when: they count from the registration.
    """
    longest, now = parts.webhooks.settings.dead_letter_seconds, parts.now()
    return [
        letter.event.id
        for letter in await parts.webhooks.dead_letters(webhook, _MOST_OLD)
        if (now - (letter.died_at or webhook.registered_at)).total_seconds() >= longest
    ]


def _seal(
    parts: VisitParts, webhook: Webhook, deliveries: Sequence[WebhookDelivery]
) -> list[SealedDelivery]:
    return [parts.webhooks.seal_delivery(webhook.id, delivery) for delivery in deliveries]
