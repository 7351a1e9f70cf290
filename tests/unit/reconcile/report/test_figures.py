"""No figure of a report can be worked out that it hides, from the last report either.

Covers ``reconcile.report.cells``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from disclosure.cells import Cell
from disclosure.control import BASE, SMALLEST_SHOWN
from reconcile.layout import RunFolder
from reconcile.manifest import ExtractProgress, read_manifest
from reconcile.report.case_checks import CheckScope, check_cases
from reconcile.report.cells import (
    PEOPLE,
    TOTAL,
    ReportCells,
    build_cells,
    earlier_cell,
    finding_cell,
    rule_cell,
)
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.counts import RunCounts, write_counts
from reconcile.report.figures import (
    HIDDEN,
    NONE,
    NOT_CHECKED,
    FigureState,
    ReportFigures,
    build_figures,
)
from rules.registry import RULES
from rules.rule import ConflictSeverity
from tests.support.disclosure_attack import FEWEST_CHOICES, Attack
from tests.support.report_runs import (
    HASH_KEY,
    SETTINGS,
    PlantedFinding,
    RunBuilder,
    draw_births,
    draw_findings,
    records_read,
)

#: Pairs of reports that are attacked; ``make disclosure`` takes more.
ATTACKS = max(2, int(os.environ.get("DISCLOSURE_ATTACKS", "2")))
CELLS = 60 if ATTACKS <= 4 else 10_000
MARRIAGES = "civil_status.marriages"


def cells_of(counts: RunCounts, run: RunFolder) -> ReportCells:
    manifest = read_manifest(run.manifest)
    is_compared = counts.comparability is Comparability.COMPARED
    checks = check_cases(RULES, manifest, counts.gaps)
    return build_cells(counts.rows, RULES, checks, 2026, is_compared=is_compared)


def published(figures: ReportFigures) -> dict[str, int | None]:
    return {rule.name: figures.figure(rule_cell(rule.name)).count for rule in RULES}


def draw_runs(rng: Random, path: Path) -> tuple[RunBuilder, list[Sequence[PlantedFinding]]]:
    """Return a folder with extracts, and the findings of two runs with many in common."""
    builder = RunBuilder.at(path)
    builder.extracts = {("civil_status", "births"): draw_births(rng, rng.choice([30, 300]))}
    size = rng.choice([40, 300, 2000])
    before = draw_findings(rng, size)
    after = [each for each in before if rng.random() < rng.choice([0.5, 0.95, 0.99])]
    return builder, [before, after + draw_findings(rng, size // rng.choice([4, 40]), 10_000)]


def require_no_single_gap(cells: ReportCells, figures: ReportFigures) -> None:
    """Fail for a line that hides one cell alone; what the last report shows cannot be hidden."""
    for line in cells.lines:
        every = [line.total, *line.parts]
        hidden = [cell for cell in every if cell not in figures.shown]
        others = [cell for cell in every if cell in figures.shown and cell[0][0] != "earlier"]
        assert len(hidden) != 1 or not others


@pytest.mark.parametrize("seed", range(ATTACKS))
def test_no_hidden_figure_follows_from_two_reports(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    builder, findings = draw_runs(rng, tmp_path)
    lost = ExtractProgress(parts=1, rows=9, failure="it went away")
    progress = [{}, {MARRIAGES: lost} if seed % 2 else {}]
    attack, exposed, shown_before = Attack(), [], None
    reports: list[ReportCells] = []
    for time in range(2):
        run = builder.add(findings[time], progress[time])
        counts = write_counts(builder.folder, run, RULES, [], SETTINGS)
        manifest = read_manifest(run.manifest)
        figures = build_figures(counts, manifest, RULES, HASH_KEY, shown_before)
        cells = cells_of(counts, run)
        attack.add_tables(cells.counts, cells.lines, figures.shown)
        reports.append(cells)
        shown_before = published(figures)
        for cell, count in cells.counts.items():
            figure = figures.figure(cell)
            assert figure.state is not FigureState.NOT_CHECKED
            assert figure.count is None or abs(figure.count - count) < BASE
            assert figure.count is None or (count >= SMALLEST_SHOWN and figure.count % BASE == 0)
        require_no_single_gap(cells, figures)
    for rule in RULES:
        cell = earlier_cell(rule.name)
        if cell in reports[1].counts:
            before = reports[0].resolve(rule_cell(rule.name))
            assert reports[0].counts[before] == reports[1].counts[cell]
            attack.equate((0, before), (1, cell))
    for time, cells in enumerate(reports):
        everything: list[Cell] = list(cells.counts)
        exposed += [
            (time, cell, cells.counts[cell])
            for cell in rng.sample(everything, min(CELLS, len(everything)))
            if attack.choices(time, cell) < FEWEST_CHOICES
        ]
    assert exposed == []


def figures_of(builder: RunBuilder, run: RunFolder) -> ReportFigures:
    counts = write_counts(builder.folder, run, RULES, [], SETTINGS)
    before = None if counts.earlier is None else {rule.name: 0 for rule in RULES}
    return build_figures(counts, read_manifest(run.manifest), RULES, HASH_KEY, before)


def test_what_was_not_checked_has_no_figure_and_is_no_hidden_cell(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add(
        [PlantedFinding("SEX", number) for number in range(40)], {"civil_status.marriages": None}
    )
    figures = figures_of(builder, run)
    assert figures.figure(rule_cell("SELF_MARRIAGE")) == NOT_CHECKED
    assert figures.figure(rule_cell("DEATH_DATE")) == HIDDEN
    assert figures.figure(rule_cell("SEX")).count == pytest.approx(40, abs=4)
    assert rule_cell("SELF_MARRIAGE") not in figures.all_cells


def test_a_run_that_read_nothing_shows_nothing(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add([], dict.fromkeys(records_read()))
    figures = figures_of(builder, run)
    for cell in (TOTAL, PEOPLE, finding_cell("severity", "HIGH"), finding_cell("province", "01")):
        assert figures.figure(cell) == NOT_CHECKED
    assert {result.scope for result in figures.results} == {CheckScope.NOBODY}


def test_all_findings_of_a_run_are_in_its_total(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add(draw_findings(Random(9), 800))
    figures = figures_of(builder, run)
    assert figures.figure(TOTAL).count == pytest.approx(800, abs=4)
    severities = [figures.figure(finding_cell("severity", each.name)) for each in ConflictSeverity]
    assert sum(figure.count or 0 for figure in severities) == pytest.approx(800, abs=12)


def test_what_cannot_have_changed_is_none_and_not_hidden(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    figures_of(builder, builder.add([PlantedFinding("SEX", 1)], {MARRIAGES: None}))
    figures = figures_of(builder, builder.add([PlantedFinding("SEX", 2)]))
    results = {result.rule.name: result for result in figures.results}
    sex, marriage = results["SEX"], results["SELF_MARRIAGE"]
    assert figures.change(FindingChange.UNCHECKED_NOW, sex) == NONE
    assert figures.change(FindingChange.UNCHECKED_BEFORE, sex) == NONE
    assert figures.change(FindingChange.GONE, sex) == HIDDEN
    assert figures.change(FindingChange.GONE, marriage) == NOT_CHECKED
    assert figures.change(FindingChange.NEW, marriage) == NOT_CHECKED
    assert figures.change(FindingChange.UNCHECKED_BEFORE, marriage) == HIDDEN


def test_counts_of_other_rules_are_refused(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add([PlantedFinding("SEX", 1)])
    counts = write_counts(builder.folder, run, RULES, [], SETTINGS)
    others = [rule for rule in RULES if rule.name != "SEX"]
    with pytest.raises(ValueError, match="SEX"):
        build_figures(counts, read_manifest(run.manifest), others, HASH_KEY, None)


def test_an_amount_says_that_there_is_something_before_it_says_how_much(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    figures = figures_of(builder, builder.add([]))
    assert figures.amount("a", 9) == HIDDEN
    assert figures.amount("a", 12).count in (10, 15)
