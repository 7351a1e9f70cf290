"""The trace that a refused request leaves: an entry in the journal, or one more in a count."""

from __future__ import annotations

from starlette.requests import Request

from gateway.access.caller import Caller
from gateway.audit.entry import Result, build_entry, describe_touched
from gateway.audit.numbers_in_refusals import find_named_numbers
from gateway.audit.refusal_counts import network_of
from gateway.audit.touched import Role
from gateway.http.parameters import Call
from gateway.plan.document import document_digest
from gateway.service import Service
from gateway.telemetry.metrics import REFUSALS

#: Refusals of known callers that are counted instead of noted one by one: a flood would fill the
#: journal.
_COUNTED = frozenset({"RATE_LIMITED", "GATEWAY_BUSY"})


async def note_refusal(
    service: Service, request: Request, caller: Caller, call: Call | None, code: str
) -> None:
    """Note who was refused whom; raises AUDIT_UNAVAILABLE, in place of the refusal.

    Strangers are counted, and name nobody: their requests are not even looked at.
    """
    REFUSALS.labels(code, "stranger" if caller.is_anonymous else "known").inc()
    if caller.is_anonymous or code in _COUNTED:
        host = None if request.client is None else request.client.host
        service.refusals.count(code, caller.client or network_of(host))
    elif call is not None and code != "AUDIT_UNAVAILABLE":
        await _audit_refusal(service, request, caller, call, code)


async def _audit_refusal(
    service: Service, request: Request, caller: Caller, call: Call, code: str
) -> None:
    """Note whom a known caller named, ten people at most; raises AUDIT_UNAVAILABLE."""
    represented = None if caller.representative is None else caller.citizen
    named = find_named_numbers(call.query, call.variables, represented)
    if not named.count:
        return
    document, operation = document_digest(call.query or call.published or ""), None
    if hasattr(request.state, "calling"):
        published, caller = request.state.calling
        document, operation = published.document.digest, published.header.id
    people = [(number, Role.REFUSED, ()) for number in named.numbers]
    noted = build_entry(
        service.resources.person_hash,
        service.resources.clock.now(),
        request.state.request_id,
        caller,
        document,
        describe_touched(service.resources.person_hash, people, {}),
        [code],
        result=Result.REFUSED,
        operation=operation,
    )
    await service.journal.append({**noted, "personsNamed": named.count})
