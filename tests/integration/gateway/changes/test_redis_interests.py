"""Interests in a real Redis do what every store does, and are never lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.changes.redis_interests import RedisInterests
from gateway.keys.keyring import Keyring
from gateway.settings import Redis
from gateway.storage.unavailable import StoreUnavailable
from tests.support.interest_stores import CASES, END, NOW, OLD_KEY, OWNER, interest, over
from tests.support.redis_server import redis_process

pytestmark = pytest.mark.services


async def test_a_store_in_redis(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        for case in CASES.values():
            store = RedisInterests(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
            await case(store)
            await store.close()
            server.client.flushall()


async def test_an_interest_that_redis_lost_is_missed(tmp_path: Path) -> None:
    """Nothing expires by itself, so that ``volatile-`` policies evict none of it."""
    with redis_process(tmp_path) as server:
        store = RedisInterests(Redis(url=f"redis://127.0.0.1:{server.port}/0"))
        interests = over(store)
        await interests.put([interest("a"), interest("b")], 9, NOW)
        assert {server.client.ttl(key) for key in server.client.keys("*")} == {-1}
        (key,) = server.client.keys("*value:b")
        server.client.delete(key)
        with pytest.raises(StoreUnavailable, match="lost"):
            await interests.of_owner(OWNER, NOW)
        server.stop()
        with pytest.raises(StoreUnavailable):
            await interests.put([interest("c")], 9, NOW)
        await store.close()


async def test_interests_of_a_version_that_did_not_note_keys_are_counted(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        settings = Redis(url=f"redis://127.0.0.1:{server.port}/0")
        former, store = RedisInterests(settings), RedisInterests(settings)
        await over(former, Keyring(OLD_KEY)).put([interest("a"), interest("b")], 9, NOW)
        for key in server.client.keys("*value:*"):
            server.client.hdel(key, "key")
        server.client.delete(*server.client.keys("*:keys"), *server.client.keys("*:key:*"))
        assert await over(store).count_unreadable(NOW) == 2
        assert await over(former, Keyring(OLD_KEY)).end(OWNER, ["a"]) == 1
        assert await over(store).count_unreadable(NOW) == 1
        assert await over(store).count_unreadable(END) == 0
        await former.close()
        await store.close()
