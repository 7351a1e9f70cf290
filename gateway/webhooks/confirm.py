"""Confirms a batch that was decided, right before it is recorded and sent.

Decisions about a batch take time, in which rights, interests or the webhook itself may end. What
is left then is the time that the entry in the journal and the request take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery
from gateway.webhooks.decide import is_fresh
from gateway.webhooks.parts import VisitParts
from gateway.webhooks.rights import present_rights
from gateway.webhooks.schedule import subject_of


@dataclass(frozen=True, slots=True)
class BatchConfirmation:
    """What of a batch may be sent at once. ``undecided``: what is to be decided anew."""

    permitted: list[WebhookDelivery]
    undecided: list[WebhookDelivery]


async def confirm_batch(
    parts: VisitParts, webhook: Webhook, batch: Sequence[WebhookDelivery]
) -> BatchConfirmation:
    """Confirm what was decided of a batch with the rights that ``webhook`` has.

    Raises StoreUnavailable, and GatewayError as ``parts.check_rights`` does.
    """
    confirmation, waiting_people = BatchConfirmation([], []), set[str]()
    if not batch:
        return confirmation
    is_unchanged = await _is_unchanged(parts, webhook)
    interest_ids = await parts.list_interests(webhook) if is_unchanged else ()
    now = parts.now()
    for delivery in batch:
        is_shown = delivery.person is None or (
            delivery.interest_id in interest_ids and is_fresh(delivery, now)
        )
        if is_unchanged and is_shown and subject_of(delivery) not in waiting_people:
            confirmation.permitted.append(delivery)
        else:  # the next event of a person waits for the former
            waiting_people.add(subject_of(delivery))
            confirmation.undecided.append(replace(delivery, decided_at=None))
    return confirmation


async def _is_unchanged(parts: VisitParts, webhook: Webhook) -> bool:
    """Return whether a webhook is there, and has the rights that it had when it was opened."""
    sealed = await parts.webhooks.store.get(webhook.id)
    stored = None if sealed is None else parts.webhooks.open(sealed).webhook
    return stored is not None and present_rights(parts, stored) == webhook
