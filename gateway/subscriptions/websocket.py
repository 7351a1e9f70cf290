"""Operations over WebSocket: the protocol ``graphql-transport-ws`` on ``/graphql``.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. A connection says once who its
caller is, in the payload of ``connection_init`` or in the headers of its handshake. Its operations
run beside each other, each like a request of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from gateway.access.authenticate import CallerHeaders
from gateway.errors import CODES, GatewayError
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.plan.document import InvalidDocument
from gateway.request import Read, RequestState, authenticate_request, refuse_request
from gateway.sessions.session_headers import authorize_stream
from gateway.shape.response import refusal_body
from gateway.subscriptions import messages
from gateway.subscriptions.answers import (
    OF_CALLER,
    StreamedOperation,
    refusal_of,
    stream_answers,
)
from gateway.subscriptions.messages import CloseCode, Closing
from gateway.subscriptions.origins import require_origin, require_page_of_gateway
from gateway.subscriptions.streams import Stopped, Streams, too_many
from gateway.telemetry.logs import REQUEST_ID
from gateway.telemetry.metrics import REQUESTS
from gateway.telemetry.redaction import random_id

log = structlog.get_logger(__name__)

#: The members of the payload of ``connection_init`` that stand for headers, in small letters.
_HEADERS = ("authorization", "x-purpose", "x-case-number")
#: Seconds for the answers that are on their way when the process stops.
_FINISHING = 5.0


class SocketEndpoint:
    """An ASGI endpoint for WebSockets. The application has its ``Streams`` as ``state.streams``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3)."""
        streams: Streams = scope["app"].state.streams
        await receive()  # websocket.connect
        try:
            require_origin(streams.service.resources.settings, scope)
        except GatewayError as error:
            await _refuse_handshake(error, send)
            return
        is_known = messages.SUBPROTOCOL in scope["subprotocols"]
        subprotocol = messages.SUBPROTOCOL if is_known else None
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        connection = _Connection(streams, scope, receive, send)
        with contextlib.suppress(OSError):  # ASGI 3: the client is gone
            if is_known:
                await connection.run()
            else:
                await connection.close(messages.BAD_SUBPROTOCOL)


async def _refuse_handshake(error: GatewayError, send: Send) -> None:
    content = orjson.dumps(refusal_body(error))
    start = {
        "type": "websocket.http.response.start",
        "status": error.status,
        "headers": [(b"content-type", b"application/json; charset=utf-8")],
    }
    await send(start)
    await send({"type": "websocket.http.response.body", "body": content})


class _Connection:
    """One WebSocket, from its acceptance on."""

    def __init__(self, streams: Streams, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams = streams
        self._scope = scope
        self._receive = receive
        self._send_event = send
        self._host = scope["client"][0] if scope.get("client") else None
        self._limits = streams.service.resources.settings.subscriptions
        self._caller: CallerHeaders | None = None
        self._is_initialising = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._ended: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._is_closed = False
        self._finishing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Take messages until either side closes the connection."""
        forget = self._streams.on_stop(self._start_finishing)
        if self._streams.is_stopping:
            self._start_finishing()
        try:
            async with asyncio.timeout(self._limits.init_timeout) as patience:
                while (event := await self._receive())["type"] == "websocket.receive":
                    await self._take(messages.parse_message(event.get("text")))
                    if self._caller is not None:
                        patience.reschedule(None)
        except TimeoutError:
            await self.close(messages.INIT_TIMEOUT)
        except Closing as closing:
            await self.close(closing.code)
        finally:
            forget()
            await self._end_operations()

    async def close(self, code: CloseCode) -> None:
        """Close the connection, once."""
        if not self._is_closed:
            self._is_closed = True
            event = {"type": "websocket.close", "code": code.code, "reason": code.reason}
            await self._send_event(event)

    # Messages of the client

    async def _take(self, message: messages.ClientMessage) -> None:
        match message:
            case messages.ConnectionInit(payload):
                await self._initialise(payload)
            case messages.Ping():
                await self._send(messages.PONG)
            case messages.Subscribe():
                await self._start(message)
            case messages.Complete(operation_id):
                task = self._operations.pop(operation_id, None)
                if task is not None:
                    task.cancel()
                    self._ended.add(task)
                    task.add_done_callback(self._ended.discard)
                self._note_idleness()

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        """Find out who the caller is; whoever shows a bad token is not connected."""
        if self._is_initialising:
            raise Closing(messages.TOO_MANY_INITS)
        self._is_initialising = True
        service, state = self._streams.service, RequestState(random_id(), self._host)
        caller = self._headers_of(payload)
        try:
            try:
                if not caller.authorization:
                    require_page_of_gateway(service.resources.settings, self._scope)
                headers = await authorize_stream(
                    service.sessions, self._scope["headers"], caller, is_use=True
                )
            except GatewayError as error:
                await refuse_request(service, state, error)
                raise
            (await authenticate_request(service, state, headers)).require_stated()
        except GatewayError as error:
            raise Closing(_close_code(error)) from None
        self._caller = caller
        await self._send(messages.ACK)
        self._note_idleness()

    def _headers_of(self, payload: Mapping[str, Any]) -> CallerHeaders:
        """Return the headers that the payload stands for, else those of the handshake.

        The names in the payload are those of the headers, in any case.
        """
        sent = CallerHeaders.read(self._scope["headers"])
        stated: dict[str, tuple[bytes, ...]] = {}
        for name, value in payload.items():
            if name.lower() in _HEADERS:
                if not isinstance(value, str):
                    raise Closing(messages.BAD_MESSAGE)
                encoded = value.encode("utf-8", "surrogatepass")
                stated[name.lower()] = (*stated.get(name.lower(), ()), encoded)
        values = (stated.get(name, sent[place]) for place, name in enumerate(_HEADERS))
        return CallerHeaders(*values)

    async def _start(self, message: messages.Subscribe) -> None:
        if self._caller is None:
            raise Closing(messages.UNAUTHORIZED)
        if message.id in self._operations:
            raise Closing(messages.DUPLICATE_ID)
        if len(self._operations) >= self._limits.per_connection:
            refusal = refusal_of(self._streams, too_many("connection", self._limits.per_connection))
            await self._send(messages.encode_error(message.id, refusal))
            return
        task = asyncio.create_task(self._answer(message))
        self._operations[message.id] = task
        self._note_idleness()

    # Operations

    async def _answer(self, message: messages.Subscribe) -> None:
        """Send the answers of an operation, and how it ended."""
        request_id = random_id()
        REQUEST_ID.set(request_id)
        code, began = None, self._streams.service.resources.clock.monotonic()
        try:
            try:
                await self._send_answers(message, request_id)
                last = messages.encode_complete(message.id)
            except (GatewayError, InvalidDocument) as error:
                code = error.code if isinstance(error, InvalidDocument) else error.code.name
                last = messages.encode_error(message.id, refusal_of(self._streams, error))
            except Stopped:
                return
            except (OSError, Closing):
                raise
            except Exception:
                log.exception("operation failed", door="websocket")
                code = "INTERNAL"
                defect = GatewayError(code, details={"errorId": request_id})
                last = messages.encode_error(message.id, refusal_of(self._streams, defect))
            self._forget(message.id)
            await self._send(last)
            if code in OF_CALLER:
                await self.close(_close_code(GatewayError(code)))
        except Closing as closing:
            await self.close(closing.code)
        except OSError:
            pass  # the client is gone: the connection learns it too
        finally:
            self._forget(message.id)
            self._note_end(code, began, request_id)

    def _note_end(self, code: str | None, began: float, request_id: str) -> None:
        """Count an operation, and write its line where ``request_log`` says so."""
        resources = self._streams.service.resources
        status = 200 if code is None else CODES[code].status
        REQUESTS.labels("websocket", str(status)).inc()
        if resources.settings.request_log:
            milliseconds = round((resources.clock.monotonic() - began) * 1_000, 1)
            log.info(
                "request",
                route="websocket",
                status=status,
                codes=[] if code is None else [code],
                ms=milliseconds,
                request_id=request_id,
            )

    async def _send_answers(self, message: messages.Subscribe, request_id: str) -> None:
        operation = StreamedOperation(_read(message), self._current_caller, request_id, self._host)
        async with contextlib.aclosing(stream_answers(self._streams, operation)) as answers:
            async for answer in answers:
                await self._send(messages.encode_next(message.id, answer.body))

    async def _current_caller(self) -> CallerHeaders:
        """Return the headers of the caller as of now: a session has new tokens, or has ended."""
        assert self._caller is not None
        sessions = self._streams.service.sessions
        return await authorize_stream(sessions, self._scope["headers"], self._caller)

    def _forget(self, operation_id: str) -> None:
        """Let another operation have this id, unless one has it already."""
        if self._operations.get(operation_id) is asyncio.current_task():
            del self._operations[operation_id]
            self._note_idleness()

    # The transport

    async def _send(self, text: str) -> None:
        """Send a message once the client has read what was sent before; raises Closing 4008."""
        try:
            async with asyncio.timeout(self._limits.slow_timeout), self._sending:
                if not self._is_closed:
                    await self._send_event({"type": "websocket.send", "text": text})
        except TimeoutError:
            raise Closing(messages.TOO_SLOW) from None

    def _note_idleness(self) -> None:
        """Tell the server whether the connection serves nothing: it may make room for others."""
        note = self._scope.get("extensions", {}).get("gateway.idle")
        if note is not None:
            note(not self._operations)

    def _start_finishing(self) -> None:
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish())

    async def _finish(self) -> None:
        """Close the connection after the answers that are on their way, since the process stops."""
        if self._operations:
            await asyncio.wait(self._operations.values(), timeout=_FINISHING)
        with contextlib.suppress(OSError):
            await self.close(messages.GOING_AWAY)

    async def _end_operations(self) -> None:
        self._is_closed = True
        tasks = [*self._operations.values(), *self._ended]
        if self._finishing is not None:
            tasks.append(self._finishing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _read(message: messages.Subscribe) -> Read:
    """Return what receives the request in a message, within a number of bytes."""

    async def read(body_bytes: int) -> ReceivedRequest:
        if message.size > body_bytes:
            raise GatewayError("BODY_TOO_LARGE", details={"limit": body_bytes})
        return ReceivedRequest(parse, None)

    def parse(*_: object) -> Parameters:
        if message.refusal is not None:
            raise message.refusal
        assert message.parameters is not None
        return message.parameters

    return read


def _close_code(error: GatewayError) -> CloseCode:
    """Return the close code for a caller who is refused; its reason is the code of the error.

    4401 for a token that no other will replace (revoked, or never valid): clients give up. 4403 for
    all else that a new token, or another purpose, can mend: clients come back. 1013 where it is the
    gateway that cannot tell.
    """
    name = error.code.name
    if name in {"TOKEN_INVALID", "UNAUTHENTICATED"}:
        return CloseCode(messages.UNAUTHORIZED.code, name)
    if error.status in {429, 503}:
        return CloseCode(messages.TRY_AGAIN_LATER.code, name)
    return CloseCode(messages.FORBIDDEN.code, name)
