"""Bars: what is hidden or was not checked never looks like nothing."""

from __future__ import annotations

import pytest

from reconcile.report.bars import draw_bars, draw_columns, ticks
from reconcile.report.figures import HIDDEN, NONE, NOT_CHECKED, Figure, FigureState

SHOWN, LARGER = Figure(FigureState.SHOWN, 20), Figure(FigureState.SHOWN, 80)


def test_bars_are_as_long_as_their_figures() -> None:
    picture = draw_bars([("a", SHOWN), ("b", LARGER)], ["20", "80"])
    short, long = picture.bars
    assert long.width == pytest.approx(4 * short.width)
    assert [text.text for text in picture.texts] == ["a", "20", "b", "80"]


def test_hidden_and_unchecked_have_marks_of_their_own_and_none_has_none() -> None:
    figures = [("a", HIDDEN), ("b", NOT_CHECKED), ("c", NONE)]
    picture = draw_bars(figures, ["-"] * 3)
    assert [(bar.kind, bar.width > 0) for bar in picture.bars] == [("stub", True), ("gap", True)]
    columns = draw_columns(figures[:2], {})
    assert [(bar.kind, bar.height > 0) for bar in columns.bars] == [("stub", True), ("gap", True)]


def test_columns_reach_the_line_of_their_figure() -> None:
    picture = draw_columns([("’25", LARGER)], {50: "50", 100: "100"})
    (bar,) = picture.bars
    base, half, top = picture.lines
    assert base - bar.height == pytest.approx(base - 0.8 * (base - top))
    assert base > half > top


@pytest.mark.parametrize(
    ("highest", "scale"), [(0, ()), (5, (1, 2, 3, 4, 5)), (85, (20, 40, 60, 80, 100))]
)
def test_ticks_are_round(highest: int, scale: tuple[int, ...]) -> None:
    assert ticks(highest) == scale
