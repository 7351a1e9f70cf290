"""A process that delivers webhooks until it is killed.

``python -m tests.support.webhook_process FOLDER ROOTS``: with the keys, the event log, interests
and webhooks in ``FOLDER``, over databases that hold nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.app import build_app
from gateway.changes.changes import Changes, log_options
from gateway.changes.engines import make_event_log
from gateway.changes.log import EventLog
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.keys.keyring import load_ring
from gateway.runtime.clock import SystemClock
from gateway.settings import ChangeSettings, Settings, WebhookSettings, load
from gateway.storage.sealing import Sealing
from tests.support.feeds import PURPOSES
from tests.support.worlds import world

_ROOT = Path(__file__).parents[2]


def process_settings(folder: Path, roots: Path) -> Settings:
    """Return the settings of the process: it tries again and again, soon."""
    webhooks = WebhookSettings(
        enabled=True,
        allowed_networks=("127.0.0.0/8",),
        roots=roots,
        batch=4,
        first_delay=0.05,
        longest_delay=0.2,
        attempts=1_000,
        interval_seconds=0.05,
        lease_seconds=1,
    )
    changes = ChangeSettings(webhooks=webhooks)
    arguments: dict[str, Any] = {"changes": changes, "purposes": PURPOSES, "demo": True}
    return load(folder=folder, **arguments)


def event_log(settings: Settings) -> EventLog:
    """Return the event log in the folder of ``settings``."""
    events = SealedEvents(Sealing(load_ring(settings, "cache"), USE))
    return make_event_log(log_options(settings), events, SystemClock())


@asynccontextmanager
async def webhook_process(folder: Path, roots: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that delivers until the block ends."""
    program = [sys.executable, "-m", __name__, str(folder), str(roots)]
    process = await asyncio.create_subprocess_exec(*program, cwd=_ROOT, env=dict(os.environ))
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def deliver(folder: Path, roots: Path) -> None:
    """Deliver, never to return."""
    settings = process_settings(folder, roots)
    databases = (POPULATION, CIVIL_STATUS)
    app = build_app(settings, databases, backends=world({}))
    followed: Any = {CIVIL_STATUS.name: None}
    changes = Changes(settings.changes, event_log(settings), followed)
    service = app.state.service
    app.state.service = replace(service, resources=replace(service.resources, changes=changes))
    async with app.router.lifespan_context(app):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(deliver(Path(sys.argv[1]), Path(sys.argv[2])))
