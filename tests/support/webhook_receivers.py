"""An HTTPS endpoint of a client on this machine, which behaves as a test says."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.certificates import issue_certificate


@dataclass(frozen=True)
class Received:
    """A request as it arrived; ``headers`` by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        """The CloudEvents of the body, be it one or a batch."""
        value = json.loads(self.body)
        return value if isinstance(value, list) else [value]


#: What an endpoint writes in reply; None: it hangs up.
Behave = Callable[[Received], bytes | None]


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP response."""
    lines = [f"HTTP/1.1 {status} -", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def accept(received: Received) -> bytes | None:
    """Accept everything, and give back a challenge."""
    data = received.events[0].get("data") or {}
    challenge = data.get("challenge") if isinstance(data, dict) else None
    if challenge is not None:
        return reply(200, json.dumps({"challenge": challenge}).encode())
    return reply(204)


@dataclass
class Receiver:
    """A running endpoint. ``requests``: what arrived. ``roots``: of its certificate.

    ``is_silent``: it replies to nothing until ``released`` is set. ``arrived``: set by a request.
    """

    url: str
    roots: Path
    requests: list[Received] = field(default_factory=list)
    behave: Behave = accept
    is_silent: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    reset: bool = False

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.url.rsplit(":", 1)[1].partition("/")[0])

    @property
    def deliveries(self) -> list[Received]:
        """What arrived apart from challenges."""
        return [each for each in self.requests if b".challenge" not in each.body]

    @property
    def event_ids(self) -> list[str]:
        """The ids of the events that arrived, in their order."""
        return [event["id"] for each in self.deliveries for event in each.events]


@asynccontextmanager
async def receiver(folder: Path, name: str = "localhost", port: int = 0) -> AsyncIterator[Receiver]:
    """Run an endpoint with a certificate of ``name``, whose authority is its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "authority.pem").exists():
        authority = issue_certificate(folder, "authority", None)
        issue_certificate(folder, name, authority)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    running = Receiver("", folder / "authority.pem")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await _answer(running, reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    running.url = f"https://localhost:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield running
    finally:
        running.released.set()
        server.close()
        await server.wait_closed()


async def _answer(
    running: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    received = Received(method, target, headers, body)
    running.requests.append(received)
    running.arrived.set()
    if running.is_silent:
        await running.released.wait()
    if running.reset:
        writer.transport.abort()
        return
    content = running.behave(received)
    if content is not None:
        writer.write(content)
        await writer.drain()
