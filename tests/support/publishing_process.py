"""A process that publishes the changes of a register until it is killed.

``python -m tests.support.publishing_process OPTIONS`` (JSON: ``ProcessOptions``).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from connectors.changes.change import Change, UnreadableChange
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.cache.file_log import FileLog
from gateway.cache.invalidations import Hashes
from gateway.changes.derive_events import DerivedEvents, derive_events
from gateway.changes.engines import EventLogOptions, make_event_log
from gateway.changes.event_ids import EventIds
from gateway.changes.log import EventLog
from gateway.changes.publish_changes import PublisherParts
from gateway.changes.publisher import ChangePublisher
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.keys.keyring import Keyring, Secret
from gateway.runtime.clock import SystemClock
from gateway.settings import ChangeSettings
from gateway.storage.sealing import Sealing

SECRET = Secret.of(b"a key of the tests that is long enough")
_IDS = EventIds.of_secret(SECRET)
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ProcessOptions:
    """What is published, and where: ``url`` of the register, ``folder`` of the logs."""

    url: str
    folder: str
    lease_seconds: float = 1.0
    page: int = 20

    def event_log(self) -> EventLog:
        """Return the event log, as another process has it."""
        options = EventLogOptions("sqlite", file=Path(self.folder) / "events.sqlite")
        return make_event_log(options, SealedEvents(Sealing(Keyring(SECRET), USE)), SystemClock())


@asynccontextmanager
async def publishing_process(options: ProcessOptions) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that publishes until the block ends."""
    program = [sys.executable, "-m", __name__, json.dumps(asdict(options))]
    process = await asyncio.create_subprocess_exec(*program, cwd=_ROOT, env=dict(os.environ))
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def publish(options: ProcessOptions, holder: str) -> None:
    """Publish, never to return."""
    log, clock = options.event_log(), SystemClock()
    invalidations = FileLog(Path(options.folder) / "invalidations.jsonl", Hashes(SECRET.key), clock)
    await log.open()
    await invalidations.open()
    settings = ChangeSettings(lease_seconds=options.lease_seconds, page=options.page)
    parts = PublisherParts(
        CIVIL_STATUS,
        OutboxSource(CIVIL_STATUS, options.url, OutboxOptions(interval=0.05, records=("deaths",))),
        log,
        invalidations,
        _derive,
        _IDS,
        lambda: False,
        settings,
        clock,
        holder,
    )
    await ChangePublisher(parts).run()


async def _derive(
    changes: Sequence[Change | UnreadableChange], detected_at: datetime
) -> DerivedEvents:
    return derive_events(
        CIVIL_STATUS, changes, {}, lambda *_: False, _IDS, detected_at, sees_before=True
    )


if __name__ == "__main__":
    asyncio.run(publish(ProcessOptions(**json.loads(sys.argv[1])), str(os.getpid())))
