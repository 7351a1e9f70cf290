"""Tickets in a real Redis, by themselves and behind gateways that share it.

Covers ``gateway.storage.redis_connection``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.ask_again import AskAgain
from gateway.settings import Audit, Redis, TicketSettings
from gateway.storage.unavailable import StoreUnavailable
from gateway.tickets.redis_store import RedisTickets
from tests.support.people import HOA
from tests.support.redis_server import redis_process
from tests.support.running import codes, running
from tests.support.ticket_stores import CASES, put, sealed
from tests.support.tickets import SILENT, answer_of, ask_again, left
from tests.support.worlds import ALL, LIVE, world

pytestmark = pytest.mark.services
SETTINGS = TicketSettings(interval_seconds=300)


@pytest.mark.parametrize("name", [*CASES])
async def test_a_store_in_redis(tmp_path: Path, name: str) -> None:
    with redis_process(tmp_path) as server:
        store = RedisTickets(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        await CASES[name](store)
        await store.close()


async def test_redis_lets_tickets_expire(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        store = RedisTickets(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        await put(store, sealed("a"))
        (key,) = server.client.keys("*value*")
        assert 990_000 < server.client.pttl(key) <= 1_000_000
        await store.replace("a", b"answer", None)
        assert 990_000 < server.client.pttl(key) <= 1_000_000
        await store.close()


async def test_without_redis_tickets_are_unavailable(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        store = RedisTickets(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        server.stop()
        with pytest.raises(StoreUnavailable):
            await put(store, sealed("a"))
        with pytest.raises(StoreUnavailable):
            await store.due(0, 1)
        await store.close()


async def test_what_gateway_leaves_another_answers_once(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        redis = Redis(url=f"redis://127.0.0.1:{server.port}/0", timeout=20)
        down = world({})
        down.of(SILENT).fault = "down"
        folder = tmp_path / "gateway"  # of one site: they have the same keys
        async with (
            running(folder, down, ALL, LIVE, redis=redis, tickets=SETTINGS) as first,
            running(
                folder,
                world({}),
                ALL,
                LIVE,
                redis=redis,
                tickets=SETTINGS,
                audit=Audit(folder=Path("another journal")),
            ) as second,
        ):
            ticket = await left(first)
            keys = server.client.keys("*tickets*")
            held = repr([(key, server.client.dump(key)) for key in keys])
            assert not any(text in held for text in (HOA, ticket, "test-client"))
            again: AskAgain = second.app.state.ask_again
            assert await again.visit() == 1
            assert await again.visit() == 0
            body = await answer_of(first, ticket)
            assert body["data"]["answerOf"]["check"]["outcome"] == "MET"
            assert codes(await answer_of(second, ticket)) == ["TICKET_UNKNOWN"]


async def test_a_check_is_answered_though_its_ticket_cannot_be_kept(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        redis = Redis(url=f"redis://127.0.0.1:{server.port}/0", timeout=20)
        down = world({})
        down.of(SILENT).fault = "down"
        async with running(tmp_path, down, ALL, LIVE, redis=redis, tickets=SETTINGS) as gateway:
            server.stop()
            body = await ask_again(gateway)
            assert "TICKETS_UNAVAILABLE" in codes(body)
            assert codes(await answer_of(gateway, "A" * 43)) == ["TICKETS_UNAVAILABLE"]
