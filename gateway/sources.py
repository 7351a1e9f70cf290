"""Every declared database as the gateway reaches it, made from settings."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from connectors.backends.base import Backend
from connectors.description import Database
from gateway.backends import make_backend
from gateway.clock import Clock
from gateway.fetch.source import Source
from gateway.maintenance import Maintenance, Window
from gateway.settings import DatabaseSettings, Settings


def make_sources(
    settings: Settings,
    databases: Iterable[Database],
    backends: Mapping[str, Backend],
    clock: Clock,
    maintenance: Maintenance,
    only: Container[str] | None = None,
) -> dict[str, Source]:
    """Return the sources of ``databases`` by name; ``backends`` take the place of settings.

    ``only``: those that are wanted, None for all. Nothing is connected to. Raises ValueError that
    begins with the setting that is wrong.
    """
    declared = {one.name: one for one in databases}
    for unknown in sorted(settings.databases.keys() - declared.keys()):
        there = ", ".join(sorted(declared))
        raise ValueError(f"databases.{unknown}: nobody declares it; there are {there}")
    sources = {}
    for name, one in declared.items():
        if only is not None and name not in only:
            continue
        own = settings.databases.get(name, DatabaseSettings())
        backend = backends.get(name) or make_backend(one, settings, own)
        sources[name] = Source(one, backend, own, clock, maintenance, settings.limits.deadline)
    return sources


def planned(settings: Settings, clock: Clock) -> Maintenance:
    """Return the maintenance that settings, and the file that they name, plan."""
    fixed = {
        name: [Window(name, window.begins, window.ends) for window in one.maintenance_windows]
        for name, one in settings.databases.items()
    }
    return Maintenance(settings.path(settings.maintenance), clock, fixed)
