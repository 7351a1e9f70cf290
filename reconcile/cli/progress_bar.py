"""Progress on a terminal: a bar a stage, with rate and time left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from reconcile.progress import PlainProgress, RunProgress


class ProgressBar:
    """Shows stages one below the other; the one under way moves."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def stage(self, name: str, total: int | None, done: int = 0) -> None:
        """Add a bar; see ``RunProgress``."""
        self._task = self._progress.add_task(name, total=total, completed=done, item="")

    def advance(self, done: int, item: str) -> None:
        """Move the bar; see ``RunProgress``."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, item=item)

    def note(self, text: str) -> None:
        """Show a line above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


class RateColumn(ProgressColumn):
    """How many rows or units a second."""

    def render(self, task: Task) -> Text:
        """Return the rate, empty until it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


def progress_columns() -> tuple[ProgressColumn, ...]:
    """Return what stands in the line of a stage."""
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        RateColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[item]}"),
    )


@contextmanager
def shown_progress(seconds: float) -> Iterator[RunProgress]:
    """Show the progress of a run on standard error: bars on a terminal, else lines.

    ``seconds``: at least so many between two lines of a stage.
    """
    if not sys.stderr.isatty():
        yield PlainProgress(_write, seconds)
        return
    with Progress(*progress_columns(), console=Console(stderr=True)) as progress:
        yield ProgressBar(progress)


def _write(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
