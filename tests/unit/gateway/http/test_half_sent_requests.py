"""A request counts from its first byte, for the rate of its client and as one in flight."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
from starlette.types import Message

from gateway.settings import RateLimits
from tests.support.asgi import JSON_BODY, scope, send_raw
from tests.support.running import application, running

BODY = orjson.dumps({"query": "{databases {name}}"})


async def test_a_half_sent_request_counts_towards_the_rate(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RateLimits(anonymous_per_minute=1)) as gateway:
        app = application(gateway)
        assert not (await send_raw(app, [BODY[:-1]], leaves=True)).started
        assert (await send_raw(app, [BODY])).code == "RATE_LIMITED"


async def test_what_is_beyond_the_rate_is_refused_before_its_body_is_read(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RateLimits(anonymous_per_minute=1)) as gateway:
        app = application(gateway)
        assert (await send_raw(app, [BODY])).status == 200
        reply = await send_raw(app, [BODY])
        assert (reply.code, reply.taken) == ("RATE_LIMITED", 0)


async def test_a_half_sent_request_is_in_flight_and_nobodys_work(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        admission, has_asked, goes = gateway.service.admission, asyncio.Event(), asyncio.Event()

        async def receive() -> Message:
            has_asked.set()
            await goes.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            raise AssertionError(message)

        admission.service_time = 1_000.0

        async def send_half() -> None:
            await application(gateway)(scope(headers=[JSON_BODY]), receive, send)

        half = asyncio.create_task(send_half())
        await has_asked.wait()
        assert (admission.in_flight, admission.expected_wait) == (1, 0.0)
        goes.set()
        await half
        assert (admission.in_flight, admission.receiving) == (0, 0)


async def test_an_accept_without_end_is_not_read(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        accept = (b"accept", b"text/html;q=0.1," * 1_250_000)
        reply = await send_raw(application(gateway), [BODY], [JSON_BODY, accept])
        assert (reply.code, reply.status) == ("HEADERS_TOO_LARGE", 431)
        page = await send_raw(application(gateway), [b""], [accept], "GET")
        assert page.code == "HEADERS_TOO_LARGE"
