"""The HTTP door to ``gateway.request.handle``: for GraphQL and for published operations alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.access.authenticate import CallerHeaders
from gateway.errors import BESIDE_DATA, CODES, GatewayError
from gateway.http.graphiql import graphiql_page, wants_page
from gateway.http.parameters import GRAPHQL_JSON, JSON, accepted, response_type
from gateway.plan.document import InvalidDocument
from gateway.request import Parameters, RequestState, handle, state_of
from gateway.service import Service
from gateway.shape.response import (
    add_documentation_links,
    error_codes,
    invalid_document_body,
    refusal_body,
)

#: Reads the parameters of a request, within a number of bytes.
ReadParameters = Callable[[Request, int], Awaitable[Parameters]]


class Endpoint:
    """An ASGI endpoint. It takes every method itself, so that refusals carry a code.

    ``read``: reads what is requested. ``graphql``: it is GraphQL over HTTP, for browsers too;
    otherwise it is plain HTTP, where refusals have the media type that the client asks for.
    """

    def __init__(self, read: ReadParameters, graphql: bool) -> None:
        self._read = read
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request (ASGI 3)."""
        request, state = Request(scope, receive), state_of(scope)
        if self._graphql and wants_page(request):
            await graphiql_page(request)(scope, receive, send)
            return
        response = await _respond(request, state, self._read, self._graphql)
        headers = response.headers
        if state.allowance is not None:
            headers = {**state.allowance.headers, **headers}
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    *_COMMON[response.media_type],
                    (b"content-length", b"%d" % len(response.content)),
                    *((name.lower().encode(), value.encode()) for name, value in headers.items()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": response.content})


@dataclass(frozen=True, slots=True)
class _Response:
    """What is sent. ``headers``: beside those of every response."""

    content: bytes
    status: int
    media_type: str
    headers: Mapping[str, str]


#: The headers of every response, by media type. (A Starlette response costs ten times as much.)
_COMMON = {
    media_type: (
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
    )
    for media_type in (JSON, GRAPHQL_JSON)
}


async def _respond(
    request: Request, state: RequestState, read: ReadParameters, graphql: bool
) -> _Response:
    """Respond to one request; every refusal has a code and a status.

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
        headers_of_caller = CallerHeaders.read(request.headers.raw)
        answer = await handle(
            service, state, headers_of_caller, lambda body_bytes: read(request, body_bytes)
        )
        status = BESIDE_DATA if "errors" in answer else 200
        if status == BESIDE_DATA:
            state.codes = sorted(set(error_codes(answer)))
    except InvalidDocument as error:
        state.codes = [error.code]
        answer, media_type = invalid_document_body(error.code, error.errors), of_refusals
        status = CODES[error.code].status
    except GatewayError as error:
        state.codes = [error.code.name]
        answer, media_type = refusal_body(error), of_refusals
        status, headers = error.status, error.headers
    return _Response(
        orjson.dumps(add_documentation_links(answer, documentation)), status, media_type, headers
    )
