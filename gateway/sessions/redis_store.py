"""Sessions in the Redis that processes share: a hash for each, which expires with it."""

from __future__ import annotations

from gateway.sessions.store import SealedSession
from gateway.settings import Redis
from gateway.storage.redis_connection import RedisConnection

_PREFIX = "justice-gateway:session"
#: Every script begins so: what has expired by the clock of the gateway is gone.
_IF_THERE = """
local expires = redis.call('HGET', KEYS[1], 'expires')
if not expires or tonumber(expires) <= tonumber(ARGV[1]) then return 0 end
"""
_REPLACE = f"""{_IF_THERE}
redis.call('HSET', KEYS[1], 'value', ARGV[4], 'expires', ARGV[2], 'claimed', 0)
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
_PROLONG = f"""{_IF_THERE}
redis.call('HSET', KEYS[1], 'expires', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
_CLAIM = f"""{_IF_THERE}
if tonumber(redis.call('HGET', KEYS[1], 'claimed')) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'claimed', ARGV[2])
return 1
"""
_PUT = """
redis.call('HSET', KEYS[1], 'value', ARGV[3], 'expires', ARGV[1], 'claimed', 0)
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_GET = f"""{_IF_THERE}
return redis.call('HMGET', KEYS[1], 'value', 'expires')
"""


class RedisSessions:
    """A ``gateway.sessions.store.SessionStore`` in Redis."""

    def __init__(self, settings: Redis) -> None:
        self._redis = RedisConnection(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.close()

    async def put(self, session_id: str, session: SealedSession, now: float) -> None:
        """See ``SessionStore.put``."""
        arguments = (session.expires, _life(session.expires, now), session.value)
        await self._redis.evaluate(_PUT, (_key(session_id),), arguments)

    async def get(self, session_id: str, now: float) -> SealedSession | None:
        """See ``SessionStore.get``."""
        reply = await self._redis.evaluate(_GET, (_key(session_id),), (now,))
        if not isinstance(reply, list):
            return None
        value, expires = reply
        return SealedSession(value, float(expires))

    async def replace(self, session_id: str, session: SealedSession, now: float) -> bool:
        """See ``SessionStore.replace``."""
        life = _life(session.expires, now)
        arguments = (now, session.expires, life, session.value)
        return bool(await self._redis.evaluate(_REPLACE, (_key(session_id),), arguments))

    async def prolong(self, session_id: str, expires: float, now: float) -> None:
        """See ``SessionStore.prolong``."""
        arguments = (now, expires, _life(expires, now))
        await self._redis.evaluate(_PROLONG, (_key(session_id),), arguments)

    async def claim(self, session_id: str, now: float, until: float) -> bool:
        """See ``SessionStore.claim``."""
        return bool(await self._redis.evaluate(_CLAIM, (_key(session_id),), (now, until)))

    async def remove(self, session_id: str) -> None:
        """See ``SessionStore.remove``."""
        async with self._redis.commands() as redis:
            await redis.delete(_key(session_id))


def _key(session_id: str) -> str:
    return f"{_PREFIX}:{session_id}"


def _life(expires: float, now: float) -> int:
    """Return milliseconds, one at least: Redis takes none for an error."""
    return max(1, int((expires - now) * 1000))
