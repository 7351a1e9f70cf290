"""The last stage: findings as one file."""

from __future__ import annotations

from reconcile.national_run import NationalRun
from reconcile.stages.check import CheckedPeople


def write_results(run: NationalRun, checked: CheckedPeople) -> None:
    """Write the results of a run whose units are all done; the same each time. Raises OSError."""
    run.progress.stage("results", None)
    checked.findings.join(checked.units)
