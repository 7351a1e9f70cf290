"""Answers about numbers that nobody holds are counted, so that numbers are not tried out.

A list that truthfully says "none" tells that a number is somebody's (decision 34), and
NOT_IDENTIFIED that it is nobody's. A caller and a client are told that so many times a legal day;
then they name nobody until the day is over. Where Redis is configured, processes count together;
while it is gone, each goes by what it knows itself.
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

#: KEYS: a count of the day. ARGV: how many more. Returns how many there are now.
_ADD = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], 172800)
return count
"""


class UnidentifiedAnswers:
    """Counts by client, and by caller of a client.

    ``shared``: where processes count together, None: each for itself. ``secret``: keys in Redis
    carry a keyed hash of what is counted.
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
        """Refuse who has been told of enough numbers that they are nobody's; costs 1 us.

        Goes by what this process knows: of others it hears when it counts itself. Raises
        GatewayError RATE_LIMITED.
        """
        self._turn()
        for name, most in self._limits(client, caller).items():
            if self._rates.enforced and self._counts.get(name, 0) >= most:
                raise GatewayError(
                    "RATE_LIMITED",
                    "Too many numbers that nobody holds were asked for today.",
                    details={"limit": most},
                    headers={"Retry-After": str(self._day_left)},
                )

    async def add(self, client: str | None, caller: str | None, count: int) -> None:
        """Count so many more. Costs two questions to Redis where there is one."""
        self._turn()
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

    def _turn(self) -> None:
        """Begin a new legal day where one has begun."""
        moment = self._moments.now()
        self._day_left = math.ceil(moment.day_left)
        if moment.day != self._day:
            self._day = moment.day
            self._counts.clear()
