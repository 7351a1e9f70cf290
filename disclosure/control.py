"""Which cells of tables are shown, and as what.

- Small cells, of fewer than ten records, are suppressed; zero is one of them, since "nobody" tells
  as much as "one person" of whoever is known to belong there.
- Other counts are rounded to a multiple of five. A key decides for each cell from which remainder
  on it is rounded up, so that the same cell with the same records always shows the same, a count
  that grows never shrinks, and nobody knows which way a cell went.
- Further cells are suppressed until an audit is content: whoever adds and subtracts shown cells,
  over all tables, must be left with at least ``_SUPPRESSED_CHOICES`` possible counts
  of each suppressed cell and ``_SHOWN_CHOICES`` of each shown one.

The methods are those of Hundepool et al., Statistical Disclosure Control (2012), chapter 4
(complementary suppression, feasibility intervals) and 5 (rounding), with deterministic thresholds
in place of random ones. Thresholds and base are the project's, not a law's.
"""

from __future__ import annotations

import hmac
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from disclosure.cells import Cell, Equation

#: Cells with fewer records are suppressed.
SMALLEST_SHOWN = 10
#: Shown counts are multiples of it.
BASE = 5
#: Counts that must remain possible for a suppressed cell, and for a shown one.
_SUPPRESSED_CHOICES, _SHOWN_CHOICES = 4, 3
#: No count is this large.
_MANY = 10**12


@dataclass(frozen=True, slots=True)
class SafeCells:
    """What may be shown of tables. ``shown``: the rounded count of each cell that is."""

    shown: Mapping[Cell, int]

    def count(self, cell: Cell) -> int | None:
        """Return the rounded count of a cell; None: it is suppressed."""
        return self.shown.get(cell)


def protect_counts(
    counts: Mapping[Cell, int],
    lines: Sequence[Equation],
    key: bytes,
    published: Mapping[Cell, int | None] | None = None,
) -> SafeCells:
    """Return what may be shown of the cells that ``counts`` has, zero cells among them.

    ``lines``: all equations between these cells that anybody can know. ``key``: decides how cells
    are rounded. ``published``: cells that were shown before, as what, or None for those that were
    suppressed then: they stay so, and others are suppressed until the audit is content with both.
    Cells that were shown before cannot be taken back: where they alone expose a cell, nothing can
    be done about it. Raises ValueError where a cell cannot have been shown so.

    Some 20 us a cell, for each round of the audit; there are a few.
    """
    published = published or {}
    for cell, shown in published.items():
        if shown is not None and not may_be_shown_as(counts[cell], shown):
            raise ValueError(f"{cell} cannot have been shown as {shown}")
    suppression = _Suppression(counts, lines, key, published)
    suppression.run()
    return SafeCells(suppression.shown)


def round_count(count: int, threshold: int) -> int:
    """Return ``count`` rounded to a multiple of ``BASE``: up from remainder ``threshold`` on.

    ``threshold``: 1 to ``BASE``; ``BASE``: always down.
    """
    remainder = count % BASE
    return count - remainder + (BASE if remainder >= threshold else 0)


def may_be_shown_as(count: int, shown: int) -> bool:
    """Whether ``shown`` is a rounding of ``count``, by some key."""
    return count >= SMALLEST_SHOWN and shown % BASE == 0 and abs(shown - count) < BASE


def threshold_of(key: bytes, cell: Cell) -> int:
    """Return the remainder from which on a cell is rounded up, 1 to ``BASE``."""
    names, values = cell
    text = "\x00".join((*names, "", *values)).encode()
    digest = hmac.new(key, text, sha256).digest()
    return 1 + int.from_bytes(digest[:8], "big") % BASE


@dataclass(frozen=True, slots=True)
class Interval:
    """The counts that are possible for a cell, from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def choices(self) -> int:
        """How many counts are possible."""
        return self.high - self.low + 1


class EquationSystem:
    """The lines of a lattice by the places of its cells, for bounds that are tightened along them.

    A bound is a plain number in a list: an audit tightens some 100,000 of them.
    """

    def __init__(self, cells: Iterable[Cell], lines: Iterable[Equation]) -> None:
        self.cells = tuple(cells)
        self.places = {cell: place for place, cell in enumerate(self.cells)}
        self.lines = [
            (self.places[line.total], [self.places[cell] for cell in line.parts]) for line in lines
        ]
        self.lines_of: list[list[int]] = [[] for _ in self.cells]
        for number, (total, parts) in enumerate(self.lines):
            for place in (total, *parts):
                self.lines_of[place].append(number)

    def feasible_intervals(self, shown: Mapping[Cell, int]) -> dict[Cell, Interval]:
        """Return what counts are possible for each cell, for who knows ``shown`` and the method.

        Bounds are tightened along lines until none changes.
        """
        low, high = [0] * len(self.cells), [_MANY] * len(self.cells)
        for cell, count in shown.items():
            place = self.places[cell]
            low[place] = max(SMALLEST_SHOWN, count - BASE + 1)
            high[place] = count + BASE - 1
        waiting = deque(range(len(self.lines)))
        is_waiting = [True] * len(self.lines)
        while waiting:
            number = waiting.popleft()
            is_waiting[number] = False
            for place in self._tighten(number, low, high):
                for other in self.lines_of[place]:
                    if not is_waiting[other]:
                        is_waiting[other] = True
                        waiting.append(other)
        intervals = map(Interval, low, high)
        return dict(zip(self.cells, intervals, strict=True))

    def _tighten(self, number: int, low: list[int], high: list[int]) -> list[int]:
        """Tighten the bounds of the cells of a line; return the places of those that changed."""
        total, parts = self.lines[number]
        sum_low = sum([low[place] for place in parts])
        sum_high = sum([high[place] for place in parts])
        changed = []
        if sum_low > low[total] or sum_high < high[total]:
            low[total], high[total] = max(sum_low, low[total]), min(sum_high, high[total])
            changed.append(total)
        below, above = low[total] - sum_high, high[total] - sum_low
        for place in parts:
            part_low, part_high = below + high[place], above + low[place]
            if part_low > low[place] or part_high < high[place]:
                low[place], high[place] = max(part_low, low[place]), min(part_high, high[place])
                changed.append(place)
        return changed


@dataclass(slots=True)
class _Suppression:
    """Suppresses cells until the audit is content."""

    counts: Mapping[Cell, int]
    lines: Sequence[Equation]
    key: bytes
    published: Mapping[Cell, int | None]
    shown: dict[Cell, int] = field(default_factory=dict)
    lines_of: dict[Cell, list[Equation]] = field(default_factory=lambda: defaultdict(list))

    def run(self) -> None:
        """Suppress small cells, then others for as long as one can be worked out."""
        self.shown = {
            cell: round_count(count, threshold_of(self.key, cell))
            for cell, count in self.counts.items()
            if count >= SMALLEST_SHOWN and cell not in self.published
        }
        self.shown |= {cell: count for cell, count in self.published.items() if count is not None}
        for line in self.lines:
            for cell in (line.total, *line.parts):
                self.lines_of[cell].append(line)
        self._leave_no_single_gap()
        equations = EquationSystem(self.counts, self.lines)
        while exposed := self._exposed(equations):
            before = len(self.shown)
            for cell in exposed:
                self._cover(cell)
            if len(self.shown) == before:
                return

    def _exposed(self, equations: EquationSystem) -> list[Cell]:
        """Return the cells that leave too few counts possible."""
        return [
            cell
            for cell, interval in equations.feasible_intervals(self.shown).items()
            if interval.choices < (_SHOWN_CHOICES if cell in self.shown else _SUPPRESSED_CHOICES)
        ]

    def _leave_no_single_gap(self) -> None:
        """Suppress a second cell in every line with one: most of what the audit would ask for."""
        waiting = deque(cell for cell in self.counts if cell not in self.shown)
        while waiting:
            cell = waiting.popleft()
            for line in self.lines_of[cell]:
                rest = [other for other in (line.total, *line.parts) if other != cell]
                if rest and all(other in self.shown for other in rest):
                    smallest = self._smallest(rest)
                    if smallest is not None:
                        del self.shown[smallest]
                        waiting.append(smallest)

    def _cover(self, cell: Cell) -> None:
        """Suppress an exposed cell, or else the smallest cell of each line that it stands in.

        Ends: each call suppresses a cell, or finds nothing that could be suppressed for this one.
        """
        if cell in self.shown and cell not in self.published:
            del self.shown[cell]
            return
        for line in self.lines_of[cell]:
            smallest = self._smallest((line.total, *line.parts))
            if smallest is not None:
                del self.shown[smallest]

    def _smallest(self, cells: Iterable[Cell]) -> Cell | None:
        """Return the smallest of ``cells`` that can still be suppressed."""
        choice = [cell for cell in cells if cell in self.shown and cell not in self.published]
        return min(choice, key=lambda cell: (self.counts[cell], cell), default=None)
