"""Bar charts as SVG: columns over years, rows of bars for everything else.

Widths are parts of a hundred and heights pixels, so that a chart fits any window with text of the
usual size. A count that is not shown has a hatched stub of one size, whatever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

#: Pixels: of the line of text above and below columns, of a bar in a row.
_TEXT, _BAR = 18, 13
#: The size of what is not shown: pixels of a column, parts of a hundred of a row.
_STUB, _STUB_WIDE = 16, 7
#: Parts of a hundred that bars may take of a row, and columns of their place.
_ROW, _PLACE = 80, 0.84
#: Parts of a hundred left of columns, for the labels of the scale.
_MARGIN = 11


@dataclass(frozen=True, slots=True)
class BarGroup:
    """Bars that stand together. ``brief``: the label where there is little room.

    ``counts``: of each series; None: not shown. ``titles``: what each bar says, in words.
    """

    label: str
    brief: str
    counts: tuple[int | None, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar. ``series`` None: the hatched stub of a count that is not shown."""

    x: float
    y: float
    width: float
    height: float
    series: int | None
    title: str


@dataclass(frozen=True, slots=True)
class ChartText:
    """A text at ``x`` (of a hundred) and ``y`` (pixels). ``kind``: its class."""

    x: float
    y: float
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """A chart. ``height``: in pixels. ``lines``: heights of the lines behind the bars.

    ``margin``: parts of a hundred to the left of the lines.
    """

    height: float
    bars: tuple[Bar, ...]
    texts: tuple[ChartText, ...]
    lines: tuple[float, ...] = ()
    margin: float = 0


def draw_columns(
    groups: Sequence[BarGroup], ticks: Sequence[tuple[int, str]], room: int
) -> BarChart:
    """Draw columns from left to right. ``ticks``: of the scale, with labels; the last is its top.

    ``room``: pixels for the highest.
    """
    top, base = ticks[-1][0], _TEXT + room
    place = (100 - _MARGIN) / len(groups)
    bars, texts = [], []
    for at, group in enumerate(groups):
        wide = place * _PLACE / len(group.counts)
        left = _MARGIN + at * place + place * (1 - _PLACE) / 2
        for series, (count, title) in enumerate(zip(group.counts, group.titles, strict=True)):
            tall = _STUB if count is None else room * count / top
            shown = None if count is None else series
            bars.append(Bar(left + series * wide, base - tall, wide, tall, shown, title))
        middle = _MARGIN + at * place + place / 2
        texts += [
            ChartText(middle, base + 14, group.label, "long"),
            ChartText(middle, base + 14, group.brief, "brief"),
        ]
    heights = [base - room * value / top for value, _ in ticks]
    scale = [
        ChartText(_MARGIN - 1.5, height + 4, label, "tick")
        for height, (_, label) in zip(heights, ticks, strict=True)
    ]
    return BarChart(base + _TEXT + 4, tuple(bars), (*texts, *scale), (base, *heights), _MARGIN)


def draw_rows(groups: Sequence[BarGroup], top: int, labels: Sequence[Sequence[str]]) -> BarChart:
    """Draw a row for each group, its label above its bars. ``labels``: of the bars, by group."""
    y, bars, texts = 0.0, [], []
    for group, bar_labels in zip(groups, labels, strict=True):
        texts.append(ChartText(0, y + 14, group.label, "row"))
        y += _TEXT + 2
        for series, (count, title) in enumerate(zip(group.counts, group.titles, strict=True)):
            wide = _STUB_WIDE if count is None else _ROW * count / max(top, 1)
            bars.append(Bar(0, y, wide, _BAR, None if count is None else series, title))
            texts.append(ChartText(100, y + 11, bar_labels[series], "value"))
            y += _BAR + 2
        y += 8
    return BarChart(y, tuple(bars), tuple(texts))


def scale_of(highest: int) -> tuple[int, ...]:
    """Return two to five round numbers up to or above ``highest``; none for 0."""
    if highest <= 0:
        return ()
    size = 10 ** int(log10(highest))
    step = (
        next(
            distance
            for distance in (size // 5, size // 2, size, 2 * size)
            if highest <= 5 * distance
        )
        or 1
    )
    return tuple(range(step, highest + step, step))
