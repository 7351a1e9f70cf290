"""The log of invalidations without Redis: a file that all processes of a machine follow.

A process starts at the end of the file with an empty cache, so it needs nothing from before. A file
that has grown large is replaced by the next process that writes.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from fcntl import LOCK_EX, flock
from pathlib import Path

import structlog

from gateway.cache.invalidations import (
    Hashes,
    Invalidation,
    KnownInvalidations,
    LogUnavailable,
    Position,
    invalidation_scope,
)
from gateway.runtime.append_only_file import append_lines
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds between two reads of the file: well below the second that is promised.
_READ_EVERY = 0.25
#: Seconds after which every process has read the file, or must before it serves anything.
_READ_WITHIN = _READ_EVERY + 0.05
_LARGE = 16 * 2**20  # bytes
#: Stands for the device and inode of a file that does not exist.
_NO_FILE = (0, 0)


class FileLog:
    """The log in ``path``: a line of JSON for each invalidation.

    ``large``: bytes beyond which a new file is started.
    """

    def __init__(self, path: Path, hashes: Hashes, clock: Clock, *, large: int = _LARGE) -> None:
        self.invalidations = KnownInvalidations(hashes)
        self.known_within = _READ_WITHIN
        self._path = path
        self._large = large
        self._clock = clock
        self._read_at = -math.inf
        self._current = False
        self._file: tuple[int, int] | None = None
        self._begun = 0
        self._read_to = 0

    async def open(self) -> None:
        """Start at the end of the file."""
        self._refresh()

    async def close(self) -> None:
        """Do nothing: the file is not kept open."""

    def position(self) -> Position | None:
        """See ``InvalidationLog.position``; None while the file cannot be read.

        Costs 0.2 us, and some 5 us when the file is read.
        """
        if self._clock.monotonic() - self._read_at >= _READ_EVERY:
            self._refresh()
        return (
            Position(self.invalidations.epoch, self.invalidations.latest) if self._current else None
        )

    async def invalidate(self, invalidations: Sequence[Invalidation]) -> datetime:
        """Append to the file, which is on disk when this returns; see ``InvalidationLog``."""
        lines = [
            json.dumps(invalidation_scope(invalidation, self.invalidations.hashes))
            for invalidation in invalidations
        ]
        try:
            await asyncio.to_thread(self._append, "\n".join(lines))
        except OSError as error:
            raise LogUnavailable(type(error).__name__) from None
        self._refresh()
        return self._clock.now() + timedelta(seconds=_READ_WITHIN)

    async def is_effective_everywhere(self) -> bool:
        """See ``InvalidationLog.is_effective_everywhere``: nobody tells how far they have read."""
        return False

    def _append(self, lines: str) -> None:
        """Append, and put a large file aside. One process at a time.

        Without the lock, a process that opened the file before another one renamed it would write
        where nobody reads.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("ab") as lock:
            flock(lock, LOCK_EX)  # released when it is closed
            if self._path.exists() and self._path.stat().st_size > self._large:
                self._path.rename(self._path.with_suffix(".old"))
            append_lines(self._path, lines)

    def _refresh(self) -> None:
        """Read new lines. If the file was replaced, everything that was read is void."""
        self._read_at = self._clock.monotonic()
        try:
            self._read()
            self._current = True
        except OSError as error:
            self._current = False
            log.error("invalidations cannot be read", reason=type(error).__name__)

    def _read(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            if self._file != _NO_FILE:
                self._begin(_NO_FILE, 0)
            return
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            identity = (status.st_dev, status.st_ino)
            if self._file == _NO_FILE:
                self._file = identity  # every line in it is new
            elif identity != self._file or status.st_size < self._read_to:
                self._begin(identity, 0 if self.invalidations.epoch else status.st_size)
            if status.st_size == self._read_to:
                return
            file.seek(self._read_to)
            content = file.read()
        whole = content.rfind(b"\n") + 1  # a line that is still being written waits
        for line in content[:whole].splitlines(keepends=True):
            self._read_to += len(line)
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            person, database, record = json.loads(line)
        except (ValueError, TypeError):
            if line.strip():  # it may have concerned anything
                self.invalidations.begin(self.invalidations.epoch, self._read_to)
        else:
            self.invalidations.note((person, database, record), self._read_to)

    def _begin(self, identity: tuple[int, int], at: int) -> None:
        """Start with another file, or with one that was cut short: all that was read is void."""
        self._begun += 1
        self._file, self._read_to = identity, at
        self.invalidations.begin(f"file {self._begun}", at)
