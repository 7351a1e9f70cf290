"""``/catalogue``: all databases; ``/catalogue/{database}``: its data dictionary and contract.

Who may see what is decided as elsewhere: titles, owners, lifecycle and live state are for
everybody, as in the GraphQL field ``databases``; fields are for those who may read
``/schema.graphql``, measurements for those who may read ``/metrics``. No database is asked.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.errors import GatewayError, unauthenticated
from gateway.fetch.source import Source
from gateway.pages.contract import make_contract, write_contract
from gateway.pages.coverage_view import view_coverage
from gateway.pages.dictionary import make_dictionary
from gateway.pages.languages import Language, language_of
from gateway.pages.page_caller import find_page_caller
from gateway.pages.phrases.catalogue import CATALOGUE
from gateway.pages.refusal import show_refusal
from gateway.pages.rendering import render, render_part
from gateway.pages.source_view import (
    group_sources,
    may_see_fields,
    may_see_figures,
    view_source,
)
from gateway.request import authenticate_request, state_of
from gateway.service import Service

_ADDRESS = "/catalogue"
#: RFC 9512; the ending ``.odcs.yaml`` is that by which editors know the standard.
_YAML = "application/yaml"


async def show_catalogue(request: Request) -> Response:
    """Answer with all databases in their groups."""
    service: Service = request.app.state.service
    try:
        caller = await _authenticate(request)
    except GatewayError as error:
        return show_refusal(request, error)
    resources = service.resources
    now, with_figures = resources.clock.now(), may_see_figures(service, caller)
    views = [
        view_source(source, now, with_figures=with_figures) for source in resources.sources.values()
    ]
    return render(
        request,
        "catalogue.html",
        CATALOGUE,
        groups=group_sources(views),
        with_figures=with_figures,
        now=now.isoformat(),
    )


class DatabasePage:
    """The pages of databases.

    A dictionary takes some 40 ms to write. Nothing in it depends on who looks beyond whether fields
    may be seen, so it is written once; again after a reload of the settings of its database.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str, bool], tuple[Source, Any]] = {}

    async def show(self, request: Request) -> Response:
        """Answer with a database and its data dictionary."""
        service: Service = request.app.state.service
        try:
            caller = await _authenticate(request)
            source = _require_source(request)
        except GatewayError as error:
            return show_refusal(request, error, _ADDRESS)
        now, with_figures = service.resources.clock.now(), may_see_figures(service, caller)
        with_fields = may_see_fields(service, caller)
        return render(
            request,
            "database.html",
            CATALOGUE,
            view=view_source(source, now, with_figures=with_figures),
            coverage_of=view_coverage,
            dictionary=await self._write(source, service, language_of(request), with_fields),
            with_fields=with_fields,
            now=now.isoformat(),
        )

    async def _write(
        self, source: Source, service: Service, language: Language, with_fields: bool
    ) -> Any:
        """Return the dictionary of a database as it stands on the page."""
        key = (source.database.name, language.code, with_fields)
        written_from, part = self._parts.get(key, (None, None))
        if written_from is not source:
            part = await asyncio.to_thread(_dictionary, source, service, language, with_fields)
            self._parts[key] = (source, part)
        return part


class ContractPage:
    """The data contracts, as files. Each is made once; again after a reload of its settings."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[Source, bytes]] = {}

    async def send(self, request: Request) -> Response:
        """Answer with the contract of a database, to those who may see the schema."""
        service: Service = request.app.state.service
        try:
            caller = await _authenticate(request)
            if not may_see_fields(service, caller):
                raise (
                    unauthenticated("UNAUTHENTICATED")
                    if caller.is_anonymous
                    else GatewayError("INTROSPECTION_DENIED")
                )
            source = _require_source(request)
        except GatewayError as error:
            return show_refusal(request, error, _ADDRESS)
        name = source.database.name
        contract_source, content = self._files.get(name, (None, b""))
        if contract_source is not source:
            content = await asyncio.to_thread(_contract, source, service)
            self._files[name] = (source, content)
        headers = {
            "content-disposition": f'attachment; filename="{name}.odcs.yaml"',
            "cache-control": "no-store",
        }
        return Response(content, media_type=_YAML, headers=headers)


async def show_nothing(request: Request) -> Response:
    """Answer below ``/catalogue`` where there is nothing."""
    return show_refusal(request, GatewayError("NOT_FOUND"), _ADDRESS)


def _dictionary(source: Source, service: Service, language: Language, with_fields: bool) -> Any:
    resources = service.resources
    dictionary = make_dictionary(
        source, resources.schema, with_fields=with_fields, is_demo=resources.settings.demo
    )
    return render_part(
        "dictionary.html",
        CATALOGUE,
        language,
        dictionary=dictionary,
        with_fields=with_fields,
        coverage_of=view_coverage,
    )


def _contract(source: Source, service: Service) -> bytes:
    contract = make_contract(source, service.resources.schema, version("justice-gateway"))
    return write_contract(contract)


async def _authenticate(request: Request) -> Caller:
    """Return who looks, counted towards their rate; raises GatewayError."""
    service: Service = request.app.state.service
    reader = await find_page_caller(request, lambda _: True)
    headers = CallerHeaders(reader.authorization)
    return (await authenticate_request(service, state_of(request.scope), headers)).caller


def _require_source(request: Request) -> Source:
    """Return the source that the address names; raises GatewayError NOT_FOUND."""
    service: Service = request.app.state.service
    source = service.resources.sources.get(request.path_params["database"])
    if source is None:
        raise GatewayError("NOT_FOUND")
    return source
