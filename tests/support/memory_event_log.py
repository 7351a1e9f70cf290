"""An event log in memory: the contract of ``gateway.changes.log`` in a few lines, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from gateway.changes.event import LifeEvent
from gateway.changes.log import (
    EventLogEntry,
    EventLogPage,
    EventLogUnavailable,
    PositionExpired,
    SourceStatus,
)


@dataclass
class MemoryEventLog:
    """Positions are an epoch and a count. ``removed``: entries that are no longer there."""

    epoch: str = "a"
    events: list[LifeEvent] = field(default_factory=list)
    kept: dict[str, SourceStatus] = field(default_factory=dict)
    removed: int = 0
    is_down: bool = False

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def acquire(self, database: str, holder: str, seconds: float) -> bool:
        """Give the lease to everybody."""
        return True

    async def append(
        self, holder: str, events: Sequence[LifeEvent], status: SourceStatus
    ) -> SourceStatus:
        """See ``EventLog.append``."""
        self._require_up()
        self.events += events
        self.kept[status.database] = replace(status, position=self._position(len(self.events)))
        return self.kept[status.database]

    async def statuses(self) -> Mapping[str, SourceStatus]:
        """See ``EventLog.statuses``."""
        self._require_up()
        return dict(self.kept)

    async def end(self) -> str:
        """See ``EventLog.end``."""
        self._require_up()
        return self._position(len(self.events))

    async def read(self, after: str, limit: int) -> EventLogPage:
        """See ``EventLog.read``."""
        self._require_up()
        epoch, begin = self._parse(after)
        if epoch != self.epoch or not self.removed <= begin <= len(self.events):
            raise PositionExpired
        shown = self.events[begin : begin + limit]
        entries = [
            EventLogEntry(self._position(begin + n), event) for n, event in enumerate(shown, 1)
        ]
        return EventLogPage(entries, begin + len(shown) == len(self.events))

    def is_before(self, position: str, other: str) -> bool:
        """See ``EventLog.is_before``."""
        (epoch, first), (other_epoch, second) = self._parse(position), self._parse(other)
        if epoch != other_epoch:
            raise PositionExpired
        return first <= second

    async def wait(self, after: str, seconds: float) -> None:
        """See ``EventLog.wait``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self.end() == after:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.002)  # between two looks, not instead of one

    def _require_up(self) -> None:
        if self.is_down:
            raise EventLogUnavailable

    def _position(self, count: int) -> str:
        return f"{self.epoch}.{count}"

    def _parse(self, position: str) -> tuple[str, int]:
        epoch, _, count = position.partition(".")
        if not count.isdigit():
            raise ValueError(position)
        return epoch, int(count)


@dataclass
class InterleavedLog(MemoryEventLog):
    """A log that does something before one of the calls of a reader, the first being 0."""

    calls: int = 0
    before: int = -1
    act: Callable[[], Awaitable[object]] | None = None

    @property
    def is_done(self) -> bool:
        return self.act is None

    async def statuses(self) -> dict[str, SourceStatus]:
        await self._interleave()
        return dict(await super().statuses())

    async def end(self) -> str:
        await self._interleave()
        return await super().end()

    async def read(self, after: str, limit: int) -> EventLogPage:
        await self._interleave()
        return await super().read(after, limit)

    async def _interleave(self) -> None:
        act = self.act
        if act is not None and self.calls == self.before:
            self.act = None
            await act()
        self.calls += 1
