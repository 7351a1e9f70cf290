"""What a visit sends while rights, interests and settings change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.webhook import WebhookState
from tests.support.people import HOA
from tests.support.running import Running
from tests.support.webhook_receivers import Received, accept
from tests.support.webhooks import NOTARY, Hooks, hooks, webhook_gateway

BLOCK = LifeEventKind.BLOCK_PLACED

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with webhook_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    service = gateway.app.state.service
    async with hooks(gateway, tmp_path, batch=2) as at:
        yield at
    gateway.app.state.service = service


def take_purposes(at: Hooks) -> None:
    """Reload settings under which no purpose may follow anything."""
    service = at.gateway.service
    settings = service.resources.settings.model_copy(update={"purposes": {}})
    resources = replace(service.resources, settings=settings)
    at.gateway.app.state.service = replace(service, resources=resources)


async def test_a_visit_holds_to_settings_that_are_reloaded_meanwhile(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    for _ in range(3):
        await at.feeds.happen(BLOCK)

    def behave(received: Received) -> bytes | None:
        take_purposes(at)
        return accept(received)

    at.endpoint.behave = behave
    assert await at.visit() == 2
    assert len(at.endpoint.deliveries) == 1
    assert (await at.progress(webhook)).state is WebhookState.RIGHTS_SUSPENDED
    assert len(await at.pending(webhook)) == 1
