"""Deliver an answer in several payloads: each is recorded, and then sent.

The entry of a payload is on disk before the payload leaves, and names whom and what it shows. What
has not left when the client goes away, or the journal cannot be written, has no entry and is
never sent. Decision 87.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Protocol, TypeVar

import structlog
from starlette.requests import ClientDisconnect

from gateway.errors import GatewayError
from gateway.execution.operation import Increments, Result
from gateway.shape.response import refusal_body
from gateway.telemetry.redaction import random_id

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
#: Writes the entry of a payload with this result: takes the body of an answer for its errors.
Record = Callable[[Result, dict[str, object]], Awaitable[None]]


class Payloads(Protocol):
    """Takes the payloads of an answer, but for the last."""

    async def send(self, payload: dict[str, object]) -> None:
        """Send a payload that others follow; raises ClientDisconnect if the client is gone."""

    async def wait(self, arrival: Awaitable[_T]) -> _T:
        """Wait for ``arrival`` and return it; raises ClientDisconnect once the client is gone."""


async def deliver(
    increments: Increments,
    payloads: Payloads,
    record: Record,
    result: Result,
    answer: dict[str, object],
    release: Callable[[], None],
) -> dict[str, object]:
    """Send the first payload and those after it; return the last one, recorded.

    ``result``, ``answer``: of the first payload. ``release``: gives back the request's place; it is
    called where a payload waits for its client, and nothing is left to be fetched. Raises
    GatewayError AUDIT_UNAVAILABLE before anything is sent. What fails after that is an error of the
    fragments that are still to come.
    """
    with closing(increments):
        await record(result, answer)
        payload = {**answer, "pending": increments.announce(), "hasNext": True}
        while payload["hasNext"]:
            with increments.when_executed(release):
                await payloads.send(payload)
            payload = await _next_payload(increments, payloads, record)
        return payload


async def _next_payload(
    increments: Increments, payloads: Payloads, record: Record
) -> dict[str, object]:
    """Return the next payload, whose entry is on disk; the last one where that fails."""
    try:
        increment = await payloads.wait(increments.next())
        await record(increment.result, {"errors": increment.result.errors})
    except ClientDisconnect:
        raise
    except GatewayError as error:
        refusal = error
    except Exception:
        error_id = random_id()
        log.exception("a deferred fragment failed", error_id=error_id)
        refusal = GatewayError("INTERNAL", details={"errorId": error_id})
    else:
        return increment.payload
    errors = refusal_body(refusal)["errors"]
    assert isinstance(errors, list)
    return increments.fail(errors[0])
