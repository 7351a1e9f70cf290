"""What change sources that look at a database at intervals share: when they look."""

from __future__ import annotations

import asyncio

from connectors.changes.listen import WakeUp
from connectors.changes.sql_reader import SqlReader


class PollingSource:
    """Looks by ``reader`` every ``interval`` seconds, or when ``wake_up`` returns.

    The part of ``ChangeSource`` that does not depend on what is read.
    """

    def __init__(self, reader: SqlReader, interval: float, wake_up: WakeUp | None) -> None:
        self._reader = reader
        self._interval = interval
        self._wake_up = wake_up

    async def open(self) -> None:
        """Start to listen for notifications, if any."""
        if self._wake_up is not None:
            await self._wake_up.open()

    async def close(self) -> None:
        """Close the connections."""
        if self._wake_up is not None:
            await self._wake_up.close()
        await self._reader.close()

    async def wait(self, seconds: float) -> None:
        """Wait for the next look, or for a notification."""
        at_most = min(seconds, self._interval)
        await (asyncio.sleep(at_most) if self._wake_up is None else self._wake_up.wait(at_most))
