"""Limits of WebSockets over real sockets: heads, fragments, unread answers, number, and the end.

Covers ``gateway.http.websocket``, and how ``gateway.http.protocol`` hands connections over.
"""

from __future__ import annotations

import asyncio
import base64
import os
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from gateway.http.connections import CLOSED, OPEN
from gateway.http.websocket import IDLE, STOP_STREAMS
from tests.support.metrics import value_of
from tests.support.sockets import PATIENCE, Client, ServedApplication, serve

LONG = {"header_timeout": 300, "body_timeout": 300, "idle_timeout": 300}
HEAD = (
    b"GET /graphql HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\n"
    b"Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
)


class Echo:
    """Sends back what it receives; says of itself that it is idle where the path asks for it.

    ``/graphql?flood``: sends without end. Over plain HTTP it answers with an empty body.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.left = asyncio.Event()
        self.full = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body"})
            return
        await receive()
        await send({"type": "websocket.accept"})
        scope["extensions"][IDLE](scope["query_string"] == b"idle")
        with suppress(OSError):
            while scope["query_string"] == b"flood":
                try:
                    async with asyncio.timeout(0.2):
                        await send({"type": "websocket.send", "text": "x" * 65_536})
                except TimeoutError:
                    self.full.set()
                    await send({"type": "websocket.close", "code": 4008})
                    break
            while (message := await receive())["type"] == "websocket.receive":
                self.messages.append(message["text"])
                await send({"type": "websocket.send", "text": message["text"]})
        self.left.set()


@pytest.fixture
def app() -> Echo:
    return Echo()


def socket(server: ServedApplication, query: str = "") -> connect:
    """Return a WebSocket to open."""
    return connect(f"ws://127.0.0.1:{server.port}/graphql{query}", ping_interval=None, proxy=None)


async def echoes(client: ClientConnection, text: str = "hello") -> None:
    await client.send(text)
    async with asyncio.timeout(PATIENCE):
        assert await client.recv() == text


async def close_code(client: ClientConnection) -> int | None:
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionClosed):
            while True:
                await client.recv()
        await client.wait_closed()
    return client.close_code


def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


async def opened(client: Client) -> bytes:
    """Open a WebSocket byte by byte; return the head of the answer."""
    await client.send(HEAD % base64.b64encode(os.urandom(16)))
    async with asyncio.timeout(PATIENCE):
        return await client.reader.readuntil(b"\r\n\r\n")


async def test_a_connection_becomes_a_websocket_after_requests_too(app: Echo) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await client.answer()
        assert (await opened(client)).startswith(b"HTTP/1.1 101 ")
        assert value_of(OPEN) == 1
        await client.send(frame(Opcode.TEXT, b"hello"))
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.readexactly(7) == b"\x81\x05hello"
        client.close()
        await app.left.wait()
    assert value_of(OPEN) == 0


async def test_messages_are_not_compressed(app: Echo) -> None:
    async with serve(app, **LONG) as server, socket(server) as client:
        await echoes(client)
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


@pytest.mark.parametrize(
    "change",
    [
        (b"GET /graphql", b"GET /person"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"GET", b"DELETE"),
        (b"Upgrade: WebSocket", b"Upgrade: h2c"),
    ],
)
async def test_any_other_upgrade_is_answered_without_one(
    app: Echo, change: tuple[bytes, bytes]
) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send((HEAD % base64.b64encode(os.urandom(16))).replace(*change))
        assert (await client.read_to_end()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"Sec-WebSocket-Version: 13\r\n", b""), 400),
        ((b"Version: 13", b"Version: 8"), 400),
        ((b"Sec-WebSocket-Key", b"X-Key"), 400),
        ((b"Host: here", b"Host: here\r\nContent-Length: 3"), 400),
        ((b"Host: here", b"Host: here\r\nX-Large: " + b"x" * 20_000), 431),
    ],
)
async def test_a_handshake_that_is_none_is_refused(
    app: Echo, change: tuple[bytes, bytes], status: int
) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send((HEAD % base64.b64encode(os.urandom(16))).replace(*change))
        assert (await client.read_to_end()).startswith(b"HTTP/1.1 %d " % status)
    assert value_of(OPEN) == 0


async def test_a_websocket_does_not_overtake_an_answer(app: Echo) -> None:
    slow = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await slow.wait()
        await app(scope, receive, send)

    async with serve(waiting, **LONG) as server, server.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n" + HEAD % b"x")
        assert b" 101 " not in await client.read_to_end()
        slow.set()


async def test_fragments_of_a_message_are_bounded(app: Echo) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await opened(client)
        await client.send(frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.CONT, b"b"))
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.readexactly(4) == b"\x81\x02ab"
        await client.send(frame(Opcode.TEXT, b"", fin=False))
        await client.send(frame(Opcode.CONT, b"", fin=False) * 2_000)
        assert (await client.read_to_end())[2:4] == (1009).to_bytes(2)
    assert app.messages == ["ab"]


async def test_pings_whose_answers_nobody_reads_are_bounded(app: Echo) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await opened(client)
        before = value_of(CLOSED, "answer_timeout")
        pings = frame(Opcode.PING, b"x" * 125) * 8_192
        async with asyncio.timeout(PATIENCE):
            while value_of(CLOSED, "answer_timeout") == before:
                client.writer.write(pings)
                await asyncio.sleep(0)  # the server has its turn
        await app.left.wait()


async def test_a_client_that_does_not_read_is_told_and_cut_off(app: Echo) -> None:
    async with serve(app, answer_timeout=0.3, **LONG) as server, server.client() as client:
        await client.send(
            (HEAD % b"x")
            .replace(b"/graphql", b"/graphql?flood")
            .replace(b"Key: x", b"Key: " + base64.b64encode(os.urandom(16)))
        )
        async with asyncio.timeout(PATIENCE):
            await app.full.wait()
            await app.left.wait()
    assert value_of(OPEN) == 0


async def test_a_client_that_reads_again_learns_why_it_is_closed(app: Echo) -> None:
    async with serve(app, **LONG) as server, socket(server, "?flood") as client:
        await app.full.wait()
        assert await close_code(client) == 4008


async def test_a_websocket_that_serves_nothing_makes_room(app: Echo) -> None:
    async with (
        serve(app, per_address=2, **LONG) as server,
        socket(server) as used,
        socket(server, "?idle") as idle,
    ):
        await echoes(used)
        await echoes(idle)
        async with socket(server) as new:
            await echoes(new)
            await echoes(used)
        assert await close_code(idle) == 1013


async def test_the_application_closes_its_websockets_when_the_process_stops(app: Echo) -> None:
    stopped = asyncio.Event()
    async with serve(app, **LONG) as server, socket(server) as client:
        await echoes(client)
        server.server.lifespan.state[STOP_STREAMS] = stopped.set
        server.server.should_exit = True
        await stopped.wait()
        await echoes(client)


async def test_a_websocket_of_an_application_without_streams_is_closed_at_once(app: Echo) -> None:
    async with serve(app, **LONG) as server, socket(server) as client:
        await echoes(client)
        server.server.should_exit = True
        assert await close_code(client) == 1012
