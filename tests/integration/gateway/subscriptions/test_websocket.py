"""``graphql-transport-ws`` over real sockets: every message of the protocol, and its misuse.

Covers ``gateway.subscriptions.answers``, ``gateway.subscriptions.origins``,
``gateway.subscriptions.streams``, ``gateway.execution.delivery``, ``gateway.settings.streams``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
import websockets
from websockets.typing import Subprotocol

from gateway.access.revocations import revoke
from gateway.settings import Cors, Limits, StreamSettings
from gateway.telemetry.metrics import REQUESTS
from tests.support.faults import Faulty
from tests.support.metrics import value_of
from tests.support.people import LAN, backends
from tests.support.running import OFFICER, OPERATOR, codes, running
from tests.support.sign_ins import Visitor, gateway_with_sign_in
from tests.support.streams import StreamServer, stated, streaming

PERSON = "query($id: PersonNumber!) { person(id: $id) { id population { identity { exists } } } }"


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[StreamServer]:
    async with (
        running(tmp_path, cors=Cors(origins=("https://portal.example",))) as gateway,
        streaming(gateway) as server,
    ):
        yield server


def token(server: StreamServer, **claims: Any) -> str:
    return server.gateway.token(*OFFICER, **claims)


async def test_a_query_is_answered_as_over_http_and_completes(server: StreamServer) -> None:
    over_http = await server.gateway.ask(PERSON, {"id": LAN})
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        await subscriber.subscribe(PERSON, "7", variables={"id": LAN})
        assert await subscriber.receive() == {
            "id": "7",
            "type": "next",
            "payload": over_http,
        }
        assert await subscriber.receive() == {"id": "7", "type": "complete"}
    first, second = server.gateway.journal()
    assert first["persons"] == second["persons"]


async def test_an_operation_is_counted_with_its_outcome(server: StreamServer) -> None:
    before = value_of(REQUESTS, "websocket", "422")
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        await subscriber.subscribe("{ nothing }")
        assert (await subscriber.receive())["type"] == "error"
        await subscriber.subscribe("{ databases { name } }", "2")
        await subscriber.receive()
    assert value_of(REQUESTS, "websocket", "422") == before + 1


async def test_a_mutation_is_answered_too(server: StreamServer) -> None:
    mutation = 'mutation { invalidateCache(database: "population") { __typename } }'
    body = await server.gateway.ask(mutation, scopes=OPERATOR)
    async with server.subscriber() as subscriber:
        await subscriber.initialise(server.gateway.token(*OPERATOR))
        await subscriber.subscribe(mutation)
        message = await subscriber.receive()
    assert message.get("type") == ("error" if "data" not in body else "next")


async def test_the_headers_of_the_handshake_say_who_calls_as_well(server: StreamServer) -> None:
    async with server.subscriber(headers=stated(token(server))) as subscriber:
        await subscriber.initialise(None)
        await subscriber.subscribe("{ myAccess { client agency } }")
        data = (await subscriber.receive())["payload"]["data"]
    assert data == {"myAccess": {"client": "test-client", "agency": None}}


async def test_operations_run_beside_each_other_under_their_ids(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        for number in range(5):
            await subscriber.subscribe("{ databases { name } }", str(number))
        received = [await subscriber.receive() for _ in range(10)]
    assert sorted(message["id"] for message in received if message["type"] == "next") == list(
        "01234"
    )
    assert sum(message["type"] == "complete" for message in received) == 5


async def test_an_id_can_be_used_again_after_its_operation(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        for _ in range(2):
            await subscriber.subscribe("{ databases { name } }")
            assert (await subscriber.receive())["type"] == "next"
            assert (await subscriber.receive())["type"] == "complete"


async def test_a_ping_is_answered_before_and_after_the_connection_is_initialised(
    server: StreamServer,
) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.send(type="ping")
        assert await subscriber.receive() == {"type": "pong"}
        await subscriber.initialise(None)
        await subscriber.send(type="pong")
        await subscriber.send(type="ping", payload={"a": 1})
        assert await subscriber.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "SYNTAX_ERROR"),
        ("{ nothing }", "VALIDATION_FAILED"),
        ("query($id: PersonNumber!) { person(id: $id) { id } }", "INVALID_VARIABLES"),
        ("subscription { a b }", "VALIDATION_FAILED"),
        ("{ a } { b }", "VALIDATION_FAILED"),
    ],
)
async def test_a_refusal_ends_its_operation_with_an_error(
    server: StreamServer, query: str, code: str
) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        await subscriber.subscribe(query)
        message = await subscriber.receive()
        assert (message["id"], message["type"]) == ("1", "error")
        assert codes({"errors": message["payload"]})[0] == code
        assert message["payload"][0]["extensions"]["documentation"].endswith(f"{code}.md")
        await subscriber.subscribe("{ databases { name } }")
        assert (await subscriber.receive())["type"] == "next"


async def test_parameters_that_are_none_end_their_operation_alone(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        await subscriber.send(type="subscribe", id="1", payload={"query": "{a}", "variables": [1]})
        assert codes({"errors": (await subscriber.receive())["payload"]}) == ["BAD_REQUEST"]


@pytest.mark.parametrize("text", ["hello", "[]", '{"type":"start"}', '{"type":"complete"}'])
async def test_what_is_no_message_closes_with_4400(server: StreamServer, text: str) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.socket.send(text)
        assert (await subscriber.closed())[0] == 4400


async def test_bytes_are_no_message(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.socket.send(b'{"type":"ping"}')
        assert (await subscriber.closed())[0] == 4400


async def test_an_operation_before_the_connection_is_initialised_closes_with_4401(
    server: StreamServer,
) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.subscribe("{ databases { name } }")
        assert (await subscriber.closed())[0] == 4401


async def test_two_initialisations_close_with_4429(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(None)
        await subscriber.send(type="connection_init")
        assert (await subscriber.closed())[0] == 4429


async def test_another_subprotocol_closes_with_4406(server: StreamServer) -> None:
    async with server.subscriber(subprotocol=Subprotocol("graphql-ws")) as subscriber:
        assert (await subscriber.closed())[0] == 4406


async def test_an_id_that_is_in_use_closes_with_4409(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        operation = {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}
        text = orjson.dumps(operation).decode()
        await asyncio.gather(subscriber.socket.send(text), subscriber.socket.send(text))
        code, _ = await subscriber.closed()
    assert code == 4409


async def test_a_client_that_does_not_say_who_it_is_is_closed_with_4408(tmp_path: Path) -> None:
    impatient = StreamSettings(init_timeout=0.05)
    async with (
        running(tmp_path, subscriptions=impatient) as gateway,
        streaming(gateway) as server,
        server.subscriber() as subscriber,
    ):
        assert (await subscriber.closed())[0] == 4408


async def test_a_token_that_is_not_valid_is_not_connected(server: StreamServer) -> None:
    expired = token(server, life=timedelta(seconds=1))
    revoked = token(server)
    server.gateway.clock.advance(10)
    access = server.gateway.service.resources.settings
    caller = await server.gateway.service.tokens.caller(revoked)
    revoke(access.path(access.access.revocations), str(caller.token_id), server.gateway.clock)
    server.gateway.clock.advance(1)
    for bad, close in (
        (expired, (4403, "TOKEN_EXPIRED")),
        (revoked, (4401, "TOKEN_INVALID")),
        ("x", (4401, "TOKEN_INVALID")),
    ):
        async with server.subscriber() as subscriber:
            await subscriber.send(type="connection_init", payload=stated(bad))
            assert await subscriber.closed() == close


async def test_a_purpose_that_is_not_granted_is_not_connected(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        payload = {**stated(token(server)), "X-Purpose": "9.999999"}
        await subscriber.send(type="connection_init", payload=payload)
        assert await subscriber.closed() == (4403, "PURPOSE_NOT_GRANTED")


async def test_a_token_that_expires_ends_the_next_operation_and_the_connection(
    server: StreamServer,
) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server, life=timedelta(minutes=1)))
        server.gateway.clock.advance(120)
        await subscriber.subscribe("{ databases { name } }")
        message = await subscriber.receive()
        assert codes({"errors": message["payload"]}) == ["TOKEN_EXPIRED"]
        assert await subscriber.closed() == (4403, "TOKEN_EXPIRED")


async def test_a_message_that_is_too_large_closes_with_1009(tmp_path: Path) -> None:
    async with (
        running(tmp_path, limits=Limits(anonymous_body_bytes=2_000, deadline=120)) as gateway,
        streaming(gateway, body_bytes=4_000) as server,
        server.subscriber() as subscriber,
    ):
        await subscriber.initialise(None)
        await subscriber.subscribe("{ databases { name } } #" + "x" * 3_000)
        assert codes({"errors": (await subscriber.receive())["payload"]}) == ["BODY_TOO_LARGE"]
        await subscriber.subscribe("{ databases { name } } #" + "x" * 5_000, "2")
        assert (await subscriber.closed())[0] == 1009


async def test_more_operations_at_once_than_a_connection_may_have_are_refused(
    tmp_path: Path,
) -> None:
    sources = backends()
    silent = {**sources, "population": Faulty(sources["population"], "hangs")}
    async with (
        running(tmp_path, silent, subscriptions=StreamSettings(per_connection=1)) as gateway,
        streaming(gateway) as server,
        server.subscriber() as subscriber,
    ):
        await subscriber.initialise(gateway.token(*OFFICER))
        await subscriber.subscribe(PERSON, "1", variables={"id": LAN})
        await subscriber.subscribe("{ databases { name } }", "2")
        refused = await subscriber.receive()
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert codes({"errors": refused["payload"]}) == ["TOO_MANY_SUBSCRIPTIONS"]
        await subscriber.send(type="complete", id="1")
        await subscriber.subscribe("{ databases { name } }", "1")
        assert (await subscriber.receive())["type"] == "next"


ORIGINS = {
    "no browser": (None, True),
    "a page of the gateway": ("http://127.0.0.1:{port}", True),
    "a page that may call": ("https://portal.example", True),
    "another page": ("https://evil.example", False),
    "another port of this host": ("http://127.0.0.1:1", False),
    "a page without an origin": ("null", False),
}


@pytest.mark.parametrize(("origin", "is_allowed"), ORIGINS.values(), ids=ORIGINS.keys())
async def test_pages_of_other_origins_open_no_connection(
    server: StreamServer, origin: str | None, is_allowed: bool
) -> None:
    named = None if origin is None else origin.format(port=server.served.port)
    if is_allowed:
        async with server.subscriber(named) as subscriber:
            await subscriber.initialise(None)
        return
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with server.subscriber(named):
            pass
    assert refused.value.response.status_code == 403
    assert codes(orjson.loads(refused.value.response.body or b"")) == ["ORIGIN_NOT_ALLOWED"]


@pytest.mark.parametrize("origin", ["https://gateway.example", None])
async def test_the_cookie_of_a_session_counts_for_pages_of_the_gateway_alone(
    tmp_path: Path, origin: str | None
) -> None:
    async with gateway_with_sign_in(tmp_path) as (gateway, ministry):
        visitor = Visitor(gateway)
        await visitor.sign_in(ministry)
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        async with (
            streaming(gateway) as server,
            server.subscriber(origin, {"Cookie": cookie}) as subscriber,
        ):
            await subscriber.send(type="connection_init")
            if origin is None:
                assert await subscriber.closed() == (4403, "ORIGIN_NOT_ALLOWED")
                return
            assert await subscriber.receive() == {"type": "connection_ack"}
            await subscriber.subscribe("{ myAccess { agency } }")
            data = (await subscriber.receive())["payload"]["data"]
    assert data == {"myAccess": {"agency": "UBND phường"}}


async def test_a_client_that_leaves_leaves_nothing_behind(server: StreamServer) -> None:
    async with server.subscriber() as subscriber:
        await subscriber.initialise(token(server))
        await subscriber.subscribe(PERSON, variables={"id": LAN})
        subscriber.socket.transport.abort()
    async with server.subscriber() as subscriber:
        await subscriber.initialise(None)


async def test_a_process_that_stops_answers_what_it_has_begun_and_says_so(
    server: StreamServer,
) -> None:
    async with server.subscriber() as subscriber, server.subscriber() as idle:
        await subscriber.initialise(token(server))
        await idle.initialise(None)
        await subscriber.subscribe(PERSON, variables={"id": LAN})
        server.served.server.should_exit = True
        assert (await subscriber.receive())["type"] == "next"
        assert (await subscriber.receive())["type"] == "complete"
        assert (await subscriber.closed())[0] == 1001
        assert (await idle.closed())[0] == 1001
