"""Operations over server-sent events: ``text/event-stream`` on ``/graphql``.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, "Distinct connections mode". The
id of an event is the cursor of its answer, so a client that comes back with ``Last-Event-ID``
misses nothing (HTML, "Server-sent events"). What is refused before the first answer is refused with
a status, as over plain HTTP: a browser does not try that again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.authenticate import CallerHeaders
from gateway.errors import CODES, GatewayError
from gateway.execution.parameters import ReceivedRequest
from gateway.plan.document import InvalidDocument
from gateway.request import RequestState, refuse_request, state_of
from gateway.sessions.session_headers import authorize_by_cookie, authorize_stream
from gateway.subscriptions.answers import (
    StreamedAnswer,
    StreamedOperation,
    refusal_of,
    stream_answers,
)
from gateway.subscriptions.streams import Stopped, Streams

log = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
#: Characters of a ``Last-Event-ID``; cursors are shorter.
_LAST_EVENT_ID = 1_024
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),  # a proxy that waits for more would hold answers back
)
#: A line that clients ignore; proxies see that the connection is in use.
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata: \n\n"

#: Under this name log and metrics have streams.
_ROUTE = SimpleNamespace(name="events")

#: Receives the parameters of a request, within a number of bytes.
ReadRequest = Callable[[Request, int], Awaitable[ReceivedRequest]]


class EventStreamEndpoint:
    """An ASGI endpoint for requests that want an event stream; ``otherwise`` answers all others.

    ``read``: reads what is requested, as over plain HTTP.
    """

    def __init__(self, otherwise: ASGIApp, read: ReadRequest) -> None:
        self._otherwise = otherwise
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request (ASGI 3)."""
        request = Request(scope, receive)
        accept = ", ".join(request.headers.getlist("accept"))
        if request.method not in {"GET", "POST"} or not wants_events(accept):
            await self._otherwise(scope, receive, send)
            return
        scope["route"] = _ROUTE  # a stream lasts for hours, which no other request does
        streams: Streams = scope["app"].state.streams
        try:
            operation = await self._operation(streams, request)
            async with contextlib.aclosing(stream_answers(streams, operation)) as answers:
                first = await anext(answers)
                await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
                await _send_events(streams, first, answers, receive, send)
        except (GatewayError, InvalidDocument) as error:
            await _refuse(streams, request, error, send)
        except Stopped:
            await _refuse(streams, request, GatewayError("GATEWAY_BUSY"), send)

    async def _operation(self, streams: Streams, request: Request) -> StreamedOperation:
        """Return the operation that is requested; raises GatewayError."""
        service, state = streams.service, state_of(request.scope)
        headers = CallerHeaders.read(request.scope["headers"])
        try:
            after = _last_event_id(request)
            headers = _with_purpose(request, headers)
            if not _is_of_own_page(request):
                await authorize_by_cookie(service.sessions, request, headers)
        except GatewayError as error:
            await refuse_request(service, state, error)
            raise
        received: ReceivedRequest | None = None
        is_use = True

        async def read_once(body_bytes: int) -> ReceivedRequest:
            nonlocal received
            received = received or await self._read(request, body_bytes)
            return received

        async def current_headers() -> CallerHeaders:
            nonlocal is_use
            is_first, is_use = is_use, False
            sessions = streams.service.sessions
            return await authorize_stream(sessions, request.scope["headers"], headers, is_first)

        return StreamedOperation(read_once, current_headers, state.request_id, state.host, after)


def wants_events(accept: str) -> bool:
    """Return whether a client wants an event stream: it names that first, or nothing else.

    Clients that can read both name them in the order of their preference; a weight is not read.
    """
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return kinds[0] == MEDIA_TYPE


def _is_of_own_page(request: Request) -> bool:
    """Return whether a page of this gateway asks by GET, which changes nothing.

    ``EventSource`` cannot send the token of its page; ``Sec-Fetch-Site`` no page can forge (W3C,
    Fetch Metadata Request Headers).
    """
    site = request.headers.getlist("sec-fetch-site")
    return request.method == "GET" and site == ["same-origin"]


def _with_purpose(request: Request, headers: CallerHeaders) -> CallerHeaders:
    """Return ``headers`` with the purpose that the URL states: ``EventSource`` sends no headers.

    It is a procedure code, the same for all people. Raises GatewayError BAD_REQUEST.
    """
    values = request.query_params.getlist("purpose")
    if not values or headers.purpose:
        return headers
    return headers._replace(purpose=tuple(value.encode("utf-8", "replace") for value in values))


def _last_event_id(request: Request) -> str | None:
    """Return the cursor of the last answer that a client had; raises GatewayError BAD_REQUEST."""
    values = [value for value in request.headers.getlist("last-event-id") if value]
    if len(values) > 1 or len("".join(values)) > _LAST_EVENT_ID:
        raise GatewayError("BAD_REQUEST", "Last-Event-ID must be the id of one event")
    return values[0] if values else None


async def _send_events(
    streams: Streams,
    first: StreamedAnswer,
    answers: AsyncIterator[StreamedAnswer],
    receive: Receive,
    send: Send,
) -> None:
    """Send answers until the operation, the client or the process ends.

    A stream that the process ends has no ``complete``: there is more to come, elsewhere.
    """
    gone = asyncio.create_task(_wait_until_gone(receive))
    try:
        end = _COMPLETE
        await send(_chunk(_encode_answer(first)))
        try:
            async for content in _events(streams, answers, gone):
                await send(_chunk(content))
        except (GatewayError, InvalidDocument) as error:
            body = refusal_of(streams, error)
            end = _encode_answer(StreamedAnswer(body, None)) + _COMPLETE
        except Stopped:
            end = b""
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("operation failed", door="events")
            body = refusal_of(streams, GatewayError("INTERNAL"))
            end = _encode_answer(StreamedAnswer(body, None)) + _COMPLETE
        await send({"type": "http.response.body", "body": end})
    finally:
        gone.cancel()


async def _events(
    streams: Streams, answers: AsyncIterator[StreamedAnswer], gone: asyncio.Task[None]
) -> AsyncIterator[bytes]:
    """Yield events as they come, and comments between them; raises ClientDisconnect."""
    keep_alive = streams.service.resources.settings.subscriptions.keep_alive
    following: asyncio.Task[StreamedAnswer | None] = asyncio.create_task(_next(answers))
    try:
        while True:
            await asyncio.wait(
                (following, gone), timeout=keep_alive, return_when=asyncio.FIRST_COMPLETED
            )
            if gone.done():
                raise ClientDisconnect
            if not following.done():
                yield _COMMENT
                continue
            answer = following.result()
            if answer is None:
                return
            yield _encode_answer(answer)
            following = asyncio.create_task(_next(answers))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _next(answers: AsyncIterator[StreamedAnswer]) -> StreamedAnswer | None:
    return await anext(answers, None)


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _chunk(content: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": content, "more_body": True}


def _encode_answer(answer: StreamedAnswer) -> bytes:
    """Return the event of an answer: its JSON has no line breaks."""
    place = b"" if answer.cursor is None else b"id: %b\n" % answer.cursor.encode()
    return b"event: next\n%bdata: %b\n\n" % (place, orjson.dumps(answer.body))


async def _refuse(
    streams: Streams, request: Request, error: GatewayError | InvalidDocument, send: Send
) -> None:
    """Refuse before the first answer, with a status."""
    state: RequestState = state_of(request.scope)
    if isinstance(error, InvalidDocument):
        state.codes, status, headers = [error.code], CODES[error.code].status, {}
    else:
        state.codes, status, headers = [error.code.name], error.status, error.headers
    content = orjson.dumps(refusal_of(streams, error))
    fields = [
        (b"content-type", b"application/graphql-response+json; charset=utf-8"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
        *((name.lower().encode(), value.encode()) for name, value in headers.items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": content})
