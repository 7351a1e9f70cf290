"""ASGI middleware around every request: its id, security headers, and the answer to a defect."""

from __future__ import annotations

import re

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError
from gateway.http.telemetry import route_name
from gateway.request import RequestState
from gateway.shape.response import add_documentation_links, refusal_body
from gateway.telemetry.logs import REQUEST_ID
from gateway.telemetry.redaction import holds_number, random_id

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
#: The headers of every response, beside its request id.
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Envelope:
    """Gives every request an id and every response its headers; answers a defect with INTERNAL.

    A client that disconnects before its request is read, or its response sent, is no defect.

    The ``X-Request-Id`` of a client is used if it is 8 to 64 letters, digits and ``._-``. An id
    that could contain a person's number is replaced.
    """

    def __init__(self, app: ASGIApp, documentation: str) -> None:
        self._app = app
        self._documentation = documentation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(_sent_id(scope))
        client = scope.get("client")
        state = RequestState(request_id, host=client[0] if client else None)
        scope.setdefault("state", {})["request"] = state
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = (b"x-request-id", request_id.encode()), *SECURITY_HEADERS
                names = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in headers if header[0] not in names),
                ]
            try:
                await send(message)
            except OSError as error:  # ASGI 3: the connection is gone
                raise ClientDisconnect from error

        context = REQUEST_ID.set(request_id)
        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            log.info("client went away", route=route_name(scope))
        except Exception:
            log.exception("request failed", route=route_name(scope))
            if started:
                raise
            state.codes = ["INTERNAL"]
            content = internal_error(request_id, self._documentation)
            start = {"type": "http.response.start", "status": 500, "headers": [*INTERNAL_HEADERS]}
            await send_with_headers(start)
            await send_with_headers({"type": "http.response.body", "body": content})
        finally:
            REQUEST_ID.reset(context)


def _sent_id(scope: Scope) -> bytes | None:
    """Return the request id that the client sent, its first one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return bytes(value)
    return None


def choose_request_id(header: bytes | None) -> str:
    """Return the id of a request: that in the client's header, if it may be used, else a new one.

    ``header``: None where the client sent none.
    """
    if header is None:
        return random_id()
    sent = header.decode("latin-1")
    if not _REQUEST_ID.fullmatch(sent) or sent.isdigit() or holds_number(sent):
        return random_id()
    return sent


#: The headers of the answer to a defect, beside those of every response.
INTERNAL_HEADERS = ((b"content-type", b"application/json; charset=utf-8"),)


def internal_error(request_id: str, documentation: str) -> bytes:
    """Return the body of the answer to a defect, INTERNAL; the log has it under ``request_id``."""
    error = GatewayError("INTERNAL", details={"errorId": request_id})
    return orjson.dumps(add_documentation_links(refusal_body(error), documentation))
