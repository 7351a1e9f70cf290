"""What a run tells of its way while it is under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class RunProgress(Protocol):
    """Shows how far a run has come. Nothing that it is given is about anybody."""

    def stage(self, name: str, total: int | None, done: int = 0) -> None:
        """Begin a stage: ``total`` rows or units, None where it is not known; ``done`` of them."""
        ...

    def advance(self, done: int, item: str) -> None:
        """Say that ``done`` of the stage are done, with which ``item`` is under way."""
        ...

    def note(self, text: str) -> None:
        """Show a line that stays."""
        ...


class PlainProgress:
    """A line for each step, for logs: at most one in ``seconds`` within a stage.

    ``seconds`` 0: each.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        seconds: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._seconds = seconds
        self._monotonic = monotonic
        self._stage = ""
        self._total: int | None = None
        self._first = self._done = 0
        self._began = self._written = monotonic()

    def stage(self, name: str, total: int | None, done: int = 0) -> None:
        """Begin a stage; see ``RunProgress``."""
        self._stage, self._total = name, total
        self._first = self._done = done
        self._began = self._monotonic()
        self._written = self._began - self._seconds
        self._write(f"{name}: begins" + (f" at {done:,}" if done else ""))

    def advance(self, done: int, item: str) -> None:
        """Write how far the stage is; see ``RunProgress``."""
        now = self._monotonic()
        self._done = done
        is_whole = self._total is not None and done >= self._total
        if now - self._written < self._seconds and not is_whole:
            return
        self._written = now
        self._write(f"{self._stage}: {item}: {self._counted(now - self._began)}")

    def note(self, text: str) -> None:
        """Write a line."""
        self._write(text)

    def _counted(self, seconds: float) -> str:
        counted = f"{self._done:,}" + ("" if self._total is None else f" of {self._total:,}")
        rate = (self._done - self._first) / seconds if seconds > 0 else 0.0
        if rate <= 0:
            return counted
        counted += f", {rate:,.0f}/s"
        if self._total is None or self._done >= self._total:
            return counted
        return f"{counted}, {shown_duration((self._total - self._done) / rate)} left"


def shown_duration(seconds: float) -> str:
    """Return a duration as people read it: ``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
