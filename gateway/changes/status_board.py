"""How far the events of followed databases are complete, for pages that everybody may load."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from gateway.changes.log import EventLog, EventLogUnavailable, SourceStatus
from gateway.runtime.clock import Clock

#: Seconds for which statuses are shown, and that reading them may take.
_LIFETIME, _TIMEOUT = 2.0, 1.0


class StatusBoard:
    """The statuses in the event log, read every two seconds at most."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._read_at = -math.inf
        self._statuses: Mapping[str, SourceStatus] | None = None
        self._lock = asyncio.Lock()

    async def statuses(self) -> Mapping[str, SourceStatus] | None:
        """Return the status of each database that was ever followed; None: it cannot be told."""
        async with self._lock:
            now = self._clock.monotonic()
            if now - self._read_at >= _LIFETIME:
                self._read_at = now
                try:
                    async with asyncio.timeout(_TIMEOUT):
                        self._statuses = await self._log.statuses()
                except (EventLogUnavailable, TimeoutError):
                    self._statuses = None
            return self._statuses
