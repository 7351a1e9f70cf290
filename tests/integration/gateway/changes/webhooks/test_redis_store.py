"""Webhooks in a real Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.changes.webhooks.redis_store import RedisWebhooks
from gateway.settings import Redis
from gateway.storage.unavailable import StoreUnavailable
from tests.support.redis_server import redis_process
from tests.support.webhook_stores import CASES, put, sealed

pytestmark = pytest.mark.services


async def test_a_store_in_redis(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        store = RedisWebhooks(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        for case in CASES.values():
            await case(store)
            server.client.flushdb()
        await put(store, sealed("a"))
        server.stop()
        with pytest.raises(StoreUnavailable):
            await put(store, sealed("b"))
        with pytest.raises(StoreUnavailable):
            await store.pending("a", 9)
        await store.close()
