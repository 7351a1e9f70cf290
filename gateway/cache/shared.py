"""The level of the cache that processes share: values in Redis, asked for once a wave of reads.

Redis slow or gone costs a request ``redis.timeout`` once; then nobody asks it until it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.clock import Clock
from gateway.settings import Redis

log = structlog.get_logger(__name__)

_CONNECTIONS = 16
#: Values that wait to be written: what comes beyond is not kept there.
_WAITING = 1_000
_RETRY = 1.0
_FAILURES = (RedisError, OSError, TimeoutError)


class SharedLevel:
    """Values by key. Never raises for what Redis does: a value that cannot be had is none."""

    def __init__(self, settings: Redis, clock: Clock) -> None:
        assert settings.url is not None
        self._timeout = settings.timeout
        self._clock = clock
        pool = BlockingConnectionPool.from_url(
            settings.url,
            max_connections=_CONNECTIONS,
            timeout=settings.timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Client.from_pool(pool)
        self._waiting: list[tuple[str, bytes, int]] = []
        self._writing: asyncio.Task[None] | None = None
        self._down_until = 0.0

    async def close(self) -> None:
        """Write what waits, and let go of the connections."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._client.aclose()

    @property
    def up(self) -> bool:
        """Whether it is worth asking."""
        return self._clock.monotonic() >= self._down_until

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of ``keys`` in their order, in one question (MGET)."""
        try:
            async with asyncio.timeout(self._timeout):
                found: Any = await self._client.mget(keys)
        except _FAILURES as error:
            self._went(error)
            return [None] * len(keys)
        return list(found)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Have ``value`` kept for ``seconds``; returns at once, and nobody hears of a failure."""
        if not self.up or len(self._waiting) >= _WAITING:
            return
        self._waiting.append((key, value, max(1, round(seconds * 1000))))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                pipeline = self._client.pipeline(transaction=False)
                for key, value, milliseconds in waiting:
                    pipeline.set(key, value, px=milliseconds)
                async with asyncio.timeout(_RETRY):
                    await pipeline.execute(raise_on_error=False)
        except _FAILURES as error:
            self._waiting.clear()
            self._went(error)
        finally:
            self._writing = None

    def _went(self, error: BaseException) -> None:
        if self.up:
            log.warning("the shared cache does not answer", reason=type(error).__name__)
        self._down_until = self._clock.monotonic() + _RETRY
