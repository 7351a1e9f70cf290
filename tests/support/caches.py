"""Caches for tests, in this process only and with a manual clock."""

from __future__ import annotations

from pathlib import Path

from gateway.cache.file_log import FileLog
from gateway.cache.invalidations import Hashes
from gateway.cache.memory import MemoryCache
from gateway.cache.rows import Cache
from gateway.keys.keyring import Secret
from tests.support.running import TestClock

SECRET = Secret.of(b"a key of the tests that is long enough")


def file_log(folder: Path, clock: TestClock, **options: int) -> FileLog:
    """Return a log in ``folder``, as one process follows it."""
    return FileLog(folder / "invalidations.jsonl", Hashes(SECRET.key), clock, **options)


def process_cache(folder: Path, clock: TestClock, capacity: int = 2**20) -> Cache:
    """Return the cache of one process, of at most ``capacity`` bytes."""
    return Cache(MemoryCache(capacity), file_log(folder, clock), clock)
