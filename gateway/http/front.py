"""The application, and the short way of most requests through it.

Most requests POST a GraphQL document or call a published operation. Starlette's way to their
endpoint is six coroutines deep, with a ``Request`` and a ``Headers`` built on the way; it costs as
much as all decisions of ``gateway.request.handle`` together. ``FrontDoor`` answers such a request
itself. Whatever it does not understand wholly goes Starlette's way: decision 54 says what and why.
Both ways end in ``gateway.http.endpoint.respond`` and must send the same bytes, which a test holds
them to (``tests/unit/gateway/http/test_front.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.authenticate import CallerHeaders
from gateway.execution.parameters import ReceivedRequest
from gateway.http.endpoint import EncodedResponse, respond
from gateway.http.envelope import (
    INTERNAL_HEADERS,
    SECURITY_HEADERS,
    choose_request_id,
    internal_error,
)
from gateway.http.parameters import (
    MULTIPART,
    posted_parameters,
    posted_variables,
    receive_json,
)
from gateway.http.payloads import PayloadStream
from gateway.http.telemetry import ResponseSummary, record_response
from gateway.request import RequestState
from gateway.service import Service
from gateway.sessions.cookies import SESSION_COOKIE_BYTES
from gateway.telemetry.logs import REQUEST_ID

log = structlog.get_logger(__name__)

_GRAPHQL = "/graphql"
_OPERATIONS = "/operations/"
_MULTIPART = MULTIPART.encode()


class FrontDoor(Starlette):
    """Starlette's application, with a short way for most requests.

    ``documentation``: where errors are documented. ``outer``: middleware that stands before both
    ways, the outermost first; ``middleware`` stands in Starlette's way only.
    """

    def __init__(
        self, documentation: str, outer: Sequence[Middleware] = (), **starlette: Any
    ) -> None:
        super().__init__(**starlette)
        self._documentation = documentation
        self._entrance: ASGIApp | None = None
        for middleware in reversed(outer):
            inner = self._entrance or self._choose_way
            self._entrance = middleware.cls(inner, *middleware.args, **middleware.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3)."""
        await (self._entrance or self._choose_way)(scope, receive, send)

    def _choose_way(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        head = RequestHead.read(scope)
        if head is None:
            return super().__call__(scope, receive, send)
        return self._answer(head, receive, send)

    async def _answer(self, head: RequestHead, receive: Receive, send: Send) -> None:
        """Answer a request: what ``Telemetry``, ``Envelope`` and ``Endpoint`` do one by one."""
        service: Service = self.state.service
        clock, status, sent, is_started = service.resources.clock, None, 0, False
        began = clock.monotonic()
        request_id = choose_request_id(head.request_id)
        state = RequestState(request_id, host=head.host)
        context = REQUEST_ID.set(request_id)
        fixed_headers = ((b"x-request-id", request_id.encode()), *SECURITY_HEADERS)
        stream = None
        if head.may_take_payloads:
            stream = PayloadStream(receive, send, state, self._documentation, fixed_headers)
        try:
            response = await respond(
                service,
                state,
                head.caller_headers,
                head.accept,
                partial(head.receive, receive),
                head.operation is None,
                stream=stream,
            )
            response.headers += fixed_headers
            is_started = True
            try:
                if not response.is_begun:
                    await send(response.start())
                status = response.status
                await send({"type": "http.response.body", "body": response.content})
                sent = len(response.content)
            except OSError as error:  # ASGI 3: the connection is gone
                raise ClientDisconnect from error
        except ClientDisconnect:
            log.info("client went away", route=head.route)
        except Exception:
            log.exception("request failed", route=head.route)
            if is_started or (stream is not None and stream.is_begun):
                raise
            state.codes = ["INTERNAL"]
            content = internal_error(request_id, self._documentation)
            response = EncodedResponse(500, [*INTERNAL_HEADERS, *fixed_headers], content)
            try:
                await send(response.start())
                status = response.status
                await send({"type": "http.response.body", "body": content})
                sent = len(content)
            except OSError as error:
                raise ClientDisconnect from error
        finally:
            REQUEST_ID.reset(context)
            if stream is not None and stream.is_begun:
                status, sent = 200, sent + stream.sent
            summary = ResponseSummary(status, sent, clock.monotonic() - began)
            record_response(service, state, "POST", head.route, summary)


class RequestHead:
    """The head of a request that goes the short way.

    ``operation``: that the path names, None for GraphQL over HTTP. ``host``: the client's address.
    ``may_take_payloads``: the client may read an answer in several payloads.
    """

    __slots__ = ("_headers", "host", "may_take_payloads", "operation", "route")

    def __init__(
        self,
        operation: str | None,
        headers: dict[bytes, bytes],
        host: str | None,
        http_version: str = "1.1",
    ) -> None:
        self.operation = operation
        is_incremental = _MULTIPART in headers.get(b"accept", b"")
        self.may_take_payloads = is_incremental and operation is None and http_version != "1.0"
        self.host = host
        self.route = "graphql" if operation is None else "operations"  # as in gateway.app
        self._headers = headers

    @classmethod
    def read(cls, scope: Scope) -> RequestHead | None:
        """Return what the head of a request says; None: it is not understood here."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
            return None
        path, operation = scope["path"], None
        if path != _GRAPHQL:
            operation = path.removeprefix(_OPERATIONS)
            if not path.startswith(_OPERATIONS) or not operation or "/" in operation:
                return None
        sent = scope["headers"]
        headers = dict(sent)
        if len(headers) != len(sent) or scope.get("root_path"):  # a header that is there twice
            return None
        if b"event-stream" in headers.get(b"accept", b"").lower():
            return None
        if b"cookie" in headers and SESSION_COOKIE_BYTES in headers[b"cookie"]:
            return None
        client = scope.get("client")
        host = client[0] if client else None
        return cls(operation, headers, host, scope["http_version"])

    @property
    def request_id(self) -> bytes | None:
        """The request id that the client sent."""
        return self._headers.get(b"x-request-id")

    @property
    def accept(self) -> str:
        """The Accept header, empty without one."""
        return self._headers.get(b"accept", b"").decode("latin-1")

    @property
    def caller_headers(self) -> CallerHeaders:
        """The headers that say who calls and for what."""
        find = self._headers.get
        values = (find(b"authorization"), find(b"x-purpose"), find(b"x-case-number"))
        return CallerHeaders._make([() if value is None else (value,) for value in values])

    async def receive(self, receive: Receive, body_bytes: int) -> ReceivedRequest:
        """Receive the body; raises what ``receive_json`` raises."""
        length = self._headers.get(b"content-length")
        body = await receive_json(
            receive,
            self._headers.get(b"content-type", b"").decode("latin-1"),
            None if length is None else length.decode("latin-1"),
            body_bytes,
        )
        if self.operation is None:
            return posted_parameters(body)
        return posted_variables(self.operation, body)
