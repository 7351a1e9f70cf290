"""What a running gateway says of its databases by itself, in logs and metrics.

Each is looked at when the gateway starts, or once it can be reached: whether it is only read, bound
in time, and holds what settings say. Agreements that run out are told every day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from connectors.backends.base import Finding
from gateway import metrics
from gateway.clock import Clock
from gateway.doctor import agreement
from gateway.fetch.source import Source

log = structlog.get_logger(__name__)

#: Seconds between two tries to look at a database that cannot be reached.
_AGAIN = 60.0
_DAY = 86_400.0


class Watch:
    """Looks at ``sources``; between ``open`` and ``close``."""

    def __init__(self, sources: Mapping[str, Source], clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin; nobody waits for it."""
        for source in self._sources.values():
            if source.backend is not None:
                self._tasks.append(asyncio.create_task(self._look(source)))
            if source.settings.xroad is not None:
                self._tasks.append(asyncio.create_task(self._remind(source)))

    async def close(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self, source: Source) -> None:
        assert source.backend is not None
        while True:
            seen = await source.backend.examine()
            metrics.SOURCE_FINDINGS.labels(source.database.name).set(len(seen.findings))
            for one in seen.findings:
                _say(source, one)
            if seen.reached:
                return
            await asyncio.sleep(_AGAIN)

    async def _remind(self, source: Source) -> None:
        while True:
            for one in agreement(source.settings, self._clock):
                _say(source, one)
            await asyncio.sleep(_DAY)


def _say(source: Source, found: Finding) -> None:
    log.warning(
        "database is not as it should be",
        database=source.database.name,
        about=found.about,
        finding=found.text,
        advice=found.advice,
    )
