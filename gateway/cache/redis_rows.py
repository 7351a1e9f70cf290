"""The level of the cache that processes share: values in Redis, asked for once a wave of reads.

One question is in flight at a time; what requests want meanwhile goes into the next. Redis slow or
gone costs a request twice ``redis.timeout`` at most, once; then nobody asks it until it is back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.runtime.clock import Clock
from gateway.settings import Redis

log = structlog.get_logger(__name__)

_CONNECTIONS = 16
#: Values that wait to be written: what comes beyond is not kept there.
_WAITING = 1_000
_RETRY = 1.0
#: How many keys one question asks for, but for those of one who wants more.
_KEYS = 1_000
_FAILURES = (RedisError, OSError, TimeoutError)

_Values = Sequence[bytes | None]
#: Keys, and who waits for their values.
_Wanted = tuple[Sequence[str], "asyncio.Future[_Values]"]


class RedisCache:
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
        self._wanted: deque[_Wanted] = deque()
        self._asking: asyncio.Task[None] | None = None
        self._waiting: list[tuple[str, bytes, int]] = []
        self._writing: asyncio.Task[None] | None = None
        self._down_until = 0.0

    async def close(self) -> None:
        """Write what waits, and let go of the connections."""
        under_way = [one for one in (self._asking, self._writing) if one is not None]
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._client.aclose()

    @property
    def up(self) -> bool:
        """Whether it is worth asking."""
        return self._clock.monotonic() >= self._down_until

    async def get(self, keys: Sequence[str]) -> _Values:
        """Return the values of ``keys`` in their order, asked for by one MGET."""
        values: asyncio.Future[_Values] = asyncio.get_running_loop().create_future()
        self._wanted.append((keys, values))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await values

    async def _ask(self) -> None:
        """Ask for what is wanted until nothing is; whatever happens, all who wait are answered."""
        asked: list[_Wanted] = []
        try:
            while self._wanted:
                asked = self._next()
                async with asyncio.timeout(self._timeout):
                    found: Any = await self._client.mget([key for keys, _ in asked for key in keys])
                values = iter(found)
                for keys, waiting in asked:
                    theirs = list(islice(values, len(keys)))
                    if not waiting.done():
                        waiting.set_result(theirs)
        except _FAILURES as error:
            self._went(error)
        except Exception:  # a defect costs what is kept there, and nothing else
            log.exception("the shared cache failed")
        finally:
            self._asking = None
            for keys, waiting in (*asked, *self._wanted):
                if not waiting.done():
                    waiting.set_result([None] * len(keys))
            self._wanted.clear()

    def _next(self) -> list[_Wanted]:
        chosen = [self._wanted.popleft()]
        count = len(chosen[0][0])
        while self._wanted and count + len(self._wanted[0][0]) <= _KEYS:
            chosen.append(self._wanted.popleft())
            count += len(chosen[-1][0])
        return chosen

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
