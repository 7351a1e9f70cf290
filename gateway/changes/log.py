"""The contract of the event log: an existing engine that keeps events in one order.

Redis Streams where there is Redis, NATS JetStream by setting, SQLite otherwise. At least once:
events that were appended twice stand there twice, under the same id. What an entry holds is sealed.
One suite of tests runs over every log alike.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.changes.event import LifeEvent

#: A lease with more seconds left counts as over: it was taken while a clock was ahead. Settings
#: permit half as many.
LONGEST_LEASE = 600.0


class EventLogUnavailable(Exception):
    """The log cannot be reached. What was to be appended may be in it, in part."""


class PositionExpired(Exception):
    """The log no longer has the entry after a position: entries were missed."""


class LeaseLost(Exception):
    """Nothing was appended: read ``statuses`` and take the lease again before the next append.

    Another process publishes the events of the database now, or the log is not as the last append
    of this process left it: its engine lost entries, or that append arrived after all.
    """


class FollowState(enum.Enum):
    """Whether the changes of a database are followed."""

    FOLLOWED = "followed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How far the events of a database are complete.

    ``checkpoint``: of its change source, None before the first; empty where its key is gone, which
    is as if the source had lost it. ``complete_until``: every change that was committed before
    (UTC) is in the log at ``position`` or before; None: not known. ``since``: when ``state`` began
    (UTC).
    """

    database: str
    state: FollowState
    since: datetime
    checkpoint: str | None
    complete_until: datetime | None
    position: str


@dataclass(frozen=True, slots=True)
class EventLogEntry:
    """An event in the log. ``position``: opaque, of this log only.

    An entry whose key is gone is an event EVENTS_MISSED of its database.
    """

    position: str
    event: LifeEvent


@dataclass(frozen=True, slots=True)
class EventLogPage:
    """Entries in the order of the log. ``is_end``: the log had no more when it was read."""

    entries: Sequence[EventLogEntry]
    is_end: bool


class EventLog(Protocol):
    """The log of all events. Every method raises EventLogUnavailable."""

    async def open(self) -> None:
        """Start; a log that cannot be reached is no error."""
        ...

    async def close(self) -> None:
        """Release all resources."""
        ...

    async def acquire(self, database: str, holder: str, seconds: float) -> bool:
        """Take or extend the lease of a database for ``holder``; False: somebody else has it."""
        ...

    async def append(
        self, holder: str, events: Sequence[LifeEvent], status: SourceStatus
    ) -> SourceStatus:
        """Append events of a database, then its status; durable when it returns.

        ``status.position`` is ignored; returned is the status with the position after these
        events. Raises LeaseLost where ``holder`` does not hold the lease of the database, or the
        status there is not the one that this process appended last.
        """
        ...

    async def statuses(self) -> Mapping[str, SourceStatus]:
        """Return the status of each database that was ever followed."""
        ...

    async def end(self) -> str:
        """Return the position of the last entry: what is appended later comes after it."""
        ...

    async def read(self, after: str, limit: int) -> EventLogPage:
        """Return at most ``limit`` entries after a position.

        Raises PositionExpired; ValueError for what is no position of this log.
        """
        ...

    def is_before(self, position: str, other: str) -> bool:
        """Return whether a position is before another, or the same.

        Raises PositionExpired where they are of two logs, ValueError.
        """
        ...

    async def wait(self, after: str, seconds: float) -> None:
        """Return when the log ends at another position, after ``seconds`` at most.

        All waiters of a process share one reader.
        """
        ...
