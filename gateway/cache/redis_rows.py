"""The second level of the cache: values in Redis that processes share.

One command is in flight at a time; the keys that requests need meanwhile go into the next one. A
slow or unavailable Redis costs a request twice ``redis.timeout`` at most, once; then no request
asks it until it is back.
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
from gateway.storage.redis_timeout import SOCKET_TIMEOUT

log = structlog.get_logger(__name__)

_CONNECTIONS = 16
#: Values that may wait to be written. Further ones are not shared.
_MOST_WAITING = 1_000
#: Seconds until a Redis that failed is asked again, and for one batch of writes.
_RETRY = 1.0
#: Keys of one command, unless a single caller needs more.
_MAX_KEYS = 1_000
_FAILURES = (RedisError, OSError, TimeoutError)

_Values = Sequence[bytes | None]
#: Keys, and the future of their values.
_Request = tuple[Sequence[str], "asyncio.Future[_Values]"]


class RedisCache:
    """Values by key. Never raises a failure of Redis: a value that cannot be read is None."""

    def __init__(self, settings: Redis, clock: Clock, *, max_keys: int = _MAX_KEYS) -> None:
        assert settings.url is not None
        self._timeout = settings.timeout
        self._max_keys = max_keys
        self._clock = clock
        pool = BlockingConnectionPool.from_url(
            settings.url,
            max_connections=_CONNECTIONS,
            timeout=settings.timeout,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=SOCKET_TIMEOUT,
        )
        self._client = Client.from_pool(pool)
        self._requests: deque[_Request] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._waiting: list[tuple[str, bytes, int]] = []
        self._writing: asyncio.Task[None] | None = None
        self._down_until = 0.0

    async def close(self) -> None:
        """Write what is waiting, and close the connections."""
        tasks = [task for task in (self._reading, self._writing) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    @property
    def up(self) -> bool:
        """Whether Redis answered recently."""
        return self._clock.monotonic() >= self._down_until

    async def get(self, keys: Sequence[str]) -> _Values:
        """Return the values of ``keys`` in their order, read by one MGET."""
        values: asyncio.Future[_Values] = asyncio.get_running_loop().create_future()
        self._requests.append((keys, values))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        return await values

    async def _read(self) -> None:
        """Read until no request waits. Every waiting request gets a result, whatever happens."""
        batch: list[_Request] = []
        try:
            while self._requests:
                batch = self._next_batch()
                async with asyncio.timeout(self._timeout):
                    reply: Any = await self._client.mget([key for keys, _ in batch for key in keys])
                values = iter(reply)
                for keys, future in batch:
                    part = list(islice(values, len(keys)))
                    if not future.done():
                        future.set_result(part)
        except _FAILURES as error:
            self._mark_down(error)
        except Exception:  # a defect costs the shared values, and nothing else
            log.exception("the shared cache failed")
        finally:
            self._reading = None
            for keys, future in (*batch, *self._requests):
                if not future.done():
                    future.set_result([None] * len(keys))
            self._requests.clear()

    def _next_batch(self) -> list[_Request]:
        batch = [self._requests.popleft()]
        count = len(batch[0][0])
        while self._requests and count + len(self._requests[0][0]) <= self._max_keys:
            batch.append(self._requests.popleft())
            count += len(batch[-1][0])
        return batch

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Write ``value`` in the background, with a time to live; a failure is only logged."""
        if not self.up or len(self._waiting) >= _MOST_WAITING:
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
            self._mark_down(error)
        finally:
            self._writing = None

    def _mark_down(self, error: BaseException) -> None:
        if self.up:
            log.warning("the shared cache does not answer", reason=type(error).__name__)
        self._down_until = self._clock.monotonic() + _RETRY
