"""The way of a run: record it, extract, check, write the results, record its end, clean up."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from reconcile.layout import ReconcileFolder, RunFolder
from reconcile.manifest import read_manifest
from reconcile.national_run import NationalRun
from reconcile.outcome import RunOutcome, outcome_of
from reconcile.report.figures import ReportFigures
from reconcile.run_needs import needs_of_run
from reconcile.stages.check import check_people
from reconcile.stages.extract import extract_databases
from reconcile.stages.results import report_run, write_results
from reconcile.stop import RunStopped


class NotRecorded(Exception):
    """A run was not begun or resumed, because the journal cannot be written; nothing was read."""


def run_to_end(run: NationalRun, event: str) -> tuple[RunOutcome, ReportFigures]:
    """Do all that is left of a run; the caller holds the lock.

    ``event``: ``begins`` or ``resumes``; without its entry in the journal nothing is read, and
    NotRecorded raised. Raises RunStopped, SourceFailed, EngineFailure, and OSError for what cannot
    be written: the run can be resumed. Raises RunRefused, KeyRefused and OtherVersion where it
    cannot go on.
    """
    try:
        run.record(event)
    except OSError as error:
        raise NotRecorded(str(error)) from None
    try:
        keeps_extracts = bool(run.manifest.options.get("keep_extracts"))
        extract_databases(run, needs_of_run(run.databases, keeps_extracts))
        checked = check_people(run)
        write_results(run, checked)
        run.record("ends")
        run.save(replace(run.manifest, finished=_now()))
        figures = report_run(run)  # once more: it says when the run was finished
    except BaseException as error:
        with suppress(OSError):
            run.record("stops" if isinstance(error, RunStopped) else "fails")
        raise
    remove_intermediates(run.files)
    declared = [access.database.name for access in run.databases]
    cases = checked.statements.cases
    return outcome_of(run.manifest, declared, cases, checked.unchecked), figures


def remove_intermediates(files: RunFolder) -> None:
    """Remove what a finished run needs no more: extracts are personal data. Raises OSError."""
    manifest = read_manifest(files.manifest)
    if manifest.finished is None:
        return
    retained = {files.path / "extract"} if manifest.options.get("keep_extracts") else set()
    intermediates = {files.path / "extract", files.path / "counting", files.prepared, files.cases}
    for path in intermediates - retained:
        if path.exists():
            shutil.rmtree(path)


def remove_leftovers(folder: ReconcileFolder) -> None:
    """Remove what finished runs left that were killed while they cleaned up."""
    for files in folder.runs():
        with suppress(ValueError):  # of another version, or none at all
            remove_intermediates(files)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
