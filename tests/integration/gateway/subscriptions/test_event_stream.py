"""Server-sent events on ``/graphql`` over real sockets: what is streamed, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from gateway.subscriptions.event_stream import wants_events
from gateway.telemetry.metrics import REQUESTS
from tests.support.metrics import value_of
from tests.support.people import LAN
from tests.support.running import OFFICER, codes, running
from tests.support.sign_ins import Visitor, gateway_with_sign_in
from tests.support.streams import StreamServer, stated, streaming

PERSON = "query($id: PersonNumber!) { person(id: $id) { id } }"


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[StreamServer]:
    async with running(tmp_path) as gateway, streaming(gateway) as server:
        yield server


def headers(server: StreamServer) -> dict[str, str]:
    return stated(server.gateway.token(*OFFICER))


async def test_a_query_is_one_event_and_then_complete(server: StreamServer) -> None:
    request = {"query": PERSON, "variables": {"id": LAN}}
    async with server.events(body=request, **headers(server)) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        assert "x-request-id" in stream.headers
        answer = await stream.next()
        assert answer["data"] == {"person": {"id": LAN}}
        assert answer["id"] is None
        assert await stream.event() == {"event": "complete", "data": ""}
        assert await stream.event() is None


async def test_a_stream_is_counted_under_a_name_of_its_own(server: StreamServer) -> None:
    before = value_of(REQUESTS, "events", "200")
    async with server.events(body={"query": "{ databases { name } }"}) as stream:
        await stream.next()
        while await stream.event() is not None:
            pass
    assert value_of(REQUESTS, "events", "200") == before + 1


async def test_a_query_that_names_nobody_may_come_by_get(server: StreamServer) -> None:
    path = "/graphql?" + urlencode({"query": "{ databases { name } }"})
    async with server.events("GET", path) as stream:
        assert (await stream.next())["data"]["databases"]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"query": "{"}, 400, "SYNTAX_ERROR"),
        ({"query": "{ nothing }"}, 422, "VALIDATION_FAILED"),
        ({"query": PERSON}, 422, "INVALID_VARIABLES"),
        ({"query": 1}, 422, "BAD_REQUEST"),
        ([], 422, "BAD_REQUEST"),
    ],
)
async def test_what_is_refused_has_the_status_that_it_has_without_a_stream(
    server: StreamServer, request_: object, status: int, code: str
) -> None:
    async with server.events(body=request_, **headers(server)) as stream:
        assert (stream.status, codes(await stream.body())[0]) == (status, code)


async def test_a_token_that_is_not_valid_is_refused(server: StreamServer) -> None:
    async with server.events(body={"query": PERSON}, authorization="Bearer x") as stream:
        assert (stream.status, codes(await stream.body())) == (401, ["TOKEN_INVALID"])
        assert "www-authenticate" in stream.headers


async def test_a_person_is_not_named_in_a_url(server: StreamServer) -> None:
    path = "/graphql?" + urlencode({"query": f'{{ person(id: "{LAN}") {{ id }} }}'})
    async with server.events("GET", path, **headers(server)) as stream:
        assert (stream.status, codes(await stream.body())) == (400, ["PERSON_IN_URL"])


async def test_a_body_that_is_too_large_is_refused(server: StreamServer) -> None:
    body = {"query": "{ databases { name } }" + " " * 20_000}
    async with server.events(body=body) as stream:
        assert (stream.status, codes(await stream.body())) == (413, ["BODY_TOO_LARGE"])


@pytest.mark.parametrize("value", ["x" * 1_025])
async def test_an_id_that_no_event_has_is_refused(server: StreamServer, value: str) -> None:
    body = {"query": "{ databases { name } }"}
    async with server.events(body=body, last_event_id=value) as stream:
        assert (stream.status, codes(await stream.body())) == (400, ["BAD_REQUEST"])


SITES: dict[str, tuple[dict[str, str], int]] = {
    "a page of the gateway": ({"sec_fetch_site": "same-origin"}, 200),
    "another site": ({"sec_fetch_site": "cross-site"}, 403),
    "another host of this site": ({"sec_fetch_site": "same-site"}, 403),
    "no browser": ({}, 403),
}


@pytest.mark.parametrize(("sent", "status"), SITES.values(), ids=SITES.keys())
async def test_an_event_source_is_answered_by_the_session_of_a_page_of_the_gateway(
    tmp_path: Path, sent: dict[str, str], status: int
) -> None:
    async with gateway_with_sign_in(tmp_path) as (gateway, ministry):
        visitor = Visitor(gateway)
        await visitor.sign_in(ministry)
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        parameters = {"query": "{ myAccess { agency purposes { code } } }"}
        path = "/graphql?" + urlencode(parameters)
        async with (
            streaming(gateway) as server,
            server.events("GET", path, cookie=cookie, **sent) as stream,
        ):
            assert stream.status == status
            if status == 200:
                data: dict[str, Any] = (await stream.next())["data"]
                assert data["myAccess"]["agency"] == "UBND phường"
            else:
                assert codes(await stream.body()) == ["CSRF_TOKEN_REQUIRED"]
        async with (
            streaming(gateway) as server,
            server.events(cookie=cookie, body=parameters, **sent) as stream,
        ):
            assert (stream.status, codes(await stream.body())) == (403, ["CSRF_TOKEN_REQUIRED"])


async def test_a_session_that_has_ended_is_refused(tmp_path: Path) -> None:
    async with gateway_with_sign_in(tmp_path) as (gateway, _):
        cookie = f"__Host-justice-gateway-session={'x' * 43}"
        path = "/graphql?" + urlencode({"query": "{ databases { name } }"})
        async with (
            streaming(gateway) as server,
            server.events("GET", path, cookie=cookie, sec_fetch_site="same-origin") as stream,
        ):
            assert (stream.status, codes(await stream.body())) == (401, ["SESSION_EXPIRED"])


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("text/event-stream, application/json;q=0.9", True),
        ("application/json, text/event-stream", False),
        ("application/graphql-response+json, application/json, text/event-stream", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
def test_a_stream_is_for_clients_that_want_one_first(accept: str, wants: bool) -> None:
    assert wants_events(accept) is wants
