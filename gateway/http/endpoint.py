"""The HTTP door to ``gateway.request.handle``: for GraphQL and for published operations alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import orjson
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from gateway.access.authenticate import CallerHeaders
from gateway.errors import BESIDE_DATA, CODES, GatewayError
from gateway.execution.parameters import ReceivedRequest
from gateway.http.graphiql import graphiql_page, wants_page
from gateway.http.parameters import (
    GRAPHQL_JSON,
    JSON,
    MULTIPART,
    join_accept,
    require_short_accept,
    response_type,
)
from gateway.http.payloads import PayloadStream, accepts_payloads
from gateway.plan.document import InvalidDocument
from gateway.request import Read, RequestState, handle, refuse_request, state_of
from gateway.service import Service
from gateway.sessions.session_headers import authorize_by_cookie
from gateway.shape.response import (
    add_documentation_links,
    error_codes,
    invalid_document_body,
    refusal_body,
)

#: Receives what is requested, within a number of bytes.
ReadRequest = Callable[[Request, int], Awaitable[ReceivedRequest]]


class Endpoint:
    """An ASGI endpoint. It takes every method itself, so that refusals carry a code.

    ``read``: reads what is requested. ``graphql``: it is GraphQL over HTTP, for browsers too;
    otherwise it is plain HTTP, where refusals have the media type that the client asks for.
    """

    def __init__(self, read: ReadRequest, graphql: bool) -> None:
        self._read = read
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request (ASGI 3)."""
        request = Request(scope, receive)
        if self._graphql and wants_page(request):
            page = await graphiql_page(request)
            await page(scope, receive, send)
            return
        service: Service = request.app.state.service
        headers, refusal = CallerHeaders.read(scope["headers"]), None
        state, accept = state_of(scope), join_accept(request)
        stream = None
        if MULTIPART in accept and request.method == "POST" and scope["http_version"] != "1.0":
            documentation = service.resources.settings.documentation
            stream = PayloadStream(receive, send, state, documentation)
        try:
            headers = await authorize_by_cookie(service.sessions, request, headers)
        except GatewayError as error:
            refusal = error
        response = await respond(
            service,
            state,
            headers,
            accept,
            partial(self._read, request),
            self._graphql,
            refusal,
            stream,
        )
        if not response.is_begun:
            await send(response.start())
        await send({"type": "http.response.body", "body": response.content})


@dataclass(slots=True)
class EncodedResponse:
    """A response as it is sent. ``is_begun``: all but ``content`` has been sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes
    is_begun: bool = False

    def start(self) -> Message:
        """Return the message that begins it (ASGI 3)."""
        return {
            "type": "http.response.start",
            "status": self.status,
            "headers": self.headers,
        }


#: The headers of every response, by media type. (A Starlette response costs ten times as much.)
_COMMON = {
    media_type: (
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
    )
    for media_type in (JSON, GRAPHQL_JSON)
}


async def respond(
    service: Service,
    state: RequestState,
    headers: CallerHeaders,
    accept: str,
    read: Read,
    graphql: bool,
    refusal: GatewayError | None = None,
    stream: PayloadStream | None = None,
) -> EncodedResponse:
    """Respond to one request; every refusal has a code and a status.

    ``stream``: by which an answer may be sent in several payloads; all but the last one have been
    sent then. None where it may not.

    ``accept``: the Accept headers, joined. A refusal over GraphQL says that it is a GraphQL
    response, also to a client that prefers application/json, so that it can't be taken for an
    intermediary's (GraphQL over HTTP, "Body"). ``refusal``: for which the door refuses it already.
    """
    media_type = of_refusals = JSON
    of_refusal: Mapping[str, str] = {}
    try:
        require_short_accept(accept)
        media_type = response_type(accept)
        of_refusals = GRAPHQL_JSON if graphql else media_type
        if refusal is not None:
            await refuse_request(service, state, refusal)
        if stream is not None and accepts_payloads(accept):
            state.payloads = stream
        answer = await handle(service, state, headers, read)
        if stream is not None and stream.is_begun:
            return EncodedResponse(200, [], stream.end(answer), is_begun=True)
        status = 200
        if "errors" in answer:
            status, state.codes = BESIDE_DATA, sorted(set(error_codes(answer)))
    except InvalidDocument as error:
        state.codes = [error.code]
        answer, media_type = invalid_document_body(error.code, error.errors), of_refusals
        status = CODES[error.code].status
    except GatewayError as error:
        state.codes = [error.code.name]
        answer, media_type = refusal_body(error), of_refusals
        status, of_refusal = error.status, error.headers
    finally:
        if stream is not None:
            stream.close()
    if status != 200:
        add_documentation_links(answer, service.resources.settings.documentation)
    content = orjson.dumps(answer)
    fields = [*_COMMON[media_type], (b"content-length", b"%d" % len(content))]
    if of_refusal:
        sent = {**({} if state.allowance is None else state.allowance.headers), **of_refusal}
        fields += ((name.lower().encode(), value.encode()) for name, value in sent.items())
    elif state.allowance is not None:
        fields += state.allowance.fields
    return EncodedResponse(status, fields, content)
