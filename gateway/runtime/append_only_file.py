"""Files of lines that are only ever appended to, and that every process of the gateway looks at.

Small things that all processes of a site have to know within a second, with no server between them:
what tokens are revoked, what maintenance is planned.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import structlog

from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds between two looks at a file: well below the second within which a line counts.
LOOK_EVERY = 0.5


class AppendOnlyFile:
    """What is new in a file since it was last asked. ``what``: its content, for logs."""

    def __init__(self, path: Path, clock: Clock, what: str) -> None:
        self._path = path
        self._clock = clock
        self._what = what
        self._seen: tuple[int, int, int] = (0, 0, 0)
        self._read_to = 0
        self._looked_at = -math.inf

    def fresh(self) -> list[bytes]:
        """Return the lines that are new, none between two looks; of another file all.

        Costs 0.2 us between two looks, some 5 us for a look. What cannot be read is logged, and
        looked for again.
        """
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_EVERY:
            return []
        self._looked_at = now
        return self._look()

    def _look(self) -> list[bytes]:
        try:
            status = self._path.stat()
            now = (status.st_ino, status.st_size, status.st_mtime_ns)
            if now == self._seen:
                return []
            if now[0] != self._seen[0] or now[1] < self._read_to:
                self._read_to = 0  # another file: from its start
            with self._path.open("rb") as file:
                file.seek(self._read_to)
                content = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            log.error("a shared file cannot be read", of=self._what, reason=type(error).__name__)
            return []
        whole = content.rfind(b"\n") + 1  # a line that is still being written waits
        self._read_to += whole
        self._seen = now
        return [line for line in content[:whole].split(b"\n") if line]


def append(path: Path, line: str) -> None:
    """Append a line: it is on disk when this returns. Raises OSError."""
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
