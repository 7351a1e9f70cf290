"""File operations of the journal: whole writes, owner-only files, synced names, one lock."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

_NAME = re.compile(r"audit-(\d{8})\.jsonl")
#: Bytes read at once in search of the end of a file's content.
_BLOCK = 64 * 1024


def segment_name(number: int) -> str:
    """Return the name of a segment's file."""
    return f"audit-{number:08}.jsonl"


def segment_files(folder: Path) -> list[tuple[int, Path]]:
    """Return the number and path of each segment in ``folder``, in order."""
    matches = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in matches if match)


def file_size(path: Path) -> int:
    """Return the bytes of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def new_file(path: Path) -> int:
    """Create ``path`` for writing and return its descriptor; raises FileExistsError, OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of ``content``, also if the system takes it in parts; raises OSError."""
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]


def write_filled(descriptor: int, content: bytes, zeros: int, offset: int) -> int:
    """Write ``content`` at ``offset``, and ``zeros`` zeros behind it; return where they end.

    Raises OSError if not all of ``content`` could be written. There may be fewer zeros, where the
    disk has no room for them.
    """
    remaining, end = memoryview(content + bytes(zeros)), offset
    try:
        while remaining:
            written = os.pwrite(descriptor, remaining, end)
            remaining, end = remaining[written:], end + written
    except OSError:
        if end < offset + len(content):
            raise
    return end


def content_end(descriptor: int) -> int:
    """Return where the content of a file ends; behind it there are only zeros, if anything."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(end - _BLOCK, 0)
        content = os.pread(descriptor, end - start, start).rstrip(b"\0")
        if content:
            return start + len(content)
        end = start
    return 0


def sync_folder(folder: Path) -> None:
    """Sync the names in ``folder``: without its name, a new file's content is lost too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(folder: Path) -> int:
    """Lock ``folder`` for this process until the returned descriptor is closed.

    Raises BlockingIOError if another process has locked it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise BlockingIOError(f"{folder} is the journal of another gateway that runs") from None
    return descriptor
