"""Rate limits of clients: requests and cost, per minute and per day.

Each process counts by itself. With Redis, processes lease slices of one allowance
(``gateway.limits.redis_leases``), and the count of the process is the fallback while Redis is gone.
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
    "Requests beyond a client's allowance, by measure, window and outcome",
    ["limit", "window", "outcome"],
)

#: Clients that are counted each by itself.
_CLIENTS = 10_000
#: Clients examined to find one whose account can be dropped.
_EXAMINED = 8


@dataclass(slots=True)
class _Meter:
    """One allowance of one client and its usage. ``measure``: ``requests`` or ``cost``."""

    measure: str
    allowance: Allowance
    usage: WindowUsage
    lease: Lease | None


@dataclass(slots=True)
class _Account:
    """The two meters of a client. ``policy``: its allowance of requests, as in the header."""

    requests: _Meter
    cost: _Meter
    policy: str


class RateLimitStatus(NamedTuple):
    """A client's allowance of requests, in the window with less remaining."""

    limit: int
    remaining: int
    reset: int
    policy: str

    @property
    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """The same as the raw headers of an ASGI message; costs a third."""
        return (
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset),
            (b"ratelimit-policy", self.policy.encode()),
        )

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
    """Counts the requests of clients and their cost, and refuses those beyond the allowance.

    ``shared``: the leases that processes share; None: there is no Redis. ``clients``: how many are
    counted each by itself; further ones, while all of those are busy, share one allowance.
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
        self._most = clients
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        anonymous = Client(requests_per_minute=settings.rates.anonymous_per_minute)
        self._fixed: dict[str | None, _Account] = {None: self._new(None, anonymous)}
        self._fixed |= {name: self._new(name, client) for name, client in settings.clients.items()}
        self._overflow = self._new("\0others", Client())

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock, secret: bytes) -> RateLimiter:
        """Return the limiter for ``settings``. ``secret``: hides the names of clients in Redis."""
        redis = settings.redis_with_password()
        return cls(
            settings, clock, None if redis.url is None else RedisLeases(redis, secret, clock)
        )

    @property
    def shared(self) -> RedisLeases | None:
        """The leases that processes share; None: each counts by itself."""
        return self._shared

    async def open(self) -> None:
        """Connect to Redis, if there is one; that it is gone is no error."""
        if self._shared is not None:
            await self._shared.open()

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.close()

    async def request(self, client: str | None) -> RateLimitStatus:
        """Count one request of ``client`` (None: anonymous, or with an invalid token).

        Returns the status for the headers. Raises GatewayError RATE_LIMITED. Costs microseconds,
        and a command to Redis when a slice is used up.
        """
        moment = self._moments.now()
        account = self._account(client, moment)
        if self._shared is None:
            self._charge(account, account.requests, 1, moment)
        else:
            await self._charge_shared(self._shared, account, account.requests, 1, moment)
        return self._status(account, moment)

    async def cost(self, client: str | None, cost: int) -> None:
        """Count the greatest cost of a request; raises RATE_LIMITED, and then counts nothing."""
        moment = self._moments.now()
        account = self._account(client, moment)
        if self._shared is None:
            self._charge(account, account.cost, cost, moment)
        else:
            await self._charge_shared(self._shared, account, account.cost, cost, moment)

    def _charge(self, account: _Account, meter: _Meter, amount: int, moment: Moment) -> None:
        """Count by this process alone; waits for nothing."""
        amount = meter.allowance.at_most(amount)
        meter.usage.advance(moment)
        shortage = self._take(meter, amount, moment)
        if shortage is not None:
            self._refuse(account, meter, shortage, moment)

    async def _charge_shared(
        self, shared: RedisLeases, account: _Account, meter: _Meter, amount: int, moment: Moment
    ) -> None:
        """Count by what processes share, or by this process alone while Redis is gone."""
        amount = meter.allowance.at_most(amount)
        meter.usage.advance(moment)
        assert meter.lease is not None
        try:
            shortage = await self._take_shared(shared, meter, meter.lease, amount, moment)
        except RedisUnavailable:
            shortage = self._take(meter, amount, moment)
        else:
            if shortage is None:
                meter.usage.add(amount)
        if shortage is not None:
            self._refuse(account, meter, shortage, moment)

    def _refuse(
        self, account: _Account, meter: _Meter, shortage: WindowShortage, moment: Moment
    ) -> None:
        """Refuse a request for a shortage, where limits are enforced."""
        enforced = self._settings.rates.enforced
        outcome = "refused" if enforced else "measured"
        LIMITED.labels(meter.measure, shortage.window, outcome).inc()
        if enforced:
            raise self._refusal(account, meter, shortage, moment)

    @staticmethod
    def _take(meter: _Meter, amount: int, moment: Moment) -> WindowShortage | None:
        shortage = meter.usage.shortage(meter.allowance, amount, moment)
        if shortage is None:
            meter.usage.add(amount)
        return shortage

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
        account = self._fixed.get(client)
        if account is not None or client is None:
            return self._fixed[client]
        account = self._accounts.get(client)
        if account is None and len(self._accounts) >= self._most and not self._drop_idle(moment):
            return self._overflow
        if account is None:
            account = self._accounts[client] = self._new(client, Client())
        return account

    def _drop_idle(self, moment: Moment) -> bool:
        """Drop an account that a new one would equal; return False if none is found.

        An account that is examined and kept moves to the end, so each has its turn.
        """
        for _ in range(min(_EXAMINED, len(self._accounts))):
            name, account = self._accounts.popitem(last=False)
            meters = (account.requests, account.cost)
            if all(meter.usage.is_blank(meter.allowance, moment) for meter in meters):
                return True
            self._accounts[name] = account
        return False

    def _new(self, name: str | None, client: Client) -> _Account:
        rates = self._settings.rates
        requests = Allowance(
            client.requests_per_minute or rates.requests_per_minute,
            client.requests_per_day or rates.requests_per_day,
        )
        cost = Allowance(
            client.cost_per_minute or rates.cost_per_minute,
            client.cost_per_day or rates.cost_per_day,
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

    def _status(self, account: _Account, moment: Moment) -> RateLimitStatus:
        """Return the status by the usage that counts: as Redis last stated it, or our own."""
        meter = account.requests
        allowance, usage, lease, leased = meter.allowance, meter.usage, meter.lease, 0
        is_shared = self._shared is not None and self._shared.up
        if is_shared and lease is not None and lease.usage.minute == moment.minute:
            usage, leased = lease.usage, lease.remaining
        minute, day = usage.remaining(allowance, moment), usage.remaining_today(allowance)
        if day is not None and allowance.day is not None and day < minute:
            reset = math.ceil(moment.day_left)
            return RateLimitStatus(allowance.day, day + leased, reset, account.policy)
        reset = math.ceil(MINUTE - moment.into)
        return RateLimitStatus(allowance.minute, minute + leased, reset, account.policy)

    def _refusal(
        self, account: _Account, meter: _Meter, shortage: WindowShortage, moment: Moment
    ) -> GatewayError:
        headers = self._status(account, moment).headers
        headers["Retry-After"] = str(shortage.seconds)
        if meter is account.requests:  # the draft: Retry-After is not before the reset
            headers["RateLimit-Remaining"] = "0"
            headers["RateLimit-Reset"] = str(shortage.seconds)
        details = {"limit": meter.measure, "window": shortage.window}
        return GatewayError("RATE_LIMITED", details=details, headers=headers)
