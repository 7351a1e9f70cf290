"""Requests that no HTTP client would send, passed directly to the application."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

Header = tuple[bytes, bytes]
JSON_BODY: Header = (b"content-type", b"application/json")


@dataclass
class Reply:
    """What the application sent. ``started`` is false where it sent nothing."""

    started: bool = False
    status: int = 0
    headers: list[Header] = field(default_factory=list)
    content: bytes = b""
    taken: int = 0

    def json(self) -> Any:
        return orjson.loads(self.content)

    @property
    def code(self) -> str:
        """The code of the first error."""
        return str(self.json()["errors"][0]["extensions"]["code"])


def scope(
    method: str = "POST",
    path: str = "/graphql",
    headers: Iterable[Header] = (),
    query: bytes = b"",
) -> MutableMapping[str, Any]:
    """Return an ASGI scope, with headers as bytes and as many times as given."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


async def send_raw(
    app: ASGIApp,
    body: Sequence[bytes] = (b"",),
    headers: Iterable[Header] = (JSON_BODY,),
    method: str = "POST",
    path: str = "/graphql",
    query: bytes = b"",
    leaves: bool = False,
    deaf: bool = False,
) -> Reply:
    """Send one request, its body in the given parts, and return what came back.

    ``leaves``: the client is gone after the parts, before the body is whole. ``deaf``: it is gone
    by the time the answer is sent.
    """
    reply = Reply()
    last = len(body) - 1

    async def receive() -> Message:
        place, reply.taken = reply.taken, reply.taken + 1
        if place > last:
            return {"type": "http.disconnect"}
        more = place < last or leaves
        return {"type": "http.request", "body": body[place], "more_body": more}

    async def send(message: Message) -> None:
        if deaf:
            raise OSError("the connection is gone")
        if message["type"] == "http.response.start":
            reply.started, reply.status = True, message["status"]
            reply.headers = list(message["headers"])
        else:
            reply.content += message.get("body", b"")

    await app(scope(method, path, headers, query), receive, send)
    return reply
