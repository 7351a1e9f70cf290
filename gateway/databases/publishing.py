"""The publishers of a process: a task for each database whose changes settings follow."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from connectors.description import Database, Group, Record, Row
from gateway.access.caller import ANONYMOUS
from gateway.changes.changes import Changes, MakeChangeSource
from gateway.changes.derivation import EventDerivation
from gateway.changes.event_ids import EventIds
from gateway.changes.log import EventLog
from gateway.changes.publish_changes import PublisherParts
from gateway.changes.publisher import ChangePublisher
from gateway.changes.watch_lag import LagWatch
from gateway.execution.resources import ExecutionResources
from gateway.fetch.source import Source
from gateway.keys.keyring import load_ring
from gateway.protection.rules import PROTECTION
from gateway.runtime.tasks import end_tasks
from gateway.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds for a publisher to close its source in.
_CLOSING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Publication:
    """A publisher that runs for ``source``: a reload that changes its settings makes another."""

    source: Source
    task: asyncio.Task[None]


class Publishing:
    """Publishes the changes of all followed databases, as far as this process has their leases."""

    def __init__(self, make_source: MakeChangeSource) -> None:
        self._make_source = make_source
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._running: dict[str, _Publication] = {}
        self._log: EventLog | None = None
        self._lag_watch: asyncio.Task[None] | None = None

    def check(self, settings: Settings, databases: Iterable[Database]) -> None:
        """Raise ValueError for a database that cannot be followed as ``settings`` say."""
        for database in databases:
            database_settings = settings.databases.get(database.name)
            if database_settings is not None and database_settings.changes is not None:
                self._make_source(settings, database)

    async def open(self, resources: ExecutionResources) -> None:
        """Open the event log, publish, and watch up to when changes are complete."""
        if resources.changes is not None:
            self._log = resources.changes.log
            await self._log.open()
            watch = LagWatch(resources.cache.lag, self._log, resources.clock)
            self._lag_watch = asyncio.create_task(watch.run())
        await self.follow(resources)

    async def follow(self, resources: ExecutionResources) -> None:
        """Publish with ``resources`` from now on; what did not change goes on as it was."""
        by_name = resources.settings.databases.items()
        bounds = {name: database.cache_lag for name, database in by_name}
        resources.cache.lag.bound({name: lag for name, lag in bounds.items() if lag is not None})
        changes = resources.changes
        followed = frozenset() if changes is None else changes.followed.keys()
        for name, publication in list(self._running.items()):
            if name not in followed or resources.sources[name] is not publication.source:
                await self._stop(name)
        for name in sorted(followed - self._running.keys()):
            assert changes is not None
            source = resources.sources[name]
            publisher = ChangePublisher(self._parts(resources, changes, source))
            self._running[name] = _Publication(source, asyncio.create_task(publisher.run()))

    async def close(self) -> None:
        """End all publishers and close the log; other processes go on once the leases end."""
        for name in list(self._running):
            await self._stop(name)
        if self._lag_watch is not None:
            await end_tasks(self._lag_watch)
        if self._log is not None:
            await self._log.close()

    async def _stop(self, name: str) -> None:
        await end_tasks(self._running.pop(name).task, patience=_CLOSING_SECONDS)

    def _parts(
        self, resources: ExecutionResources, changes: Changes, source: Source
    ) -> PublisherParts:
        database = source.database
        change_source = self._make_source(resources.settings, database)
        ids = EventIds.of_secret(load_ring(resources.settings, "record_id").oldest)
        return PublisherParts(
            database,
            change_source,
            changes.log,
            resources.cache.log,
            EventDerivation(source, conceals, ids, change_source.promise.sees_before),
            ids,
            lambda: is_suspended(source),
            changes.options,
            resources.clock,
            self._holder,
        )


def is_suspended(source: Source) -> bool:
    """Say whether a database is not asked now: in maintenance, not operating, no agreement."""
    is_operating = source.database.group is Group.OPERATING and not source.has_lapsed()
    return not is_operating or source.in_maintenance()


def conceals(record: Record, row: Row) -> bool:
    """Say whether the law conceals a row from whoever has no special purpose."""
    if PROTECTION.is_withheld(record, ANONYMOUS, False):
        return True
    return any(
        condition.holds(record, row) for condition in PROTECTION.hidden_rows(record, ANONYMOUS)
    )
