"""Limits on attempts to match a person, so that details cannot be guessed.

``verifyPerson`` and ``matching`` count alike. A client has so many attempts a legal day that do not
match about one person, under any of their numbers; each caller and each client has so many in all.
An attempt is counted before anything is compared and given back on a match, so concurrent attempts
get no more than successive ones. With Redis, processes count together; while it is gone, each
counts by itself.

The attempts of one client never limit another, or one could lock a person for all. Many attempts
about one person, by any clients, raise an alarm.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from weakref import WeakValueDictionary

import structlog
from cachetools import LRUCache
from prometheus_client import Counter

from gateway.errors import GatewayError
from gateway.limits.redis_leases import RedisLeases, RedisUnavailable
from gateway.limits.windows import WindowClock
from gateway.runtime.clock import Clock
from gateway.settings import RateLimits

log = structlog.get_logger(__name__)

ATTEMPTS = Counter(
    "justice_gateway_matching_attempts",
    "Attempts to match a person, by outcome, and alarms about one person",
    ["outcome"],
)

#: Counts of numbers and persons that a process keeps. A client fills no more than its attempts.
_MAX_COUNTS = 200_000

#: KEYS: number, person, caller, client. ARGV: the limits of a number or person, of a caller, of a
#: client. Returns 0 if no attempt is left, 1 if none is left about the person, else 2.
_TAKE = """
local function count(key) return tonumber(redis.call('GET', key) or 0) end
local function add(key) redis.call('INCR', key) redis.call('EXPIRE', key, 172800) end
if count(KEYS[1]) >= tonumber(ARGV[1]) or count(KEYS[3]) >= tonumber(ARGV[2])
  or count(KEYS[4]) >= tonumber(ARGV[3]) then return 0 end
local left = count(KEYS[2]) < tonumber(ARGV[1])
add(KEYS[1]) add(KEYS[3]) add(KEYS[4])
if not left then return 1 end
add(KEYS[2])
return 2
"""
_GIVE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) > 0 then redis.call('DECR', key) end
end
"""
_ALARM = """
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 172800)
return count
"""


class AttemptStatus(Enum):
    """Whether an attempt may be made. The values are those that ``_TAKE`` returns."""

    NONE_LEFT = 0
    #: Some are left under this number, none about its holder.
    NONE_LEFT_OF_PERSON = 1
    LEFT = 2


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt of a caller to match a person.

    ``number``: as requested. ``person``: the number under which all numbers of the person are
    counted together. ``agrees``: whether it matched, or failed for no fault of the caller. ``day``:
    the legal day on which it was counted.
    """

    client: str | None
    caller: str | None
    number: str
    person: str
    status: AttemptStatus = AttemptStatus.LEFT
    agrees: bool = False
    day: int = 0
    retry_after: int = 0

    @property
    def keys(self) -> tuple[str, str, str, str]:
        """The keys of its counts within the client: number, person, caller, client."""
        return (f"number:{self.number}", f"person:{self.person}", f"caller:{self.caller}", "client")

    def require_allowed(self, conceals: bool) -> None:
        """Raise GatewayError for an attempt that may not be made.

        ``conceals``: the client must not learn whether a number exists. Then an old number of a
        person is refused exactly as a number of nobody: with PERSON_NOT_MATCHED, and with
        VERIFICATION_LIMITED after as many attempts under that number.
        """
        if self.status is AttemptStatus.LEFT:
            return
        if conceals and self.status is AttemptStatus.NONE_LEFT_OF_PERSON:
            raise GatewayError("PERSON_NOT_MATCHED")
        raise GatewayError("VERIFICATION_LIMITED", details={"retryAfter": self.retry_after})


class VerificationAttempts:
    """Counts attempts by number, person, caller and client.

    ``shared``: the Redis that processes share; None: each counts by itself. ``secret``: keys in
    Redis have a keyed hash of what is counted. ``pseudonym``: returns what stands for a person in
    the journal and in alarms. ``max_counts``: counts of numbers and persons that are kept.
    """

    def __init__(
        self,
        rates: RateLimits,
        clock: Clock,
        shared: RedisLeases | None = None,
        secret: bytes = b"",
        pseudonym: Callable[[str], str] = lambda number: "",
        *,
        max_counts: int = _MAX_COUNTS,
    ) -> None:
        self._rates = rates
        self._moments = WindowClock(clock)
        self._shared = shared
        self._secret = secret[:64]
        self._pseudonym = pseudonym
        self._day, self._day_left = 0, 0
        self._counts: LRUCache[tuple[str | None, str], int] = LRUCache(max_counts)
        self._totals: dict[tuple[str | None, str], int] = {}
        self._locks: WeakValueDictionary[tuple[str | None, str], asyncio.Lock] = (
            WeakValueDictionary()
        )

    def refuse_early(self, client: str | None, caller: str | None, number: str) -> None:
        """Raise GatewayError VERIFICATION_LIMITED before anything is read, if none is left.

        Only without Redis: with it, the counts of this process are not all that there are.
        """
        self._start_day()
        attempt = Attempt(client, caller, number, number)
        if self._shared is None and self._is_limited(attempt):
            raise GatewayError("VERIFICATION_LIMITED", details={"retryAfter": self._day_left})

    def _is_limited(self, attempt: Attempt) -> bool:
        number, _, caller, client = (self._count((attempt.client, key)) for key in attempt.keys)
        of_number, of_caller, of_client = self._limits
        return number >= of_number or caller >= of_caller or client >= of_client

    @asynccontextmanager
    async def count(self, attempt: Attempt) -> AsyncIterator[None]:
        """Count an attempt and set its ``status``; give it back afterwards if it ``agrees``.

        A client's attempts about one person run one after the other, so that concurrent matches do
        not exhaust the limit. Costs two commands to Redis, if there is one.
        """
        name = attempt.client, attempt.person
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        async with lock:
            await self._take(attempt)
            try:
                yield
            finally:
                await self._settle(attempt)

    async def _take(self, attempt: Attempt) -> None:
        self._start_day()
        attempt.day, attempt.retry_after = self._day, self._day_left
        try:
            status = AttemptStatus(await self._evaluate(_TAKE, attempt, attempt.keys, self._limits))
        except RedisUnavailable:
            status = self._local_status(attempt)
        self._note(attempt, status)
        attempt.status = status
        if status is not AttemptStatus.LEFT:
            ATTEMPTS.labels("refused").inc()

    async def _settle(self, attempt: Attempt) -> None:
        """Give back an attempt that matched; count one that did not towards the alarm."""
        if attempt.status is not AttemptStatus.LEFT:
            return
        ATTEMPTS.labels("match" if attempt.agrees else "no match").inc()
        if not attempt.agrees:
            await self._count_towards_alarm(attempt)
            return
        self._start_day()
        if attempt.day == self._day:
            for key in attempt.keys:
                self._add((attempt.client, key), -1)
        with suppress(RedisUnavailable):  # then it stays counted in Redis for the day
            await self._evaluate(_GIVE_BACK, attempt, attempt.keys)

    async def _count_towards_alarm(self, attempt: Attempt) -> None:
        """Raise an alarm at every ``mismatches_per_person_alarm`` attempts about one person."""
        everybody = Attempt(None, None, attempt.number, attempt.person, day=attempt.day)
        key = f"all:{attempt.person}"
        count = self._add((None, key), 1)
        with suppress(RedisUnavailable):
            count = await self._evaluate(_ALARM, everybody, (key,), of_client=False)
        if count % self._rates.mismatches_per_person_alarm == 0:
            ATTEMPTS.labels("alarm").inc()
            person = self._pseudonym(attempt.person)
            log.warning("many attempts to match one person", person=person, attempts=count)

    async def _evaluate(
        self,
        script: str,
        attempt: Attempt,
        keys: tuple[str, ...],
        arguments: tuple[int, ...] = (),
        *,
        of_client: bool = True,
    ) -> int:
        if self._shared is None:
            raise RedisUnavailable
        owner = f"client {attempt.client}" if of_client else keys[0]
        prefix = f"justice-gateway:guesses:{{{self._digest(owner)}}}:{attempt.day}"
        names = [f"{prefix}:{self._digest(key)}" for key in keys]
        reply = await self._shared.evaluate(script, names, arguments)
        return reply if isinstance(reply, int) else 0

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode(), key=self._secret, digest_size=12).hexdigest()

    def _local_status(self, attempt: Attempt) -> AttemptStatus:
        """Return the status by the counts of this process; the rules are those of ``_TAKE``."""
        if self._is_limited(attempt):
            return AttemptStatus.NONE_LEFT
        of_person = self._count((attempt.client, f"person:{attempt.person}"))
        return (
            AttemptStatus.LEFT if of_person < self._limits[0] else AttemptStatus.NONE_LEFT_OF_PERSON
        )

    def _note(self, attempt: Attempt, status: AttemptStatus) -> None:
        if status is AttemptStatus.NONE_LEFT:
            return
        number, person, caller, client = attempt.keys
        for key in (number, caller, client):
            self._add((attempt.client, key), 1)
        if status is AttemptStatus.LEFT:
            self._add((attempt.client, person), 1)

    @property
    def _limits(self) -> tuple[int, int, int]:
        """The limits of a number or person, of a caller, of a client."""
        rates = self._rates
        return (
            rates.mismatches_per_person_per_day,
            rates.mismatches_per_caller_per_day,
            rates.mismatches_per_day,
        )

    def _count(self, key: tuple[str | None, str]) -> int:
        return self._totals.get(key, 0) if _is_total(key) else self._counts.get(key, 0)

    def _add(self, key: tuple[str | None, str], amount: int) -> int:
        count = self._count(key) + amount
        if _is_total(key):
            self._totals[key] = max(count, 0)
        elif count <= 0:  # attempts that match evict no count
            self._counts.pop(key, None)
        else:
            self._counts[key] = count
        return count

    def _start_day(self) -> None:
        """Start a new legal day if one has begun."""
        moment = self._moments.now()
        self._day_left = math.ceil(moment.day_left)
        if moment.day != self._day:
            self._day = moment.day
            self._counts.clear()
            self._totals.clear()


def _is_total(key: tuple[str | None, str]) -> bool:
    """Return whether a count is the total of a caller or a client: those are never evicted."""
    return key[1] == "client" or key[1].startswith("caller:")
