"""A line in the log and a count in the metrics for each request: its outcome, not what it asks.

Whatever a client writes is left out: its path, query, headers and operation names may hold numbers
of people. Names are those of routes and published operations, so metrics have a bounded number of
series.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.request import RequestState
from gateway.service import Service
from gateway.telemetry.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger(__name__)

#: The methods that are written by name (RFC 9110 section 9, RFC 5789).
_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
#: The name of what has no route.
UNKNOWN = "unknown"
#: The status of a request whose client closed the connection before an answer began.
CLOSED = "closed"


class Telemetry:
    """Writes a line for each request, where ``request_log`` says so, and counts it.

    It stands around ``Envelope``, which gives the request its id and its ``RequestState``, where
    the endpoints leave what the line says. Without the log it costs 3 us a request, with it 12
    (``python -m bench.telemetry``).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        began = service.resources.clock.monotonic()
        status: int | None = None
        sent = 0

        async def send_counted(message: Message) -> None:
            nonlocal status, sent
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                sent += len(message.get("body", b""))

        try:
            await self._app(scope, receive, send_counted)
        finally:
            seconds = service.resources.clock.monotonic() - began
            summary = ResponseSummary(status, sent, seconds)
            state = scope.get("state", {}).get("request") or RequestState("")
            record_response(service, state, scope["method"], route_name(scope), summary)


class ResponseSummary(NamedTuple):
    """What was sent. ``status``: None where no answer began; ``sent``: bytes of the body."""

    status: int | None
    sent: int
    seconds: float


#: The counters of responses by name and status, and the histograms of seconds by name.
_responses: dict[tuple[str, int | None], Counter] = {}
_seconds: dict[str, Histogram] = {}


def record_response(
    service: Service, state: RequestState, method: str, route: str, summary: ResponseSummary
) -> None:
    """Count a response, and write its line where ``request_log`` says so.

    ``route``: the name of the route, never the path.
    """
    operation = None if state.published is None else state.published.header.id
    name = operation or route
    responses = _responses.get((name, summary.status))
    if responses is None:
        status = CLOSED if summary.status is None else str(summary.status)
        responses = _responses[name, summary.status] = REQUESTS.labels(name, status)
        _seconds[name] = REQUEST_SECONDS.labels(name)
    responses.inc()
    _seconds[name].observe(summary.seconds)
    if not service.resources.settings.request_log:
        return
    log.info(
        "request",
        method=method if method in _METHODS else "OTHER",
        route=route,
        operation=operation,
        status=summary.status,
        codes=state.codes,
        ms=round(summary.seconds * 1_000, 1),
        client=state.caller.client,
        agency=state.caller.agency,
        request_id=state.request_id or None,
        bytes=summary.sent,
    )


def route_name(scope: Scope) -> str:
    """Return the name of the route, never the path: a client wrote that."""
    route = scope.get("route")
    return UNKNOWN if route is None else str(route.name)
