"""Requests without a token cost little: most of their bytes are not even received."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from gateway.procedures.procedure import UNIFIED
from gateway.settings import Limits, RateLimits
from tests.support.asgi import JSON_BODY, Header, Reply, send_raw
from tests.support.people import HOA, LAN
from tests.support.running import CASE_NUMBER, OFFICER, Running, application, running

QUERY = "{ databases { name } }"
PERSON = "query($id: PersonNumber!) {person(id: $id) {id}}"
ANNOUNCED = pytest.mark.parametrize("announced", [True, False])


def _padded(size: int) -> bytes:
    """Return a body of about ``size`` bytes, nearly all of it comments."""
    return orjson.dumps({"query": "#\n" * (size // 3) + QUERY})


def _token(gateway: Running) -> Header:
    return (b"authorization", f"Bearer {gateway.token(*OFFICER)}".encode())


async def _send(
    gateway: Running, body: bytes, *headers: Header, announced: bool = False, path: str = "/graphql"
) -> Reply:
    """Send ``body`` in parts of 8,000 bytes."""
    parts = [body[start : start + 8_000] for start in range(0, len(body), 8_000)]
    length = [(b"content-length", str(len(body)).encode())] if announced else []
    return await send_raw(application(gateway), parts, [JSON_BODY, *headers, *length], path=path)


@ANNOUNCED
async def test_of_a_request_with_a_bad_token_no_body_is_received(
    tmp_path: Path, announced: bool
) -> None:
    async with running(tmp_path) as gateway:
        bad = (b"authorization", b"Bearer x.y.z")
        reply = await _send(gateway, _padded(255_000), bad, announced=announced)
    assert (reply.status, reply.code, reply.taken) == (401, "TOKEN_INVALID", 0)


@pytest.mark.parametrize("is_known", [True, False])
async def test_of_a_request_beyond_the_rate_no_body_is_received(
    tmp_path: Path, is_known: bool
) -> None:
    rates = RateLimits(anonymous_per_minute=1, requests_per_minute=1)
    async with running(tmp_path, rates=rates) as gateway:
        headers = [_token(gateway)] if is_known else []
        assert (await _send(gateway, _padded(100), *headers)).status == 200
        reply = await _send(gateway, _padded(255_000), *headers)
    assert (reply.status, reply.code, reply.taken) == (429, "RATE_LIMITED", 0)


@ANNOUNCED
async def test_without_a_token_a_large_body_is_refused(tmp_path: Path, announced: bool) -> None:
    async with running(tmp_path) as gateway:
        assert (await _send(gateway, _padded(1_500), announced=announced)).status == 200
        reply = await _send(gateway, _padded(255_000), announced=announced)
    assert (reply.status, reply.code) == (413, "BODY_TOO_LARGE")
    assert reply.json()["errors"][0]["extensions"]["limit"] == 16 * 1024
    assert reply.taken == (0 if announced else 3), "sixteen kilobytes at most are received"


async def test_without_a_token_a_long_url_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        query = b"query=" + b"%2C" * 6_000 + b"%7B__typename%7D"
        reply = await send_raw(application(gateway), method="GET", query=query)
        assert (reply.status, reply.code) == (414, "BODY_TOO_LARGE")
        answered = await send_raw(
            application(gateway), headers=[_token(gateway)], method="GET", query=query
        )
        assert answered.json()["data"] == {"__typename": "Query"}


async def test_with_a_token_a_large_body_is_received(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        headers = [_token(gateway), (b"x-purpose", UNIFIED.encode())]
        headers.append((b"x-case-number", CASE_NUMBER.encode()))
        variables = {"id": LAN, "padding": "x" * 250_000}
        body = orjson.dumps({"query": PERSON, "variables": variables})
        reply = await _send(gateway, body, *headers)
    assert reply.json()["data"] == {"person": {"id": LAN}}


async def test_settings_say_how_much_strangers_may_send(tmp_path: Path) -> None:
    limits = Limits(deadline=120, new_documents_per_minute=1_000_000, anonymous_body_bytes=200)
    async with running(tmp_path, limits=limits) as gateway:
        assert (await _send(gateway, _padded(60))).status == 200
        assert (await _send(gateway, _padded(600))).code == "BODY_TOO_LARGE"
    limits = Limits(deadline=120, new_documents_per_minute=1_000_000, body_bytes=100)
    async with running(tmp_path / "smaller", limits=limits) as gateway:
        assert (await _send(gateway, _padded(600))).json()["errors"][0]["extensions"][
            "limit"
        ] == 100


async def test_refused_invalidations_are_counted_too(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = orjson.dumps({"persons": [HOA] * 1_000})
        reply = await _send(gateway, body, path="/invalidations")
        assert (reply.status, reply.code, reply.taken) == (401, "UNAUTHENTICATED", 0)
        await gateway.service.recorder.refusals.write()
        (entry,) = gateway.journal()
    expected = {"code": "UNAUTHENTICATED", "source": "127.0.0.0/24", "count": 1}
    assert (entry["persons"], entry["refusals"]) == ([], [expected])


async def test_a_name_as_long_as_a_body_is_not_quoted_whole(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = orjson.dumps({"query": "{" + "a" * 16_000 + "}"})
        reply = await _send(gateway, body, _token(gateway))
    assert reply.code == "VALIDATION_FAILED"
    assert len(reply.content) < 3_000
