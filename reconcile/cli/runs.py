"""The command ``justice-gateway reconcile runs``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reconcile.cli.exit_status import exit_statuses
from reconcile.cli.options import Folder, SettingsFile, read_settings

if TYPE_CHECKING:
    from reconcile.manifest import Manifest


def runs(settings: SettingsFile = None, folder: Folder = None) -> None:
    """List the runs of a folder, the oldest first, and how far each has come."""
    path = read_settings(settings, folder).folder
    with exit_statuses():
        from reconcile.layout import ReconcileFolder
        from reconcile.manifest import read_manifest

        for run in ReconcileFolder(path).runs():
            try:
                line = describe_run(read_manifest(run.manifest))
            except (OSError, ValueError) as error:
                line = f"{run.path.name}  cannot be read: {error}"
            sys.stdout.write(line + "\n")


def describe_run(manifest: Manifest) -> str:
    """Return a line about a run: its name, day, databases, and state."""
    if manifest.finished is not None:
        state = f"finished {manifest.finished}"
    elif manifest.units:
        state = f"not finished: {len(manifest.units)} units are checked"
    else:
        rows = sum(extract.rows for extract in manifest.extracts.values())
        state = f"not finished: {rows:,} rows are extracted"
    unread = [name for name, extract in manifest.extracts.items() if extract.failure is not None]
    if unread:
        state += f"; not read to the end: {', '.join(unread)}"
    return f"{manifest.run}  day {manifest.day}  {', '.join(manifest.databases)}  {state}"
