"""An event log in a file of SQLite that is restored from a backup, as with the gateways stopped."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from gateway.changes.event import LifeEvent
from gateway.changes.last_appends import LastAppends
from gateway.changes.log import SourceStatus
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.changes.sqlite_log import SqliteEventLog
from gateway.keys.keyring import Keyring
from gateway.runtime.clock import Clock
from gateway.storage.sealing import Sealing
from tests.support.caches import SECRET


class RestorableLog(SqliteEventLog):
    """A log whose only publisher has the lease whenever it appends."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        sealed = SealedEvents(Sealing(Keyring(SECRET), USE))
        super().__init__(folder / "events.sqlite", sealed, clock, Retention())

    async def append(
        self, holder: str, events: Sequence[LifeEvent], status: SourceStatus
    ) -> SourceStatus:
        """Take the lease, read the status as a publisher does, and append."""
        assert await self.acquire(status.database, holder, 60)
        await self.statuses()
        return await super().append(holder, events, status)

    async def back_up(self) -> None:
        """Copy the file."""
        await self.close()
        shutil.copy(self._folder / "events.sqlite", self._folder / "backup.sqlite")

    async def restore(self) -> None:
        """Put the copy in the place of the file: what was appended since is lost."""
        await self.close()
        for path in self._folder.glob("events.sqlite*"):
            path.unlink()
        shutil.copy(self._folder / "backup.sqlite", self._folder / "events.sqlite")
        self._appends = LastAppends()
