"""The way of a request, top to bottom, for GraphQL and for published operations alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.access.authenticate import authenticate, with_stated_purpose
from gateway.access.caller import ANONYMOUS, Caller
from gateway.audit.entry import build_entry, describe_touched
from gateway.errors import BESIDE_DATA, CODES, GatewayError
from gateway.execution.execute import Outcome, answered, ask, explained, known_to, ready
from gateway.execution.prepared_request import Asked, Ready
from gateway.fetch.loaders import Loaders
from gateway.http.graphiql import page, wants_page
from gateway.http.parameters import GRAPHQL_JSON, JSON, Call, accepted, response_type
from gateway.http.refusals import note_refusal
from gateway.operations.library import hold_variables
from gateway.people.representation import hold_representation
from gateway.permission.operation import hold_free_form, permit
from gateway.plan.document import InvalidDocument
from gateway.runtime.clock import legal_date
from gateway.service import Service
from gateway.shape.response import (
    add_documentation_links,
    error_codes,
    invalid_document_body,
    refusal_body,
    response_body,
)

#: Reads what a request asks, within so many bytes.
Read = Callable[[Request, int], Awaitable[Call]]


class Endpoint:
    """An ASGI endpoint. It takes every method itself, so that refusals carry a code.

    ``read``: what a request asks. ``graphql``: it is asked as GraphQL over HTTP, by browsers too;
    otherwise as plain HTTP, where refusals have the media type that the client asks for.
    """

    def __init__(self, read: Read, graphql: bool) -> None:
        self._read = read
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request (ASGI 3)."""
        request = Request(scope, receive)
        if self._graphql and wants_page(request):
            await page(request)(scope, receive, send)
            return
        reply = await _respond(request, self._read, self._graphql)
        standing = getattr(request.state, "standing", None)
        headers = reply.headers
        if standing is not None:
            headers = {**standing.headers, **headers}
        await send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [
                    *_COMMON[reply.media_type],
                    (b"content-length", b"%d" % len(reply.content)),
                    *((name.lower().encode(), one.encode()) for name, one in headers.items()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": reply.content})


@dataclass(frozen=True, slots=True)
class _Reply:
    """What is sent back. ``headers``: beside those of every answer."""

    content: bytes
    status: int
    media_type: str
    headers: Mapping[str, str]


#: The headers of every answer, by its media type. (A Starlette response costs ten times as much.)
_COMMON = {
    media_type: (
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
    )
    for media_type in (JSON, GRAPHQL_JSON)
}


async def _respond(request: Request, read: Read, graphql: bool) -> _Reply:
    """Answer one request; every refusal has a code and a status.

    A refusal over GraphQL says that it is a GraphQL response, also to a client that prefers
    application/json, so that it can't be taken for an intermediary's (GraphQL over HTTP, "Body").
    """
    service: Service = request.app.state.service
    documentation = service.resources.settings.documentation
    media_type = of_refusals = JSON
    headers: Mapping[str, str] = {}
    try:
        media_type = response_type(accepted(request))
        of_refusals = GRAPHQL_JSON if graphql else media_type
        answer = await _answer(service, request, read)
        status = BESIDE_DATA if "errors" in answer else 200
        if status == BESIDE_DATA:
            request.state.codes = sorted(set(error_codes(answer)))
    except InvalidDocument as error:
        request.state.codes = [error.code]
        answer, media_type = invalid_document_body(error.code, error.errors), of_refusals
        status = CODES[error.code].status
    except GatewayError as error:
        request.state.codes = [error.code.name]
        answer, media_type = refusal_body(error), of_refusals
        status, headers = error.status, error.headers
    return _Reply(
        orjson.dumps(add_documentation_links(answer, documentation)), status, media_type, headers
    )


async def _answer(service: Service, request: Request, read: Read) -> dict[str, object]:
    """HTTP -> caller -> the rest; a refusal leaves its trace too.

    Whoever shows a bad token, or asks too often, is refused before the body is read: a refusal
    costs what its headers cost. Rates and admission count a request before its body is read, too:
    half-sent ones take room as well.
    """
    caller, call = ANONYMOUS, None
    try:
        try:
            caller = request.state.caller = await authenticate(request.headers, service.tokens)
        finally:  # whoever shows a bad token counts among the anonymous
            request.state.standing = await service.rates.request(caller.client)
        with service.admission.admit(caller.client):
            call = await _received(service, request, read, caller)
            resources = service.resources
            deadline = resources.clock.monotonic() + resources.settings.limits.deadline
            caller = with_stated_purpose(request.headers, caller)
            return await _permitted(service, request, call, caller, deadline)
    except (GatewayError, InvalidDocument) as error:
        await note_refusal(service, request, caller, call, _code(error))
        raise


async def _received(service: Service, request: Request, read: Read, caller: Caller) -> Call:
    """Read the request; meanwhile it is in flight, and nobody's work."""
    service.admission.receiving += 1
    try:
        return await read(request, service.resources.settings.limits.body_bytes_of(caller.client))
    finally:
        service.admission.receiving -= 1


async def _permitted(
    service: Service, request: Request, call: Call, caller: Caller, deadline: float
) -> dict[str, object]:
    """Limits, plan -> permission -> fetch, protection, shape -> audit."""
    resources, published = service.resources, None
    if call.published is not None:
        published, caller = service.operations.call(call.published, caller)
        request.state.calling = published, caller  # for the trace of a refusal
        hold_variables(published, call.variables)
        document = published.document
    else:
        hold_free_form(caller, resources.settings.clients)
        document = await resources.plans.document(
            call.query, caller.client, deadline, suggest=caller.may_introspect
        )
    operation = document.operation(call.operation_name)
    permit(caller, document, operation, call.in_url)
    if operation.names_persons:
        service.unidentified.require_left(caller.client, caller.subject)
    if operation.reads_own_view:
        await hold_representation(
            resources.sources,
            Loaders(resources.sources, resources.clock, deadline, caller.asker),
            caller,
            legal_date(resources.clock.now()),
            resources.settings.numbers.are_checked,
        )
    known = known_to(resources, document, operation, call.variables, caller, deadline, published)
    if known is None:
        asked = ask(resources, document, operation, call.variables, caller, deadline, published)
        made = await ready(resources, asked)
    else:
        asked, made, outcome = known
    if made is not None:
        await service.rates.cost(caller.client, made.cost)
    if known is None:
        outcome = await answered(resources, asked, made)
    if outcome.unidentified:
        await service.unidentified.add(caller.client, caller.subject, outcome.unidentified)
    answer = response_body(
        outcome.data, outcome.errors, _extensions(service, asked, made, outcome, call)
    )
    if operation.reads_persons or operation.kind is OperationType.MUTATION:
        await _audit(service, request, asked, made, outcome, answer)
    return answer


def _extensions(
    service: Service, asked: Asked, made: Ready | None, outcome: Outcome, call: Call
) -> dict[str, object]:
    """Return what stands beside data and errors; plans and costs for those who may see them."""
    shown: dict[str, object] = {}
    if outcome.mirrored:
        shown["notices"] = outcome.mirrored
    if made is not None and asked.caller.may_see_plans:
        shown["cost"] = {"atMost": made.cost, "limit": service.resources.settings.limits.cost}
        if call.plan:
            shown["plan"] = explained(asked, made)
    return shown


async def _audit(
    service: Service,
    request: Request,
    asked: Asked,
    made: Ready | None,
    outcome: Outcome,
    answer: dict[str, object],
) -> None:
    """Have the answer's trace on disk before the answer leaves; raises AUDIT_UNAVAILABLE."""
    resources = service.resources
    await service.journal.append(
        build_entry(
            resources.person_hash,
            resources.clock.now(),
            request.state.request_id,
            asked.caller,
            asked.chosen.document.digest,
            outcome.touched
            or describe_touched(resources.person_hash, outcome.trail.touches(), outcome.states),
            error_codes(answer),
            b"{}" if made is None else made.permissions.asked,
            deferred=resources.settings.deferral(asked.caller.purpose),
            operation=None if asked.published is None else asked.published.header.id,
        )
    )


def _code(error: GatewayError | InvalidDocument) -> str:
    return error.code if isinstance(error, InvalidDocument) else error.code.name
