"""A stand-in for two security servers and the provider behind them, for the demo and for tests.

It checks every header as real ones do and refuses what they refuse. It can be made slow, to fail
with any error of X-Road, or to be in maintenance. It signs and stores nothing: never exchange real
data through it. Rules: message protocol for REST 1.0.4, 4.1 to 4.6.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.backends.base import Backend, NotMapped, SourceUnavailable
from connectors.description import Database, Record
from connectors.xroad.change_messages import (
    CHECKPOINT_LOST,
    change_entry,
    changes_answer,
    parse_changes_request,
)
from connectors.xroad.identifiers import Identifier, identifier
from connectors.xroad.messages import (
    LARGEST,
    MAINTENANCE,
    NOT_KEPT,
    MalformedMessage,
    RowsRequest,
    answer_body,
    parse_request,
)

_OURS_ALONE = ("X-Road-Request-Id", "X-Road-Request-Hash", "X-Road-Service", "X-Road-Error")
_LOCAL = {"127.0.0.1", "::1", "testclient"}
_PARTY = re.compile(r"[^/]{1,255}(/[^/]{1,255})?")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the stand-in behaves.

    ``delay``: seconds before each answer. ``error``: the type of an X-Road error, in place of an
    answer. ``old_spelling``: errors are spelt as before version 7.8. ``maintenance``: the provider
    says that it is in maintenance.
    """

    delay: float = 0.0
    error: str | None = None
    old_spelling: bool = False
    maintenance: bool = False


@dataclass(slots=True)
class ChangeFeed:
    """The changes of the provider's rows, in their order; ``forgotten``: how many it has no more.

    ``epoch``: another one after an older copy was restored.
    """

    entries: list[dict[str, object]] = field(default_factory=list)
    forgotten: int = 0
    epoch: int = 1

    def append(
        self,
        record: Record,
        operation: str,
        identity: str,
        before: Mapping[str, object] | None,
        after: Mapping[str, object] | None,
    ) -> None:
        """Note a change: ``c``, ``u``, ``d`` or ``w``; rows by column, before and after."""
        entry = change_entry(record, operation, identity, before, after, datetime.now(UTC))
        self.entries.append({**entry, "position": f"{self.epoch}-{len(self.entries)}"})

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Return the answer to a request for changes: status and body."""
        request = parse_changes_request(body)
        now = datetime.now(UTC)
        if request.after is None:
            return 200, changes_answer([], f"{self.epoch}:{len(self.entries)}", now, False)
        epoch, _, place = request.after.partition(":")
        after = int(place) if place.isdigit() else -1
        if epoch != str(self.epoch) or not self.forgotten <= after <= len(self.entries):
            return 410, orjson.dumps({"code": CHECKPOINT_LOST})
        end = min(len(self.entries), after + request.most)
        page = [entry for entry in self.entries[after:end] if entry["record"] in request.records]
        has_more = end < len(self.entries)
        until = None if has_more else now
        return 200, changes_answer(page, f"{self.epoch}:{end}", until, has_more)


@dataclass(slots=True)
class StandIn:
    """The provider's ``database`` behind ``backend``, offered as ``service`` to ``clients``.

    ``change_service``: offers ``changes``, if any; of the same provider. ``seen``: the headers of
    the messages to the service that were let through, for tests.
    """

    database: Database
    backend: Backend
    service: Identifier
    clients: frozenset[Identifier]
    behaviour: Behaviour = Behaviour()
    change_service: Identifier | None = None
    changes: ChangeFeed = field(default_factory=ChangeFeed)
    seen: list[Mapping[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        """Return the ASGI application."""

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            await self.backend.open()
            yield
            await self.backend.close()

        routes = [
            Route("/stand-in/behaviour", self.behave, methods=["PUT"]),
            Route("/r1/{path:path}", self.exchange, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    async def behave(self, request: Request) -> Response:
        """Set the behaviour; only from this machine."""
        if request.client is None or request.client.host not in _LOCAL:
            return Response(status_code=403)
        try:
            self.behaviour = replace(Behaviour(), **orjson.loads(await request.body()))
        except (ValueError, TypeError):
            return Response(status_code=400)
        return Response(status_code=204)

    async def exchange(self, request: Request) -> Response:
        """Pass a message on to the provider, or refuse it."""
        body = await request.body()
        try:
            self._check(request, body)
            await asyncio.sleep(self.behaviour.delay)
            if self.behaviour.error is not None:
                raise _Refused(self.behaviour.error, "as told")
            status, content = await self._answer(request, body)
        except _Refused as refused:
            return self._error(refused)
        return Response(content, status, _proof(request, body), "application/json")

    def _check(self, request: Request, body: bytes) -> None:
        """Refuse what the security servers would (message protocol, 4.3 and 4.6)."""
        headers = request.headers
        if len(body) > LARGEST:
            raise _Refused("client.clientproxy.io_error", "the body is too large")
        for name in _OURS_ALONE:
            if name in headers:
                raise _Refused("client.clientproxy.invalid_headers", f"{name} is not for clients")
        client = _read(headers.get("X-Road-Client"), (3, 4), "X-Road-Client")
        if headers.get("X-Road-Security-Server") is not None:
            _read(headers["X-Road-Security-Server"], (4,), "X-Road-Security-Server")
        self._check_optional(headers)
        service = _read(_path(request), (5,), "the path")
        if client not in self.clients:
            raise _Refused("server.clientproxy.unknown_member", "no such client here")
        if service.parts[0] != self.service.parts[0] or service.owner != self.service.owner:
            raise _Refused("server.clientproxy.unknown_member", "no such provider")
        offered = {service.parts[4] for service in self._services()}
        if service.parts[4] not in {"allowedMethods", "listMethods", *offered}:
            raise _Refused("server.serverproxy.unknown_service", "no such service")
        if service == self.service:
            self.seen.append(dict(headers))

    def _check_optional(self, headers: Mapping[str, str]) -> None:
        message = headers.get("X-Road-Id")
        if message is not None:
            try:
                uuid.UUID(message)
            except ValueError:
                raise _Refused("client.clientproxy.invalid_headers", "X-Road-Id") from None
        for name in ("X-Road-UserId", "X-Road-Issue"):
            if headers.get(name) == "":
                raise _Refused("client.clientproxy.invalid_headers", name)
        party = headers.get("X-Road-Represented-Party")
        if party is not None and not _PARTY.fullmatch(party):
            raise _Refused("client.clientproxy.invalid_headers", "X-Road-Represented-Party")

    async def _answer(self, request: Request, body: bytes) -> tuple[int, bytes]:
        """Return the provider's own answer: status and body."""
        if _path(request).rsplit("/", 1)[1] in {"allowedMethods", "listMethods"}:
            return 200, orjson.dumps(
                {"service": [_listed(service) for service in self._services()]}
            )
        if self.behaviour.maintenance:
            return 503, orjson.dumps({"code": MAINTENANCE})
        if request.method != "POST":
            raise _Refused("server.serverproxy.access_denied", "only POST is allowed")
        if request.headers.get("content-type") != "application/json":
            return 415, orjson.dumps({"code": "NO_JSON"})
        return await self._answer_post(request, body)

    async def _answer_post(self, request: Request, body: bytes) -> tuple[int, bytes]:
        try:
            if _read(_path(request), (5,), "the path") == self.change_service:
                return self.changes.answer(body)
            return 200, await self._rows(parse_request(body))
        except MalformedMessage:
            return 400, orjson.dumps({"code": "NO_SUCH_QUESTION"})
        except NotMapped:
            return 404, orjson.dumps({"code": NOT_KEPT})
        except SourceUnavailable:
            raise _Refused("server.serverproxy.service_failed", "the provider failed") from None

    async def _rows(self, request: RowsRequest) -> bytes:
        record = self.database.by_name.get(request.record)
        lookups = record.lookups if record is not None else ()
        lookup = next(
            (candidate for candidate in lookups if candidate.name == request.lookup), None
        )
        if record is None or lookup is None:
            raise NotMapped(request.record)
        return answer_body(record, await self.backend.fetch(record, lookup, request.keys))

    def _services(self) -> list[Identifier]:
        return [self.service, *([self.change_service] if self.change_service else [])]

    def _error(self, refused: _Refused) -> Response:
        kind = _old(refused.kind) if self.behaviour.old_spelling else refused.kind
        content = {"type": kind, "message": refused.message, "detail": str(uuid.uuid4())}
        status = 500 if kind.lower().startswith("server.") else 400
        return Response(orjson.dumps(content), status, {"X-Road-Error": kind}, "application/json")


class _Refused(Exception):
    """A security server answers in place of the provider."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = message
        super().__init__(kind)


def _path(request: Request) -> str:
    """Return the identifier in the path, still encoded."""
    raw: bytes = request.scope["raw_path"]
    return raw.decode("ascii").removeprefix("/r1/")


def _read(text: str | None, lengths: tuple[int, ...], place: str) -> Identifier:
    try:
        return identifier(text or "", lengths, encoded=True)
    except ValueError:
        raise _Refused("client.clientproxy.invalid_headers", place) from None


def _listed(service: Identifier) -> dict[str, object]:
    names = ("xroad_instance", "member_class", "member_code", "subsystem_code", "service_code")
    return {
        "object_type": "SERVICE",
        "service_type": "REST",
        **dict(zip(names, service.parts, strict=True)),
        "endpoint_list": [{"method": "POST", "path": "/"}],
    }


def _proof(request: Request, body: bytes) -> dict[str, str]:
    """Return the headers that the security servers add to an answer."""
    lines = "".join(f"{name}:{value}\r\n" for name, value in request.headers.items())
    parts = hashlib.sha512(lines.encode()).digest() + hashlib.sha512(body).digest()
    digest = base64.b64encode(hashlib.sha512(parts).digest()).decode()
    return {
        "X-Road-Client": request.headers["X-Road-Client"],
        "X-Road-Service": _path(request),
        "X-Road-Id": request.headers.get("X-Road-Id") or str(uuid.uuid4()),
        "X-Road-Request-Id": str(uuid.uuid4()),
        "X-Road-Request-Hash": digest,
    }


def _old(kind: str) -> str:
    """Return a type as it was spelt before version 7.8: server.clientproxy.io_error."""
    names = {"serverproxy": "ServerProxy", "clientproxy": "ClientProxy"}
    parts = (
        names.get(part, part.replace("_", " ").title().replace(" ", "")) for part in kind.split(".")
    )
    return ".".join(parts)
