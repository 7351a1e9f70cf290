"""The command ``justice-gateway reconcile report``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.options import Folder, SettingsFile, read_settings


def report(
    run: Annotated[str, typer.Argument(help="The name of the run, as `reconcile runs` lists it.")],
    settings: SettingsFile = None,
    folder: Folder = None,
) -> None:
    """Write the summary and the report of a run again, and print the summary.

    What is in them comes from the counts of the run: it is the same each time.
    """
    path = read_settings(settings, folder).folder
    with exit_statuses():
        from rich.console import Console

        from connectors.registry import installed_databases
        from reconcile.layout import ReconcileFolder
        from reconcile.report.terminal import print_summary
        from reconcile.report.write import write_report
        from rules.registry import BULK_RULES

        of_runs = ReconcileFolder(path)
        if run not in [folder_of_run.path.name for folder_of_run in of_runs.runs()]:
            raise typer.BadParameter(f"there is no run {run} in {path}")
        try:
            figures = write_report(of_runs, of_runs.run(run), BULK_RULES, installed_databases())
        except (OSError, ValueError) as error:
            raise end(ExitStatus.STOPPED, f"{run} has no new report: {error}") from None
        print_summary(figures, Console(file=sys.stdout))
        sys.stdout.write(f"{of_runs.run(run).report}\n")
