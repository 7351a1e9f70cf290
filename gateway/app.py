"""The application: settings and declared databases made into a running gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from connectors.backends.base import Backend
from connectors.description import Database
from gateway.access.authenticate import Callers
from gateway.access.tokens import Tokens
from gateway.app_reload import Reload
from gateway.ask_again import AskAgain
from gateway.audit.access_log.interests import InterestLog
from gateway.audit.access_log.log import PersonLog
from gateway.audit.entry import person_hash
from gateway.audit.open import AuditLog
from gateway.audit.record import Recorder
from gateway.audit.refusal_counts import RefusalCounts
from gateway.cache.answer_store import AnswerStore
from gateway.catalogue.sections import Bindings, bind_sections
from gateway.changes.changes import Changes
from gateway.changes.interests import InterestStore
from gateway.changes.redis_interests import RedisInterests
from gateway.changes.sealed_interests import SealedInterests
from gateway.changes.sqlite_interests import SqliteInterests
from gateway.changes.webhooks.registry import Webhooks
from gateway.databases.change_sources import make_change_source
from gateway.databases.publishing import Publishing
from gateway.databases.startup_checks import DatabaseWatch
from gateway.databases.wiring import load_maintenance, make_cache, make_sources
from gateway.execution.plan_cache import Compiler, PlanCache
from gateway.execution.record_ids import RecordIds
from gateway.execution.repeated_requests import RepeatedRequests
from gateway.execution.resources import ExecutionResources
from gateway.federation.subgraph import show_subgraph
from gateway.fetch.source import Source
from gateway.http import graphiql
from gateway.http.cors import cross_origin
from gateway.http.endpoint import Endpoint
from gateway.http.envelope import Envelope
from gateway.http.front import FrontDoor
from gateway.http.home import HomeEndpoint
from gateway.http.invalidations import Invalidations
from gateway.http.keys import show_keys
from gateway.http.openapi import OpenApi
from gateway.http.parameters import read_operation, read_parameters
from gateway.http.probes import (
    routing_error,
    show_liveness,
    show_metrics,
    show_readiness,
    show_schema,
)
from gateway.http.telemetry import Telemetry
from gateway.http.websocket import STOP_STREAMS
from gateway.keys.keyring import check_keys, load_ring
from gateway.limits.admission import Admission
from gateway.limits.rates import RateLimiter
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.limits.verification_attempts import VerificationAttempts
from gateway.operations.library import OperationLibrary
from gateway.operations.publish import publish
from gateway.pages.home import show_home
from gateway.pages.routes import page_routes
from gateway.pages.sign_in import with_session
from gateway.receipts.issue import ReceiptIssuer
from gateway.runtime.clock import Clock, SystemClock
from gateway.schema.build import build_schema
from gateway.schema.texts import schema_text
from gateway.service import Service
from gateway.sessions.sessions import Sessions
from gateway.settings import Settings
from gateway.statistics.snapshots import Snapshots
from gateway.subscriptions.event_stream import EventStreamEndpoint
from gateway.subscriptions.streams import Streams
from gateway.subscriptions.websocket import SocketEndpoint
from gateway.tickets.redis_store import RedisTickets
from gateway.tickets.sqlite_store import SqliteTickets
from gateway.tickets.tickets import Tickets
from gateway.webhooks.deliveries import WebhookDeliveries


def build_app(
    settings: Settings,
    databases: Iterable[Database],
    *,
    backends: Mapping[str, Backend] | None = None,
    clock: Clock | None = None,
    read: Callable[[], Settings] | None = None,
    file: Path | None = None,
    schema: GraphQLSchema | None = None,
    compiler: Compiler | None = None,
) -> Starlette:
    """Return the ASGI application over ``databases``.

    ``read`` returns the settings anew, those of ``file``; without it they are never reloaded.
    ``backends`` take the place of what settings name (tests hand in theirs). ``schema``: that of
    ``databases``, where it is built already: building it is most of a start. ``compiler`` makes
    documents and plans. Keys are read here: FileNotFoundError and ValueError name what is missing.
    Raises ValueError for settings of a database that nobody declares.
    """
    declared = tuple(databases)
    used_clock = clock or SystemClock()
    service = _service(settings, declared, backends or {}, used_clock, schema, compiler)
    watch = DatabaseWatch(service.resources.clock)
    publishing = Publishing(make_change_source)
    publishing.check(settings, declared)

    def make_reload(app: Starlette) -> Reload | None:
        return None if read is None else Reload(app, declared, read, file, watch, publishing)

    app = FrontDoor(
        settings.documentation,
        cross_origin(settings),
        routes=_routes(settings, service.resources.clock),
        middleware=[
            Middleware(Telemetry),
            Middleware(Envelope, settings.documentation),
        ],
        exception_handlers={HTTPException: routing_error},
        lifespan=partial(_lifespan, service, watch, publishing, make_reload),
    )
    app.router.redirect_slashes = False  # it would answer with an address made of the Host header
    app.state.service = service
    app.state.publishing = publishing
    return app


@asynccontextmanager
async def _lifespan(
    service: Service,
    watch: DatabaseWatch,
    publishing: Publishing,
    make_reload: Callable[[Starlette], Reload | None],
    app: Starlette,
) -> AsyncIterator[dict[str, object]]:
    """Open what requests share and start the background tasks; afterwards end and close them."""
    reload = app.state.reload = make_reload(app)
    again = app.state.ask_again = AskAgain(app)
    streams = app.state.streams = Streams(app)
    deliveries = app.state.webhooks = WebhookDeliveries(app, service.resources.webhooks)
    service.audit.open()
    try:
        await _open(service, watch)
        await publishing.open(service.resources)
        if reload is not None:
            reload.listen()
        again.start()
        streams.start()
        deliveries.start()
        yield {STOP_STREAMS: streams.stop}
    finally:
        await streams.close()
        await deliveries.close()
        await again.close()
        if reload is not None:
            await reload.close()
        await watch.close()
        await publishing.close()
        await _close(service, app.state.service.resources.sources.values())


async def _open(service: Service, watch: DatabaseWatch) -> None:
    """Open what requests share, and watch its sources."""
    await service.tokens.open()
    await service.rates.open()
    await service.resources.cache.open()
    await service.operations.open()
    for source in service.resources.sources.values():
        await source.open()
        watch.watch(source)


async def _close(service: Service, sources: Iterable[Source]) -> None:
    """Close what requests share; ``sources``: those of the last reload."""
    await service.tokens.close()
    await service.rates.close()
    await service.operations.close()
    await service.resources.gatherer.close()
    for source in sources:
        await source.close()
    await service.resources.cache.close()
    await service.resources.tickets.store.close()
    await service.resources.interests.close()
    if service.sessions is not None:
        await service.sessions.close()
    await service.recorder.refusals.close()
    await service.audit.close()
    service.resources.plans.close()


def _routes(settings: Settings, clock: Clock) -> list[BaseRoute]:
    """Return the routes; their names stand in the log of requests and in metrics."""
    graphql = Endpoint(read_parameters, graphql=True)
    operations = Endpoint(read_operation, graphql=False)
    return [
        with_session(Route("/", HomeEndpoint(show_home).respond, name="home")),
        Route("/graphql", EventStreamEndpoint(graphql, read_parameters), name="graphql"),
        WebSocketRoute("/graphql", SocketEndpoint(), name="websocket"),
        Route("/invalidations", Invalidations(), name="invalidations"),
        Route("/openapi.json", OpenApi().respond, name="openapi"),
        Route("/operations/{name}", operations, name="operations"),
        *graphiql.routes(settings),
        Route("/keys", show_keys, name="keys"),
        *page_routes(settings, clock),
        Route("/schema.graphql", show_schema, name="schema"),
        Route("/subgraph.graphql", show_subgraph, name="subgraph"),
        Route("/metrics", show_metrics, name="metrics"),
        Route("/health/live", show_liveness, name="live"),
        Route("/health/ready", show_readiness, name="ready"),
    ]


def _service(
    settings: Settings,
    databases: tuple[Database, ...],
    backends: Mapping[str, Backend],
    clock: Clock,
    schema: GraphQLSchema | None,
    compiler: Compiler | None,
) -> Service:
    check_keys(settings)
    maintenance = load_maintenance(settings, clock)
    cache = make_cache(settings, clock, load_ring(settings, "cache"))
    sources = make_sources(settings, databases, backends, clock, maintenance, cache=cache)
    graphql_schema = schema or build_schema(databases)
    bindings = bind_sections(databases)
    make_plans = partial(
        PlanCache, graphql_schema, bindings, settings.limits, clock, compiler=compiler
    )
    plans = make_plans()
    audit = AuditLog.from_settings(settings, clock)
    hashes = load_ring(settings, "person_hash")
    interests = _interests(settings)
    secret = load_ring(settings, "cache").current.key
    rates = RateLimiter.from_settings(settings, clock, secret)
    tokens = Tokens.from_settings(settings, clock)
    resources = ExecutionResources(
        settings=settings,
        clock=clock,
        tokens=tokens,
        schema=graphql_schema,
        plans=plans,
        trials=make_plans(trials_of=plans),
        sources=sources,
        maintenance=maintenance,
        cache=cache,
        answers=AnswerStore(cache, settings.cache.answer_bytes),
        log=PersonLog(
            audit,
            hashes,
            clock,
            settings.limits.deadline / 2,
            InterestLog(interests, settings),
        ),
        recorder=Recorder(audit.journal, RefusalCounts(audit.journal, clock), hashes, clock),
        attempts=VerificationAttempts(
            settings.rates, clock, rates.shared, secret, partial(person_hash, hashes)
        ),
        person_hash=hashes,
        record_ids=RecordIds(load_ring(settings, "record_id").oldest),
        receipts=ReceiptIssuer.from_settings(settings, clock),
        tickets=_tickets(settings, clock),
        interests=interests,
        snapshots=Snapshots.from_settings(settings),
        webhooks=Webhooks.from_settings(settings, clock),
        changes=Changes.from_settings(settings, databases, clock, make_change_source),
    )
    return Service(
        resources=resources,
        schema_text=schema_text(graphql_schema),
        rates=rates,
        admission=Admission(settings.rates.in_flight, settings.limits.deadline),
        callers=Callers(tokens),
        audit=audit,
        operations=_operations(settings, graphql_schema, bindings),
        unidentified=UnidentifiedAnswers(settings.rates, clock, rates.shared, secret),
        repeated=RepeatedRequests(),
        sessions=Sessions.from_settings(settings, clock, tokens),
    )


def _tickets(settings: Settings, clock: Clock) -> Tickets:
    redis = settings.redis_with_password()
    is_shared = redis.url is not None
    store = (
        RedisTickets(redis) if is_shared else SqliteTickets(settings.path(settings.tickets.file))
    )
    hold_seconds = max(settings.tickets.interval_seconds, 2 * settings.limits.deadline)
    return Tickets(store, settings.tickets, load_ring(settings, "cache"), clock, hold_seconds)


def _interests(settings: Settings) -> InterestStore:
    redis = settings.redis_with_password()
    file = settings.path(settings.interests.file)
    store = SqliteInterests(file) if redis.url is None else RedisInterests(redis)
    return SealedInterests(store, load_ring(settings, "cache"))


def _operations(settings: Settings, schema: GraphQLSchema, bindings: Bindings) -> OperationLibrary:
    operations = settings.operations
    folder = None if operations.folder is None else settings.path(operations.folder)
    make = partial(publish, schema, bindings, settings.limits, settings.demo)
    return OperationLibrary(folder, make, operations.reload_seconds)
