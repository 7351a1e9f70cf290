"""Events as others take them: CloudEvents 1.0 in the JSON format, structured mode.

The attributes name nobody: servers on the way log them, and route by them. So there is no
``subject``, which would be a number; who and what it is about stands in ``data``. What may leave is
for the feed to decide: this encodes what it was given.
"""

from __future__ import annotations

from datetime import datetime

from gateway.changes.event import LifeEvent

#: Media types of one event, and of several (CloudEvents JSON format 1.0, sections 3 and 4).
CLOUD_EVENT = "application/cloudevents+json"
CLOUD_EVENTS = "application/cloudevents-batch+json"
#: What the types of events begin with; ``DEATH`` is ``vn.gov.moj.justice-gateway.death``.
TYPE_PREFIX = "vn.gov.moj.justice-gateway."


def cloud_event(event: LifeEvent, person: str | None) -> dict[str, object]:
    """Return an event as a CloudEvent. ``person``: under which number its reader knows the person.

    ``id`` is the same each time that the same change is told, and ``time`` is when the gateway saw
    it, in UTC.
    """
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/databases/{event.database}",
        "type": TYPE_PREFIX + event.kind.name.lower().replace("_", "-"),
        "time": _moment(event.detected_at),
        "datacontenttype": "application/json",
        "data": {
            "kind": event.kind.name,
            "person": None if event.person is None else person,
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
