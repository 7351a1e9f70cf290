"""The addresses of pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from gateway.keys.keyring import load_ring
from gateway.pages.form_tokens import FormTokens
from gateway.pages.procedures import ProcedurePage, show_procedures
from gateway.pages.rendering import show_file
from gateway.runtime.clock import Clock
from gateway.settings import Settings


def page_routes(settings: Settings, clock: Clock) -> list[BaseRoute]:
    """Return the routes; their names stand in the log of requests and in metrics.

    Raises what ``gateway.keys.keyring.load_ring`` raises.
    """
    page = ProcedurePage(FormTokens(load_ring(settings, "cache"), clock))
    return [
        Route("/procedures", show_procedures, name="procedures"),
        Route("/procedures/{code}", page.show, methods=["GET"], name="procedure"),
        Route("/procedures/{code}", page.check, methods=["POST"], name="check"),
        Route("/pages/{digest}/{name}", show_file, name="pages"),
    ]
