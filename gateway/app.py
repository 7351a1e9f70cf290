"""The application: settings and declared databases made into a running gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from graphql import GraphQLSchema
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from connectors.backends.base import Backend
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.description import Database
from connectors.xroad.backend import XroadBackend, XroadOptions
from connectors.xroad.identifiers import identifier
from gateway.access.tokens import Tokens
from gateway.audit.log import AuditLog
from gateway.audit.person_log import PersonLog
from gateway.clock import Clock, SystemClock
from gateway.fetch.source import Source
from gateway.http import graphiql
from gateway.http.graphql import Endpoint
from gateway.http.middleware import Envelope
from gateway.http.openapi import OpenApi
from gateway.http.pages import http_error, live, metrics, ready, schema
from gateway.http.request import read_call, read_operation
from gateway.keys import check_keys, load_ring
from gateway.limits.admission import Admission
from gateway.limits.guesses import Guesses
from gateway.limits.rates import Rates
from gateway.maintenance import Maintenance, Window
from gateway.operations.publishing import publish
from gateway.operations.registry import Operations
from gateway.plan.bindings import Bindings, bind
from gateway.plans import Plans
from gateway.schema.build import build_schema, schema_text
from gateway.service import Service
from gateway.settings import DatabaseSettings, Settings, Xroad


def build_app(
    settings: Settings,
    databases: Iterable[Database],
    *,
    backends: Mapping[str, Backend] | None = None,
    clock: Clock | None = None,
) -> Starlette:
    """Return the ASGI application over ``databases``.

    ``backends`` take the place of what settings name (tests hand in theirs). Keys are read here:
    FileNotFoundError and ValueError name what is missing. Raises ValueError for settings of a
    database that nobody declares.
    """
    declared = tuple(databases)
    names = [one.name for one in declared]
    for unknown in sorted(settings.databases.keys() - set(names)):
        there = ", ".join(sorted(names))
        raise ValueError(f"databases.{unknown}: nobody declares it; there are {there}")
    service = _service(settings, declared, backends or {}, clock or SystemClock())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.audit.open()
        try:
            await service.tokens.open()
            await service.rates.open()
            await service.operations.open()
            for source in service.sources.values():
                if source.backend is not None:
                    await source.backend.open()
            yield
        finally:
            await service.tokens.close()
            await service.rates.close()
            await service.operations.close()
            for source in service.sources.values():
                if source.backend is not None:
                    await source.backend.close()
            await service.audit.close()
            service.plans.close()

    app = Starlette(
        routes=[
            Route("/graphql", Endpoint(read_call, graphql=True)),
            Route("/openapi.json", OpenApi().respond),
            Route("/operations/{name}", Endpoint(read_operation, graphql=False)),
            *graphiql.routes(settings),
            Route("/schema.graphql", schema),
            Route("/metrics", metrics),
            Route("/health/live", live),
            Route("/health/ready", ready),
        ],
        middleware=[Middleware(Envelope)],
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # it would answer with an address made of the Host header
    app.state.service = service
    return app


def _service(
    settings: Settings,
    databases: tuple[Database, ...],
    backends: Mapping[str, Backend],
    clock: Clock,
) -> Service:
    check_keys(settings)
    maintenance = _maintenance(settings, clock)
    sources = {}
    for one in databases:
        own = settings.databases.get(one.name, DatabaseSettings())
        backend = backends.get(one.name) or _backend(one, settings, own)
        sources[one.name] = Source(one, backend, own, clock, maintenance, settings.limits.deadline)
    graphql_schema, bindings = build_schema(databases), bind(databases)
    audit = AuditLog.configured(settings, clock)
    hashes = load_ring(settings, "person_hash")
    return Service(
        settings=settings,
        clock=clock,
        schema=graphql_schema,
        schema_text=schema_text(graphql_schema),
        plans=Plans(graphql_schema, bindings, settings.limits, clock),
        rates=Rates.configured(settings, clock, load_ring(settings, "cache").current.key),
        admission=Admission(settings.rates.in_flight, settings.limits.deadline),
        tokens=Tokens.configured(settings, clock),
        sources=sources,
        maintenance=maintenance,
        journal=audit.journal,
        audit=audit,
        operations=_operations(settings, graphql_schema, bindings),
        guesses=Guesses(settings.rates, clock),
        log=PersonLog(audit, hashes, clock, settings.limits.deadline / 2),
        person_hash=hashes,
    )


def _maintenance(settings: Settings, clock: Clock) -> Maintenance:
    fixed = {
        name: [Window(name, window.begins, window.ends) for window in one.maintenance_windows]
        for name, one in settings.databases.items()
    }
    return Maintenance(settings.path(settings.maintenance), clock, fixed)


def _operations(settings: Settings, schema: GraphQLSchema, bindings: Bindings) -> Operations:
    wanted = settings.operations
    folder = None if wanted.folder is None else settings.path(wanted.folder)
    make = partial(publish, schema, bindings, settings.limits, settings.demo)
    return Operations(folder, make, wanted.reload_seconds)


def _backend(database: Database, settings: Settings, own: DatabaseSettings) -> Backend | None:
    """Return the way to ``database``; a relative SQLite file is relative to the settings file."""
    if own.xroad is not None:
        return _xroad(database, settings, own, own.xroad)
    if own.url is None:
        return None
    parsed, url = None, own.url
    with suppress(ArgumentError):  # the backend refuses it, without repeating it
        parsed = make_url(url)
    if parsed is not None and parsed.get_backend_name() == "sqlite" and parsed.database:
        parsed = parsed.set(database=str(settings.path(Path(parsed.database)).absolute()))
        url = parsed.render_as_string(hide_password=False)
    try:
        return SqlBackend(
            database,
            url,
            pool_size=own.calls_in_flight,
            server=_server_options(settings, own),
            maps={name: one.as_map() for name, one in own.records.items()},
            zone=own.zone,
        )
    except ValueError as error:
        here = f"databases.{database.name}"
        text = str(error)
        raise ValueError(text if text.startswith(here) else f"{here}: {text}") from None


def _xroad(database: Database, settings: Settings, own: DatabaseSettings, xroad: Xroad) -> Backend:
    def path(file: Path | None) -> Path | None:
        return None if file is None else settings.path(file)

    server = xroad.security_server
    options = XroadOptions(
        server=xroad.server,
        client=identifier(xroad.client, (3, 4)),
        service=identifier(xroad.service, (5,)),
        security_server=None if server is None else identifier(server, (4,)),
        shared=xroad.shared,
        timeout=own.timeout + 0.5,
        connect_timeout=own.connect_timeout,
        connections=own.calls_in_flight,
        tls_ca=path(xroad.tls_ca),
        tls_certificate=path(xroad.tls_certificate),
        tls_key=path(xroad.tls_key),
    )
    try:
        return XroadBackend(database, options)
    except ValueError as error:
        raise ValueError(f"databases.{database.name}.xroad: {error}") from None


def _server_options(settings: Settings, own: DatabaseSettings) -> ServerOptions:
    secret, file = own.password, own.password_file

    def password() -> str:
        if secret is not None:
            return secret.get_secret_value()
        return "" if file is None else settings.path(file).read_text("utf-8").rstrip("\r\n")

    return ServerOptions(
        password=password,
        tls=own.tls,
        tls_ca=None if own.tls_ca is None else settings.path(own.tls_ca),
        connect_timeout=own.connect_timeout,
        # After the caller's own timeout, which says TIMED_OUT: this is for when it cannot.
        statement_timeout=own.timeout + 0.5,
        transaction_pooling=own.transaction_pooling,
    )
