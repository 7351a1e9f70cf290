"""The invalidation log in a real Redis: processes follow it, or stop caching when in doubt.

Covers ``gateway.cache.log_followers`` too.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis as Client

from gateway.cache.invalidations import Hashes, Invalidation, LogUnavailable, Position
from gateway.cache.log_followers import FOLLOWERS
from gateway.cache.redis_log import STREAM, RedisLog
from gateway.runtime.clock import SystemClock
from tests.support.caches import SECRET
from tests.support.coherence import wait_until
from tests.support.people import HOA
from tests.support.redis_server import Server, redis_process
from tests.support.running import TestClock

pytestmark = pytest.mark.services
SCOPE = [Invalidation(HOA, "civil_status")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_process(tmp_path) as server:
        yield server


class LogAfterCatchUp(RedisLog):
    """Does ``then`` between catching up with the log at its beginning and trusting it."""

    then: Callable[[], Awaitable[None]]

    async def _catch_up(self, connected: Client) -> None:
        await super()._catch_up(connected)
        await self.then()


def is_known_to_some(server: Server) -> bool:
    """Return whether a process has registered that it knows the last entry."""
    last = server.client.xinfo_stream(STREAM)["last-generated-id"]
    return any(seen.startswith(last) for seen in cast("Any", server.client.hvals(FOLLOWERS)))


@asynccontextmanager
async def following(server: Server) -> AsyncIterator[RedisLog]:
    """Follow the log as a process does."""
    url = f"redis://127.0.0.1:{server.port}"
    log = RedisLog(url, Hashes(SECRET.key), SystemClock())
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def position_of(log: RedisLog) -> Position:
    """Return the position of a log once it has one: on a busy machine its reads may be late."""
    await wait_until(lambda: log.position() is not None)
    position = log.position()
    assert position is not None
    return position


async def known_everywhere(log: RedisLog) -> None:
    """Wait until every process knows what ``log`` invalidated last."""
    async with asyncio.timeout(20):
        while not await log.is_effective_everywhere():  # noqa: ASYNC110 - Redis knows
            await asyncio.sleep(0.001)


async def test_a_process_knows_what_another_invalidated_before_it_is_effective(
    server: Server,
) -> None:
    async with following(server) as first, following(server) as second:
        async with asyncio.timeout(60):
            while True:  # a busy machine may be late, and then nothing cached is served
                before = await position_of(second)
                effective = await first.invalidate(SCOPE)
                await wait_until(partial(second.invalidations.touches, "civil_status", before))
                if SystemClock().now() < effective:
                    return


async def test_the_order_within_one_millisecond_is_that_of_numbers_while_redis_goes_back(
    server: Server,
) -> None:
    ahead = 10 * server.client.time()[0] * 1000
    server.client.xadd(STREAM, {"p": "", "d": "-", "r": ""}, id=f"{ahead}-0")
    async with following(server) as first, following(server) as second:
        server.client.hset(FOLLOWERS, "begun", 0)  # so long ago that nobody is missing
        for _ in range(12):  # the ids differ in their second part, which gets two digits
            before = await position_of(second)
            await first.invalidate(SCOPE)
            await wait_until(partial(second.invalidations.touches, "civil_status", before))
        await known_everywhere(first)
        async with following(server) as later:
            assert await position_of(later) == await position_of(second)
    last = server.client.xinfo_stream(STREAM)["last-generated-id"]
    assert last == f"{ahead}-12".encode()


@pytest.mark.parametrize("step", [-3_600_000, 3_600_000], ids=["forward", "back"])
async def test_a_step_of_the_clock_of_redis_does_not_leave_a_process_out(
    server: Server, step: int
) -> None:
    async with following(server) as log:
        await log.invalidate(SCOPE)
        seconds, micros = server.client.time()
        moment = seconds * 1000 + micros // 1000 + step  # as the clock stood before
        register = {"begun": moment - 10_000, "latest": moment, "another": f"1-0 {moment}"}
        server.client.hset(FOLLOWERS, mapping=cast("Any", register))
        await wait_until(lambda: is_known_to_some(server))
        assert not await log.is_effective_everywhere()
        assert server.client.hexists(FOLLOWERS, "another")


async def test_one_who_begins_later_knows_what_was_invalidated_before(server: Server) -> None:
    async with following(server) as first_log:
        before = await position_of(first_log)
        await first_log.invalidate(SCOPE)
    async with following(server) as later:
        await position_of(later)
        assert later.invalidations.touches("civil_status", before)


async def test_the_log_names_nobody(server: Server) -> None:
    async with following(server) as log:
        await log.invalidate(SCOPE)
    assert HOA.encode() not in (server.client.dump(STREAM) or b"")


async def test_without_redis_there_is_no_position_and_nothing_is_invalidated(
    server: Server,
) -> None:
    async with following(server) as log:
        await position_of(log)
        server.stop()
        await wait_until(lambda: log.position() is None)
        with pytest.raises(LogUnavailable):
            await log.invalidate(SCOPE)


async def test_a_redis_that_stands_still_is_trusted_for_a_second_at_most(server: Server) -> None:
    async with following(server) as log:
        server.send(signal.SIGSTOP)
        try:
            await wait_until(lambda: log.position() is None)
        finally:
            server.send(signal.SIGCONT)
        await wait_until(lambda: log.position() is not None)


async def test_after_a_restart_everything_read_before_is_void(server: Server) -> None:
    async with following(server) as log:
        before = await position_of(log)
        server.stop()
        server.start()
        await wait_until(
            lambda: log.position() is not None and log.invalidations.epoch != before.epoch
        )
        assert log.invalidations.touches("population", before)


async def test_a_log_that_was_thrown_away_makes_everything_void(server: Server) -> None:
    async with following(server) as log:
        before = await position_of(log)
        server.client.flushall()
        await wait_until(lambda: log.invalidations.floor > before.at)
        await wait_until(lambda: log.position() is not None)


@pytest.mark.parametrize("how", ["a replica", "may throw it away"])
async def test_a_redis_that_cannot_be_relied_on_is_not_followed(server: Server, how: str) -> None:
    if how == "a replica":
        server.client.replicaof("127.0.0.1", 1)
    else:
        server.client.config_set("maxmemory-policy", "allkeys-lru")
    async with following(server) as log:
        assert log.position() is None


async def test_closing_leaves_no_task_and_no_connection(server: Server) -> None:
    async with following(server) as log:
        await position_of(log)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await wait_until(lambda: len(server.client.client_list()) == 1)


@pytest.mark.parametrize("second", [0.0, 1000.0, 1023.08, 1023.1, 1023.18])
async def test_at_the_moment_that_was_promised_an_older_look_counts_no_more(
    server: Server, second: float
) -> None:
    """To the moment: sums of seconds round, and 1023.1 + 1 - 1023.1 is less than 1."""
    clock = TestClock(seconds=second)
    log = RedisLog(f"redis://127.0.0.1:{server.port}", Hashes(SECRET.key), clock, wait=0.0)
    await log.step()
    assert log.position() is not None
    effective = await log.invalidate(SCOPE)
    clock.advance((effective - clock.now()).total_seconds())
    assert log.position() is None
    await log.close()


async def test_an_invalidation_is_effective_everywhere_once_every_process_has_read_it(
    server: Server,
) -> None:
    async with following(server) as first:
        slow = RedisLog(f"redis://127.0.0.1:{server.port}", Hashes(SECRET.key), SystemClock())
        await slow.step()
        server.client.hset(FOLLOWERS, "begun", 0)  # so long ago that nobody is missing
        await first.invalidate(SCOPE)
        assert not await first.is_effective_everywhere()
        await slow.step()
        await slow.step()
        await known_everywhere(first)  # which tells so itself with its next read
        await slow.close()


async def test_an_invalidation_is_not_effective_before_one_who_has_just_caught_up_knows_it(
    server: Server,
) -> None:
    async with following(server) as first:
        server.client.hset(FOLLOWERS, "begun", 0)
        late = LogAfterCatchUp(f"redis://127.0.0.1:{server.port}", Hashes(SECRET.key), TestClock())
        told: list[bool] = []

        async def then() -> None:
            await first.invalidate(SCOPE)
            await wait_until(lambda: is_known_to_some(server))
            told.append(await first.is_effective_everywhere())

        late.then = then
        await late.step()
        position = late.position()
        await late.close()
        assert (told, position is not None) == ([False], True)


async def test_a_register_of_processes_that_has_just_begun_tells_nothing(server: Server) -> None:
    async with following(server) as log:
        await log.invalidate(SCOPE)
        assert not await log.is_effective_everywhere()


async def test_a_process_that_is_gone_is_not_waited_for(server: Server) -> None:
    async with following(server) as log:
        server.client.hset(FOLLOWERS, mapping={"begun": 0, "gone": "1-0 1000"})
        await log.invalidate(SCOPE)
        await known_everywhere(log)
        assert server.client.hget(FOLLOWERS, "gone") is None
