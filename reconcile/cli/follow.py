"""The command ``justice-gateway reconcile follow``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.findings_database import PasswordFile, TlsCa, Url, run_in_findings_database

_VIETNAM = timezone(timedelta(hours=7))


def follow(
    url: Url,
    for_report: Annotated[
        bool, typer.Option("--for-report", help="Leave out counts under 10, as a report must.")
    ] = False,
    password_file: PasswordFile = None,
    tls_ca: TlsCa = None,
) -> None:
    """Count the findings by state, rule, database and age, and say what was not checked.

    A finding in which no record prevails is counted in each database that takes part.
    """
    with exit_statuses():
        from reconcile.publishing.follow import (
            NothingPublished,
            correction_progress,
            progress_lines,
        )

        today = datetime.now(UTC).astimezone(_VIETNAM).date()
        try:
            progress = run_in_findings_database(
                url,
                password_file,
                tls_ca,
                lambda connection: correction_progress(connection, today),
            )
        except NothingPublished as error:
            raise end(ExitStatus.STOPPED, str(error)) from None
        for line in progress_lines(progress, for_report):
            sys.stdout.write(line + "\n")
