"""A client that reads an answer payload by payload.

The merge of payloads is written from the draft of the GraphQL specification, not from the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

from gateway.procedures.procedure import UNIFIED
from tests.support.asgi import JSON_BODY, Header, scope
from tests.support.running import CASE_NUMBER, OFFICER, Running, application

#: What Apollo Client sends for this form of payloads.
ACCEPT: Header = (b"accept", b"multipart/mixed;incrementalSpec=v0.2,application/json")
_DELIMITER = b"\r\n---"


@dataclass
class PayloadClient:
    """The client's side of one request.

    ``payloads``: those that have arrived so far. ``messages``: what the application has sent.
    ``left``: the client is gone. ``watched``: what was there before each message left.
    """

    payloads: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    content: bytes = b""
    messages: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    watched: list[object] = field(default_factory=list)
    _rest: bytes = b""

    @property
    def is_multipart(self) -> bool:
        """Whether there may be several payloads."""
        return self.headers[b"content-type"].startswith(b"multipart/mixed")

    def leave(self) -> None:
        """Close the connection."""
        self.left.set()

    async def next(self) -> dict[str, Any]:
        """Wait for the next payload and return it."""
        while True:
            async with asyncio.timeout(60):
                message = await self.messages.get()
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], dict(message["headers"])
                continue
            body, is_last = message.get("body", b""), not message.get("more_body", False)
            self.content += body
            if not self.is_multipart:
                self.payloads.append(orjson.loads(body))
                return self.payloads[-1]
            for payload in self._parts(body):
                self.payloads.append(payload)
                if is_last:
                    assert self._rest == b"--\r\n"
                return payload
            assert not is_last, "no payload was left"

    async def rest(self) -> list[dict[str, Any]]:
        """Read to the end; return all payloads."""
        while not self.payloads or self.payloads[-1].get("hasNext"):
            await self.next()
        return self.payloads

    def _parts(self, body: bytes) -> Iterable[dict[str, Any]]:
        *parts, self._rest = (self._rest + body).split(_DELIMITER)
        for part in parts:
            if part:
                head, _, text = part.partition(b"\r\n\r\n")
                assert head == b"\r\nContent-Type: application/json; charset=utf-8"
                yield orjson.loads(text)


@asynccontextmanager
async def requesting(
    app: ASGIApp,
    body: Mapping[str, object],
    headers: Iterable[Header],
    version: str = "1.1",
    watch: Callable[[], object] | None = None,
) -> AsyncIterator[PayloadClient]:
    """Send a request; at the end the application must have returned."""
    client = PayloadClient()
    parts: list[Message] = [
        {"type": "http.request", "body": orjson.dumps(body), "more_body": False}
    ]

    async def receive() -> Message:
        if parts:
            return parts.pop()
        await client.left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if watch is not None:
            client.watched.append(watch())
        client.messages.put_nowait(message)

    connection = scope("POST", "/graphql", (JSON_BODY, *headers))
    connection["http_version"] = version
    answering = asyncio.ensure_future(app(connection, receive, send))
    try:
        yield client
        async with asyncio.timeout(60):
            await answering
    finally:
        answering.cancel()


@asynccontextmanager
async def asking(
    gateway: Running,
    query: str,
    variables: Mapping[str, object] | None = None,
    scopes: Sequence[str] = OFFICER,
    accept: Header = ACCEPT,
    version: str = "1.1",
    body: Mapping[str, object] | None = None,
    purpose: str | None = UNIFIED,
    subject: str = "officer-1",
    watch: Callable[[], object] | None = None,
    headers: Iterable[Header] = (),
) -> AsyncIterator[PayloadClient]:
    """Ask as a caller with ``scopes``, by a client that reads payloads.

    ``body``: more of it. ``watch``: called before each message leaves, for ``client.watched``.
    """
    token = gateway.token(*scopes, subject=subject, purposes=[purpose or "none"])
    headers = [*headers, accept, (b"authorization", f"Bearer {token}".encode())]
    if purpose is not None:
        stated = {b"x-purpose": purpose, b"x-case-number": CASE_NUMBER}
        headers += [(name, value.encode()) for name, value in stated.items()]
    request = {"query": query, "variables": variables, **(body or {})}
    async with requesting(application(gateway), request, headers, version, watch) as client:
        yield client


def merge(payloads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the answer that payloads amount to: data, and errors if there are any."""
    first = deepcopy(dict(payloads[0]))
    data, errors = first["data"], list(first.get("errors", ()))
    paths: dict[str, list[str | int]] = {}
    for place, payload in enumerate(payloads):
        assert payload.get("hasNext", False) is (place < len(payloads) - 1)
        for pending in payload.get("pending", ()):
            assert pending["id"] not in paths
            paths[pending["id"]] = pending["path"]
        for part in payload.get("incremental", ()):
            target = data
            for step in [*paths[part["id"]], *part.get("subPath", ())]:
                target = target[step]
            assert not target.keys() & part["data"].keys()
            target.update(deepcopy(part["data"]))
            errors += part.get("errors", ())
        for completed in payload.get("completed", ()):
            del paths[completed["id"]]
            errors += completed.get("errors", ())
    assert not paths
    return {"data": data, **({"errors": errors} if errors else {})}
