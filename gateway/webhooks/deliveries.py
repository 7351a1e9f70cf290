"""The door of webhooks: visits those that are due, several at once, for as long as a process runs.

A process looks every second, and at once when the event log has grown. Each webhook is visited by
itself, so that a slow endpoint holds nobody else; a bad one is left alone for longer each time.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import suppress

import structlog
from starlette.applications import Starlette

from gateway.changes.log import EventLogUnavailable
from gateway.changes.webhooks.registry import Webhooks
from gateway.errors import GatewayError
from gateway.execution.feeds import feed_parts
from gateway.execution.record_stops import record_removal, record_stop
from gateway.execution.resources import ExecutionResources
from gateway.execution.webhook_rights import check_rights
from gateway.service import Service
from gateway.storage.unavailable import StoreUnavailable
from gateway.webhooks.parts import VisitParts
from gateway.webhooks.record import record_deliveries
from gateway.webhooks.slices import find_item, list_interests, read_slice
from gateway.webhooks.visit import LONGEST_REST, visit

log = structlog.get_logger(__name__)

#: Seconds that attempts under way have when the process ends; they are repeated by another.
_CLOSING_SECONDS = 3.0


class WebhookDeliveries:
    """Delivers ``webhooks`` of ``app`` from ``start`` to ``close``; None: there are none."""

    def __init__(self, app: Starlette, webhooks: Webhooks | None) -> None:
        self._app = app
        self._registered = webhooks
        self._holder = secrets.token_hex(8)
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._visits: dict[str, asyncio.Task[int]] = {}
        #: When to visit each webhook again, by the monotonic clock.
        self._next_at: dict[str, float] = {}
        self._room = asyncio.Semaphore(webhooks.settings.concurrent if webhooks else 1)
        self._end: str | None = None

    def start(self) -> None:
        """Begin to deliver."""
        if self._registered is not None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop, and close the store.

        Attempts that are not over soon are broken off, and made again by another process.
        """
        self._closing.set()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        visits = list(self._visits.values())
        if visits:
            _, late = await asyncio.wait(visits, timeout=_CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._registered is not None:
            await self._registered.store.close()

    @property
    def _webhooks(self) -> Webhooks:
        assert self._registered is not None
        return self._registered

    async def visit(self) -> int:
        """Visit all webhooks that nobody else does, and wait for that; returns events accepted.

        Raises StoreUnavailable.
        """
        self._next_at.clear()
        await self._begin_visits()
        return sum(await asyncio.gather(*self._visits.values()))

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self._begin_visits()
            except StoreUnavailable as error:
                log.warning("webhooks cannot be looked at", reason=str(error))
            except Exception:  # a defect costs this look, and no later one
                log.exception("webhooks were not looked at")
            await self._wait()

    async def _begin_visits(self) -> None:
        """Begin to visit what is due and not visited already."""
        clock = self._webhooks.clock
        claimable = await self._webhooks.store.claimable(clock.now().timestamp())
        now = clock.monotonic()
        self._next_at = {name: self._next_at.get(name, now) for name in claimable}
        for webhook_id in claimable:
            if webhook_id not in self._visits and self._next_at[webhook_id] <= now:
                self._visits[webhook_id] = asyncio.create_task(self._visit(webhook_id))
        await self._webhooks.report_unreadable()

    async def _visit(self, webhook_id: str) -> int:
        """Visit a webhook; returns how many events its endpoint accepted. Raises nothing."""
        rest = LONGEST_REST
        try:
            async with self._room:
                result = await visit(self._parts(), webhook_id)
            rest = result.rest
            return result.accepted
        except (StoreUnavailable, GatewayError) as error:
            reason = error.code.name if isinstance(error, GatewayError) else str(error)
            log.warning("a webhook waits", webhook=webhook_id, reason=reason)
        except Exception:  # a defect costs this webhook, and no other
            log.exception("a webhook was not visited", webhook=webhook_id)
        finally:
            self._visits.pop(webhook_id, None)
            self._next_at[webhook_id] = self._webhooks.clock.monotonic() + rest
        return 0

    async def _wait(self) -> None:
        """Wait until it is time to look again; everybody is looked at where the log has grown."""
        changes = self._service.resources.changes
        interval = self._webhooks.settings.interval_seconds
        try:
            if changes is None:
                await asyncio.sleep(interval)
                return
            if self._end is None:
                self._end = await changes.log.end()
            begin = self._webhooks.clock.monotonic()
            await changes.log.wait(self._end, interval)
            end = await changes.log.end()
            if end != self._end:  # under a stream of events everybody is looked at twice a second
                waited = self._webhooks.clock.monotonic() - begin
                await asyncio.sleep(max(0.0, interval / 2 - waited))
                self._end = end
                self._next_at.clear()
        except EventLogUnavailable:
            self._end = None
            await asyncio.sleep(interval)

    def _parts(self) -> VisitParts:
        """Return what a visit is made with; each call takes the settings as they are then."""

        def resources() -> ExecutionResources:
            return self._service.resources

        return VisitParts(
            self._webhooks,
            lambda webhook, after, most: read_slice(feed_parts(resources()), webhook, after, most),
            lambda webhook, delivery: find_item(feed_parts(resources()), webhook, delivery),
            lambda webhook: list_interests(feed_parts(resources()), webhook),
            lambda webhook, batch: record_deliveries(self._service, webhook, batch),
            lambda webhook_id, operator: record_stop(resources(), webhook_id, operator),
            lambda webhook_id, operator: record_removal(resources(), webhook_id, operator),
            lambda webhook: check_rights(resources(), webhook),
            self._holder,
            random.random,
            self._closing.is_set,
        )

    @property
    def _service(self) -> Service:
        service: Service = self._app.state.service
        return service
