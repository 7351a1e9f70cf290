"""What a page shows of an answer or of a refusal: body, status, and the codes for the log.

A refusal has its status on a page too; an answer with errors beside its data is 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request

from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.errors import BESIDE_DATA, CODES, GatewayError
from gateway.pages.check_view import ProblemView, view_refusals
from gateway.pages.languages import language_of
from gateway.pages.page_caller import PageCaller
from gateway.plan.document import InvalidDocument
from gateway.request import Read, authenticate_request, handle, state_of
from gateway.service import Service
from gateway.shape.response import error_codes, invalid_document_body, refusal_body


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """The body of an answer or refusal, as clients of GraphQL see it. ``headers``: of a refusal."""

    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> frozenset[str]:
        """The codes of its errors."""
        return frozenset(error_codes(dict(self.body)))

    @property
    def data(self) -> Mapping[str, Any]:
        """Its data, empty where there are none."""
        return self.body.get("data") or {}

    def refused(self) -> PageAnswer:
        """Return it as a refusal: the page shows none of the data, and has the errors' status."""
        statuses = {CODES[code].status for code in self.codes}
        status = max(statuses - {BESIDE_DATA}, default=422)
        return PageAnswer(self.body, self.status if self.status != 200 else status, self.headers)

    def problems(self, request: Request) -> tuple[ProblemView, ...]:
        """Return its errors in words."""
        return view_refusals(self.body.get("errors", ()), language_of(request))


async def answer_on_page(request: Request, headers: CallerHeaders, read: Read) -> PageAnswer:
    """Send a request the way of every request (``gateway.request.handle``); never raises."""
    service: Service = request.app.state.service
    state = state_of(request.scope)
    try:
        answer = await handle(service, state, headers, read)
        shown = PageAnswer(orjson.loads(orjson.dumps(answer)))
    except GatewayError as error:
        return refuse_on_page(request, error)
    except InvalidDocument as error:
        body = invalid_document_body(error.code, error.errors)
        shown = PageAnswer(orjson.loads(orjson.dumps(body)), CODES[error.code].status)
    state.codes = sorted(shown.codes)
    return shown


def refuse_on_page(request: Request, error: GatewayError) -> PageAnswer:
    """Return a refusal, with its code in the log."""
    state_of(request.scope).codes = [error.code.name]
    status = 422 if error.status == BESIDE_DATA else error.status
    return PageAnswer(orjson.loads(orjson.dumps(refusal_body(error))), status, error.headers)


async def authenticate_on_page(request: Request, acting: PageCaller) -> Caller:
    """Return the caller, counted towards their rate; raises GatewayError."""
    service: Service = request.app.state.service
    headers = CallerHeaders(acting.authorization)
    return (await authenticate_request(service, state_of(request.scope), headers)).caller
