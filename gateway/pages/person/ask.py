"""Sends the documents about a person, each the way of every request, and joins their answers.

The first is sent alone: if it is refused, the page is. If a later document is refused, or not
answered, its parts are not known, and say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.errors import GatewayError
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.pages.person.documents import PersonDocument
from gateway.plan.document import InvalidDocument
from gateway.request import RequestState, handle
from gateway.service import Service
from gateway.shape.response import error_codes, invalid_document_body, refusal_body

#: An object of an answer.
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JoinedAnswer:
    """What all documents together answered.

    ``person``: the fields of Person. ``errors``: beside the data, with paths below the person.
    ``lost``: the error of each part whose document was refused, by the part's place.
    """

    person: Mapping[str, Any]
    errors: tuple[_Json, ...]
    lost: Mapping[tuple[str, ...], _Json]


class PersonRefused(Exception):
    """The first document was not answered. ``body``: of the response; ``headers``: of it."""

    def __init__(self, body: dict[str, object], headers: Mapping[str, str]) -> None:
        self.body = body
        self.headers = dict(headers)
        super().__init__("refused")


async def ask_person(
    service: Service,
    state: RequestState,
    headers: CallerHeaders,
    documents: Sequence[PersonDocument],
    require: Callable[[Caller], None],
) -> JoinedAnswer:
    """Return what ``documents`` answer. ``require``: refuses a form that is somebody else's.

    Raises PersonRefused. Costs as many requests as there are documents.
    """
    first, *further = documents

    async def send(document: PersonDocument) -> tuple[dict[str, Any], Mapping[str, str]]:
        part_state = state if document is first else replace(state, codes=())
        return await _send(service, part_state, headers, document, require)

    body, response_headers = await send(first)
    person = _person(body)
    if person is None:
        raise PersonRefused(body, response_headers)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(send(document)) for document in further]
    errors = list(_errors(body))
    lost: dict[tuple[str, ...], _Json] = {}
    joined: dict[str, Any] = dict(person)
    codes = set(error_codes(body))
    for document, task in zip(further, tasks, strict=True):
        body = task.result()[0]
        codes |= {*error_codes(body)}
        part = _person(body)
        if part is None:
            problem = body["errors"][0]
            lost |= dict.fromkeys(document.places, problem)
            continue
        errors += _errors(body)
        for name, value in part.items():
            before = joined.get(name)
            is_section = isinstance(before, dict) and isinstance(value, dict)
            joined[name] = {**before, **value} if is_section else value  # type: ignore[dict-item]
    state.codes = sorted(codes)
    return JoinedAnswer(joined, tuple(errors), lost)


async def _send(
    service: Service,
    state: RequestState,
    headers: CallerHeaders,
    document: PersonDocument,
    require: Callable[[Caller], None],
) -> tuple[dict[str, Any], Mapping[str, str]]:
    async def read(_body_bytes: int) -> ReceivedRequest:
        require(state.caller)
        sent = {"query": document.query, "variables": document.variables}
        return ReceivedRequest(_parse, orjson.dumps(sent))

    try:
        answer = await handle(service, state, headers, read)
    except GatewayError as error:
        return refusal_body(error), error.headers
    except InvalidDocument as error:
        return invalid_document_body(error.code, error.errors), {}
    body: dict[str, Any] = orjson.loads(orjson.dumps(answer))
    return body, {}


def _parse(body: bytes, _operation: str | None) -> Parameters:
    sent = orjson.loads(body)
    return Parameters(sent["query"], None, sent["variables"], in_url=False)


def _person(body: _Json) -> dict[str, Any] | None:
    """Return the person of an answer; None: it was refused, or shows nobody."""
    data = body.get("data") or {}
    person: dict[str, Any] | None = next(iter(data.values()), None)
    return person


def _errors(body: _Json) -> list[_Json]:
    """Return the errors with their paths below the person."""
    return [
        {**error, "path": list(error.get("path") or ())[1:]} for error in body.get("errors", ())
    ]
