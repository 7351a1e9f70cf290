"""``/person``: an officer looks at a single person, under a procedure and a case number.

The form is sent by POST, so that a number never stands in an address. The same form asks for more
of a list that does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.description import Text
from gateway.access.caller import Caller
from gateway.errors import CODES, GatewayError
from gateway.pages.form import CASE_NUMBER, read_form
from gateway.pages.form_tokens import FormTokens
from gateway.pages.page_caller import find_page_caller
from gateway.pages.person.ask import JoinedAnswer, PersonRefused
from gateway.pages.person.conflict_view import view_conflicts
from gateway.pages.person.documents import (
    TIMELINE,
    DocumentPart,
    all_parts,
    list_part,
    timeline_part,
    write_documents,
)
from gateway.pages.person.history_view import view_timeline
from gateway.pages.person.records import ValueWriter
from gateway.pages.person.selection import PersonSelection, select_person
from gateway.pages.person.view import PersonViewer
from gateway.pages.person.visit import PersonVisit
from gateway.pages.phrases.frame import FRAME
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import procedure_of
from gateway.request import state_of

#: The fields of the form, beside those of every form. The last asks for more of a list: it holds
#: the list's place and, behind a space, where the next page begins.
NUMBER, PURPOSE, MORE = "number", "purpose", "list-after"
_TEMPLATE = "person.html"


class PersonPage:
    """The page of an officer. ``tokens``: of its form."""

    def __init__(self, tokens: FormTokens) -> None:
        self._tokens = tokens

    async def show(self, request: Request) -> Response:
        """Answer with the form."""
        visit = await self._visit(request, {})
        try:
            caller = await visit.authenticate()
        except GatewayError as error:
            return visit.refuse(error)
        return visit.render(caller, purposes=_purposes(caller))

    async def look(self, request: Request) -> Response:
        """Answer with the view of the person; with the form as it was typed if refused."""
        try:
            sent = await read_form(request)
        except GatewayError as error:
            return (await self._visit(request, {})).refuse(error)
        visit = await self._visit(request, sent)
        if not visit.acting.authorization:
            try:
                return await visit.keep_form()
            except GatewayError as error:
                return visit.refuse(error)
        caller = await visit.find_caller()
        selection = select_person(visit.service.resources, caller, is_own=False)
        place, _, after = sent.get(MORE, "").partition(" ")
        has_timeline = not caller.missing_for_timeline() and not caller.is_anonymous
        parts = _single(selection, place, has_timeline) or all_parts(
            selection, with_timeline=has_timeline
        )
        number = re.sub(r"\s", "", sent.get(NUMBER, ""))
        limits = visit.service.resources.settings.limits
        documents = write_documents(parts, limits, number, after or None)
        try:
            answer = await visit.ask(documents, is_form=True)
        except PersonRefused as refusal:
            caller = state_of(request.scope).caller
            codes = {error["extensions"]["code"] for error in refusal.body["errors"]}  # type: ignore[attr-defined]
            return visit.refused(
                refusal, caller, purposes=_purposes(caller), faults=_faults(sent, codes)
            )
        views = _views(visit, selection, answer, place, after, has_timeline)
        return visit.render(caller, purposes=_purposes(caller), **views)

    async def _visit(self, request: Request, sent: Mapping[str, str]) -> PersonVisit:
        """Return the visit of whoever acts; the demo offers officers on its own machine alone."""
        officer = await find_page_caller(request, _may_look)
        purpose = sent.get(PURPOSE, "")
        return PersonVisit(request, _TEMPLATE, self._tokens, officer, sent, purpose)


def _single(selection: PersonSelection, place: str, has_timeline: bool) -> list[DocumentPart]:
    """Return the part for more of a single list; none: the whole view is asked for."""
    if place == TIMELINE and has_timeline:
        return [timeline_part(pages=True)]
    chosen = selection.find_list(place)
    return [] if chosen is None else [list_part(*chosen)]


def _views(
    visit: PersonVisit,
    selection: PersonSelection,
    answer: JoinedAnswer,
    place: str,
    after: str,
    has_timeline: bool,
) -> dict[str, Any]:
    """Return what the template shows of an answer: the whole view, or more of a single list."""
    language, databases, writer = visit.language, visit.databases, ValueWriter(visit.language)
    viewer = PersonViewer(language, answer, writer)
    values: dict[str, Any] = {"procedure": procedure_of(visit.purpose)}
    if place == TIMELINE and has_timeline:
        timeline = view_timeline(answer, databases, language)
        return {**values, "single": TIMELINE, "timeline": timeline, "view": viewer.view_head()}
    chosen = selection.find_list(place)
    if chosen is not None:
        return {
            **values,
            "single": viewer.list_view(*chosen, is_continued=bool(after)),
            "view": viewer.view_head(),
        }
    if selection.sees_conflicts:
        values["conflicts"] = view_conflicts(answer, databases, language, writer)
    if has_timeline:
        values["timeline"] = view_timeline(answer, databases, language)
    return {**values, "view": viewer.view(selection)}


def _may_look(caller: Caller) -> bool:
    return caller.may_name_persons and bool(_purposes(caller))


def _purposes(caller: Caller) -> tuple[tuple[str, Text], ...]:
    """Return the purposes of a caller that open something: code and title."""
    procedures = ((code, procedure_of(code)) for code in sorted(caller.purposes))
    return tuple(
        (code, procedure.title)
        for code, procedure in procedures
        if procedure is not None and _opens_something(procedure)
    )


def _opens_something(procedure: Procedure) -> bool:
    return bool(procedure.unlimited or procedure.fields)


def _faults(sent: Mapping[str, str], codes: set[str]) -> dict[str, Text]:
    """Return what is wrong with which field, after the gateway refused the whole."""
    faults = {}
    if "CASE_NUMBER_REQUIRED" in codes:
        faults[CASE_NUMBER] = FRAME["fill_in"]
    elif "BAD_REQUEST" in codes:
        faults[CASE_NUMBER] = FRAME["case_number_hint"]
    for code in codes & {"PURPOSE_REQUIRED", "PURPOSE_UNKNOWN", "PURPOSE_NOT_GRANTED"}:
        sentence = Text(CODES[code].vi, CODES[code].en)
        faults[PURPOSE] = sentence if sent.get(PURPOSE) else FRAME["fill_in"]
    for code in codes & {"INVALID_PERSON_NUMBER", "INVALID_VARIABLES", "NUMBER_CONFLICT"}:
        sentence = Text(CODES[code].vi, CODES[code].en)
        faults[NUMBER] = sentence if sent.get(NUMBER) else FRAME["fill_in"]
    return faults
