"""The application, and the short way of most requests through it.

Most requests POST a GraphQL document or call a published operation. Starlette's way to their
endpoint is six coroutines deep, with a ``Request`` and a ``Headers`` built on the way; it costs as
much as all decisions of ``gateway.request.handle`` together. ``FrontDoor`` answers such a request
itself. Whatever it does not understand wholly goes Starlette's way (see the decisions).
Both ways end in ``gateway.http.endpoint.respond`` and must send the same bytes, which a test holds
them to (``tests/unit/gateway/http/test_front.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.authenticate import CallerHeaders
from gateway.execution.parameters import ReceivedRequest
from gateway.http.endpoint import respond
from gateway.http.envelope import (
    INTERNAL_HEADERS,
    SECURITY_HEADERS,
    choose_request_id,
    internal_error,
)
from gateway.http.parameters import posted_parameters, posted_variables, receive_json
from gateway.http.telemetry import ResponseSummary, record_response
from gateway.request import RequestState
from gateway.service import Service
from gateway.telemetry.logs import REQUEST_ID

log = structlog.get_logger(__name__)

_GRAPHQL = "/graphql"
_OPERATIONS = "/operations/"


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
        self._entrance: ASGIApp = self._choose_way
        for middleware in reversed(outer):
            self._entrance = middleware.cls(self._entrance, *middleware.args, **middleware.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3)."""
        await self._entrance(scope, receive, send)

    async def _choose_way(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = self.read_head(scope)
        if head is None:
            await super().__call__(scope, receive, send)
        else:
            await self._answer(head, receive, send)

    @staticmethod
    def read_head(scope: Scope) -> RequestHead | None:
        """Return what the head of a request says; None: it is not understood here."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        path, operation = scope["path"], None
        if path != _GRAPHQL:
            operation = path.removeprefix(_OPERATIONS)
            if not path.startswith(_OPERATIONS) or not operation or "/" in operation:
                return None
        if scope["query_string"] or scope.get("root_path"):
            return None
        sent = scope["headers"]
        headers = dict(sent)
        if len(headers) != len(sent):  # a header that is there twice
            return None
        client = scope.get("client")
        return RequestHead(operation, headers, client[0] if client else None)

    async def _answer(self, head: RequestHead, receive: Receive, send: Send) -> None:
        """Answer a request: what ``Telemetry``, ``Envelope`` and ``Endpoint`` do one by one."""
        service: Service = self.state.service
        clock, headers = service.resources.clock, head.headers
        began = clock.monotonic()
        request_id = choose_request_id(headers.get(b"x-request-id"))
        state = RequestState(request_id, host=head.host)
        context = REQUEST_ID.set(request_id)
        response = _SentResponse(send, request_id)
        try:
            encoded = await respond(
                service,
                state,
                head.caller_headers,
                headers.get(b"accept", b"").decode("latin-1"),
                partial(head.read, receive),
                head.operation is None,
            )
            await response.send(encoded.status, encoded.headers, encoded.content)
        except ClientDisconnect:
            log.info("client went away", route=head.route)
        except Exception:
            log.exception("request failed", route=head.route)
            if response.is_started:
                raise
            state.codes = ["INTERNAL"]
            content = internal_error(request_id, self._documentation)
            await response.send(500, [*INTERNAL_HEADERS], content)
        finally:
            REQUEST_ID.reset(context)
            seconds = clock.monotonic() - began
            summary = ResponseSummary(response.status, response.sent, seconds)
            record_response(service, state, "POST", head.route, summary)


class RequestHead(NamedTuple):
    """The head of a request. ``operation``: that the path names, None for GraphQL over HTTP."""

    operation: str | None
    headers: dict[bytes, bytes]
    host: str | None

    @property
    def route(self) -> str:
        """The name of the route, as in ``gateway.app``."""
        return "graphql" if self.operation is None else "operations"

    @property
    def caller_headers(self) -> CallerHeaders:
        headers = self.headers
        authorization, purpose = headers.get(b"authorization"), headers.get(b"x-purpose")
        case_number = headers.get(b"x-case-number")
        return CallerHeaders(
            () if authorization is None else (authorization,),
            () if purpose is None else (purpose,),
            () if case_number is None else (case_number,),
        )

    async def read(self, receive: Receive, body_bytes: int) -> ReceivedRequest:
        """Receive the body; raises what ``receive_json`` raises."""
        length = self.headers.get(b"content-length")
        body = await receive_json(
            receive,
            self.headers.get(b"content-type", b"").decode("latin-1"),
            None if length is None else length.decode("latin-1"),
            body_bytes,
        )
        if self.operation is None:
            return posted_parameters(body)
        return posted_variables(self.operation, body)


class _SentResponse:
    """What of a response was sent. ``status``: None before its start was; ``sent``: in bytes."""

    __slots__ = ("_request_id", "_send", "is_started", "sent", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.is_started = False
        self.status: int | None = None
        self.sent = 0

    async def send(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        """Send a response; raises ClientDisconnect where the connection is gone (ASGI 3)."""
        headers.append((b"x-request-id", self._request_id.encode()))
        headers += SECURITY_HEADERS
        self.is_started = True
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            self.status = status
            await self._send({"type": "http.response.body", "body": content})
        except OSError as error:
            raise ClientDisconnect from error
        self.sent = len(content)
