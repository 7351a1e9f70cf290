"""Tickets in the Redis that processes share.

A ticket's value has its own key, which expires with it. Sorted sets hold the ids: of all and of
each client by the time at which they expire, of those that wait by the time at which they are due.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gateway.settings import Redis
from gateway.storage.redis_connection import RedisConnection
from gateway.tickets.store import SealedTicket

_PREFIX = "justice-gateway:{tickets}"
_ALL, _DUE = f"{_PREFIX}:all", f"{_PREFIX}:due"

_PUT = """
local id, now, expires, most, most_of_client =
  ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
for place = 2, 3 do redis.call('ZREMRANGEBYSCORE', KEYS[place], '-inf', now) end
if redis.call('ZCARD', KEYS[2]) >= most or redis.call('ZCARD', KEYS[3]) >= most_of_client then
  return 0
end
local life = math.max(1, math.floor((expires - now) * 1000))
redis.call('SET', KEYS[1], ARGV[2], 'PX', life)
redis.call('ZADD', KEYS[2], expires, id)
redis.call('ZADD', KEYS[3], expires, id)
redis.call('PEXPIRE', KEYS[3], life, 'GT')
redis.call('PEXPIRE', KEYS[3], life, 'NX')
redis.call('ZADD', KEYS[4], now, id)
return 1
"""
_REPLACE = """
if not redis.call('SET', KEYS[1], ARGV[2], 'XX', 'KEEPTTL') then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) end
return 1
"""
_TAKE = """
for place = 2, 4 do redis.call('ZREM', KEYS[place], ARGV[1]) end
return redis.call('DEL', KEYS[1])
"""
_CLAIM = """
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 0
end
redis.call('ZADD', KEYS[1], 'XX', ARGV[3], ARGV[1])
return 1
"""


class RedisTickets:
    """A ``gateway.tickets.store.TicketStore`` in Redis."""

    def __init__(self, settings: Redis) -> None:
        self._redis = RedisConnection(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.close()

    async def put(self, ticket: SealedTicket, now: float, most: int, most_of_client: int) -> bool:
        """See ``TicketStore.put``."""
        keys = (_key(ticket.id), _ALL, _of_client(ticket.client), _DUE)
        arguments = (ticket.id, ticket.value, now, ticket.expires, most, most_of_client)
        return bool(await self._redis.evaluate(_PUT, keys, arguments))

    async def get(self, ticket_id: str, now: float) -> bytes | None:
        """See ``TicketStore.get``; Redis itself lets tickets expire."""
        async with self._redis.commands() as redis:
            value = await redis.get(_key(ticket_id))
        return value if isinstance(value, bytes) else None

    async def replace(self, ticket_id: str, value: bytes, due: float | None) -> None:
        """See ``TicketStore.replace``."""
        arguments = (ticket_id, value, "" if due is None else due)
        await self._redis.evaluate(_REPLACE, (_key(ticket_id), _DUE), arguments)

    async def take(self, ticket_id: str, client: str) -> bool:
        """See ``TicketStore.take``."""
        keys = (_key(ticket_id), _ALL, _of_client(client), _DUE)
        return bool(await self._redis.evaluate(_TAKE, keys, (ticket_id,)))

    async def due(self, now: float, most: int) -> Sequence[str]:
        """See ``TicketStore.due``."""
        async with self._redis.commands() as redis:
            ids = await redis.zrangebyscore(_DUE, "-inf", now, start=0, num=most)
        return [ticket_id.decode() for ticket_id in cast("list[bytes]", ids)]

    async def claim(self, ticket_id: str, now: float, until: float) -> bool:
        """See ``TicketStore.claim``."""
        keys = (_DUE, _key(ticket_id))
        return bool(await self._redis.evaluate(_CLAIM, keys, (ticket_id, now, until)))


def _key(ticket_id: str) -> str:
    return f"{_PREFIX}:value:{ticket_id}"


def _of_client(client: str) -> str:
    return f"{_PREFIX}:client:{client}"
