"""``/statistics`` and ``/statistics.csv``: counts of records as a chart, a table and a file.

No person is named, so the choice stands in the address. What is counted is asked as GraphQL asks
it, with the caller's rights (decision 76).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.description import Database, Record, Text
from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import ANONYMOUS, Caller
from gateway.catalogue.scopes import STATISTICS as SCOPE
from gateway.errors import GatewayError, unauthenticated
from gateway.execution.parameters import ReceivedRequest
from gateway.pages.languages import PARAMETER, language_of
from gateway.pages.page_answer import (
    PageAnswer,
    answer_on_page,
    authenticate_on_page,
    refuse_on_page,
)
from gateway.pages.page_caller import PageCaller, find_page_caller
from gateway.pages.phrases.statistics import STATISTICS
from gateway.pages.rendering import render
from gateway.pages.statistics_chart import draw_figure, say_count
from gateway.pages.statistics_csv import file_name, statistics_csv
from gateway.pages.statistics_request import BY, FROM, RECORD, StatisticsChoice
from gateway.pages.statistics_view import StatisticsTable, view_statistics
from gateway.protection.rules import PROTECTION
from gateway.request import state_of
from gateway.runtime.clock import legal_date
from gateway.service import Service
from gateway.statistics.dimensions import Dimension, dimensions_of

_CSV_HEADERS = {"cache-control": "no-store"}


async def show_statistics(request: Request) -> Response:
    """Answer with the form, and with the figures where they are asked for."""
    choice = StatisticsChoice.read(request.query_params)
    acting = await find_page_caller(request, _may_count)
    if choice.is_complete:
        answer = await _count(request, choice, acting)
        table = _table(answer)
        if table is None:
            return _refused(request, choice, acting, answer.refused())
        return _page(request, choice, acting, table=table)
    try:
        caller = await authenticate_on_page(request, acting)
    except GatewayError as error:
        return _refused(request, choice, acting, refuse_on_page(request, error))
    return _page(
        request, choice, acting, is_lacking=not caller.is_anonymous and not _may_count(caller)
    )


async def download_statistics(request: Request) -> Response:
    """Answer with the table as a file; with the page and its status if refused."""
    choice = StatisticsChoice.read(request.query_params)
    acting = await find_page_caller(request, _may_count)
    answer = await _count(request, choice, acting)
    table, chosen = _table(answer), choice.find_record(_databases(request))
    if table is None or chosen is None:
        return _refused(request, choice, acting, answer.refused())
    content = statistics_csv(*chosen, table, language_of(request))
    disposition = f'attachment; filename="{file_name(*chosen, table)}"'
    return Response(
        content,
        headers={**_CSV_HEADERS, "content-disposition": disposition},
        media_type="text/csv; charset=utf-8",
    )


def _may_count(caller: Caller) -> bool:
    return SCOPE in caller.scopes


async def _count(request: Request, choice: StatisticsChoice, acting: PageCaller) -> PageAnswer:
    async def read(_body_bytes: int) -> ReceivedRequest:
        # Whoever has no token is told what the page asks of them, not that a field needs a scope.
        if state_of(request.scope).caller.is_anonymous:
            raise unauthenticated("UNAUTHENTICATED")
        return choice.receive()

    return await answer_on_page(request, CallerHeaders(acting.authorization), read)


def _table(answer: PageAnswer) -> StatisticsTable | None:
    counted = answer.data.get("statistics")
    return None if counted is None else view_statistics(counted)


def _refused(
    request: Request, choice: StatisticsChoice, acting: PageCaller, answer: PageAnswer
) -> Response:
    chosen = choice.find_record(_databases(request))
    faults: Mapping[str, Text] = {}
    if not answer.codes.isdisjoint({"INVALID_VALUE", "INVALID_VARIABLES"}):
        faults = (
            {RECORD: STATISTICS["no_such_record"]}
            if chosen is None
            else choice.faults(_dimensions(request, chosen))
        )
    return _page(
        request,
        choice,
        acting,
        answer.status,
        answer.headers,
        refusals=answer.problems(request),
        faults=faults,
        is_lacking="FORBIDDEN" in answer.codes,
    )


def _page(
    request: Request,
    choice: StatisticsChoice,
    acting: PageCaller,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Return the page; what is not in ``values`` is not shown."""
    databases, language = _databases(request), language_of(request)
    chosen, table = choice.find_record(databases), values.get("table")
    absent: dict[str, Any] = {"table": None, "refusals": (), "faults": {}, "is_lacking": False}
    keep = [("as", acting.demo_name)] if acting.demo_name else []
    lang = [(PARAMETER, language.code)] if language.code != "vi" else []
    other = [(PARAMETER, language.other.code)] if language.other.code != "vi" else []
    return render(
        request,
        "statistics.html",
        STATISTICS,
        status,
        headers,
        **{
            **absent,
            "caller": state_of(request.scope).caller,
            "acting": acting,
            "choice": choice,
            "fields": {"record": RECORD, "by": BY, "years": FROM},
            "databases": databases,
            "is_withheld_record": _is_withheld,
            "chosen": chosen,
            "is_withheld": chosen is not None and _is_withheld(chosen[1]),
            "dimensions": _dimensions(request, chosen),
            "hidden": [*lang, *keep],
            "file_address": f"/statistics.csv{choice.address(*lang, *keep)}",
            "switch_address": choice.address(*other, *keep) if choice.is_complete else None,
            "figure": _figure(table, language),
            "count": lambda number: say_count(number, language),
            **values,
        },
    )


def _figure(table: StatisticsTable | None, language: Any) -> Any:
    """Return the charts; None where there is nothing to draw."""
    return draw_figure(table, language) if table and table.counts and table.dimensions else None


def _databases(request: Request) -> Sequence[Database]:
    service: Service = request.app.state.service
    return [source.database for source in service.resources.sources.values()]


def _is_withheld(record: Record) -> bool:
    """Return whether the law withholds a record from everybody."""
    return PROTECTION.is_withheld(record, ANONYMOUS, is_own_view=False)


def _dimensions(request: Request, chosen: tuple[Database, Record] | None) -> tuple[Dimension, ...]:
    if chosen is None:
        return ()
    service: Service = request.app.state.service
    today = legal_date(service.resources.clock.now())
    return dimensions_of(chosen[1], today.replace(day=1))
