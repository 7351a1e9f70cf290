"""Probes, metrics, the schema as text, and answers for addresses that do not exist."""

from __future__ import annotations

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.catalogue.scopes import METRICS
from gateway.errors import GatewayError, unauthenticated
from gateway.request import authenticate_request, state_of
from gateway.service import Service
from gateway.sessions.session_headers import CSRF_HEADER, authorize_by_cookie
from gateway.shape.response import add_documentation_links, refusal_body


async def show_liveness(_request: Request) -> Response:
    """Say that the process runs."""
    return PlainTextResponse("live\n")


async def show_readiness(request: Request) -> Response:
    """Say whether requests can be answered.

    Only what the gateway itself cannot do without counts (the journal; keys and settings are read
    before it starts), never a database that is down (design section 8).
    """
    service: Service = request.app.state.service
    if await service.audit.journal.check():
        return PlainTextResponse("ready\n")
    return PlainTextResponse("not ready: journal\n", 503)


async def authenticate_page(request: Request) -> Caller:
    """Return the caller who asks for a page; raises what ``authenticate_request`` raises.

    The cookie of a session counts with the token of its page alone, which GraphiQL sends: somebody
    who follows a link to a public page is no caller. Raises what ``authorize_by_cookie`` raises.
    """
    service: Service = request.app.state.service
    headers = CallerHeaders.read(request.headers.raw)
    if CSRF_HEADER in request.headers:
        headers = await authorize_by_cookie(service.sessions, request, headers)
    return (await authenticate_request(service, state_of(request.scope), headers)).caller


async def show_schema(request: Request) -> Response:
    """Show the schema definition; to callers who may introspect only, where settings say so."""
    service: Service = request.app.state.service
    try:
        caller = await authenticate_page(request)
        if not service.resources.settings.public_schema and caller.is_anonymous:
            raise unauthenticated("UNAUTHENTICATED")
        if not service.resources.settings.public_schema and not caller.may_introspect:
            raise GatewayError("INTROSPECTION_DENIED")
    except GatewayError as error:
        return error_response(request, error)
    return PlainTextResponse(service.schema_text)


async def show_metrics(request: Request) -> Response:
    """Show what is counted, in the text format of Prometheus; no label names anybody.

    To monitoring and operators, or to everybody where settings say so.
    """
    service: Service = request.app.state.service
    if not service.resources.settings.public_metrics:
        try:
            caller = await authenticate_page(request)
            if caller.is_anonymous:
                raise unauthenticated("UNAUTHENTICATED")
            if not caller.may_see_metrics:
                raise GatewayError("FORBIDDEN", details={"missing": [METRICS]})
        except GatewayError as error:
            return error_response(request, error)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def routing_error(request: Request, error: Exception) -> Response:
    """Answer what routing refuses (no such address, wrong method) with a code."""
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    return error_response(request, GatewayError(code, headers=dict(error.headers or {})))


def error_response(request: Request, error: GatewayError) -> Response:
    """Return ``error`` as a JSON answer with its status; its code is left for the log."""
    state_of(request.scope).codes = [error.code.name]
    service: Service = request.app.state.service
    content = orjson.dumps(
        add_documentation_links(refusal_body(error), service.resources.settings.documentation)
    )
    return Response(content, error.status, error.headers, "application/json")
