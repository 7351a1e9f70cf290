"""Attempts to match a person are counted, so that nobody finds out details by trying.

``verifyPerson`` and ``matching`` count alike. A client has so many attempts a legal day that are no
match about one person, under whichever of their numbers, and each caller and each client has so
many in all. An attempt is counted before anything is compared and given back on a match: attempts
at the same time are no more than those one after the other. Where Redis is configured, processes
count together; while it is gone, each goes by what it knows itself.

Attempts of one client never limit another, or one could lock a person for all. Many of them about
one person, whoever makes them, raise an alarm.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from weakref import WeakValueDictionary

import structlog
from prometheus_client import Counter

from gateway.errors import GatewayError
from gateway.limits.redis_leases import RedisLeases, RedisUnavailable
from gateway.limits.windows import WindowClock
from gateway.runtime.clock import Clock
from gateway.settings import RateLimits

log = structlog.get_logger(__name__)

ATTEMPTS = Counter(
    "justice_gateway_matching_attempts",
    "Attempts to match a person: what came of each, and alarms about one person",
    ["outcome"],
)

#: Counts that a process holds of one kind. A client fills no more of it than it has attempts.
_MOST = 200_000

#: KEYS: number, person, caller, client. ARGV: the most of one number or person, of a caller, of a
#: client. Returns 0 where there is no attempt left, 1 where there is none left about the person, 2.
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
    #: Left under this number, but not about the person whose it is.
    NONE_LEFT_OF_PERSON = 1
    LEFT = 2


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt of a caller to match a person.

    ``number``: as it was asked. ``person``: the number by which all of the person's numbers are
    counted together. ``agrees``: whether it came to a match, or to nothing that it could be blamed
    for. ``day``: the legal day on which it was counted.
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
        """What it is counted by within its client: number, person, caller, the client itself."""
        return (f"number:{self.number}", f"person:{self.person}", f"caller:{self.caller}", "client")

    def require_allowed(self, conceals: bool) -> None:
        """Refuse an attempt that may not be made; raises GatewayError.

        ``conceals``: the client must not learn whether a number exists. Then an old number of a
        person is refused as a number of nobody would be: with VERIFICATION_LIMITED after as many
        attempts under that number, with PERSON_NOT_MATCHED before.
        """
        if self.status is AttemptStatus.LEFT:
            return
        if conceals and self.status is AttemptStatus.NONE_LEFT_OF_PERSON:
            raise GatewayError("PERSON_NOT_MATCHED")
        raise GatewayError("VERIFICATION_LIMITED", details={"retryAfter": self.retry_after})


class VerificationAttempts:
    """Counts attempts by number, person, caller and client.

    ``shared``: where processes count together, None: each for itself. ``secret``: keys in Redis
    carry a keyed hash of what is counted. ``pseudonym``: what stands for a person in the journal,
    and in alarms.
    """

    def __init__(
        self,
        rates: RateLimits,
        clock: Clock,
        shared: RedisLeases | None = None,
        secret: bytes = b"",
        pseudonym: Callable[[str], str] = lambda number: "",
    ) -> None:
        self._rates = rates
        self._moments = WindowClock(clock)
        self._shared = shared
        self._secret = secret[:64]
        self._pseudonym = pseudonym
        self._day, self._day_left = 0, 0
        self._counts: OrderedDict[tuple[str | None, str], int] = OrderedDict()
        self._totals: dict[tuple[str | None, str], int] = {}
        self._locks: WeakValueDictionary[tuple[str | None, str], asyncio.Lock] = (
            WeakValueDictionary()
        )

    def refuse_early(self, client: str | None, caller: str | None, number: str) -> None:
        """Refuse before anything is read where this process counts alone and none is left.

        Raises GatewayError VERIFICATION_LIMITED.
        """
        self._turn()
        attempt = Attempt(client, caller, number, number)
        if self._shared is None and self._is_limited(attempt):
            raise GatewayError("VERIFICATION_LIMITED", details={"retryAfter": self._day_left})

    def _is_limited(self, attempt: Attempt) -> bool:
        number, _, caller, client = (self._count((attempt.client, key)) for key in attempt.keys)
        of_number, of_caller, of_client = self._limits
        return number >= of_number or caller >= of_caller or client >= of_client

    @asynccontextmanager
    async def count(self, attempt: Attempt) -> AsyncIterator[None]:
        """Count an attempt and note in it whether it may be made; then it may be compared.

        Given back afterwards if it ``agrees``. A client's attempts about one person wait for each
        other here, so that matches side by side don't use up what there is. Costs two questions to
        Redis where there is one.
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
        self._turn()
        attempt.day, attempt.retry_after = self._day, self._day_left
        try:
            standing = AttemptStatus(
                await self._evaluate(_TAKE, attempt, attempt.keys, self._limits)
            )
        except RedisUnavailable:
            standing = self._judge_alone(attempt)
        self._note(attempt, standing)
        attempt.status = standing
        if standing is not AttemptStatus.LEFT:
            ATTEMPTS.labels("refused").inc()

    async def _settle(self, attempt: Attempt) -> None:
        """Give an attempt back that matched; count one that did not against its person, for all."""
        if attempt.status is not AttemptStatus.LEFT:
            return
        ATTEMPTS.labels("match" if attempt.agrees else "no match").inc()
        if not attempt.agrees:
            await self._watch(attempt)
            return
        self._turn()
        if attempt.day == self._day:
            for key in attempt.keys:
                self._add((attempt.client, key), -1)
        with suppress(RedisUnavailable):  # then it stays counted there: one attempt less of the day
            await self._evaluate(_GIVE_BACK, attempt, attempt.keys)

    async def _watch(self, attempt: Attempt) -> None:
        """Raise an alarm at each multiple of so many attempts about one person in a day."""
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

    def _judge_alone(self, attempt: Attempt) -> AttemptStatus:
        """Return how an attempt stands by what this process knows; the same rules as ``_TAKE``."""
        if self._is_limited(attempt):
            return AttemptStatus.NONE_LEFT
        of_person = self._count((attempt.client, f"person:{attempt.person}"))
        return (
            AttemptStatus.LEFT if of_person < self._limits[0] else AttemptStatus.NONE_LEFT_OF_PERSON
        )

    def _note(self, attempt: Attempt, standing: AttemptStatus) -> None:
        if standing is AttemptStatus.NONE_LEFT:
            return
        number, person, caller, client = attempt.keys
        for key in (number, caller, client):
            self._add((attempt.client, key), 1)
        if standing is AttemptStatus.LEFT:
            self._add((attempt.client, person), 1)

    @property
    def _limits(self) -> tuple[int, int, int]:
        """The most of a number or person, of a caller, of a client."""
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
        elif count <= 0:  # those who match push nobody out
            self._counts.pop(key, None)
        else:
            self._counts[key] = count
            self._counts.move_to_end(key)
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)
        return count

    def _turn(self) -> None:
        """Begin a new legal day where one has begun."""
        moment = self._moments.now()
        self._day_left = math.ceil(moment.day_left)
        if moment.day != self._day:
            self._day = moment.day
            self._counts.clear()
            self._totals.clear()


def _is_total(key: tuple[str | None, str]) -> bool:
    """Whether a count is a caller's or a client's in all: those are never pushed out."""
    return key[1] == "client" or key[1].startswith("caller:")
