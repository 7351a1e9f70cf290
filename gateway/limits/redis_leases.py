"""The level of rates that processes share: slices of an allowance, leased from Redis.

A process asks for a slice of what is left, hands it out by itself, and asks again when it is used
up: Redis is not asked for each request. What is not used of a slice lapses with its minute. Redis
gone costs no request more than ``redis.timeout`` once; then nobody waits for it until it is back.
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

log = structlog.get_logger(__name__)

SHARED = Counter(
    "justice_gateway_shared_rates",
    "Slices leased from Redis, and how often it went and came back",
    ["outcome"],
)

#: A twentieth of what is left: slices get smaller as it runs out, so that no process sits on the
#: last of it. A minute's worth takes about 20 * ln(allowance / 20) + 20 questions.
_SHARE = 20
_RETRY = 1.0
_PROBE = 1.0
_TRUSTED = 1.0
#: A slice may be used up by others before the one who asked for it has taken of it.
_ROUNDS = 4
_CONNECTIONS = 32

#: Takes from all windows or from none, at once (Redis runs a script alone). A minute's key lives
#: long enough to be the minute before, a day's until the day is over everywhere.
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
    """Redis does not answer: the process goes by its own level."""


@dataclass(slots=True)
class Lease:
    """What a process holds of one allowance of one client, and how Redis last said it stands.

    ``waiting``: what is waited for by all who wait for a slice, who are served by one question.
    """

    key: str
    level: WindowUsage = field(default_factory=WindowUsage)
    held: int = 0
    asked_at: float = float("-inf")
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spend(self, amount: int, moment: Moment) -> bool:
        """Take ``amount`` of what is held, if that is enough; a slice is good for its minute."""
        self._lapse(moment)
        if self.held < amount:
            return False
        self.held -= amount
        return True

    def short(self, allowance: Allowance, amount: int, moment: Moment) -> WindowShortage | None:
        """Return what is short for ``amount``, by what Redis last said."""
        self._lapse(moment)
        self.level.turn(moment)
        return self.level.short(allowance, amount - self.held, moment)

    def _lapse(self, moment: Moment) -> None:
        if self.level.minute != moment.minute:
            self.held = 0


class RedisLeases:
    """Leases slices. ``secret``: keys in Redis carry a hash of a client's name made with it."""

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
            retry=Retry(NoBackoff(), 0),  # who waits for an answer has no time for another try
        )
        self._redis = Client.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)
        self._probing: asyncio.Task[None] | None = None
        self._due = 0.0

    async def open(self) -> None:
        """Connect; Redis being away is no error."""
        await self._probe()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
        await self._redis.aclose()

    def lease(self, client: str | None, measure: str) -> Lease:
        """Return an empty lease; None: the one that all anonymous callers have together."""
        name = b"anonymous" if client is None else b"client " + client.encode()
        digest = hashlib.blake2b(name, key=self._secret[:64], digest_size=12).hexdigest()
        return Lease(f"justice-gateway:rates:{{{digest}}}:{measure}")

    async def take(self, lease: Lease, allowance: Allowance, amount: int) -> WindowShortage | None:
        """Take ``amount``; return what is short where it cannot be had, else None.

        Costs a question to Redis when the slice is used up. Raises Gone, after ``redis.timeout`` at
        the latest.
        """
        short = self._known(lease, allowance, amount, self._moments.now())
        if short is not None:
            return short
        lease.waiting += amount
        try:
            async with asyncio.timeout(self._timeout), lease.lock:
                return await self._leased(lease, allowance, amount)
        except (RedisError, OSError, TimeoutError) as error:
            self._went(error)
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
            self._went(error)
            raise RedisUnavailable from error

    def retry(self) -> None:
        """See in the background whether Redis is back, once a second at most."""
        if self._clock.monotonic() >= self._due and self._probing is None:
            self._probing = asyncio.create_task(self._probe())

    async def _leased(
        self, lease: Lease, allowance: Allowance, amount: int
    ) -> WindowShortage | None:
        for _ in range(_ROUNDS):
            if not self.up:  # somebody who waited before has found out
                raise RedisUnavailable
            moment = self._moments.now()
            if lease.spend(amount, moment):
                return None
            short = self._known(lease, allowance, amount, moment)
            if short is not None:
                return short
            await self._ask(lease, allowance, moment)
        return WindowShortage("minute", 1.0)

    def _known(
        self, lease: Lease, allowance: Allowance, amount: int, moment: Moment
    ) -> WindowShortage | None:
        """Return what is short by an answer of just now: no question for each who is out of it."""
        if not 0 <= _seconds(moment) - lease.asked_at < _TRUSTED:
            return None
        return lease.short(allowance, amount, moment)

    async def _ask(self, lease: Lease, allowance: Allowance, moment: Moment) -> None:
        day = -1 if allowance.day is None else allowance.day
        wanted = lease.waiting - lease.held
        minute, key = moment.minute, lease.key
        granted, used, before, today = await self._script(
            [f"{key}:{minute}", f"{key}:{minute - 1}", f"{key}:day:{moment.day}"],
            [moment.weight, allowance.minute, day, wanted, _SHARE],
        )
        lease.level = WindowUsage(minute, used, before, moment.day, today)
        lease.held += granted
        lease.asked_at = _seconds(moment)
        SHARED.labels("leased" if granted else "empty").inc()

    async def _probe(self) -> None:
        """Write, which a server that only reads, or is full, would refuse."""
        try:
            async with asyncio.timeout(_PROBE):
                await self._redis.set("justice-gateway:rates:probe", 1, ex=1)
        except (RedisError, OSError, TimeoutError) as error:
            self._went(error)
        else:
            if not self.up:
                self.up = True
                SHARED.labels("back").inc()
                log.info("shared rates are back")
        finally:
            self._probing = None

    def _went(self, error: Exception) -> None:
        self._due = self._clock.monotonic() + _RETRY
        if self.up:
            self.up = False
            SHARED.labels("gone").inc()
            log.warning("shared rates are gone", reason=type(error).__name__)


def _seconds(moment: Moment) -> float:
    return moment.minute * MINUTE + moment.into
