"""Gateways that share a Redis add up the attempts to match a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.limits.redis_leases import RedisLeases
from gateway.limits.verification_attempts import Attempt, AttemptStatus, VerificationAttempts
from gateway.settings import RateLimits, Redis
from tests.support.redis_server import Server, redis_process
from tests.support.running import TestClock

PERSON, OTHER, OLD = "001090012345", "001090012346", "123456789"


async def attempts(
    guesses: VerificationAttempts,
    number: str = PERSON,
    client: str = "a",
    times: int = 20,
    person: str | None = None,
    caller: str = "officer",
    agrees: bool = False,
) -> int:
    """Make so many attempts, one after the other, and return how many might be made."""
    count = 0
    for _ in range(times):
        attempt = Attempt(client, caller, number, person or number)
        async with guesses.count(attempt):
            if attempt.status is AttemptStatus.LEFT:
                count += 1
                attempt.agrees = agrees
    return count


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_process(tmp_path) as server:
        yield server


@asynccontextmanager
async def process(server: Server, patience: float = 20.0) -> AsyncIterator[VerificationAttempts]:
    """Run one process's counts; by default it waits for a busy machine."""
    clock = TestClock()
    settings = Redis(url=f"redis://127.0.0.1:{server.port}", timeout=patience)
    shared = RedisLeases(settings, b"0" * 32, clock)
    await shared.open()
    try:
        yield VerificationAttempts(RateLimits(), clock, shared, b"0" * 32)
    finally:
        await shared.close()


@pytest.mark.services
async def test_processes_count_together(server: Server) -> None:
    async with process(server) as first, process(server) as second:
        assert await attempts(first, times=3) == 3
        assert await attempts(second, OLD, person=PERSON) == 2
        assert [await attempts(first), await attempts(second)] == [0, 0]
        assert await attempts(first, OTHER, agrees=True) == 20
        side_by_side = (attempts(guesses, OTHER, times=10) for guesses in (first, second))
        assert sum(await asyncio.gather(*side_by_side)) == 5
        assert await attempts(second, client="b") == 5


@pytest.mark.services
async def test_redis_learns_no_numbers(server: Server) -> None:
    async with process(server) as guesses:
        await attempts(guesses)
    keys = server.client.keys("*guesses*")
    assert len(keys) == 5, "number, person, caller, client, and the person for everybody"
    assert all(PERSON.encode() not in key for key in keys)


@pytest.mark.services
async def test_while_redis_is_gone_each_goes_by_what_it_knows(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        async with process(server) as guesses:
            assert await attempts(guesses, times=3) == 3
            server.stop()
            assert await attempts(guesses) == 2
