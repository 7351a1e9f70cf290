"""Tells the contents of a file apart: one path, and even one inode, may hold several in turn.

A file that is overwritten in place keeps its name and its inode, and SQLite's connections keep
using the pages that they have cached. Size, times and the first page identify the contents.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from connectors.backends.base import SourceUnavailable

#: Bytes of the first page: SQLite's header, with its change counter, and the root of the schema.
_PAGE = 4_096
#: Seconds within which a second change may leave a file's times unchanged.
_TICK = 0.02
#: Checks until a file has settled: half a second.
_LOOKS = 25


class FileVersion(NamedTuple):
    """The identity of a file's contents; times in nanoseconds since 1970.

    ``changed`` is the time of the inode (``st_ctime``), which no program can set.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int
    page: bytes

    @property
    def digest(self) -> str:
        """A short text that identifies this version."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).hexdigest()


class WatchedFile:
    """A file held open for checks, until nothing refers to this object any more. Raises OSError.

    POSIX drops all locks of a process on a file when any of its descriptors is closed, SQLite's
    too: so the descriptor lives as long as the connections that are open beside it. ``now``: the
    clock of the file system, in seconds since 1970.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def version(self) -> FileVersion:
        """Return the present version. Costs some 3 us; raises SourceUnavailable."""
        return self._look()[0]

    def has(self, version: FileVersion) -> bool:
        """Whether the contents are still those of ``version``; raises SourceUnavailable.

        Unlinking a file changes its ``changed``, not its contents.
        """
        present, links = self._look()
        if links == 0:
            return present._replace(changed=version.changed) == version
        return present == version

    async def settled(self) -> FileVersion:
        """Return the version, once a later change could not leave it the same.

        Waits 20 ms at most after the last change; raises SourceUnavailable for a file that still
        changes after half a second.
        """
        for _ in range(_LOOKS):
            version = self.version()
            age = self._now() - version.changed / 1e9
            if not -_TICK < age < _TICK:
                return version
            await asyncio.sleep(_TICK)
        raise SourceUnavailable("the file is being written")

    def lacks_pages(self) -> bool:
        """Whether the file has another length than its header says (SQLite file format, 1.3).

        So it is while a file is being copied, and after it was cut short. With a write-ahead log
        the header does not say. Raises SourceUnavailable.
        """
        version = self.version()
        header = version.page[:100]
        size = int.from_bytes(header[16:18], "big")
        pages = int.from_bytes(header[28:32], "big")
        counter, valid_for = header[24:28], header[92:96]
        logged = header[18:20] != b"\x01\x01"
        if len(header) < 100 or logged or counter != valid_for or pages == 0:
            return len(header) < 100
        return version.size != pages * (65_536 if size == 1 else size)

    def _look(self) -> tuple[FileVersion, int]:
        try:
            status = os.fstat(self._descriptor)
            page = os.pread(self._descriptor, _PAGE, 0)
        except OSError as error:
            raise SourceUnavailable(f"no readable file ({type(error).__name__})") from None
        version = FileVersion(
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            page,
        )
        return version, status.st_nlink
