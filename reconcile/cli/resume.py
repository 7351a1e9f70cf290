"""The command ``justice-gateway reconcile resume``."""

from __future__ import annotations

from typing import Annotated

import typer

from reconcile.cli.exit_status import exit_statuses
from reconcile.cli.options import (
    CaseNumber,
    Config,
    Every,
    Folder,
    OnFailure,
    Operator,
    Reason,
    SettingsFile,
    host_of,
    read_settings,
)


def resume(
    context: typer.Context,
    reason: Reason,
    run: Annotated[
        str | None, typer.Argument(help="The name of the run. None: the last unfinished one.")
    ] = None,
    config: Config = None,
    settings: SettingsFile = None,
    folder: Folder = None,
    on_failure: OnFailure = None,
    operator: Operator = None,
    case_number: CaseNumber = None,
    every: Every = 10.0,
) -> None:
    """Go on with a run where it stopped or was killed; ends as `reconcile run` does."""
    chosen_settings = read_settings(settings, folder)
    with exit_statuses():
        from reconcile.cli.running import RunCommand
        from reconcile.run_entries import RunOperator

        run_operator = RunOperator(reason, operator, case_number)
        RunCommand(host_of(context), config, chosen_settings, run_operator, every).resume(
            run, on_failure
        )
