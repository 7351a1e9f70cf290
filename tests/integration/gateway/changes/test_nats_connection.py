"""A connection to NATS from which nothing comes any more is replaced, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.changes.log import EventLogUnavailable
from tests.support.event_logs import Engine, nats_engine
from tests.support.life_events import followed, life_events
from tests.support.nats_server import NatsServer, nats_process
from tests.support.tcp_relay import TcpRelay

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_process(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest_asyncio.fixture
async def relay(server: NatsServer) -> AsyncIterator[TcpRelay]:
    async with TcpRelay(server.port).run() as relay:
        yield relay


@pytest.fixture
def engine(server: NatsServer, relay: TcpRelay) -> Engine:
    engine = nats_engine(server)
    url = f"nats://127.0.0.1:{relay.port}"
    engine.options = replace(engine.options, nats_url=url)
    return engine


async def test_a_connection_that_fell_silent_fails_two_commands_and_is_replaced(
    engine: Engine, relay: TcpRelay
) -> None:
    async with engine.log("a") as log:
        appended = await log.append("a", life_events(1), followed())
        relay.silence()
        for _ in range(2):
            with pytest.raises(EventLogUnavailable):
                await log.end()
        assert await log.end() == appended.position


async def test_an_append_that_is_cancelled_leaves_a_log_that_answers(
    engine: Engine, relay: TcpRelay
) -> None:
    """nats-py reads nothing more once a PONG comes for a flush that was cancelled."""
    async with engine.log("a") as log:
        relay.sent.clear()
        append = asyncio.create_task(log.append("a", life_events(1), followed("1")))
        while f"{engine.options.name}-news".encode() not in relay.sent and not append.done():
            relay.news.clear()
            news = asyncio.create_task(relay.news.wait())
            await asyncio.wait([news, append], return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
        relay.answers.clear()
        append.cancel()
        await asyncio.gather(append, return_exceptions=True)
        relay.answers.set()
        assert (await log.statuses())["civil_status"].checkpoint == "1"


async def test_all_who_wait_for_a_connection_wait_for_one_attempt(
    engine: Engine, relay: TcpRelay
) -> None:
    relay.answers.clear()
    async with engine.log() as log:
        commands = [log.end() for _ in range(20)]
        failures = await asyncio.gather(*commands, return_exceptions=True)
        assert [type(failure) for failure in failures] == [EventLogUnavailable] * 20
        assert relay.connections == 1
        relay.answers.set()
        assert await log.end()
