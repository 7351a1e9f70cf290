"""What a running gateway says of its databases by itself, in logs and metrics.

Each is looked at when the gateway starts, or once it can be reached, and every ten minutes after
that: whether it is only read, bound in time, and holds what settings say. Agreements that run out
are told every day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from connectors.backends.base import Finding
from gateway.databases.doctor import agreement_findings, group_findings
from gateway.fetch.source import Source
from gateway.runtime.clock import Clock
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: Seconds between two tries to look at a database that cannot be reached.
_AGAIN = 60.0
#: Seconds between two looks at one that can.
_REGULARLY = 600.0
_DAY = 86_400.0


class DatabaseWatch:
    """Looks at sources, each in place of the one that had its name before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def look(self, source: Source) -> None:
        """Begin; nobody waits for it."""
        before = self._tasks.pop(source.database.name, None)
        if before is not None:
            before.cancel()
        self._tasks[source.database.name] = asyncio.create_task(self._watch(source))

    async def close(self) -> None:
        """Look no more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _watch(self, source: Source) -> None:
        for finding in group_findings(source.database, source.settings):
            _say(source, finding)
        await asyncio.gather(_guard(self._look, source), _guard(self._remind, source))

    async def _look(self, source: Source) -> None:
        """Look again and again; what was found last time is not told once more."""
        told: set[Finding] = set()
        while source.backend is not None and not source.has_lapsed():
            pause = _AGAIN
            if not source.in_maintenance():
                seen = await source.backend.examine()
                metrics.SOURCE_FINDINGS.labels(source.database.name).set(len(seen.findings))
                source.tables.note_examined(seen)
                for finding in seen.findings:
                    if finding not in told or not seen.reached:
                        _say(source, finding)
                told = set(seen.findings)
                pause = _REGULARLY if seen.reached else _AGAIN
            await asyncio.sleep(pause)

    async def _remind(self, source: Source) -> None:
        while source.settings.xroad is not None:
            for one in agreement_findings(source.settings, self._clock):
                _say(source, one)
            await asyncio.sleep(_DAY)


async def _guard(work: Callable[[Source], Awaitable[None]], source: Source) -> None:
    """Do ``work``; a defect of a backend costs what it would have said."""
    try:
        await work(source)
    except Exception:
        log.exception("database cannot be looked at", database=source.database.name)


def _say(source: Source, found: Finding) -> None:
    log.warning(
        "database is not as it should be",
        database=source.database.name,
        about=found.topic,
        finding=found.text,
        advice=found.advice,
    )
