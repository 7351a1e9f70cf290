"""Rates: how much a client may ask for a minute and a day, by requests and by their cost.

The process counts by itself; where Redis is there, processes hold slices of one allowance that they
share (``gateway.limits.redis_leases``), and this process's own count waits for the day when it is
not.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import Counter

from gateway.errors import GatewayError
from gateway.limits.redis_leases import Lease, RedisLeases, RedisUnavailable
from gateway.limits.windows import (
    DAY,
    MINUTE,
    Allowance,
    Moment,
    WindowClock,
    WindowShortage,
    WindowUsage,
)
from gateway.runtime.clock import Clock
from gateway.settings import Client, Settings

LIMITED = Counter(
    "justice_gateway_rate_limited",
    "Requests beyond a client's allowance: of what, in which window, what came of it",
    ["limit", "window", "outcome"],
)

_CLIENTS = 10_000
#: How many clients are looked at for one that can be forgotten.
_LOOKS = 8


@dataclass(slots=True)
class _Meter:
    """One allowance of one client and what is taken of it. ``measure``: requests or cost."""

    measure: str
    allowance: Allowance
    level: WindowUsage
    lease: Lease | None


@dataclass(slots=True)
class _Account:
    """A client's two meters. ``policy``: its allowance of requests as a header has it."""

    requests: _Meter
    cost: _Meter
    policy: str


class RateLimitStatus(NamedTuple):
    """How a client's allowance of requests stands, in the window of which less is left."""

    limit: int
    remaining: int
    reset: int
    policy: str

    @property
    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-06 (later drafts have others)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": self.policy,
        }


class RateLimiter:
    """Counts what clients ask for, and refuses what is beyond their allowance.

    ``shared``: the level that processes share, None where there is no Redis. ``clients``: how many
    are counted each by itself; more than that at a time, all busy, share one allowance.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        shared: RedisLeases | None = None,
        clients: int = _CLIENTS,
    ) -> None:
        self._settings = settings
        self._moments = WindowClock(clock)
        self._shared = shared
        self._room = clients
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        anonymous = Client(requests_per_minute=settings.rates.anonymous_per_minute)
        self._fixed: dict[str | None, _Account] = {None: self._new(None, anonymous)}
        self._fixed |= {name: self._new(name, own) for name, own in settings.clients.items()}
        self._others = self._new("\0others", Client())

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock, secret: bytes) -> RateLimiter:
        """Return the rates of ``settings``; ``secret`` hides clients' names in Redis, if any."""
        redis = settings.redis_with_password()
        return cls(
            settings, clock, None if redis.url is None else RedisLeases(redis, secret, clock)
        )

    @property
    def shared(self) -> RedisLeases | None:
        """Where processes count together; None: each for itself."""
        return self._shared

    async def open(self) -> None:
        """Connect to Redis where there is one; its being away is no error."""
        if self._shared is not None:
            await self._shared.open()

    async def close(self) -> None:
        """Let go of Redis."""
        if self._shared is not None:
            await self._shared.close()

    async def request(self, client: str | None) -> RateLimitStatus:
        """Count one request of ``client`` (None: anonymous, or with a bad token).

        Returns how the client stands. Raises GatewayError RATE_LIMITED. Costs microseconds, and a
        question to Redis where a slice is used up.
        """
        moment = self._moments.now()
        account = self._account(client, moment)
        await self._charge(account, account.requests, 1, moment)
        return self._standing(account, moment)

    async def cost(self, client: str | None, cost: int) -> None:
        """Count what a request may cost at most; raises RATE_LIMITED and counts nothing then."""
        moment = self._moments.now()
        account = self._account(client, moment)
        await self._charge(account, account.cost, cost, moment)

    async def _charge(self, account: _Account, meter: _Meter, amount: int, moment: Moment) -> None:
        short = await self._take(meter, meter.allowance.at_most(amount), moment)
        if short is None:
            return
        enforced = self._settings.rates.enforced
        outcome = "refused" if enforced else "measured"
        LIMITED.labels(meter.measure, short.window, outcome).inc()
        if enforced:
            raise self._refusal(account, meter, short, moment)

    async def _take(self, meter: _Meter, amount: int, moment: Moment) -> WindowShortage | None:
        level = meter.level
        level.turn(moment)
        if meter.lease is not None and self._shared is not None:
            try:
                short = await self._take_shared(self._shared, meter, meter.lease, amount, moment)
            except RedisUnavailable:
                pass
            else:
                if short is None:
                    level.add(amount)
                return short
        short = level.short(meter.allowance, amount, moment)
        if short is None:
            level.add(amount)
        return short

    @staticmethod
    async def _take_shared(
        shared: RedisLeases, meter: _Meter, lease: Lease, amount: int, moment: Moment
    ) -> WindowShortage | None:
        if not shared.up:
            shared.retry()
            raise RedisUnavailable
        if lease.spend(amount, moment):
            return None
        return await shared.take(lease, meter.allowance, amount)

    def _account(self, client: str | None, moment: Moment) -> _Account:
        found = self._fixed.get(client)
        if found is not None or client is None:
            return self._fixed[client]
        found = self._accounts.get(client)
        if found is None and len(self._accounts) >= self._room and not self._forget(moment):
            return self._others
        if found is None:
            found = self._accounts[client] = self._new(client, Client())
        return found

    def _forget(self, moment: Moment) -> bool:
        """Forget a client who is owed nothing less than a new one; False where none is found.

        Who is not forgotten goes to the end: each is looked at in turn.
        """
        for _ in range(min(_LOOKS, len(self._accounts))):
            name, account = self._accounts.popitem(last=False)
            meters = (account.requests, account.cost)
            if all(one.level.is_blank(one.allowance, moment) for one in meters):
                return True
            self._accounts[name] = account
        return False

    def _new(self, name: str | None, own: Client) -> _Account:
        rates = self._settings.rates
        requests = Allowance(
            own.requests_per_minute or rates.requests_per_minute,
            own.requests_per_day or rates.requests_per_day,
        )
        cost = Allowance(
            own.cost_per_minute or rates.cost_per_minute,
            own.cost_per_day or rates.cost_per_day,
        )
        policy = f"{requests.minute};w={MINUTE}"
        if requests.day is not None:
            policy += f", {requests.day};w={DAY}"
        return _Account(
            self._meter(name, "requests", requests), self._meter(name, "cost", cost), policy
        )

    def _meter(self, name: str | None, measure: str, allowance: Allowance) -> _Meter:
        lease = None if self._shared is None else self._shared.lease(name, measure)
        return _Meter(measure, allowance, WindowUsage(), lease)

    def _standing(self, account: _Account, moment: Moment) -> RateLimitStatus:
        """Return how it stands by the level that counts: what Redis last said, or our own."""
        meter = account.requests
        allowance, level, lease, held = meter.allowance, meter.level, meter.lease, 0
        shared = self._shared is not None and self._shared.up
        if shared and lease is not None and lease.level.minute == moment.minute:
            level, held = lease.level, lease.held
        left, today = level.left(allowance, moment), level.left_today(allowance)
        if today is not None and allowance.day is not None and today < left:
            reset = math.ceil(moment.day_left)
            return RateLimitStatus(allowance.day, today + held, reset, account.policy)
        reset = math.ceil(MINUTE - moment.into)
        return RateLimitStatus(allowance.minute, left + held, reset, account.policy)

    def _refusal(
        self, account: _Account, meter: _Meter, short: WindowShortage, moment: Moment
    ) -> GatewayError:
        headers = self._standing(account, moment).headers
        headers["Retry-After"] = str(short.seconds)
        if meter is account.requests:  # the draft: Retry-After is not before the reset
            headers["RateLimit-Remaining"] = "0"
            headers["RateLimit-Reset"] = str(short.seconds)
        details = {"limit": meter.measure, "window": short.window}
        return GatewayError("RATE_LIMITED", details=details, headers=headers)
