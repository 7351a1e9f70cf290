"""Events reach the endpoints of clients: signed, in order, at least once, and only with rights.

Covers ``gateway.webhooks.visit``, ``gateway.webhooks.parts``, ``gateway.webhooks.take``,
``gateway.webhooks.decide``, ``gateway.webhooks.slices``, ``gateway.webhooks.payload``,
``gateway.webhooks.record``, ``gateway.changes.webhooks.registry`` and
``gateway.changes.webhooks.webhook``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.access.revocations import revoke
from gateway.audit.entry import person_hash
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.feed import require_events
from gateway.changes.webhooks.registry import MOST_ATTEMPTS
from gateway.changes.webhooks.sender import SendOutcome
from gateway.changes.webhooks.store import WebhookChanges
from gateway.changes.webhooks.webhook import Webhook, WebhookState
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, Secret
from gateway.webhooks.deliveries import WebhookDeliveries
from gateway.webhooks.visit import LONGEST_REST
from tests.support.feeds import events_caller
from tests.support.people import HOA, LAN
from tests.support.running import Running
from tests.support.webhook_receivers import Received, accept, reply
from tests.support.webhooks import NOTARY, Hooks, hooks, webhook_gateway

DEATH, BLOCK, CASE = LifeEventKind.DEATH, LifeEventKind.BLOCK_PLACED, LifeEventKind.CASE_OPENED


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def at(gateway: Running, tmp_path: Path) -> AsyncIterator[Hooks]:
    async with hooks(gateway, tmp_path) as at:
        yield at


async def test_an_event_is_delivered_once_it_is_in_the_log(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    assert await at.visit() == 0
    event = await at.feeds.happen(BLOCK)
    await at.feeds.happen(BLOCK, LAN)
    assert await at.visit() == 1
    (delivered,) = at.endpoint.deliveries
    assert delivered.headers["content-type"] == "application/cloudevents+json"
    assert {"signature", "signature-input", "content-digest"} <= set(delivered.headers)
    assert delivered.events == [
        {
            "specversion": "1.0",
            "id": event.id,
            "source": "/databases/notary",
            "type": "vn.gov.moj.justice-gateway.block-placed",
            "time": event.detected_at.isoformat(),
            "datacontenttype": "application/json",
            "data": {
                "kind": "BLOCK_PLACED",
                "person": HOA,
                "database": "notary",
                "record": "preventive_infos",
                "date": "2026-11-22",
                "committedAt": event.committed_at and event.committed_at.isoformat(),
                "detectedAt": event.detected_at.isoformat(),
                "since": None,
            },
        }
    ]
    assert await at.visit() == 0
    assert len(at.endpoint.deliveries) == 1


async def test_what_is_delivered_verifies_with_the_key_that_is_published(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    await at.feeds.happen(BLOCK)
    await at.visit()
    (delivered,) = at.endpoint.deliveries
    published = (await at.gateway.client.get("/keys")).json()["keys"]
    (key,) = [key for key in published if key["alg"] == "Ed25519"]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    parameters = delivered.headers["signature-input"].removeprefix("gateway=")
    assert f'keyid="{key["kid"]}"' in parameters
    digest = base64.b64encode(hashlib.sha256(delivered.body).digest()).decode()
    base = (
        f'"@method": POST\n"@target-uri": {at.endpoint.url}\n'
        f'"content-type": application/cloudevents+json\n"content-digest": sha-256=:{digest}:\n'
        f'"@signature-params": {parameters}'
    )
    signature = delivered.headers["signature"].removeprefix("gateway=:").removesuffix(":")
    public.verify(base64.b64decode(signature), base.encode())


async def test_several_events_come_as_a_batch_with_what_is_said_of_sources(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register(kinds=[BLOCK])
    first = await at.feeds.happen(BLOCK)
    await at.feeds.happen(CASE)
    interrupted = await at.feeds.happen(LifeEventKind.SOURCE_INTERRUPTED, None, database="notary")
    assert await at.visit() == 2
    (delivered,) = at.endpoint.deliveries
    assert delivered.headers["content-type"] == "application/cloudevents-batch+json"
    assert at.endpoint.event_ids == [first.id, interrupted.id]
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE


async def test_people_are_in_the_journal_before_anything_is_sent(at: Hooks) -> None:
    await at.feeds.register(replace(NOTARY, case_number="C-7"), HOA)
    webhook = await at.register()
    await at.feeds.happen(BLOCK)
    written: list[int] = []

    def behave(received: Received) -> bytes | None:
        written.append(len(at.journal()))
        return reply(500) if len(written) == 1 else accept(received)

    at.endpoint.behave = behave
    assert await at.visit() == 0
    at.gateway.clock.advance(60)
    assert await at.visit() == 1
    assert written == [1, 1], "the second attempt sends the same, and is not recorded again"
    (entry,) = at.journal()
    hashes = at.gateway.service.resources.person_hash
    assert [person["person"] for person in entry["persons"]] == [person_hash(hashes, HOA)]
    assert entry["persons"][0]["sections"] == ["notary.preventive_infos"]
    assert (entry["client"], entry["caseNumber"]) == ("notary-1", "C-7")
    assert entry["requestId"].startswith(f"webhook/{webhook.id}/")


async def test_an_event_that_another_case_shows_by_now_is_in_the_journal_under_that_one(
    at: Hooks,
) -> None:
    """The endpoint may have read the first attempt: it was an access, and so is this one."""
    first, _ = [
        (await at.feeds.register(replace(NOTARY, case_number=case), HOA))[0]
        for case in ("C-7", "C-9")
    ]
    await at.register()
    await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(500)
    assert await at.visit() == 0
    assert [entry["caseNumber"] for entry in at.journal()] == ["C-7"]
    await at.feeds.parts.interests.end(require_events(NOTARY), [first.id])
    at.gateway.clock.advance(60)
    assert await at.visit() == 0
    at.endpoint.behave = accept
    at.gateway.clock.advance(60)
    assert await at.visit() == 1
    assert [entry["caseNumber"] for entry in at.journal()] == ["C-7", "C-9"]


async def test_without_a_journal_nothing_is_sent(tmp_path: Path) -> None:
    async with webhook_gateway(tmp_path) as gateway, hooks(gateway, tmp_path) as at:
        await at.feeds.register(NOTARY, HOA)
        await at.register()
        await at.feeds.happen(BLOCK)
        await gateway.service.audit.close()
        assert await at.visit() == 0
        assert at.endpoint.deliveries == []


async def test_the_next_event_of_a_person_waits_and_those_of_others_do_not(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA, LAN)
    await at.register()
    first = await at.feeds.happen(BLOCK)
    refused = [first.id]
    at.endpoint.behave = lambda received: (
        reply(500) if {each["id"] for each in received.events} & set(refused) else reply(204)
    )
    assert await at.visit() == 0
    second = await at.feeds.happen(CASE)
    of_lan = await at.feeds.happen(BLOCK, LAN)
    assert await at.visit() == 1
    assert at.endpoint.event_ids == [first.id, of_lan.id]
    refused.clear()
    at.gateway.clock.advance(60)
    assert await at.visit() == 2
    assert at.endpoint.event_ids[2:] == [first.id, second.id]


async def test_an_event_that_an_endpoint_cannot_take_becomes_a_dead_letter_alone(
    gateway: Running, tmp_path: Path
) -> None:
    async with hooks(gateway, tmp_path, batch=4, attempts=4) as at:
        await at.feeds.register(NOTARY, *PEOPLE)
        webhook = await at.register()
        happened = [(await at.feeds.happen(BLOCK, person)).id for person in PEOPLE]
        at.endpoint.behave = lambda received: (
            reply(422) if happened[2] in [each["id"] for each in received.events] else reply(204)
        )
        accepted = 0
        for _ in range(12):
            accepted += await at.visit()
            at.gateway.clock.advance(1_000)
        assert accepted == 3
        assert await at.dead(webhook) == [happened[2]]
        assert await at.pending(webhook) == []
        (letter,) = await at.webhooks.dead_letters(webhook, 9)
        assert (letter.attempts, letter.status) == (4, 422)
        at.endpoint.behave = accept
        at.gateway.clock.advance(1_000)
        assert await at.webhooks.replay(NOTARY, webhook.id, [happened[0]], None) == 0
        assert await at.webhooks.replay(NOTARY, webhook.id, [happened[2]], None) == 1
        assert await at.visit() == 1
        assert at.endpoint.event_ids[-1] == happened[2]
        assert await at.dead(webhook) == []
        assert len([each for each in at.journal() if each["persons"]]) == 2


PEOPLE = ("001090000001", "001090000002", "001090000003", "001090000004")


async def test_a_webhook_that_fails_holds_no_other(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    bank = events_caller("bank")
    await at.feeds.register(bank, HOA)
    failing, working = await at.register(), await at.register(bank)
    target = at.endpoint.url
    await at.feeds.happen(BLOCK)
    first = True

    def behave(received: Received) -> bytes | None:
        nonlocal first
        first, is_first = False, first
        return reply(503) if is_first else accept(received)

    at.endpoint.behave = behave
    assert await at.visit() == 1
    states = {(await at.progress(each)).state for each in (failing, working)}
    assert states == {WebhookState.FAILING, WebhookState.ACTIVE}
    assert target == at.endpoint.url


async def test_after_failures_in_a_row_nothing_is_sent_until_the_breaker_lets_one_through(
    at: Hooks,
) -> None:
    await at.feeds.register(NOTARY, *PEOPLE)
    webhook = await at.register()
    at.endpoint.behave = lambda _: reply(503)
    for person in PEOPLE:
        await at.feeds.happen(BLOCK, person)
        await at.visit()
    assert len(at.endpoint.deliveries) == 3
    assert (await at.progress(webhook)).failures == 3
    assert [each.attempts for each in await at.pending(webhook)] == [1, 1, 1, 0]
    at.endpoint.behave = accept
    at.gateway.clock.advance(20)
    assert await at.visit() == 4
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE


async def test_retry_after_is_waited_for(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(429, retry_after="120")
    await at.visit()
    at.endpoint.behave = accept
    at.gateway.clock.advance(119)
    assert await at.visit() == 0
    at.gateway.clock.advance(1)
    assert await at.visit() == 1


async def test_an_endpoint_that_is_gone_gets_nothing_more(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    event = await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(410)
    await at.visit()
    at.endpoint.behave = accept
    await at.feeds.happen(BLOCK)
    at.gateway.clock.advance(10_000)
    assert await at.visit() == 0
    assert (await at.progress(webhook)).state is WebhookState.GONE
    assert await at.dead(webhook) == [event.id]
    assert len(at.endpoint.deliveries) == 1


async def test_a_webhook_that_stopped_keeps_its_dead_letters(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    event = await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(410)
    await at.visit()
    with pytest.raises(GatewayError) as error:
        await at.webhooks.replay(NOTARY, webhook.id, None, None)
    assert error.value.code.name == "WEBHOOK_STOPPED"
    await at.visit()
    assert await at.dead(webhook) == [event.id]


async def test_an_interest_that_ended_stops_what_was_to_be_tried_again(at: Hooks) -> None:
    (interest,) = await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(500)
    await at.visit()
    await at.feeds.parts.interests.end(require_events(NOTARY), [interest.id])
    at.endpoint.behave = accept
    at.gateway.clock.advance(60)
    assert await at.visit() == 0
    assert await at.pending(webhook) == []
    assert len(at.endpoint.deliveries) == 1


async def test_an_interest_that_ended_stops_a_replay(gateway: Running, tmp_path: Path) -> None:
    async with hooks(gateway, tmp_path, attempts=1) as at:
        (interest,) = await at.feeds.register(NOTARY, HOA)
        webhook = await at.register()
        event = await at.feeds.happen(BLOCK)
        at.endpoint.behave = lambda _: reply(500)
        await at.visit()
        assert await at.dead(webhook) == [event.id]
        await at.feeds.parts.interests.end(require_events(NOTARY), [interest.id])
        at.endpoint.behave = accept
        assert await at.webhooks.replay(NOTARY, webhook.id, None, None) == 1
        at.gateway.clock.advance(60)
        assert await at.visit() == 0
        assert len(at.endpoint.deliveries) == 1


async def test_a_revoked_token_stops_its_webhook_for_good(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register(replace(NOTARY, token_id="leaked"))
    settings = at.gateway.service.resources.settings
    revoke(settings.path(settings.access.revocations), "leaked", at.gateway.clock)
    at.gateway.clock.advance(2)
    await at.feeds.happen(BLOCK)
    assert await at.visit() == 0
    assert (await at.progress(webhook)).state is WebhookState.RIGHTS_LOST
    at.gateway.clock.advance(30 * 86_400)
    assert await at.visit() == 0
    assert at.endpoint.deliveries == []


async def test_a_token_that_expired_does_not_stop_it(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register(replace(NOTARY, expires=at.gateway.clock.now()))
    at.gateway.clock.advance(86_400)
    await at.feeds.happen(BLOCK)
    assert await at.visit() == 1


async def test_one_process_of_several_delivers_a_webhook(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    await at.feeds.happen(BLOCK)
    at.endpoint.is_silent = True
    first = asyncio.create_task(at.visit())
    at.endpoint.arrived.clear()
    await at.endpoint.arrived.wait()
    assert await at.another_process().visit() == 0
    at.endpoint.released.set()
    assert await first == 1
    assert len(at.endpoint.deliveries) == 1


async def test_a_clock_that_is_set_back_does_not_keep_a_webhook_from_being_visited(
    gateway: Running, tmp_path: Path
) -> None:
    async with hooks(gateway, tmp_path, attempts=1, interval_seconds=0.01) as at:
        clock, behind = gateway.clock, gateway.clock.moment
        clock.moment += timedelta(days=1)
        await at.feeds.register(NOTARY, HOA)
        webhook = await at.register()
        event = await at.feeds.happen(BLOCK)
        at.endpoint.behave = lambda _: reply(500)
        at.deliveries.start()
        try:
            async with asyncio.timeout(20):
                while not await is_dead(at, webhook, event):  # noqa: ASYNC110 - a store tells it
                    await asyncio.sleep(0.01)  # the delivery works in this loop
                at.endpoint.behave = accept
                clock.moment = behind
                clock.advance(LONGEST_REST)
                at.endpoint.arrived.clear()
                await at.webhooks.replay(NOTARY, webhook.id, None, None)
                await at.endpoint.arrived.wait()
        finally:
            await at.deliveries.close()
    assert at.endpoint.event_ids == [event.id, event.id]


async def is_dead(at: Hooks, webhook: Webhook, event: LifeEvent) -> bool:
    """Return whether an event is a dead letter of a webhook, and nobody visits that any more."""
    now = at.gateway.clock.now().timestamp()
    is_released = webhook.id in await at.webhooks.store.claimable(now)
    return is_released and await at.dead(webhook) == [event.id]


async def test_a_full_queue_leaves_events_in_the_log(gateway: Running, tmp_path: Path) -> None:
    async with hooks(gateway, tmp_path, pending=2, batch=1) as at:
        await at.feeds.register(NOTARY, HOA)
        webhook = await at.register()
        happened = [(await at.feeds.happen(BLOCK)).id for _ in range(5)]
        at.endpoint.behave = lambda _: reply(500)
        await at.visit()
        assert len(await at.pending(webhook)) == 2
        at.endpoint.behave = accept
        at.gateway.clock.advance(60)
        assert await at.visit() == 5
        assert at.endpoint.event_ids[1:] == happened


async def test_what_the_log_has_lost_is_told(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    for _ in range(3):
        await at.feeds.happen(BLOCK)
    at.feeds.log.removed = 3
    assert await at.visit() > 0
    kinds = {event["data"]["kind"] for each in at.endpoint.deliveries for event in each.events}
    assert kinds == {"EVENTS_MISSED"}
    later = await at.feeds.happen(BLOCK)
    assert await at.visit() == 1
    assert at.endpoint.event_ids[-1] == later.id


@pytest.mark.parametrize("is_dead", [False, True], ids=["pending", "dead letter"])
async def test_what_cannot_be_opened_any_more_is_told(at: Hooks, is_dead: bool) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    event = await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(500)
    await at.visit()
    other = replace(at.webhooks, keys=Keyring(Secret.of(b"z" * 32)))
    (delivery,) = await at.pending(webhook)
    store, holder = at.webhooks.store, "test"
    now = at.gateway.clock.now().timestamp()
    assert await store.claim(webhook.id, holder, now, now + 9)
    progress = at.webhooks.seal_progress(webhook.id, await at.progress(webhook))
    strange = [other.seal_delivery(webhook.id, delivery)]
    replaced, dead = ([], strange) if is_dead else (strange, [])
    changes = WebhookChanges(progress, replaced=replaced, dead=dead)
    assert await store.apply(webhook.id, holder, now, changes)
    await store.release(webhook.id, holder)
    at.endpoint.behave = accept
    at.gateway.clock.advance(60)
    if is_dead:
        assert await at.visit() == 0
        assert await at.dead(webhook) == [event.id]
        assert await at.webhooks.replay(NOTARY, webhook.id, None, at.gateway.clock.now()) == 1
    assert await at.visit() == 1
    (missed,) = at.endpoint.deliveries[-1].events
    assert (missed["id"], missed["data"]["kind"]) == (event.id, "EVENTS_MISSED")


async def test_while_the_log_is_down_nothing_is_lost(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    event = await at.feeds.happen(BLOCK)
    at.feeds.log.is_down = True
    assert await at.visit() == 0
    at.feeds.log.is_down = False
    assert await at.visit() == 1
    assert at.endpoint.event_ids == [event.id]


async def test_another_owner_neither_sees_nor_ends_nor_replays_a_webhook(at: Hooks) -> None:
    webhook = await at.register()
    for stranger in (
        replace(NOTARY, client="bank"),
        replace(NOTARY, agency="another office"),
        replace(NOTARY, agency=None),
        replace(NOTARY, purpose="enforcement-verification"),
    ):
        assert await at.webhooks.of_caller(stranger) == []
        for refused in (
            at.webhooks.end(stranger, webhook.id),
            at.webhooks.replay(stranger, webhook.id, None, None),
        ):
            with pytest.raises(GatewayError) as error:
                await refused
            assert error.value.code.name == "WEBHOOK_UNKNOWN"
    (found,) = await at.webhooks.of_caller(NOTARY)
    assert found.webhook == webhook
    await at.webhooks.end(NOTARY, webhook.id)
    assert await at.webhooks.of_caller(NOTARY) == []


@pytest.mark.parametrize("content", [b"", b"{}", b'{"challenge": 1}', b'{"challenge": "x"}', b"["])
async def test_an_endpoint_that_does_not_give_the_challenge_back_is_not_registered(
    at: Hooks, content: bytes
) -> None:
    at.endpoint.behave = lambda _: reply(200, content)
    with pytest.raises(GatewayError) as error:
        await at.register()
    assert error.value.code.name == "WEBHOOK_UNVERIFIED"
    assert error.value.details == {"reason": "NOT_RETURNED", "status": 200}
    assert await at.webhooks.of_caller(NOTARY) == []


async def test_nothing_of_a_reply_is_told_but_its_status(at: Hooks) -> None:
    at.endpoint.behave = lambda _: reply(403, json.dumps({"secret": "internal"}).encode())
    with pytest.raises(GatewayError) as error:
        await at.register()
    assert error.value.details == {"reason": "REFUSED", "status": 403}


async def test_a_client_has_so_many_webhooks(gateway: Running, tmp_path: Path) -> None:
    async with hooks(gateway, tmp_path, most_per_client=2) as at:
        await at.register()
        await at.register()
        with pytest.raises(GatewayError) as error:
            await at.register()
        assert error.value.code.name == "TOO_MANY_WEBHOOKS"
        await at.register(events_caller("bank"))


async def test_neither_store_nor_log_holds_a_number_or_an_address(
    at: Hooks, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await at.feeds.register(NOTARY, HOA)
    await at.register()
    await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(500)
    await at.visit()
    content = (tmp_path / "webhooks.sqlite").read_bytes()
    output = "".join(capfd.readouterr())
    for secret in (HOA, "/hook", "notary-1", str(at.endpoint.port)):
        assert secret.encode() not in content
        assert secret not in output


async def test_what_is_shown_by_now_before_an_event_does_not_take_its_place(at: Hooks) -> None:
    """The retry of an event finds it, whatever else the feed shows between."""
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    await at.feeds.happen(BLOCK, LAN)
    event = await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(500)
    await at.visit()
    (interest,) = await at.feeds.register(NOTARY, LAN)
    await at.feeds.parts.interests.end(require_events(NOTARY), [interest.id])
    earlier = replace(interest, id="earlier", position="a.0", registered_at=event.detected_at)
    assert await at.feeds.parts.interests.put([earlier], 99, at.feeds.now)
    at.endpoint.behave = accept
    at.gateway.clock.advance(60)
    assert await at.visit() == 1
    assert at.endpoint.event_ids[-1] == event.id
    assert (await at.progress(webhook)).state is WebhookState.ACTIVE


async def test_a_webhook_that_is_stopped_keeps_nothing_that_was_to_be_sent(at: Hooks) -> None:
    await at.feeds.register(NOTARY, HOA, LAN)
    webhook = await at.register()
    first = await at.feeds.happen(BLOCK)
    at.endpoint.behave = lambda _: reply(500)
    await at.visit()
    await at.feeds.happen(BLOCK, LAN)
    at.endpoint.behave = lambda _: reply(410)
    await at.visit()
    await at.visit()
    assert await at.pending(webhook) == []
    assert first.id not in await at.dead(webhook)


async def test_a_client_registers_so_many_endpoints_in_a_minute(at: Hooks) -> None:
    at.endpoint.behave = lambda _: reply(404)
    refused = []
    for _ in range(MOST_ATTEMPTS + 1):
        with pytest.raises(GatewayError) as error:
            await at.register()
        refused.append(error.value.code.name)
    assert refused == ["WEBHOOK_UNVERIFIED"] * MOST_ATTEMPTS + ["TOO_MANY_WEBHOOKS"]
    assert len(at.endpoint.requests) == MOST_ATTEMPTS
    at.endpoint.behave = accept
    await at.register(events_caller("bank"))
    at.gateway.clock.advance(60)
    await at.register()


async def test_a_url_that_settings_no_longer_permit_gets_nothing(
    gateway: Running, at: Hooks
) -> None:
    await at.feeds.register(NOTARY, HOA)
    webhook = await at.register()
    await at.feeds.happen(BLOCK)
    closed = replace(at.webhooks.policy, networks=())
    narrowed = replace(at.webhooks, sender=replace(at.webhooks.sender, policy=closed))
    assert await WebhookDeliveries(gateway.app, narrowed).visit() == 0
    assert (await at.progress(webhook)).outcome is SendOutcome.ADDRESS_REFUSED
    assert at.endpoint.deliveries == []


async def test_an_event_dies_of_age_and_a_dead_letter_is_forgotten_in_time(
    gateway: Running, tmp_path: Path
) -> None:
    async with hooks(gateway, tmp_path, life_seconds=60, dead_letter_seconds=120) as at:
        await at.feeds.register(NOTARY, HOA)
        webhook = await at.register()
        event = await at.feeds.happen(BLOCK)
        at.endpoint.behave = lambda _: reply(302, location="https://localhost/")
        await at.visit()
        at.gateway.clock.advance(60)
        await at.visit()
        (letter,) = await at.webhooks.dead_letters(webhook, 9)
        assert (letter.event.id, letter.outcome) == (event.id, SendOutcome.REDIRECTED)
        assert len(at.endpoint.deliveries) == 1, "it is not tried once more"
        at.gateway.clock.advance(119)
        await at.visit()
        assert await at.dead(webhook) == [event.id]
        at.gateway.clock.advance(1)
        await at.visit()
        assert await at.dead(webhook) == []
