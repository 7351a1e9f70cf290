"""Gateways that share a Redis add up the numbers that identify nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.limits.redis_leases import RedisLeases
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.settings import RateLimits, Redis
from tests.support.redis_server import redis_process
from tests.support.running import TestClock

RATES = RateLimits(unidentified_per_caller_per_day=3, unidentified_per_day=5)


@pytest.mark.services
async def test_processes_count_together(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        clock = TestClock()
        url = f"redis://127.0.0.1:{server.port}/0"
        shared = [RedisLeases(Redis(url=url, timeout=20), b"0" * 32, clock) for _ in range(2)]
        first, second = (UnidentifiedAnswers(RATES, clock, leases, b"0" * 32) for leases in shared)
        for leases in shared:
            await leases.open()
        await first.add("client", "a", 2)
        await second.add("client", "a", 1)
        for leases in shared:
            await leases.close()
    with pytest.raises(GatewayError):
        second.require_left("client", "a")
