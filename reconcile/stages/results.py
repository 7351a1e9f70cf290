"""The last stage: findings as one file, counts, summary and report."""

from __future__ import annotations

import duckdb
import pyarrow.parquet as pq

from reconcile.engines.engine import EngineFailure
from reconcile.national_run import NationalRun
from reconcile.report.counts import write_counts
from reconcile.report.figures import ReportFigures
from reconcile.report.write import write_report
from reconcile.stages.check import CheckedPeople
from rules.registry import BULK_RULES


def write_results(run: NationalRun, checked: CheckedPeople) -> None:
    """Write the results of a run whose units are all done; the same each time.

    Raises OSError, EngineFailure.
    """
    run.progress.stage("results", None)
    checked.findings.join(checked.units)
    unread = _unread_rows(run)
    try:
        write_counts(run.folder, run.files, BULK_RULES, checked.unchecked, run.settings, unread)
    except duckdb.Error as error:  # its message could hold a value
        raise EngineFailure(f"findings cannot be counted ({type(error).__name__})") from None
    report_run(run)


def report_run(run: NationalRun) -> ReportFigures:
    """Write summary and report from the counts, and return what they show. Raises OSError."""
    databases = [access.database for access in run.databases]
    return write_report(run.folder, run.files, BULK_RULES, databases)


def _unread_rows(run: NationalRun) -> set[str] | None:
    """Return the keyed hashes of the rows that cannot be read wholly; None: not told of all."""
    hashes, rows = run.hashes, set[str]()
    for name, progress in run.manifest.extracts.items():
        if not any(progress.unreadable.values()):
            continue
        database, _, record = name.partition(".")
        file = run.files.extract(database, record) / "unreadable.parquet"
        for identity in pq.read_table(file, columns=["identity"])["identity"].to_pylist():
            if identity is None:
                return None
            rows.add(hashes.row(database, record, identity))
    return rows
