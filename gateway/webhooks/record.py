"""What the audit journal says of deliveries: it is on disk before anything leaves.

An event is recorded once for each webhook, when it is sent for the first time: that is an access,
although it may fail, because the endpoint may have read it all the same. Further attempts send the
same to the same endpoint, and are that one access. Under another case, or after other people have
come to stand behind the event, it is another, and so is a replay. A process that is killed before
it has stored the outcome records once more: an entry too many does no harm, one too few would.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace

from gateway.answer import State
from gateway.audit.entry import describe_touched
from gateway.audit.touched import Role, Trail
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery
from gateway.service import Service

#: What the journal names as the document of a delivery.
DOCUMENT = hashlib.sha256(b"webhook").hexdigest()
_ID_BYTES = 8


async def record_deliveries(
    service: Service, webhook: Webhook, deliveries: Sequence[WebhookDelivery]
) -> None:
    """Write whom deliveries name: an entry for each case number under which they are shown.

    Events about sources name nobody. Raises GatewayError AUDIT_UNAVAILABLE: nothing is sent then.
    """
    request_id = f"webhook/{webhook.id}/{secrets.token_hex(_ID_BYTES)}"
    by_case: dict[str | None, list[WebhookDelivery]] = {}
    for delivery in deliveries:
        if delivery.person is not None:
            by_case.setdefault(delivery.case_number, []).append(delivery)
    entries = [
        _record(service, webhook, request_id, case_number, of_case)
        for case_number, of_case in by_case.items()
    ]
    await asyncio.gather(*entries)


async def _record(
    service: Service,
    webhook: Webhook,
    request_id: str,
    case_number: str | None,
    deliveries: Sequence[WebhookDelivery],
) -> None:
    trail, states = Trail(), dict[str, State]()
    for delivery in deliveries:
        event = delivery.event
        sections = () if event.record is None else (f"{event.database}.{event.record}",)
        for number in {delivery.person, event.person} - {None}:
            assert number is not None
            trail.note_read(number, Role.NAMED, sections)
        states.update(dict.fromkeys(sections, State.ANSWERED))
    resources, caller = service.resources, webhook.caller
    await service.recorder.record_answer(
        request_id,
        replace(caller, case_number=case_number),
        DOCUMENT,
        describe_touched(resources.person_hash, trail.touches(), states),
        deferred=resources.settings.deferral(caller.purpose),
    )
