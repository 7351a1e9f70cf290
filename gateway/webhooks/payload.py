"""Events as endpoints receive them: CloudEvents 1.0 as JSON, alone or in a batch.

The attributes of a CloudEvent name nobody, since servers on the way log them: who and what stands
in ``data``. An event says what happened, and where it is recorded; the record itself is for
whoever asks for it under a purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from gateway.changes.webhooks.webhook import WebhookDelivery

#: Media types of one event, and of several (CloudEvents JSON format, sections 3 and 4).
ONE = "application/cloudevents+json"
SEVERAL = "application/cloudevents-batch+json"
#: What the types of events begin with.
TYPE_PREFIX = "vn.gov.moj.justice-gateway."


def encode_events(deliveries: Sequence[WebhookDelivery]) -> tuple[str, bytes]:
    """Return media type and body of a request with these events, in this order."""
    events = [_cloud_event(delivery) for delivery in deliveries]
    if len(events) == 1:
        return ONE, orjson.dumps(events[0])
    return SEVERAL, orjson.dumps(events)


def _cloud_event(delivery: WebhookDelivery) -> dict[str, object]:
    event = delivery.event
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/databases/{event.database}",
        "type": TYPE_PREFIX + event.kind.name.lower().replace("_", "-"),
        "time": _moment(event.detected_at),
        "datacontenttype": "application/json",
        "data": {
            "kind": event.kind.name,
            "person": event.person and delivery.person,
            "database": event.database or None,
            "record": event.record,
            "date": event.date,
            "committedAt": _moment(event.committed_at),
            "detectedAt": _moment(event.detected_at),
            "since": _moment(event.since),
        },
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
