"""Bars of a report as SVG: widths in parts of a hundred, heights in pixels.

A figure that is hidden has a hatched stub of one size, whatever it is; one of what was not checked
has a broken frame. So neither looks like nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from reconcile.report.figures import Figure, FigureState

#: Pixels of a row with its label, and of the bar in it.
_ROW, _LABEL, _THICK = 42.0, 16.0, 14.0
#: Parts of a hundred that the longest bar takes, and a stub.
_LONGEST, _STUB = 78.0, 7.0
#: Pixels of columns: above, the highest, below, and of a stub.
_TOP, _HIGHEST, _BOTTOM, _LOW = 14.0, 180.0, 22.0, 16.0
_MARGIN = 11.0


@dataclass(frozen=True, slots=True)
class ReportBar:
    """A bar at ``x`` and ``width`` (of a hundred), ``y`` and ``height`` (pixels).

    ``kind``: ``value``, ``stub`` or ``gap``.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class BarText:
    """A text at ``x`` (of a hundred) and ``y`` (pixels). ``kind``: its class."""

    x: float
    y: float
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class BarPicture:
    """A chart. ``lines``: heights of the lines of the scale."""

    height: float
    bars: tuple[ReportBar, ...]
    texts: tuple[BarText, ...]
    lines: tuple[float, ...] = ()


def draw_bars(
    rows: Sequence[tuple[str, Figure]], labels: Sequence[str], top: int | None = None
) -> BarPicture:
    """Draw a row for each figure: its name, a bar below, and ``labels`` at the right.

    ``top``: what the longest bar stands for; the largest figure by default.
    """
    top = top or max((figure.count or 0 for _, figure in rows), default=0)
    bars, texts = [], []
    for place, ((name, figure), label) in enumerate(zip(rows, labels, strict=True)):
        y = place * _ROW
        width = _STUB if figure.count is None else _LONGEST * figure.count / max(top, 1)
        if figure.state is not FigureState.NONE:
            bars.append(ReportBar(0, y + _LABEL + 4, width, _THICK, _kind(figure)))
        texts.append(BarText(0, y + _LABEL - 2, name, "name"))
        texts.append(BarText(100, y + _LABEL + 15, label, "amount"))
    return BarPicture(len(rows) * _ROW, tuple(bars), tuple(texts))


def draw_columns(columns: Sequence[tuple[str, Figure]], tick_labels: dict[int, str]) -> BarPicture:
    """Draw columns from left to right. ``tick_labels``: of the scale; the highest is its top."""
    base = _TOP + _HIGHEST
    top = max(tick_labels, default=1)
    place = (100 - _MARGIN) / max(len(columns), 1)
    bars, texts = [], []
    for at, (name, figure) in enumerate(columns):
        tall = _LOW if figure.count is None else _HIGHEST * figure.count / top
        left = _MARGIN + at * place
        bars.append(ReportBar(left + place * 0.1, base - tall, place * 0.8, tall, _kind(figure)))
        texts.append(BarText(left + place / 2, base + 15, name, "column"))
    lines = [base]
    for value, label in tick_labels.items():
        y = base - _HIGHEST * value / top
        lines.append(y)
        texts.append(BarText(_MARGIN - 1.5, y + 4, label, "tick"))
    return BarPicture(base + _BOTTOM, tuple(bars), tuple(texts), tuple(lines))


def ticks(highest: int) -> tuple[int, ...]:
    """Return two to five round numbers up to or above ``highest``; none for 0."""
    if highest <= 0:
        return ()
    size = 10 ** int(log10(highest))
    step = next(
        distance for distance in (size // 5, size // 2, size, 2 * size) if highest <= 5 * distance
    )
    step = max(step, 1)
    return tuple(range(step, highest + step, step))


def _kind(figure: Figure) -> str:
    return {FigureState.SHOWN: "value", FigureState.NOT_CHECKED: "gap"}.get(figure.state, "stub")
