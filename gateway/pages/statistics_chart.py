"""The charts of a table of statistics: one, or one for each value of a second or third dimension.

All have one scale. A chart of which every cell is suppressed is named and not drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.pages.bar_chart import BarChart, BarGroup, draw_columns, draw_rows, scale_of
from gateway.pages.languages import Language
from gateway.pages.phrases.statistics import STATISTICS
from gateway.pages.statistics_view import ShownValue, StatisticsTable
from gateway.statistics.dimensions import EARLIER, UNKNOWN

#: Stands for rows without a year under columns, where there is no room for words.
UNKNOWN_MARK = "?"
#: Pixels of the columns of one chart alone, and of each of several.
_TALL_ALONE, _TALL = 240, 130


@dataclass(frozen=True, slots=True)
class ChartPanel:
    """A chart with its title, and what it shows in words."""

    title: str
    chart: BarChart
    summary: str


@dataclass(frozen=True, slots=True)
class ChartFigure:
    """All charts of a table. ``series``: what the bars of a group stand for, with their colour.

    ``suppressed``: the titles of what is not drawn, since every cell of it is suppressed.
    ``omitted``: the title of years that are together, and so not drawn beside single ones.
    ``has_unknown``: a sign stands for rows without a year.
    """

    panels: tuple[ChartPanel, ...]
    series: tuple[str, ...]
    suppressed: tuple[str, ...]
    omitted: tuple[str, ...]
    has_unknown: bool


def draw_figure(table: StatisticsTable, language: Language) -> ChartFigure:
    """Return the charts of ``table``, which must have dimensions and counts."""
    first, rows = table.lines[0], table.rows()
    has_years = any(
        values[0].code != EARLIER and count is not None
        for values, counts in rows
        for count in counts
    )
    together = [
        value for value in first.values if first.is_time and value.code == EARLIER and has_years
    ]
    rows = [(values, counts) for values, counts in rows if values[0] not in together]
    shown = [
        (values, at, count)
        for values, counts in rows
        for at, count in enumerate(counts)
        if count is not None
    ]
    with_counts = {values[0] for values, _, _ in shown}
    # A year without counts is a gap among years; anything else without them is only named.
    categories = [
        value
        for value in first.values
        if value not in together
        and (value in with_counts or (first.is_time and value.code != UNKNOWN))
    ]
    series = sorted({at for _, at, _ in shown})
    panels = dict.fromkeys(values[1:] for values, _, _ in shown)
    groups: dict[tuple[ShownValue, ...], list[BarGroup]] = defaultdict(list)
    all_series = table.series.values if table.series else ()
    names = tuple(language.sentence(all_series[at].title) for at in series if all_series)
    for values, counts in rows:
        if values[1:] in panels and values[0] in categories:
            bars = [counts[at] for at in series]
            groups[values[1:]].append(_group(values[0], first.is_time, bars, names, language))
    highest = max((count for _, _, count in shown), default=0)
    suppressed = (
        *((value,) for value in first.values if value not in (*categories, *together)),
        *((value,) for at, value in enumerate(all_series) if at not in series),
        *(key for key in dict.fromkeys(values[1:] for values, _ in rows) if key not in panels),
    )
    return ChartFigure(
        tuple(_panel(key, group, highest, table, language) for key, group in groups.items()),
        names,
        tuple(dict.fromkeys(_title(key, language) for key in suppressed if key)),
        tuple(_title((value,), language) for value in together),
        first.is_time and any(value.code == UNKNOWN for value in categories),
    )


def _title(values: Sequence[ShownValue], language: Language) -> str:
    return " · ".join(language.sentence(value.title) for value in values)


def _group(
    value: ShownValue,
    is_time: bool,
    counts: Sequence[int | None],
    names: Sequence[str],
    language: Language,
) -> BarGroup:
    words = language.sentence(value.title)
    is_marked = is_time and value.code == UNKNOWN
    titles = tuple(
        f"{words}{f', {name}' if name else ''}: {say_count(count, language)}"
        for name, count in zip(names or ("",), counts, strict=True)
    )
    label, brief = (UNKNOWN_MARK,) * 2 if is_marked else (words, value.code[-2:])
    return BarGroup(label, brief, tuple(counts), titles)


def _panel(
    key: Sequence[ShownValue],
    groups: Sequence[BarGroup],
    highest: int,
    table: StatisticsTable,
    language: Language,
) -> ChartPanel:
    title = _title(key, language)
    if table.lines[0].is_time:
        ticks = [(value, language.number(str(value))) for value in scale_of(highest)]
        chart = draw_columns(groups, ticks, _TALL_ALONE if not key else _TALL)
    else:
        labels = [[say_count(count, language) for count in group.counts] for group in groups]
        chart = draw_rows(groups, highest, labels)
    return ChartPanel(title, chart, _summary(title, groups, table, language))


def _summary(
    title: str, groups: Sequence[BarGroup], table: StatisticsTable, language: Language
) -> str:
    """Return in words what a chart shows: by what, its largest bar, and how many are suppressed."""
    say = {name: language.choose(text) for name, text in STATISTICS.items()}
    by = ", ".join(language.choose(dimension.title) for dimension in table.dimensions)
    bars = [
        (count, words)
        for group in groups
        for count, words in zip(group.counts, group.titles, strict=True)
    ]
    shown = [(count, words) for count, words in bars if count is not None]
    parts = [f"{say['chart_of']} {say['counted_by']} {by}{f' ({title})' if title else ''}"]
    if shown:
        parts.append(f"{say['largest']}: {max(shown)[1]}")
    if len(shown) < len(bars):
        parts.append(f"{say['cells_suppressed']}: {len(bars) - len(shown)}")
    return f"{'. '.join(parts)}. {say['table_has_all']}"


def say_count(count: int | None, language: Language) -> str:
    """Return a count as people read it; one that is not shown is said to be suppressed."""
    if count is None:
        return language.choose(STATISTICS["suppressed"])
    return language.number(str(count))
