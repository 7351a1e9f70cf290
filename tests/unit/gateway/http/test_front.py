"""The short way through the application: it must send what Starlette's way sends, byte for byte.

Two gateways with the same keys and clocks answer the same requests, each by its way.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.resources import ExecutionResources
from gateway.http.cors import cross_origin
from gateway.http.front import RequestHead
from gateway.keys.files import create_missing
from gateway.procedures.procedure import UNIFIED
from gateway.settings import (
    Cors,
    DatabaseSettings,
    OperationSettings,
    RateLimits,
    load,
)
from tests.support.asgi import JSON_BODY, Header, Reply, scope
from tests.support.operation_files import NAME, write
from tests.support.people import HOA, LAN, NOBODY
from tests.support.running import CASE_NUMBER, OFFICER, OPERATOR, Running, application, running

PERSON = """query Person($id: PersonNumber!) { person(id: $id) { id
  population { identity { item { fullName } source { state fromCache fetchedAt } } }
  civilStatus { marriages { items { husband { name } } source { state } } } } }"""
PERSONS = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }"
PORTAL = "https://portal.example"
FRESH = {
    name: DatabaseSettings(timeout=120, fresh=1_000) for name in ("population", "civil_status")
}


@dataclass(frozen=True)
class Sent:
    """One request. ``gone``: before the body is whole (``leaves``), or the answer (``deaf``)."""

    body: Sequence[bytes] = (b"",)
    headers: tuple[Header, ...] = (JSON_BODY,)
    method: str = "POST"
    path: str = "/graphql"
    query: bytes = b""
    gone: str = ""
    scope: Mapping[str, object] = field(default_factory=dict)

    def with_headers(self, *headers: Header) -> Sent:
        return replace(self, headers=(*self.headers, *headers))


@dataclass(frozen=True)
class Observation:
    """What was observed of a request, and the counters after it."""

    seen: dict[str, Any]
    counted: Mapping[str, float]


@dataclass
class Site:
    """A gateway that is asked by one of the two ways."""

    gateway: Running
    app: ASGIApp
    #: How many entries the journal had after the request before, None before the first.
    written: int | None = None

    async def ask(self, sent: Sent, counted: Mapping[str, float]) -> Observation:
        """Return all that can be observed of a request, but for times and random ids.

        ``counted``: the counters before it.
        """
        reply = Reply()
        if self.written is None:
            self.written = len(self.gateway.journal())
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
            try:
                await self._send(sent, reply)
                raised = None
            except Exception as error:
                raised = type(error).__name__
        ids = [value.decode() for name, value in reply.headers if name == b"x-request-id"]
        counted_after, journal = _counted(), self.gateway.journal()
        observed = {
            "raised": raised,
            "started": reply.started,
            "status": reply.status,
            "headers": reply.headers,
            "content": reply.content,
            "parts taken": reply.taken,
            "logs": logs,
            "counted": {
                name: value - counted.get(name, 0)
                for name, value in counted_after.items()
                if value != counted.get(name, 0)
            },
            "journal": journal[self.written :],
            "ids": len(ids),
            "id of the client": [id_.encode() for id_ in ids] == _sent_ids(sent),
        }
        self.written = len(journal)
        text = json.dumps(observed, default=repr, ensure_ascii=False, sort_keys=True)
        text = re.sub(r'"(id|mac|at)": "[^"]*"', r'"\1": ""', text)
        for nonce in re.findall("nonce-([A-Za-z0-9_-]+)", text):
            text = text.replace(nonce, "NONCE")
        for request_id in ids or [entry["request_id"] for entry in logs]:
            text = text.replace(request_id, "ID")
        return Observation(json.loads(text), counted_after)

    async def _send(self, sent: Sent, reply: Reply) -> None:
        last = len(sent.body) - 1

        async def receive() -> Message:
            place, reply.taken = reply.taken, reply.taken + 1
            if place > last:
                return {"type": "http.disconnect"}
            more = place < last or sent.gone == "leaves"
            return {"type": "http.request", "body": sent.body[place], "more_body": more}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply.headers = list(message["headers"])
            if sent.gone == "deaf":
                raise OSError("the connection is gone")
            if message["type"] == "http.response.start":
                reply.started, reply.status = True, message["status"]
                return
            if sent.gone == "half-deaf":
                raise OSError("the connection is gone")
            reply.content += message.get("body", b"")

        request = scope(sent.method, sent.path, sent.headers, sent.query)
        await self.app({**request, **sent.scope}, receive, send)


def _sent_ids(sent: Sent) -> list[bytes]:
    return [value for name, value in sent.headers if name == b"x-request-id"]


def _counted() -> dict[str, float]:
    """Return every counter of the gateway but those of time, by name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for metric in REGISTRY.collect()
        if metric.name.startswith("justice_gateway")
        for sample in metric.samples
        if sample.name.endswith(("_total", "_count"))
    }


@dataclass
class Sites:
    """Both gateways. ``token`` is good for both.

    Counters and journals are read once a request, after it: nothing else runs between two.
    """

    short: Site
    long: Site
    #: The counters after the request before, None before the first.
    counted: Mapping[str, float] | None = None

    def bearer(self, *scopes: str, **token: Any) -> Header:
        return b"authorization", f"Bearer {self.short.gateway.token(*scopes, **token)}".encode()

    def officer(self, **token: Any) -> tuple[Header, ...]:
        return (
            self.bearer(*OFFICER, **token),
            (b"x-purpose", UNIFIED.encode()),
            (b"x-case-number", CASE_NUMBER.encode()),
        )

    async def compare(self, sent: Sent) -> dict[str, Any]:
        """Send a request both ways; return what was observed of the short one."""
        short = await self.short.ask(sent, _counted() if self.counted is None else self.counted)
        long = await self.long.ask(sent, short.counted)
        self.counted = long.counted
        assert short.seen == long.seen, sent
        return short.seen

    def takes(self, sent: Sent) -> bool:
        """Return whether the short way understands a request."""
        request = scope(sent.method, sent.path, sent.headers, sent.query)
        return RequestHead.read({**request, **sent.scope}) is not None


@asynccontextmanager
async def both(folder: Path, **settings: Any) -> AsyncIterator[Sites]:
    """Run both gateways, over the same keys and operations."""
    for name, document, entries in (
        ("name.graphql", NAME, {}),
        ("own.graphql", "query Own { me { id } }", {"name": "own", "purposes": None}),
    ):
        write(folder / "operations", name, document, **entries)
    operations = OperationSettings(folder=folder / "operations", reload_seconds=0)
    settings = {"operations": operations, "databases_": FRESH, **settings}
    first, second = folder / "short", folder / "long"
    create_missing(load(folder=first, demo=True), demo=True)
    shutil.copytree(first, second)
    databases = (POPULATION, CIVIL_STATUS)
    async with (
        running(first, None, databases, **settings) as short,
        running(second, None, databases, **settings) as long,
    ):
        app = application(long)
        assert isinstance(app, Starlette)

        async def starlette(scope: Scope, receive: Receive, send: Send) -> None:
            await Starlette.__call__(app, scope, receive, send)

        long_way: ASGIApp = starlette
        for middleware in cross_origin(long.service.resources.settings):
            long_way = middleware.cls(long_way, *middleware.args, **middleware.kwargs)
        yield Sites(Site(short, application(short)), Site(long, long_way))


def _json(**members: object) -> tuple[bytes]:
    return (orjson.dumps(members),)


def _ask(number: object = HOA, query: str = PERSON) -> tuple[bytes]:
    return _json(query=query, variables={"id": number})


TYPENAME = _json(query="{ __typename }")
#: Requests that the short way understands, by what is odd about them.
UNDERSTOOD: dict[str, Sent] = {
    "anonymous": Sent(TYPENAME),
    "person without a token": Sent(_ask()),
    "no JSON": Sent((b"{",)),
    "nothing": Sent(),
    "a list": Sent((b"[]",)),
    "no query": Sent(_json(variables={})),
    "empty query": Sent(_json(query=" ")),
    "syntax error": Sent(_json(query="{")),
    "invalid document": Sent(_json(query="{ nothing }")),
    "unknown operation": Sent(_json(query="query A { __typename }", operationName="B")),
    "bad variables": Sent(_json(query=PERSON, variables=[1])),
    "bad onError": Sent(_json(query="{ __typename }", onError="HALT")),
    "in parts": Sent((b'{"query": "{ __ty', b"", b'pename }"}')),
    "leaves": Sent((b'{"query":',), gone="leaves"),
    "deaf": Sent(TYPENAME, gone="deaf"),
    "half-deaf": Sent(TYPENAME, gone="half-deaf"),
    "introspection": Sent(_json(query="{ __schema { queryType { name } } }")),
    "mutation": Sent(_json(query='mutation { resetCircuitBreaker(database: "a") }')),
    "no content type": Sent(TYPENAME, ()),
    "text": Sent(TYPENAME, ((b"content-type", b"text/plain"),)),
    "charset": Sent(TYPENAME, ((b"content-type", b'Application/JSON; charset="UTF-8"'),)),
    "latin-1": Sent(TYPENAME, ((b"content-type", b"application/json; charset=latin-1"),)),
    "graphql type": Sent(TYPENAME, ((b"content-type", b"application/graphql-response+json"),)),
    "large": Sent((b" " * 20_000,)),
    "announced large": Sent(TYPENAME).with_headers((b"content-length", b"999999999")),
    "bad length": Sent(TYPENAME).with_headers((b"content-length", b"+1")),
    "right length": Sent(TYPENAME).with_headers((b"content-length", b"24")),
    "accepts graphql": Sent(TYPENAME).with_headers(
        (b"accept", b"application/graphql-response+json")
    ),
    "accepts nothing": Sent(TYPENAME).with_headers((b"accept", b"image/png")),
    "accepts too much": Sent(TYPENAME).with_headers((b"accept", b"text/html," * 200)),
    "accepts html": Sent(TYPENAME).with_headers((b"accept", b"text/html")),
    "empty accept": Sent(TYPENAME).with_headers((b"accept", b" ")),
    "bad token": Sent(TYPENAME).with_headers((b"authorization", b"Bearer x")),
    "no bearer": Sent(TYPENAME).with_headers((b"authorization", b"Basic eDp5")),
    "empty token": Sent(TYPENAME).with_headers((b"authorization", b"Bearer  ")),
    "token in Latin-1": Sent(TYPENAME).with_headers((b"authorization", b"Bearer \xff\xa0")),
    "purpose of nobody": Sent(TYPENAME).with_headers((b"x-purpose", b"1.000894")),
    "bad purpose": Sent(TYPENAME).with_headers((b"x-purpose", b"?")),
    "bad case": Sent(TYPENAME).with_headers((b"x-case-number", b"a b")),
    "bad case, no JSON": Sent((b"{",)).with_headers((b"x-case-number", b"a b")),
    "own id": Sent(TYPENAME).with_headers((b"x-request-id", b"desk-7-request")),
    "id with a number": Sent(TYPENAME).with_headers((b"x-request-id", b"r-001090012345")),
    "short id": Sent(TYPENAME).with_headers((b"x-request-id", b"short")),
    "cookies": Sent(TYPENAME).with_headers((b"cookie", b"a=b; c=d"), (b"x-other", b"\xff")),
    "encodings": Sent(TYPENAME).with_headers((b"accept-encoding", b"gzip, br")),
    "compressed": Sent((b"\x1f\x8b",)).with_headers((b"content-encoding", b"gzip")),
    "many headers": Sent(TYPENAME).with_headers(
        *((b"x-other-%d" % number, b"x" * 50) for number in range(90))
    ),
    "origin": Sent(TYPENAME).with_headers((b"origin", PORTAL.encode())),
    "nobody's address": Sent(TYPENAME, scope={"client": None}),
    "operation": Sent((b"{}",), path="/operations/name"),
    "unknown published": Sent((b"{}",), path="/operations/nothing"),
    "spaces": Sent((b"{}",), path="/operations/ na\nme\n"),
    "operation by id": Sent(_json(documentId="name.v1", variables={"id": HOA})),
    "document id and query": Sent(_json(documentId="name.v1", query="{ __typename }")),
}
#: Requests that it leaves to Starlette.
LEFT: dict[str, Sent] = {
    "GET": Sent(method="GET", query=b"query={__typename}"),
    "page": Sent((b"",), ((b"accept", b"text/html"),), "GET"),
    "HEAD": Sent(method="HEAD", query=b"query={__typename}"),
    "OPTIONS": Sent(method="OPTIONS"),
    "PUT": Sent(TYPENAME, method="PUT"),
    "post in lower case": Sent(TYPENAME, method="post"),
    "query string": Sent(TYPENAME, query=b"a=b"),
    "operation by GET": Sent(method="GET", path="/operations/name"),
    "operation with a query string": Sent((b"{}",), path="/operations/name", query=b"id=1"),
    "no operation": Sent((b"{}",), path="/operations/"),
    "deep operation": Sent((b"{}",), path="/operations/name/v1"),
    "slash": Sent(TYPENAME, path="/graphql/"),
    "other case": Sent(TYPENAME, path="/GraphQL"),
    "nowhere": Sent(path="/nowhere"),
    "invalidations": Sent(path="/invalidations"),
    "live": Sent(method="GET", path="/health/live"),
    "root path": Sent(TYPENAME, path="/api/graphql", scope={"root_path": "/api"}),
    "two accepts": Sent(TYPENAME).with_headers((b"accept", b"a/b"), (b"accept", b"*/*")),
    "two types": Sent(TYPENAME).with_headers((b"content-type", b"text/plain")),
    "two tokens": Sent(TYPENAME)
    .with_headers(
        (b"authorization", b"Bearer x"),
    )
    .with_headers((b"authorization", b"Bearer x")),
    "two purposes": Sent(TYPENAME).with_headers((b"x-purpose", b"a"), (b"x-purpose", b"b")),
    "two cookies": Sent(TYPENAME).with_headers((b"cookie", b"a=b"), (b"cookie", b"c=d")),
}


@pytest.fixture
async def sites(tmp_path: Path) -> AsyncIterator[Sites]:
    async with both(tmp_path) as started:
        yield started


async def test_both_ways_answer_strangers_the_same(sites: Sites) -> None:
    for name, sent in UNDERSTOOD.items():
        assert sites.takes(sent), name
        await sites.compare(sent)


async def test_what_is_not_understood_goes_the_long_way(sites: Sites) -> None:
    for name, sent in LEFT.items():
        assert not sites.takes(sent), name
        await sites.compare(sent)


async def test_both_ways_answer_a_known_caller_the_same(sites: Sites) -> None:
    statuses = set()
    for headers in (
        sites.officer(),
        sites.officer(client="other"),
        sites.officer()[:1],
        (sites.bearer("population:read"), *sites.officer()[1:]),
        (sites.bearer(*OPERATOR),),
        (sites.bearer(client="partner", purposes=("1.000894",)), *sites.officer()[2:]),
        (sites.bearer("me", subject=HOA),),
        (sites.bearer("introspect", "plans"),),
    ):
        for sent in UNDERSTOOD.values():
            if all(name != b"authorization" for name, _ in sent.headers):
                statuses.add((await sites.compare(sent.with_headers(*headers)))["status"])
    assert {200, 294, 400, 403, 404, 406, 413, 415, 422} <= statuses


async def test_both_ways_answer_about_people_the_same_ready_or_not(sites: Sites) -> None:
    headers = sites.officer()
    bodies = [
        *(_ask(number) for number in (HOA, HOA, HOA, LAN, NOBODY, "1", None, 7, [HOA])),
        _json(query=PERSONS, variables={"ids": [HOA, LAN, HOA]}),
        _json(query=PERSON, variables={"id": HOA}, operationName="Person"),
        _json(query=PERSON, variables={"id": HOA}, extensions={"plan": True}),
        _ask(HOA, "query($id: PersonNumber!) { person(id: $id) { id civilStatus { wills } } }"),
    ]
    ready = "justice_gateway_cache_reads_total[('outcome', 'ready')]"
    found = 0.0
    for _ in range(2):
        for body in bodies:
            observed = await sites.compare(Sent(body).with_headers(*headers))
            found += observed["counted"].get(ready, 0)
            call = Sent(_json(id=HOA), path="/operations/name")
            await sites.compare(call.with_headers(*headers))
    assert found > 5, "answers were ready"


async def test_both_ways_count_and_refuse_at_the_same_request(tmp_path: Path) -> None:
    rates = RateLimits(anonymous_per_minute=3, requests_per_minute=2)
    async with both(tmp_path, rates=rates) as sites:
        statuses = [(await sites.compare(UNDERSTOOD["anonymous"]))["status"] for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        known = Sent(_ask()).with_headers(*sites.officer())
        assert [(await sites.compare(known))["status"] for _ in range(3)] == [200, 200, 429]


async def test_both_ways_answer_pages_of_other_origins_the_same(tmp_path: Path) -> None:
    async with both(tmp_path, cors=Cors(origins=(PORTAL,))) as sites:
        for origin in (PORTAL, "https://other.example"):
            sent = Sent(TYPENAME).with_headers((b"origin", origin.encode()))
            observed = await sites.compare(sent)
            assert ("access-control-allow-origin" in str(observed)) is (origin == PORTAL)
            asks = (b"access-control-request-method", b"POST")
            preflight = replace(sent.with_headers(asks), method="OPTIONS")
            assert (await sites.compare(preflight))["status"] == (200 if origin == PORTAL else 400)
        assert "Accept, Origin" in str(await sites.compare(UNDERSTOOD["anonymous"]))


async def test_both_ways_answer_a_defect_the_same(sites: Sites) -> None:
    async def broken(
        resources: ExecutionResources,
        request: OperationRequest,
        executable: ExecutableOperation | None,
    ) -> Result:
        raise OSError("not of the connection")

    for site in (sites.short, sites.long):
        app = application(site.gateway)
        assert isinstance(app, Starlette)
        app.state.service = replace(site.gateway.service, execute=broken)
    for gone in ("", "deaf", "half-deaf"):
        sent = replace(UNDERSTOOD["anonymous"], gone=gone)
        observed = await sites.compare(sent)
        assert observed["status"] == (0 if gone == "deaf" else 500)
        assert ("INTERNAL" in observed["content"]) is (gone == "")


async def test_both_ways_write_the_same_line_of_a_request(sites: Sites) -> None:
    observed = await sites.compare(Sent(_ask()).with_headers(*sites.officer()))
    (line,) = (entry for entry in observed["logs"] if entry["event"] == "request")
    assert (line["route"], line["status"], line["client"]) == ("graphql", 200, "test-client")
    assert line["bytes"] == int(dict(_pairs(observed))["content-length"])


def _pairs(observed: Mapping[str, Any]) -> list[list[str]]:
    pattern = re.compile(r"b'(.*)'")
    return [
        [match[1] for text in pair if (match := pattern.fullmatch(text))]
        for pair in observed["headers"]
    ]


async def test_both_ways_answer_generated_requests_the_same(sites: Sites) -> None:
    draw = random.Random(20261130)
    known = [sites.officer(), sites.officer()[:1], (sites.bearer(*OPERATOR),), ()]
    pieces = {**UNDERSTOOD, **LEFT}
    taken = 0
    for _ in range(150):
        first, second = (draw.choice(list(pieces.values())) for _ in range(2))
        headers = [*first.headers, *draw.choice(known)]
        headers += draw.sample(second.headers, draw.randint(0, len(second.headers)))
        if draw.random() < 0.7:
            headers = list(dict(headers).items())
        body = b"".join(draw.choice((first, second)).body)
        cut = draw.randint(0, len(body))
        sent = Sent(
            (body[:cut], body[cut:]) if draw.random() < 0.3 else (body,),
            tuple(headers),
            draw.choice((first, second)).method,
            draw.choice((first, second)).path,
            draw.choice((first, second)).query if draw.random() < 0.3 else b"",
            draw.choice((first, second)).gone,
            first.scope,
        )
        taken += sites.takes(sent)
        await sites.compare(sent)
    assert 35 < taken < 135
