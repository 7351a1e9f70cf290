"""Events as endpoints receive them: one CloudEvent, or a batch of them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from gateway.changes.cloud_events import CLOUD_EVENT, CLOUD_EVENTS, cloud_event
from gateway.changes.webhooks.webhook import WebhookDelivery


def encode_events(deliveries: Sequence[WebhookDelivery]) -> tuple[str, bytes]:
    """Return media type and body of a request with these events, in this order."""
    events = [cloud_event(delivery.event, delivery.person) for delivery in deliveries]
    if len(events) == 1:
        return CLOUD_EVENT, orjson.dumps(events[0])
    return CLOUD_EVENTS, orjson.dumps(events)
