"""A gateway on a real socket in this process, and subscribers that connect to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from gateway.http.websocket import STOP_STREAMS
from gateway.procedures.procedure import UNIFIED
from tests.support.running import CASE_NUMBER, Running
from tests.support.sockets import PATIENCE, ServedApplication, serve

SUBPROTOCOL = Subprotocol("graphql-transport-ws")


@dataclass
class Subscriber:
    """A WebSocket that speaks ``graphql-transport-ws``, message by message."""

    socket: ClientConnection

    async def send(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send(orjson.dumps(message).decode())

    async def receive(self) -> dict[str, Any]:
        """Return the next message."""
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = orjson.loads(await self.socket.recv())
        return message

    async def initialise(self, token: str | None, **payload: Any) -> None:
        """Say who the caller is, as ``Running.post`` does, and be accepted."""
        await self.send(type="connection_init", payload={**stated(token), **payload})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query: str, operation_id: str = "1", **payload: Any) -> None:
        """Begin an operation."""
        await self.send(type="subscribe", id=operation_id, payload={"query": query, **payload})

    async def closed(self) -> tuple[int, str]:
        """Return the code and the reason with which the gateway closes, after all messages."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""


def stated(token: str | None) -> dict[str, str]:
    """Return what a caller states, as headers or as the payload of ``connection_init``."""
    if token is None:
        return {}
    return {
        "Authorization": f"Bearer {token}",
        "X-Purpose": UNIFIED,
        "X-Case-Number": CASE_NUMBER,
    }


@dataclass
class EventStream:
    """An event stream as it arrives."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int
    headers: Mapping[str, str]
    _text: str = field(default="")

    async def event(self) -> dict[str, str] | None:
        """Return the next event: its fields; a comment has none. None at the end of the stream."""
        async with asyncio.timeout(PATIENCE):
            while "\n\n" not in self._text:
                length = int(await self.reader.readline() or b"0", 16)
                chunk = (await self.reader.readexactly(length + 2))[:-2] if length else b""
                if not chunk:
                    return None
                self._text += chunk.decode()
        text, _, self._text = self._text.partition("\n\n")
        pairs = (line.partition(": ") for line in text.split("\n") if not line.startswith(":"))
        return {name: value for name, _, value in pairs}

    async def next(self) -> dict[str, Any]:
        """Return the next answer, with the id of its event under ``id``."""
        while True:
            event = await self.event()
            assert event is not None, "the stream has ended"
            if event:
                assert event["event"] == "next", event
                return {**orjson.loads(event["data"]), "id": event.get("id")}

    async def body(self) -> dict[str, Any]:
        """Return the body of an answer that is no stream."""
        length = int(self.headers["content-length"])
        async with asyncio.timeout(PATIENCE):
            body: dict[str, Any] = orjson.loads(await self.reader.readexactly(length))
        return body


@asynccontextmanager
async def open_subscriber(
    port: int,
    origin: str | None = None,
    headers: Mapping[str, str] | None = None,
    subprotocol: Subprotocol = SUBPROTOCOL,
) -> AsyncIterator[Subscriber]:
    """Open a WebSocket to a gateway at ``port``; nothing has been said on it."""
    async with connect(
        f"ws://127.0.0.1:{port}/graphql",
        origin=None if origin is None else Origin(origin),
        subprotocols=[subprotocol],
        additional_headers=headers,
        compression=None,
        ping_interval=None,
        proxy=None,
    ) as socket:
        yield Subscriber(socket)


@asynccontextmanager
async def open_event_stream(
    port: int, method: str = "POST", path: str = "/graphql", body: object = None, **headers: str
) -> AsyncIterator[EventStream]:
    """Send a request that wants an event stream, and read the head of its answer."""
    content = b"" if body is None else orjson.dumps(body)
    named = {"host": "gateway", "accept": "text/event-stream", **headers}
    if body is not None:
        named |= {"content-type": "application/json", "content-length": str(len(content))}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content)
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.partition(": ") for line in head[1:] if line)
    try:
        yield EventStream(
            reader,
            writer,
            int(head[0].split(" ")[1]),
            {name.lower(): value for name, _, value in pairs},
        )
    finally:
        writer.close()


@dataclass
class StreamServer:
    """A gateway on a socket, and ways to it."""

    gateway: Running
    served: ServedApplication

    @asynccontextmanager
    async def subscriber(
        self,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocol: Subprotocol = SUBPROTOCOL,
    ) -> AsyncIterator[Subscriber]:
        """Open a WebSocket, as ``open_subscriber`` does."""
        async with open_subscriber(self.served.port, origin, headers, subprotocol) as subscriber:
            yield subscriber

    @asynccontextmanager
    async def events(
        self, method: str = "POST", path: str = "/graphql", body: object = None, **headers: str
    ) -> AsyncIterator[EventStream]:
        """Ask for an event stream, as ``open_event_stream`` does."""
        async with open_event_stream(self.served.port, method, path, body, **headers) as stream:
            yield stream


@asynccontextmanager
async def streaming(gateway: Running, **connections: Any) -> AsyncIterator[StreamServer]:
    """Serve a gateway that runs on a socket, with these limits of connections."""
    async with serve(gateway.app, **connections) as served:
        served.server.lifespan.state[STOP_STREAMS] = gateway.app.state.streams.stop
        yield StreamServer(gateway, served)
