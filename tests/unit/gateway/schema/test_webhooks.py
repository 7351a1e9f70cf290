"""Webhooks by GraphQL: who registers, lists, ends and replays them.

Covers ``gateway.catalogue.webhooks``, ``gateway.execution.webhook_rights`` and the
permission of their mutations.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.execution.webhook_rights import denied_kinds
from gateway.keys.keyring import Keyring, Secret
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Client
from tests.support.feeds import events_caller
from tests.support.people import HOA
from tests.support.running import Running, codes, running
from tests.support.webhook_receivers import reply
from tests.support.webhooks import Hooks, hooks, webhook_gateway

FIELDS = """id url kinds state registeredAt renewBy lastDelivery lastAttempt lastOutcome lastStatus
  failures pending deadLetterCount deadLetters { eventId attempts outcome status diedAt }"""
REGISTER = f"""mutation($url: String!, $kinds: [LifeEventKind!]) {{
  registerWebhook(url: $url, kinds: $kinds) {{ {FIELDS} }} }}"""
LIST = f"{{ webhooks {{ {FIELDS} }} }}"
RENEW = "mutation($id: String!) { renewWebhook(id: $id) { state renewBy } }"
END = "mutation($id: String!) { endWebhook(id: $id) }"
REPLAY = """mutation($id: String!, $ids: [String!], $since: DateTime) {
  replayDeliveries(webhook: $id, ids: $ids, since: $since) }"""
DENIED = "{ webhooks { state denied { kind database record state missing } } }"
SCOPES = ("events:read", "notary:read")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with webhook_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    before = gateway.service
    async with hooks(gateway, tmp_path, attempts=1) as at:
        yield at
    gateway.app.state.service = before


async def ask(at: Hooks, query: str, client: str = "notary-1", **variables: Any) -> dict[str, Any]:
    return await at.gateway.ask(query, variables, SCOPES, client=client)


def use_settings(at: Hooks, **settings: Any) -> None:
    """Have the gateway run with these settings, as after a restart, until the test ends."""
    resources = at.gateway.service.resources
    changed = resources.settings.model_copy(update=settings)
    resources = replace(resources, settings=changed)
    at.gateway.app.state.service = replace(at.gateway.service, resources=resources)


async def test_an_endpoint_is_registered_listed_and_ended(at: Hooks) -> None:
    body = await ask(at, REGISTER, url=at.endpoint.url, kinds=["BLOCK_PLACED"])
    registered = body["data"]["registerWebhook"]
    assert (registered["url"], registered["kinds"]) == (at.endpoint.url, ["BLOCK_PLACED"])
    assert (registered["state"], registered["pending"]) == ("ACTIVE", 0)
    (challenge,) = at.endpoint.requests
    assert "signature" in challenge.headers
    assert (await ask(at, LIST))["data"]["webhooks"] == [registered]
    assert (await ask(at, LIST, client="bank"))["data"]["webhooks"] == []
    at.gateway.clock.advance(60)
    renewed = (await ask(at, RENEW, id=registered["id"]))["data"]["renewWebhook"]
    due = datetime.fromisoformat(registered["renewBy"]) + timedelta(seconds=60)
    assert renewed == {"state": "ACTIVE", "renewBy": due.isoformat()}
    for query in (END, REPLAY, RENEW):
        stranger = await ask(at, query, client="bank", id=registered["id"])
        assert codes(stranger) == ["WEBHOOK_UNKNOWN"]
    assert (await ask(at, END, id=registered["id"]))["data"]["endWebhook"] is True
    assert codes(await ask(at, END, id=registered["id"])) == ["WEBHOOK_UNKNOWN"]
    assert (await ask(at, LIST))["data"]["webhooks"] == []


async def test_a_webhook_reads_as_stopped_at_once_and_its_end_does_not_hide_who_stopped_it(
    at: Hooks,
) -> None:
    registered = (await ask(at, REGISTER, url=at.endpoint.url))["data"]["registerWebhook"]
    await at.webhooks.stop(registered["id"], "operator-7")
    (listed,) = (await ask(at, LIST))["data"]["webhooks"]
    assert listed["state"] == "STOPPED"
    assert (await ask(at, END, id=registered["id"]))["data"]["endWebhook"] is True
    stop_id = f"webhook/{registered['id']}/stop"
    (entry,) = [entry for entry in at.journal() if entry["requestId"] == stop_id]
    assert (entry["client"], entry["subject"]) == ("justice-gateway", "operator-7")
    assert await at.webhooks.all() == []


async def test_dead_letters_are_shown_without_what_they_say_and_sent_again(at: Hooks) -> None:
    await at.feeds.register(events_caller(), HOA)
    webhook = (await ask(at, REGISTER, url=at.endpoint.url))["data"]["registerWebhook"]["id"]
    event = await at.feeds.happen(LifeEventKind.BLOCK_PLACED)
    at.endpoint.behave = lambda _: reply(400)
    await at.visit()
    (shown,) = (await ask(at, LIST))["data"]["webhooks"]
    assert (shown["state"], shown["failures"], shown["deadLetterCount"]) == ("FAILING", 1, 1)
    assert shown["deadLetters"] == [
        {
            "eventId": event.id,
            "attempts": 1,
            "outcome": "REFUSED",
            "status": 400,
            "diedAt": at.gateway.clock.now().isoformat(),
        }
    ]
    later = "2027-01-01T00:00:00+07:00"
    assert (await ask(at, REPLAY, id=webhook, since=later))["data"]["replayDeliveries"] == 0
    assert (await ask(at, REPLAY, id=webhook, ids=["x"]))["data"]["replayDeliveries"] == 0
    body = await ask(at, REPLAY, id=webhook, ids=[event.id])
    assert body["data"]["replayDeliveries"] == 1
    (shown,) = (await ask(at, LIST))["data"]["webhooks"]
    assert (shown["pending"], shown["deadLetters"]) == (1, [])


@pytest.mark.parametrize(
    "url", ["http://notary.example/", "https://127.1/", "https://169.254.169.254/", "x"]
)
async def test_such_a_url_is_refused_before_anything_is_sent(at: Hooks, url: str) -> None:
    body = await ask(at, REGISTER, url=url)
    assert codes(body) == ["WEBHOOK_URL_REFUSED"]
    assert at.endpoint.requests == []


async def test_events_about_sources_are_not_chosen(at: Hooks) -> None:
    body = await ask(at, REGISTER, url=at.endpoint.url, kinds=["EVENTS_MISSED"])
    assert codes(body) == ["INVALID_VALUE"]


@pytest.mark.parametrize(
    ("kinds", "purpose", "code"),
    [
        (["DEATH"], UNIFIED, "FORBIDDEN"),
        (["DEATH", "BLOCK_PLACED"], UNIFIED, "FORBIDDEN"),
        (["BLOCK_PLACED"], "1.004873", "INTEREST_NOT_PERMITTED"),
        (None, "1.004873", "INTEREST_NOT_PERMITTED"),
        (None, "1.000894", "FORBIDDEN"),
    ],
)
async def test_kinds_that_its_feed_never_shows_are_refused(
    at: Hooks, kinds: list[str] | None, purpose: str, code: str
) -> None:
    token = at.gateway.token(*SCOPES, purposes=[purpose])
    variables = {"url": at.endpoint.url, "kinds": kinds}
    body = (await at.gateway.post(REGISTER, variables, token, x_purpose=purpose)).json()
    assert codes(body) == [code]
    assert at.endpoint.requests == []


@pytest.mark.parametrize("kinds", [["BLOCK_PLACED"], ["CASE_OPENED", "BLOCK_PLACED"], None])
async def test_a_renewal_that_would_show_nothing_of_its_kinds_is_refused(
    at: Hooks, kinds: list[str] | None
) -> None:
    """It would be active, and move past every such event."""
    wide = (*SCOPES, "civil_enforcement:read")
    variables = {"url": at.endpoint.url, "kinds": kinds}
    registered = (await at.gateway.ask(REGISTER, variables, wide))["data"]["registerWebhook"]
    at.gateway.clock.advance(60)
    body = await at.gateway.ask(RENEW, {"id": registered["id"]}, ("events:read",))
    assert codes(body) == ["FORBIDDEN"]
    assert (await at.gateway.ask(LIST, {}, wide))["data"]["webhooks"] == [registered]
    assert codes(await at.gateway.ask(RENEW, {"id": registered["id"]}, wide)) == []


async def test_what_a_webhook_is_not_sent_is_shown(at: Hooks) -> None:
    registered = await ask(at, REGISTER, url=at.endpoint.url, kinds=["BLOCK_PLACED"])
    whole = {"state": "ACTIVE", "denied": []}
    assert (await ask(at, DENIED))["data"]["webhooks"] == [whole]
    use_settings(at, purposes={})
    (narrow,) = (await ask(at, DENIED))["data"]["webhooks"]
    missing = ["purpose:interest.BLOCK_PLACED"]
    assert narrow["denied"] == [
        {
            "kind": "BLOCK_PLACED",
            "database": None,
            "record": None,
            "state": "DENIED",
            "missing": missing,
        }
    ]
    renewed = await ask(at, RENEW, id=registered["data"]["registerWebhook"]["id"])
    assert codes(renewed) == ["INTEREST_NOT_PERMITTED"]


async def test_a_webhook_of_all_kinds_shows_what_its_own_token_does_not_grant(at: Hooks) -> None:
    await ask(at, REGISTER, url=at.endpoint.url)
    wide = (*SCOPES, "civil_status:read", "civil_enforcement:read")
    (webhook,) = (await at.gateway.ask(DENIED, {}, wide, client="notary-1"))["data"]["webhooks"]
    denied = {each["kind"]: each["missing"] for each in webhook["denied"] if each["missing"]}
    assert denied["DEATH"] == ["civil_status:read"]
    assert "BLOCK_PLACED" not in denied


async def test_what_a_webhook_without_rights_is_not_sent_is_unknown(at: Hooks) -> None:
    await ask(at, REGISTER, url=at.endpoint.url)
    use_settings(at, clients={"notary-1": Client(published_only=True)})
    listed = await at.webhooks.all()
    resources = at.gateway.service.resources
    assert [denied_kinds(resources, each.webhook) for each in listed if each.webhook] == [None]


async def test_what_a_webhook_is_not_sent_is_unknown_while_nothing_is_sent(at: Hooks) -> None:
    await ask(at, REGISTER, url=at.endpoint.url, kinds=["BLOCK_PLACED"])
    at.gateway.clock.advance(31 * 86_400)
    (due,) = (await ask(at, DENIED))["data"]["webhooks"]
    assert due == {"state": "ACTIVE", "denied": None}, "no visit has paused it yet"
    await at.visit()
    (paused,) = (await ask(at, DENIED))["data"]["webhooks"]
    assert paused == {"state": "RENEWAL_DUE", "denied": None}


async def test_webhooks_whose_key_is_gone_are_said_to_be_unknown(at: Hooks) -> None:
    """Whether these are of the caller is not known: neither may pass for absent."""
    registered = (await ask(at, REGISTER, url=at.endpoint.url))["data"]["registerWebhook"]
    lost = replace(at.webhooks, keys=Keyring(Secret.of(b"n" * 32)))
    resources = replace(at.gateway.service.resources, webhooks=lost)
    at.gateway.app.state.service = replace(at.gateway.service, resources=resources)
    for client in ("notary-1", "another client"):
        listed = await ask(at, LIST, client)
        assert (codes(listed), listed["data"]["webhooks"]) == (["WEBHOOKS_UNREADABLE"], [])
        for query in (RENEW, END):
            for name in (registered["id"], "no such webhook"):
                assert codes(await ask(at, query, client, id=name)) == ["WEBHOOKS_UNREADABLE"]


@pytest.mark.parametrize("query", [REGISTER, RENEW, END, REPLAY, LIST])
async def test_whoever_may_not_read_events_has_no_webhooks(at: Hooks, query: str) -> None:
    variables = {"url": at.endpoint.url, "id": "x"}
    used = {name: value for name, value in variables.items() if f"${name}:" in query}
    body = await at.gateway.ask(query, used, ("notary:read", "system:operate"))
    assert codes(body) == ["FORBIDDEN"]
    reply_ = await at.gateway.post(query, used, at.gateway.token(*SCOPES), x_purpose="")
    assert codes(reply_.json()) == ["PURPOSE_REQUIRED"]


async def test_without_webhooks_in_the_settings_there_are_none(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(LIST, {}, SCOPES)
        assert (codes(body), body["data"]["webhooks"]) == (["WEBHOOKS_UNAVAILABLE"], None)


async def test_a_store_that_does_not_answer_is_told(at: Hooks, tmp_path: Path) -> None:
    (tmp_path / "webhooks.sqlite").write_bytes(b"no database" * 100)
    assert codes(await ask(at, LIST)) == ["WEBHOOKS_UNAVAILABLE"]
    body = await ask(at, REGISTER, url=at.endpoint.url)
    assert codes(body) == ["WEBHOOKS_UNAVAILABLE"]
