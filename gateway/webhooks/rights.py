"""The rights behind a webhook as they are now: a webhook outlives its token, and no more than that.

A webhook has the rights of whoever registered or last renewed it. At each visit these are cut down
to what the gateway would still grant to that token, had it not expired. Where nothing is left, or
the renewal is due, the webhook pauses: its position and what it is to send stay. A webhook stops
for good where a token behind it was revoked, or an operator stopped it.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.changes.webhooks.store import WebhookChanges
from gateway.changes.webhooks.webhook import Webhook, WebhookProgress, WebhookState
from gateway.webhooks.parts import VisitParts

log = structlog.get_logger(__name__)


async def hold_to_rights(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress
) -> tuple[Webhook, WebhookProgress]:
    """Return a webhook with the rights of now, and its progress in the state that follows.

    What a pause held back gets its whole life anew. Raises as ``parts.check_rights`` does, and
    GatewayError AUDIT_UNAVAILABLE where it cannot be recorded that an operator stopped it.
    """
    if progress.state.is_stopped:
        return webhook, progress
    if webhook.stopped_by is not None:
        await parts.record_stop(webhook.id, webhook.stopped_by)
    result = present_rights(parts, webhook)
    if isinstance(result, WebhookState):
        if result is not progress.state:
            log.info("a webhook is held", webhook=webhook.id, state=result.name)
            progress = replace(progress, state=result)
            await parts.apply(webhook, WebhookChanges(parts.seal_progress(webhook, progress)))
        return webhook, progress
    if progress.state.is_paused:
        log.info("a webhook goes on", webhook=webhook.id)
        progress = replace(progress, state=WebhookState.ACTIVE)
        await parts.apply(webhook, await _revived(parts, webhook, progress))
    return result, progress


def present_rights(parts: VisitParts, webhook: Webhook) -> Webhook | WebhookState:
    """Return a webhook with the rights of now, or the state for want of them.

    Raises as ``parts.check_rights`` does.
    """
    if webhook.stopped_by is not None:
        return WebhookState.STOPPED
    result = parts.check_rights(webhook)
    if isinstance(result, Webhook) and parts.now() >= parts.webhooks.renewal_due(webhook):
        return WebhookState.RENEWAL_DUE
    return result


async def _revived(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress
) -> WebhookChanges:
    webhooks = parts.webhooks
    pending = [
        webhooks.open_delivery(webhook.id, sealed)
        for sealed in await webhooks.store.pending(webhook.id, webhooks.settings.pending)
    ]
    replaced = [
        webhooks.seal_delivery(webhook.id, replace(delivery, created_at=parts.now()))
        for delivery in pending
        if delivery is not None
    ]
    return WebhookChanges(parts.seal_progress(webhook, progress), replaced=replaced)
