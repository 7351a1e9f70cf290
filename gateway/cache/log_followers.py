"""Which processes follow the log of invalidations in Redis, and up to where each knows it.

Each process registers with every read of the log, before it may trust what it read. Whoever has
invalidated rows can thus tell that every process knows of it, mostly some milliseconds later, and
need not wait for as long as a process may be silent.

A process that has not registered for ``_EXPIRY`` trusts nothing any more, and is left out. A
register that is younger than that may lack processes (Redis was replaced): it tells nothing yet.

All of that is by the clock of Redis. When that is set, processes that live look as if they were
gone, so the register begins anew where nobody registered for a second: each process does four times
as often.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, cast

from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

FOLLOWERS = "justice-gateway:invalidations:followers"
#: Milliseconds: twice as long as a read of the log is trusted, and more.
_EXPIRY = 2_000
#: Milliseconds without anybody who registers, after which the clock may have been set.
_SILENCE = 1_000
_TIMEOUT = 0.5

#: ``moment``: now, in milliseconds; ``latest``: when somebody registered last.
_MOMENT = f"""
local now = redis.call('TIME')
local moment = now[1] * 1000 + math.floor(now[2] / 1000)
local latest = redis.call('HGET', KEYS[1], 'latest')
local is_set = not latest or math.abs(moment - latest) > {_SILENCE}
"""
#: The field ``begun`` is the moment at which the register began; no process has that name, nor
#: ``latest``.
_REGISTER = f"""{_MOMENT}
if is_set then redis.call('HSET', KEYS[1], 'begun', moment) end
redis.call('HSET', KEYS[1], 'latest', moment, ARGV[1], ARGV[2] .. ' ' .. moment)
"""
#: Ids are compared as numbers of milliseconds and of entries within one: both are exact in Lua.
_KNOWN = f"""{_MOMENT}
if is_set then return 0 end
local begun = redis.call('HGET', KEYS[1], 'begun')
if not begun or moment - begun <= tonumber(ARGV[2]) then return 0 end
local wanted_ms, wanted_count = string.match(ARGV[1], '(%d+)-(%d+)')
wanted_ms, wanted_count = tonumber(wanted_ms), tonumber(wanted_count)
local fields = redis.call('HGETALL', KEYS[1])
for place = 1, #fields, 2 do
  local ms, count, at = string.match(fields[place + 1], '(%d+)-(%d+) (%d+)')
  if ms and math.abs(moment - at) > tonumber(ARGV[2]) then
    redis.call('HDEL', KEYS[1], fields[place])
  elseif ms then
    ms, count = tonumber(ms), tonumber(count)
    if ms < wanted_ms or (ms == wanted_ms and count < wanted_count) then return 0 end
  end
end
return 1
"""


class LogFollowers:
    """The register, and this process in it."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)

    def register(self, client: Any, read_to: str) -> Any:
        """Register up to which id this process knows the log; ``client`` may be a pipeline."""
        return client.eval(_REGISTER, 1, FOLLOWERS, self._name, read_to)

    async def all_know(self, client: Client, entry_id: str) -> bool:
        """Return whether every process knows the entry, or trusts nothing that it read.

        False too where that cannot be told. Costs a command.
        """
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT):
                reply = client.eval(_KNOWN, 1, FOLLOWERS, entry_id, _EXPIRY)
                return bool(await cast("Awaitable[object]", reply))
        return False

    async def leave(self, client: Client) -> None:
        """Leave the register; a process that does not expires."""
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT):
                await cast("Awaitable[object]", client.hdel(FOLLOWERS, self._name))
