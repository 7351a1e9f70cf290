"""What a visit sends while rights, interests and settings change.

Covers ``gateway.webhooks.confirm``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.access.revocations import revoke
from gateway.changes.event import LifeEventKind
from gateway.changes.feed import require_events
from gateway.changes.webhooks.webhook import WebhookState
from tests.support.memory_event_log import InterleavedLog
from tests.support.people import HOA, LAN
from tests.support.running import Running
from tests.support.webhook_receivers import Received, accept, reply
from tests.support.webhooks import NOTARY, Hooks, hooks

BLOCK = LifeEventKind.BLOCK_PLACED

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    service = gateway.app.state.service
    async with hooks(gateway, tmp_path, InterleavedLog(), batch=4) as at:
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
    for _ in range(5):
        await at.feeds.happen(BLOCK)

    def behave(received: Received) -> bytes | None:
        take_purposes(at)
        return accept(received)

    at.endpoint.behave = behave
    assert await at.visit() == 4
    assert len(at.endpoint.deliveries) == 1
    assert (await at.progress(webhook)).state is WebhookState.RIGHTS_SUSPENDED
    assert len(await at.pending(webhook)) == 1


def interleave(at: Hooks, before: int, act: Callable[[], Awaitable[object]]) -> None:
    """Do something before a call that the next visit makes of the log, the first being 0."""
    log = at.feeds.log
    assert isinstance(log, InterleavedLog)
    log.calls, log.before, log.act = 0, before, act


async def let_wait(at: Hooks, *people: str) -> list[str]:
    """Have an event of each of these wait that is decided anew, in one batch; returns their ids."""
    at.endpoint.behave = lambda _: reply(503)
    events = [await at.feeds.happen(BLOCK, person) for person in people]
    await at.visit()
    at.endpoint.behave = accept
    at.endpoint.requests.clear()
    at.gateway.clock.advance(300)
    return [event.id for event in events]


def requests(at: Hooks) -> list[list[str]]:
    """Return the ids of the events in each request."""
    return [[event["id"] for event in received.events] for received in at.endpoint.deliveries]


#: The call of the log in which the second event of a batch is read that waited: the visit reads
#: what is new, then the first event, each with two calls.
SECOND = 5


@pytest.mark.parametrize("is_operator", [False, True], ids=["revoked", "operator"])
async def test_nothing_is_sent_once_a_webhook_is_stopped_while_its_events_are_decided(
    at: Hooks, is_operator: bool
) -> None:
    await at.feeds.register(NOTARY, HOA, LAN)
    token_id = f"t-{at.feeds.folder.name}"
    webhook = await at.register(replace(NOTARY, token_id=token_id))
    await let_wait(at, HOA, LAN)
    settings = at.gateway.service.resources.settings

    async def stop() -> None:
        if is_operator:
            await at.webhooks.stop(webhook.id, "operator-7")
        else:
            revoke(settings.path(settings.access.revocations), token_id, at.gateway.clock)
            at.gateway.clock.advance(1)

    interleave(at, SECOND, stop)
    assert await at.visit() == 0
    assert requests(at) == []
    state = WebhookState.STOPPED if is_operator else WebhookState.RIGHTS_LOST
    assert (await at.progress(webhook)).state is state


async def test_nothing_is_sent_of_an_interest_that_ends_while_the_next_event_is_decided(
    at: Hooks,
) -> None:
    (interest, _) = await at.feeds.register(NOTARY, HOA, LAN)
    webhook = await at.register()
    _, event_id = await let_wait(at, HOA, LAN)

    async def end() -> None:
        await at.feeds.parts.interests.end(require_events(NOTARY), [interest.id])

    interleave(at, SECOND, end)
    assert await at.visit() == 1
    assert requests(at) == [[event_id]]
    assert (await at.pending(webhook), await at.dead(webhook)) == ([], [])


async def test_nothing_is_sent_of_an_interest_that_ends_just_after_its_event_was_taken(
    gateway: Running, tmp_path: Path
) -> None:
    async with hooks(gateway, tmp_path, InterleavedLog(), batch=1) as at:
        (_, interest) = await at.feeds.register(NOTARY, HOA, LAN)
        webhook = await at.register()
        event = await at.feeds.happen(BLOCK, HOA)
        await at.feeds.happen(BLOCK, LAN)

        async def end() -> None:
            await at.feeds.parts.interests.end(require_events(NOTARY), [interest.id])

        interleave(at, 2, end)
        assert await at.visit() == 1
        assert requests(at) == [[event.id]]
        assert await at.pending(webhook) == []


@pytest.mark.parametrize(
    ("person", "expected"), [(LAN, [[1], [0]]), (HOA, [[0, 1]])], ids=["another", "the same"]
)
async def test_a_decision_that_has_grown_old_is_made_again(
    at: Hooks, person: str, expected: list[list[int]]
) -> None:
    await at.feeds.register(NOTARY, HOA, LAN)
    await at.register()
    ids = await let_wait(at, HOA, person)

    async def wait() -> None:
        at.gateway.clock.advance(8)

    interleave(at, SECOND, wait)
    await at.visit()
    assert requests(at) == [[ids[index] for index in request] for request in expected]
