"""``subscription { lifeEvents }``: what arrives, what wakes it, and how it ends.

The gateway is a real server; the event log is one in memory, which the suite of logs holds to the
contract of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from starlette.types import Message

from gateway.access.revocations import revoke
from gateway.changes.event import LifeEventKind
from gateway.changes.feed import require_events
from gateway.errors import GatewayError
from gateway.settings import StreamSettings
from gateway.subscriptions.streams import OPEN
from tests.support.event_documents import FEED, READING, following, register
from tests.support.feeds import Feeds
from tests.support.metrics import value_of
from tests.support.people import HOA, LAN
from tests.support.running import codes
from tests.support.sockets import PATIENCE
from tests.support.streams import StreamServer, Subscriber, stated, streaming

BLOCK, DEATH = LifeEventKind.BLOCK_PLACED, LifeEventKind.DEATH
SUBSCRIPTION = FEED.replace("query", "subscription", 1)
#: A WebSocket as uvicorn hands it to the application.
SCOPE: dict[str, Any] = {
    "type": "websocket",
    "path": "/graphql",
    "root_path": "",
    "query_string": b"",
    "headers": [],
    "client": ("127.0.0.1", 1),
    "subprotocols": ["graphql-transport-ws"],
    "extensions": {},
}
#: No heartbeat that a test is not about.
QUIET = StreamSettings(heartbeat=300)


@asynccontextmanager
async def subscribing(
    folder: Path, subscriptions: StreamSettings = QUIET, **settings: Any
) -> AsyncIterator[tuple[Feeds, StreamServer]]:
    """Run a gateway on a socket whose client has an interest in somebody."""
    async with (
        following(folder, subscriptions=subscriptions, **settings) as feeds,
        streaming(feeds.gateway) as server,
    ):
        await register(feeds)
        yield feeds, server


def token(feeds: Feeds, *scopes: str, **claims: Any) -> str:
    return feeds.gateway.token(*(scopes or READING), **claims)


@asynccontextmanager
async def subscribed(
    server: StreamServer, token: str, **variables: Any
) -> AsyncIterator[tuple[Subscriber, dict[str, Any]]]:
    """Subscribe over WebSocket; give the subscriber and its first answer."""
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token)
        await subscriber.subscribe(SUBSCRIPTION, variables=variables)
        yield subscriber, await answer(subscriber)


async def answer(subscriber: Subscriber) -> dict[str, Any]:
    """Return what ``lifeEvents`` is in the next answer."""
    message = await subscriber.receive()
    assert message["type"] == "next", message
    feed: dict[str, Any] = message["payload"]["data"]["lifeEvents"]
    return feed


def without_cursors(feed: dict[str, Any]) -> dict[str, Any]:
    """Return what a feed shows; cursors are sealed anew each time."""
    edges = [edge["node"] for edge in feed["edges"]]
    return {**feed, "edges": edges, "pageInfo": feed["pageInfo"]["hasNextPage"]}


def ids(feed: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in feed["edges"]]


async def test_events_arrive_as_the_query_shows_them(tmp_path: Path) -> None:
    async with subscribing(tmp_path) as (feeds, server):
        async with subscribed(server, token(feeds)) as (subscriber, first):
            assert (first["edges"], first["interests"]) == ([], 1)
            assert {source["state"] for source in first["sources"]} == {"INTERRUPTED"}
            event = await feeds.happen(BLOCK)
            arrived = await answer(subscriber)
            assert ids(arrived) == [event.id]
        queried = await feeds.gateway.ask(FEED, {"after": first["pageInfo"]["endCursor"]}, READING)
        assert without_cursors(queried["data"]["lifeEvents"]) == without_cursors(arrived)
    *_, last, of_query = [entry for entry in feeds.gateway.journal() if entry["persons"]]
    assert last["persons"] == of_query["persons"]


@pytest.mark.parametrize(
    ("scopes", "client"),
    [
        (("events:read", "notary:read"), "test-client"),
        (("events:read", "civil_status:read"), "test-client"),
        (READING, "other-client"),
    ],
)
async def test_a_subscriber_gets_what_the_query_gives_the_same_caller(
    tmp_path: Path, scopes: tuple[str, ...], client: str
) -> None:
    async with subscribing(tmp_path) as (feeds, server):
        for kind, person in ((BLOCK, HOA), (DEATH, HOA), (BLOCK, LAN)):
            await feeds.happen(kind, person)
        async with subscribed(server, token(feeds, *scopes, client=client)) as (_, first):
            body = await feeds.gateway.ask(FEED, {}, scopes, client=client)
    assert without_cursors(first) == without_cursors(body["data"]["lifeEvents"])


async def test_events_of_others_do_not_wake_a_subscriber(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        entries = len(feeds.gateway.journal())
        await feeds.happen(BLOCK, LAN)
        event = await feeds.happen(BLOCK, HOA)
        assert ids(await answer(subscriber)) == [event.id]
        assert len(feeds.gateway.journal()) <= entries + 3


async def test_the_outage_of_a_source_arrives_as_an_event(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        await feeds.happen(LifeEventKind.SOURCE_INTERRUPTED, None, database="notary")
        (edge,) = (await answer(subscriber))["edges"]
        assert edge["node"]["kind"] == "SOURCE_INTERRUPTED"
        assert edge["node"]["person"] is None


async def test_a_heartbeat_says_how_far_each_source_is_complete(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path, StreamSettings(heartbeat=1)) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        await feeds.append([], "notary", feeds.now)
        beat = await answer(subscriber)
        assert beat["edges"] == []
        states = {each["database"]["name"]: each["completeUntil"] for each in beat["sources"]}
        assert states["notary"] is not None


async def test_nothing_is_lost_between_two_subscriptions(tmp_path: Path) -> None:
    async with subscribing(tmp_path) as (feeds, server):
        async with subscribed(server, token(feeds)) as (subscriber, _):
            first = await feeds.happen(BLOCK)
            arrived = await answer(subscriber)
        second, third = await feeds.happen(DEATH), await feeds.happen(BLOCK)
        after = arrived["pageInfo"]["endCursor"]
        async with subscribed(server, token(feeds), after=after) as (_, resumed):
            assert (ids(arrived), ids(resumed)) == ([first.id], [second.id, third.id])


async def test_an_event_stream_goes_on_after_the_last_event_id(tmp_path: Path) -> None:
    async with subscribing(tmp_path) as (feeds, server):
        headers, body = stated(token(feeds)), {"query": SUBSCRIPTION}
        async with server.events(body=body, **headers) as stream:
            await stream.next()
            first = await feeds.happen(BLOCK)
            answer = await stream.next()
            assert ids(answer["data"]["lifeEvents"]) == [first.id]
        second = await feeds.happen(DEATH)
        async with server.events(body=body, last_event_id=answer["id"], **headers) as stream:
            assert ids((await stream.next())["data"]["lifeEvents"]) == [second.id]


async def test_an_event_source_states_its_purpose_in_the_url(tmp_path: Path) -> None:
    async with subscribing(tmp_path) as (feeds, server):
        headers = stated(token(feeds))
        parameters = {"query": SUBSCRIPTION, "purpose": headers["X-Purpose"]}
        authorization = {"authorization": headers["Authorization"]}
        async with server.events("GET", f"/graphql?{urlencode(parameters)}", **authorization) as s:
            assert (await s.next())["data"]["lifeEvents"]["interests"] == 1
        del parameters["purpose"]
        async with server.events("GET", f"/graphql?{urlencode(parameters)}", **authorization) as s:
            assert codes(await s.body()) == ["PURPOSE_REQUIRED"]


async def test_comments_keep_an_event_stream_in_use(tmp_path: Path) -> None:
    settings = StreamSettings(heartbeat=300, keep_alive=0.05)
    async with subscribing(tmp_path, settings) as (feeds, server):
        body = {"query": SUBSCRIPTION}
        async with server.events(body=body, **stated(token(feeds))) as stream:
            await stream.next()
            assert await stream.event() == {}


async def end_token(feeds: Feeds, token: str, how: str) -> None:
    """End a token, and let the gateway look at once."""
    clock = feeds.gateway.clock
    if how == "TOKEN_INVALID":
        settings = feeds.gateway.service.resources.settings
        caller = await feeds.gateway.service.tokens.caller(token)
        revoke(settings.path(settings.access.revocations), str(caller.token_id), clock)
        clock.advance(1)
    else:
        clock.advance(3_600 + settings_leeway(feeds))
    feeds.gateway.app.state.streams.wake_invalid()


def settings_leeway(feeds: Feeds) -> int:
    return feeds.gateway.service.resources.settings.access.leeway


@pytest.mark.parametrize(
    ("how", "close"), [("TOKEN_EXPIRED", 4403), ("TOKEN_INVALID", 4401)], ids=str
)
async def test_a_token_that_is_over_ends_a_subscription_and_says_why(
    tmp_path: Path, how: str, close: int
) -> None:
    async with subscribing(tmp_path) as (feeds, server):
        used = token(feeds)
        async with (
            subscribed(server, used) as (subscriber, _),
            server.events(body={"query": SUBSCRIPTION}, **stated(used)) as stream,
        ):
            await stream.next()
            await end_token(feeds, used, how)
            message = await subscriber.receive()
            assert (message["type"], codes({"errors": message["payload"]})) == ("error", [how])
            assert await subscriber.closed() == (close, how)
            assert codes(await stream.next()) == [how]
            assert (await stream.event() or {})["event"] == "complete"
        await until_closed()


async def until_closed() -> None:
    async with asyncio.timeout(PATIENCE):
        while value_of(OPEN):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def test_an_interest_that_ends_shows_nothing_more(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path) as (feeds, server),
        subscribed(server, token(feeds, life=timedelta(hours=24))) as (subscriber, _),
    ):
        interests = feeds.gateway.service.resources.interests
        (first,) = await interests.in_person([HOA], feeds.now)
        owner = require_events(first.caller)
        registered = await interests.of_owner(owner, feeds.now)
        await interests.end(owner, [each.id for each in registered])
        await feeds.happen(BLOCK)
        await feeds.happen(LifeEventKind.SOURCE_RESUMED, None, database="notary")
        assert [e["node"]["kind"] for e in (await answer(subscriber))["edges"]] == [
            "SOURCE_RESUMED"
        ]


async def test_a_client_may_have_so_many_subscriptions_and_gets_room_again(tmp_path: Path) -> None:
    limits = StreamSettings(heartbeat=300, per_client=1)
    async with (
        subscribing(tmp_path, limits) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        await subscriber.subscribe(SUBSCRIPTION, "2")
        refused = await subscriber.receive()
        assert codes({"errors": refused["payload"]}) == ["TOO_MANY_SUBSCRIPTIONS"]
        assert refused["payload"][0]["extensions"]["of"] == "client"
        await subscriber.send(type="complete", id="1")
        await until_closed()
        await subscriber.subscribe(SUBSCRIPTION, "3")
        await answer(subscriber)


async def test_a_used_up_rate_passes_and_no_event_is_lost(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path, StreamSettings(heartbeat=120)) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        service = feeds.gateway.service
        refusals = iter([True, False])
        request = service.rates.request

        async def refuse_once(client: str | None) -> Any:
            if next(refusals, False):
                raise GatewayError("RATE_LIMITED", headers={"Retry-After": "0.01"})
            return await request(client)

        service.rates.request = refuse_once  # type: ignore[method-assign]
        event = await feeds.happen(BLOCK)
        assert ids(await answer(subscriber)) == [event.id]


async def test_a_log_that_does_not_answer_is_said_and_passes(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path, StreamSettings(heartbeat=1)) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        feeds.log.is_down = True
        message = await subscriber.receive()
        assert codes(message["payload"]) == ["EVENTS_UNAVAILABLE"]
        feeds.log.is_down = False
        event = await feeds.happen(BLOCK)
        while True:
            message = await subscriber.receive()
            if "errors" not in message["payload"]:
                break
        assert ids(message["payload"]["data"]["lifeEvents"]) == [event.id]


async def test_a_cursor_that_is_none_ends_the_subscription(tmp_path: Path) -> None:
    async with subscribing(tmp_path) as (feeds, server), server.subscriber() as subscriber:
        await subscriber.initialise(token(feeds))
        await subscriber.subscribe(SUBSCRIPTION, variables={"after": "x"})
        assert codes((await subscriber.receive())["payload"]) == ["INVALID_VALUE"]
        assert (await subscriber.receive())["type"] == "complete"


async def test_a_subscriber_that_does_not_read_is_cut_off_and_goes_on_later(
    tmp_path: Path,
) -> None:
    settings = StreamSettings(heartbeat=300, slow_timeout=0.1)
    async with subscribing(tmp_path, settings) as (feeds, server):
        to_gateway: asyncio.Queue[Message] = asyncio.Queue()
        sent: asyncio.Queue[Message] = asyncio.Queue()
        is_reading = asyncio.Event()
        is_reading.set()

        async def send(message: Message) -> None:
            """Take a message as uvicorn does: a close at once, all else once there is room."""
            if message["type"] == "websocket.send":
                await is_reading.wait()
            await sent.put(message)

        connection = asyncio.create_task(feeds.gateway.app(SCOPE, to_gateway.get, send))
        init = {"type": "connection_init", "payload": stated(token(feeds))}
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION}}
        to_gateway.put_nowait({"type": "websocket.connect"})
        for message in (init, subscribe):
            text = orjson.dumps(message).decode()
            to_gateway.put_nowait({"type": "websocket.receive", "text": text})
        async with asyncio.timeout(PATIENCE):
            _accept, _ack, first = [await sent.get() for _ in range(3)]
            is_reading.clear()
            event = await feeds.happen(BLOCK)
            close = await sent.get()
        assert (close["code"], close["reason"]) == (4008, "SUBSCRIBER_TOO_SLOW")
        to_gateway.put_nowait({"type": "websocket.disconnect", "code": 4008})
        await connection
        feed = orjson.loads(first["text"])["payload"]["data"]["lifeEvents"]
        after = feed["pageInfo"]["endCursor"]
        async with subscribed(server, token(feeds), after=after) as (_, resumed):
            assert ids(resumed) == [event.id]


@pytest.mark.parametrize(
    "selected",
    [
        "a: lifeEvents { interests } b: lifeEvents { interests }",
        "lifeEvents { interests } __typename",
        "lifeEvents { ... @defer { interests } }",
    ],
)
async def test_a_subscription_has_one_root_field_and_nothing_deferred(
    tmp_path: Path, selected: str
) -> None:
    async with subscribing(tmp_path) as (feeds, server), server.subscriber() as subscriber:
        await subscriber.initialise(token(feeds))
        await subscriber.subscribe(f"subscription {{ {selected} }}")
        refused = codes({"errors": (await subscriber.receive())["payload"]})
        assert refused[0] == "VALIDATION_FAILED"


async def test_over_plain_http_a_subscription_is_refused(tmp_path: Path) -> None:
    async with subscribing(tmp_path) as (feeds, _):
        body = await feeds.gateway.ask(SUBSCRIPTION, {}, READING)
        assert codes(body) == ["UNSUPPORTED_OPERATION"]


async def test_nobody_subscribes_without_a_token(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path) as (_, server),
        server.events(body={"query": SUBSCRIPTION}) as stream,
    ):
        assert codes(await stream.body()) == ["UNAUTHENTICATED"]


async def test_a_process_that_stops_says_so_and_no_stream_is_complete(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
        server.events(body={"query": SUBSCRIPTION}, **stated(token(feeds))) as stream,
    ):
        await stream.next()
        server.served.server.should_exit = True
        assert (await subscriber.closed())[0] == 1001
        assert await stream.event() is None


async def test_a_reload_keeps_subscriptions(tmp_path: Path) -> None:
    async with (
        subscribing(tmp_path) as (feeds, server),
        subscribed(server, token(feeds)) as (subscriber, _),
    ):
        app = feeds.gateway.app
        app.state.service = replace(
            app.state.service, resources=replace(app.state.service.resources)
        )
        event = await feeds.happen(BLOCK)
        assert ids(await answer(subscriber)) == [event.id]
