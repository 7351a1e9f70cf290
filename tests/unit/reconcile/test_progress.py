"""The progress of a run, as lines and as bars.

Covers ``reconcile.cli.progress_bar``.
"""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from reconcile.cli.progress_bar import ProgressBar, progress_columns
from reconcile.progress import PlainProgress, RunProgress, shown_duration


class _Time:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_say_how_far_how_fast_and_how_long_still() -> None:
    lines: list[str] = []
    clock = _Time()
    progress: RunProgress = PlainProgress(lines.append, 10.0, clock)
    progress.stage("extract", 5_000, 1_000)
    for second, done in ((4.0, 1_400), (8.0, 1_800), (14.0, 2_400), (40.0, 5_000)):
        clock.now = second
        progress.advance(done, "notary.wills")
    progress.note("notary.wills: it went away")
    assert lines == [
        "extract: begins at 1,000",
        "extract: notary.wills: 1,400 of 5,000, 100/s, 36 s left",
        "extract: notary.wills: 2,400 of 5,000, 100/s, 26 s left",
        "extract: notary.wills: 5,000 of 5,000, 100/s",
        "notary.wills: it went away",
    ]


def test_without_a_total_nobody_says_how_long_still() -> None:
    lines: list[str] = []
    progress = PlainProgress(lines.append, 0.0, _Time())
    progress.stage("extract", None)
    progress.advance(7, "a.b")
    assert lines == ["extract: begins", "extract: a.b: 7"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min"), (3_599, "1 h 0 min"), (12_000, "3 h 20 min")],
)
def test_durations_are_as_people_read_them(seconds: float, text: str) -> None:
    assert shown_duration(seconds) == text


def test_a_bar_is_shown_for_each_stage() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=100, color_system=None)
    with Progress(*progress_columns(), console=console) as bars:
        progress: RunProgress = ProgressBar(bars)
        progress.advance(3, "before any stage")
        progress.stage("extract", 100)
        progress.advance(100, "notary.wills")
        progress.stage("check", 8)
        progress.advance(4, "bucket-0003")
        progress.note("notary.wills: [not] markup")
    text = output.getvalue()
    for shown in ("extract", "100", "notary.wills", "check", "bucket-0003", "[not] markup"):
        assert shown in text
