"""What the audit journal says of operators who stop or remove a webhook; it names no person."""

from __future__ import annotations

import hashlib

from gateway.access.caller import Caller
from gateway.audit.entry import describe_touched
from gateway.execution.resources import ExecutionResources

#: What the journal names as the document of a stop and of a removal, and as the client.
STOP, REMOVAL = (hashlib.sha256(text).hexdigest() for text in (b"webhook stop", b"webhook removal"))
_COMMAND_LINE = "justice-gateway"


async def record_stop(resources: ExecutionResources, webhook_id: str, operator: str) -> None:
    """Write that an operator stopped a webhook, by the command line.

    Raises GatewayError AUDIT_UNAVAILABLE: it is tried again, and nothing is sent meanwhile.
    """
    await _record(resources, f"webhook/{webhook_id}/stop", STOP, operator)


async def record_removal(resources: ExecutionResources, webhook_id: str, operator: str) -> None:
    """Write that an operator had a webhook removed that nobody can read; raises the same."""
    await _record(resources, f"webhook/{webhook_id}/removal", REMOVAL, operator)


async def _record(
    resources: ExecutionResources, request_id: str, document: str, operator: str
) -> None:
    await resources.recorder.record_answer(
        request_id,
        Caller(client=_COMMAND_LINE, subject=operator),
        document,
        describe_touched(resources.person_hash, (), {}),
    )
