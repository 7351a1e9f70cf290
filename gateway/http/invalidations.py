"""``POST /invalidations``: the owner of a database reports that rows of it changed.

It is plain HTTP with a separate scope (``civil_status:invalidate``), so that the system of a
database can call it after each change, and can do nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.values import person_number
from gateway.access.caller import Caller
from gateway.audit.entry import describe_touched
from gateway.cache.invalidate import invalidate, invalidations_for, missing_for_invalidation
from gateway.cache.invalidations import Invalidation
from gateway.errors import GatewayError, malformed, unauthenticated
from gateway.http.parameters import read_object
from gateway.http.probes import authenticate_page, error_response
from gateway.plan.document import document_digest
from gateway.request import state_of
from gateway.service import Service

_NAMES = frozenset({"persons", "database", "record"})


class Invalidations:
    """An ASGI endpoint. It takes every method itself, so that refusals carry a code."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request (ASGI 3)."""
        answer = await _respond(Request(scope, receive))
        await answer(scope, receive, send)


async def _respond(request: Request) -> Response:
    """Respond with ``{"effectiveBy": moment}``, or with the reason why nothing was invalidated."""
    service: Service = request.app.state.service
    state = state_of(request.scope)
    try:
        caller = await authenticate_page(request)
        with service.admission.admit(caller.client):
            response = await _invalidated(service, request, caller)
    except GatewayError as error:
        await service.recorder.record_refusal(
            state.request_id, state.caller, error.code.name, state.host, None
        )
        response = error_response(request, error)
    if state.allowance is not None:
        for name, value in state.allowance.headers.items():
            response.headers.setdefault(name, value)
    return response


async def _invalidated(service: Service, request: Request, caller: Caller) -> Response:
    if caller.is_anonymous:
        raise unauthenticated("UNAUTHENTICATED")
    body = await read_object(request, service.resources.settings.limits.body_bytes)
    persons, database, record = _read(body)
    missing = missing_for_invalidation(caller.scopes, database)
    if missing:
        raise GatewayError("FORBIDDEN", details={"missing": list(missing)})
    databases = {name: source.database for name, source in service.resources.sources.items()}
    invalidations = invalidations_for(databases, persons, database, record)
    result = await invalidate(service.resources.cache, invalidations)
    await _audit(service, request, caller, invalidations)
    return JSONResponse(
        {"effectiveBy": result.effective_by.isoformat()}, headers={"cache-control": "no-store"}
    )


def _read(body: Mapping[str, Any]) -> tuple[list[str], str | None, str | None]:
    """Return the numbers, the database and the record in a body; raises BAD_REQUEST and others."""
    unknown = body.keys() - _NAMES
    if unknown:
        raise malformed("the body must have persons, database or record, and nothing else")
    persons, names = body.get("persons", []), (body.get("database"), body.get("record"))
    if not isinstance(persons, list) or not all(isinstance(number, str) for number in persons):
        raise malformed("persons must be a list of numbers, as strings")
    if "persons" in body and not persons:  # an empty list must not mean everybody
        raise malformed("persons must name somebody, or be left out")
    if not all(name is None or isinstance(name, str) for name in names):
        raise malformed("database and record must be strings")
    try:
        return [person_number(number) for number in dict.fromkeys(persons)], *names
    except ValueError:
        raise GatewayError("INVALID_PERSON_NUMBER") from None


async def _audit(
    service: Service, request: Request, caller: Caller, invalidations: list[Invalidation]
) -> None:
    """Record who invalidated what. The answer shows no person's data, so it names no person."""
    first = invalidations[0]
    names = ".".join(name for name in (first.database, first.record) if name) or "every database"
    await service.recorder.record_answer(
        state_of(request.scope).request_id,
        caller,
        document_digest("invalidate"),
        describe_touched(service.resources.person_hash, (), {}),
        operation=f"invalidate {names}, {len(invalidations)} times",
    )
