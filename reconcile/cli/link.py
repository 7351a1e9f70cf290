"""The command ``justice-gateway reconcile link``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.options import (
    CaseNumber,
    Config,
    Folder,
    Reason,
    SettingsFile,
    host_of,
    read_settings,
)
from reconcile.host import Host
from reconcile.settings import ReconcileSettings

if TYPE_CHECKING:
    from reconcile.linkage.command import LinkageOrder


def link(
    context: typer.Context,
    reason: Reason,
    run: Annotated[str | None, typer.Argument(help="Its name. None: the last.")] = None,
    config: Config = None,
    settings: SettingsFile = None,
    folder: Folder = None,
    engine: Annotated[
        Literal["duckdb", "spark"] | None, typer.Option(help="In place of the settings'.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="The model, in place of the one that comes with the program."),
    ] = None,
    learn: Annotated[
        Path | None, typer.Option(help="Learn a model from the run into this file; link nothing.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Write the clerk's list: an HTML file.")] = None,
    records: Annotated[int, typer.Option(min=1, help="Records of the list.")] = 200,
    skip: Annotated[int, typer.Option(min=0, help="Records before those of the list.")] = 0,
    with_numbers: Annotated[
        bool,
        typer.Option("--with-numbers", help="Numbers and names in the list, for its owner only."),
    ] = False,
    operator: Annotated[
        str | None, typer.Option(help="Who links, beside the user of the system.")
    ] = None,
    case_number: CaseNumber = None,
) -> None:
    """Propose who may be behind records without a number, for clerks to decide on.

    The run must have its extracts still (run --keep-extracts). Nothing is a finding. Ends with
    status 2 if the run, its extracts, the model or the engine cannot be used, 5 if another process
    runs in the folder.
    """
    if with_numbers and page is None:
        raise typer.BadParameter("--with-numbers needs --page")
    chosen = read_settings(settings, folder)
    if engine is not None:
        chosen = chosen.model_copy(update={"engine": engine})
    with exit_statuses():
        from reconcile.linkage.command import LinkageOrder

        order = LinkageOrder(
            reason, run, model, learn, page, skip, records, with_numbers, operator, case_number
        )
        summary = _link(host_of(context), config, chosen, order)
        for line in [f"learned into {learn}"] if summary is None else summary:
            sys.stdout.write(line + "\n")


def _link(
    host: Host, config: Path | None, settings: ReconcileSettings, order: LinkageOrder
) -> list[str] | None:
    """Link in the folder's lock; return the summary in lines, None where a model was learned.

    Ends the command where that cannot be.
    """
    from reconcile.engines.engine import EngineFailure
    from reconcile.findings.key_files import KeyRefused
    from reconcile.layout import OtherVersion, ReconcileFolder
    from reconcile.linkage.command import NoSuchRun, link_run
    from reconcile.linkage.exclusions import ExclusionsUnknown
    from reconcile.linkage.linking import ExtractsIncomplete, summary_lines
    from reconcile.linkage.model import OtherModel
    from reconcile.lock import FolderLocked, folder_lock

    unusable = (
        NoSuchRun,
        ExtractsIncomplete,
        ExclusionsUnknown,
        OtherModel,
        OtherVersion,
        KeyRefused,
        EngineFailure,
    )
    if not settings.folder.is_dir():
        raise end(ExitStatus.USAGE, f"{settings.folder} is not there")
    try:
        with folder_lock(ReconcileFolder(settings.folder)):
            summary = link_run(host, config, settings, order)
    except FolderLocked as error:
        raise end(ExitStatus.LOCKED, str(error)) from None
    except unusable as error:
        raise end(ExitStatus.USAGE, f"nothing is linked: {error}") from None
    except OSError as error:
        name = Path(str(error.filename or "")).name
        raise end(ExitStatus.FAULT, f"{name}: {error.strerror}") from None
    return None if summary is None else summary_lines(summary)
