"""``/operations`` and ``/operations/{name}/try``: published operations, and a form to try each.

The form is sent by POST, so that nobody's number stands in an address, and the call goes the way of
``POST /operations/{name}`` with the caller's rights (decision 76).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from connectors.description import Text
from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.errors import GatewayError, unauthenticated
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.operations.openapi import fill_example, needs_case_number, read_personas
from gateway.operations.operation import PublishedOperation
from gateway.pages.ended_session import return_form
from gateway.pages.form import CASE_NUMBER, TOKEN, ShownField, field_values, read_form, show_fields
from gateway.pages.form_tokens import FormTokens
from gateway.pages.operation_form import (
    VARIABLES,
    example_fields,
    variable_faults,
    variable_fields,
)
from gateway.pages.page_answer import (
    PageAnswer,
    answer_on_page,
    authenticate_on_page,
)
from gateway.pages.page_caller import PageCaller, find_page_caller, form_binding
from gateway.pages.phrases.frame import FRAME
from gateway.pages.phrases.operations import OPERATIONS
from gateway.pages.refusal import show_refusal
from gateway.pages.rendering import render
from gateway.procedures.procedure import national
from gateway.procedures.registry import procedure_of
from gateway.request import state_of
from gateway.service import Service

#: The field of the form that states the purpose.
PURPOSE = "purpose"


async def show_operations(request: Request) -> Response:
    """Answer with the operations that the caller may call; with all, where the list is public."""
    service = _service(request)
    published = _newest_first(service)
    acting = await find_page_caller(request, _offer(published))
    try:
        caller = await authenticate_on_page(request, acting)
    except GatewayError as error:
        return show_refusal(request, error, "/operations")
    callers_operations = [
        operation for operation in published if caller.client in operation.header.clients
    ]
    is_public = service.resources.settings.operations.public_catalogue
    other_operations = (
        [operation for operation in published if operation not in callers_operations]
        if is_public
        else []
    )
    return render(
        request,
        "operations.html",
        OPERATIONS,
        caller=caller,
        acting=acting,
        mine=callers_operations,
        others=other_operations,
        purpose_title=_purpose_title,
    )


class OperationPage:
    """The page of a published operation. ``tokens``: of its form."""

    def __init__(self, tokens: FormTokens) -> None:
        self._tokens = tokens

    async def show(self, request: Request) -> Response:
        """Answer with what the operation is, and with its form."""
        acting, published = await _find(request)
        try:
            caller = await authenticate_on_page(request, acting)
            shown = _require_visible(request, published, caller)
        except GatewayError as error:
            return show_refusal(request, error, "/operations")
        call = _Call(request, acting, shown)
        return self._page(call, call.example())

    async def call(self, request: Request) -> Response:
        """Call the operation, and answer with its result; with the form as it was if refused."""
        acting, published = await _find(request)
        try:
            sent = await read_form(request)
            if not acting.authorization:
                return await self._keep_form(request, acting, sent)
        except GatewayError as error:
            return show_refusal(request, error, "/operations")
        returned = None if acting.authorization else return_form(request, self._tokens, sent)
        if returned is not None:
            return returned
        answer = await answer_on_page(
            request, _caller_headers(acting, sent), self._read(request, sent)
        )
        caller = state_of(request.scope).caller
        try:
            shown = _require_visible(request, published, caller)
        except GatewayError as error:
            return show_refusal(request, error, "/operations")
        call = _Call(request, acting, shown)
        if "data" in answer.body:
            body = orjson.dumps(answer.body, option=orjson.OPT_INDENT_2).decode()
            return self._page(call, sent, result=body, problems=answer.problems(request))
        return self._page(call, sent, answer)

    async def _keep_form(
        self, request: Request, acting: PageCaller, sent: Mapping[str, str]
    ) -> Response:
        """Return what was typed, to be sent again after a sign-in: its session had ended.

        It shows nothing of the operation, which may not be for whoever sent it. Raises GatewayError
        UNAUTHENTICATED or RATE_LIMITED.
        """
        await authenticate_on_page(request, acting)
        token = self._tokens.renew(sent.get(TOKEN, ""))
        if token is None or _service(request).sessions is None:
            raise unauthenticated("UNAUTHENTICATED")
        error = unauthenticated("SESSION_EXPIRED")
        state_of(request.scope).codes = [error.code.name]
        typed = {name: value for name, value in sent.items() if name != TOKEN}
        return render(
            request,
            "operation_kept.html",
            OPERATIONS,
            error.status,
            error.headers,
            typed=typed,
            token=token,
        )

    def _read(self, request: Request, sent: Mapping[str, str]) -> Any:
        """Return what receives the call: it refuses a form of somebody else first."""
        state, service = state_of(request.scope), _service(request)
        name = request.path_params["name"]

        async def read(_body_bytes: int) -> ReceivedRequest:
            if state.caller.is_anonymous:
                raise unauthenticated("UNAUTHENTICATED")
            site = request.headers.getlist("sec-fetch-site")
            self._tokens.require(sent.get(TOKEN, ""), form_binding(state.caller), site)
            published = service.operations.current.find(name, state.caller.client)
            if published is None:
                raise GatewayError("OPERATION_UNKNOWN")
            fields = variable_fields(service.resources.schema, published)
            variables = field_values(fields, sent, VARIABLES)
            return ReceivedRequest(_parse, orjson.dumps(variables), published.header.id)

        return read

    def _page(
        self,
        call: _Call,
        sent: Mapping[str, str],
        refusal: PageAnswer | None = None,
        **values: Any,
    ) -> Response:
        caller = state_of(call.request.scope).caller
        published = call.published
        absent: dict[str, Any] = {"result": None, "problems": (), "refusals": (), "faults": {}}
        if refusal is not None:
            absent["refusals"] = refusal.problems(call.request)
            absent["faults"] = _faults(sent, refusal.codes)
        return render(
            call.request,
            "operation.html",
            OPERATIONS,
            200 if refusal is None else refusal.status,
            None if refusal is None else refusal.headers,
            **{
                **absent,
                "caller": caller,
                "acting": call.acting,
                "published": published,
                "is_mine": caller.client in published.header.clients,
                "is_public": call.service.resources.settings.operations.public_catalogue,
                "inputs": call.inputs(sent, refusal),
                "sent": sent,
                "token": self._tokens.issue(form_binding(caller)),
                "purposes": _purposes(published, caller),
                "needs_case": needs_case_number(published),
                "has_purpose": _has_purpose(published, caller),
                "curl": call.curl(),
                **values,
            },
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """A request about an operation that the caller may see."""

    request: Request
    acting: PageCaller
    published: PublishedOperation

    @property
    def service(self) -> Service:
        """What the gateway consists of."""
        return _service(self.request)

    def example(self) -> dict[str, str]:
        """Return the form filled with the example, where there are people for it."""
        filled = self._variables()
        fields = variable_fields(self.service.resources.schema, self.published)
        return example_fields(fields, filled) if isinstance(filled, Mapping) else {}

    def inputs(self, sent: Mapping[str, str], refusal: PageAnswer | None) -> list[ShownField]:
        """Return the fields with what was typed, and what is wrong after a refusal."""
        schema = self.service.resources.schema
        fields = variable_fields(schema, self.published)
        is_about_input = refusal is not None and not refusal.codes.isdisjoint(
            {"INVALID_VARIABLES", "INVALID_PERSON_NUMBER", "INVALID_VALUE"}
        )
        shown = show_fields(fields, sent, VARIABLES, with_faults=is_about_input)
        if not is_about_input:
            return list(shown)
        values = field_values(fields, sent, VARIABLES)
        faults = variable_faults(schema, self.published, values)
        return [_with_fault(shown_field, faults) for shown_field in shown]

    def curl(self) -> str:
        """Return the call as a command, with the example's variables."""
        header = self.published.header
        lines = [f"curl -s https://GATEWAY/operations/{header.id}"]
        lines += ["-H 'Authorization: Bearer TOKEN'", "-H 'Content-Type: application/json'"]
        if header.purposes:
            lines.append(f"-H 'X-Purpose: {header.purposes[0]}'")
        if needs_case_number(self.published):
            lines.append("-H 'X-Case-Number: HS-1'")
        filled = self._variables()
        shown = filled if filled is not None else header.example
        body = orjson.dumps(shown).decode().replace("'", r"'\''")
        return " \\\n  ".join([*lines, f"-d '{body}'"])

    def _variables(self) -> object:
        personas = read_personas(self.service.resources.settings)
        return fill_example(self.published.header.example, personas)


def _with_fault(shown: ShownField, faults: Mapping[str, Text]) -> ShownField:
    """Return a field with its fault; one of a part that has no field of its own stands here."""
    if shown.groups:
        groups = tuple(
            tuple(_with_fault(member, faults) for member in group) for group in shown.groups
        )
        return replace(shown, groups=groups)
    below = (
        text
        for path, text in faults.items()
        if path == shown.path or path.startswith(f"{shown.path}.")
    )
    return replace(shown, fault=shown.fault or next(below, None))


async def _find(request: Request) -> tuple[PageCaller, PublishedOperation | None]:
    """Return who acts, and the newest operation of the name, whoever it is for."""
    service, name = _service(request), request.path_params["name"]
    operations = service.operations.current
    exact = operations.by_id.get(name)
    versions = operations.by_name.get(name, ()) if exact is None else (exact,)
    acting = await find_page_caller(request, _offer(versions))
    return acting, versions[0] if versions else None


def _require_visible(
    request: Request, newest: PublishedOperation | None, caller: Caller
) -> PublishedOperation:
    """Return the operation as the caller may see it.

    Raises GatewayError OPERATION_UNKNOWN, the same whether there is none or one for others, unless
    the list is public; UNAUTHENTICATED.
    """
    service = _service(request)
    callable_operation = service.operations.current.find(request.path_params["name"], caller.client)
    if callable_operation is not None:
        return callable_operation
    is_public = service.resources.settings.operations.public_catalogue
    if caller.is_anonymous and not is_public:
        raise unauthenticated("UNAUTHENTICATED")
    if newest is None or not is_public:
        raise GatewayError("OPERATION_UNKNOWN")
    return newest


def _caller_headers(acting: PageCaller, sent: Mapping[str, str]) -> CallerHeaders:
    purpose, case = sent.get(PURPOSE, ""), sent.get(CASE_NUMBER, "")
    return CallerHeaders(
        acting.authorization,
        (purpose.encode("latin-1", "replace"),) if purpose else (),
        (quote(case, safe="").encode("ascii"),) if case else (),
    )


def _parse(body: bytes, operation: str | None) -> Parameters:
    return Parameters("", None, orjson.loads(body), in_url=False, published=operation)


def _faults(sent: Mapping[str, str], codes: frozenset[str]) -> dict[str, Text]:
    """Return what is wrong with the fields that stand beside the variables."""
    faults = {}
    if "CASE_NUMBER_REQUIRED" in codes:
        faults[CASE_NUMBER] = FRAME["fill_in"]
    elif "BAD_REQUEST" in codes and sent.get(CASE_NUMBER):
        faults[CASE_NUMBER] = FRAME["case_number_hint"]
    if not codes.isdisjoint({"PURPOSE_REQUIRED", "PURPOSE_NOT_GRANTED", "PURPOSE_UNKNOWN"}):
        faults[PURPOSE] = FRAME["fill_in"]
    return faults


def _purposes(published: PublishedOperation, caller: Caller) -> list[tuple[str, Text, bool]]:
    """Return the purposes that may be stated: code, title, and whether the token has it."""
    granted = [
        purpose
        for purpose in sorted(caller.purposes)
        if national(purpose) in published.header.purposes
    ]
    lacking = [
        purpose for purpose in published.header.purposes if purpose not in map(national, granted)
    ]
    return [(code, _purpose_title(code), code in granted) for code in (*granted, *lacking)]


def _has_purpose(published: PublishedOperation, caller: Caller) -> bool:
    purposes = published.header.purposes
    return not purposes or not {national(purpose) for purpose in caller.purposes}.isdisjoint(
        purposes
    )


def _purpose_title(code: str) -> Text:
    procedure = procedure_of(code)
    return Text(code, code) if procedure is None else procedure.title


def _offer(published: Sequence[PublishedOperation]) -> Callable[[Caller], bool]:
    """Return which demo callers are offered: one of each client that may call an operation."""
    clients = {client for operation in published for client in operation.header.clients}

    def may_use(caller: Caller) -> bool:
        is_offered = caller.client in clients
        clients.discard(str(caller.client))
        return is_offered

    return may_use


def _newest_first(service: Service) -> list[PublishedOperation]:
    return sorted(
        service.operations.all(),
        key=lambda operation: (operation.header.name, -operation.header.version),
    )


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service
