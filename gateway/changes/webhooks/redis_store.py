"""Webhooks in the Redis that processes share.

Of each webhook there are a hash (what it is, and who has its lease), two sorted sets of the ids of
events (pending, and dead) in the order in which they were put, and a hash of their deliveries. Each
method is one step, a script where it changes anything.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from gateway.changes.log import LONGEST_LEASE
from gateway.changes.webhooks.store import SealedDelivery, SealedWebhook, WebhookChanges
from gateway.settings import Redis
from gateway.storage.redis_connection import RedisConnection

_PREFIX = "justice-gateway:{webhooks}"
_ALL = f"{_PREFIX}:all"

_PUT = """
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5])
  or redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then return 0 end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('HSET', KEYS[3], 'client', ARGV[2], 'value', ARGV[3], 'progress', ARGV[4],
  'holder', '', 'sequence', 0)
return 1
"""
_REPLACE = """
local held = redis.call('HMGET', KEYS[1], 'client', 'value')
if held[1] ~= ARGV[2] or held[2] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'client', ARGV[4], 'value', ARGV[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return 1
"""
_END = """
if redis.call('HGET', KEYS[3], 'client') ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5], KEYS[6])
return 1
"""
_REQUEST_REMOVAL = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'removal', ARGV[1])
return 1
"""
_CLAIMABLE = """
local found, ids = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), {}
for place = 1, #found, 2 do
  local holder = redis.call('HGET', ARGV[3] .. found[place], 'holder')
  local due = tonumber(found[place + 1])
  if holder == '' or due <= tonumber(ARGV[1]) or due > tonumber(ARGV[2]) then
    ids[#ids + 1] = found[place]
  end
end
return ids
"""
_CLAIM = """
local holder, due = redis.call('HGET', KEYS[2], 'holder'), redis.call('ZSCORE', KEYS[1], ARGV[1])
if not holder or not due then return 0 end
due = tonumber(due)
local is_over = due <= tonumber(ARGV[3]) or due > tonumber(ARGV[4])
if holder ~= '' and holder ~= ARGV[2] and not is_over then return 0 end
redis.call('HSET', KEYS[2], 'holder', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[5], ARGV[1])
return 1
"""
_RELEASE = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'holder', '')
end
return 1
"""
_APPLY = """
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) <= tonumber(ARGV[3]) then return 0 end
if redis.call('HGET', KEYS[2], 'holder') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'progress', ARGV[4])
local place = 5
local function take()
  local count, taken = tonumber(ARGV[place]), {}
  for number = 1, count do taken[number] = ARGV[place + number] end
  place = place + count + 1
  return taken
end
local added = take()
for number = 1, #added, 2 do
  if redis.call('HSETNX', KEYS[5], added[number], added[number + 1]) == 1 then
    redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[2], 'sequence', 1), added[number])
  end
end
local replaced = take()
for number = 1, #replaced, 2 do
  if redis.call('ZSCORE', KEYS[3], replaced[number]) then
    redis.call('HSET', KEYS[5], replaced[number], replaced[number + 1])
  end
end
local dead = take()
for number = 1, #dead, 2 do
  local sequence = redis.call('ZSCORE', KEYS[3], dead[number])
  if sequence then
    redis.call('HSET', KEYS[5], dead[number], dead[number + 1])
    redis.call('ZREM', KEYS[3], dead[number])
    redis.call('ZADD', KEYS[4], sequence, dead[number])
  end
end
for _, key in ipairs({KEYS[3], KEYS[4]}) do
  for _, event in ipairs(take()) do
    if redis.call('ZREM', key, event) == 1 then redis.call('HDEL', KEYS[5], event) end
  end
end
local resealed = take()
for number = 1, #resealed, 3 do
  if redis.call('HGET', KEYS[5], resealed[number]) == resealed[number + 1] then
    redis.call('HSET', KEYS[5], resealed[number], resealed[number + 2])
  end
end
return 1
"""
_LIST = """
local found = {}
for _, event in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2])) do
  found[#found + 1] = event
  found[#found + 1] = redis.call('HGET', KEYS[2], event)
end
return found
"""
_REVIVE = """
local revived = 0
for number = 1, #ARGV, 2 do
  if redis.call('ZREM', KEYS[3], ARGV[number]) == 1 then
    redis.call('HSET', KEYS[4], ARGV[number], ARGV[number + 1])
    redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[1], 'sequence', 1), ARGV[number])
    revived = revived + 1
  end
end
return revived
"""


class RedisWebhooks:
    """A ``gateway.changes.webhooks.store.WebhookStore`` in Redis."""

    def __init__(self, settings: Redis) -> None:
        self._redis = RedisConnection(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.close()

    async def put(self, webhook: SealedWebhook, most: int, most_of_client: int) -> bool:
        """See ``WebhookStore.put``."""
        keys = (_ALL, _of_client(webhook.client), _webhook(webhook.id))
        values = (webhook.id, webhook.client, webhook.value, webhook.progress, most, most_of_client)
        return bool(await self._redis.evaluate(_PUT, keys, values))

    async def get(self, webhook_id: str) -> SealedWebhook | None:
        """See ``WebhookStore.get``."""
        async with self._redis.commands() as redis:
            names = ["client", "value", "progress", "removal"]
            fields = await redis.hmget(_webhook(webhook_id), names)
        client, value, progress, removal = cast("list[bytes | None]", fields)
        if client is None or value is None or progress is None:
            return None
        return SealedWebhook(webhook_id, client.decode(), value, progress, removal)

    async def all(self) -> Sequence[SealedWebhook]:
        """See ``WebhookStore.all``."""
        return await self._in_set(_ALL)

    async def of_client(self, client: str) -> Sequence[SealedWebhook]:
        """See ``WebhookStore.of_client``."""
        return await self._in_set(_of_client(client))

    async def _in_set(self, key: str) -> Sequence[SealedWebhook]:
        async with self._redis.commands() as redis:
            ids = cast("list[bytes]", await redis.zrange(key, 0, -1))
        webhooks = [await self.get(webhook_id.decode()) for webhook_id in sorted(ids)]
        return [webhook for webhook in webhooks if webhook is not None]

    async def replace(self, webhook: SealedWebhook, client: str, value: bytes) -> bool:
        """See ``WebhookStore.replace``."""
        keys = (_webhook(webhook.id), _of_client(webhook.client), _of_client(client))
        values = (webhook.id, webhook.client, webhook.value, client, value)
        return bool(await self._redis.evaluate(_REPLACE, keys, values))

    async def request_removal(self, webhook_id: str, removal: bytes) -> bool:
        """See ``WebhookStore.request_removal``."""
        keys = (_webhook(webhook_id),)
        return bool(await self._redis.evaluate(_REQUEST_REMOVAL, keys, (removal,)))

    async def end(self, webhook_id: str, client: str) -> bool:
        """See ``WebhookStore.end``."""
        keys = (
            _ALL,
            _of_client(client),
            _webhook(webhook_id),
            _pending(webhook_id),
            _dead(webhook_id),
            _deliveries(webhook_id),
        )
        return bool(await self._redis.evaluate(_END, keys, (webhook_id, client)))

    async def claimable(self, now: float) -> Sequence[str]:
        """See ``WebhookStore.claimable``."""
        values = (now, now + LONGEST_LEASE, _webhook(""))
        ids = await self._redis.evaluate(_CLAIMABLE, (_ALL,), values)
        return [webhook_id.decode() for webhook_id in cast("list[bytes]", ids)]

    async def claim(self, webhook_id: str, holder: str, now: float, until: float) -> bool:
        """See ``WebhookStore.claim``."""
        keys = (_ALL, _webhook(webhook_id))
        values = (webhook_id, holder, now, now + LONGEST_LEASE, until)
        return bool(await self._redis.evaluate(_CLAIM, keys, values))

    async def release(self, webhook_id: str, holder: str) -> None:
        """See ``WebhookStore.release``."""
        await self._redis.evaluate(_RELEASE, (_webhook(webhook_id),), (holder,))

    async def apply(
        self, webhook_id: str, holder: str, now: float, changes: WebhookChanges
    ) -> bool:
        """See ``WebhookStore.apply``."""
        keys = (
            _ALL,
            _webhook(webhook_id),
            _pending(webhook_id),
            _dead(webhook_id),
            _deliveries(webhook_id),
        )
        values: list[str | bytes | float] = [webhook_id, holder, now, changes.progress]
        for deliveries in (changes.added, changes.replaced, changes.dead):
            values += [2 * len(deliveries), *_flat(deliveries)]
        for events in (changes.settled, changes.forgotten):
            values += [len(events), *events]
        values.append(3 * len(changes.resealed))
        for delivery in changes.resealed:
            values += (delivery.event, delivery.former, delivery.value)
        return bool(await self._redis.evaluate(_APPLY, keys, values))

    async def pending(self, webhook_id: str, most: int) -> Sequence[SealedDelivery]:
        """See ``WebhookStore.pending``."""
        return await self._list(_pending(webhook_id), webhook_id, most)

    async def count_pending(self, webhook_id: str) -> int:
        """See ``WebhookStore.count_pending``."""
        async with self._redis.commands() as redis:
            return int(await redis.zcard(_pending(webhook_id)))

    async def dead(self, webhook_id: str, most: int, skip: int = 0) -> Sequence[SealedDelivery]:
        """See ``WebhookStore.dead``."""
        return await self._list(_dead(webhook_id), webhook_id, most, skip)

    async def count_dead(self, webhook_id: str) -> int:
        """See ``WebhookStore.count_dead``."""
        async with self._redis.commands() as redis:
            return int(await redis.zcard(_dead(webhook_id)))

    async def find(self, webhook_id: str, events: Collection[str]) -> Sequence[SealedDelivery]:
        """See ``WebhookStore.find``."""
        if not events:
            return []
        ids = [*events]
        async with self._redis.commands() as redis:
            values = cast("list[bytes | None]", await redis.hmget(_deliveries(webhook_id), ids))
        return [
            SealedDelivery(event, value)
            for event, value in zip(ids, values, strict=True)
            if value is not None
        ]

    async def revive(self, webhook_id: str, deliveries: Sequence[SealedDelivery]) -> int:
        """See ``WebhookStore.revive``."""
        keys = (
            _webhook(webhook_id),
            _pending(webhook_id),
            _dead(webhook_id),
            _deliveries(webhook_id),
        )
        return int(cast("int", await self._redis.evaluate(_REVIVE, keys, _flat(deliveries))))

    async def _list(
        self, order: str, webhook_id: str, most: int, skip: int = 0
    ) -> Sequence[SealedDelivery]:
        keys = (order, _deliveries(webhook_id))
        reply = await self._redis.evaluate(_LIST, keys, (skip, skip + most - 1))
        flat = cast("list[bytes]", reply)
        return [
            SealedDelivery(event.decode(), value)
            for event, value in zip(flat[::2], flat[1::2], strict=True)
        ]


def _flat(deliveries: Sequence[SealedDelivery]) -> list[str | bytes]:
    return [part for delivery in deliveries for part in (delivery.event, delivery.value)]


def _webhook(webhook_id: str) -> str:
    return f"{_PREFIX}:webhook:{webhook_id}"


def _of_client(client: str) -> str:
    return f"{_PREFIX}:client:{client}"


def _pending(webhook_id: str) -> str:
    return f"{_PREFIX}:pending:{webhook_id}"


def _dead(webhook_id: str) -> str:
    return f"{_PREFIX}:dead:{webhook_id}"


def _deliveries(webhook_id: str) -> str:
    return f"{_PREFIX}:deliveries:{webhook_id}"
