"""What the audit log does to files: written whole, for their owner only, their names on disk."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

_NAME = re.compile(r"audit-(\d{8})\.jsonl")


def segment_name(number: int) -> str:
    """Return the name of a segment's file."""
    return f"audit-{number:08}.jsonl"


def segment_files(folder: Path) -> list[tuple[int, Path]]:
    """Return number and path of every segment in ``folder``, in order."""
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def new_file(path: Path) -> int:
    """Create ``path`` for appending and return its descriptor; raises FileExistsError, OSError."""
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of ``content``, however few bytes are taken at a time; raises OSError."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def sync_folder(folder: Path) -> None:
    """Have a new file's name on disk, without which its content is lost too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(folder: Path) -> int:
    """Make ``folder`` this process's own until the returned descriptor is closed.

    Raises BlockingIOError where it is another's.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise BlockingIOError(f"{folder} is the journal of another gateway that runs") from None
    return descriptor
