"""Sessions in a real Redis, which does what every store does."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.sessions.redis_store import RedisSessions
from gateway.settings import Redis
from gateway.storage.unavailable import StoreUnavailable
from tests.support.redis_server import redis_process
from tests.support.session_stores import CASES, END, NOW, sealed

pytestmark = pytest.mark.services


@pytest.mark.parametrize("name", [*CASES])
async def test_a_store_in_redis(tmp_path: Path, name: str) -> None:
    with redis_process(tmp_path) as server:
        store = RedisSessions(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        await CASES[name](store)
        await store.close()


async def test_redis_lets_sessions_expire(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        store = RedisSessions(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        await store.put("a", sealed(), NOW)
        (key,) = server.client.keys("*")
        assert 990_000 < server.client.pttl(key) <= 1_000_000
        await store.prolong("a", END + 1000, NOW)
        assert 1_990_000 < server.client.pttl(key) <= 2_000_000
        await store.close()


async def test_without_redis_sessions_are_unavailable(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        store = RedisSessions(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        server.stop()
        with pytest.raises(StoreUnavailable):
            await store.get("a", NOW)
        with pytest.raises(StoreUnavailable):
            await store.remove("a")
        await store.close()
