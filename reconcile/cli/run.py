"""The command ``justice-gateway reconcile run``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer

from reconcile.cli.exit_status import exit_statuses
from reconcile.cli.options import (
    CaseNumber,
    Config,
    Every,
    Folder,
    KeyFile,
    OnFailure,
    Operator,
    Reason,
    SettingsFile,
    host_of,
    read_settings,
)


def run(
    context: typer.Context,
    reason: Reason,
    config: Config = None,
    settings: SettingsFile = None,
    folder: Folder = None,
    database: Annotated[
        list[str] | None, typer.Option(help="A database to read; repeat. None: all.")
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"] | None, typer.Option(help="In place of the settings'.")
    ] = None,
    with_numbers: KeyFile = None,
    on_failure: OnFailure = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The legal day. None: today in Vietnam."),
    ] = None,
    operator: Operator = None,
    case_number: CaseNumber = None,
    every: Every = 10.0,
    keep_extracts: Annotated[
        bool,
        typer.Option("--keep-extracts", help="Keep extracts, for `reconcile link`: personal data."),
    ] = False,
    or_resume: Annotated[
        bool, typer.Option("--or-resume", help="Resume the last run if it is not finished.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what a run would read, and how long; no run.")
    ] = False,
) -> None:
    """Check everybody for conflicts between databases, and write what was found.

    Ends with status 0 if everything was checked, 3 if something was not, 4 if it stopped and can be
    resumed, 5 if another process runs in the folder, 2 for wrong options or settings.
    """
    changes = {
        name: value for name, value in (("engine", engine), ("on_failure", on_failure)) if value
    }
    chosen_settings = read_settings(settings, folder).model_copy(update=changes)
    with exit_statuses():
        from reconcile.cli.running import RunCommand
        from reconcile.run_entries import RunOperator
        from reconcile.run_start import RunOrder

        run_operator = RunOperator(reason, operator, case_number)
        command = RunCommand(host_of(context), config, chosen_settings, run_operator, every)
        order = RunOrder(
            tuple(database) if database else None,
            None if day is None else day.date(),
            with_numbers,
            keep_extracts,
        )
        if dry_run:
            command.estimate(order)
        else:
            command.begin(order, or_resume)
