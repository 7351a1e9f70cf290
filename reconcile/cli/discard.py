"""The command ``justice-gateway reconcile discard``."""

from __future__ import annotations

import shutil
import sys
from typing import Annotated

import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.options import Folder, SettingsFile, read_settings


def discard(
    run: Annotated[str, typer.Argument(help="The name of the run, as `reconcile runs` lists it.")],
    settings: SettingsFile = None,
    folder: Folder = None,
) -> None:
    """Remove a run with all that it extracted and found; it cannot be resumed any more."""
    path = read_settings(settings, folder).folder
    with exit_statuses():
        from reconcile.layout import ReconcileFolder
        from reconcile.lock import FolderLocked, folder_lock

        of_runs = ReconcileFolder(path)
        if run not in [folder_of_run.path.name for folder_of_run in of_runs.runs()]:
            raise typer.BadParameter(f"there is no run {run} in {path}")
        try:
            with folder_lock(of_runs):
                shutil.rmtree(of_runs.run(run).path)
        except FolderLocked as error:
            raise end(ExitStatus.LOCKED, str(error)) from None
        except OSError as error:
            raise end(ExitStatus.STOPPED, f"{run} is not removed: {error.strerror}") from None
    sys.stdout.write(f"{run} is removed\n")
