"""Rate limits that processes share: slices of an allowance, leased from Redis.

A process leases a slice of what remains, spends it by itself, and leases another when it is used
up: not every request asks Redis. The unused rest of a slice lapses with its minute. When Redis goes
away, that costs ``redis.timeout`` once; then no request waits for it until it is back.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.limits.windows import (
    MINUTE,
    Allowance,
    Moment,
    WindowClock,
    WindowShortage,
    WindowUsage,
)
from gateway.runtime.clock import Clock
from gateway.settings import Redis
from gateway.storage.redis_timeout import SOCKET_TIMEOUT

log = structlog.get_logger(__name__)

SHARED = Counter(
    "justice_gateway_rate_leases",
    "Slices leased from Redis, and how often Redis became unavailable and available again",
    ["outcome"],
)

#: A slice is a twentieth of what remains. It shrinks as the allowance runs out, so that no process
#: holds the rest of it. A minute's allowance takes about 20 * ln(allowance / 20) + 20 commands.
_SHARE = 20
#: Seconds between two probes of a Redis that is gone, and for one probe.
_RETRY = 1.0
_PROBE = 1.0
#: Seconds for which a shortage that Redis stated is trusted.
_TRUSTED = 1.0
#: Attempts to lease: other requests may spend a slice before the one that leased it.
_ROUNDS = 4
_CONNECTIONS = 32

#: Takes from all windows or from none, atomically. The key of a minute expires after it has been
#: the minute before, that of a day when the day is over everywhere.
_SCRIPT = """
local weight, minute, day, wanted, share =
  tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local before = tonumber(redis.call('GET', KEYS[2]) or 0)
local today = tonumber(redis.call('GET', KEYS[3]) or 0)
local room = minute - used - before * weight
if day >= 0 then room = math.min(room, day - today) end
room = math.max(math.floor(room + 1e-6), 0)
local granted = math.min(math.max(wanted, math.ceil(room / share)), room)
if granted > 0 then
  local amount = string.format('%.0f', granted)
  redis.call('INCRBY', KEYS[1], amount)
  redis.call('EXPIRE', KEYS[1], 180)
  if day >= 0 then
    redis.call('INCRBY', KEYS[3], amount)
    redis.call('EXPIRE', KEYS[3], 172800)
    today = today + granted
  end
end
return {granted, used + granted, before, today}
"""


class RedisUnavailable(Exception):
    """Redis does not answer: the process counts by itself."""


@dataclass(slots=True)
class Lease:
    """The slice of one allowance of one client that this process has, and the usage in Redis.

    ``remaining``: what is unspent of the slice. ``usage``, ``leased_at``: as Redis last stated it,
    and when. ``waiting``: what requests wait for together; one command serves them all.
    """

    key: str
    usage: WindowUsage = field(default_factory=WindowUsage)
    remaining: int = 0
    leased_at: float = float("-inf")
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spend(self, amount: int, moment: Moment) -> bool:
        """Spend ``amount`` of the slice if that is enough; a slice is valid for its minute."""
        self._lapse(moment)
        if self.remaining < amount:
            return False
        self.remaining -= amount
        return True

    def shortage(self, allowance: Allowance, amount: int, moment: Moment) -> WindowShortage | None:
        """Return the shortage for ``amount``, by what Redis last stated."""
        self._lapse(moment)
        self.usage.advance(moment)
        return self.usage.shortage(allowance, amount - self.remaining, moment)

    def _lapse(self, moment: Moment) -> None:
        if self.usage.minute != moment.minute:
            self.remaining = 0


class RedisLeases:
    """Leases slices. ``secret``: keys in Redis have a keyed hash of the client's name."""

    def __init__(self, settings: Redis, secret: bytes, clock: Clock) -> None:
        assert settings.url is not None
        self.up = True
        self._secret = secret
        self._clock = clock
        self._moments = WindowClock(clock)
        self._timeout = settings.timeout
        pool = BlockingConnectionPool.from_url(
            settings.url,
            max_connections=_CONNECTIONS,
            timeout=_PROBE,
            retry=Retry(NoBackoff(), 0),  # a request has no time for another attempt
            socket_timeout=SOCKET_TIMEOUT,
        )
        self._redis = Client.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)
        self._probing: asyncio.Task[None] | None = None
        self._due = 0.0

    async def open(self) -> None:
        """Connect; that Redis is gone is no error."""
        await self._probe()

    async def close(self) -> None:
        """Close the connections."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
        await self._redis.aclose()

    def lease(self, client: str | None, measure: str) -> Lease:
        """Return an empty lease. ``client`` None: all anonymous callers together."""
        name = b"anonymous" if client is None else b"client " + client.encode()
        digest = hashlib.blake2b(name, key=self._secret[:64], digest_size=12).hexdigest()
        return Lease(f"justice-gateway:rates:{{{digest}}}:{measure}")

    async def take(self, lease: Lease, allowance: Allowance, amount: int) -> WindowShortage | None:
        """Take ``amount``; return the shortage if there is not enough, else None.

        Costs a command to Redis when the slice is used up. Raises Gone, after ``redis.timeout`` at
        the latest.
        """
        shortage = self._recent_shortage(lease, allowance, amount, self._moments.now())
        if shortage is not None:
            return shortage
        lease.waiting += amount
        try:
            async with asyncio.timeout(self._timeout), lease.lock:
                return await self._lease_and_spend(lease, allowance, amount)
        except (RedisError, OSError, TimeoutError) as error:
            self._mark_gone(error)
            raise RedisUnavailable from error
        finally:
            lease.waiting -= amount

    async def evaluate(self, script: str, keys: Sequence[str], arguments: Sequence[int]) -> object:
        """Run a Lua ``script``; raises Gone, after ``redis.timeout`` at the latest."""
        if not self.up:
            self.retry()
            raise RedisUnavailable
        try:
            async with asyncio.timeout(self._timeout):
                reply = self._redis.eval(script, len(keys), *keys, *arguments)
                return await cast("Awaitable[object]", reply)
        except (RedisError, OSError, TimeoutError) as error:
            self._mark_gone(error)
            raise RedisUnavailable from error

    def retry(self) -> None:
        """Probe in the background whether Redis is back, once a second at most."""
        if self._clock.monotonic() >= self._due and self._probing is None:
            self._probing = asyncio.create_task(self._probe())

    async def _lease_and_spend(
        self, lease: Lease, allowance: Allowance, amount: int
    ) -> WindowShortage | None:
        for _ in range(_ROUNDS):
            if not self.up:  # a request that waited before has noticed
                raise RedisUnavailable
            moment = self._moments.now()
            if lease.spend(amount, moment):
                return None
            shortage = self._recent_shortage(lease, allowance, amount, moment)
            if shortage is not None:
                return shortage
            await self._lease(lease, allowance, moment)
        return WindowShortage("minute", 1.0)

    def _recent_shortage(
        self, lease: Lease, allowance: Allowance, amount: int, moment: Moment
    ) -> WindowShortage | None:
        """Return the shortage by a recent reply, so that not every refusal costs a command."""
        if not 0 <= _seconds(moment) - lease.leased_at < _TRUSTED:
            return None
        return lease.shortage(allowance, amount, moment)

    async def _lease(self, lease: Lease, allowance: Allowance, moment: Moment) -> None:
        day = -1 if allowance.day is None else allowance.day
        needed = lease.waiting - lease.remaining
        minute, key = moment.minute, lease.key
        granted, used, before, today = await self._script(
            [f"{key}:{minute}", f"{key}:{minute - 1}", f"{key}:day:{moment.day}"],
            [moment.weight, allowance.minute, day, needed, _SHARE],
        )
        lease.usage = WindowUsage(minute, used, before, moment.day, today)
        lease.remaining += granted
        lease.leased_at = _seconds(moment)
        SHARED.labels("leased" if granted else "empty").inc()

    async def _probe(self) -> None:
        """Write a key: a read-only or full server must count as gone."""
        try:
            async with asyncio.timeout(_PROBE):
                await self._redis.set("justice-gateway:rates:probe", 1, ex=1)
        except (RedisError, OSError, TimeoutError) as error:
            self._mark_gone(error)
        else:
            if not self.up:
                self.up = True
                SHARED.labels("back").inc()
                log.info("shared rates are back")
        finally:
            self._probing = None

    def _mark_gone(self, error: Exception) -> None:
        self._due = self._clock.monotonic() + _RETRY
        if self.up:
            self.up = False
            SHARED.labels("gone").inc()
            log.warning("shared rates are gone", reason=type(error).__name__)


def _seconds(moment: Moment) -> float:
    return moment.minute * MINUTE + moment.into
