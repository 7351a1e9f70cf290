"""A waterfall picture of a weight: what each comparison adds to it or takes from it.

An SVG of our own: readable without colours (signs and numbers stand beside the bars), in light and
dark, with a title and a description for screen readers, and without anything from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from connectors.description import Text
from reconcile.linkage.comparisons import COMPARISONS
from reconcile.linkage.proposals import ComparisonWeight

_WIDTH, _ROW, _LABELS, _NUMBERS = 660, 34, 290, 56
#: Weights beyond it are cut at the edge of the picture; their numbers are written all the same.
_EDGE = 40.0
STYLE = """
.waterfall{font:13px system-ui,sans-serif;max-width:100%;height:auto;background:#fff}
.waterfall text{fill:#1b1b1b}.waterfall .english{font-size:11px}
.waterfall .plus{fill:#1a7f4b}.waterfall .minus{fill:#b3261e}
.waterfall .sum{fill:#4a5568}.waterfall line{stroke:#8a8a8a}
@media(prefers-color-scheme:dark){.waterfall{background:#161616}.waterfall text{fill:#ececec}
.waterfall .plus{fill:#4cc38a}.waterfall .minus{fill:#ff8a80}
.waterfall .sum{fill:#a0aec0}.waterfall line{stroke:#777}}
"""
_BEFORE = Text("trước khi so sánh", "before comparing")
_SUM = Text("tổng trọng số", "match weight")


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    start: float
    weight: float
    kind: str


def waterfall(
    record: str,
    weight: float,
    comparisons: Sequence[ComparisonWeight],
    identity: str,
    *,
    standalone: bool = False,
) -> str:
    """Return the picture of a proposal as SVG.

    ``identity``: begins the ids of its parts, unique in a page. ``standalone``: with its style, as
    a file; without, the page has ``STYLE``.
    """
    bars = _bars(record, weight, comparisons)
    height = _ROW * len(bars) + 14
    rows = "".join(_row(bar, place) for place, bar in enumerate(bars))
    style = f"<style>{STYLE}</style>" if standalone else ""
    zero = _x(0)
    title = f"Trọng số {weight:+.1f} · Match weight {weight:+.1f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="waterfall" role="img" '
        f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'aria-labelledby="{identity}-t {identity}-d">'
        f'<title id="{identity}-t">{title}</title>'
        f'<desc id="{identity}-d">{escape(_description(bars))}</desc>{style}'
        f'<line x1="{zero}" x2="{zero}" y1="2" y2="{height - 2}"/>{rows}</svg>'
    )


def _bars(record: str, weight: float, comparisons: Sequence[ComparisonWeight]) -> list[_Bar]:
    before = weight - sum(part.weight for part in comparisons)
    bars, at = [_Bar(_label(_BEFORE), 0.0, before, _sign(before))], before
    for part in comparisons:
        label = _part_label(record, part)
        bars.append(_Bar(label, at, part.weight, _sign(part.weight)))
        at += part.weight
    return [*bars, _Bar(_label(_SUM), 0.0, weight, "sum")]


def _sign(weight: float) -> str:
    return "minus" if weight < 0 else "plus"


def _label(text: Text) -> str:
    return f"{text.vi} · {text.en}"


def _part_label(record: str, part: ComparisonWeight) -> str:
    item = next(item for item in COMPARISONS[record] if item.name == part.name)
    level = item.level_text(part.level)
    return f"{item.title.vi}: {level.vi} · {item.title.en}: {level.en}"


def _description(bars: list[_Bar]) -> str:
    return "; ".join(f"{bar.label} {bar.weight:+.1f}" for bar in bars)


def _x(weight: float) -> float:
    share = (max(-_EDGE, min(_EDGE, weight)) + _EDGE) / (2 * _EDGE)
    return round(_LABELS + share * (_WIDTH - _LABELS - _NUMBERS), 1)


def _row(bar: _Bar, place: int) -> str:
    left, right = sorted((_x(bar.start), _x(bar.start + bar.weight)))
    top = place * _ROW + 8
    vietnamese, _, english = bar.label.partition(" · ")
    return (
        f'<text x="0" y="{top + 10}" lang="vi">{escape(vietnamese)}</text>'
        f'<text x="0" y="{top + 24}" lang="en" class="english">{escape(english)}</text>'
        f'<rect class="{bar.kind}" x="{left}" y="{top}" width="{round(max(right - left, 1), 1)}" '
        f'height="{_ROW - 18}"/>'
        f'<text x="{_WIDTH}" y="{top + 12}" text-anchor="end">{bar.weight:+.1f}</text>'
    )
