"""Tells the cache up to when the changes of databases with a ``cache_lag`` are complete.

The event log says it: an event, and the moment up to which all were read, are appended once no
process answers from rows of before (decision 83). While the log cannot be read, or a database is
interrupted, the moment stands still, and rows that depend on it are no longer served.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NoReturn

import structlog

from gateway.cache.lag import CacheLag
from gateway.changes.log import EventLog, EventLogUnavailable
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds between two looks, and that one may take.
_LOOK_EVERY, _TIMEOUT = 0.1, 1.0


class LagWatch:
    """Reads the event log ten times a second, while some database has a bound."""

    def __init__(self, lag: CacheLag, events: EventLog, clock: Clock) -> None:
        self._lag = lag
        self._events = events
        self._clock = clock

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # a defect: what was noted goes out of date by itself
                log.exception("it is not known up to when changes are complete")
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self) -> None:
        """Read the log, and note up to when it is complete; nothing where it does not answer."""
        if not self._lag.databases:
            return
        with suppress(EventLogUnavailable, TimeoutError):
            async with asyncio.timeout(_TIMEOUT):
                statuses = await self._events.statuses()
            complete_until = {
                name: status.complete_until.timestamp()
                for name, status in statuses.items()
                if status.complete_until is not None
            }
            self._lag.note(complete_until, self._clock.now().timestamp())
