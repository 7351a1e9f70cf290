"""Decides what of a batch may be sent now: by the feed as it is now, not as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.changes.webhooks.sender import SendOutcome
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery
from gateway.webhooks.parts import WAITING_SECONDS, VisitParts
from gateway.webhooks.schedule import subject_of
from gateway.webhooks.slices import DecisionWaits, FeedItem, PositionLost

#: For how long a decision of the feed holds.
_FRESH = timedelta(seconds=5)
#: Seconds that the decisions about a batch may take: the lease is longer.
_DECIDING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class BatchDecision:
    """What may be sent of a batch.

    ``waiting``: a database must answer first. ``withdrawn``: ids of events that are no longer
    shown. ``dead``: about which nobody can decide any more.
    """

    permitted: list[WebhookDelivery]
    waiting: list[WebhookDelivery]
    withdrawn: list[str]
    dead: list[WebhookDelivery]


async def decide_batch(
    parts: VisitParts, webhook: Webhook, batch: Sequence[WebhookDelivery], *, is_behind: bool
) -> BatchDecision:
    """Decide what of a batch may be sent now, by the feed as it is now.

    What cannot be decided in time is left out, from the end of the batch, and stays pending. Much
    may change until all is decided: ``gateway.webhooks.confirm`` confirms it. ``is_behind``: the
    log may have again what it has lost, where nobody has read yet; until then that waits.
    """
    decision = BatchDecision([], [], [], [])
    begin, waiting_people = parts.webhooks.clock.monotonic(), set[str]()
    for delivery in batch:
        if subject_of(delivery) in waiting_people:
            continue  # the next event of a person waits for the former
        now = parts.now()
        if parts.webhooks.clock.monotonic() - begin > _DECIDING_SECONDS:
            break
        if delivery.person is None or is_fresh(delivery, now):
            decision.permitted.append(delivery)
            continue
        try:
            item = await parts.find(webhook, delivery)
        except (DecisionWaits, PositionLost) as error:
            if isinstance(error, DecisionWaits) or is_behind:
                waiting = replace(delivery, due=now.timestamp() + WAITING_SECONDS)
                decision.waiting.append(waiting)
                waiting_people.add(subject_of(delivery))
                continue
            died = replace(delivery, outcome=SendOutcome.EXPIRED, status=None, died_at=now)
            decision.dead.append(died)
            continue
        if item is None:
            decision.withdrawn.append(delivery.event.id)
            continue
        decision.permitted.append(_decided(delivery, item, parts.now()))
    return decision


def is_fresh(delivery: WebhookDelivery, now: datetime) -> bool:
    """Return whether it was decided just before that a delivery may be sent."""
    decided_at = delivery.decided_at
    return decided_at is not None and now - decided_at < _FRESH


def _decided(delivery: WebhookDelivery, item: FeedItem, now: datetime) -> WebhookDelivery:
    """Return a delivery as the feed shows it now.

    It is recorded anew if other people, another case or other records stand behind it by now.
    """
    interest = item.interest
    decided = replace(
        delivery,
        event=replace(item.event, id=delivery.event.id),
        position=item.position,
        after=item.after,
        person=None if interest is None else interest.person,
        case_number=None if interest is None else interest.caller.case_number,
        interest_id=None if interest is None else interest.id,
        decided_at=now,
    )
    is_recorded = delivery.is_recorded and _named(decided) == _named(delivery)
    return replace(decided, is_recorded=is_recorded)


def _named(delivery: WebhookDelivery) -> tuple[str | None, ...]:
    """Return what the journal has of a delivery."""
    event = delivery.event
    return (delivery.case_number, delivery.person, event.person, event.database, event.record)
