"""The log of invalidations in Redis: a stream, which all processes of a site follow.

A stream's ids only ever grow. They are told apart from those of another life of the server by its
run id, which every start and every failover changes: what was read under another one is void, so
that an empty server or an old dump can bring nothing back.
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
    scope_of,
)
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

FOLLOWED = Counter(
    "justice_gateway_invalidation_log",
    "How often the log of invalidations was lost, found again, and begun anew",
    ["outcome"],
)

STREAM = "justice-gateway:invalidations"
#: Entries that the stream keeps: a process that was away for longer begins anew.
_KEPT = 100_000
_PAGE = 10_000
#: Seconds that one look waits for news, and within which it has to come back.
_WAIT, _PATIENCE = 0.25, 0.75
_RETRY = 0.25
#: Seconds for which a look is trusted: less than is promised, since what is decided by it takes a
#: moment too, and clocks round.
_TRUSTED = 0.9 * KNOWN_WITHIN
_FAILURES = (RedisError, OSError, TimeoutError)


class RedisLog:
    """The log in the Redis at ``url``.

    Costs eight commands a second, whatever is asked. ``wait``: seconds that a look waits for news.
    """

    def __init__(self, url: str, hashes: Hashes, clock: Clock, wait: float = _WAIT) -> None:
        self.known = KnownInvalidations(hashes)
        self._clock = clock
        self._wait = wait
        retry = Retry(NoBackoff(), 0)  # whoever waits has no time for another try
        self._client = Client.from_url(url, max_connections=4, retry=retry)
        self._following: asyncio.Task[None] | None = None
        self._connected: Any = None
        self._seen = "0-0"
        self._known_at = -math.inf
        self._lost = False
        self._closing = False
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Begin to follow; waits for the first look, a second at most."""
        looked = asyncio.Event()
        self._following = asyncio.create_task(self._follow(looked))
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                await looked.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """Stop following."""
        self._closing = True  # redis-py may take a cancellation for itself
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if self._connected is not None:
            await self._connected.aclose()
            self._connected = None
        await self._client.aclose()

    def position(self) -> Position | None:
        """See ``InvalidationLog.position``. Costs 0.3 us."""
        if self._clock.monotonic() - self._known_at >= _TRUSTED:
            return None
        return Position(self.known.epoch, self.known.latest)

    async def invalidate(self, what: Sequence[Invalidation]) -> datetime:
        """Append ``what``; see ``InvalidationLog``. Waits for a second at most."""
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                pipeline = self._client.pipeline(transaction=True)
                for one in what:
                    person, database, record = scope_of(one, self.known.hashes)
                    fields = {"p": person or "", "d": database or "", "r": record or ""}
                    pipeline.xadd(STREAM, cast("Any", fields), maxlen=_KEPT, approximate=True)
                places = await pipeline.execute()
        except _FAILURES as error:
            raise LogUnavailable(type(error).__name__) from None
        effective = self._clock.now() + timedelta(seconds=KNOWN_WITHIN)
        await self._hear(_at(_text(places[-1])))
        return effective

    async def _hear(self, at: int) -> None:
        """Wait until this process knows of its own invalidation, as the others do just now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_WITHIN):
                while self._following is not None and self.known.latest < at:
                    self._news.clear()
                    await self._news.wait()

    async def step(self) -> None:
        """Look once into the log, waiting for news for a moment. Never raises for what Redis does.

        What follows the log for as long as the process lives does nothing else, for ever.
        """
        try:
            if self._connected is None:
                self._connected = await self._client.client().initialize()
                await self._begin(self._connected)
                self._back()
            else:
                await self._look(self._connected)
        except _FAILURES as error:
            await self._went(type(error).__name__)
        except Exception:  # a defect: nothing is served from a log that is not followed
            if not self._lost:  # once, not four times a second
                log.exception("the log of invalidations cannot be followed")
            await self._went("defect")

    async def _follow(self, looked: asyncio.Event) -> None:
        while not self._closing:
            await self.step()
            looked.set()
            if self._connected is None and not self._closing:
                await asyncio.sleep(_RETRY)

    async def _begin(self, connected: Client) -> None:
        """See whether this is the log that is known, and read what is new in it."""
        sent = self._clock.monotonic()
        async with asyncio.timeout(_PATIENCE):
            told = await connected.info()
            if told.get("role") != "master":
                raise RedisError("a replica may be behind")
            if str(told.get("maxmemory_policy", "")).startswith("allkeys"):
                raise RedisError("maxmemory-policy may throw the log away")
            if not await connected.xlen(STREAM):
                # A floor: whoever comes later knows that nothing of the log is missing since then.
                await connected.xadd(STREAM, {"p": "", "d": "-", "r": ""})
            first, last = await self._ends(connected)
        epoch = str(told["run_id"])
        if epoch != self.known.epoch or not _at(first) <= _at(self._seen) <= _at(last):
            self._anew(epoch, first)
        await self._catch_up(connected)
        self._known_at = sent

    async def _ends(self, connected: Client) -> tuple[str, str]:
        """Return the first and the last id of the stream."""
        told = await connected.xinfo_stream(STREAM)
        return _text(told["first-entry"][0]), _text(told["last-generated-id"])

    def _anew(self, epoch: str, first: str) -> None:
        FOLLOWED.labels("anew").inc()
        self.known.begin(epoch, _at(first))
        self._seen = first

    async def _catch_up(self, connected: Client) -> None:
        while True:
            async with asyncio.timeout(_PATIENCE):
                found: Any = await connected.xrange(STREAM, min=f"({self._seen}", count=_PAGE)
            self._take(found)
            if len(found) < _PAGE:
                return

    async def _look(self, connected: Client) -> None:
        """Wait for news for a moment; whatever comes of it was true when it was asked."""
        sent = self._clock.monotonic()
        async with asyncio.timeout(self._wait + _PATIENCE):
            pipeline = connected.pipeline(transaction=False)
            pipeline.xinfo_stream(STREAM)
            pipeline.xread(
                {STREAM: self._seen}, count=_PAGE, block=round(self._wait * 1000) or None
            )
            told, found = await pipeline.execute()
        if told["first-entry"] is None:
            raise ResponseError("the log was emptied")
        first = _text(told["first-entry"][0])
        if not _at(first) <= _at(self._seen) <= _at(_text(told["last-generated-id"])):
            raise ResponseError("the log was changed")  # flushed, or cut behind our back
        news = found[0][1] if found else []
        self._take(news)
        if len(news) < _PAGE:
            self._known_at = sent

    def _take(self, found: Sequence[tuple[Any, dict[bytes, bytes]]]) -> None:
        for place, fields in found:
            self._seen = _text(place)
            words = (_text(fields.get(name, b"")) or None for name in (b"p", b"d", b"r"))
            person, database, record = words
            self.known.note((person, database, record), _at(self._seen))
        self._news.set()

    def _back(self) -> None:
        if self._lost:
            self._lost = False
            FOLLOWED.labels("found").inc()
            log.info("the log of invalidations is followed again")

    async def _went(self, reason: str) -> None:
        self._known_at = -math.inf
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


def _at(place: str) -> int:
    """Return a stream's id as one number: its milliseconds and its count in 64 bits each."""
    milliseconds, _, count = place.partition("-")
    return (int(milliseconds) << 64) | int(count)
