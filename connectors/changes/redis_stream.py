"""Streams of Redis, one for each table, read as one in the order in which they were written."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from connectors.backends.base import SourceRefused, SourceUnavailable
from connectors.changes.change import CheckpointLost
from connectors.changes.message_stream import StreamMessage, StreamPage

_TIMEOUT = 5.0
_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_NOTHING = "0-0"
#: By stream: the last id that was read, and how many entries the stream had had by then.
_Places = dict[str, tuple[str, int]]
#: Id and fields.
_Entry = tuple[str, list[tuple[bytes, bytes]]]


class RedisStreams:
    """The streams ``names`` of the Redis at ``url``."""

    def __init__(
        self, url: str, names: Sequence[str], password: Callable[[], str] | None = None
    ) -> None:
        self._names = tuple(names)
        self._url = url
        self._password = password
        self._client: Redis | None = None
        self._ends: dict[str, str] = {}

    async def open(self) -> None:
        """Do nothing: a connection is opened on demand."""

    async def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def check(self, checkpoint: str) -> None:
        """Raise ValueError for what is no checkpoint."""
        self._places(checkpoint)

    async def start(self) -> str:
        """Return the checkpoint of now."""
        try:
            return json.dumps(await self._states())
        except (RedisError, OSError, TimeoutError) as error:
            raise SourceUnavailable(f"Redis: {type(error).__name__}") from None

    async def read(self, checkpoint: str, limit: int) -> StreamPage:
        """Return messages after a checkpoint; raises CheckpointLost."""
        places = self._places(checkpoint)
        try:
            states = await self._states()
            for name, (last, added) in states.items():
                if _order(last) < _order(places[name][0]) or added < places[name][1]:
                    raise CheckpointLost("a stream went backwards, or was made anew")
            found = await self._read(places, limit + 1)
        except (RedisError, OSError, TimeoutError) as error:
            raise SourceUnavailable(f"Redis: {type(error).__name__}") from None
        for name, (_, added) in states.items():
            entries = len(found.get(name, ()))
            if entries <= limit and places[name][1] + entries < added:
                raise CheckpointLost("a stream no longer keeps what came after the checkpoint")
        merged = sorted(
            (_order(number), name, number, fields)
            for name, entries_of_name in found.items()
            for number, fields in entries_of_name
        )
        messages = []
        for _, name, number, fields in merged[:limit]:
            places[name] = (number, places[name][1] + 1)
            messages.append(StreamMessage(name, _value(fields), f"{name}:{number}"))
        self._ends = {name: number for name, (number, _) in places.items()}
        return StreamPage(messages, json.dumps(places), len(merged) > limit)

    async def wait(self, seconds: float) -> None:
        """Return when a message was written, after ``seconds`` at most."""
        if not self._ends or seconds * 1000 < 1:
            await asyncio.sleep(seconds)
            return
        try:
            most = min(seconds, _TIMEOUT / 2)
            ends: dict[Any, Any] = dict(self._ends)
            await self._redis().xread(ends, count=1, block=round(most * 1000))
        except (RedisError, OSError, TimeoutError):
            await asyncio.sleep(seconds)

    async def _read(self, places: _Places, count: int) -> dict[str, list[_Entry]]:
        """Return at most ``count`` entries of each stream, with their fields in order."""
        ids: dict[Any, Any] = {name: number for name, (number, _) in places.items()}
        answer: Any = await self._redis().xread(ids, count=count)
        pairs = answer.items() if isinstance(answer, dict) else answer
        return {
            name.decode(): [(number.decode(), list(fields.items())) for number, fields in entries]
            for name, entries in pairs
        }

    async def _states(self) -> _Places:
        """Return of each stream its last id, and how many entries it ever had."""
        states = {}
        for name in self._names:
            try:
                info: Any = await self._redis().xinfo_stream(name)
            except ResponseError as error:
                if "no such key" not in str(error):
                    raise
                states[name] = (_NOTHING, 0)
                continue
            if "entries-added" not in info:
                raise SourceRefused("Redis 7 or newer is needed")
            states[name] = (info["last-generated-id"].decode(), int(info["entries-added"]))
        return states

    def _redis(self) -> Redis:
        if self._client is None:
            self._client = Redis.from_url(
                self._url,
                password=None if self._password is None else self._password(),
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=2.0,
            )
        return self._client

    def _places(self, checkpoint: str) -> _Places:
        """Return of each stream the last id that was read, and how many entries it had then."""
        try:
            content = json.loads(checkpoint)
            if not content or not isinstance(content, dict):
                raise ValueError
            places = {
                name: (str(number), int(added))
                for name, (number, added) in content.items()
                if _ID.fullmatch(number) is not None
            }
            if len(places) < len(content):
                raise ValueError
            return {name: places.get(name, (_NOTHING, 0)) for name in self._names}
        except (ValueError, TypeError, AttributeError):
            raise ValueError("no checkpoint of streams of Redis") from None


def _order(number: str) -> tuple[int, int]:
    moment, _, place = number.partition("-")
    return int(moment), int(place)


def _value(fields: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """Return the value of a message: ``key`` and ``value``, or a single pair of both."""
    named = dict(fields)
    if b"value" in named:
        return named[b"value"] or None
    return next(iter(named.values()), None) or None
