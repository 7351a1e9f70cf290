"""A change that is committed by plain SQL reaches whoever follows the person, and nobody else.

All parts are real: PostgreSQL with the outbox of civil status, Redis, ``justice-gateway serve`` in
a process, subscribers over WebSocket and as an event stream, and an endpoint with TLS.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from joserfc.jwk import OKPKey

from gateway.changes.webhooks.signature import COVERED, TAG
from tests.support.changes_site import ChangesSite, changes_site, data_of
from tests.support.event_documents import FEED
from tests.support.people import FIRST_HOLDER, HOA, LAN
from tests.support.redis_server import redis_process
from tests.support.servers import Server
from tests.support.sockets import PATIENCE
from tests.support.streams import EventStream, Subscriber, open_event_stream, open_subscriber
from tests.support.webhook_receivers import Received, Receiver, receiver

pytestmark = pytest.mark.services
SUBSCRIPTION = FEED.replace("query", "subscription", 1)
WEBHOOK = "mutation ($url: String!) { registerWebhook(url: $url) { state } }"
#: Id, kind and person of an event.
Event = tuple[str, str, str]


@dataclass
class Readers:
    """Four ways on which the events of one officer arrive; each event comes out once."""

    site: ChangesSite
    cursor: str
    socket: Subscriber
    stream: EventStream
    endpoint: Receiver
    deliveries: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)

    def new(self, way: str, events: Sequence[Event]) -> list[Event]:
        """Return the events that have not come on a way before: each may come twice."""
        new = [event for event in dict.fromkeys(events) if (way, event[0]) not in self.seen]
        self.seen.update((way, event[0]) for event in new)
        return new

    async def query(self) -> list[Event]:
        """Return the next events of the query, once there are any."""
        while True:
            feed = (await self.site.ask(FEED, after=self.cursor))["lifeEvents"]
            assert not feed["isWaiting"], feed
            self.cursor = feed["pageInfo"]["endCursor"]
            if events := self.new("query", events_of(feed)):
                return events
            await asyncio.sleep(0.02)  # between two looks, not instead of one

    async def websocket(self) -> list[Event]:
        """Return the next events that the subscriber over WebSocket gets."""
        while True:
            message = await self.socket.receive()
            assert message["type"] == "next", message
            data = data_of(message["payload"])
            if data and (events := self.new("websocket", events_of(data["lifeEvents"]))):
                return events

    async def event_stream(self) -> list[Event]:
        """Return the next events of the event stream."""
        while True:
            data = data_of(await self.stream.next())
            if data and (events := self.new("stream", events_of(data["lifeEvents"]))):
                return events

    async def webhook(self) -> list[Event]:
        """Return the events of the next requests to the endpoint, whose signature must be right."""
        while True:
            self.endpoint.arrived.clear()
            received = self.endpoint.deliveries[self.deliveries :]
            self.deliveries += len(received)
            for each in received:
                await verify(self.site, self.endpoint.url, each)
            sent = [event for each in received for event in each.events]
            events = [(each["id"], each["data"]["kind"], each["data"]["person"]) for each in sent]
            if new := self.new("webhook", events):
                return new
            await self.endpoint.arrived.wait()

    async def elsewhere(self) -> list[list[Event]]:
        """Return what arrives next on each way but WebSocket."""
        async with asyncio.timeout(2 * PATIENCE):
            ways = (self.event_stream(), self.query(), self.webhook())
            return list(await asyncio.gather(*ways))


def events_of(feed: dict[str, Any]) -> list[Event]:
    """Return the events of a page of the feed."""
    nodes = [edge["node"] for edge in feed["edges"]]
    return [(node["id"], node["kind"], node["person"]["id"]) for node in nodes]


@dataclass(frozen=True)
class _Message:
    """A request as the library takes it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class _PublishedKeys(HTTPSignatureKeyResolver):
    """The keys that a gateway shows to everybody."""

    keys: list[dict[str, Any]]

    def resolve_private_key(self, key_id: str) -> object:
        raise NotImplementedError

    def resolve_public_key(self, key_id: str) -> object:
        (key,) = [key for key in self.keys if key["kid"] == key_id and key["alg"] == "Ed25519"]
        assert key["status"] == "CURRENT"
        return OKPKey.import_key(key).public_key


async def verify(site: ChangesSite, url: str, received: Received) -> None:
    """Verify signature and digest of a request with what the gateway publishes."""
    keys = _PublishedKeys((await site.client.get("/keys")).json()["keys"])
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    message = _Message(received.method, url, received.headers)
    verifier.verify(message, expect_tag=TAG, require_components=COVERED, body=received.body)


@asynccontextmanager
async def readers(site: ChangesSite, cursor: str, endpoint: Receiver) -> AsyncIterator[Readers]:
    """Connect the officer on all ways; nothing has happened."""
    registered = await site.ask(WEBHOOK, url=endpoint.url)
    assert registered["registerWebhook"]["state"] == "ACTIVE"
    body = {"query": SUBSCRIPTION, "variables": {"after": cursor}}
    async with (
        open_subscriber(site.port) as socket,
        open_event_stream(site.port, body=body, **site.headers) as stream,
    ):
        await socket.initialise(None, **site.headers)
        await socket.subscribe(SUBSCRIPTION, variables={"after": cursor})
        yield Readers(site, cursor, socket, stream, endpoint)


def entry(table: str, **columns: str) -> str:
    """Return a statement by which the owner enters a row that is in force."""
    today = datetime.now(UTC).date().isoformat()
    row = {**columns, "status": "VALID", "registration_date": today}
    values = ", ".join(f"'{value}'" for value in row.values())
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"


async def enter(register: Server, *entries: str) -> None:
    """Commit entries in one transaction."""
    await register.execute("; ".join(entries))


async def test_a_death_reaches_whoever_follows_the_person_by_every_way_and_nothing_else_does(
    postgresql: Server, tmp_path: Path
) -> None:
    people = (HOA, LAN, FIRST_HOLDER)
    with redis_process(tmp_path) as redis:
        async with (
            receiver(tmp_path / "endpoint") as endpoint,
            changes_site(tmp_path, postgresql, people, redis.port, endpoint.roots) as site,
        ):
            cursor = await site.follow((HOA, LAN))
            assert await site.cached_deaths(HOA) == []
            async with readers(site, cursor, endpoint) as officer:
                await enter(
                    postgresql,
                    entry("adoptions", event_id="A1", child_id=HOA, adopter_father_id=FIRST_HOLDER),
                    entry(
                        "births", event_id="B1", citizen_id=HOA, registration_kind="RE_REGISTERED"
                    ),
                    entry("deaths", event_id="D1", citizen_id=FIRST_HOLDER),
                    entry("deaths", event_id="D2", citizen_id=HOA),
                )
                death = await officer.websocket()
                assert (await site.deaths(HOA))[0] == ["D2"]
                assert [each[1:] for each in death] == [("DEATH", HOA)]
                assert await officer.elsewhere() == [death] * 3
                await site.end(HOA)
                await enter(
                    postgresql,
                    entry("deaths", event_id="D3", citizen_id=HOA),
                    entry("deaths", event_id="D4", citizen_id=LAN),
                )
                death = await officer.websocket()
                assert [each[1:] for each in death] == [("DEATH", LAN)]
                assert await officer.elsewhere() == [death] * 3
