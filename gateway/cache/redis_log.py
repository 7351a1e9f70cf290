"""The log of invalidations in Redis: a stream that all processes of a site follow.

The ids of a stream only grow. The run id of the server, which every start and every failover
changes, is the epoch of the log: rows read under another run id are void, so that an empty server
or an old dump brings nothing back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from gateway.cache.invalidations import (
    KNOWN_WITHIN,
    Hashes,
    Invalidation,
    KnownInvalidations,
    LogUnavailable,
    Position,
    invalidation_scope,
)
from gateway.cache.log_followers import LogFollowers
from gateway.runtime.clock import Clock
from gateway.storage.redis_timeout import SOCKET_TIMEOUT

log = structlog.get_logger(__name__)

FOLLOWED = Counter(
    "justice_gateway_invalidation_log",
    "How often the log of invalidations was lost, found again, and started over",
    ["outcome"],
)

STREAM = "justice-gateway:invalidations"
#: Entries that the stream keeps. A process that was away for longer starts over.
_STREAM_ENTRIES = 100_000
_PAGE = 10_000
#: Seconds that one read waits for new entries, and its timeout beyond them.
_WAIT, _TIMEOUT = 0.25, 0.75
_RETRY = 0.25
#: Seconds for which a read is trusted: less than is promised, because acting on it takes time too,
#: and clocks round.
_TRUSTED = 0.9 * KNOWN_WITHIN
_FAILURES = (RedisError, OSError, TimeoutError)


class RedisLog:
    """The log in the Redis at ``url``.

    Costs twelve commands a second at any load. ``wait``: seconds that a read waits for new entries.
    """

    def __init__(self, url: str, hashes: Hashes, clock: Clock, wait: float = _WAIT) -> None:
        self.invalidations = KnownInvalidations(hashes)
        self.known_within = KNOWN_WITHIN
        self._clock = clock
        self._wait = wait
        retry = Retry(NoBackoff(), 0)  # a waiting request has no time for another attempt
        self._client = Client.from_url(
            url, max_connections=4, retry=retry, socket_timeout=SOCKET_TIMEOUT
        )
        self._following: asyncio.Task[None] | None = None
        self._connected: Any = None
        self._last_id = "0-0"
        self._up_to_date_at = -math.inf
        self._lost = False
        self._closing = False
        self._news = asyncio.Event()
        self._followers = LogFollowers()
        self._appended = "0-0"

    async def open(self) -> None:
        """Start to follow; waits for the first read, a second at most."""
        first_read = asyncio.Event()
        self._following = asyncio.create_task(self._follow(first_read))
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                await first_read.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """Stop following."""
        self._closing = True  # redis-py may swallow a cancellation
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if self._connected is not None:
            await self._connected.aclose()
            self._connected = None
        await self._followers.leave(self._client)
        await self._client.aclose()

    def position(self) -> Position | None:
        """See ``InvalidationLog.position``. Costs 0.3 us."""
        if self._clock.monotonic() - self._up_to_date_at >= _TRUSTED:
            return None
        return Position(self.invalidations.epoch, self.invalidations.latest)

    async def invalidate(self, invalidations: Sequence[Invalidation]) -> datetime:
        """Append to the stream; see ``InvalidationLog``. Waits for a second at most."""
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                pipeline = self._client.pipeline(transaction=True)
                for invalidation in invalidations:
                    person, database, record = invalidation_scope(
                        invalidation, self.invalidations.hashes
                    )
                    fields = {"p": person or "", "d": database or "", "r": record or ""}
                    pipeline.xadd(
                        STREAM, cast("Any", fields), maxlen=_STREAM_ENTRIES, approximate=True
                    )
                entry_ids = await pipeline.execute()
        except _FAILURES as error:
            raise LogUnavailable(type(error).__name__) from None
        effective = self._clock.now() + timedelta(seconds=KNOWN_WITHIN)
        self._appended = max(self._appended, _text(entry_ids[-1]), key=_at)
        await self._wait_until_read(_at(_text(entry_ids[-1])))
        return effective

    async def is_effective_everywhere(self) -> bool:
        """See ``InvalidationLog.is_effective_everywhere``. Costs a command."""
        return await self._followers.all_know(self._client, self._appended)

    async def _wait_until_read(self, at: int) -> None:
        """Wait until this process has read its own invalidation, as the others do now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_WITHIN):
                while self._following is not None and self.invalidations.latest < at:
                    self._news.clear()
                    await self._news.wait()

    async def step(self) -> None:
        """Read the log once, waiting for new entries for a moment. Never raises a failure of Redis.

        The background task repeats it for as long as the process runs.
        """
        try:
            if self._connected is None:
                async with asyncio.timeout(_TIMEOUT):
                    self._connected = await self._client.client().initialize()
                await self._begin(self._connected)
                self._mark_back()
            else:
                await self._read(self._connected)
        except _FAILURES as error:
            await self._mark_lost(type(error).__name__)
        except Exception:  # a defect: nothing may be served from the cache without the log
            if not self._lost:  # once, not four times a second
                log.exception("the log of invalidations cannot be followed")
            await self._mark_lost("defect")

    async def _follow(self, first_read: asyncio.Event) -> None:
        while not self._closing:
            await self.step()
            first_read.set()
            if self._connected is None and not self._closing:
                await asyncio.sleep(_RETRY)

    async def _begin(self, connected: Client) -> None:
        """Recognise the log or start over with it, and read its new entries."""
        sent = self._clock.monotonic()
        async with asyncio.timeout(_TIMEOUT):
            info = await connected.info()
            if info.get("role") != "master":
                raise RedisError("a replica may be behind")
            if str(info.get("maxmemory_policy", "")).startswith("allkeys"):
                raise RedisError("maxmemory-policy may throw the log away")
            if not await connected.xlen(STREAM):
                # A floor: a process that connects later knows that nothing is missing since.
                await connected.xadd(STREAM, {"p": "", "d": "-", "r": ""})
            first, last = await self._ends(connected)
        epoch = str(info["run_id"])
        if epoch != self.invalidations.epoch or not _at(first) <= _at(self._last_id) <= _at(last):
            self._start_over(epoch, first)
        # First registered, then read: whatever comes after the read waits for this process. The
        # other way round, an invalidation between the two is known to all others and not here.
        async with asyncio.timeout(_TIMEOUT):
            await self._followers.register(connected, self._last_id)
        await self._catch_up(connected)
        self._up_to_date_at = sent

    async def _ends(self, connected: Client) -> tuple[str, str]:
        """Return the first and the last id of the stream."""
        stream = await connected.xinfo_stream(STREAM)
        return _text(stream["first-entry"][0]), _text(stream["last-generated-id"])

    def _start_over(self, epoch: str, first: str) -> None:
        FOLLOWED.labels("anew").inc()
        self.invalidations.begin(epoch, _at(first))
        self._last_id = first

    async def _catch_up(self, connected: Client) -> None:
        while True:
            async with asyncio.timeout(_TIMEOUT):
                entries: Any = await connected.xrange(STREAM, min=f"({self._last_id}", count=_PAGE)
            self._take(entries)
            if len(entries) < _PAGE:
                return

    async def _read(self, connected: Client) -> None:
        """Wait for new entries for a moment; the reply is as of the moment it was sent."""
        sent = self._clock.monotonic()
        async with asyncio.timeout(self._wait + _TIMEOUT):
            pipeline = connected.pipeline(transaction=False)
            self._followers.register(pipeline, self._last_id)
            pipeline.xinfo_stream(STREAM)
            pipeline.xread(
                {STREAM: self._last_id}, count=_PAGE, block=round(self._wait * 1000) or None
            )
            _, stream, replies = await pipeline.execute()
        if stream["first-entry"] is None:
            raise ResponseError("the log was emptied")
        first = _text(stream["first-entry"][0])
        if not _at(first) <= _at(self._last_id) <= _at(_text(stream["last-generated-id"])):
            raise ResponseError("the log was changed")  # flushed or trimmed by somebody else
        entries = replies[0][1] if replies else []
        self._take(entries)
        if len(entries) < _PAGE:
            self._up_to_date_at = sent

    def _take(self, entries: Sequence[tuple[Any, dict[bytes, bytes]]]) -> None:
        for entry_id, fields in entries:
            self._last_id = _text(entry_id)
            texts = (_text(fields.get(name, b"")) or None for name in (b"p", b"d", b"r"))
            person, database, record = texts
            self.invalidations.note((person, database, record), _at(self._last_id))
        self._news.set()

    def _mark_back(self) -> None:
        if self._lost:
            self._lost = False
            FOLLOWED.labels("found").inc()
            log.info("the log of invalidations is followed again")

    async def _mark_lost(self, reason: str) -> None:
        self._up_to_date_at = -math.inf
        connected, self._connected = self._connected, None
        if connected is not None:
            with suppress(*_FAILURES):
                await connected.aclose()
        if not self._lost:
            self._lost = True
            FOLLOWED.labels("lost").inc()
            log.warning("the log of invalidations is lost: nothing cached is served", reason=reason)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _at(entry_id: str) -> int:
    """Return the id of an entry as one number: milliseconds and count, 64 bits each."""
    milliseconds, _, count = entry_id.partition("-")
    return (int(milliseconds) << 64) | int(count)
