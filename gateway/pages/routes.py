"""The addresses of pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from gateway.keys.keyring import load_ring
from gateway.pages.catalogue import ContractPage, DatabasePage, show_catalogue, show_nothing
from gateway.pages.form_tokens import FormTokens
from gateway.pages.operations import OperationPage, show_operations
from gateway.pages.person.citizen_page import CitizenPage
from gateway.pages.person.officer_page import PersonPage
from gateway.pages.procedures import ProcedurePage, show_procedures
from gateway.pages.rendering import show_file
from gateway.pages.sign_in import sign_in_routes, with_session
from gateway.pages.statistics import download_statistics, show_statistics
from gateway.pages.status import show_status
from gateway.runtime.clock import Clock
from gateway.settings import Settings


def page_routes(settings: Settings, clock: Clock) -> list[BaseRoute]:
    """Return the routes; their names stand in the log of requests and in metrics.

    Raises what ``gateway.keys.keyring.load_ring`` raises.
    """
    tokens = FormTokens(load_ring(settings, "cache"), clock)
    page, operation = ProcedurePage(tokens), OperationPage(tokens)
    person, citizen = PersonPage(tokens), CitizenPage(tokens)
    pages = [
        Route("/person", person.show, methods=["GET"], name="person"),
        Route("/person", person.look, methods=["POST"], name="person-view"),
        Route("/me", citizen.show, methods=["GET"], name="me"),
        Route("/me", citizen.page, methods=["POST"], name="me-page"),
        Route("/me/corrections/{rule}", citizen.correct, methods=["GET"], name="me-correction"),
        Route("/procedures", show_procedures, name="procedures"),
        Route("/procedures/{code}", page.show, methods=["GET"], name="procedure"),
        Route("/procedures/{code}", page.check, methods=["POST"], name="check"),
        Route("/catalogue", show_catalogue, name="catalogue"),
        Route("/catalogue/{database}", DatabasePage().show, name="database"),
        Route("/catalogue/{database}/contract.yaml", ContractPage().send, name="contract"),
        Route("/catalogue/{rest:path}", show_nothing, name="no-database"),
        Route("/status", show_status, name="status"),
        Route("/operations", show_operations, name="operation-pages"),
        Route("/operations/{name}/try", operation.show, methods=["GET"], name="operation-page"),
        Route("/operations/{name}/try", operation.call, methods=["POST"], name="operation-trial"),
        Route("/statistics", show_statistics, name="statistics"),
        Route("/statistics.csv", download_statistics, name="statistics.csv"),
        *sign_in_routes(),
    ]
    return [*map(with_session, pages), Route("/pages/{digest}/{name}", show_file, name="pages")]
