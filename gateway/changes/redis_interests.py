"""Interests in the Redis that processes share.

Each is a hash; sorted sets of ids, by the moment at which interests end, lead there from client,
group, person, and the id of the key that sealed it. Nothing has an expiry, so that Redis evicts
none of it under a ``volatile-`` policy; what has ended is removed when its client registers the
next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from gateway.changes.sealed_interests import SealedInterest
from gateway.settings import Redis
from gateway.storage.redis_connection import RedisConnection
from gateway.storage.sealing import Sealing
from gateway.storage.unavailable import StoreUnavailable

_PREFIX = "justice-gateway:{interests}"

_REMOVE = f"""
local function remove(id)
  local key = '{_PREFIX}:value:' .. id
  local held = redis.call('HMGET', key, 'client', 'group', 'persons', 'key')
  if not held[1] then return 0 end
  redis.call('ZREM', '{_PREFIX}:client:' .. held[1], id)
  redis.call('ZREM', '{_PREFIX}:group:' .. held[2], id)
  for person in string.gmatch(held[3], '%S+') do
    redis.call('ZREM', '{_PREFIX}:person:' .. person, id)
  end
  if held[4] then redis.call('ZREM', '{_PREFIX}:key:' .. held[4], id) end
  return redis.call('DEL', key)
end
"""
#: ARGV: clients (JSON), most, now, then id, client, group, persons, value, until and key of each.
_PUT = f"""{_REMOVE}
local count = 0
for _, client in ipairs(cjson.decode(ARGV[1])) do
  local key = '{_PREFIX}:client:' .. client
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[3])) do
    remove(id)
    redis.call('ZREM', key, id)
  end
  count = count + redis.call('ZCARD', key)
end
if count + (#ARGV - 3) / 7 > tonumber(ARGV[2]) then return 0 end
for at = 4, #ARGV, 7 do
  local id, client, group, persons = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  redis.call('HSET', '{_PREFIX}:value:' .. id,
    'client', client, 'group', group, 'persons', persons, 'value', ARGV[at + 4],
    'key', ARGV[at + 6])
  redis.call('SADD', '{_PREFIX}:keys', ARGV[at + 6])
  redis.call('ZADD', '{_PREFIX}:key:' .. ARGV[at + 6], ARGV[at + 5], id)
  redis.call('ZADD', '{_PREFIX}:client:' .. client, ARGV[at + 5], id)
  redis.call('ZADD', '{_PREFIX}:group:' .. group, ARGV[at + 5], id)
  for person in string.gmatch(persons, '%S+') do
    redis.call('ZADD', '{_PREFIX}:person:' .. person, ARGV[at + 5], id)
  end
end
return 1
"""
#: ARGV: what leads to interests, its hashes (JSON), now. Returns ids and values in turn.
_SELECT = f"""
local reply = {{}}
for _, hash in ipairs(cjson.decode(ARGV[2])) do
  local key = '{_PREFIX}:' .. ARGV[1] .. ':' .. hash
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. ARGV[3], '+inf')) do
    reply[#reply + 1] = id
    reply[#reply + 1] = redis.call('HGET', '{_PREFIX}:value:' .. id, 'value') or ''
  end
end
return reply
"""
#: ARGV: groups (JSON), ids (JSON).
_END = f"""{_REMOVE}
local groups, count = {{}}, 0
for _, group in ipairs(cjson.decode(ARGV[1])) do groups[group] = true end
for _, id in ipairs(cjson.decode(ARGV[2])) do
  local group = redis.call('HGET', '{_PREFIX}:value:' .. id, 'group')
  if group and groups[group] then count = count + remove(id) end
end
return count
"""
#: ARGV: now. Returns ids of keys, and how many interests each sealed, in turn.
_COUNT = f"""
local reply = {{}}
for _, key in ipairs(redis.call('SMEMBERS', '{_PREFIX}:keys')) do
  reply[#reply + 1] = key
  reply[#reply + 1] = redis.call('ZCOUNT', '{_PREFIX}:key:' .. key, '(' .. ARGV[1], '+inf')
end
return reply
"""
#: Adds the key to interests of versions that did not note it. ARGV: a cursor. Returns the next.
_INDEX = f"""
local page = redis.call('SCAN', ARGV[1], 'MATCH', '{_PREFIX}:value:*', 'COUNT', 5000)
for _, name in ipairs(page[2]) do
  local held = redis.call('HMGET', name, 'client', 'value', 'key')
  if held[1] and held[2] and not held[3] then
    local id, key = string.sub(name, {len(_PREFIX) + 8}), string.sub(held[2], 2, 9)
    local ends = redis.call('ZSCORE', '{_PREFIX}:client:' .. held[1], id)
    if ends then
      redis.call('HSET', name, 'key', key)
      redis.call('SADD', '{_PREFIX}:keys', key)
      redis.call('ZADD', '{_PREFIX}:key:' .. key, ends, id)
    end
  end
end
return page[1]
"""
#: All keys have one hash tag, so any of them names the slot.
_KEYS = (f"{_PREFIX}:slot",)


class RedisInterests:
    """A ``gateway.changes.sealed_interests.SealedInterestStore`` in Redis."""

    def __init__(self, settings: Redis) -> None:
        self._redis = RedisConnection(settings)
        #: Where to go on noting the keys of interests; empty: all have theirs.
        self._cursor = "0"
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.close()

    async def put(
        self,
        interests: Sequence[SealedInterest],
        clients: Sequence[str],
        most: int,
        now: float,
    ) -> bool:
        """See ``SealedInterestStore.put``."""
        arguments: list[str | bytes | float] = [orjson.dumps(clients), most, now]
        for item in interests:
            persons, key = " ".join(item.persons), Sealing.key_id(item.value)
            arguments += (item.id, item.client, item.group, persons, item.value, item.until, key)
        return bool(await self._redis.evaluate(_PUT, _KEYS, arguments))

    async def of_groups(self, groups: Sequence[str], now: float) -> Mapping[str, bytes]:
        """See ``SealedInterestStore.of_groups``."""
        return await self._select("group", groups, now)

    async def count_by_key(self, now: float) -> Mapping[str, int]:
        """See ``SealedInterestStore.count_by_key``.

        The first call looks through all keys of Redis, for interests of earlier versions.
        """
        async with self._lock:
            while self._cursor:
                reply = await self._redis.evaluate(_INDEX, _KEYS, (self._cursor,))
                cursor = cast("bytes", reply).decode()
                self._cursor = "" if cursor == "0" else cursor
        reply = await self._redis.evaluate(_COUNT, _KEYS, (now,))
        parts = cast("list[Any]", reply)
        counts = zip(parts[::2], parts[1::2], strict=True)
        return {key.decode(): int(count) for key, count in counts if count}

    async def of_persons(self, persons: Sequence[str], now: float) -> Mapping[str, bytes]:
        """See ``SealedInterestStore.of_persons``."""
        return await self._select("person", persons, now)

    async def remove(self, groups: Sequence[str], ids: Sequence[str]) -> int:
        """See ``SealedInterestStore.remove``."""
        arguments = (orjson.dumps(groups), orjson.dumps(ids))
        return int(cast("int", await self._redis.evaluate(_END, _KEYS, arguments)))

    async def _select(self, by: str, hashes: Sequence[str], now: float) -> Mapping[str, bytes]:
        """Raises StoreUnavailable where Redis lost an interest: the rest is not all of them."""
        reply = await self._redis.evaluate(_SELECT, _KEYS, (by, orjson.dumps(hashes), now))
        parts = cast("list[bytes]", reply)
        values = {
            interest_id.decode(): value
            for interest_id, value in zip(parts[::2], parts[1::2], strict=True)
        }
        if not all(values.values()):
            raise StoreUnavailable("Redis lost an interest")
        return values
