"""``/me``: citizens see what the state holds about them, who looked, and what contradicts.

It needs no purpose and no case number; the token says whose view it is. Whoever acts for a citizen
sees the citizen's view. ``/me/corrections/{rule}`` is a request to correct, to print and sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.caller import Caller
from gateway.errors import GatewayError, unauthenticated
from gateway.pages.form import read_form
from gateway.pages.form_tokens import FormTokens
from gateway.pages.languages import VIETNAMESE, Language
from gateway.pages.page_caller import find_page_caller
from gateway.pages.person.ask import JoinedAnswer, PersonRefused
from gateway.pages.person.conflict_view import view_conflicts
from gateway.pages.person.correction import view_corrections
from gateway.pages.person.demo_citizens import DemoCitizen, DemoCitizens
from gateway.pages.person.documents import (
    ACCESS_LOG,
    TIMELINE,
    DocumentPart,
    access_log_part,
    all_parts,
    conflicts_part,
    list_part,
    timeline_part,
    write_documents,
)
from gateway.pages.person.history_view import view_access_log, view_timeline
from gateway.pages.person.interests_view import view_interests
from gateway.pages.person.officer_page import MORE
from gateway.pages.person.records import ValueWriter, mask_numbers, say_date
from gateway.pages.person.selection import PersonSelection, select_person
from gateway.pages.person.view import UNKNOWN, PersonViewer
from gateway.pages.person.visit import PersonVisit
from gateway.pages.phrases.frame import FRAME
from gateway.request import state_of
from rules.rule import ConflictCode

_TEMPLATE, _CORRECTION = "me.html", "correction.html"


class CitizenPage:
    """The page of a citizen. ``tokens``: of its forms, which ask for more of a list."""

    def __init__(self, tokens: FormTokens) -> None:
        self._tokens = tokens

    async def show(self, request: Request) -> Response:
        """Answer with the citizen's own view; with who may have one where nobody acts."""
        visit, offered = await self._visit(request, _TEMPLATE, {})
        if not visit.acting.authorization:
            return visit.render(state_of(request.scope).caller, offered=offered)
        return await self._answer(visit, offered, is_form=False)

    async def page(self, request: Request) -> Response:
        """Answer with more of a list, of the history or of the access log."""
        try:
            sent = await read_form(request)
        except GatewayError as error:
            visit, offered = await self._visit(request, _TEMPLATE, {})
            return visit.refuse(error, offered=offered)
        visit, offered = await self._visit(request, _TEMPLATE, sent)
        if not visit.acting.authorization:
            return visit.refuse(unauthenticated("UNAUTHENTICATED"), offered=offered)
        return await self._answer(visit, offered, is_form=True)

    async def correct(self, request: Request) -> Response:
        """Answer with a request to correct what a rule finds, to be printed and signed."""
        visit, offered = await self._visit(request, _CORRECTION, {})
        if not visit.acting.authorization:
            return visit.refuse(unauthenticated("UNAUTHENTICATED"), offered=offered)
        rule = request.path_params["rule"]
        if rule not in ConflictCode.__members__:
            return visit.refuse(GatewayError("NOT_FOUND"), offered=offered)
        caller = await visit.find_caller()
        selection = select_person(visit.service.resources, caller, is_own=True)
        limits = visit.service.resources.settings.limits
        identity = selection.find_list("population.identity")
        parts = [conflicts_part(), *([list_part(*identity)] if identity else [])]
        try:
            answer = await visit.ask(write_documents(parts, limits, None), is_form=False)
        except PersonRefused as refusal:
            caller = state_of(request.scope).caller
            return visit.refused(refusal, caller, offered=offered)
        # The sheet is in Vietnamese whatever the page's language: it goes to an authority.
        writer, now = ValueWriter(VIETNAMESE), visit.service.resources.clock.now()
        conflicts = view_conflicts(answer, visit.databases, VIETNAMESE, writer)
        requests = view_corrections(rule, conflicts, answer, now)
        is_unknown = conflicts.shape == UNKNOWN or bool(conflicts.unchecked)
        return visit.render(
            caller,
            200 if requests else 503 if is_unknown else 404,
            rule=visit.language.sentence(ConflictCode[rule].title),
            corrections=requests,
            is_unknown=is_unknown,
            read_at=VIETNAMESE.moment(now.isoformat()),
            gateway_name=VIETNAMESE.choose(FRAME["gateway"]),
            offered=offered,
        )

    async def _answer(
        self, visit: PersonVisit, offered: tuple[DemoCitizen, ...], *, is_form: bool
    ) -> Response:
        place, _, after = visit.sent.get(MORE, "").partition(" ")
        caller = await visit.find_caller()
        selection = select_person(visit.service.resources, caller, is_own=True)
        parts = _single(selection, place) or all_parts(selection, with_timeline=True)
        limits = visit.service.resources.settings.limits
        documents = write_documents(parts, limits, None, after or None)
        try:
            answer = await visit.ask(documents, is_form=is_form)
        except PersonRefused as refusal:
            return visit.refused(refusal, state_of(visit.request.scope).caller, offered=offered)
        views = _views(visit, selection, answer, place, after)
        return visit.render(
            caller, offered=offered, **views, **_describe_citizen(answer, caller, visit.language)
        )

    async def _visit(
        self, request: Request, template: str, sent: Mapping[str, str]
    ) -> tuple[PersonVisit, tuple[DemoCitizen, ...]]:
        citizens = DemoCitizens(request.app.state.service.resources.settings.folder)
        acting = await find_page_caller(request, citizens.may_use)
        visit = PersonVisit(request, template, self._tokens, acting, sent, is_own=True)
        return visit, citizens.tell(acting, visit.language)


def _single(selection: PersonSelection, place: str) -> list[DocumentPart]:
    """Return the part for more of a single list; none: the whole view is asked for."""
    if place == TIMELINE:
        return [timeline_part(pages=True)]
    if place == ACCESS_LOG:
        return [access_log_part(pages=True)]
    chosen = selection.find_list(place)
    return [] if chosen is None else [list_part(*chosen)]


def _views(
    visit: PersonVisit, selection: PersonSelection, answer: JoinedAnswer, place: str, after: str
) -> dict[str, Any]:
    """Return what the template shows of an answer: the whole view, or more of a single list."""
    language, databases = visit.language, visit.databases
    writer = ValueWriter(language, masks=True)
    viewer = PersonViewer(language, answer, writer)
    values: dict[str, Any] = {}
    chosen = selection.find_list(place)
    if chosen is not None:
        return {
            "single": viewer.list_view(*chosen, is_continued=bool(after)),
            "view": viewer.view_head(),
        }
    if place != ACCESS_LOG:
        values["timeline"] = view_timeline(answer, databases, language)
    if place != TIMELINE:
        values["log"] = view_access_log(answer, databases, language)
    if place in {TIMELINE, ACCESS_LOG}:
        return {**values, "single": place, "view": viewer.view_head()}
    values["followers"] = view_interests(answer, language)
    if selection.sees_conflicts:
        values["conflicts"] = view_conflicts(answer, databases, language, writer)
    return {**values, "view": viewer.view(selection)}


def _describe_citizen(answer: JoinedAnswer, caller: Caller, language: Language) -> dict[str, Any]:
    """Return whose view it is: name, birth date, masked number, and whether somebody acts for them.

    Name and birth date are empty where the population database did not say.
    """
    identity = ((answer.person.get("population") or {}).get("identity") or {}).get("item") or {}
    birth_date = identity.get("birthDate")
    return {
        "full_name": identity.get("fullName") or "",
        "birth_date": say_date(language, birth_date) if birth_date else "",
        "masked": mask_numbers(answer.person.get("id") or answer.person["askedAs"]),
        "is_represented": caller.representative is not None,
    }
