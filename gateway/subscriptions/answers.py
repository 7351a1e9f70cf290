"""The answers of an operation, whatever the transport: one of a query, many of a subscription.

Each answer is one pass through ``gateway.request.handle``, with the rights that the caller has at
that moment, and its entry in the journal before it leaves. Nothing is kept between two answers but
the cursor: events that a subscriber has not read yet wait in the event log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from gateway.access.authenticate import CallerHeaders
from gateway.errors import GatewayError
from gateway.execution.delivery import Delivery
from gateway.plan.document import InvalidDocument
from gateway.request import Read, RequestState, handle, refuse_request
from gateway.shape.response import (
    add_documentation_links,
    error_codes,
    invalid_document_body,
    refusal_body,
)
from gateway.subscriptions.streams import ANSWERS, Stopped, StreamPlace, Streams

#: Refusals that pass: a subscription waits for as long as they say.
_PASSING = frozenset({"RATE_LIMITED", "GATEWAY_BUSY"})
#: Errors in place of events that pass: the next heartbeat tries again.
_PASSING_BESIDE_DATA = frozenset({"EVENTS_UNAVAILABLE"})
#: Refusals of who asks: what they say holds for every operation of the connection.
OF_CALLER = frozenset({"TOKEN_EXPIRED", "TOKEN_INVALID", "SESSION_EXPIRED", "UNAUTHENTICATED"})


@dataclass(frozen=True, slots=True)
class StreamedOperation:
    """An operation over a transport that can send several answers.

    ``read``: receives the request, each time the same. ``headers``: returns those of the caller as
    of now; raises GatewayError. ``after``: the cursor of the last answer that the client had before
    its connection broke; None: as the operation says.
    """

    read: Read
    headers: Callable[[], Awaitable[CallerHeaders]]
    request_id: str
    host: str | None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An answer. ``cursor``: where the next one begins, None but for a subscription."""

    body: dict[str, object]
    cursor: str | None


async def stream_answers(
    streams: Streams, operation: StreamedOperation
) -> AsyncGenerator[StreamedAnswer, None]:
    """Yield the answers of an operation as they come; close the iterator to end it.

    A subscription is answered at once, when there are events for it, and after each heartbeat.
    Raises what ``handle`` raises, of a subscription in the midst of it too, and Stopped.
    """
    place, reason = StreamPlace(streams), "left"
    try:
        delivery = Delivery(operation.after, place.take)
        since = streams.pages
        body = await _answer(streams, operation, 0, delivery)
        if delivery.is_subscription:
            place.listen(delivery.listens_to, since)
        yield StreamedAnswer(body, delivery.cursor)
        number = 0
        while delivery.is_subscription and _goes_on(delivery, body):
            ANSWERS.inc()
            number += 1
            delivery, body = await _next_answer(streams, operation, number, place, delivery)
            yield StreamedAnswer(body, delivery.cursor)
    except GatewayError as error:
        reason = error.code.name
        raise
    except InvalidDocument as error:
        reason = error.code
        raise
    except Stopped:
        reason = "stopped"
        raise
    finally:
        place.give_back(reason)


async def _next_answer(
    streams: Streams,
    operation: StreamedOperation,
    number: int,
    place: StreamPlace,
    former: Delivery,
) -> tuple[Delivery, dict[str, object]]:
    """Return the next answer that is of use to the subscriber: with events, or a heartbeat."""
    loop = asyncio.get_running_loop()
    heartbeat = streams.service.resources.settings.subscriptions.heartbeat
    due = loop.time() + heartbeat
    while True:
        if not former.has_more:
            await place.wait(max(0.0, due - loop.time()))
        place.woken.clear()
        since = streams.pages
        delivery = Delivery(former.cursor or former.after, place.take)
        try:
            async with streams.answering:
                body = await _answer(streams, operation, number, delivery)
        except GatewayError as error:
            await _wait_for_room(place, error, heartbeat)
            continue
        if delivery.cursor is not None:
            place.listen(delivery.listens_to, since)
        if delivery.events or "errors" in body or loop.time() >= due:
            return delivery, body
        former = delivery


def _goes_on(delivery: Delivery, body: dict[str, object]) -> bool:
    """Return whether there can be another answer: a cursor that is of no use stays so."""
    return delivery.cursor is not None or set(error_codes(body)) <= _PASSING_BESIDE_DATA


async def _wait_for_room(place: StreamPlace, error: GatewayError, longest: float) -> None:
    """Wait as long as a refusal says, if it passes soon; raises it otherwise, and Stopped."""
    seconds = float(error.headers.get("Retry-After", "inf"))
    if error.code.name not in _PASSING or seconds > longest:
        raise error
    place.woken.clear()
    await place.wait(seconds)
    place.woken.set()  # what woke the subscription before has still to be answered


async def _answer(
    streams: Streams, operation: StreamedOperation, number: int, delivery: Delivery
) -> dict[str, object]:
    service = streams.service
    request_id = f"{operation.request_id}/{number}" if number else operation.request_id
    state = RequestState(request_id, operation.host, delivery=delivery)

    try:
        headers = await operation.headers()
    except GatewayError as error:
        await refuse_request(service, state, error)
        raise
    answer = await handle(service, state, headers, operation.read)
    if "errors" in answer:
        add_documentation_links(answer, service.resources.settings.documentation)
    return answer


def refusal_of(streams: Streams, error: GatewayError | InvalidDocument) -> dict[str, object]:
    """Return the body that says why an operation is refused, or ends."""
    if isinstance(error, InvalidDocument):
        body = invalid_document_body(error.code, error.errors)
    else:
        body = refusal_body(error)
    return add_documentation_links(body, streams.service.resources.settings.documentation)
