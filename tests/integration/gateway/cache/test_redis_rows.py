"""Requests to Redis: one in flight, which combines the keys of several readers."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis as Client
from structlog.testing import capture_logs

from gateway.cache.redis_rows import RedisCache
from gateway.runtime.clock import SystemClock
from gateway.settings import Redis
from tests.support.coherence import wait_until
from tests.support.redis_server import Server, redis_process

pytestmark = pytest.mark.services


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_process(tmp_path) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(port=server.port) as client:
        yield client


def _level(server: Server, timeout: float = 5.0, **options: int) -> RedisCache:
    settings = Redis(url=f"redis://127.0.0.1:{server.port}", timeout=timeout)
    return RedisCache(settings, SystemClock(), **options)


async def _questions(client: Client) -> int:
    info: Any = await client.info("commandstats")
    return int(info.get("cmdstat_mget", {"calls": 0})["calls"])


async def _filled(client: Client, count: int) -> None:
    for number in range(count):
        await cast("Any", client.set(f"key {number}", f"value {number}"))


async def test_what_is_wanted_while_a_question_is_in_flight_goes_into_the_next(
    server: Server, client: Client
) -> None:
    await _filled(client, 40)
    level = _level(server)
    key_lists = [[f"key {n}", f"none {n}", f"key {n + 20}"] for n in range(20)]
    result = await asyncio.gather(*(level.get(keys) for keys in key_lists))
    assert result == [
        [f"value {n}".encode(), None, f"value {n + 20}".encode()] for n in range(20)
    ], "each its own"
    assert await _questions(client) <= 2
    await level.close()


async def test_a_question_has_a_largest_size_but_for_one_who_wants_more(
    server: Server, client: Client
) -> None:
    await _filled(client, 6)
    level = _level(server, max_keys=4)
    key_lists = [[f"key {n}" for n in range(6)], ["key 0", "key 1"], ["key 2"], ["key 3", "key 4"]]
    result = await asyncio.gather(*(level.get(keys) for keys in key_lists))
    assert result == [[key.replace("key", "value").encode() for key in keys] for keys in key_lists]
    assert await _questions(client) == 3, "six, two and one, two"
    await level.close()


async def test_one_who_leaves_costs_the_others_nothing(server: Server, client: Client) -> None:
    await _filled(client, 3)
    level = _level(server)
    tasks = [asyncio.create_task(level.get([f"key {n}"])) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert await tasks[0] == [b"value 0"]
    assert await tasks[2] == [b"value 2"]
    await level.close()


async def test_when_redis_says_nothing_all_who_wait_are_answered_once_and_soon(
    server: Server,
) -> None:
    level = _level(server, timeout=0.2)
    await level.get(["warm"])
    server.send(signal.SIGSTOP)
    try:
        start = time.monotonic()
        first = asyncio.create_task(level.get(["a"]))
        await wait_until(lambda: not level._requests)  # it is asked
        others = [asyncio.create_task(level.get(["b", "c"])) for _ in range(5)]
        assert await first == [None]
        assert await asyncio.gather(*others) == [[None, None]] * 5
        assert time.monotonic() - start < 5
        assert not level.up
    finally:
        server.send(signal.SIGCONT)
    await level.close()


async def test_a_defect_answers_all_who_wait(server: Server) -> None:
    level = _level(server)
    await level.get(["warm"])
    no_text = "\ud800"  # half of a character, which cannot be sent
    with capture_logs() as logs:
        answers = list(await asyncio.gather(level.get([no_text]), level.get(["b"])))
    assert answers == [[None], [None]]
    assert [entry["event"] for entry in logs] == ["the shared cache failed"]
    assert level.up, "it is no failure of Redis"
    await level.close()
