"""A webhook outlives the keys that hashed and sealed it, once it was visited with new ones.

Covers ``gateway.changes.webhooks.registry`` ``gateway.webhooks.visit`` and
``gateway.execution.record_stops``: sealing anew, and removing what nobody can read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.registry import StopResult
from gateway.changes.webhooks.webhook import WebhookState
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, Secret
from gateway.webhooks.deliveries import WebhookDeliveries
from tests.support.people import HOA, LAN
from tests.support.running import Running
from tests.support.webhook_receivers import accept, reply
from tests.support.webhooks import NOTARY, Hooks, hooks, webhook_gateway

BLOCK = LifeEventKind.BLOCK_PLACED
OLD, NEW = Secret.of(b"o" * 32), Secret.of(b"n" * 32)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    async with hooks(gateway, tmp_path, attempts=1) as at:
        use_keys(at, OLD)
        yield at


def use_keys(at: Hooks, current: Secret, *former: Secret) -> None:
    """Restart the webhooks of a gateway with these keys."""
    webhooks = replace(at.webhooks, keys=Keyring(current, former))
    service = at.gateway.service
    resources = replace(service.resources, webhooks=webhooks)
    at.gateway.app.state.service = replace(service, resources=resources)
    at.deliveries = WebhookDeliveries(at.gateway.app, webhooks)


async def test_after_a_rotation_its_owner_sees_and_ends_a_webhook(at: Hooks) -> None:
    webhook = await at.register()
    use_keys(at, NEW, OLD)
    (before,) = await at.webhooks.of_caller(NOTARY)
    assert before.webhook == webhook
    await at.visit()
    use_keys(at, NEW)
    (after,) = await at.webhooks.of_caller(NOTARY)
    assert after.webhook == webhook
    await at.webhooks.end(NOTARY, webhook.id)
    assert await at.webhooks.store.all() == []


async def test_what_waits_and_dead_letters_outlive_the_key_that_sealed_them(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA, LAN)
    webhook = await at.register()
    dead = await at.feeds.happen(BLOCK, LAN)
    at.endpoint.behave = lambda _: reply(500)
    await at.visit()
    assert await at.dead(webhook) == [dead.id]
    at.endpoint.behave = lambda _: reply(429, retry_after="900")
    waiting = await at.feeds.happen(BLOCK, HOA)
    at.gateway.clock.advance(60)
    await at.webhooks.replay(NOTARY, webhook.id, None, None)
    use_keys(at, NEW, OLD)
    await at.visit()
    use_keys(at, NEW)
    held = [each.event.id for each in await at.pending(webhook)] + await at.dead(webhook)
    assert sorted(held) == sorted([dead.id, waiting.id])
    at.endpoint.behave = accept
    at.gateway.clock.advance(10_000)
    await at.webhooks.replay(NOTARY, webhook.id, None, None)
    await at.visit()
    events = [each for received in at.endpoint.deliveries[-2:] for each in received.events]
    assert {each["id"] for each in events} >= {dead.id, waiting.id}
    assert {each["data"]["kind"] for each in events} == {"BLOCK_PLACED"}


async def test_webhooks_whose_key_is_gone_are_counted_until_they_are_removed(at: Hooks) -> None:
    lost = await at.register()
    assert await at.webhooks.count_unreadable() == 0
    use_keys(at, NEW)
    await at.register()
    await at.visit()
    assert REGISTRY.get_sample_value("justice_gateway_webhooks_unreadable") == 1
    assert await at.webhooks.count_unreadable() == 1
    for attempt in (at.webhooks.end, at.webhooks.renew):
        with pytest.raises(GatewayError) as error:
            await attempt(NOTARY, lost.id)
        assert error.value.code.name == "WEBHOOKS_UNREADABLE"
    (sealed,) = [each for each in await at.webhooks.store.all() if each.id == lost.id]
    assert await at.webhooks.store.end(sealed.id, sealed.client)
    at.gateway.clock.advance(60)
    assert await at.webhooks.count_unreadable() == 0


async def test_that_all_webhooks_can_be_read_is_never_remembered(at: Hooks) -> None:
    """Another process may have the next key first."""
    assert await at.webhooks.count_unreadable() == 0
    before = at.webhooks
    use_keys(at, NEW)
    await at.register()
    assert await before.count_unreadable() == 1


async def test_without_a_visit_a_webhook_is_lost_with_its_key_and_nothing_is_sent(
    at: Hooks,
) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    use_keys(at, NEW)
    await at.feeds.happen(BLOCK)
    assert await at.visit() == 0
    assert await at.webhooks.of_caller(NOTARY) == []
    with pytest.raises(GatewayError):
        await at.webhooks.end(NOTARY, webhook.id)
    (lost,) = await at.webhooks.all()
    assert (lost.id, lost.webhook) == (webhook.id, None), "an operator sees it"
    assert await at.webhooks.stop(webhook.id, "operator") is StopResult.UNREADABLE
    assert len(await at.webhooks.store.all()) == 1


async def test_a_gateway_that_knows_the_next_key_finds_what_another_has_sealed_with_it(
    at: Hooks,
) -> None:
    """The first step of a rotation with several gateways: known to all, used by none."""
    webhook = await at.register()
    use_keys(at, NEW, OLD)
    await at.visit()
    use_keys(at, OLD, NEW)
    (listed,) = await at.webhooks.of_caller(NOTARY)
    assert listed.webhook == webhook
    await at.webhooks.end(NOTARY, webhook.id)
    assert await at.webhooks.store.all() == []


def removals(at: Hooks) -> list[tuple[str, str]]:
    """Return what the journal says of operators: what, and who."""
    return [
        (entry["requestId"].split("/")[-1], entry["subject"])
        for entry in at.journal()
        if entry["client"] == "justice-gateway"
    ]


async def test_what_no_gateway_can_read_is_removed_on_request_and_the_journal_says_by_whom(
    at: Hooks,
) -> None:
    webhook = await at.register()
    use_keys(at, NEW)
    assert await at.webhooks.request_removal(webhook.id, "operator-7")
    await at.visit()
    assert await at.webhooks.store.all() == []
    assert removals(at) == [("removal", "operator-7")]
    assert not await at.webhooks.request_removal(webhook.id, "operator-7")


async def test_a_webhook_whose_removal_was_requested_is_stopped_by_a_gateway_that_can_read_it(
    at: Hooks,
) -> None:
    """The command had another key, or another version, than the gateway."""
    webhook = await at.register()
    command = replace(at.webhooks, keys=Keyring(NEW))
    assert await command.stop(webhook.id, "operator-7") is StopResult.UNREADABLE
    assert await command.request_removal(webhook.id, "operator-7")
    await at.visit()
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE, "nobody knows that key"
    use_keys(at, OLD, NEW)
    await at.visit()
    await at.visit()
    assert (await at.progress(webhook)).state is WebhookState.STOPPED
    assert removals(at) == [("stop", "operator-7")]


async def test_without_a_journal_nothing_is_removed(tmp_path: Path) -> None:
    async with webhook_gateway(tmp_path) as gateway, hooks(gateway, tmp_path) as at:
        use_keys(at, OLD)
        webhook = await at.register()
        use_keys(at, NEW)
        await at.webhooks.request_removal(webhook.id, "operator-7")
        await gateway.service.audit.close()
        await at.visit()
        assert [each.id for each in await at.webhooks.all()] == [webhook.id]
