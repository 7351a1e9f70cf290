"""The summary of a run on a terminal: what was checked first, then findings by rule."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reconcile.report.case_checks import CheckScope
from reconcile.report.cells import PEOPLE, TOTAL, rule_cell
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.figures import Figure, ReportFigures
from reconcile.report.page import number
from reconcile.report.phrases import COMPARABILITIES, EXTRACT_STATES, SCOPES, STATES
from reconcile.report.summary import extract_state, records_of, rows_figure, unreadable_columns


def print_summary(figures: ReportFigures, console: Console) -> None:
    """Print a run in figures that may be shown."""
    scopes = Counter(result.scope for result in figures.results)
    manifest = figures.manifest
    console.print(f"{escape(manifest.run)}, day {manifest.day}, {manifest.engine}")
    for scope in reversed(CheckScope):
        console.print(f"  rules {SCOPES[scope].en}: {scopes[scope]}")
    console.print(_sources(figures))
    console.print(_rules(figures))
    total, people = figures.figure(TOTAL), figures.figure(PEOPLE)
    console.print(f"findings: {_say(total)}; people with findings: {_say(people)}")
    if figures.comparability is not Comparability.COMPARED:
        console.print(COMPARABILITIES[figures.comparability].en)


def _sources(figures: ReportFigures) -> Table:
    table = Table("record", "state", "rows", "values that cannot be read", title="Data")
    for name in records_of(figures):
        progress = figures.manifest.extracts.get(name)
        state = extract_state(progress)
        columns = [] if progress is None else unreadable_columns(figures, name, progress)
        unreadable = ", ".join(f"{column}: {_figure_text(figure)}" for column, figure in columns)
        table.add_row(
            escape(name),
            EXTRACT_STATES[state].en,
            "" if progress is None else _say(rows_figure(figures, name)),
            escape(unreadable) or ("none" if state == "COMPLETE" else "not known"),
        )
    return table


def _rules(figures: ReportFigures) -> Table:
    is_compared = figures.comparability is Comparability.COMPARED
    changes = (
        [FindingChange.NEW, FindingChange.GONE, FindingChange.UNCHECKED_NOW] if is_compared else []
    )
    headings = {
        FindingChange.NEW: "new",
        FindingChange.GONE: "gone",
        FindingChange.UNCHECKED_NOW: "not checked this time",
    }
    table = Table("rule", "severity", "checked", title="Findings")
    for heading in ("findings", *(headings[change] for change in changes)):
        table.add_column(heading, justify="right")
    for result in figures.results:
        table.add_row(
            result.rule.name,
            result.rule.severity.title.en,
            SCOPES[result.scope].en,
            _say(figures.figure(rule_cell(result.rule.name))),
            *(_say(figures.change(change, result)) for change in changes),
        )
    return table


def _say(figure: Figure) -> str:
    return STATES[figure.state].en if figure.count is None else number(figure.count)


def _figure_text(figure: Figure) -> str:
    return "some" if figure.count is None else number(figure.count)
