"""Publishes the changes of one database: read, derive events, invalidate the cache, append.

An event is appended once no process answers from rows that were read before its change, and the
checkpoint is appended with it: whatever fails in between is done again, with events of the same
ids. ``complete_until`` moves while the database answers, and stands still while it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn, Protocol

import structlog

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import (
    Change,
    ChangePage,
    ChangeSource,
    CheckpointLost,
    UnreadableChange,
)
from connectors.description import Database
from gateway.cache.invalidations import Invalidation, InvalidationLog
from gateway.changes.backoff import Backoff
from gateway.changes.derive_events import DerivedEvents
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.event_ids import EventIds
from gateway.changes.invalidate_changes import invalidations_of
from gateway.changes.log import EventLog, FollowState, SourceStatus
from gateway.changes.metrics import DatabaseMetrics
from gateway.changes.published import PublishedChanges
from gateway.runtime.clock import Clock
from gateway.settings import ChangeSettings

log = structlog.get_logger(__name__)

#: Seconds that reading a page may take: a source that hangs is interrupted too.
_READ_SECONDS = 30.0
#: Seconds between two looks whether every process knows of an invalidation.
KNOWN_INTERVAL = 0.01
#: Seconds between two looks whether a maintenance is over.
_MAINTENANCE_INTERVAL = 1.0


class DeriveEvents(Protocol):
    """Derives the events of changes."""

    async def __call__(
        self, changes: Sequence[Change | UnreadableChange], detected_at: datetime
    ) -> DerivedEvents:
        """Return the events. Raises SourceUnavailable where the database does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class PublisherParts:
    """What the changes of a database are published with.

    ``is_suspended``: whether the database is not to be asked now (maintenance). ``holder``: the
    name of this process, as the lease has it. ``sleep``: waits for so many seconds.
    """

    database: Database
    source: ChangeSource
    log: EventLog
    invalidations: InvalidationLog
    derive: DeriveEvents
    ids: EventIds
    is_suspended: Callable[[], bool]
    options: ChangeSettings
    clock: Clock
    holder: str
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class PublisherTurn:
    """Publishing from when a process takes the lease until something fails.

    ``statuses``: what the log has; without one of the database it was never followed.
    """

    def __init__(
        self,
        parts: PublisherParts,
        metrics: DatabaseMetrics,
        statuses: Mapping[str, SourceStatus],
    ) -> None:
        now = parts.clock.now()
        name = parts.database.name
        self._parts = parts
        self._metrics = metrics
        status = statuses.get(name)
        self._status = status or SourceStatus(name, FollowState.FOLLOWED, now, None, None, "")
        self._checkpoint = self._status.checkpoint or ""
        self._appended_at = parts.clock.monotonic()
        self._published = PublishedChanges()
        self._backoff = Backoff(parts.sleep)

    async def publish(self) -> NoReturn:
        """Publish page after page.

        Raises LeaseLost, EventLogUnavailable and LogUnavailable: nothing is lost, the next turn
        begins from the checkpoint in the log.
        """
        parts = self._parts
        while True:
            if parts.is_suspended():
                await self._interrupt()
                await parts.sleep(_MAINTENANCE_INTERVAL)
                continue
            try:
                if not await self._publish_page():
                    await parts.source.wait(parts.options.heartbeat_seconds)
            except (SourceUnavailable, TimeoutError) as error:
                reason = str(error) or "timeout"
                log.info("changes cannot be read", database=parts.database.name, reason=reason)
                self._metrics.count_failure("source")
                await self._interrupt()
                await self._backoff.wait()

    async def _publish_page(self) -> bool:
        """Read and publish a page; return whether there are more changes already."""
        begin = self._parts.clock.now()
        page = await self._read_page()
        self._backoff.reset()
        if page is None:
            return True
        parts = self._parts
        changes = self._published.new_among(page.changes)
        present = parts.source.promise.reads_present_rows
        void = invalidations_of(parts.database, changes, reads_present_rows=present)
        known_at = await self._invalidate(void)
        events = self._with_misses(await parts.derive(changes, parts.clock.now()))
        await self._wait_until(known_at)
        self._checkpoint = page.checkpoint
        if changes or self._is_interrupted or self._is_heartbeat_due:
            await self._append_page(events, _bound(page.complete_until, begin))
            self._published.add(changes)
        self._metrics.note_page(len(changes), page.complete_until, parts.clock.now())
        return page.has_more

    def _with_misses(self, derived: DerivedEvents) -> Sequence[LifeEvent]:
        """Return the events, with one that says that there may be others of people not known."""
        if derived.missed_at is None:
            return derived.events
        since = self._status.complete_until or self._status.since
        missed = self._notice(LifeEventKind.EVENTS_MISSED, (derived.missed_at,), since)
        return [*derived.events, missed]

    async def _read_page(self) -> ChangePage | None:
        """Return the next page; None: the database is followed from now on, and none was read."""
        parts = self._parts
        if not self._checkpoint:
            await self._start()
            return None
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await parts.source.read(self._checkpoint, parts.options.page)
        except (CheckpointLost, ValueError) as error:
            reason = type(error).__name__
            log.warning("changes may be missed", database=parts.database.name, reason=reason)
            self._metrics.count_failure("checkpoint")
            await self._start()
            return None

    async def _start(self) -> None:
        """Follow the database from now on.

        What happened before may be missed, since it was complete or, where it was never followed,
        since nobody knows when: interests may be older. So it is in a log without any status: a log
        hands out positions as soon as somebody asks for its end. All cached rows of the database
        are void: the log may be new because its engine was emptied. What was published is
        forgotten: an older copy that was restored has other changes at the same positions.
        """
        status, lost = self._status, self._checkpoint
        since = None if status.checkpoint is None else status.complete_until or status.since
        async with asyncio.timeout(_READ_SECONDS):
            self._checkpoint = await self._parts.source.start()
        self._published = PublishedChanges()
        everything = Invalidation(None, self._parts.database.name, None)
        await self._wait_until(await self._invalidate([everything]))
        words = (lost, (since or status.since).isoformat())
        await self._append_page([self._notice(LifeEventKind.EVENTS_MISSED, words, since)], None)

    async def _interrupt(self) -> None:
        """Tell once that the database is not followed; ``complete_until`` stands still from now."""
        status = self._status
        self._metrics.note_lag(status.complete_until, self._parts.clock.now())
        if self._is_interrupted:
            return
        words = (status.since.isoformat(),)
        event = self._notice(LifeEventKind.SOURCE_INTERRUPTED, words, status.complete_until)
        now = self._parts.clock.now()
        await self._append([event], replace(status, state=FollowState.INTERRUPTED, since=now))

    async def _append_page(
        self, events: Sequence[LifeEvent], complete_until: datetime | None
    ) -> None:
        """Append events with the checkpoint, after the notice that the database is back."""
        status = self._status
        if self._is_interrupted:
            words = (status.since.isoformat(),)
            events = [self._notice(LifeEventKind.SOURCE_RESUMED, words, None), *events]
            now = self._parts.clock.now()
            status = replace(status, state=FollowState.FOLLOWED, since=now)
        moments = [
            moment for moment in (status.complete_until, complete_until) if moment is not None
        ]
        latest = max(moments, default=None)
        status = replace(status, checkpoint=self._checkpoint, complete_until=latest)
        await self._append(events, status)

    async def _append(self, events: Sequence[LifeEvent], status: SourceStatus) -> None:
        parts = self._parts
        self._status = await parts.log.append(parts.holder, events, status)
        self._appended_at = parts.clock.monotonic()
        self._metrics.note_appended(events, self._status)

    async def _invalidate(self, invalidations: Sequence[Invalidation]) -> float | None:
        """Invalidate; return from when no process answers from rows that it read before.

        In monotonic time: the clock of the day may be set meanwhile.
        """
        if not invalidations:
            return None
        parts = self._parts
        await parts.invalidations.invalidate(invalidations)
        return parts.clock.monotonic() + parts.invalidations.known_within

    async def _wait_until(self, known_at: float | None) -> None:
        """Wait until an invalidation is effective: then, or once every process knows of it."""
        parts = self._parts
        while known_at is not None:
            seconds = known_at - parts.clock.monotonic()
            if seconds <= 0 or await parts.invalidations.is_effective_everywhere():
                return
            await parts.sleep(min(seconds, KNOWN_INTERVAL))

    @property
    def _is_interrupted(self) -> bool:
        return self._status.state is FollowState.INTERRUPTED

    @property
    def _is_heartbeat_due(self) -> bool:
        elapsed = self._parts.clock.monotonic() - self._appended_at
        return elapsed >= self._parts.options.heartbeat_seconds

    def _notice(
        self, kind: LifeEventKind, words: Sequence[str], since: datetime | None
    ) -> LifeEvent:
        """Return an event about the source, with an id made of ``words``."""
        parts, name = self._parts, self._parts.database.name
        event_id = parts.ids.of(name, kind, words)
        now = parts.clock.now()
        return LifeEvent(event_id, kind, name, None, None, None, None, None, now, since)


def _bound(complete_until: datetime | None, begin: datetime) -> datetime | None:
    """Return the moment up to which a page is complete, never after its read began.

    The clock of a source may be ahead: what it will have committed by then is not on the page.
    """
    return None if complete_until is None else min(complete_until, begin)
