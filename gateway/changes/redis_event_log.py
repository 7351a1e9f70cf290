"""The event log in Redis: a stream, which scripts write and read as one step.

The ids of entries are ``1-0``, ``2-0`` and so on, without a gap. The first says that the log begins
and holds no event, and the last one is never removed: a stream without entries has lost them, and
what stood beside it is thrown away with it. How much of what was acknowledged survives a crash is
for Redis to say: everything with ``appendonly yes`` and ``appendfsync always``, up to a second less
with ``everysec``, nothing without. What is lost is noticed (``positions``, ``last_appends``).

An append costs one command, and so does a page. All who wait in a process cost two a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.changes.event import LifeEvent
from gateway.changes.last_appends import LastAppends
from gateway.changes.log import (
    EventLogEntry,
    EventLogPage,
    EventLogUnavailable,
    LeaseLost,
    PositionExpired,
    SourceStatus,
)
from gateway.changes.positions import (
    LogPosition,
    entry_digest,
    is_before,
    new_epoch,
    parse_position,
)
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import SealedEvents
from gateway.changes.tail import LogTail
from gateway.runtime.clock import Clock
from gateway.settings import Redis
from gateway.storage.redis_connection import RedisConnection
from gateway.storage.redis_timeout import SOCKET_TIMEOUT
from gateway.storage.unavailable import StoreUnavailable

log = structlog.get_logger(__name__)

_TIMEOUT = 1.0
#: Begins the log where there is none, and puts its last entry into ``tail``. Arguments 1 to 3: an
#: epoch, the digest of an empty entry, the time.
_BEGIN = """
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #tail == 0 or redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
  redis.call('SET', KEYS[2], ARGV[1])
  redis.call('XADD', KEYS[1], '1-0', 'e', '', 'd', ARGV[2], 't', ARGV[3])
  tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
end
local epoch = redis.call('GET', KEYS[2])
local sequence, digest = tonumber(string.match(tail[1][1], '^%d+')), tail[1][2][4]
local function position()
  return epoch .. '.' .. string.format('%.0f', sequence) .. '.' .. digest
end
"""
_END = _BEGIN + "return position()"
#: Arguments from 4: holder, database, status, the status that it follows, the time of the oldest
#: entry that stays, how many stay, then entries and their digests.
_APPEND = f"""{_BEGIN}
if redis.call('GET', KEYS[5]) ~= ARGV[4] then return false end
local database, status, follows = ARGV[5], ARGV[6], ARGV[7]
if follows ~= '' and redis.call('HGET', KEYS[3], database) ~= follows then return false end
for place = 10, #ARGV, 2 do
  sequence, digest = sequence + 1, ARGV[place + 1]
  local id = string.format('%.0f-0', sequence)
  redis.call('XADD', KEYS[1], id, 'e', ARGV[place], 'd', digest, 't', ARGV[3])
end
redis.call('HSET', KEYS[3], database, status)
redis.call('HSET', KEYS[4], database, position())
local keep, from = math.max(1, sequence - tonumber(ARGV[9]) + 1), '-'
while true do
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 100)
  local young = #page < 100
  for _, entry in ipairs(page) do
    if tonumber(entry[2][6]) > tonumber(ARGV[8]) then young = true break end
    keep = math.max(keep, tonumber(string.match(entry[1], '^%d+')) + 1)
    from = '(' .. entry[1]
  end
  if young then break end
end
redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f-0', math.min(keep, sequence)))
return position()
"""
#: Returns the entries as one list of ids and contents in turn: half of a page is parsing the reply.
_READ = """
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
local epoch = redis.call('GET', KEYS[2])
if #first == 0 or not epoch then return false end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local at = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
local entries = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  entries[#entries + 1], entries[#entries + 2] = entry[1], entry[2][2]
end
return {epoch, first[1][1], last[1][1], at[1] and at[1][2][2] or false, entries}
"""
_STATUSES = """
if redis.call('EXISTS', KEYS[2]) == 0 or #redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1) == 0
then return {{}, {}} end
return {redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4])}
"""
_ACQUIRE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


class RedisEventLog:
    """An ``EventLog`` in the Redis at ``url``, under keys that begin with ``name``."""

    def __init__(
        self, url: str, name: str, events: SealedEvents, clock: Clock, retention: Retention
    ) -> None:
        self._redis = RedisConnection(Redis(url=url))
        retry = Retry(NoBackoff(), 0)
        self._waiting = Client.from_url(
            url, max_connections=1, retry=retry, socket_timeout=SOCKET_TIMEOUT
        )
        self._prefix = f"{{{name}}}"
        self._keys = [
            f"{self._prefix}:{key}" for key in ("entries", "epoch", "statuses", "positions")
        ]
        self._events, self._clock, self._retention = events, clock, retention
        self._appends = LastAppends()
        self._tail = LogTail(self._look)
        self._is_checked = False

    async def open(self) -> None:
        """Connect nothing: the first command does."""

    async def close(self) -> None:
        """Close the connections."""
        await self._tail.close()
        with suppress(RedisError, OSError):
            await self._waiting.aclose()
        await self._redis.close()

    async def acquire(self, database: str, holder: str, seconds: float) -> bool:
        """See ``EventLog.acquire``; by the clock of Redis."""
        arguments = (holder, max(1, round(seconds * 1000)))
        reply = await self._evaluate(_ACQUIRE, [self._lease(database)], arguments)
        return self._appends.note_lease(database, bool(reply))

    async def append(
        self, holder: str, events: Sequence[LifeEvent], status: SourceStatus
    ) -> SourceStatus:
        """See ``EventLog.append``: one script, all or nothing."""
        database, sealed = status.database, self._events.seal_status(status)
        entries = [self._events.seal_event(event) for event in events]
        oldest = self._clock.now().timestamp() - self._retention.seconds
        arguments = [
            *self._beginning(),
            *(holder, database, sealed, self._appends.last(database) or b""),
            *(oldest, self._retention.entries),
            *(part for entry in entries for part in (entry, entry_digest(entry))),
        ]
        keys = [*self._keys, self._lease(database)]
        position = await self._evaluate(_APPEND, keys, arguments)
        if position is None:
            self._appends.note_lease(database, False)
            raise LeaseLost(database)
        self._appends.note_append(database, sealed)
        return replace(status, position=position.decode())

    async def statuses(self) -> Mapping[str, SourceStatus]:
        """See ``EventLog.statuses``."""
        statuses, positions = map(_pairs, await self._evaluate(_STATUSES, self._keys, ()))
        self._appends.note_read(statuses)
        return {
            name: self._events.open_status(sealed, positions[name].decode())
            for name, sealed in statuses.items()
        }

    async def end(self) -> str:
        """See ``EventLog.end``."""
        position: bytes = await self._evaluate(_END, self._keys, self._beginning())
        return position.decode()

    async def read(self, after: str, limit: int) -> EventLogPage:
        """See ``EventLog.read``."""
        position = parse_position(after)
        reply = await self._evaluate(_READ, self._keys, (f"{position.sequence}-0", limit + 1))
        if reply is None:
            raise PositionExpired
        epoch, first, last, entry, flat = reply
        position.require(epoch.decode(), entry, _sequence(first), _sequence(last))
        rows = list(zip(flat[::2], flat[1::2], strict=True))
        return EventLogPage(
            [
                EventLogEntry(
                    str(LogPosition(position.epoch, _sequence(entry_id), entry_digest(entry))),
                    self._events.open_event(entry),
                )
                for entry_id, entry in rows[:limit]
                if entry
            ],
            is_end=len(rows) <= limit,
        )

    def is_before(self, position: str, other: str) -> bool:
        """See ``EventLog.is_before``."""
        return is_before(position, other)

    async def wait(self, after: str, seconds: float) -> None:
        """See ``EventLog.wait``."""
        await self._tail.wait(after, seconds)

    async def _look(self, end: LogPosition | None, seconds: float) -> LogPosition:
        if end is not None:
            try:
                async with asyncio.timeout(seconds + _TIMEOUT):
                    entry_id = f"{end.sequence}-0"
                    block = round(seconds * 1000)
                    await self._waiting.xread({self._keys[0]: entry_id}, count=1, block=block)
            except (RedisError, OSError) as error:
                raise EventLogUnavailable(type(error).__name__) from error
        return parse_position(await self.end())

    def _beginning(self) -> tuple[str, str, float]:
        return new_epoch(), entry_digest(b""), self._clock.now().timestamp()

    def _lease(self, database: str) -> str:
        return f"{self._prefix}:lease:{database}"

    async def _evaluate(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | float]
    ) -> Any:
        try:
            if not self._is_checked:
                await self._check()
            return await self._redis.evaluate(script, keys, arguments)
        except StoreUnavailable as error:
            self._is_checked = False
            raise EventLogUnavailable(str(error)) from error

    async def _check(self) -> None:
        """Refuse a Redis that throws keys away or may be behind; say what does not persist."""
        async with self._redis.commands() as redis:
            info = await redis.info()
        if info.get("role") != "master":
            raise EventLogUnavailable("a replica may be behind")
        if str(info.get("maxmemory_policy", "")).startswith("allkeys"):
            raise EventLogUnavailable("maxmemory-policy may throw the log away")
        if not info.get("aof_enabled"):
            log.warning("the event log does not survive a restart of Redis: set appendonly to yes")
        self._is_checked = True


def _pairs(flat: Sequence[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _sequence(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
