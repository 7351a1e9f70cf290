"""The command ``justice-gateway reconcile publish``."""

from __future__ import annotations

import getpass
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.findings_database import PasswordFile, TlsCa, Url, run_in_findings_database
from reconcile.cli.options import Config, Folder, SettingsFile, host_of, read_settings

if TYPE_CHECKING:
    from reconcile.layout import ReconcileFolder
    from reconcile.publishing.publish import Publication


def publish(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The name of the run, as `reconcile runs` lists it.")],
    url: Url,
    key: Annotated[Path, typer.Option("--key", help="The key of the run's numbers.")],
    config: Config = None,
    settings: SettingsFile = None,
    folder: Folder = None,
    password_file: PasswordFile = None,
    tls_ca: TlsCa = None,
) -> None:
    """Bring the database of findings to the state after a run, in one transaction.

    Publishing a run again changes nothing. Status 4 where it cannot be published: it is not
    finished, has no numbers, or a later run is published.
    """
    path = read_settings(settings, folder).folder
    with exit_statuses():
        from reconcile.layout import ReconcileFolder

        of_runs = ReconcileFolder(path)
        if run not in [folder_of_run.path.name for folder_of_run in of_runs.runs()]:
            raise typer.BadParameter(f"there is no run {run} in {path}")
        _record(context, config, of_runs, run)
        publication = _publish(of_runs, run, key, url, password_file, tls_ca)
        for line in _lines(run, publication):
            sys.stdout.write(line + "\n")


def _publish(
    of_runs: ReconcileFolder,
    run: str,
    key: Path,
    url: str,
    password_file: Path | None,
    tls_ca: Path | None,
) -> Publication:
    from reconcile.findings.key_files import KeyRefused, read_key
    from reconcile.findings.parquet_files import open_file
    from reconcile.layout import OtherVersion
    from reconcile.manifest import read_manifest
    from reconcile.publishing.case_coverage import case_coverage
    from reconcile.publishing.publish import PublicationRefused, publish_run
    from reconcile.publishing.run_findings import NumbersMismatch, run_findings
    from rules.registry import BULK_RULES

    files = of_runs.run(run)
    try:
        numbers_key = read_key(key)
        manifest = read_manifest(files.manifest)
        if not files.numbers.is_file():
            raise PublicationRefused(f"{run} has no numbers: it ran without --with-numbers")
        findings = run_findings(files, lambda file: open_file(file, numbers_key).iter_batches())
        cases = case_coverage(manifest, BULK_RULES)
        now = datetime.now(UTC)
        return run_in_findings_database(
            url,
            password_file,
            tls_ca,
            lambda connection: publish_run(connection, manifest, cases, findings, now),
        )
    except (PublicationRefused, NumbersMismatch, OtherVersion, KeyRefused) as error:
        raise end(ExitStatus.STOPPED, f"nothing was published: {error}") from None
    except OSError as error:
        raise end(ExitStatus.STOPPED, f"nothing was published: {error.strerror}") from None


def _record(
    context: typer.Context, config: Path | None, of_runs: ReconcileFolder, run: str
) -> None:
    """Write in the journal of national runs that people's numbers are going into a database."""
    entry = {
        "command": "reconcile",
        "event": "publishes",
        "run": run,
        "user": getpass.getuser(),
        "host": socket.gethostname(),
    }
    try:
        host_of(context).record(config, of_runs.audit, entry)
    except OSError as error:
        raise end(ExitStatus.STOPPED, f"nothing was published: {error}") from None


def _lines(run: str, publication: Publication) -> list[str]:
    if publication.is_repeated:
        return [f"{run} is published already; nothing was changed"]
    lines = [
        f"{run} is published: {publication.new:,} findings are new, "
        f"{publication.confirmed:,} known, {publication.returned:,} there again, "
        f"{publication.corrected:,} corrected"
    ]
    if publication.unchanged:
        lines.append(
            f"{publication.unchanged:,} were neither found nor checked in this run: unchanged"
        )
    if publication.without_number:
        lines.append(
            f"{publication.without_number:,} are about numbers that nobody can have: not published"
        )
    return lines
