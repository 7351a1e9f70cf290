"""A gateway in this process, reached over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from graphql import GraphQLSchema
from joserfc.jwk import OKPKey
from starlette.applications import Starlette
from starlette.types import ASGIApp

from connectors.backends.base import Backend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database
from connectors.population import DATABASE as POPULATION
from gateway.access.tokens import issue
from gateway.app import build_app
from gateway.execution.execute import execute
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.plan_cache import Compiler
from gateway.execution.resources import ExecutionResources
from gateway.keys.files import create_missing
from gateway.keys.keyring import key_text, load_signing
from gateway.procedures.procedure import UNIFIED
from gateway.schema.build import build_schema
from gateway.service import Execute, Service
from gateway.settings import DatabaseSettings, Limits, RateLimits, Settings, load
from tests.support.compiling import SHARED, with_tree
from tests.support.journals import entries
from tests.support.people import backends as cast

OFFICER = ("population:read", "civil_status:read", "civil_status:sensitive")
#: What executes operations; tests of both executors put the reference executor here.
EXECUTE: Execute = execute
OPERATOR = ("introspect", "operate")
CASE_NUMBER = "000.00.11.H29-261123-0001"
_PLENTY = Limits(
    deadline=120, new_documents_per_minute=1_000_000, trial_documents_per_minute=1_000_000
)


@dataclass
class TestClock:
    """A clock that stands still until a test moves it."""

    __test__ = False
    moment: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 3, tzinfo=UTC))
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass(frozen=True)
class Running:
    """A started gateway, its folder, and a client that talks to it."""

    app: Starlette
    folder: Path
    clock: TestClock
    client: httpx2.AsyncClient

    @property
    def service(self) -> Service:
        """What the gateway consists of now."""
        service: Service = self.app.state.service
        return service

    def token(
        self,
        *scopes: str,
        subject: str = "officer-1",
        client: str = "test-client",
        purposes: Sequence[str] = (UNIFIED,),
        life: timedelta = timedelta(hours=1),
        agency: str | None = None,
    ) -> str:
        """Return a token signed with the gateway's key."""
        access = self.service.resources.settings.access
        return issue(
            signing_key(self.service.resources.settings),
            access,
            self.clock.now(),
            subject=subject,
            client=client,
            scopes=scopes,
            purposes=purposes,
            life=life,
            agency=agency,
        )

    async def post(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        token: str | None = None,
        **headers: str,
    ) -> httpx2.Response:
        """POST a document; without a token as an anonymous caller.

        With a token the purpose and the case number are stated too: those that cover everything,
        unless others are given; an empty one is left out.
        """
        if token is not None:
            stated = {"x_purpose": UNIFIED, "x_case_number": CASE_NUMBER}
            headers = {"authorization": f"Bearer {token}", **stated, **headers}
        named_headers = {name.replace("_", "-"): value for name, value in headers.items() if value}
        body = {"query": query, "variables": variables}
        return await self.client.post("/graphql", json=body, headers=named_headers)

    async def ask(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        scopes: Sequence[str] = OFFICER,
        **token: Any,
    ) -> dict[str, Any]:
        """Ask as a caller with ``scopes`` and return the body of the answer."""
        answer = await self.post(query, variables, self.token(*scopes, **token))
        body: dict[str, Any] = answer.json()
        return body

    async def pass_time(self, seconds: float) -> None:
        """Move the clock, and wait until the log of invalidations is known at its new time."""
        self.clock.advance(seconds)
        async with asyncio.timeout(20):
            while self.service.resources.cache.position() is None:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.005)  # between two looks, not instead of one

    def journal(self) -> list[dict[str, Any]]:
        """Return the entries in the journal so far."""
        return entries(self.folder / self.service.resources.settings.audit.folder)


async def execute_field_by_field(
    resources: ExecutionResources,
    request: OperationRequest,
    executable: ExecutableOperation | None,
) -> Result:
    """Execute an operation with the reference executor, though it has a plan."""
    if executable is not None:
        executable = replace(executable, unplanned="test")
        request = replace(request, document=with_tree(request.document))
    return await execute(resources, request, executable)


#: Keys that sign tokens, by the text that they stand in: parsing takes longer than signing.
_KEYS: dict[str, OKPKey] = {}


def signing_key(settings: Settings) -> OKPKey:
    """Return the key that signs tokens now."""
    text, _ = key_text(settings, "token")
    key = _KEYS.get(text)
    if key is None:
        key = _KEYS[text] = load_signing(settings, "token")[0]
    return key


@cache
def built(databases: tuple[Database, ...]) -> GraphQLSchema:
    """Return the schema of ``databases``, built once a process: it is most of a gateway's start."""
    return build_schema(databases)


@asynccontextmanager
async def running(
    folder: Path,
    backends: Mapping[str, Backend] | None = None,
    databases: Sequence[Database] = (POPULATION, CIVIL_STATUS),
    databases_: Mapping[str, DatabaseSettings] | None = None,
    execute: Execute | None = None,
    compiler: Compiler | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Run a gateway over ``backends`` (the cast of ``people`` if none are given).

    ``databases_`` are the settings of databases, by name; ``demo=False`` is production.
    ``execute`` executes operations (``EXECUTE`` if it isn't given), and ``compiler`` makes their
    plans (without it, those of this process are shared). What is not said otherwise has time enough
    for a busy machine: only tests of timeouts are about time.
    """
    patient = {database.name: DatabaseSettings(timeout=120) for database in databases}
    settings.setdefault("demo", True)
    settings.setdefault("rates", RateLimits(enforced=False))
    settings.setdefault("limits", _PLENTY)
    loaded: Settings = load(folder=folder, databases={**patient, **(databases_ or {})}, **settings)
    create_missing(loaded, demo=loaded.demo)
    clock = TestClock()
    used_backends = cast() if backends is None else backends
    schema = built(tuple(databases))
    app = build_app(
        loaded,
        databases,
        backends=used_backends,
        clock=clock,
        schema=schema,
        compiler=SHARED if compiler is None else compiler,
    )
    app.state.service = replace(app.state.service, execute=execute or EXECUTE)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield Running(app, folder, clock, client)


def application(gateway: Running) -> ASGIApp:
    """Return the application behind a running gateway's client."""
    return gateway.app


def codes(body: Mapping[str, Any]) -> list[str]:
    """Return the codes of the errors in an answer."""
    return [error["extensions"]["code"] for error in body.get("errors", [])]
