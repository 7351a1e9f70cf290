"""Checks of the databases while the gateway runs, reported in logs and metrics.

Each database is examined at start-up, or once it can be reached, and every ten minutes: whether the
gateway may only read, statements end in time, and tables fit the settings. Agreements that expire
are reported every day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from connectors.backends.base import Finding
from gateway.answer import State
from gateway.databases.doctor import agreement_findings, group_findings
from gateway.fetch.source import Source
from gateway.runtime.clock import Clock
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: Seconds until a database that cannot be reached is examined again.
_RETRY_SECONDS = 60.0
#: Seconds between two examinations of a database that can be reached.
_INTERVAL_SECONDS = 600.0
_DAY = 86_400.0


class DatabaseWatch:
    """Examines sources in the background."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def watch(self, source: Source) -> None:
        """Begin to examine ``source``, in place of the source that had its name before."""
        before = self._tasks.pop(source.database.name, None)
        if before is not None:
            before.cancel()
        self._tasks[source.database.name] = asyncio.create_task(self._watch(source))

    async def close(self) -> None:
        """End all examinations."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _watch(self, source: Source) -> None:
        for finding in group_findings(source.database, source.settings):
            _say(source, finding)
        await asyncio.gather(_guard(self._examine, source), _guard(self._remind, source))

    async def _examine(self, source: Source) -> None:
        """Examine again and again; a finding of the last time is not logged once more."""
        logged: set[Finding] = set()
        while source.backend is not None and not source.has_lapsed():
            seconds = _RETRY_SECONDS
            if not source.in_maintenance():
                examination = await source.backend.examine()
                metrics.SOURCE_FINDINGS.labels(source.database.name).set(len(examination.findings))
                source.tables.note_examined(examination)
                is_open = examination.reached and examination.serves
                source.contacts.note_check(State.ANSWERED if is_open else State.UNAVAILABLE)
                for finding in examination.findings:
                    if finding not in logged or not examination.reached:
                        _say(source, finding)
                logged = set(examination.findings)
                seconds = _INTERVAL_SECONDS if examination.reached else _RETRY_SECONDS
            await asyncio.sleep(seconds)

    async def _remind(self, source: Source) -> None:
        while source.settings.xroad is not None:
            for finding in agreement_findings(source.settings, self._clock):
                _say(source, finding)
            await asyncio.sleep(_DAY)


async def _guard(work: Callable[[Source], Awaitable[None]], source: Source) -> None:
    """Run ``work``; a defect of a backend ends only the checks of its own database."""
    try:
        await work(source)
    except Exception:
        log.exception("database cannot be looked at", database=source.database.name)


def _say(source: Source, finding: Finding) -> None:
    log.warning(
        "database is not as it should be",
        database=source.database.name,
        about=finding.topic,
        finding=finding.text,
        advice=finding.advice,
    )
