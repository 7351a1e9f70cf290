"""A limit on answers about numbers that nobody holds, so that numbers cannot be enumerated.

A list that truthfully says "none" shows that a number is somebody's (decision 34), and
NOT_IDENTIFIED that it is nobody's. A caller and a client get so many such answers a legal day. Then
they may name nobody until the day is over. With Redis, processes count together; while it is gone,
each counts by itself.
"""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress

from gateway.errors import GatewayError
from gateway.limits.redis_leases import RedisLeases, RedisUnavailable
from gateway.limits.windows import WindowClock
from gateway.runtime.clock import Clock
from gateway.settings import RateLimits

#: KEYS: a count of the day. ARGV: how many to add. Returns the new count.
_ADD = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], 172800)
return count
"""


class UnidentifiedAnswers:
    """Counts answers by client, and by caller of a client.

    ``shared``: the Redis that processes share; None: each counts by itself. ``secret``: keys in
    Redis have a keyed hash of what is counted.
    """

    def __init__(
        self,
        rates: RateLimits,
        clock: Clock,
        shared: RedisLeases | None = None,
        secret: bytes = b"",
    ) -> None:
        self._rates = rates
        self._moments = WindowClock(clock)
        self._shared = shared
        self._secret = secret[:64]
        self._day, self._day_left = 0, 0
        self._counts: dict[str, int] = {}

    def require_left(self, client: str | None, caller: str | None) -> None:
        """Raise GatewayError RATE_LIMITED if the limit of the day is reached.

        Compares the counts that this process knows; it learns those of others when it adds its own.
        Costs 3 us, and nothing while nobody has been counted.
        """
        if not self._counts:
            return
        self._start_day()
        for name, most in self._limits(client, caller).items():
            if self._rates.enforced and self._counts.get(name, 0) >= most:
                raise GatewayError(
                    "RATE_LIMITED",
                    "Too many numbers that nobody holds were asked for today.",
                    details={"limit": most},
                    headers={"Retry-After": str(self._day_left)},
                )

    async def add(self, client: str | None, caller: str | None, count: int) -> None:
        """Add ``count`` answers. Costs two commands to Redis, if there is one."""
        self._start_day()
        for name in self._limits(client, caller):
            self._counts[name] = self._counts.get(name, 0) + count
            if self._shared is None:
                continue
            key = f"justice-gateway:unidentified:{{{self._digest(name)}}}:{self._day}"
            with suppress(RedisUnavailable):
                total = await self._shared.evaluate(_ADD, [key], (count,))
                if isinstance(total, int):
                    self._counts[name] = max(total, self._counts[name])

    def _limits(self, client: str | None, caller: str | None) -> dict[str, int]:
        return {
            f"client {client}": self._rates.unidentified_per_day,
            f"caller {client} {caller}": self._rates.unidentified_per_caller_per_day,
        }

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode(), key=self._secret, digest_size=12).hexdigest()

    def _start_day(self) -> None:
        """Start a new legal day if one has begun."""
        moment = self._moments.now()
        self._day_left = math.ceil(moment.day_left)
        if moment.day != self._day:
            self._day = moment.day
            self._counts.clear()
