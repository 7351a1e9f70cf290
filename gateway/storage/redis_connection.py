"""Connections to the Redis that processes share, for values that are few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.settings import Redis
from gateway.storage.redis_timeout import SOCKET_TIMEOUT
from gateway.storage.unavailable import StoreUnavailable

_CONNECTIONS = 8
#: Seconds of a command: whoever waits for such a value has more time than a lookup.
_TIMEOUT = 1.0


class RedisConnection:
    """Sends commands; every method raises StoreUnavailable."""

    def __init__(self, settings: Redis) -> None:
        assert settings.url is not None
        pool = BlockingConnectionPool.from_url(
            settings.url,
            max_connections=_CONNECTIONS,
            timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=SOCKET_TIMEOUT,
        )
        self._redis = Client.from_pool(pool)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    @asynccontextmanager
    async def commands(self) -> AsyncIterator[Client]:
        """Give what sends commands, for a second at most."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                yield self._redis
        except (RedisError, OSError) as error:
            raise StoreUnavailable(type(error).__name__) from error

    async def evaluate(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | float]
    ) -> object:
        """Return what a script in Lua returns, which runs as one step."""
        async with self.commands() as redis:
            reply = redis.eval(script, len(keys), *keys, *arguments)
            return await cast("Awaitable[object]", reply)
