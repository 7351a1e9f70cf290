"""A webhook outlives its token, and not the rights behind it.

Covers ``gateway.webhooks.rights`` and ``gateway.execution.webhook_rights``:
keys and issuers that are no longer trusted, scopes and purposes that are withdrawn, clients that
may call published operations only, and renewals that are due.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from joserfc.jwk import OKPKey

from gateway.access.caller import Caller
from gateway.access.issuers import Issuer
from gateway.access.revocations import revoke
from gateway.access.tokens import Tokens
from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.registry import StopResult
from gateway.changes.webhooks.webhook import Webhook, WebhookState
from gateway.errors import GatewayError
from gateway.keys.keyring import load_signing
from gateway.settings import Client, TrustedIssuer
from tests.support.issuers import AUDIENCE, Provider, new_key, provider, signed
from tests.support.people import HOA
from tests.support.running import Running
from tests.support.webhook_receivers import accept, reply
from tests.support.webhooks import NOTARY, Hooks, hooks

BLOCK = LifeEventKind.BLOCK_PLACED
DAY = 86_400.0
SUSPENDED, DUE = WebhookState.RIGHTS_SUSPENDED, WebhookState.RENEWAL_DUE
KEY = new_key("ES256")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    """Hooks with an interest in somebody; the service is put back at the end."""
    before = gateway.service
    async with hooks(gateway, tmp_path) as at:
        await at.feeds.register(NOTARY, HOA)
        yield at
    gateway.app.state.service = before


@pytest_asyncio.fixture(loop_scope="module")
async def issuer(at: Hooks) -> AsyncIterator[Provider]:
    async with provider(at.gateway.clock) as issuer:
        issuer.publish(KEY)
        yield issuer


def use_own_keys(at: Hooks, *keys: OKPKey) -> None:
    """Have the gateway verify tokens of these keys alone, as after a restart."""
    access = at.gateway.service.resources.settings.access
    use_tokens(at, Tokens(keys, access, at.gateway.clock, demo=True))


def use_tokens(at: Hooks, tokens: Tokens) -> None:
    service = at.gateway.service
    resources = replace(service.resources, tokens=tokens)
    at.gateway.app.state.service = replace(service, resources=resources)


def use_settings(at: Hooks, **settings: Any) -> None:
    resources = at.gateway.service.resources
    changed = resources.settings.model_copy(update=settings)
    service = replace(at.gateway.service, resources=replace(resources, settings=changed))
    at.gateway.app.state.service = service


def trust(at: Hooks, issuer: Provider | None, **limits: Any) -> Tokens:
    """Trust an issuer with the limits of its settings, as after a restart; None: nobody."""
    settings = at.gateway.service.resources.settings
    issuers = {}
    if issuer is not None:
        trusted = TrustedIssuer(issuer=issuer.url, audience=AUDIENCE, **limits)
        issuers = {issuer.url: Issuer("office", trusted, settings.access, at.gateway.clock)}
    keys = load_signing(settings, "token")
    tokens = Tokens(keys, settings.access, at.gateway.clock, issuers=issuers, demo=True)
    use_tokens(at, tokens)
    return tokens


async def caller_of(at: Hooks, tokens: Tokens, issuer: Provider) -> Caller:
    """Return the caller of a token of the issuer, with the rights of ``NOTARY``."""
    claims = issuer.claims(
        client_id=NOTARY.client,
        agency=NOTARY.agency,
        scope=" ".join(sorted(NOTARY.scopes)),
        purposes=[NOTARY.purpose],
    )
    verified = await tokens.verified(signed("ES256", KEY, claims))
    return replace(verified.caller, purpose=NOTARY.purpose)


async def register(at: Hooks, caller: Caller, kinds: Collection[LifeEventKind] = ()) -> Webhook:
    position = await at.feeds.log.end()
    registered = await at.webhooks.register(caller, at.endpoint.url, kinds, position, 60)
    assert registered.webhook is not None
    return registered.webhook


async def expect_pause(at: Hooks, webhook: Webhook, state: WebhookState) -> None:
    """Hold a webhook to sending nothing of what happens, and to saying why."""
    await at.feeds.happen(BLOCK)
    assert await at.visit() == 0
    assert (await at.progress(webhook)).state is state
    assert at.endpoint.deliveries == []


async def test_a_webhook_pauses_once_the_key_of_its_token_is_dropped_and_goes_on_renewed(
    at: Hooks,
) -> None:
    webhook = await at.register()
    use_own_keys(at, OKPKey.generate_key("Ed25519", {"kid": "other"}))
    await expect_pause(at, webhook, SUSPENDED)
    use_own_keys(at, *load_signing(at.gateway.service.resources.settings, "token"))
    await at.webhooks.renew(at.with_token(NOTARY), webhook.id)
    assert await at.visit() == 1
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE


async def test_a_webhook_pauses_once_its_issuer_publishes_another_key(
    at: Hooks, issuer: Provider
) -> None:
    tokens = trust(at, issuer)
    await tokens.open()
    webhook = await register(at, await caller_of(at, tokens, issuer))
    await tokens.close()
    issuer.publish(new_key("ES256", "k2"))
    tokens = trust(at, issuer)
    await tokens.open()
    await fetched(tokens, issuer)
    await expect_pause(at, webhook, SUSPENDED)
    await tokens.close()


async def fetched(tokens: Tokens, issuer: Provider) -> None:
    """Wait until the keys of an issuer are known: a strange token makes the gateway look."""
    with pytest.raises(GatewayError):
        await tokens.verified(signed("ES256", new_key("ES256", "strange"), issuer.claims()))
    assert tokens.issuer(issuer.url).has_fetched


async def test_a_webhook_waits_while_nobody_knows_the_keys_of_its_issuer(
    at: Hooks, issuer: Provider
) -> None:
    tokens = trust(at, issuer)
    await tokens.open()
    webhook = await register(at, await caller_of(at, tokens, issuer))
    await tokens.close()
    issuer.fail()
    tokens = trust(at, issuer)
    await tokens.open()
    await issuer.wait_for_requests("/jwks", 2)
    await expect_pause(at, webhook, WebhookState.ACTIVE)
    await tokens.close()


async def test_a_webhook_pauses_once_its_issuer_is_not_trusted(at: Hooks, issuer: Provider) -> None:
    tokens = trust(at, issuer)
    await tokens.open()
    webhook = await register(at, await caller_of(at, tokens, issuer))
    await tokens.close()
    trust(at, None)
    await expect_pause(at, webhook, SUSPENDED)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param({"scopes": {"notary:read"}}, id="no events"),
        pytest.param({"purposes": {"1.000894"}}, id="another purpose"),
    ],
)
async def test_a_webhook_pauses_once_its_issuer_cannot_grant_what_it_needs(
    at: Hooks, issuer: Provider, limits: dict[str, Sequence[str]]
) -> None:
    tokens = trust(at, issuer)
    await tokens.open()
    webhook = await register(at, await caller_of(at, tokens, issuer))
    await tokens.close()
    tokens = trust(at, issuer, **limits)
    await tokens.open()
    await fetched(tokens, issuer)
    await expect_pause(at, webhook, SUSPENDED)
    await tokens.close()


async def test_events_of_a_scope_that_was_withdrawn_are_not_sent(
    at: Hooks, issuer: Provider
) -> None:
    tokens = trust(at, issuer)
    await tokens.open()
    webhook = await register(at, await caller_of(at, tokens, issuer))
    await tokens.close()
    tokens = trust(at, issuer, scopes={"events:read", "civil_status:read"})
    await tokens.open()
    await fetched(tokens, issuer)
    await at.feeds.happen(BLOCK)
    death = await at.feeds.happen(LifeEventKind.DEATH)
    await at.visit()
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE
    assert [each for each in at.endpoint.event_ids if each == death.id] == at.endpoint.event_ids
    await tokens.close()


@pytest.mark.parametrize(
    ("kinds", "scopes"),
    [
        pytest.param([BLOCK], {"events:read", "civil_status:read"}, id="a kind"),
        pytest.param([], {"events:read"}, id="all kinds"),
    ],
)
async def test_a_webhook_pauses_while_its_rights_show_none_of_its_kinds_and_loses_nothing(
    at: Hooks, issuer: Provider, kinds: Collection[LifeEventKind], scopes: Collection[str]
) -> None:
    tokens = trust(at, issuer)
    await tokens.open()
    webhook = await register(at, await caller_of(at, tokens, issuer), kinds)
    await tokens.close()
    tokens = trust(at, issuer, scopes=scopes)
    await tokens.open()
    await fetched(tokens, issuer)
    await expect_pause(at, webhook, SUSPENDED)
    await tokens.close()
    tokens = trust(at, issuer)
    await tokens.open()
    await fetched(tokens, issuer)
    assert await at.visit() == 1
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE
    await tokens.close()


async def test_a_webhook_pauses_while_its_purpose_permits_none_of_its_kinds_and_loses_nothing(
    at: Hooks,
) -> None:
    webhook = await at.register(kinds=[BLOCK])
    purposes = at.gateway.service.resources.settings.purposes
    use_settings(at, purposes={})
    await expect_pause(at, webhook, SUSPENDED)
    use_settings(at, purposes=purposes)
    assert await at.visit() == 1


async def test_a_webhook_pauses_once_its_client_may_call_published_operations_only(
    at: Hooks,
) -> None:
    webhook = await at.register()
    use_settings(at, clients={"notary-1": Client(published_only=True)})
    await expect_pause(at, webhook, SUSPENDED)
    use_settings(at, clients={})
    assert await at.visit() == 1, "the settings are as before: nothing is to be renewed"


async def test_a_webhook_that_was_not_renewed_pauses_and_loses_nothing(
    gateway: Running, tmp_path: Path
) -> None:
    async with hooks(gateway, tmp_path, renewal_days=2, life_seconds=DAY) as at:
        await at.feeds.register(NOTARY, HOA)
        webhook = await at.register()
        at.endpoint.behave = lambda _: reply(503)
        waiting = await at.feeds.happen(BLOCK)
        await at.visit()
        at.endpoint.requests.clear()
        at.endpoint.behave = accept
        at.gateway.clock.advance(3 * DAY)
        await expect_pause(at, webhook, DUE)
        await at.webhooks.renew(at.with_token(NOTARY), webhook.id)
        assert await at.visit() == 2
        assert at.endpoint.event_ids[0] == waiting.id, "a pause does not count as waiting"
        assert (await at.progress(webhook)).state is WebhookState.ACTIVE


async def test_a_renewal_in_time_keeps_a_webhook_going(at: Hooks) -> None:
    webhook = await at.register()
    for _ in range(3):
        at.gateway.clock.advance(20 * DAY)
        await at.webhooks.renew(at.with_token(NOTARY), webhook.id)
        await at.visit()
        assert (await at.progress(webhook)).state is WebhookState.ACTIVE


async def test_a_renewal_has_the_rights_of_its_own_token(at: Hooks) -> None:
    webhook = await at.register()
    narrow = replace(NOTARY, scopes=frozenset({"events:read", "civil_status:read"}))
    await at.webhooks.renew(at.with_token(narrow), webhook.id)
    await at.feeds.happen(BLOCK)
    assert await at.visit() == 0
    assert at.endpoint.deliveries == []


@pytest.mark.parametrize("leaked", ["registers", "renews"])
async def test_a_token_that_was_revoked_ends_what_it_registered_or_renewed(
    at: Hooks, leaked: str
) -> None:
    names = {each: each for each in ("registers", "renews")} | {leaked: f"leaked {leaked}"}
    webhook = await at.register(replace(NOTARY, token_id=names["registers"]))
    renewing = replace(NOTARY, token_id=names["renews"])
    await at.webhooks.renew(at.with_token(renewing), webhook.id)
    settings = at.gateway.service.resources.settings
    revoke(settings.path(settings.access.revocations), names[leaked], at.gateway.clock)
    at.gateway.clock.advance(2)
    await expect_pause(at, webhook, WebhookState.RIGHTS_LOST)
    with pytest.raises(GatewayError) as error:
        await at.webhooks.renew(at.with_token(NOTARY), webhook.id)
    assert error.value.code.name == "WEBHOOK_STOPPED"


async def test_an_operator_stops_a_webhook_and_the_journal_says_who(at: Hooks) -> None:
    webhook = await at.register()
    assert await at.webhooks.stop(webhook.id, "operator-7") is StopResult.STOPPED
    again = await at.webhooks.stop(webhook.id, "operator-8")
    assert again is StopResult.ABSENT, "it has stopped already"
    await expect_pause(at, webhook, WebhookState.STOPPED)
    await at.visit()
    (entry,) = [each for each in at.journal() if each["requestId"] == f"webhook/{webhook.id}/stop"]
    assert (entry["client"], entry["subject"]) == ("justice-gateway", "operator-7")
    assert entry["persons"] == []
    with pytest.raises(GatewayError) as error:
        await at.webhooks.renew(at.with_token(NOTARY), webhook.id)
    assert error.value.code.name == "WEBHOOK_STOPPED"
    assert await at.webhooks.stop("no such", "operator-7") is StopResult.ABSENT


async def test_another_owner_does_not_renew_a_webhook(at: Hooks) -> None:
    webhook = await at.register()
    for stranger in (replace(NOTARY, client="bank"), replace(NOTARY, agency=None)):
        with pytest.raises(GatewayError) as error:
            await at.webhooks.renew(at.with_token(stranger), webhook.id)
        assert error.value.code.name == "WEBHOOK_UNKNOWN"
