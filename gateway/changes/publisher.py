"""Has the changes of one database published by one process of all: the one that has the lease."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import structlog

from gateway.cache.invalidations import LogUnavailable
from gateway.changes.backoff import Backoff
from gateway.changes.log import EventLogUnavailable, LeaseLost
from gateway.changes.metrics import DatabaseMetrics
from gateway.changes.publish_changes import PublisherParts, PublisherTurn
from gateway.runtime.tasks import end_tasks

log = structlog.get_logger(__name__)

#: How often a lease is extended while it lasts, and looked for by the others.
_LEASE_PARTS = 3


class ChangePublisher:
    """Publishes the changes of one database, whenever this process has its lease."""

    def __init__(self, parts: PublisherParts) -> None:
        self._parts = parts
        self._name = parts.database.name
        self._interval = parts.options.lease_seconds / _LEASE_PARTS
        self._metrics = DatabaseMetrics(self._name)
        self._backoff = Backoff(parts.sleep)
        self._is_open = False

    async def run(self) -> NoReturn:
        """Publish until cancelled. Never raises for what a database, a log or a lease does."""
        try:
            while True:
                await self._take_turn()
        finally:
            await self._parts.source.close()

    async def _take_turn(self) -> None:
        """Publish for as long as the lease is held, or wait for it."""
        try:
            if not self._is_open:
                await self._parts.source.open()
                self._is_open = True
            if await self._acquire():
                await self._publish()
            await self._parts.sleep(self._interval)
            return
        except LeaseLost:
            log.info("another process publishes changes", database=self._name)
            self._metrics.count_failure("lease")
        except EventLogUnavailable:
            self._metrics.count_failure("log")
        except LogUnavailable:
            self._metrics.count_failure("invalidation")
        except Exception:  # a defect of a source costs the events of its own database only
            log.exception("changes cannot be published", database=self._name)
            self._metrics.count_failure("defect")
        await self._backoff.wait()

    async def _acquire(self) -> bool:
        parts = self._parts
        return await parts.log.acquire(self._name, parts.holder, parts.options.lease_seconds)

    async def _publish(self) -> None:
        """Publish until something fails; raises what ``PublisherTurn.publish`` raises."""
        self._metrics.set_lease(is_held=True)
        statuses = await self._parts.log.statuses()
        turn = PublisherTurn(self._parts, self._metrics, statuses)
        self._backoff.reset()
        tasks = {asyncio.create_task(turn.publish()), asyncio.create_task(self._renew())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # A renewal that went on would hold the lease for good, with nobody who publishes.
            await end_tasks(*tasks)
            self._metrics.set_lease(is_held=False)

    async def _renew(self) -> NoReturn:
        """Extend the lease again and again; raises LeaseLost.

        While the log cannot be reached, the next append decides: it is refused without the lease.
        """
        while True:
            await self._parts.sleep(self._interval)
            try:
                if not await self._acquire():
                    raise LeaseLost
            except EventLogUnavailable:
                self._metrics.count_failure("log")
