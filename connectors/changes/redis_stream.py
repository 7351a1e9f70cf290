"""Streams of Redis, one for each table, read as one in the order in which they were written."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from connectors.backends.base import SourceRefused, SourceUnavailable
from connectors.changes.change import CheckpointLost
from connectors.changes.message_stream import StreamMessage, StreamPage, message_digest

_TIMEOUT = 5.0
_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_DIGEST = re.compile(r"([0-9a-f]{16})?")
_NOTHING = "0-0"
#: Id and fields.
_Entry = tuple[str, list[tuple[bytes, bytes]]]


class _Place(NamedTuple):
    """A place in a stream: the id of the last entry that was read, and its digest.

    ``added``: how many entries the stream had had by then. ``digest``: "" where there was no entry.
    """

    last: str = _NOTHING
    added: int = 0
    digest: str = ""


class _State(NamedTuple):
    """A stream as it is: its last id, how many entries it ever had, and the id of the first."""

    last: str = _NOTHING
    added: int = 0
    first: str | None = None


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
            places = {name: _Place() for name in self._names}
            states, entries, _ = await self._look(places, None)
        except (RedisError, OSError, TimeoutError) as error:
            raise SourceUnavailable(f"Redis: {type(error).__name__}") from None
        for name, state in states.items():
            entry = entries.get(name)
            digest = _digest(entry) if entry is not None and entry[0] == state.last else ""
            places[name] = _Place(state.last, state.added, digest)
        return json.dumps(places)

    async def read(self, checkpoint: str, limit: int) -> StreamPage:
        """Return messages after a checkpoint; raises CheckpointLost."""
        places = self._places(checkpoint)
        try:
            states, last_read, unread = await self._look(places, limit + 1)
        except (RedisError, OSError, TimeoutError) as error:
            raise SourceUnavailable(f"Redis: {type(error).__name__}") from None
        for name, place in places.items():
            _require_same(place, states[name], last_read.get(name))
            entries = len(unread.get(name, ()))
            if entries <= limit and place.added + entries != states[name].added:
                raise CheckpointLost("a stream lacks entries that came after the checkpoint")
        merged = sorted(
            (_order(entry[0]), name, entry) for name, every in unread.items() for entry in every
        )
        messages = []
        for _, name, entry in merged[:limit]:
            places[name] = _Place(entry[0], places[name].added + 1, _digest(entry))
            messages.append(StreamMessage(name, _value(entry[1]), f"{name}:{entry[0]}"))
        self._ends = {name: place.last for name, place in places.items()}
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

    async def _look(
        self, places: Mapping[str, _Place], count: int | None
    ) -> tuple[dict[str, _State], dict[str, _Entry], dict[str, list[_Entry]]]:
        """Return streams as they are at one moment, by name; one transaction.

        Their states, the entries at their places, and at most ``count`` entries after these. None:
        their last entries, and none after them.
        """
        pipeline = self._redis().pipeline(transaction=True)
        for name, place in places.items():
            pipeline.xinfo_stream(name)
            upper, lower = (place.last, place.last) if count else ("+", "-")
            pipeline.xrevrange(name, upper, lower, count=1)
        if count:
            ids: dict[Any, Any] = {name: place.last for name, place in places.items()}
            pipeline.xread(ids, count=count)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        states, entries = {}, {}
        for number, name in enumerate(places):
            states[name] = _state(answers[2 * number])
            for entry in _require_success(answers[2 * number + 1]):
                entries[name] = _entry(*entry)
        return states, entries, _entries_by_name(answers[-1]) if count else {}

    def _redis(self) -> Redis:
        if self._client is None:
            self._client = Redis.from_url(
                self._url,
                password=None if self._password is None else self._password(),
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=2.0,
            )
        return self._client

    def _places(self, checkpoint: str) -> dict[str, _Place]:
        """Return the place in each stream."""
        try:
            content = json.loads(checkpoint)
            if not content or not isinstance(content, dict):
                raise ValueError
            places = {
                name: _Place(str(last), int(added), str(digest))
                for name, (last, added, digest) in content.items()
            }
            for place in places.values():
                if not (_ID.fullmatch(place.last) and _DIGEST.fullmatch(place.digest)):
                    raise ValueError
            return {name: places.get(name, _Place()) for name in self._names}
        except (ValueError, TypeError, AttributeError):
            raise ValueError("no checkpoint of streams of Redis") from None


def _require_same(place: _Place, state: _State, entry: _Entry | None) -> None:
    """Raise CheckpointLost where a stream is not the one in which the place was.

    ``entry``: at the place; None: it was trimmed, or a backup without it was restored.
    """
    if _order(state.last) < _order(place.last) or state.added < place.added:
        raise CheckpointLost("a stream went backwards, or was made anew")
    if not place.digest:
        return
    was_trimmed = state.first is None or _order(state.first) > _order(place.last)
    if (entry is None and not was_trimmed) or (
        entry is not None and _digest(entry) != place.digest
    ):
        raise CheckpointLost("the last entry that was read is no longer in its stream")


def _state(answer: Any) -> _State:
    """Read an answer of XINFO STREAM."""
    if isinstance(answer, ResponseError) and "no such key" in str(answer):
        return _State()
    info = _require_success(answer)
    if "entries-added" not in info:
        raise SourceRefused("Redis 7 or newer is needed")
    first = info["first-entry"]
    return _State(
        info["last-generated-id"].decode(),
        int(info["entries-added"]),
        None if first is None else first[0].decode(),
    )


def _entries_by_name(answer: Any) -> dict[str, list[_Entry]]:
    """Read an answer of XREAD."""
    answer = _require_success(answer)
    pairs = answer.items() if isinstance(answer, dict) else answer
    return {name.decode(): [_entry(*entry) for entry in entries] for name, entries in pairs}


def _entry(number: bytes, fields: Any) -> _Entry:
    return number.decode(), list(fields.items())


def _require_success(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def _digest(entry: _Entry) -> str:
    return message_digest(*(part for field in entry[1] for part in field))


def _order(number: str) -> tuple[int, int]:
    moment, _, place = number.partition("-")
    return int(moment), int(place)


def _value(fields: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """Return the value of a message: ``key`` and ``value``, or a single pair of both."""
    named = dict(fields)
    if b"value" in named:
        return named[b"value"] or None
    return next(iter(named.values()), None) or None
