"""A change source in memory, which a test feeds, breaks and mends; and what publishes from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import (
    Change,
    ChangeOperation,
    ChangePage,
    ChangePromise,
    CheckpointLost,
    UnreadableChange,
)
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record, Row
from gateway.cache.file_log import FileLog
from gateway.changes.derive_events import DerivedEvents, derive_events
from gateway.changes.engines import EventLogOptions, make_event_log
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.event_ids import EventIds
from gateway.changes.log import EventLog
from gateway.changes.publish_changes import PublisherParts
from gateway.changes.publisher import ChangePublisher
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.keys.keyring import Keyring
from gateway.settings import ChangeSettings
from gateway.storage.sealing import Sealing
from tests.support.caches import SECRET, file_log
from tests.support.running import TestClock

DEATHS, MARRIAGES = CIVIL_STATUS.by_name["deaths"], CIVIL_STATUS.by_name["marriages"]
IDS = EventIds.of_secret(SECRET)


def row_of(record: Record, **values: object) -> Row:
    """Return a row of ``record`` that has ``values``."""
    return tuple(values.get(column.name) for column in record.columns)


def death(
    person: str,
    position: str,
    operation: ChangeOperation = ChangeOperation.CREATE,
    committed_at: datetime | None = None,
) -> Change:
    """Return a death that was entered at ``position``, in the row of that identity."""
    row = row_of(DEATHS, event_id=position, citizen_id=person, status="VALID", death_date=None)
    return Change(DEATHS, operation, position, None, row, position, committed_at)


@dataclass
class ListedChanges:
    """A ``ChangeSource`` of ``changes``; a checkpoint is how many of them were read.

    ``lost_before``: checkpoints before it are lost, and so are those of changes that an older copy,
    restored, does not have (``changes`` cleared). ``fault``: what reading raises. ``wait_count``:
    how often it was waited for changes. ``clock_ahead``: by how much its clock is ahead.
    """

    clock: TestClock
    changes: list[Change | UnreadableChange] = field(default_factory=list)
    lost_before: int = 0
    fault: Exception | None = None
    wait_count: int = 0
    clock_ahead: timedelta = timedelta()
    promise: ChangePromise = field(default_factory=lambda: ChangePromise(1.0, None, True, True))

    async def open(self) -> None:
        """See ``ChangeSource``."""

    async def close(self) -> None:
        """See ``ChangeSource``."""

    async def start(self) -> str:
        """See ``ChangeSource``."""
        self._fail()
        return str(len(self.changes))

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """See ``ChangeSource``."""
        self._fail()
        begin = int(checkpoint)
        if not self.lost_before <= begin <= len(self.changes):
            raise CheckpointLost
        end = min(begin + limit, len(self.changes))
        has_more = end < len(self.changes)
        complete_until = None if has_more else self.clock.now() + self.clock_ahead
        return ChangePage(self.changes[begin:end], str(end), complete_until, has_more)

    async def wait(self, seconds: float) -> None:
        """See ``ChangeSource``: moves the clock."""
        self.wait_count += 1
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault

    def stop(self) -> None:
        """Answer nothing more."""
        self.fault = SourceUnavailable("stopped by the test")


@dataclass
class PublishingHost:
    """What publishers of a test share: folder, clock, source, log and cache log."""

    folder: Path
    clock: TestClock
    source: ListedChanges
    log: EventLog
    invalidations: FileLog
    is_suspended: bool = False
    begin: str = ""

    @classmethod
    def in_folder(cls, folder: Path) -> PublishingHost:
        """Return it with a log of SQLite in ``folder``."""
        clock = TestClock()
        invalidations = file_log(folder, clock)
        log = sqlite_event_log(folder, clock)
        return cls(folder, clock, ListedChanges(clock), log, invalidations)

    async def open(self) -> None:
        """Open the logs, whose end is where the test begins."""
        await self.log.open()
        await self.invalidations.open()
        self.begin = await self.log.end()

    async def events_after(self, position: str) -> list[LifeEvent]:
        """Return all events that were appended after a position."""
        page = await self.log.read(position, 100_000)
        return [entry.event for entry in page.entries]

    async def events(self) -> list[LifeEvent]:
        """Return all events but the first, if that says that nobody followed the database yet."""
        events = await self.events_after(self.begin)
        is_first_start = bool(events) and events[0].kind is LifeEventKind.EVENTS_MISSED
        return events[1:] if is_first_start and events[0].since is None else events

    def parts(self, holder: str = "first", **options: float) -> PublisherParts:
        """Return what a publisher of the process ``holder`` works with."""
        return PublisherParts(
            CIVIL_STATUS,
            self.source,
            self.log,
            self.invalidations,
            derive_without_reads,
            IDS,
            lambda: self.is_suspended,
            ChangeSettings.model_validate(options),
            self.clock,
            holder,
            self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        """Move the clock in place of waiting."""
        self.clock.advance(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def publishing(
    host: PublishingHost, parts: PublisherParts | None = None
) -> AsyncIterator[None]:
    """Run a publisher until the block ends; first until it has seen how things stand."""
    task = asyncio.create_task(ChangePublisher(parts or host.parts()).run())
    try:
        await settled(host)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true, 20 s at most."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the publisher works in this loop
            await asyncio.sleep(0.001)


async def settled(host: PublishingHost) -> None:
    """Wait until the publisher has seen twice how things stand."""
    wait_count = host.source.wait_count
    await until(lambda: host.source.wait_count > wait_count + 1)


def sqlite_event_log(folder: Path, clock: TestClock) -> EventLog:
    """Return an event log in ``folder``."""
    sealed = SealedEvents(Sealing(Keyring(SECRET), USE))
    return make_event_log(EventLogOptions("sqlite", file=folder / "events.sqlite"), sealed, clock)


async def derive_without_reads(
    changes: Sequence[Change | UnreadableChange], detected_at: datetime
) -> DerivedEvents:
    """Derive the events of changes that need no read."""
    return derive_events(
        CIVIL_STATUS, changes, {}, lambda record, row: False, IDS, detected_at, sees_before=True
    )
