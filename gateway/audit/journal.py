"""The journal: one line per answer, on disk before the answer leaves.

Entries waiting at the same time are written and synced together (group commit). A line that could
not be written whole is closed off, so that the next one starts clean. A file that was moved away or
removed is made anew; nothing is written where nobody will look. If an entry cannot be written there
is no answer (design section 3).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import orjson

from gateway.errors import GatewayError


class Journal:
    """An append-only file of JSON lines. Opened at start-up; used from one event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._torn = False
        self._failed = False
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Open the file, creating it readable by its owner only; raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        self._descriptor = os.open(self._path, flags, 0o600)
        if is_new:
            _sync_folder(self._path.parent)
        size = os.fstat(self._descriptor).st_size
        self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    async def close(self) -> None:
        """Write what is waiting and close the file."""
        if self._flushing is not None:
            await self._flushing
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def check(self) -> bool:
        """Return whether entries can be written; after a failure this is found out by trying."""
        if self._failed:
            try:
                await self.append({"probe": True})
            except GatewayError:
                return False
        return self._descriptor is not None

    async def append(self, entry: Mapping[str, object]) -> None:
        """Return once ``entry`` is on disk; raises GatewayError AUDIT_UNAVAILABLE if it is not.

        A caller that is cancelled while waiting leaves its entry to be written: an entry too many
        does no harm, one too few would.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE), done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(done)

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._write, b"".join(line for line, _ in batch))
            except Exception:  # whatever it was: nobody may wait for ever, nor be answered
                self._failed = True
                for _, done in batch:
                    _settle(done, GatewayError("AUDIT_UNAVAILABLE"))
            else:
                self._failed = False
                for _, done in batch:
                    _settle(done, None)

    def _write(self, lines: bytes) -> None:
        descriptor = self._present()
        left = memoryview(b"\n" + lines if self._torn else lines)
        while left:
            written = os.write(descriptor, left)
            self._torn = bytes(left[:written][-1:]) != b"\n"
            left = left[written:]
        os.fsync(descriptor)

    def _present(self) -> int:
        """Return the descriptor of the file that is at the path now; raises OSError."""
        if self._descriptor is None:
            raise OSError("the journal is not open")
        try:
            is_there = os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            is_there = False
        if not is_there:
            os.close(self._descriptor)
            self._descriptor = None
            self.open()
        assert self._descriptor is not None
        return self._descriptor


def _sync_folder(folder: Path) -> None:
    """Have a new file's name on disk, without which its content is lost too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(done: asyncio.Future[None], error: GatewayError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
        done.exception()  # whoever waited may be gone; the error was for them alone
