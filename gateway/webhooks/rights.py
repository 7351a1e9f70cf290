"""The rights behind a webhook as they are now: a webhook outlives its token, and no more than that.

A webhook has the rights of whoever registered or last renewed it. At each visit these are cut down
to what the gateway would still grant to that token, had it not expired. Where nothing is left, or
the renewal is due, the webhook pauses: its position and what it is to send stay. A webhook stops
for good where a token behind it was revoked, or an operator stopped it.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.access.authenticate import grants_purpose
from gateway.access.caller import Caller
from gateway.access.claims import TokenRefused
from gateway.changes.feed import require_events
from gateway.changes.webhooks.store import WebhookChanges
from gateway.changes.webhooks.webhook import Webhook, WebhookProgress, WebhookState
from gateway.errors import GatewayError
from gateway.permission.operation import require_free_form
from gateway.procedures.registry import procedure_of
from gateway.service import Service
from gateway.settings import Settings
from gateway.webhooks.parts import VisitParts

log = structlog.get_logger(__name__)


def check_rights(service: Service, webhook: Webhook) -> Webhook | WebhookState:
    """Return a webhook with the rights that its caller has now, or the state for want of them.

    Raises GatewayError ISSUER_UNAVAILABLE while nobody knows which keys the issuer publishes.
    """
    tokens, resources = service.tokens, service.resources
    caller = webhook.caller
    if any(tokens.is_revoked(token_id) for token_id in (webhook.registered_by, caller.token_id)):
        return WebhookState.RIGHTS_LOST
    try:
        present = tokens.restate(caller)
    except TokenRefused as refused:
        if refused.code == "ISSUER_UNAVAILABLE":
            raise GatewayError(refused.code) from None
        log.info("the token of a webhook counts no more", webhook=webhook.id, reason=str(refused))
        return WebhookState.RIGHTS_SUSPENDED
    if not _may_have_webhooks(present, resources.settings):
        return WebhookState.RIGHTS_SUSPENDED
    return replace(webhook, caller=present)


def _may_have_webhooks(caller: Caller, settings: Settings) -> bool:
    try:
        purpose = require_events(caller).purpose
        require_free_form(caller, settings.clients)
    except GatewayError:
        return False
    return procedure_of(purpose) is not None and grants_purpose(caller, purpose)


async def hold_to_rights(
    parts: VisitParts, webhook: Webhook, progress: WebhookProgress
) -> tuple[Webhook, WebhookProgress]:
    """Return a webhook with the rights of now, and its progress in the state that follows.

    What a pause held back gets its whole life anew. Raises as ``check_rights`` does, and
    GatewayError AUDIT_UNAVAILABLE where it cannot be recorded that an operator stopped it.
    """
    if progress.state.is_stopped:
        return webhook, progress
    if webhook.stopped_by is not None:
        await parts.record_stop(webhook)
        result: Webhook | WebhookState = WebhookState.STOPPED
    else:
        result = parts.check_rights(webhook)
    if isinstance(result, Webhook) and parts.now() >= parts.webhooks.renewal_due(webhook):
        result = WebhookState.RENEWAL_DUE
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
