"""What the summary and the report may show of the counts of a run, under disclosure control.

Nothing that leaves the run's folder has a count from anywhere else.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from hashlib import sha256

from disclosure.cells import Cell
from disclosure.control import (
    SMALLEST_SHOWN,
    may_be_shown_as,
    protect_counts,
    round_count,
    threshold_of,
)
from reconcile.manifest import Manifest
from reconcile.report.case_checks import CaseScope, CheckScope, check_cases, rule_scope
from reconcile.report.cells import (
    EARLIER_TOTAL,
    ReportCells,
    RuleChecks,
    build_cells,
    change_cell,
    earlier_cell,
    rule_checks,
)
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.counts import RunCounts
from rules.rule import ConflictRule


class FigureState(Enum):
    """Whether a figure is shown. What was not checked has no figure, not even a hidden one.

    ``NONE``: it follows from whom was checked that there is nothing.
    """

    SHOWN = "SHOWN"
    HIDDEN = "HIDDEN"
    NONE = "NONE"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: a multiple of five, or None with the reason."""

    state: FigureState
    count: int | None = None


HIDDEN = Figure(FigureState.HIDDEN)
NONE = Figure(FigureState.NONE)
NOT_CHECKED = Figure(FigureState.NOT_CHECKED)


@dataclass(frozen=True, slots=True)
class RuleCheckResult:
    """For whom a rule was checked: ``cases`` in their order, ``checks`` in this run and before."""

    rule: ConflictRule
    scope: CheckScope
    cases: tuple[CaseScope, ...]
    checks: RuleChecks


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """The figures of a run. ``year``: the last that stands by itself.

    ``shown``: by cell. ``same``: cells that are always another one. ``all_cells``: those that can
    hold anything; a cell that is none of them was not checked.
    """

    manifest: Manifest
    comparability: Comparability
    earlier: str | None
    results: tuple[RuleCheckResult, ...]
    year: int
    shown: Mapping[Cell, int]
    same: Mapping[Cell, Cell]
    all_cells: frozenset[Cell]
    key: bytes

    def figure(self, cell: Cell) -> Figure:
        """Return what may be shown of a cell."""
        while cell in self.same:
            cell = self.same[cell]
        if cell not in self.all_cells:
            return NOT_CHECKED
        count = self.shown.get(cell)
        return HIDDEN if count is None else Figure(FigureState.SHOWN, count)

    def change(self, change: FindingChange, result: RuleCheckResult | None = None) -> Figure:
        """Return what became of the findings of a rule, or of all."""
        results = self.results if result is None else (result,)
        figure = self.figure(change_cell(change, "" if result is None else result.rule.name))
        if figure is NOT_CHECKED and all(result.checks.is_none(change) for result in results):
            return NONE
        return figure

    def amount(self, name: str, count: int) -> Figure:
        """Return what may be shown of a count that is part of no sum, and is not 0.

        It says how much could not be read or checked. That there is such a thing must be said, how
        many only from ten on.
        """
        if count < SMALLEST_SHOWN:
            return HIDDEN
        threshold = threshold_of(self.key, (("amount",), (name,)))
        return Figure(FigureState.SHOWN, round_count(count, threshold))


def disclosure_key(hash_key: bytes) -> bytes:
    """Return the key of roundings: the same for all reports under one key of keyed hashes."""
    return hmac.new(hash_key, b"disclosure control of reports", sha256).digest()


def build_figures(
    counts: RunCounts,
    manifest: Manifest,
    rules: Sequence[ConflictRule],
    hash_key: bytes,
    published: Mapping[str, int | None] | None,
) -> ReportFigures:
    """Return what may be shown of ``counts``.

    ``published``: what the report that this one is compared with shows of each rule, and by "" of
    all, None where it hides it. None in its place: it cannot be read, so that all of it is hidden.
    Costs some milliseconds. Raises ValueError for counts of other rules.
    """
    checks = check_cases(rules, manifest, counts.gaps)
    year = date.fromisoformat(manifest.day).year
    is_compared = counts.comparability is Comparability.COMPARED
    cells = build_cells(counts.rows, rules, checks, year, is_compared=is_compared)
    fixed = _published_cells(cells, rules, published or {})
    key = disclosure_key(hash_key)
    safe = protect_counts(cells.counts, cells.lines, key, fixed)
    return ReportFigures(
        manifest,
        counts.comparability,
        counts.earlier,
        tuple(_result(rule, checks, counts) for rule in rules),
        year,
        safe.shown,
        cells.same,
        frozenset(cells.counts),
        key,
    )


def _published_cells(
    cells: ReportCells, rules: Sequence[ConflictRule], published: Mapping[str, int | None]
) -> dict[Cell, int | None]:
    """Return the cells of the earlier run with what its report shows of them.

    What it cannot have shown is hidden: the file is not what was published.
    """
    before = {EARLIER_TOTAL: "", **{earlier_cell(rule.name): rule.name for rule in rules}}
    fixed: dict[Cell, int | None] = {}
    for cell_name, rule in before.items():
        cell, shown = cells.resolve(cell_name), published.get(rule)
        if cell in cells.counts:
            is_true = shown is not None and may_be_shown_as(cells.counts[cell], shown)
            fixed[cell] = shown if is_true else None
    return fixed


def _result(
    rule: ConflictRule, checks: Mapping[tuple[str, int], CaseScope], counts: RunCounts
) -> RuleCheckResult:
    cases = tuple(checks[rule.name, place] for place in range(len(rule.cases)))
    return RuleCheckResult(rule, rule_scope(cases), cases, rule_checks(counts.rows, rule, checks))
