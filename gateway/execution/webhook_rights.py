"""What the rights behind a webhook are now, and what of its events they do not show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from gateway.access.authenticate import grants_purpose
from gateway.access.caller import Caller
from gateway.access.claims import TokenRefused
from gateway.answer import State
from gateway.changes.event import LifeEventKind
from gateway.changes.feed import permitted_kinds, require_events
from gateway.changes.feed_scope import PERSON_KINDS, DeniedKind, FeedScope, feed_scope
from gateway.changes.webhooks.webhook import Webhook, WebhookState
from gateway.errors import GatewayError
from gateway.execution.feeds import feed_parts
from gateway.execution.resources import ExecutionResources
from gateway.permission.operation import require_free_form
from gateway.procedures.registry import procedure_of
from gateway.settings import Settings

log = structlog.get_logger(__name__)

#: Why rights do not show an event.
_HIDDEN = frozenset({State.DENIED, State.WITHHELD})


def check_rights(resources: ExecutionResources, webhook: Webhook) -> Webhook | WebhookState:
    """Return a webhook with the rights that its caller has now, or the state for want of them.

    RIGHTS_SUSPENDED too where these show none of its kinds: its position would move past events
    that rights which come back could show. Raises GatewayError ISSUER_UNAVAILABLE while nobody
    knows which keys the issuer publishes, EVENTS_UNAVAILABLE where no changes are followed.
    """
    present = _restate(resources, webhook)
    if isinstance(present, Webhook) and _is_without_kinds(resources, present):
        return WebhookState.RIGHTS_SUSPENDED
    return present


def _restate(resources: ExecutionResources, webhook: Webhook) -> Webhook | WebhookState:
    """Return what ``check_rights`` does, whatever the kinds are."""
    tokens, caller = resources.tokens, webhook.caller
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


def _is_without_kinds(resources: ExecutionResources, webhook: Webhook) -> bool:
    """Return whether the rights of a webhook show none of its kinds.

    No rights are missing for kinds that no database tells.
    """
    permitted = permitted_kinds(resources.settings, webhook.caller.purpose)
    scope = _scope(resources, webhook, webhook.kinds or permitted or PERSON_KINDS)
    return not scope.shown and any(denied.state in _HIDDEN for denied in scope.denied)


def _scope(
    resources: ExecutionResources, webhook: Webhook, kinds: Collection[LifeEventKind]
) -> FeedScope:
    """Return what a webhook is sent of these kinds; raises GatewayError EVENTS_UNAVAILABLE."""
    permitted = permitted_kinds(resources.settings, webhook.caller.purpose)
    return feed_scope(webhook.caller, feed_parts(resources).origins, permitted, (), kinds)


def denied_kinds(resources: ExecutionResources, webhook: Webhook) -> Sequence[DeniedKind] | None:
    """Return which events of its kinds a webhook is not sent with the rights that it has now.

    None: it is not known, since nobody knows the keys of the issuer or no changes are followed; or
    nothing at all is sent for want of rights. A webhook of all kinds is held to each of them.
    """
    if resources.changes is None:
        return None
    try:
        present = _restate(resources, webhook)
    except GatewayError:
        return None
    if isinstance(present, WebhookState):
        return None
    return _scope(resources, present, webhook.kinds or PERSON_KINDS).denied
