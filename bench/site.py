"""A gateway over the population in memory: settings, keys, a caller and a document.

All seven databases operate, as in the demo; the caller is the demo's ``bench``, with rates that no
run reaches. Everything else is the default: limits, deadlines, and a journal that is on disk before
an answer leaves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.applications import Starlette

from bench.world import backends, databases, document
from connectors.description import Group
from gateway.access.caller import Caller
from gateway.access.tokens import issue
from gateway.app import build_app
from gateway.execution.execute import execute
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.prepare import prepare
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_signing
from gateway.procedures.procedure import UNIFIED
from gateway.runtime.clock import SystemClock
from gateway.service import Service
from gateway.settings import Client, DatabaseSettings, Limits, Settings, load

#: What every request says it is for.
CASE_NUMBER = "bench/1"
_CLIENT = "bench"
_RATES = Client(requests_per_minute=10**9, cost_per_minute=10**13)


def settings(folder: Path, limits: Limits | None = None) -> Settings:
    """Return settings under which all databases operate; keys are made where there are none."""
    operating = {database.name: DatabaseSettings(group=Group.OPERATING) for database in databases()}
    built: Settings = load(
        folder=folder,
        demo=True,
        databases=operating,
        limits=limits or Limits(),
        clients={_CLIENT: _RATES},
    )
    create_missing(built, demo=True)
    return built


def application(folder: Path, people: int, limits: Limits | None = None) -> Starlette:
    """Return the application over ``people``."""
    return build_app(settings(folder, limits), databases(), backends=backends(people))


#: What of the databases is read.
_ACTIONS = ("read", "sensitive")


def token(
    configuration: Settings,
    actions: Sequence[str] = _ACTIONS,
    *,
    subject: str = "bench",
    without: Collection[str] = (),
) -> str:
    """Return a token that reads all of the seven databases but what is restricted.

    ``actions``: what its scopes permit. ``without``: the databases that it does not read.
    """
    names = [database.name for database in databases() if database.name not in without]
    return issue(
        load_signing(configuration, "token")[0],
        configuration.access,
        SystemClock().now(),
        subject=subject,
        client=_CLIENT,
        scopes=[f"{name}:{action}" for name in names for action in actions],
        purposes=[UNIFIED],
        agency="bench",
    )


def headers(
    configuration: Settings,
    actions: Sequence[str] = _ACTIONS,
    *,
    subject: str = "bench",
    without: Collection[str] = (),
) -> dict[str, str]:
    """Return the headers of every request: the token, the purpose and the case."""
    bearer = token(configuration, actions, subject=subject, without=without)
    return {
        "Authorization": f"Bearer {bearer}",
        "X-Purpose": UNIFIED,
        "X-Case-Number": CASE_NUMBER,
    }


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway in this process. ``text``: the document of its requests."""

    service: Service
    caller: Caller
    text: str

    async def prepare(self, number: str) -> tuple[OperationRequest, ExecutableOperation]:
        """Prepare W1 about ``number``, as ``gateway.request`` does."""
        service = self.service
        deadline = service.resources.clock.monotonic() + service.resources.settings.limits.deadline
        document = await service.resources.plans.document(self.text, self.caller.client)
        operation = document.operation(None)
        variables: Mapping[str, object] = {"id": number}
        request = OperationRequest(document, operation, variables, self.caller, deadline)
        executable = await prepare(service.resources, request)
        assert executable is not None
        assert executable.plan is not None
        return request, executable

    async def answer(self, number: str) -> Result:
        """Answer W1 about ``number`` by its plan."""
        request, executable = await self.prepare(number)
        return await execute(self.service.resources, request, executable)


@asynccontextmanager
async def site(folder: Path, people: int, limits: Limits | None = None) -> AsyncIterator[Site]:
    """Run a gateway in this process until the block ends."""
    app = application(folder, people, limits)
    async with app.router.lifespan_context(app):
        service: Service = app.state.service
        verified = service.tokens.verify(token(service.resources.settings))
        caller = replace(verified, purpose=UNIFIED, case_number=CASE_NUMBER)
        yield Site(service, caller, document())
