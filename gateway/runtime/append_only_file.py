"""Append-only files of lines that every process of a site follows, without a server between them.

For small facts that all processes must know within a second: revoked tokens, planned maintenance.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import structlog

from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds between two reads of a file: well below the second within which a line takes effect.
READ_EVERY = 0.5


class AppendOnlyFile:
    """Reads what was appended to a file since the last read. ``content``: its content, for logs.

    ``is_readable``: whether the last read was possible; a file that is not there has no lines.
    """

    def __init__(self, path: Path, clock: Clock, content: str) -> None:
        self._path = path
        self._clock = clock
        self._content = content
        self._version: tuple[int, int, int] = (0, 0, 0)
        self._read_to = 0
        self._read_at = -math.inf
        self.is_readable = True

    def read_new(self) -> list[bytes]:
        """Return the lines that were appended since the last read; all of a file that was replaced.

        Reads every ``READ_EVERY`` seconds at most and returns nothing in between: 0.2 us, and some
        5 us for a read. A failure is logged, and the lines are read the next time.
        """
        now = self._clock.monotonic()
        if now - self._read_at < READ_EVERY:
            return []
        self._read_at = now
        return self._read()

    def _read(self) -> list[bytes]:
        self.is_readable = True
        try:
            status = self._path.stat()
            version = (status.st_ino, status.st_size, status.st_mtime_ns)
            if version == self._version:
                return []
            if version[0] != self._version[0] or version[1] < self._read_to:
                self._read_to = 0  # another file: from its start
            with self._path.open("rb") as file:
                file.seek(self._read_to)
                content = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            self.is_readable = False
            log.error("a shared file cannot be read", of=self._content, reason=type(error).__name__)
            return []
        whole = content.rfind(b"\n") + 1  # a line that is still being written waits
        self._read_to += whole
        self._version = version
        return [line for line in content[:whole].split(b"\n") if line]


def append_lines(path: Path, line: str) -> None:
    """Append a line, which is on disk when this returns. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        before = "\n" if torn else ""
        os.write(descriptor, f"{before}{line}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
