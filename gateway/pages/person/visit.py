"""A visit to a page about a person: who acts, what was typed, and how a refusal is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from connectors.description import Database, Text
from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import ANONYMOUS, Caller
from gateway.errors import BESIDE_DATA, CODES, GatewayError, unauthenticated
from gateway.pages.check_view import view_refusals
from gateway.pages.form import CASE_NUMBER, TOKEN
from gateway.pages.form_tokens import FormTokens
from gateway.pages.languages import Language, language_of
from gateway.pages.page_caller import PageCaller, form_binding
from gateway.pages.person.ask import JoinedAnswer, PersonRefused, ask_person
from gateway.pages.person.demo_citizens import DemoCitizen, DemoCitizens
from gateway.pages.person.documents import PersonDocument
from gateway.pages.phrases.person import PERSON
from gateway.pages.rendering import render
from gateway.request import RequestState, authenticate_request, state_of
from gateway.service import Service
from gateway.shape.response import error_codes, refusal_body


@dataclass(frozen=True, slots=True)
class PersonVisit:
    """A visit. ``acting``: who acts; ``sent``: the fields of the form, none on the first look.

    ``purpose``: as typed; ``is_own``: of a citizen, to the own view.
    """

    request: Request
    template: str
    tokens: FormTokens
    acting: PageCaller
    sent: Mapping[str, str]
    purpose: str = ""
    is_own: bool = False

    @property
    def service(self) -> Service:
        """What the gateway consists of."""
        service: Service = self.request.app.state.service
        return service

    @property
    def state(self) -> RequestState:
        """The state of the request."""
        return state_of(self.request.scope)

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language_of(self.request)

    @property
    def databases(self) -> tuple[Database, ...]:
        """The databases as settings have them."""
        return tuple(source.database for source in self.service.resources.sources.values())

    @property
    def headers(self) -> CallerHeaders:
        """The headers of the requests that the page makes: who asks, for what, for which case."""
        case = self.sent.get(CASE_NUMBER, "")
        return CallerHeaders(
            self.acting.authorization,
            (self.purpose.encode("latin-1", "replace"),) if self.purpose else (),
            (quote(case, safe="").encode("ascii"),) if case else (),
        )

    async def authenticate(self) -> Caller:
        """Return the caller, counted towards their rate; raises GatewayError."""
        headers = CallerHeaders(self.acting.authorization)
        return (await authenticate_request(self.service, self.state, headers)).caller

    async def find_caller(self) -> Caller:
        """Return the caller with purpose and case, to choose what to ask for.

        Nobody's rights where they would be refused: the request itself says why, and records it.
        """
        try:
            identity = await self.service.callers.authenticate(self.headers)
        except GatewayError:
            return ANONYMOUS
        return identity.stated or ANONYMOUS

    async def ask(self, documents: Sequence[PersonDocument], *, is_form: bool) -> JoinedAnswer:
        """Return what ``documents`` answer; raises PersonRefused. ``is_form``: a form was sent."""
        require = self._require_form if is_form else _require_nothing
        return await ask_person(self.service, self.state, self.headers, documents, require)

    def _require_form(self, caller: Caller) -> None:
        site = self.request.headers.getlist("sec-fetch-site")
        self.tokens.require(self.sent.get(TOKEN, ""), form_binding(caller), site)

    async def keep_form(self) -> Response:
        """Return the form as it was typed, after nobody sent it: its session had ended.

        Only a form that was made here is shown again, for whom it was made. Raises GatewayError
        UNAUTHENTICATED or RATE_LIMITED.
        """
        caller = await self.authenticate()
        token = self.tokens.renew(self.sent.get(TOKEN, ""))
        if token is None or self.service.sessions is None:
            raise unauthenticated("UNAUTHENTICATED")
        error = unauthenticated("SESSION_EXPIRED")
        self.state.codes = [error.code.name]
        return self.render(caller, error.status, error.headers, token=token, has_expired=True)

    def refuse(self, error: GatewayError, **values: Any) -> Response:
        """Return the page that says why nobody may look, or why nothing could be read."""
        return self.refused(PersonRefused(refusal_body(error), error.headers), ANONYMOUS, **values)

    def refused(self, refusal: PersonRefused, caller: Caller, **values: Any) -> Response:
        """Return the page with why it was refused, and the form as it was typed."""
        codes = error_codes(refusal.body)
        self.state.codes = sorted(set(codes))
        statuses = {CODES[code].status for code in codes} - {BESIDE_DATA}
        errors: Any = refusal.body["errors"]
        problems = view_refusals(errors, self.language)
        return self.render(
            caller, max(statuses, default=422), refusal.headers, refusals=problems, **values
        )

    def render(
        self,
        caller: Caller,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """Return the page; what is not in ``values`` is not shown."""
        absent: dict[str, Any] = {
            "refusals": (), "faults": {}, "view": None, "conflicts": None, "timeline": None,
            "log": None, "single": None, "offered": (), "corrections": (),
            "is_unknown": False, "rule": "", "has_expired": False, "purposes": (),
        }  # fmt: skip
        return render(
            self.request,
            self.template,
            PERSON,
            status,
            headers,
            **{
                **absent,
                "caller": caller,
                "acting": self.acting,
                "sent": self.sent,
                "token": "" if caller.is_anonymous else self.tokens.issue(form_binding(caller)),
                "asked_at": self.language.moment(self.service.resources.clock.now().isoformat()),
                "grantor": RightsAdvice(self.language, names_codes=not self.is_own),
                "demo_people": self._demo_people(),
                **values,
            },
        )

    def _demo_people(self) -> tuple[tuple[str, DemoCitizen], ...]:
        """Return people whom a demo officer can look up; none outside the demo's machine."""
        if self.is_own or not self.acting.choices:
            return ()
        citizens = DemoCitizens(self.service.resources.settings.folder)
        return citizens.tell_numbers(self.language)


def _require_nothing(caller: Caller) -> None:
    """Require no token of a page that is looked at without a form."""


@dataclass(frozen=True, slots=True)
class RightsAdvice:
    """Says who grants what is missing. ``names_codes``: officers are told scope and purpose."""

    language: Language
    names_codes: bool

    def __call__(self, missing: Sequence[str]) -> tuple[str, ...]:
        """Return who grants the scope, the purpose, or both; to citizens, why it is closed."""
        if not self.names_codes:
            return (self.language.choose(PERSON["closed_to_citizens"]),) if missing else ()
        phrases: list[Text] = []
        if any(not scope.startswith("purpose:") for scope in missing):
            phrases.append(PERSON["scope_granted_by"])
        if any(scope.startswith("purpose:") for scope in missing):
            phrases.append(PERSON["purpose_granted_by"])
        return tuple(map(self.language.choose, phrases))
