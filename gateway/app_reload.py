"""Reloads the settings while the gateway runs, at SIGHUP.

A reload applies the settings of databases and purposes. All others need a restart, and the log
names those that changed. Invalid settings change nothing. Requests in progress finish with the
settings that they began with.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog
from starlette.applications import Starlette

from connectors.description import Database
from gateway.changes.changes import followed_databases
from gateway.databases.change_sources import make_change_source
from gateway.databases.publishing import Publishing
from gateway.databases.startup_checks import DatabaseWatch
from gateway.databases.wiring import load_maintenance, make_sources
from gateway.execution.resources import ExecutionResources
from gateway.fetch.source import Source
from gateway.service import Service
from gateway.settings import DatabaseSettings, Settings
from gateway.settings.faults import explained
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: Settings that a reload applies.
_RELOADABLE = {"databases", "purposes"}


class Reload:
    """Reloads what ``app`` answers with. ``read`` returns the settings anew, of ``file``."""

    def __init__(
        self,
        app: Starlette,
        databases: Iterable[Database],
        read: Callable[[], Settings],
        file: Path | None,
        watch: DatabaseWatch,
        publishing: Publishing | None = None,
    ) -> None:
        self._app = app
        self._databases = tuple(databases)
        self._read = read
        self._file = file
        self._watch = watch
        self._publishing = publishing
        self._leaving: set[asyncio.Task[object]] = set()
        self._lock = asyncio.Lock()

    def listen(self) -> None:
        """Reload at SIGHUP from now on; on a platform without signals, never."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGHUP, self._start)

    def _start(self) -> None:
        task = asyncio.create_task(self.run())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Close replaced sources without waiting for requests."""
        tasks = list(self._leaving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self) -> bool:
        """Read and apply the settings; return whether they were applied. Never raises for them."""
        async with self._lock:
            service: Service = self._app.state.service
            old = service.resources
            try:
                read = self._read()
                reloaded = {name: getattr(read, name) for name in _RELOADABLE}
                settings = old.settings.model_copy(update=reloaded)
                maintenance = load_maintenance(settings, old.clock)
                changed = [
                    database.name
                    for database in self._databases
                    if _settings_of(settings, database.name)
                    != _settings_of(old.settings, database.name)
                ]
                changes = old.changes and old.changes.reloaded(
                    settings, self._databases, make_change_source
                )
                if self._publishing is not None:
                    self._publishing.check(settings, self._databases)
                changed_sources = make_sources(
                    settings, self._databases, {}, old.clock, maintenance, changed, old.cache
                )
            except (OSError, ValueError) as error:
                metrics.RELOADS.labels("refused").inc()
                faults = explained(error, self._file)
                log.error("settings cannot be used: the old ones stay", faults=faults)
                return False
            new = replace(
                old,
                settings=settings,
                sources={**old.sources, **changed_sources},
                maintenance=maintenance,
                changes=changes,
            )
            await self._swap(old, new, changed)
            needs = _needs_restart(old.settings, read)
            if changes is None and followed_databases(settings, self._databases):
                needs.append("databases.*.changes")
            metrics.RELOADS.labels("taken").inc()
            log.info("settings are taken", databases=changed, need_a_restart=needs)
            return True

    async def _swap(
        self, old: ExecutionResources, new: ExecutionResources, changed: list[str]
    ) -> None:
        """Use ``new`` from now on; replaced sources stay open until no request needs them."""
        for name in changed:
            await new.sources[name].open()
        self._app.state.service = replace(self._app.state.service, resources=new)
        if self._publishing is not None:
            await self._publishing.follow(new)
        for name in changed:
            self._watch.watch(new.sources[name])
            leaving = asyncio.create_task(_leave(old.sources[name], old.settings.limits.deadline))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


async def _leave(source: Source, deadline: float) -> None:
    """Close a replaced source after the deadline of every request that may use it."""
    try:
        await asyncio.sleep(deadline + source.settings.timeout)
    finally:
        await source.close()


def _settings_of(settings: Settings, name: str) -> DatabaseSettings:
    return settings.databases.get(name, DatabaseSettings())


def _needs_restart(old: Settings, new: Settings) -> list[str]:
    """Return the names of changed settings that a reload does not apply."""
    names = set(Settings.model_fields) - _RELOADABLE - {"folder"}
    return sorted(name for name in names if getattr(old, name) != getattr(new, name))
