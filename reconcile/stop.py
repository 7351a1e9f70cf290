"""Stopping a run: at the next boundary, after which it can be resumed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class RunStopped(Exception):
    """A run was told to stop; the message says by what."""


class StopRequest:
    """Whether a run is to stop at its next boundary: after a part of an extract, or a unit."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reason = ""

    def stop(self, reason: str) -> None:
        """Ask the run to stop at its next boundary."""
        self._reason = self._reason or reason
        self._event.set()

    def check(self) -> None:
        """Raise RunStopped if the run is to stop."""
        if self._event.is_set():
            raise RunStopped(self._reason)

    def wait(self, seconds: float) -> None:
        """Wait, and raise RunStopped as soon as the run is to stop."""
        self._event.wait(seconds)
        self.check()


@contextmanager
def stopped_by_signals(request: StopRequest) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the run within the block; a second one ends it at once."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, handlers[signal.Signals(number)])
        request.stop(f"it was stopped by {signal.Signals(number).name}")

    for number in handlers:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
