"""``/status``: which databases answer now or are followed, and planned maintenance, for everybody.

It asks no database, and needs no token. Like ``/health/live`` it is not counted towards the rate of
anonymous callers: when that is used up, people want to know all the more what works. It costs about
1 ms.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.fetch.standing import SourceCondition
from gateway.pages.phrases.catalogue import CATALOGUE
from gateway.pages.rendering import render
from gateway.pages.source_view import view_source
from gateway.service import Service


async def show_status(request: Request) -> Response:
    """Answer with what works now."""
    service: Service = request.app.state.service
    resources = service.resources
    now = resources.clock.now()
    views = [view_source(source, now) for source in resources.sources.values()]
    operating = [
        view for view in views if view.standing.condition is not SourceCondition.NOT_OPERATING
    ]
    changes = resources.changes
    board = None if changes is None else changes.board
    return render(
        request,
        "status.html",
        CATALOGUE,
        operating=operating,
        others=[view for view in views if view not in operating],
        is_well=all(view.standing.condition is SourceCondition.ANSWERING for view in operating),
        planned=sorted(
            ((window, view.database) for view in views for window in view.standing.planned),
            key=lambda pair: pair[0].begins,
        ),
        followed=() if changes is None else changes.followed.keys(),
        statuses=None if board is None else await board.statuses(),
        is_plan_readable=resources.maintenance.is_readable,
        now=now.isoformat(),
    )
