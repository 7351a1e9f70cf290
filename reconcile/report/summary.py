"""``summary.json``: a run in figures that may leave its folder, for programs.

What was checked comes with every figure. ``docs/reference/reconcile-report.md`` documents the keys.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from disclosure.control import BASE, SMALLEST_SHOWN
from reconcile.layout import RunFolder
from reconcile.manifest import ExtractProgress
from reconcile.report.case_checks import ENGINE, CheckScope
from reconcile.report.cells import (
    EARLIER_TOTAL,
    PEOPLE,
    TOTAL,
    earlier_cell,
    finding_cell,
    former_cell,
    record_cell,
    rule_cell,
    year_values,
)
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.completeness import measures_of
from reconcile.report.figures import HIDDEN, Figure, ReportFigures, RuleCheckResult
from reconcile.report.needs import is_withheld
from reconcile.report.provinces import UNKNOWN, provinces
from rules.rule import ConflictSeverity

#: Of the keys of ``summary.json``.
SUMMARY_VERSION = 1
#: Nine digits and more in a row could be a person's number.
_NUMBER = re.compile(r"\d{9,}")
_LONGEST_FAILURE = 200


def build_summary(figures: ReportFigures) -> dict[str, Any]:
    """Return the content of ``summary.json``."""
    manifest = figures.manifest
    return {
        "version": SUMMARY_VERSION,
        "run": manifest.run,
        "day": manifest.day,
        "started": manifest.started,
        "finished": manifest.finished,
        "engine": manifest.engine,
        "rules_digest": manifest.rules,
        "disclosure": {"hidden_below": SMALLEST_SHOWN, "multiple_of": BASE},
        "records": list(_records(figures)),
        "rules": [_rule(figures, result) for result in figures.results],
        "findings": _findings(figures),
        "comparison": _comparison(figures),
        "completeness": [
            {
                "database": measure.database,
                "record": measure.record,
                "measure": measure.name,
                **_figure(measure.figure),
                "of": _figure(measure.base),
                "is_partial": measure.is_partial,
                "has_unreadable": measure.has_unreadable,
            }
            for measure in measures_of(figures)
        ],
    }


def write_text(file: Path, text: str) -> None:
    """Replace a file with a text; on return it is on disk. Raises OSError.

    Only its owner may read it: who passes it on, decides so.
    """
    temporary = file.with_name(f"{file.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)


def summary_text(summary: Mapping[str, Any]) -> str:
    """Return a summary as the text of its file."""
    return json.dumps(summary, ensure_ascii=False, indent=1) + "\n"


def read_published(run: RunFolder) -> dict[str, int | None] | None:
    """Return what the summary of a run shows of each rule, and by "" of all; None: unreadable."""
    try:
        summary = json.loads(run.summary.read_text("utf-8"))
        if summary["version"] != SUMMARY_VERSION:
            return None
        shown = {rule["rule"]: rule["findings"]["count"] for rule in summary["rules"]}
        return {**shown, "": summary["findings"]["total"]["count"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def extract_state(progress: ExtractProgress | None) -> str:
    """Return how far a record was read: COMPLETE, INCOMPLETE, FAILED or NOT_EXTRACTED."""
    if progress is None:
        return "NOT_EXTRACTED"
    if progress.failure is not None:
        return "FAILED"
    return "COMPLETE" if progress.complete else "INCOMPLETE"


def records_of(figures: ReportFigures) -> list[str]:
    """Return the records that the run extracted or that its rules read, by database."""
    read = {
        f"{side.row.record.database}.{side.row.record.name}"
        for result in figures.results
        for case in result.rule.cases
        for side in case.sides
    }
    return sorted({*figures.manifest.extracts, *read})


def failure_text(progress: ExtractProgress) -> str | None:
    """Return why a record was not read to its end, without what could be a person's number."""
    if progress.failure is None:
        return None
    return _NUMBER.sub("…", progress.failure)[:_LONGEST_FAILURE]


def unreadable_columns(
    figures: ReportFigures, name: str, progress: ExtractProgress
) -> Iterator[tuple[str, Figure]]:
    """Yield the columns of which values could not be read, with how many may be said."""
    database, _, record = name.partition(".")
    for column, count in sorted(progress.unreadable.items()):
        if count:
            is_hidden = is_withheld(database, record)
            yield column, HIDDEN if is_hidden else figures.amount(f"{name}.{column}", count)


def rows_figure(figures: ReportFigures, name: str) -> Figure:
    """Return how many rows of a record were read."""
    database, _, record = name.partition(".")
    if is_withheld(database, record):
        return HIDDEN
    return figures.figure(record_cell(database, record, "rows"))


def _records(figures: ReportFigures) -> Iterator[dict[str, Any]]:
    for name in records_of(figures):
        database, _, record = name.partition(".")
        progress = figures.manifest.extracts.get(name)
        state = extract_state(progress)
        progress = progress or ExtractProgress()
        yield {
            "database": database,
            "record": record,
            "state": state,
            "rows": _figure(rows_figure(figures, name)),
            "unreadable": [
                {"column": column, **_figure(figure)}
                for column, figure in unreadable_columns(figures, name, progress)
            ],
            "failure": failure_text(progress),
        }


def _rule(figures: ReportFigures, result: RuleCheckResult) -> dict[str, Any]:
    return {
        "rule": result.rule.name,
        "severity": result.rule.severity.name,
        "checked_for": result.scope.name,
        "findings": _figure(figures.figure(rule_cell(result.rule.name))),
        "unchecked": [
            {
                "case": case.place,
                "checked_for": case.scope.name,
                "reasons": [
                    {"record": None if record == ENGINE else record, "reason": reason.value}
                    for record, reason in case.reasons
                ],
                "people": _people(figures, result.rule.name, case.place, case.people),
            }
            for case in result.cases
            if case.scope is not CheckScope.EVERYBODY
        ],
    }


def _people(
    figures: ReportFigures, rule: str, place: int, people: int | None
) -> dict[str, Any] | None:
    """Return for how many people a case was not checked; None: it is not told."""
    if people is None:
        return None
    return _figure(figures.amount(f"unchecked.{rule}.{place}", people))


def _findings(figures: ReportFigures) -> dict[str, Any]:
    all_provinces = provinces()
    databases = sorted(
        {
            side.row.record.database
            for result in figures.results
            for case in result.rule.cases
            for side in case.sides
        }
    )
    return {
        "total": _figure(figures.figure(TOTAL)),
        "people": _figure(figures.figure(PEOPLE)),
        "by_severity": [
            {
                "severity": severity.name,
                **_figure(figures.figure(finding_cell("severity", severity.name))),
            }
            for severity in ConflictSeverity
        ],
        "by_database": [
            {"database": name, **_figure(figures.figure(finding_cell("database", name)))}
            for name in databases
        ],
        "by_province": [
            {"province": code, **_figure(figures.figure(finding_cell("province", code)))}
            for code in (*all_provinces.present, UNKNOWN)
        ],
        "by_former_province": [
            {
                "province": present,
                "former_province": code,
                **_figure(figures.figure(former_cell(present, code))),
            }
            for code, present in (
                *all_provinces.present_code.items(),
                *((UNKNOWN, present) for present in all_provinces.present),
            )
        ],
        "by_registration_year": [
            {"year": value, **_figure(figures.figure(finding_cell("year", value)))}
            for value in year_values(figures.year)
        ],
    }


def _comparison(figures: ReportFigures) -> dict[str, Any]:
    head = {"state": figures.comparability.value, "earlier_run": figures.earlier}
    if figures.comparability is not Comparability.COMPARED:
        return head
    return {
        **head,
        "earlier_total": _figure(figures.figure(EARLIER_TOTAL)),
        "total": _changes(figures, None),
        "by_rule": [
            {
                "rule": result.rule.name,
                "earlier": _figure(figures.figure(earlier_cell(result.rule.name))),
                **_changes(figures, result),
            }
            for result in figures.results
        ],
    }


def _changes(figures: ReportFigures, result: RuleCheckResult | None) -> dict[str, Any]:
    return {
        change.value.partition(".")[2]: _figure(figures.change(change, result))
        for change in FindingChange
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {"state": figure.state.value, "count": figure.count}
