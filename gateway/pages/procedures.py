"""``/procedures`` and ``/procedures/{code}``: a page for each procedure, with its form.

The form is sent by POST: the numbers of people never stand in an address. The purpose is the
procedure itself; the case number is a field of the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Text
from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.catalogue.checks import CheckBinding, checks_of
from gateway.errors import BESIDE_DATA, CODES, GatewayError, unauthenticated
from gateway.execution.parameters import ReceivedRequest
from gateway.pages.check_request import receive_check
from gateway.pages.check_view import say_deadline, view_check, view_problems, view_refusals
from gateway.pages.form import (
    CASE_NUMBER,
    DAY,
    TOKEN,
    ShownField,
    input_values,
    is_day,
    read_form,
    shown_fields,
)
from gateway.pages.form_tokens import FormTokens
from gateway.pages.languages import Language, language_of
from gateway.pages.page_caller import PageCaller, find_page_caller, form_binding
from gateway.pages.phrases.frame import FRAME
from gateway.pages.phrases.procedures import PROCEDURES
from gateway.pages.rendering import render
from gateway.plan.document import InvalidDocument
from gateway.procedures.checks.definition import Edition
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import procedure_of
from gateway.request import authenticate_request, handle, state_of
from gateway.runtime.clock import legal_date
from gateway.schema.procedures import DeclaredProcedure, declare_procedures
from gateway.service import Service
from gateway.shape.response import error_codes, invalid_document_body, refusal_body

#: Refusals that are about what was typed.
_ABOUT_INPUT = frozenset({"INVALID_VARIABLES", "INVALID_PERSON_NUMBER", "INVALID_VALUE"})


async def show_procedures(request: Request) -> Response:
    """Answer with the list of procedures, those that can be checked first."""
    service: Service = request.app.state.service
    declared = declare_procedures(_checks(service))
    is_demo = service.resources.settings.demo
    shown = [
        procedure for procedure in declared.values() if is_demo or procedure.records is not None
    ]
    return render(
        request,
        "procedures.html",
        PROCEDURES,
        checkable=[procedure for procedure in shown if procedure.can_be_checked],
        others=[procedure for procedure in shown if not procedure.can_be_checked],
    )


class ProcedurePage:
    """The page of a procedure. ``tokens``: of its form."""

    def __init__(self, tokens: FormTokens) -> None:
        self._tokens = tokens

    async def show(self, request: Request) -> Response:
        """Answer with the form, and with what the check asks."""
        subject = await _find_subject(request)
        if subject is None:
            return _not_found(request)
        try:
            caller = await subject.authenticate()
        except GatewayError as error:
            return subject.refuse(error)
        return self._page(subject, caller)

    async def check(self, request: Request) -> Response:
        """Check a case and answer with the result; with the form as it was typed if refused."""
        subject = await _find_subject(request)
        if subject is None:
            return _not_found(request)
        try:
            binding = subject.require_check()
            sent = await read_form(request)
            if not subject.officer.authorization:
                return await self._keep_form(subject, sent)
        except GatewayError as error:
            return subject.refuse(error)
        try:
            answer = await self._check(subject, binding, sent)
        except GatewayError as error:
            return self._refused(subject, sent, refusal_body(error), error.headers)
        except InvalidDocument as error:
            return self._refused(subject, sent, invalid_document_body(error.code, error.errors))
        body: dict[str, Any] = orjson.loads(orjson.dumps(answer))
        is_checked = bool((body["data"] or {}).get("checkProcedure"))
        return (
            self._checked(subject, binding, sent, body)
            if is_checked
            else self._refused(subject, sent, body)
        )

    async def _check(
        self, subject: _Subject, binding: CheckBinding, sent: Mapping[str, str]
    ) -> dict[str, object]:
        """Send the check the way of every request; raises what ``handle`` raises."""
        service, state = subject.service, state_of(subject.request.scope)
        definition = binding.definition
        case = sent.get(CASE_NUMBER, "")
        headers = CallerHeaders(
            subject.officer.authorization,
            (subject.code.encode("latin-1", "replace"),),
            (quote(case, safe="").encode("ascii"),) if case else (),
        )
        variables = {
            "code": subject.code,
            "input": {
                to_camel_case(definition.name): input_values(definition.input, sent),
            },
            "at": sent.get(DAY) or None,
        }

        async def read(_body_bytes: int) -> ReceivedRequest:
            """Refuse a form of somebody else, then hand over what it asks."""
            site = subject.request.headers.getlist("sec-fetch-site")
            self._tokens.require(sent.get(TOKEN, ""), form_binding(state.caller), site)
            return receive_check(service.resources.schema, definition, variables)

        return await handle(service, state, headers, read)

    async def _keep_form(self, subject: _Subject, sent: Mapping[str, str]) -> Response:
        """Return the form as it was typed, to be sent again after a sign-in.

        Only a form that was made here is shown again: another site may have sent any. Its token is
        renewed for whom it was made for. Raises GatewayError UNAUTHENTICATED or RATE_LIMITED.
        """
        await subject.authenticate()
        token = self._tokens.renew(sent.get(TOKEN, ""))
        if token is None:
            raise unauthenticated("UNAUTHENTICATED")
        error = unauthenticated("SESSION_EXPIRED")
        state_of(subject.request.scope).codes = [error.code.name]
        return subject.render(
            error.status,
            error.headers,
            inputs=subject.inputs(sent),
            sent=sent,
            token=token,
            has_expired=True,
        )

    def _checked(
        self,
        subject: _Subject,
        binding: CheckBinding,
        sent: Mapping[str, str],
        body: Mapping[str, Any],
    ) -> Response:
        state = state_of(subject.request.scope)
        state.codes = sorted(set(error_codes(dict(body))))
        databases = _databases(subject.service)
        checked = body["data"]["checkProcedure"]
        return self._page(
            subject,
            state.caller,
            sent,
            check=view_check(binding.definition, databases, subject.language, checked),
            problems=view_problems(body.get("errors", ()), databases, subject.language),
            people=_people(shown_fields(binding.definition.input, sent)),
        )

    def _refused(
        self,
        subject: _Subject,
        sent: Mapping[str, str],
        body: dict[str, object],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        state = state_of(subject.request.scope)
        codes = error_codes(body)
        state.codes = sorted(set(codes))
        statuses = {CODES[code].status for code in codes}
        status = max(statuses - {BESIDE_DATA}, default=422)
        errors: Any = body["errors"]
        return self._page(
            subject,
            state.caller,
            sent,
            status,
            headers,
            refusals=view_refusals(errors, subject.language),
            faults=_faults(sent, frozenset(codes)),
            with_faults=not _ABOUT_INPUT.isdisjoint(codes),
        )

    def _page(
        self,
        subject: _Subject,
        caller: Caller,
        sent: Mapping[str, str] | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        typed, with_faults = sent or {}, bool(values.pop("with_faults", False))
        may_send = not caller.is_anonymous
        return subject.render(
            status,
            headers,
            caller=caller,
            inputs=subject.inputs(typed, with_faults=with_faults) if may_send else (),
            sent=typed,
            token=self._tokens.issue(form_binding(caller)) if may_send else "",
            **values,
        )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a page is about: a procedure, by a code, and who acts. ``binding``: None: no check."""

    request: Request
    code: str
    procedure: Procedure
    declared: DeclaredProcedure
    binding: CheckBinding | None
    officer: PageCaller

    @property
    def service(self) -> Service:
        """What the gateway consists of."""
        service: Service = self.request.app.state.service
        return service

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language_of(self.request)

    async def authenticate(self) -> Caller:
        """Return the caller, counted towards their rate; raises GatewayError."""
        headers = CallerHeaders(self.officer.authorization)
        state = state_of(self.request.scope)
        return (await authenticate_request(self.service, state, headers)).caller

    def require_check(self) -> CheckBinding:
        """Return the check; raises GatewayError PROCEDURE_UNKNOWN, or UNAUTHENTICATED.

        Where people sign in, whoever acts no more may have been signed in when they got the form.
        """
        if self.binding is None:
            raise GatewayError("PROCEDURE_UNKNOWN")
        if not self.officer.authorization and self.service.sessions is None:
            raise unauthenticated("UNAUTHENTICATED")
        return self.binding

    def inputs(
        self, sent: Mapping[str, str], *, with_faults: bool = False
    ) -> tuple[ShownField, ...]:
        """Return the fields of the form with what was typed; none where nothing is checked."""
        if self.binding is None:
            return ()
        return shown_fields(self.binding.definition.input, sent, with_faults=with_faults)

    def edition(self) -> Edition | None:
        """Return what holds today; None where nothing can be checked."""
        if self.binding is None:
            return None
        return self.binding.definition.edition(legal_date(self.service.resources.clock.now()))

    def refuse(self, error: GatewayError) -> Response:
        """Return the page without a form: nobody may send one, or too much was sent."""
        state_of(self.request.scope).codes = [error.code.name]
        errors: Any = refusal_body(error)["errors"]
        problems = view_refusals(errors, self.language)
        status = 422 if error.status == BESIDE_DATA else error.status
        return self.render(status, error.headers, refusals=problems)

    def render(self, status: int, headers: Mapping[str, str] | None, **values: Any) -> Response:
        """Return the page; what is not in ``values`` is not shown."""
        edition = self.edition()
        deadline = None if edition is None else edition.deadline
        shown = None if deadline is None else _as_answered(deadline.amount, deadline)
        absent: dict[str, Any] = {
            "caller": None, "inputs": (), "sent": {}, "token": "", "check": None, "problems": (),
            "refusals": (), "faults": {}, "people": (), "has_expired": False,
        }  # fmt: skip
        return render(
            self.request,
            "procedure.html",
            PROCEDURES,
            status,
            headers,
            **{
                **absent,
                "code": self.code,
                "procedure": self.declared,
                "edition": edition,
                "deadline": say_deadline(self.language, shown),
                "officer": self.officer,
                **values,
            },
        )


async def _find_subject(request: Request) -> _Subject | None:
    service: Service = request.app.state.service
    code = request.path_params["code"]
    procedure = procedure_of(code)
    if procedure is None or (procedure.unlimited and not service.resources.settings.demo):
        return None
    checks = _checks(service)
    binding = None if procedure.check is None else checks.get(procedure.check.name)
    declared = declare_procedures(checks)[procedure.codes[0]]
    officer = await find_page_caller(request, partial(_may_check, procedure))
    return _Subject(request, code, procedure, declared, binding, officer)


def _may_check(procedure: Procedure, caller: Caller) -> bool:
    return caller.may_check and bool(caller.purposes & {*procedure.codes})


def _not_found(request: Request) -> Response:
    state_of(request.scope).codes = ["NOT_FOUND"]
    return render(request, "not_found.html", PROCEDURES, 404)


def _databases(service: Service) -> tuple[Database, ...]:
    """Return the databases as settings have them."""
    return tuple(source.database for source in service.resources.sources.values())


def _checks(service: Service) -> Mapping[str, CheckBinding]:
    return _checks_of(_databases(service))


@lru_cache(maxsize=4)
def _checks_of(databases: tuple[Database, ...]) -> Mapping[str, CheckBinding]:
    return checks_of(databases)


def _as_answered(amount: int, deadline: Any) -> dict[str, Any]:
    """Return a deadline as answers show it."""
    law = {"vi": deadline.law.vi, "en": deadline.law.en}
    return {"amount": amount, "unit": deadline.unit.name, "law": law}


def _people(inputs: Iterable[ShownField]) -> tuple[tuple[Text, str], ...]:
    """Return who stands in each role, as typed, for the printed sheet."""
    return tuple(
        (field.declared.title, ", ".join(field.value.split()))
        for field in inputs
        if field.declared.is_role and field.value
    )


def _faults(sent: Mapping[str, str], codes: frozenset[str]) -> dict[str, Text]:
    """Return what is wrong with the fields that every form has."""
    faults = {}
    if "CASE_NUMBER_REQUIRED" in codes:
        faults[CASE_NUMBER] = FRAME["fill_in"]
    elif "BAD_REQUEST" in codes:
        faults[CASE_NUMBER] = FRAME["case_number_hint"]
    day = sent.get(DAY, "")
    if day and not _ABOUT_INPUT.isdisjoint(codes):
        if not is_day(day):
            faults[DAY] = FRAME["bad_date"]
        elif "INVALID_VALUE" in codes:
            faults[DAY] = PROCEDURES["at_hint"]
    return faults
