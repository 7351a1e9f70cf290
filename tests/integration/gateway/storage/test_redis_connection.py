"""Commands to a real Redis end with their caller.

Covers ``gateway.storage.redis_timeout`` too.
"""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from gateway.settings import Redis
from gateway.storage.redis_connection import RedisConnection
from tests.support.redis_server import redis_process

pytestmark = pytest.mark.services


async def test_a_caller_that_is_cancelled_sends_nothing_more(tmp_path: Path) -> None:
    with redis_process(tmp_path) as server:
        connection = RedisConnection(Redis(url=f"redis://127.0.0.1:{server.port}"))
        for turns in range(150):  # each is cancelled a little later on its way
            replies, most = 0, math.inf

            async def send() -> None:
                nonlocal replies
                while True:
                    await connection.evaluate("return 1", [], ())
                    replies += 1
                    assert replies <= most, "it went on"  # noqa: B023 - awaited in this round

            sending = asyncio.create_task(send())
            for _ in range(turns):
                await asyncio.sleep(0)
            most = replies
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        await connection.close()
