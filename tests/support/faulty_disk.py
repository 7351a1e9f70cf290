"""A disk under a journal that fails on demand."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.journal.journal import Journal
from gateway.errors import GatewayError
from tests.support.journals import entries


class Disk:
    """What the journal does to segments on the disk, and faults to plant there.

    ``written``: what was written, with the zeros behind it. The head is left alone.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[bytes] = []
        self.synced = 0
        self.fault: Callable[[], None] = lambda: None
        self.sync_fault: Callable[[], None] = lambda: None
        self.shortest: int | None = None
        self._write, self._pwrite, self._sync = os.write, os.pwrite, os.fdatasync
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "pwrite", self.pwrite)
        monkeypatch.setattr(os, "fdatasync", self.sync)

    def write(self, descriptor: int, content: memoryview) -> int:
        if threading.current_thread() is threading.main_thread():
            return self._write(descriptor, content)  # the event loop's own, and opening
        self.fault()
        written = content[: self.shortest]
        self.written.append(bytes(written))
        return self._write(descriptor, written)

    def pwrite(self, descriptor: int, content: memoryview, offset: int) -> int:
        if bytes(content[:7]) == b'{"head"':
            return self._pwrite(descriptor, content, offset)
        self.fault()
        written = content[: self.shortest]
        self.written.append(bytes(written))
        return self._pwrite(descriptor, written, offset)

    def sync(self, descriptor: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            self.sync_fault()
            self.synced += 1
        self._sync(descriptor)


async def refuses(journal: Journal, entry: dict[str, object]) -> bool:
    """Return whether an entry was refused."""
    code = None
    try:
        await journal.append(entry)
    except GatewayError as error:
        code = error.code.name
    assert code in {None, "AUDIT_UNAVAILABLE"}
    return code is not None


def fail() -> None:
    """Fail as a full disk does."""
    raise OSError(28, "No space left on device")


def hold(event: threading.Event) -> None:
    """Stand still until the test says otherwise."""
    assert event.wait(10)


def numbers(folder: Path) -> list[Any]:
    """Return the entries' numbers, in the order in which they stand."""
    return [entry["number"] for entry in entries(folder) if "number" in entry]
