"""The lock of a folder of runs: two processes never run in one folder.

The system releases it when its process ends, however it ends. The file says who has it, for people.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from reconcile.layout import ReconcileFolder


class FolderLocked(Exception):
    """Another process runs in the folder; the message says which, and since when."""


@contextmanager
def folder_lock(folder: ReconcileFolder) -> Iterator[None]:
    """Hold the lock of ``folder`` within the block; raises FolderLocked, OSError.

    The file stays: removing it would let a third process lock another file of the same name.
    """
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderLocked(_holder(folder, os.pread(descriptor, 1000, 0))) from None
        shown = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(shown).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(folder: ReconcileFolder, text: bytes) -> str:
    """Return who has the lock; its process may be about to write the file."""
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} runs in {folder.path} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return f"another process runs in {folder.path}"
