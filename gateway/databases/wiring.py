"""Every declared database as the gateway reaches it, and the cache, made from settings."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from connectors.backends.base import Backend
from connectors.description import Database
from gateway.cache.file_log import FileLog
from gateway.cache.invalidations import Hashes
from gateway.cache.memory import MemoryCache
from gateway.cache.redis_log import RedisLog
from gateway.cache.redis_rows import RedisCache
from gateway.cache.rows import Cache
from gateway.cache.sealing import Seal
from gateway.databases.backends import make_backend
from gateway.fetch.maintenance import Maintenance, Window
from gateway.fetch.source import Source
from gateway.fetch.tables import SeenTables
from gateway.keys.keyring import Keyring
from gateway.runtime.clock import Clock
from gateway.settings import DatabaseSettings, Settings


def make_sources(
    settings: Settings,
    databases: Iterable[Database],
    backends: Mapping[str, Backend],
    clock: Clock,
    maintenance: Maintenance,
    only: Container[str] | None = None,
    cache: Cache | None = None,
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
    seen = SeenTables(settings.path(settings.tables), clock)
    for name, one in declared.items():
        if only is not None and name not in only:
            continue
        own = settings.databases.get(name, DatabaseSettings())
        backend = backends.get(name) or make_backend(one, settings, own)
        sources[name] = Source(
            one, backend, own, clock, maintenance, settings.limits.deadline, cache, seen
        )
    return sources


def make_cache(settings: Settings, clock: Clock, ring: Keyring) -> Cache:
    """Return the cache: of this process alone, or with Redis where settings name one."""
    hashes, level = Hashes(ring.current.key), MemoryCache(settings.cache.bytes)
    redis = settings.redis_with_password()
    if redis.url is None:
        path = settings.path(settings.cache.invalidations)
        return Cache(level, FileLog(path, hashes, clock), clock)
    follows = RedisLog(redis.url, hashes, clock)
    shared, seal = RedisCache(redis, clock), Seal.of(ring.current)
    return Cache(level, follows, clock, shared, seal)


def load_maintenance(settings: Settings, clock: Clock) -> Maintenance:
    """Return the maintenance that settings, and the file that they name, plan."""
    fixed = {
        name: [Window(name, window.begins, window.ends) for window in one.maintenance_windows]
        for name, one in settings.databases.items()
    }
    return Maintenance(settings.path(settings.maintenance), clock, fixed)
