"""The GraphQL endpoint: the way of a request, top to bottom."""

from __future__ import annotations

from inspect import isawaitable

import orjson
from graphql import ExecutionResult, execute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.access.caller import Caller
from gateway.access.permission import permit
from gateway.audit.entry import entry
from gateway.errors import CODES, GatewayError
from gateway.fetch.loaders import Loaders
from gateway.http.caller import identify
from gateway.http.graphiql import page, wants_page
from gateway.http.request import GRAPHQL_JSON, JSON, Call, read_call, response_type
from gateway.plan.document import Document, InvalidDocument, Operation
from gateway.reading import Reader
from gateway.schema.context import Context
from gateway.service import Service
from gateway.shape.response import body, codes, invalid, refused

#: Errors in the document or its variables: application/json answers them with 200, as the
#: specification has it for clients that cannot tell a GraphQL answer from an intermediary's.
_OF_THE_DOCUMENT = frozenset(
    {
        "SYNTAX_ERROR",
        "VALIDATION_FAILED",
        "OPERATION_NOT_FOUND",
        "UNSUPPORTED_OPERATION",
        "TOO_MANY_TOKENS",
        "TOO_DEEP",
        "TOO_MANY_ALIASES",
        "TOO_MANY_DIRECTIVES",
        "TOO_MANY_FIELDS",
        "INVALID_VARIABLES",
        "INVALID_PERSON_NUMBER",
        "INVALID_VALUE",
    }
)


class Graphql:
    """The ASGI endpoint. It takes every method itself, so that refusals carry a code."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request (ASGI 3)."""
        response = await _respond(Request(scope, receive))
        await response(scope, receive, send)


async def _respond(request: Request) -> Response:
    """Answer one GraphQL request; every refusal has a code and a status."""
    if wants_page(request):
        return page(request)
    service: Service = request.app.state.service
    media_type = JSON
    try:
        media_type = response_type(", ".join(request.headers.getlist("accept")))
        call = await read_call(request, service.settings.limits.body_bytes)
        answer = await _answer(service, request, call)
        return _response(answer, 200, media_type)
    except InvalidDocument as error:
        return _response(
            invalid(error.code, error.errors), _status(error.code, media_type), media_type
        )
    except GatewayError as error:
        status = _status(error.code.name, media_type)
        return _response(refused(error), status, media_type, error.headers)


async def _answer(service: Service, request: Request, call: Call) -> dict[str, object]:
    """HTTP -> caller -> limits, plan -> permission -> fetch, protection -> shape -> audit."""
    caller = identify(request.headers, service.tokens)
    document = service.documents.get(call.query)
    operation = document.operation(call.operation_name)
    permit(caller, document, operation, call.in_url)
    context = _context(service, caller)
    result = await _execute(service, document, operation, call, context)
    answer = body(result, context.problems, context.mirrored)
    if operation.reads_persons:
        await _audit(service, request, caller, document, context, answer)
    return answer


def _context(service: Service, caller: Caller) -> Context:
    limits = service.settings.limits
    deadline = service.clock.monotonic() + limits.deadline
    loaders = Loaders(service.sources, service.clock, deadline)
    return Context(Reader(caller, service.sources, loaders), service.sources, limits)


async def _execute(
    service: Service, document: Document, operation: Operation, call: Call, context: Context
) -> ExecutionResult:
    """Run the operation with the reference executor.

    Raises InvalidDocument when the variables do not fit: nothing has run then.
    """
    outcome = execute(
        service.schema,
        document.ast,
        context_value=context,
        variable_values=dict(call.variables or {}),
        operation_name=operation.name,
    )
    result = await outcome if isawaitable(outcome) else outcome
    assert isinstance(result, ExecutionResult)
    if result.data is None and result.errors and all(one.path is None for one in result.errors):
        raise InvalidDocument("INVALID_VARIABLES", tuple(result.errors))
    return result


async def _audit(
    service: Service,
    request: Request,
    caller: Caller,
    document: Document,
    context: Context,
    answer: dict[str, object],
) -> None:
    """Have the answer's trace on disk before the answer leaves; raises AUDIT_UNAVAILABLE."""
    await service.journal.append(
        entry(
            service.audit_secret,
            service.clock.now(),
            request.state.request_id,
            caller,
            document.digest,
            context.persons,
            {name: state.name for name, state in context.states.items()},
            codes(answer),
        )
    )


def _status(code: str, media_type: str) -> int:
    if media_type == JSON and code in _OF_THE_DOCUMENT:
        return 200
    return CODES[code].status


def _response(
    answer: dict[str, object],
    status: int,
    media_type: str,
    headers: dict[str, str] | None = None,
) -> Response:
    assert media_type in {JSON, GRAPHQL_JSON}
    content = orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS)
    return Response(
        content,
        status,
        {**(headers or {}), "cache-control": "no-store", "vary": "Accept"},
        f"{media_type}; charset=utf-8",
    )
