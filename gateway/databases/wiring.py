"""Wiring: the sources of all declared databases, and the cache, made from settings."""

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
from gateway.cache.seal import Seal
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

    ``only``: the names to make, None for all. Connects to nothing. Raises ValueError that begins
    with the setting that is wrong.
    """
    declared = {database.name: database for database in databases}
    require_declared(settings, declared)
    sources = {}
    seen_tables = SeenTables(settings.path(settings.tables), clock)
    for name, database in declared.items():
        if only is not None and name not in only:
            continue
        database_settings = settings.databases.get(name, DatabaseSettings())
        backend = backends.get(name) or make_backend(database, settings, database_settings)
        sources[name] = Source(
            database,
            backend,
            database_settings,
            clock,
            maintenance,
            settings.limits.deadline,
            cache,
            seen_tables,
        )
    return sources


def require_declared(settings: Settings, declared: Iterable[str]) -> None:
    """Raise ValueError for a database in ``settings`` that is not among the ``declared`` names."""
    names = sorted(declared)
    for undeclared in sorted(settings.databases.keys() - set(names)):
        raise ValueError(
            f"databases.{undeclared}: nobody declares it; there are {', '.join(names)}"
        )


def make_cache(settings: Settings, clock: Clock, ring: Keyring) -> Cache:
    """Return the cache: of this process alone, or with Redis where settings name one."""
    hashes, memory = Hashes(ring.current.key), MemoryCache(settings.cache.bytes)
    redis = settings.redis_with_password()
    if redis.url is None:
        path = settings.path(settings.cache.invalidations)
        return Cache(memory, FileLog(path, hashes, clock), clock)
    log = RedisLog(redis.url, hashes, clock)
    shared, seal = RedisCache(redis, clock), Seal.of(ring.current)
    return Cache(memory, log, clock, shared, seal)


def load_maintenance(settings: Settings, clock: Clock) -> Maintenance:
    """Return the maintenance planned in settings, and in the file that they name."""
    fixed = {
        name: [
            Window(name, window.begins, window.ends)
            for window in database_settings.maintenance_windows
        ]
        for name, database_settings in settings.databases.items()
    }
    return Maintenance(settings.path(settings.maintenance), clock, fixed)
