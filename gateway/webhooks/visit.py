"""A visit to a webhook: takes new events of its feed, and sends what is due, until nothing is.

Whoever visits has the lease of the webhook. What is taken of the feed is stored together with the
position that it ends at, and forgotten only once the endpoint has accepted it, so that nothing is
lost wherever a process dies: it is sent again. The right to send an event is decided when it is
sent: anew, where the feed was not read just before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.feed import LONGEST_PAGE
from gateway.changes.webhooks.registry import Webhooks
from gateway.changes.webhooks.sender import SendOutcome
from gateway.changes.webhooks.store import SealedDelivery, WebhookChanges
from gateway.changes.webhooks.webhook import (
    Webhook,
    WebhookDelivery,
    WebhookProgress,
    WebhookState,
)
from gateway.telemetry import metrics
from gateway.webhooks.payload import encode_events
from gateway.webhooks.schedule import BatchResult, choose_batch, expire, next_moment, settle
from gateway.webhooks.slices import FeedItem, FeedSlice, PositionLost

log = structlog.get_logger(__name__)

#: For how long a decision of the feed holds.
_FRESH = timedelta(seconds=5)
#: Seconds after which a feed is asked again that waits for a database.
_WAITING_SECONDS = 15.0
#: Seconds after which a webhook is looked at again in any case: others may have replayed it.
LONGEST_REST = 10.0
#: Dead letters that are looked at in one visit, for those that are too old.
_MOST_OLD = 20

#: Reads events of the feed of a webhook after a position, see ``gateway.webhooks.slices``.
ReadSlice = Callable[[Webhook, str | None, int], Awaitable[FeedSlice]]
#: Writes whom deliveries name to the audit journal; durable when it returns.
RecordDeliveries = Callable[[Webhook, Sequence[WebhookDelivery]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class VisitParts:
    """What visits are made with.

    ``may_send``: whether the rights of the caller still stand. ``holder``: names this process in
    leases. ``jitter``: returns a number between 0 and 1. ``is_closing``: the process ends.
    """

    webhooks: Webhooks
    read: ReadSlice
    record: RecordDeliveries
    may_send: Callable[[Webhook], bool]
    holder: str
    jitter: Callable[[], float]
    is_closing: Callable[[], bool]

    def now(self) -> datetime:
        """Return the present moment."""
        return self.webhooks.clock.now()


@dataclass(frozen=True, slots=True)
class VisitResult:
    """What came of a visit. ``accepted``: events. ``next_at``: when to look again at the latest."""

    accepted: int
    next_at: float


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
    latest = parts.now().timestamp() + LONGEST_REST
    if not await _claim(parts, webhook_id):
        return VisitResult(0, latest)
    try:
        while not parts.is_closing():
            step = await _step(parts, webhook_id)
            accepted += step.accepted
            if step.next_at is not None:
                return VisitResult(accepted, step.next_at)
            if not await _claim(parts, webhook_id):
                break
    finally:
        await parts.webhooks.store.release(webhook_id, parts.holder)
    return VisitResult(accepted, parts.now().timestamp() + LONGEST_REST)


async def _claim(parts: VisitParts, webhook_id: str) -> bool:
    """Take the lease for longer than an attempt and what belongs to it can take, or extend it."""
    now, seconds = parts.now().timestamp(), 60.0 + 2 * parts.webhooks.settings.timeout
    return await parts.webhooks.store.claim(webhook_id, parts.holder, now, now + seconds)


async def _step(parts: VisitParts, webhook_id: str) -> _Step:
    """Take new events of the feed, and send at most one batch."""
    latest = parts.now().timestamp() + LONGEST_REST
    sealed = await parts.webhooks.store.get(webhook_id)
    registered = None if sealed is None else parts.webhooks.open(sealed)
    if registered is None or registered.webhook is None or registered.progress is None:
        return _Step(next_at=latest)
    webhook, progress = registered.webhook, registered.progress
    if progress.state.is_stopped:
        return _Step(next_at=latest)
    if not parts.may_send(webhook):
        await _stop(parts, webhook, progress)
        return _Step(next_at=latest)
    taken = await _take(parts, webhook, progress)
    if taken is None:
        return _Step(next_at=latest)
    progress, has_more, is_waiting = taken
    if is_waiting:
        latest = min(latest, parts.now().timestamp() + _WAITING_SECONDS)
    step = await _send(parts, webhook, progress, latest)
    return replace(step, next_at=None) if has_more else step


async def _stop(parts: VisitParts, webhook: Webhook, progress: WebhookProgress) -> None:
    """Send nothing more: the rights of whoever registered the webhook are gone."""
    log.info("a webhook is stopped: its rights are gone", webhook=webhook.id)
    stopped = replace(progress, state=WebhookState.RIGHTS_LOST)
    await _apply(parts, webhook, WebhookChanges(_seal_progress(parts, webhook, stopped)))


async def _take(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress
) -> tuple[WebhookProgress, bool, bool] | None:
    """Store new events of the feed as pending, with the position after them.

    Returns the progress, whether there is more, and whether a database has to answer first; None
    where the lease is lost.
    """
    webhooks = parts.webhooks
    room = webhooks.settings.pending - await webhooks.store.count_pending(webhook.id)
    if room <= 0:
        return progress, False, False
    most = min(room, LONGEST_PAGE)
    try:
        part = await parts.read(webhook, progress.position, most)
    except PositionLost:
        log.warning("events of a webhook may have been missed", webhook=webhook.id)
        part = await parts.read(webhook, None, most)
    if part.end == progress.position and not part.items:
        return progress, False, part.is_waiting
    now = parts.now()
    added = [webhooks.seal_delivery(webhook.id, _delivery(item, now)) for item in part.items]
    moved = replace(progress, position=part.end, since=now)
    changes = WebhookChanges(_seal_progress(parts, webhook, moved), added=added)
    if not await _apply(parts, webhook, changes):
        return None
    return moved, part.has_more, part.is_waiting


def _delivery(item: FeedItem, now: datetime) -> WebhookDelivery:
    interest = item.interest
    return WebhookDelivery(
        item.event,
        item.position,
        item.after,
        None if interest is None else interest.person,
        None if interest is None else interest.caller.case_number,
        item.shows_row,
        created_at=now,
        decided_at=now,
    )


async def _send(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress, latest: float
) -> _Step:
    """Send the next batch, if one is due, and store what comes of it."""
    now, settings = parts.now(), parts.webhooks.settings
    pending = await _pending(parts, webhook)
    expired = expire(pending, now, settings)
    ids = {delivery.event.id for delivery in expired}
    remaining = [delivery for delivery in pending if delivery.event.id not in ids]
    batch = choose_batch(remaining, now, settings.batch)
    if now.timestamp() < progress.retry_at or not batch:
        await _tidy(parts, webhook, progress, expired)
        return _Step(next_at=next_moment(remaining, progress, latest))
    decision = await _decide(parts, webhook, batch)
    result = BatchResult(progress)
    if decision.permitted:
        await parts.record(webhook, [each for each in decision.permitted if not each.is_recorded])
        result = await _attempt(parts, webhook, progress, decision.permitted)
    died = [*expired, *decision.dead, *result.dead]
    changes = WebhookChanges(
        _seal_progress(parts, webhook, result.progress),
        replaced=_seal(parts, webhook, [*decision.waiting, *result.replaced]),
        dead=_seal(parts, webhook, died),
        settled=[*decision.withdrawn, *result.settled],
    )
    metrics.WEBHOOK_DEAD_LETTERS.inc(len(died))
    if not await _apply(parts, webhook, changes):
        return _Step(len(result.settled), latest)
    is_stopped = result.progress.state.is_stopped
    return _Step(len(result.settled), latest if is_stopped else None)


async def _pending(parts: VisitParts, webhook: Webhook) -> list[WebhookDelivery]:
    """Return what is to be sent; what cannot be opened becomes EVENTS_MISSED."""
    store, settings = parts.webhooks.store, parts.webhooks.settings
    return [
        parts.webhooks.open_delivery(webhook.id, sealed) or _missed(webhook, sealed, parts.now())
        for sealed in await store.pending(webhook.id, settings.pending)
    ]


def _missed(webhook: Webhook, sealed: SealedDelivery, now: datetime) -> WebhookDelivery:
    """Return what says in place of a delivery whose key is gone that an event is missing."""
    event = LifeEvent(
        id=sealed.event,
        kind=LifeEventKind.EVENTS_MISSED,
        database="",
        person=None,
        record=None,
        row=None,
        date=None,
        committed_at=None,
        detected_at=now,
        since=webhook.registered_at,
    )
    return WebhookDelivery(event, "", None, None, None, False, now, now)


@dataclass(frozen=True, slots=True)
class _Decision:
    """What may be sent of a batch.

    ``waiting``: a database must answer first. ``withdrawn``: ids of events that are no longer
    shown. ``dead``: about which nobody can decide any more.
    """

    permitted: list[WebhookDelivery]
    waiting: list[WebhookDelivery]
    withdrawn: list[str]
    dead: list[WebhookDelivery]


async def _decide(
    parts: VisitParts, webhook: Webhook, batch: Sequence[WebhookDelivery]
) -> _Decision:
    """Decide what of a batch may be sent now, by the feed as it is now."""
    decision = _Decision([], [], [], [])
    for delivery in batch:
        now = parts.now()
        decided_at = delivery.decided_at
        is_fresh = decided_at is not None and now - decided_at < _FRESH
        if delivery.person is None or is_fresh:
            decision.permitted.append(delivery)
            continue
        try:
            part = await parts.read(webhook, delivery.after, 1)
        except PositionLost:
            died = replace(delivery, outcome=SendOutcome.EXPIRED, status=None, died_at=now)
            decision.dead.append(died)
            continue
        item = part.items[0] if part.items else None
        if item is not None and item.position == delivery.position:
            event = replace(item.event, id=delivery.event.id)
            decided = replace(delivery, event=event, shows_row=item.shows_row, decided_at=now)
            decision.permitted.append(decided)
        elif item is None and (part.is_waiting or part.has_more):
            waiting = replace(delivery, due=now.timestamp() + _WAITING_SECONDS)
            decision.waiting.append(waiting)
        else:
            decision.withdrawn.append(delivery.event.id)
    return decision


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
    webhooks, now = parts.webhooks, parts.now()
    old = [
        letter.event.id
        for letter in await webhooks.dead_letters(webhook.id, _MOST_OLD)
        if letter.died_at is not None
        and (now - letter.died_at).total_seconds() >= webhooks.settings.dead_letter_seconds
    ]
    if expired or old:
        metrics.WEBHOOK_DEAD_LETTERS.inc(len(expired))
        changes = WebhookChanges(
            _seal_progress(parts, webhook, progress),
            dead=_seal(parts, webhook, expired),
            settled=old,
        )
        await _apply(parts, webhook, changes)


def _seal(
    parts: VisitParts, webhook: Webhook, deliveries: Sequence[WebhookDelivery]
) -> list[SealedDelivery]:
    return [parts.webhooks.seal_delivery(webhook.id, each) for each in deliveries]


def _seal_progress(parts: VisitParts, webhook: Webhook, progress: WebhookProgress) -> bytes:
    return parts.webhooks.seal_progress(webhook.id, progress)


async def _apply(parts: VisitParts, webhook: Webhook, changes: WebhookChanges) -> bool:
    now = parts.now().timestamp()
    return await parts.webhooks.store.apply(webhook.id, parts.holder, now, changes)
